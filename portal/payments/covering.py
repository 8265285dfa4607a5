"""Whether a fund's own money lies with the card processor for a payment that leaves there.

One account there serves all funds: none pays with the gifts of another. The books know late what
left: a transfer is off card clearing once the grantee's bank has taken it, and a payout to our
bank once it arrived there. Until then it is subtracted here.
"""

from sqlalchemy import func, select

from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.contributions.models.cards import CardMovement, CardPayout, PayoutStatus
from portal.core.db import session
from portal.core.stripe.models import StripeCall
from portal.funds.models import Call
from portal.ledger import queries as books
from portal.ledger.models import AccountKind
from portal.ledger.rules import DOLLAR
from portal.payments.models import TRANSFER, OrderStatus, PaymentOrder
from portal.payments.rails import STRIPE


def is_covered(order: PaymentOrder) -> bool:
    """Say whether the money of an order lies there, and was not set aside for another one.

    It holds until the next booking only, unless the caller holds the books of the fund. Three SQL
    statements at most.
    """
    fund_code = order.instalment.award.application.call.fund_code
    held = books.holdings(fund_code).get((AccountKind.CARD_CLEARING, DOLLAR))
    if held is None:
        return False
    gone = _transferred(fund_code) + _paid_over(fund_code)
    return held.money.minor - gone >= order.amount_usd


def _transferred(fund_code: str) -> int:
    """Return the US cents of transfers that were kept or sent, and are not settled yet."""
    kept = select(StripeCall.id).where(StripeCall.key == TRANSFER + PaymentOrder.ref)
    rows = (
        select(func.sum(PaymentOrder.amount_usd))
        .join(PaymentOrder.instalment)
        .join(Instalment.award)
        .join(Award.application)
        .join(Application.call)
        .where(
            PaymentOrder.rail == STRIPE.name,
            PaymentOrder.status == OrderStatus.RELEASED,
            Call.fund_code == fund_code,
            kept.exists(),
        )
    )
    return int(session.scalar(rows) or 0)


def _paid_over(fund_code: str) -> int:
    """Return the fund's US cents in payouts that are on their way to our bank."""
    rows = (
        select(func.sum(CardMovement.amount - CardMovement.fee))
        .join(CardMovement.payout)
        .where(
            CardPayout.status == PayoutStatus.PAID,
            CardPayout.currency == DOLLAR,
            CardMovement.fund_code == fund_code,
        )
    )
    return int(session.scalar(rows) or 0)
