"""Money out: an advance leaves, the bank settles it, or it comes back."""

from datetime import date
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import Line, Rate, above_zero, credit, debit
from portal.ledger.service.commitments import move, refuse_uncommitted
from portal.ledger.service.posting import hold, post, reverse

IN_TRANSIT = AccountKind.PAYMENTS_IN_TRANSIT
SETTLED = ":settled"
USED = ":used"
RETURNED = ":returned"


def advance_paid(  # noqa: PLR0917 — the order in which a payment is told
    fund_code: str,
    award_ref: str,
    amount: Money,
    local: Money,
    order_ref: str,
    on: date,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
    rate: Rate | None = None,
    through: AccountKind = IN_TRANSIT,
) -> LedgerTransaction:
    """Book a payment to a grantee: `amount` in US$, paid as `local`; the commitment shrinks.

    `through` is payments in transit where the bank still has to settle (`payment_settled`), or
    bank where the payment is confirmed already. Raises Refused (R21) when more is paid than is
    set aside for the award.
    """
    cents = above_zero(amount)
    booking = post(
        TransactionKind.ADVANCE_PAID,
        order_ref,
        [
            debit(fund_code, AccountKind.ADVANCES_TO_GRANTEES, amount, local),
            credit(fund_code, through, amount, local),
        ],
        on=on,
        by=by,
        subject_ref=award_ref,
        case_id=case_id,
        rate=rate,
        guard=lambda: refuse_uncommitted(fund_code, award_ref, amount),
    )
    move(order_ref + USED, fund_code, award_ref, -cents, by=by, case_id=case_id)
    return booking


def payment_settled(
    order_ref: str,
    debited: Money,
    on: date,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
) -> LedgerTransaction:
    """Book that the bank debited `debited` (US$) for a payment in transit.

    The difference to what was booked when it left is a gain or loss on exchange. Raises Refused
    when no such payment is in transit.
    """
    actual = above_zero(debited)
    advance = _advance(order_ref)
    leg = next((line for line in queries.lines_of(advance) if line.account == IN_TRANSIT), None)
    if leg is None:
        raise Refused(_("This payment is not in transit: it was booked as paid by the bank."))
    lines = [
        Line(leg.fund, IN_TRANSIT, -leg.money, -leg.usd),
        credit(leg.fund, AccountKind.BANK, debited),
    ]
    loss = actual + leg.usd
    if loss:
        lines.append(Line(leg.fund, AccountKind.EXCHANGE_DIFFERENCE, usd(loss), loss))

    def refuse_returned() -> None:
        if queries.reversal_of(advance) is not None:
            raise Refused(_("This payment has come back; it cannot be settled."))

    return post(
        TransactionKind.PAYMENT_SETTLED,
        order_ref + SETTLED,
        lines,
        on=on,
        by=by,
        subject_ref=advance.subject_ref,
        case_id=case_id,
        guard=refuse_returned,
    )


def payment_returned(
    order_ref: str, on: date, *, by: UUID | None, case_id: UUID | None = None
) -> LedgerTransaction:
    """Book that a payment was rejected or came back: reversed, and set aside again.

    Returns the reversal of the advance; again it returns the same. Raises Refused when no such
    payment was booked.
    """
    booking = _advance(order_ref)
    paid = next(line for line in queries.lines_of(booking) if line.usd > 0)
    hold([paid.fund])
    settled = queries.find(order_ref + SETTLED)
    if settled is not None:
        reverse(settled, on=on, by=by, case_id=case_id)
    mirror = reverse(booking, on=on, by=by, case_id=case_id)
    award_ref = booking.subject_ref or ""
    move(order_ref + RETURNED, paid.fund, award_ref, paid.usd, by=by, case_id=case_id)
    return mirror


def _advance(order_ref: str) -> LedgerTransaction:
    booking = queries.find(order_ref)
    if booking is None or booking.kind != TransactionKind.ADVANCE_PAID:
        raise Refused(_("No payment with this reference is in the books."))
    return booking
