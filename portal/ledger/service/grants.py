"""What a grantee spent, owes and pays back, and the support costs that follow from it."""

from datetime import date
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money, usd
from portal.ledger import queries
from portal.ledger.models import AccountKind, LedgerTransaction, PercentKind, TransactionKind
from portal.ledger.rules import DOLLAR, Line, Rate, above_zero, credit, debit, share
from portal.ledger.service.clearing import refuse_above
from portal.ledger.service.posting import post
from portal.ledger.service.suspense import refuse_unsuspended

ADVANCES = AccountKind.ADVANCES_TO_GRANTEES
EXPENDITURE = AccountKind.GRANT_EXPENDITURE
OWED = AccountKind.REFUNDS_RECEIVABLE
SUPPORT = ":support-costs"


def expenditure_accepted(
    fund_code: str,
    award_ref: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
    local: Money | None = None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    """Book accepted spending of `amount` (US$): an advance becomes expenditure.

    Programme support costs are charged on it at the percentage that holds on the day `on`. It may
    exceed what was advanced, by what the next instalment then pays (R22); never what was advanced
    and is still set aside: raises Refused.
    """
    cents = above_zero(amount)

    def refuse_beyond_award() -> None:
        award = queries.award_position(fund_code, award_ref)
        refuse_above(
            award.advanced + award.committed,
            amount,
            _("Only %(most)s of this award can still be accepted as spent, less than %(amount)s."),
            "R22",
        )

    booking = post(
        TransactionKind.EXPENDITURE_ACCEPTED,
        ref,
        [
            debit(fund_code, EXPENDITURE, amount, local),
            credit(fund_code, ADVANCES, amount, local),
        ],
        on=on,
        by=by,
        subject_ref=award_ref,
        case_id=case_id,
        rate=rate,
        guard=refuse_beyond_award,
    )
    _charge_support_costs(booking, fund_code, cents, by, case_id)
    return booking


def _charge_support_costs(
    cause: LedgerTransaction, fund_code: str, cents: int, by: UUID | None, case_id: UUID | None
) -> None:
    """Charge the support costs on `cents` of expenditure, once.

    A repeated call finds the first charge, even where another percentage was recorded since.
    """
    ref = cause.source_ref + SUPPORT
    if queries.find(ref) is not None:
        return
    percent = queries.percent_on(fund_code, PercentKind.SUPPORT_COSTS, cause.booked_on)
    costs = share(cents, percent)
    if costs == 0:
        return
    post(
        TransactionKind.SUPPORT_COSTS_CHARGED,
        ref,
        [
            Line(fund_code, AccountKind.SUPPORT_COSTS, usd(costs), costs),
            Line(fund_code, AccountKind.SUPPORT_COSTS_PAYABLE, usd(-costs), -costs),
        ],
        on=cause.booked_on,
        by=by,
        subject_ref=cause.subject_ref,
        case_id=case_id,
    )


def support_costs_paid(
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
    """Book that charged support costs of `amount` (US$) were paid over, as `local`.

    Raises Refused above what was charged and not paid over yet, or for more out of suspense than
    lies there.
    """
    above_zero(amount)
    paid = credit(fund_code, out_of, amount, local)

    def refuse_beyond() -> None:
        held = queries.holdings(fund_code).get((AccountKind.SUPPORT_COSTS_PAYABLE, DOLLAR))
        refuse_above(
            usd(-held.usd if held else 0),
            amount,
            _("Only %(most)s of support costs has still to be paid over, less than %(amount)s."),
        )
        refuse_unsuspended(paid)

    return post(
        TransactionKind.SUPPORT_COSTS_PAID,
        ref,
        [debit(fund_code, AccountKind.SUPPORT_COSTS_PAYABLE, amount), paid],
        on=on,
        by=by,
        rate=rate,
        guard=refuse_beyond,
    )


def refund_due(
    fund_code: str,
    award_ref: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
) -> LedgerTransaction:
    """Book what a grantee has to give back (R25): `amount` (US$) becomes a receivable.

    It was paid and not accepted as spent, so it comes out of the advance. Raises Refused above
    what is there.
    """
    above_zero(amount)

    def refuse_beyond() -> None:
        refuse_above(
            usd(queries.subject_sums(fund_code, award_ref).get(ADVANCES, 0)),
            amount,
            _("Only %(most)s of this award can be asked back, less than %(amount)s."),
            "R25",
        )

    return post(
        TransactionKind.REFUND_DUE,
        ref,
        [debit(fund_code, OWED, amount), credit(fund_code, ADVANCES, amount)],
        on=on,
        by=by,
        subject_ref=award_ref,
        case_id=case_id,
        guard=refuse_beyond,
    )


def refund_received(
    fund_code: str,
    award_ref: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
    local: Money | None = None,
    rate: Rate | None = None,
    into: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book a refund of `amount` (US$) that arrived as `local`. Raises Refused above what is due.

    It is owed in US$, whatever it comes in. The money is available to award again.
    """
    return _settle_refund(
        TransactionKind.REFUND_RECEIVED,
        debit(fund_code, into, amount, local),
        credit(fund_code, OWED, amount),
        award_ref=award_ref,
        ref=ref,
        on=on,
        by=by,
        case_id=case_id,
        rate=rate,
    )


def refund_written_off(
    fund_code: str,
    award_ref: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID,
    case_id: UUID | None = None,
) -> LedgerTransaction:
    """Book that a refund of `amount` (US$) will not come (R25): it becomes expenditure.

    The caller has checked the authority of `by`. Raises Refused above what is due.
    """
    return _settle_refund(
        TransactionKind.REFUND_WRITTEN_OFF,
        debit(fund_code, EXPENDITURE, amount),
        credit(fund_code, OWED, amount),
        award_ref=award_ref,
        ref=ref,
        on=on,
        by=by,
        case_id=case_id,
    )


def refund_recovered(
    fund_code: str,
    award_ref: str,
    amount: Money,
    ref: str,
    on: date,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
    local: Money | None = None,
    rate: Rate | None = None,
    into: AccountKind = AccountKind.BANK,
) -> LedgerTransaction:
    """Book `amount` (US$) that came, as `local`, after it was written off or spent (R25).

    It makes the expenditure less, and is available to award again. The caller has checked that as
    much was written off, or that the grantee claims nothing of what came back. Raises Refused for
    more out of suspense than lies there.
    """
    above_zero(amount)
    came = debit(fund_code, into, amount, local)
    return post(
        TransactionKind.REFUND_RECOVERED,
        ref,
        [came, credit(fund_code, EXPENDITURE, amount)],
        on=on,
        by=by,
        subject_ref=award_ref,
        case_id=case_id,
        rate=rate,
        guard=lambda: refuse_unsuspended(came),
    )


def _settle_refund(
    kind: TransactionKind,
    taken: Line,
    owed: Line,
    *,
    award_ref: str,
    ref: str,
    on: date,
    by: UUID | None,
    case_id: UUID | None,
    rate: Rate | None = None,
) -> LedgerTransaction:
    amount = usd(above_zero(usd(taken.usd)))

    def refuse_beyond() -> None:
        refuse_above(
            usd(queries.subject_sums(owed.fund, award_ref).get(OWED, 0)),
            amount,
            _("Only %(most)s is due back for this award, less than %(amount)s."),
            "R25",
        )
        refuse_unsuspended(taken)

    return post(
        kind,
        ref,
        [taken, owed],
        on=on,
        by=by,
        subject_ref=award_ref,
        case_id=case_id,
        rate=rate,
        guard=refuse_beyond,
    )
