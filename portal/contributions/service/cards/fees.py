"""What the card processor takes for the account itself: no gift is behind it, a fund bears it."""

from collections.abc import Collection

from portal.contributions.models.cards import CardMovement, MovementKind
from portal.contributions.service.cards import booking
from portal.core import stripe
from portal.core.i18n import _
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.funds.queries import profile
from portal.ledger.service import open_book

FEES = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee"})
"""Types of lines that are fees of the account: for a month, for exchange, and the tax on them."""
OF_FEES = frozenset({"fee", "network_cost", "tax"})
"""What an adjustment reports itself as where it corrects such a fee."""


def is_fee(line: stripe.Json) -> bool:
    """Say whether a line of the processor's account is a fee of the account, or one given back."""
    adjusts = line["type"] == "adjustment" and line["reporting_category"] in OF_FEES
    return adjusts or line["type"] in FEES


def book_fee(line: stripe.Json, funds: Collection[str]) -> CardMovement:
    """Book a fee of the account as a charge of the fund that bears it.

    That is the fund that the settings name, else the one whose gifts the payout pays over. Raises
    Refused where neither is one.
    """
    code = stripe.fees_fund() or (next(iter(funds)) if len(funds) == 1 else "")
    if not code or profile(code) is None:
        raise Refused(
            _(
                "%(line)s (%(kind)s) is a fee of the account at the card processor, and no fund "
                "is named that bears it. Set PORTAL_STRIPE_FEES_FUND to the code of one.",
                line=line["id"],
                kind=line["type"],
            )
        )
    open_book(code)
    moved = booking.movement(None, MovementKind.ACCOUNT_FEE, line["id"], line, fund_code=code)
    kept = Money(moved.fee - moved.amount, moved.currency)
    booking.keep(moved, kept, moved.fee_usd - moved.amount_usd)
    return moved
