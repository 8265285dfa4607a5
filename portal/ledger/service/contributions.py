"""Money in: what a donor agreed to give, what arrived, and what went back."""

from datetime import date
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger import queries
from portal.ledger.models import AccountKind, LedgerTransaction, TransactionKind
from portal.ledger.rules import Line, Rate, above_zero, credit, debit
from portal.ledger.service.clearing import evened, refuse_above, taken_off
from portal.ledger.service.posting import booked_before, post
from portal.ledger.service.suspense import refuse_unsuspended

OWED = AccountKind.CONTRIBUTIONS_RECEIVABLE
REVENUE = AccountKind.CONTRIBUTION_REVENUE


def contribution_agreed(
    fund_code: str,
    amount: Money,
    pledge_ref: str,
    on: date,
    *,
    by: UUID | None,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book a signed contribution agreement of `amount` (US$): receivable against revenue.

    It is not available to award until it is received. `local` is the amount in the donor's
    currency at `rate`.
    """
    above_zero(amount)
    return post(
        TransactionKind.CONTRIBUTION_AGREED,
        pledge_ref,
        [
            debit(fund_code, OWED, amount, local),
            credit(fund_code, REVENUE, amount, local),
        ],
        on=on,
        by=by,
        subject_ref=pledge_ref,
        rate=rate,
    )


def contribution_received(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    local: Money | None = None,
    rate: Rate | None = None,
    pledge_ref: str | None = None,
    subject_ref: str | None = None,
    settles: Money | None = None,
    into: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book `amount` (US$) that arrived on the day `on`, in the bank or at the card processor.

    With `pledge_ref` it settles what was agreed under that reference: `settles` in the agreed
    currency, or as much as arrived. The receivable goes at what it carries; the difference is a
    gain or loss on exchange. Without, it is new revenue, and `subject_ref` names it. Raises
    Refused when more arrived than is still owed under the agreement, or lies in suspense.
    """
    cents = above_zero(amount)
    kind, subject = TransactionKind.CONTRIBUTION_RECEIVED, pledge_ref or subject_ref
    taken = debit(fund_code, into, amount, local)
    before = booked_before(kind, ref, taken, on=on, subject_ref=subject)
    if before is not None:
        return before
    refuse_unsuspended(taken)
    lines = [taken, credit(fund_code, REVENUE, amount, local)]
    if pledge_ref is not None:
        part = settles or local or amount
        lines = evened([taken, _settled(fund_code, pledge_ref, part, cents)])
    return post(kind, ref, lines, on=on, by=by, subject_ref=subject, rate=rate)


def _settled(fund_code: str, pledge_ref: str, part: Money, otherwise: int) -> Line:
    """Return the line that takes `part` off what is owed. Raises Refused above what is owed."""
    owed = queries.owed_under(fund_code, pledge_ref, part.currency)
    if part > owed.money:
        raise Refused(
            _(
                "More arrived than is still owed under this agreement. Book the part above it as "
                "a contribution of its own."
            )
        )
    return taken_off(fund_code, OWED, part, otherwise)


def contribution_cancelled(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    pledge_ref: str,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book that `amount` (US$, `local` in the agreed currency) of an agreement will not come.

    Receivable and revenue fall by what the receivable carries, which revaluation may have changed
    since it was agreed. Raises Refused above what is still owed.
    """
    cents = above_zero(amount)
    kind, part = TransactionKind.CONTRIBUTION_CANCELLED, local or amount
    lost = debit(fund_code, REVENUE, amount, local)
    before = booked_before(kind, ref, lost, on=on, subject_ref=pledge_ref, at_any_worth=True)
    if before is not None:
        return before
    refuse_above(
        queries.owed_under(fund_code, pledge_ref, part.currency).money,
        part,
        _("Only %(most)s is still owed under this agreement, less than %(amount)s."),
    )
    owed = taken_off(fund_code, OWED, part, cents)
    lines = [Line(fund_code, REVENUE, part, -owed.usd), owed]
    return post(kind, ref, lines, on=on, by=by, subject_ref=pledge_ref, rate=rate)


def contribution_refunded(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    subject_ref: str | None = None,
    out_of: AccountKind = AccountKind.CARD_CLEARING,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book `amount` (US$) given back to a donor, as `local`; revenue falls by it.

    `subject_ref` names the contribution or the agreement under which it arrived. Raises Refused
    above what arrived and was not given back.
    """
    return _given_back(
        TransactionKind.CONTRIBUTION_REFUNDED,
        ref,
        debit(fund_code, REVENUE, amount, local),
        credit(fund_code, out_of, amount, local),
        on=on,
        by=by,
        subject_ref=subject_ref,
        rate=rate,
    )


def contribution_disputed(
    fund_code: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    subject_ref: str | None = None,
    out_of: AccountKind = AccountKind.CARD_CLEARING,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book `amount` (US$) that the card processor took back while its holder disputes it.

    A dispute that is won is `reverse` of this. Raises Refused above what arrived and was not
    given back.
    """
    return _given_back(
        TransactionKind.CONTRIBUTION_DISPUTED,
        ref,
        debit(fund_code, REVENUE, amount, local),
        credit(fund_code, out_of, amount, local),
        on=on,
        by=by,
        subject_ref=subject_ref,
        rate=rate,
    )


def _given_back(
    kind: TransactionKind,
    ref: str,
    lost: Line,
    paid: Line,
    *,
    on: date,
    by: UUID | None,
    subject_ref: str | None,
    rate: Rate | None,
) -> LedgerTransaction:
    def refuse_beyond() -> None:
        refuse_above(
            queries.arrived(lost.fund, lost.money.currency, subject_ref),
            lost.money,
            _("Only %(most)s of this contribution is here to give back, less than %(amount)s."),
        )
        refuse_unsuspended(paid)

    return post(
        kind,
        ref,
        [lost, paid],
        on=on,
        by=by,
        subject_ref=subject_ref,
        rate=rate,
        guard=refuse_beyond,
    )
