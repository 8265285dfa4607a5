"""The verbs of the books. Each posts balanced entries, appends an audit event, and only flushes.

Each is safe to call again with the same reference and the same content: it then returns what was
booked the first time. The same reference with other content raises PostingConflict.
"""

from portal.ledger.service.charges import (
    agent_reimbursed,
    card_paid_out,
    charge_given_back,
    charged,
)
from portal.ledger.service.commitments import commit_funds, release_commitment
from portal.ledger.service.contributions import (
    contribution_agreed,
    contribution_cancelled,
    contribution_disputed,
    contribution_received,
    contribution_refunded,
)
from portal.ledger.service.grants import (
    expenditure_accepted,
    refund_due,
    refund_received,
    refund_recovered,
    refund_written_off,
    support_costs_paid,
)
from portal.ledger.service.payments import advance_paid, payment_returned, payment_settled
from portal.ledger.service.posting import open_book, post, reverse, set_percent
from portal.ledger.service.revaluation import revalue, revalue_all
from portal.ledger.service.suspense import suspense_booked

__all__ = [
    "advance_paid",
    "agent_reimbursed",
    "card_paid_out",
    "charge_given_back",
    "charged",
    "commit_funds",
    "contribution_agreed",
    "contribution_cancelled",
    "contribution_disputed",
    "contribution_received",
    "contribution_refunded",
    "expenditure_accepted",
    "open_book",
    "payment_returned",
    "payment_settled",
    "post",
    "refund_due",
    "refund_received",
    "refund_recovered",
    "refund_written_off",
    "release_commitment",
    "revalue",
    "revalue_all",
    "reverse",
    "set_percent",
    "support_costs_paid",
    "suspense_booked",
]
