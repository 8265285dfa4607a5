"""The agreement: issued as PDF, signed by the grantee, countersigned for the fund."""

from portal.accounts.models import Person
from portal.applications.queries import representatives
from portal.awards import document
from portal.awards.models import Agreement, Award, AwardAction, InstalmentStatus
from portal.awards.workflow import WORKFLOW
from portal.core import audit, clock, files, i18n, outbox, templating
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.text import normalise, sha256_hex
from portal.core.workflow import Refused
from portal.ledger.queries import outstanding
from portal.ledger.service import commit_funds, release_commitment


def issue_agreement(award: Award, *, by: Person) -> Agreement:
    """Write the document of the award as PDF, keep it with its digest, and return it.

    Raises Refused when the budget is not the award yet (R18) or a document stands already.
    """
    if award.needs_revised_budget:
        raise Refused(_("First bring the budget down to the amount of the award."), rule="R18")
    if award.agreement is not None:
        raise Refused(_("The document was issued already."))
    application = award.application
    with i18n.speaking(application.language):
        content = templating.document(award.fund.process.offer, **document.context(award))
    name = f"{application.ref}-{award.ref}.pdf"
    file = files.keep_document(content, name, by.id, case_id=application.id)
    agreement = Agreement(award=award, file=file, digest=sha256_hex(content), issued_by_id=by.id)
    session.add(agreement)
    session.flush()
    audit.record(
        "agreement.issued",
        agreement,
        actor_id=by.id,
        case_id=award.case_id,
        facts={"digest": agreement.digest, "amount_usd": award.amount_usd},
    )
    return agreement


def accept(award: Award, typed_name: str, *, by: Person) -> None:
    """Sign for the grantee by typing one's own name.

    Raises Refused for anybody but the legal representative, for another name, before a document
    was issued. A travel letter needs no countersignature: the funds are committed at once.
    """
    audit.take_turn()
    _hold(award)
    if not same_name(typed_name, by.name):
        raise Refused(
            _("Type your name exactly as it stands in your profile: %(name)s.", name=by.name)
        )
    countersigned = award.fund.process.countersigned
    WORKFLOW.check(award, AwardAction.ACCEPT, by)
    agreement = _document(award)
    agreement.signed_name = normalise(typed_name).strip()
    agreement.signed_by_id = by.id
    agreement.signed_at = clock.now()
    session.flush()  # the database wants the signature before the status that rests on it
    WORKFLOW.perform(
        award,
        AwardAction.ACCEPT,
        by=by,
        facts={"digest": agreement.digest},
        event="offer.accepted",
    )
    if not countersigned:
        _commit(award, by)
    session.flush()


def decline(award: Award, reason: str, *, by: Person) -> None:
    """Decline the offer, with a reason that the officer reads. Raises Refused."""
    words = normalise(reason).strip()
    if not words:
        raise Refused(_("Give the reason; the programme officer reads it."))
    audit.take_turn()
    _hold(award)
    WORKFLOW.check(award, AwardAction.DECLINE, by)
    award.remark = words
    WORKFLOW.perform(award, AwardAction.DECLINE, by=by)
    session.flush()


def countersign(award: Award, *, by: Person) -> None:
    """Countersign for the fund and record the commitment in the books (R21).

    Raises Refused for the wrong person, the wrong moment, or more than is available (R19).
    """
    audit.take_turn()
    _hold(award)
    WORKFLOW.check(award, AwardAction.COUNTERSIGN, by)
    agreement = _document(award)
    if agreement.signed_by_id == by.id:
        raise Refused(_("Two different people sign an agreement."), rule="R21")
    agreement.countersigned_by_id = by.id
    agreement.countersigned_at = clock.now()
    session.flush()
    WORKFLOW.perform(
        award,
        AwardAction.COUNTERSIGN,
        by=by,
        rule="R21",
        facts={"digest": agreement.digest, "amount_usd": award.amount_usd},
        event="agreement.signed",
    )
    _commit(award, by)
    session.flush()
    for person in representatives(award.application.organisation_id):
        outbox.queue(
            person.email,
            "agreement_signed",
            key=f"agreement-signed:{award.id}:{person.id}",
            link=f"/files/{award.application.ref}/agreement",
            locale=person.language,
            person_id=person.id,
            reference=award.application.ref,
        )


def give_back(award: Award, by: Person) -> None:
    """Give what is left of the commitment back to the fund, if anything was committed.

    What is ordered may be on its way already: it stays set aside until the order is confirmed,
    or the balance is drawn, so that nobody is promised the same dollars.
    """
    fund = award.application.call.fund_code
    for instalment in award.instalments:
        session.refresh(instalment, ["status"])
    ordered = [each for each in award.instalments if each.status is InstalmentStatus.ORDERED]
    kept = usd(sum(each.planned_usd for each in ordered))
    left = outstanding(fund, award.ref)
    if left > kept:
        release_commitment(
            fund,
            award.ref,
            left - kept,
            by=by.id,
            case_id=award.case_id,
            movement_ref=f"{award.ref}:ended",
        )


def _commit(award: Award, by: Person) -> None:
    commit_funds(
        award.application.call.fund_code,
        award.ref,
        award.amount,
        by=by.id,
        case_id=award.case_id,
    )


def _hold(award: Award) -> None:
    """Lock the award until the transaction ends, and read its status anew."""
    session.flush()
    session.refresh(award, ["status", "version"], with_for_update=True)


def _document(award: Award) -> Agreement:
    if award.agreement is None:
        raise Refused(_("The document to sign has not been issued yet."))
    return award.agreement


def same_name(typed: str, name: str) -> bool:
    """Say whether somebody typed their own name: case and doubled spaces do not matter."""
    return _compared(typed) == _compared(name)


def _compared(name: str) -> str:
    return " ".join(normalise(name).casefold().split())
