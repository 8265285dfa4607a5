"""What a line may be that names a payment, an award or an agreement of ours.

A debit that names a payment is that payment or goes back: entered as anything else it would hide
that the payment was made, and the instalment could be paid again. Beside the payment, a bank takes
its charge: up to what it may keep of one payment (`MOST_KEPT_USD`).
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import case, or_, select
from sqlalchemy.orm import joinedload

from portal.awards.models import Award
from portal.contributions.models import ContributionAgreement
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, usd
from portal.core.workflow import Refused
from portal.payments.models import OrderStatus, PaymentFile, PaymentOrder
from portal.payments.service.booking import MOST_KEPT_USD
from portal.payments.statements.models import Allocation, Purpose, StatementLine
from portal.payments.statements.service.parts import Target

GOES_BACK = frozenset({Purpose.SEND_BACK, Purpose.SENT_BACK})
"""What every line can be."""


def refuse_other_than_named(line: StatementLine, target: Target, dollars: Money) -> None:
    """Raise Refused where a line names something of ours, and `target` is something else.

    `dollars` is the US$ of the part, above zero. At most three SQL statements.
    """
    if target.purpose in GOES_BACK:
        return
    if target.purpose in {Purpose.PAYMENT, Purpose.RETURN}:
        _refuse_another_payment(line, target)
    elif not line.is_credit:
        _refuse_hidden_payment(line, target.purpose, dollars)
    elif target.purpose is Purpose.BANK_CHARGE:
        _refuse_hidden_credit(line, dollars)


def payments_named(line: StatementLine) -> Sequence[PaymentOrder]:
    """Return the payments that a line names. One SQL statement.

    Its EndToEndId tells; without one of ours, what somebody wrote; without that, the file of which
    it is the debit: then they are all payments of the file.
    """
    how = case(
        (PaymentOrder.ref == line.end_to_end_id, 1),
        (PaymentOrder.ref.in_(line.named), 2),
        else_=3,
    )
    rows = (
        select(PaymentOrder, how)
        .outerjoin(PaymentOrder.file)
        .where(
            or_(
                PaymentOrder.ref.in_([line.end_to_end_id, *line.named]),
                PaymentFile.message_id == line.batch_id,
            )
        )
        .options(joinedload(PaymentOrder.instalment))
        .order_by(how, PaymentOrder.ref)
    )
    found = session.execute(rows).unique().all()
    return [order for order, by in found if by == found[0][1]]


def is_named(line: StatementLine, order: PaymentOrder) -> bool:
    """Say whether a line itself names a payment. No SQL statement."""
    return order.ref == line.end_to_end_id or order.ref in line.named


def _refuse_another_payment(line: StatementLine, target: Target) -> None:
    named = payments_named(line)
    if not named or target.order is None or target.order.id in {each.id for each in named}:
        return
    raise Refused(
        _(
            "This line names payment %(ref)s, and not %(other)s: enter it as the payment that it "
            "names. If the bank took the one for the other, ask it to correct that, and let this "
            "line go back.",
            ref=named[0].ref,
            other=target.order.ref,
        ),
        rule="R22",
    )


def _refuse_hidden_payment(line: StatementLine, purpose: Purpose, dollars: Money) -> None:
    """Raise Refused for a debit that names payments and is to be more than a charge beside them."""
    named = payments_named(line)
    if not named:
        return
    charges = usd(dollars.minor + _charges(line))
    if purpose is Purpose.BANK_CHARGE and charges <= _most_charge(named):
        return
    raise Refused(
        _(
            "This debit names payment %(ref)s: first say that it is this payment, for as much "
            "as it is, or that it is claimed back. Beside its payment, a charge of the bank is "
            "at most %(most)s.",
            ref=named[0].ref,
            most=format_money(usd(MOST_KEPT_USD), str(locale())),
        ),
        rule="R22",
    )


def _charges(line: StatementLine) -> int:
    """Return what of a line stands as a charge already, in US cents above zero."""
    return sum(abs(one.amount_usd) for one in line.live if one.purpose is Purpose.BANK_CHARGE)


def _most_charge(named: Sequence[PaymentOrder]) -> Money:
    """Return how much of a debit can be a charge, in US$, beside the payments that it names.

    As much for each payment once a line told of all. Before that only what is less than any of
    those that are still open: a small payment is no charge.
    """
    open_ = list(_untold(named))
    if not open_:
        return usd(MOST_KEPT_USD * len(named))
    least = min(order.amount_usd for order in open_)
    return usd(min(MOST_KEPT_USD, least - 1))


def _untold(orders: Sequence[PaymentOrder]) -> Iterator[PaymentOrder]:
    """Yield the payments of which no line told that they are paid. One SQL statement."""
    rows = select(Allocation.order_id).where(
        Allocation.order_id.in_([each.id for each in orders]),
        Allocation.purpose == Purpose.PAYMENT,
        Allocation.undone_at.is_(None),
    )
    told = set(session.scalars(rows))
    for order in orders:
        if order.status is not OrderStatus.CONFIRMED or order.id not in told:
            yield order


def _refuse_hidden_credit(line: StatementLine, dollars: Money) -> None:
    """Raise Refused for a credit that names something of ours and is to be much as a charge."""
    if dollars.minor + _charges(line) <= MOST_KEPT_USD:
        return
    named = payments_named(line)
    ref = named[0].ref if named else _award_or_agreement(line)
    if ref is None:
        return
    raise Refused(
        _(
            "This credit names %(ref)s: what a bank gives back of its charges, or pays as "
            "interest, is at most %(most)s of such a line. Say that it is the payment that came "
            "back, the refund of the grantee, or the contribution.",
            ref=ref,
            most=format_money(usd(MOST_KEPT_USD), str(locale())),
        ),
        rule="R22",
    )


def _award_or_agreement(line: StatementLine) -> str | None:
    """Return the reference of an award or agreement that a line names. One SQL statement."""
    awards = select(Award.ref).where(Award.ref.in_(line.named))
    agreements = select(ContributionAgreement.ref).where(ContributionAgreement.ref.in_(line.named))
    return session.scalar(awards.union(agreements).limit(1))
