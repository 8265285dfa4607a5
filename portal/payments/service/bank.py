"""Bank details: entered by the grantee, verified by a second person, replaced with a pause."""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.queries import members, representatives
from portal.awards.models import Award, AwardStatus
from portal.core import audit, clock, crypto, outbox
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.payments import policy, rules
from portal.payments.models import BankAction, BankDetails, BankStatus, OrderStatus, PaymentOrder
from portal.payments.service.voiding import void_orders
from portal.payments.workflow import BANK_WORKFLOW

LAST = 4
MOST_ACCOUNT = 34
LEAST_ACCOUNT = 4


@dataclass(frozen=True)
class Payee:
    """Where money goes, as the grantee's bank writes it. `bic` may be empty."""

    holder: str
    bank: str
    country: str
    account: str
    bic: str = ""
    town: str = ""


def enter_bank_details(award: Award, typed: Payee, *, by: Person) -> BankDetails:
    """Seal new bank details of a grant; they wait for a second person (R21, R23).

    What stood before is replaced: its orders that nobody released yet are cancelled, the people
    who knew of it are told, and a pause of 48 hours begins where it had been verified. Raises
    Refused for somebody else, for a grant without agreement, or for an account that cannot be.
    """
    if not policy.can_enter(by, award.application):
        raise Refused(_("Bank details are entered by the grantee."), rule="R23")
    if award.status not in {AwardStatus.ACCEPTED, AwardStatus.ACTIVE}:
        raise Refused(_("Bank details are asked for once the award was accepted."), rule="R21")
    clean = _checked(typed)
    audit.take_turn()
    before = current(award, lock=True)
    paused = before is not None and before.status is BankStatus.VERIFIED
    if before is not None:
        _replace(before, by)
    body = rules.payee_body(asdict(clean))
    details = BankDetails(
        award=award,
        sealed=crypto.seal(award.application.sealing_key, body, _place(award)),
        last_four=clean.account[-LAST:],
        fingerprint=fingerprint(clean),
        entered_by_id=by.id,
        payable_from=clock.now() + rules.COOLING_OFF if paused else clock.now(),
    )
    session.add(details)
    session.flush()
    audit.record(
        "bank_details.entered",
        details,
        actor_id=by.id,
        case_id=award.case_id,
        to_status=BankStatus.ENTERED.value,
        facts={"fingerprint": details.fingerprint},
    )
    return details


def current(award: Award, *, lock: bool = False) -> BankDetails | None:
    """Return the details that stand now, verified or waiting for it. One SQL statement."""
    rows = select(BankDetails).where(
        BankDetails.award_id == award.id,
        BankDetails.status.in_([BankStatus.ENTERED, BankStatus.VERIFIED]),
    )
    return session.scalar(rows.with_for_update(of=BankDetails) if lock else rows)


def payee(details: BankDetails) -> Payee:
    """Return the details in plain, for the portal's own use. Raises Unreadable once erased."""
    key = details.award.application.sealing_key
    return Payee(**json.loads(crypto.unseal(key, details.sealed, _place(details.award))))


def read_bank_details(details: BankDetails, *, by: Person) -> Payee:
    """Return the details in plain to a person; that reading is itself an audit event.

    Raises Refused for whoever neither checks them nor works for the grantee.
    """
    application = details.award.application
    if not (policy.can_check(by, details) or policy.can_enter(by, application)):
        raise Refused(_("Bank details are read by finance and by the grantee only."))
    audit.record("bank_details.read", details, actor_id=by.id, case_id=details.case_id)
    return payee(details)


def verify_bank_details(details: BankDetails, *, screened: bool, by: Person) -> None:
    """Say that the account is the grantee's and that no sanctions list names it (R21).

    Raises Refused for whoever entered it, or without the screening.
    """
    if not screened:
        raise Refused(
            _("Screen the account holder against the sanctions lists first, and say so."),
            rule="R21",
        )
    _check(details, BankAction.VERIFY, "", by)


