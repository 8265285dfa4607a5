"""Money that grantees pay back (R25): in one part or several, as the bank's lines say."""

from datetime import date

from portal.accounts.models import Person
from portal.core import audit
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.rules import Rate
from portal.ledger.service import refund_received, reverse
from portal.payments import policy
from portal.payments.models import Receivable, ReceivableStatus


def receive_refund(
    receivable: Receivable,
    amount: Money,
    *,
    ref: str,
    reference: str,
    on: date,
    by: Person | None,
    local: Money | None = None,
    rate: Rate | None = None,
    into: AccountKind = AccountKind.BANK,
) -> None:
    """Book `amount` (US$) that a grantee paid back, as a line of the bank says, under `ref` once.

    `reference` is the bank's own; `by` is None where it was matched by machine. Raises Refused for
    more than is left, and for who may not.
    """
    if by is not None and not policy.can_settle(by, receivable):
        raise Refused(_("Refunds are recorded by finance."), rule="R25")
    hold(receivable)
    if ledger.find(ref) is not None:
        return
    if not receivable.is_owed or amount > receivable.left:
        raise Refused(_("More came back than is left to be paid back."), rule="R25")
    before = receivable.status
    with session.no_autoflush:  # the database wants sums, status and day at once
        receivable.paid_usd += amount.minor
        receivable.status = _standing(receivable)
        receivable.bank_reference = reference
        settled = receivable.status is ReceivableStatus.SETTLED
        receivable.settled_on = on if settled else None
        receivable.settled_by_id = by.id if by and settled else None
    session.flush()
    _record(receivable, before, by, amount_usd=amount.minor)
    award = receivable.award
    refund_received(
        award.application.call.fund_code,
        award.ref,
        amount,
        ref,
        on,
        by=by.id if by else None,
        case_id=award.case_id,
        local=local,
        rate=rate,
        into=into,
    )


def take_back_refund(
    receivable: Receivable, amount: Money, *, ref: str, on: date, by: Person
) -> None:
    """Undo `receive_refund`: the line was something else, and the grantee owes it still.

    Raises Refused for who may not, and once the file is closed or the rest was written off.
    """
    if not policy.can_settle(by, receivable):
        raise Refused(_("Refunds are recorded by finance."), rule="R25")
    hold(receivable)
    if receivable.status is ReceivableStatus.WRITTEN_OFF or receivable.award.closed_at is not None:
        raise Refused(
            _(
                "The account of grant %(ref)s is settled for good, counting this money: it stays. "
                "If it came from another grantee, propose to write off as much of what that one "
                "owes, and name this line as the reason.",
                ref=receivable.award.ref,
            ),
            rule="R25",
        )
    before = receivable.status
    with session.no_autoflush:
        receivable.paid_usd -= amount.minor
        receivable.status = _standing(receivable)
        receivable.settled_on, receivable.settled_by_id = None, None
    session.flush()
    _record(receivable, before, by, amount_usd=-amount.minor)
    booking = ledger.find(ref)
    if booking is not None:
        reverse(booking, on=on, by=by.id, case_id=receivable.case_id)


def hold(receivable: Receivable) -> None:
    """Take the turn, lock what is owed until the transaction ends, and read it anew."""
    session.flush()
    audit.take_turn()
    columns = ["status", "version", "paid_usd", "written_off_usd", "settled_on", "bank_reference"]
    session.refresh(receivable, columns, with_for_update=True)


def _standing(receivable: Receivable) -> ReceivableStatus:
    if not receivable.left_usd:
        return ReceivableStatus.SETTLED
    return ReceivableStatus.PARTLY_PAID if receivable.paid_usd else ReceivableStatus.OPEN


def _record(
    receivable: Receivable, before: ReceivableStatus, by: Person | None, *, amount_usd: int
) -> None:
    audit.record(
        "receivable.paid" if amount_usd > 0 else "receivable.payment_undone",
        receivable,
        actor_id=by.id if by else None,
        case_id=receivable.case_id,
        from_status=before.value,
        to_status=receivable.status.value,
        rule="R25",
        facts={"amount_usd": amount_usd, "left_usd": receivable.left_usd},
    )
