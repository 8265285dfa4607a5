"""The verbs of writing off: propose, approve, approve for good, reject, withdraw (R25)."""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import format_money
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused
from portal.ledger.service import refund_written_off
from portal.payments.late import waits_of
from portal.payments.models import Receivable, ReceivableStatus
from portal.payments.service.refunds import hold
from portal.payments.write_offs import policy, queries
from portal.payments.write_offs.models import (
    OPEN_WRITE_OFF,
    WriteOff,
    WriteOffAction,
    WriteOffStatus,
)
from portal.payments.write_offs.workflow import WRITE_OFF_WORKFLOW


def propose_write_off(receivable: Receivable, reason: str, *, by: Person) -> WriteOff:
    """Propose to write off all that is left of what a grantee owes, with the reason.

    A second click finds the proposal of the first. Raises Refused for anybody but finance, without
    a reason, where nothing is owed, where another proposal waits, and while money that may be of
    this debt waits in suspense.
    """
    words = _words(reason)
    if not policy.can_propose(by, receivable):
        raise Refused(_("A write-off is proposed by finance."), rule="R25")
    hold(receivable)
    waits = open_proposal(receivable)
    if waits is not None and (waits.proposed_by_id, waits.reason) == (by.id, words):
        return waits
    if waits is not None:
        raise Refused(_("A proposal to write this off waits already."), rule="R25")
    if not receivable.is_owed:
        raise Refused(_("Nothing of this is owed any more."), rule="R25")
    _refuse_unplaced(receivable)
    proposal = WriteOff(
        receivable=receivable,
        amount_usd=receivable.left_usd,
        reason=words,
        proposed_by_id=by.id,
    )
    session.add(proposal)
    session.flush()
    audit.record(
        "write_off.proposed",
        proposal,
        actor_id=by.id,
        case_id=proposal.case_id,
        to_status=WriteOffStatus.PROPOSED.value,
        rule="R25",
        facts={"amount_usd": proposal.amount_usd},
    )
    return proposal


def approve_write_off(proposal: WriteOff, *, by: Person) -> None:
    """Approve as the first of two. Twice by the same person is once.

    Raises Refused, also where money came meanwhile, or waits in suspense.
    """
    _hold(proposal)
    if proposal.status is WriteOffStatus.APPROVED_ONCE and proposal.approved_by_id == by.id:
        return
    WRITE_OFF_WORKFLOW.check(proposal, WriteOffAction.APPROVE, by)
    _refuse_changed(proposal)
    with session.no_autoflush:  # the database wants status, person and moment at once
        proposal.approved_by_id, proposal.approved_at = by.id, clock.now()
        _perform(proposal, WriteOffAction.APPROVE, by)
    session.flush()


def authorise_write_off(proposal: WriteOff, *, by: Person) -> None:
    """Approve for good, as the second of two: what was owed becomes expenditure in the books.

    Twice by the same person is once. Raises Refused, also where money came meanwhile, or waits in
    suspense.
    """
    _hold(proposal)
    if proposal.status is WriteOffStatus.APPROVED and proposal.authorised_by_id == by.id:
        return
    WRITE_OFF_WORKFLOW.check(proposal, WriteOffAction.AUTHORISE, by)
    _refuse_changed(proposal)
    with session.no_autoflush:
        proposal.authorised_by_id, proposal.authorised_at = by.id, clock.now()
        _perform(proposal, WriteOffAction.AUTHORISE, by)
    session.flush()
    _write_off(proposal, by)


def reject_write_off(proposal: WriteOff, remark: str, *, by: Person) -> None:
    """Do not approve, with a reason; the proposal stays on record. Raises Refused."""
    words = _words(remark)
    _hold(proposal)
    if proposal.status is WriteOffStatus.REJECTED and proposal.remark == words:
        return
    WRITE_OFF_WORKFLOW.check(proposal, WriteOffAction.REJECT, by)
    with session.no_autoflush:
        proposal.remark = words
        proposal.ended_by_id, proposal.ended_at = by.id, clock.now()
        _perform(proposal, WriteOffAction.REJECT, by)
    session.flush()


def withdraw_write_off(proposal: WriteOff, *, by: Person) -> None:
    """Take a proposal back; it stays on record. Twice is once. Raises Refused."""
    _hold(proposal)
    if proposal.status is WriteOffStatus.WITHDRAWN:
        return
    WRITE_OFF_WORKFLOW.check(proposal, WriteOffAction.WITHDRAW, by)
    with session.no_autoflush:
        proposal.ended_by_id, proposal.ended_at = by.id, clock.now()
        _perform(proposal, WriteOffAction.WITHDRAW, by)
    session.flush()


def open_proposal(receivable: Receivable) -> WriteOff | None:
    """Return the proposal that waits for somebody, if there is one. One SQL statement."""
    return session.scalar(
        select(WriteOff).where(
            WriteOff.receivable_id == receivable.id, WriteOff.status.in_(OPEN_WRITE_OFF)
        )
    )


def _write_off(proposal: WriteOff, by: Person) -> None:
    receivable, award = proposal.receivable, proposal.receivable.award
    before = receivable.status
    with session.no_autoflush:
        receivable.written_off_usd = proposal.amount_usd
        receivable.status = ReceivableStatus.WRITTEN_OFF
    session.flush()
    audit.record(
        "receivable.write_off",
        receivable,
        actor_id=by.id,
        case_id=receivable.case_id,
        from_status=before.value,
        to_status=receivable.status.value,
        rule="R25",
        facts={"amount_usd": proposal.amount_usd},
    )
    refund_written_off(
        award.application.call.fund_code,
        award.ref,
        proposal.money,
        f"{award.ref}:written-off",
        clock.today(),
        by=by.id,
        case_id=award.case_id,
    )


def _hold(proposal: WriteOff) -> None:
    hold(proposal.receivable)
    session.refresh(proposal, with_for_update={"of": WriteOff})


def _refuse_changed(proposal: WriteOff) -> None:
    if proposal.receivable.left_usd != proposal.amount_usd:
        raise Refused(
            _("Money came back meanwhile, so another amount is left. Withdraw, and propose anew."),
            rule="R25",
        )
    _refuse_unplaced(proposal.receivable)


def _refuse_unplaced(receivable: Receivable) -> None:
    """Raise Refused while a credit that may be money of this debt is not placed."""
    _refuse_late(receivable)
    waiting = queries.unplaced(receivable)
    if waiting:
        first = waiting[0]
        raise Refused(
            _(
                "The bank’s line %(line)s over %(amount)s may be money of this debt, and nobody "
                "said yet what it is. Finance says so first, under Bank, Reconciliation.",
                line=first.reference,
                amount=format_money(first.money, str(locale())),
            ),
            rule="R25",
        )


def _refuse_late(receivable: Receivable) -> None:
    """Raise Refused while money of the grant that came back by card is not placed."""
    order = waits_of(receivable.award)
    if order is not None:
        raise Refused(
            _(
                "Payment %(ref)s of this grant came back by card, and its money waits in suspense. "
                "Finance says first, on the page of that payment, what it is.",
                ref=order.ref,
            ),
            rule="R25",
        )


def _perform(proposal: WriteOff, action: WriteOffAction, by: Person) -> None:
    WRITE_OFF_WORKFLOW.perform(
        proposal, action, by=by, rule="R25", facts={"amount_usd": proposal.amount_usd}
    )


def _words(text: str) -> str:
    return words_or_refuse(text, _("Give the reason; it stays on record."), rule="R25")
