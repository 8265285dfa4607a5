"""What stands between us and the bank: charges, the card processor, and paying agents."""

from datetime import date
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money, usd
from portal.ledger import queries
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import DOLLAR, Rate, above_zero, credit, debit
from portal.ledger.service.clearing import evened, refuse_above, taken_off
from portal.ledger.service.posting import booked_before, post
from portal.ledger.service.suspense import refuse_unsuspended

CLEARING = AccountKind.CARD_CLEARING


def charged(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    out_of: AccountKind = AccountKind.BANK,
    local: Money | None = None,
    rate: Rate | None = None,
    subject_ref: str | None = None,
) -> LedgerTransaction:
    """Book a charge of `amount` (US$) that the bank or the card processor kept.

    It lessens what is available. Raises Refused for more out of suspense than lies there.
    """
    above_zero(amount)
    taken = credit(fund_code, out_of, amount, local)
    return post(
        TransactionKind.CHARGED,
        ref,
        [debit(fund_code, AccountKind.BANK_CHARGES, amount, local), taken],
        on=on,
        by=by,
        subject_ref=subject_ref,
        rate=rate,
        guard=lambda: refuse_unsuspended(taken),
    )


def charge_given_back(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    into: AccountKind = AccountKind.BANK,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book `amount` (US$) that the bank credited for itself: a charge taken back, or interest.

    It lessens the fund's charges, which are net of it. Raises Refused for more out of suspense
    than lies there.
    """
    above_zero(amount)
    given = debit(fund_code, into, amount, local)
    return post(
        TransactionKind.CHARGED,
        ref,
        [given, credit(fund_code, AccountKind.BANK_CHARGES, amount, local)],
        on=on,
        by=by,
        rate=rate,
        guard=lambda: refuse_unsuspended(given),
    )


def card_paid_out(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    into: AccountKind = AccountKind.BANK,
    local: Money | None = None,
    rate: Rate | None = None,
    clears: Money | None = None,
) -> LedgerTransaction:
    """Book `amount` (US$) that the card processor paid over to the bank as `local`.

    `clears` is what leaves the clearing account, where it is not `local`; it leaves at what it
    carries there, the difference is a gain or loss on exchange. Raises Refused when the card
    processor does not hold as much.
    """
    cents = above_zero(amount)
    arrived = debit(fund_code, into, amount, local)
    kind = TransactionKind.CARD_PAYOUT
    before = booked_before(kind, ref, arrived, on=on, subject_ref=None)
    if before is not None:
        return before
    part = clears or local or amount
    held = queries.holdings(fund_code).get((CLEARING, part.currency))
    refuse_above(
        held.money if held else Money(0, part.currency),
        part,
        _("Only %(most)s lies with the card processor by the books, less than %(amount)s."),
    )
    refuse_unsuspended(arrived)
    lines = evened([arrived, taken_off(fund_code, CLEARING, part, cents)])
    return post(kind, ref, lines, on=on, by=by, rate=rate)


def agent_reimbursed(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    out_of: AccountKind = AccountKind.BANK,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book `amount` (US$) that a paying agent got back for what it paid to grantees (R24).

    Raises Refused above what is due to agents, or for more out of suspense than lies there.
    """
    above_zero(amount)
    paid = credit(fund_code, out_of, amount, local)

    def refuse_beyond() -> None:
        held = queries.holdings(fund_code).get((AccountKind.PAYING_AGENTS, DOLLAR))
        refuse_above(
            usd(-held.usd if held else 0),
            amount,
            _("Only %(most)s is due to paying agents by the books, less than %(amount)s."),
        )
        refuse_unsuspended(paid)

    return post(
        TransactionKind.AGENT_REIMBURSED,
        ref,
        [debit(fund_code, AccountKind.PAYING_AGENTS, amount), paid],
        on=on,
        by=by,
        rate=rate,
        guard=refuse_beyond,
    )
