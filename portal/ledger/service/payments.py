"""Money out: an advance leaves, the bank settles it, or it comes back."""

from datetime import date
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger import queries
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import DOLLAR, Line, PostingConflict, Rate, above_zero, credit, debit
from portal.ledger.service.clearing import evened, taken_off
from portal.ledger.service.commitments import move, refuse_uncommitted
from portal.ledger.service.posting import booked_before, hold, post, reverse
from portal.ledger.service.suspense import refuse_unsuspended

IN_TRANSIT = AccountKind.PAYMENTS_IN_TRANSIT
SETTLED = ":settled"
USED = ":used"
RETURNED = ":returned"
CREDITED = ":credited"


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
    paying agents where one has paid, who is owed the US$ of it (`agent_reimbursed`). Raises
    Refused (R21) when more is paid than is set aside for the award.
    """
    cents = above_zero(amount)
    from_agent = through is AccountKind.PAYING_AGENTS
    booking = post(
        TransactionKind.ADVANCE_PAID,
        order_ref,
        [
            debit(fund_code, AccountKind.ADVANCES_TO_GRANTEES, amount, local),
            credit(fund_code, through, amount, None if from_agent else local),
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
    local: Money | None = None,
    rate: Rate | None = None,
    from_: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book that the bank debited `debited` (US$), as `local`, for a payment in transit.

    What is in transit goes at what it carries; the difference is a gain or loss on exchange.
    `from_` is suspense where the debit was booked there before it was matched. Raises Refused
    when no such payment is in transit, or suspense has no such debit.
    """
    above_zero(debited)
    advance = _advance(order_ref)
    leg = _in_transit(advance)
    if leg is None:
        raise Refused(_("This payment is not in transit: it was booked as paid by the bank."))
    kind, ref = TransactionKind.PAYMENT_SETTLED, order_ref + SETTLED
    paid = credit(leg.fund, from_, debited, local)
    before = booked_before(kind, ref, paid, on=on, subject_ref=advance.subject_ref)
    if before is not None:
        return before
    if queries.reversal_of(advance) is not None:
        raise Refused(_("This payment has come back; it cannot be settled."))
    refuse_unsuspended(paid)
    return post(
        kind,
        ref,
        evened([taken_off(leg.fund, IN_TRANSIT, leg.money, leg.usd), paid]),
        on=on,
        by=by,
        subject_ref=advance.subject_ref,
        case_id=case_id,
        rate=rate,
    )


def payment_returned(
    order_ref: str,
    on: date,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
    credited: Money | None = None,
    local: Money | None = None,
    rate: Rate | None = None,
    into: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book that a payment was rejected or came back: reversed, and set aside again.

    `credited` (US$, as `local`) is what the bank gave back of a payment that it had debited. What
    it kept is a charge; what is left of the difference in US$ is a gain or loss on exchange.
    Without it, the debit is taken as undone to the cent. Returns the reversal of the advance; again
    it returns the same. Raises Refused when no such payment was booked, or money came back that
    was never debited.
    """
    booking = _advance(order_ref)
    paid = next(line for line in queries.lines_of(booking) if line.usd > 0)
    hold([paid.fund])
    settled = queries.find(order_ref + SETTLED)
    if credited is not None and (settled is None or queries.reversal_of(settled) is not None):
        raise Refused(_("The bank has not debited this payment: nothing of it can come back."))
    if credited is None and settled is not None and queries.find(order_ref + CREDITED) is None:
        reverse(settled, on=on, by=by, case_id=case_id)
    mirror = reverse(booking, on=on, by=by, case_id=case_id)
    award_ref = booking.subject_ref or ""
    move(order_ref + RETURNED, paid.fund, award_ref, paid.usd, by=by, case_id=case_id)
    if credited is not None:
        came = debit(paid.fund, into, credited, local)
        _credited(booking, came, on=on, by=by, case_id=case_id, rate=rate)
    return mirror


def _credited(
    advance: LedgerTransaction,
    came: Line,
    *,
    on: date,
    by: UUID | None,
    case_id: UUID | None,
    rate: Rate | None,
) -> None:
    """Book what the bank gave back: the reversed advance is in transit to us until then."""
    kind, ref = TransactionKind.PAYMENT_RETURNED, advance.source_ref + CREDITED
    leg = _in_transit(advance)
    if leg is None or booked_before(kind, ref, came, on=on, subject_ref=advance.subject_ref):
        return
    refuse_unsuspended(came)
    way = Line(leg.fund, IN_TRANSIT, leg.money, leg.usd)
    post(
        kind,
        ref,
        evened([came, *_kept(came, way, rate), way]),
        on=on,
        by=by,
        subject_ref=advance.subject_ref,
        case_id=case_id,
        rate=rate,
    )


def _kept(came: Line, way: Line, rate: Rate | None) -> list[Line]:
    """Return the charge that the bank kept of what it gave back, if any.

    Raises PostingConflict in another currency than US$ without its rate.
    """
    if came.money.currency != way.money.currency:
        return []
    kept = -way.money - came.money
    if kept.minor <= 0:
        return []
    if rate is None and kept.currency != DOLLAR:
        raise PostingConflict(f"{kept} is booked in US$, and no rate was given")
    return [
        Line(
            came.fund,
            AccountKind.BANK_CHARGES,
            kept,
            kept.minor if rate is None else rate.in_usd(kept).minor,
        )
    ]


def _in_transit(advance: LedgerTransaction) -> Line | None:
    """Return the line of a payment that the bank has still to settle, if it went that way."""
    return next((line for line in queries.lines_of(advance) if line.account == IN_TRANSIT), None)


def _advance(order_ref: str) -> LedgerTransaction:
    booking = queries.find(order_ref)
    if booking is None or booking.kind != TransactionKind.ADVANCE_PAID:
        raise Refused(_("No payment with this reference is in the books."))
    return booking
