"""Bank details: entered by the grantee, verified by a second person, replaced with a pause."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from uuid import uuid4

from sqlalchemy import exists, select

from portal.accounts.models import Person
from portal.applications.queries import members, representatives
from portal.awards.models import Award, AwardStatus
from portal.core import audit, clock, crypto
from portal.core.db import session
from portal.core.i18n import _
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused
from portal.payments import payees, policy, reasons, rules
from portal.payments.models import BankAction, BankDetails, BankStatus, OrderStatus, PaymentOrder
from portal.payments.payees import Payee, checked
from portal.payments.service.telling import tell
from portal.payments.service.voiding import void_orders
from portal.payments.standing import current
from portal.payments.workflow import BANK_WORKFLOW

LAST = 4
MOST_WORDS = 1000


def enter_bank_details(award: Award, typed: Payee, *, by: Person) -> BankDetails:
    """Seal new bank details of a grant; they wait for a second person (R21, R23).

    What stood before is replaced: its orders that nobody released yet are cancelled, the people
    who knew of it are told. Once any details of the grant were verified, new ones are payable
    after 48 hours only. The same details again change nothing. Raises Refused for somebody else,
    for a grant without agreement, or for an account that cannot be.
    """
    if not policy.can_enter(by, award.application):
        raise Refused(_("Bank details are entered by the grantee."), rule="R23")
    clean = checked(typed)
    audit.take_turn()
    session.refresh(award, ["status", "version"], with_for_update=True)
    if award.status not in {AwardStatus.ACCEPTED, AwardStatus.ACTIVE}:
        raise Refused(_("Bank details are asked for once the award was accepted."), rule="R21")
    body = payees.body(clean)
    before = current(award, lock=True)
    if before is not None:
        if before.digest == digest_of(body):
            return before
        _replace(before, by)
    now = clock.now()
    details = _sealed(award, clean, body, by)
    details.entered_at = now
    details.payable_from = now + rules.COOLING_OFF if _was_verified(award) else now
    session.add(details)
    session.flush()
    audit.record(
        "bank_details.entered",
        details,
        actor_id=by.id,
        case_id=award.case_id,
        to_status=BankStatus.ENTERED.value,
        facts={"digest": details.digest},
    )
    return details


def _sealed(award: Award, clean: Payee, body: str, by: Person) -> BankDetails:
    details_id = uuid4()
    place = f"bank_details:{details_id}"
    return BankDetails(
        id=details_id,
        award=award,
        sealed=crypto.seal(award.application.sealing_key, body, place),
        last_four=clean.account[-LAST:],
        fingerprint=fingerprint(clean),
        digest=digest_of(body),
        entered_by_id=by.id,
    )


def payee(details: BankDetails) -> Payee:
    """Return the details in plain, for the portal's own use.

    Raises Refused once they were erased, or where they are not what was entered.
    """
    key = details.award.application.sealing_key
    try:
        body = crypto.unseal(key, details.sealed, f"bank_details:{details.id}")
    except crypto.Unreadable as gone:
        raise Refused(_("These bank details can no longer be read.")) from gone
    if not hmac.compare_digest(digest_of(body), details.digest):
        raise Refused(_("These bank details are not the ones that were entered."), rule="R23")
    return Payee(**json.loads(body))


def read_bank_details(details: BankDetails, *, by: Person) -> Payee:
    """Return the details in plain to a person; that reading is itself an audit event.

    Raises Refused for whoever neither checks them nor works for the grantee.
    """
    application = details.award.application
    if not (policy.can_check(by, details) or policy.can_enter(by, application)):
        raise Refused(_("Bank details are read by finance and by the grantee only."))
    plain = payee(details)
    audit.record("bank_details.read", details, actor_id=by.id, case_id=details.case_id)
    return plain


def verify_bank_details(details: BankDetails, *, screened: bool, by: Person) -> None:
    """Say that the account is the grantee's and that no sanctions list names it (R21).

    Details that a bank made doubtful are verified again in the same way. Twice by the same person
    changes nothing. Raises Refused for whoever entered it, or without the screening.
    """
    if not screened:
        raise Refused(
            _("Screen the account holder against the sanctions lists first, and say so."),
            rule="R21",
        )
    _check(details, BankAction.VERIFY, "", by)


def reject_bank_details(details: BankDetails, remark: str, *, by: Person) -> None:
    """Refuse bank details with a remark that the grantee reads. Raises Refused without one."""
    missing = _("Say what is wrong with the bank details; the grantee reads it.")
    words = words_or_refuse(remark, missing)
    if _check(details, BankAction.REJECT, words, by):
        void_orders(details, by)
        application = details.award.application
        tell(
            representatives(application.organisation_id),
            "bank_details_refused",
            application,
            details.id,
        )


def doubt_account(order: PaymentOrder, reason: str) -> None:
    """Doubt the bank details of an order that a bank did not pay for a reason in the account.

    They are verified again by a second person, or replaced; until then nothing more is paid to
    them, and what nobody released yet is cancelled (R21). The grantee is told. Does nothing for
    other reasons, and for details that do not stand or are doubted already.
    """
    why, details = reasons.of_the_account(reason), order.bank_details
    session.flush()
    audit.take_turn()
    session.refresh(details, ["status", "version"], with_for_update=True)
    if not why or details.status is not BankStatus.VERIFIED:
        return
    with session.no_autoflush:  # the database wants status, reason and moment at once
        details.status, details.remark = BankStatus.DOUBTED, why[:MOST_WORDS]
        details.doubted_at = clock.now()
    audit.record(
        "bank_details.doubt",
        details,
        actor_id=None,
        case_id=details.case_id,
        from_status=BankStatus.VERIFIED.value,
        to_status=BankStatus.DOUBTED.value,
        rule="R21",
        facts={"digest": details.digest, "order": order.ref},
    )
    void_orders(details, None)
    session.flush()
    application = details.award.application
    people = representatives(application.organisation_id)
    tell(people, "bank_details_doubted", application, order.id)


def same_account(details: BankDetails) -> list[BankDetails]:
    """Return bank details of other organisations with the same account (R12). One statement."""
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
    return _keyed("bank account", payees.same_account(payee_details))


def fingerprint_holds(details: BankDetails) -> bool:
    """Say whether the fingerprint is that of what was sealed. Raises Refused as `payee` does.

    Before numbers were brought to their IBAN the account stood in it as it was typed.
    """
    plain = payee(details)
    typed = _keyed("bank account", f"{plain.country}:{plain.account}")
    return details.fingerprint in {fingerprint(plain), typed}


def digest_of(body: str) -> str:
    """Return a keyed hash of everything about a payee, which payment orders carry on."""
    return _keyed("bank details", body)


def _keyed(purpose: str, text: str) -> str:
    return hmac.new(crypto.derived_key(purpose), text.encode(), hashlib.sha256).hexdigest()


def _was_verified(award: Award) -> bool:
    verified = exists().where(
        BankDetails.award_id == award.id, BankDetails.verified_at.is_not(None)
    )
    return bool(session.scalar(select(verified)))


def _check(details: BankDetails, action: BankAction, remark: str, by: Person) -> bool:
    """Let a second person speak; say whether that changed anything."""
    session.flush()
    audit.take_turn()
    session.refresh(details, ["status", "version", "checked_by_id", "remark"], with_for_update=True)
    target = BankStatus.VERIFIED if action is BankAction.VERIFY else BankStatus.REJECTED
    if details.status is target and (details.checked_by_id, details.remark) == (by.id, remark):
        return False
    BANK_WORKFLOW.check(details, action, by)
    now = clock.now()
    with session.no_autoflush:  # the database wants status, person and moment at once
        details.checked_by_id, details.checked_at = by.id, now
        details.remark = remark
        if action is BankAction.VERIFY:
            details.verified_at = now
        BANK_WORKFLOW.perform(
            details,
            action,
            by=by,
            rule="R21",
            facts={"digest": details.digest, "screened": action is BankAction.VERIFY},
        )
    session.flush()
    return True


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
    application = before.award.application
    tell(_who_knew(before), "bank_details_changed", application, before.id)
    session.flush()


def _who_knew(before: BankDetails) -> Iterable[Person]:
    """Return the organisation's people, and whoever entered the former details."""
    people = members(before.award.application.organisation_id)
    entered = session.get_one(Person, before.entered_by_id)
    return {person.id: person for person in (*people, entered)}.values()
