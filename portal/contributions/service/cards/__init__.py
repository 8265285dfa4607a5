"""Giving by card: from what somebody typed to what arrived at the bank.

What the card processor tells is a hint only. Each verb looks at the gift, the refund or the payout
there, and brings ours up to date with it; in whatever order and however often it is called.
"""

from portal.contributions.service.cards.asking import (
    ask_refund,
    close_refund,
    confirm_refund,
    confirmable,
    refundable,
)
from portal.contributions.service.cards.giving import Giving, begin_gift, offered, open_checkout
from portal.contributions.service.cards.looking import look_at, look_at_stale
from portal.contributions.service.cards.payouts import (
    look_at_payout,
    payout_arrived,
    payout_taken_back,
)
from portal.contributions.service.cards.refunding import send_next_refund
from portal.contributions.service.cards.telling import register

__all__ = [
    "Giving",
    "ask_refund",
    "begin_gift",
    "close_refund",
    "confirm_refund",
    "confirmable",
    "look_at",
    "look_at_payout",
    "look_at_stale",
    "offered",
    "open_checkout",
    "payout_arrived",
    "payout_taken_back",
    "refundable",
    "register",
    "send_next_refund",
]
