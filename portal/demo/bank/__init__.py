"""The pretend bank of the demonstration: it answers payment files as a bank would.

It writes the messages that banks write (pain.002, pacs.004, camt.053) and hands them to the same
importers as everybody's. It holds no money, and is there in demo mode only.
"""

from portal.demo.bank.acts import (
    InHand,
    accept,
    correct,
    credit,
    in_hand,
    open_statement,
    reject,
    return_payments,
    settle,
)

__all__ = [
    "InHand",
    "accept",
    "correct",
    "credit",
    "in_hand",
    "open_statement",
    "reject",
    "return_payments",
    "settle",
]