def reject_bank_details(details: BankDetails, remark: str, *, by: Person) -> None:
    """Refuse bank details with a remark that the grantee reads. Raises Refused without one."""
    words = normalise(remark).strip()
    if not words:
        raise Refused(_("Say what is wrong with the bank details; the grantee reads it."))
    _check(details, BankAction.REJECT, words, by)
    void_orders(details, by)
    _tell(
        details, "bank_details_refused", representatives(details.award.application.organisation_id)
    )


def same_account(details: BankDetails) -> list[BankDetails]:
    """Return bank details of other organisations with the same account (R12)."""
    organisation = details.award.application.organisation_id
    rows = select(BankDetails).where(
        BankDetails.fingerprint == details.fingerprint, BankDetails.id != details.id
    )
    return [
        other
        for other in session.scalars(rows)
        if other.award.application.organisation_id != organisation
    ]


def fingerprint(payee_details: Payee) -> str:
    """Return a keyed hash of the account, equal for equal accounts, telling nothing else."""
    account = f"{payee_details.country}:{payee_details.account}".encode()
    return hmac.new(crypto.derived_key("bank account"), account, hashlib.sha256).hexdigest()


def _check(details: BankDetails, action: BankAction, remark: str, by: Person) -> None:
    audit.take_turn()
    session.refresh(details, ["status", "version"], with_for_update=True)
    BANK_WORKFLOW.check(details, action, by)
    details.checked_by_id = by.id
    details.checked_at = clock.now()
    details.remark = remark
    BANK_WORKFLOW.perform(
        details, action, by=by, rule="R21", facts={"fingerprint": details.fingerprint}
    )
    session.flush()


def _replace(before: BankDetails, by: Person) -> None:
    under_way = select(PaymentOrder.ref).where(
        PaymentOrder.bank_details_id == before.id, PaymentOrder.status == OrderStatus.RELEASED
    )
    if session.scalar(under_way.limit(1)) is not None:
        raise Refused(
            _("A payment is on its way to these bank details. Change them once it has arrived."),
            rule="R21",
        )
    BANK_WORKFLOW.perform(before, BankAction.REPLACE, by=by, rule="R21")
    void_orders(before, by)
    _tell(before, "bank_details_changed", members(before.award.application.organisation_id))
    session.flush()


def _tell(details: BankDetails, template: str, people: list[Person]) -> None:
    application = details.award.application
    for person in people:
        outbox.queue(
            person.email,
            template,
            key=f"{template}:{details.id}:{person.id}",
            link=f"/files/{application.ref}/payments",
            locale=person.language,
            person_id=person.id,
            reference=application.ref,
        )


def _place(award: Award) -> str:
    return f"award:{award.id}:bank"


def _checked(typed: Payee) -> Payee:
    """Return the details in their compact form. Raises Refused with what to do."""
    clean = Payee(
        holder=normalise(typed.holder).strip(),
        bank=normalise(typed.bank).strip(),
        country=typed.country.strip().upper(),
        account=rules.compact(typed.account),
        bic=rules.compact(typed.bic),
        town=normalise(typed.town).strip(),
    )
    if not clean.holder or not clean.bank or not clean.country:
        raise Refused(_("Give the account holder, the bank and its country."))
    account = clean.account
    if not account.isascii() or not account.isalnum():
        raise Refused(_("An account number has letters A to Z and digits only."))
    if not LEAST_ACCOUNT <= len(account) <= MOST_ACCOUNT:
        raise Refused(_("An account number has between 4 and 34 letters and digits."))
    if rules.is_iban(account) and not rules.iban_holds(account):
        raise Refused(
            _("This IBAN has a typing mistake: its check digits do not fit. Compare it again.")
        )
    if clean.bic and not rules.is_bic(clean.bic):
        raise Refused(_("A BIC has 8 or 11 letters and digits. Leave it empty if unsure."))
    return clean
