"""Whether a fund's own money lies with the card processor for a payment that leaves there.

One account there serves all funds: none pays with the gifts of another. The books know late what
left: a transfer is off card clearing once the grantee's bank has taken it, and a payout to our
bank once it arrived there. Until then it is subtracted here.
"""

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, exists, false, func, select
from sqlalchemy.orm import aliased

from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.contributions.models.cards import CardMovement, CardPayout, PayoutStatus
from portal.core.db import session
from portal.core.stripe.models import StripeCall
from portal.funds.models import Call
from portal.ledger import queries as books
from portal.ledger.models import AccountKind
from portal.ledger.rules import DOLLAR
from portal.payments.models import (
    TRANSFER,
    BankAccount,
    BankAccountStatus,
    OrderStatus,
    PaymentOrder,
)
from portal.payments.rails import BANK, STRIPE

Fund = str | ScalarSelect[str]
"""A fund's code, or the column that gives it."""


def is_covered(order: PaymentOrder) -> bool:
    """Say whether the money of an order lies there, and was not set aside for another one.

    It holds until the next booking only, unless the caller holds the books of the fund. One SQL
    statement.
    """
    return left_for(order) >= order.amount_usd


def left_for(order: PaymentOrder) -> int:
    """Return the US cents of the order's fund that lie there and are not set aside.

    Below 0 where more was set aside than came in. One SQL statement.
    """
    fund_code = order.instalment.award.application.call.fund_code
    return int(session.scalar(select(_left(fund_code))) or 0)


def has_nothing_to_leave_from() -> ColumnElement[bool]:
    """Return what an order lacks, as a column of a list of orders joined with their instalments.

    True for one that was released, and is not covered with the card processor, or whose fund has
    no bank account in its currency in use. Whether it left before is not asked.
    """
    fund = (
        select(Call.fund_code)
        .join(Application, Application.call_id == Call.id)
        .join(Award, Award.application_id == Application.id)
        .where(Award.id == Instalment.award_id)
        .correlate(Instalment)
        .scalar_subquery()
    )
    account = exists().where(
        BankAccount.fund_code == fund,
        BankAccount.currency == PaymentOrder.currency,
        BankAccount.status == BankAccountStatus.IN_USE,
    )
    released = PaymentOrder.status == OrderStatus.RELEASED
    return case(
        (and_(released, PaymentOrder.rail == STRIPE.name), _left(fund) < PaymentOrder.amount_usd),
        (and_(released, PaymentOrder.rail == BANK.name), ~account),
        else_=false(),
    )


def _left(fund_code: Fund) -> ColumnElement[int]:
    """Return the US cents of a fund that lie with the card processor and are not set aside."""
    held = books.holding_of(fund_code, AccountKind.CARD_CLEARING, DOLLAR)
    return held - _transferred(fund_code) - _paid_over(fund_code)


def _transferred(fund_code: Fund) -> ScalarSelect[int]:
    """Return the US cents of transfers that were kept or sent, and are not settled yet."""
    order, instalment = aliased(PaymentOrder), aliased(Instalment)
    return (
        select(func.coalesce(func.sum(order.amount_usd), 0))
        .join(instalment, instalment.id == order.instalment_id)
        .join(Award, Award.id == instalment.award_id)
        .join(Award.application)
        .join(Application.call)
        .where(
            order.rail == STRIPE.name,
            order.status == OrderStatus.RELEASED,
            Call.fund_code == fund_code,
            exists().where(StripeCall.key == TRANSFER + order.ref),
        )
        .scalar_subquery()
    )


def _paid_over(fund_code: Fund) -> ScalarSelect[int]:
    """Return the fund's US cents in payouts that are on their way to our bank."""
    return (
        select(func.coalesce(func.sum(CardMovement.amount - CardMovement.fee), 0))
        .join(CardMovement.payout)
        .where(
            CardPayout.status == PayoutStatus.PAID,
            CardPayout.currency == DOLLAR,
            CardMovement.fund_code == fund_code,
        )
        .scalar_subquery()
    )
