"""The verbs of contributions. Each changes, books, and appends an audit event; all only flush."""

from portal.contributions.service.donors import (
    DonorFacts,
    edit_donor,
    giver,
    make_earmark,
    merge_donors,
    record_donor,
    retire_earmark,
)
from portal.contributions.service.promising import (
    Terms,
    add_paper,
    announce_pledge,
    cancel_agreement,
    confirm_agreement,
    discard_draft,
    draft_agreement,
    edit_draft,
    terms_digest,
    withdraw_pledge,
)
from portal.contributions.service.receipts import (
    issue_due_receipts,
    issue_next_receipt,
    opens,
    receipt_link,
    receipt_token,
)
from portal.contributions.service.receiving import receive_card, receive_wire, worth
from portal.contributions.service.returning import (
    annul_wire,
    dispute,
    dispute_lost,
    dispute_won,
    refund_card,
    refund_wire,
)

__all__ = [
    "DonorFacts",
    "Terms",
    "add_paper",
    "announce_pledge",
    "annul_wire",
    "cancel_agreement",
    "confirm_agreement",
    "discard_draft",
    "dispute",
    "dispute_lost",
    "dispute_won",
    "draft_agreement",
    "edit_donor",
    "edit_draft",
    "giver",
    "issue_due_receipts",
    "issue_next_receipt",
    "make_earmark",
    "merge_donors",
    "opens",
    "receipt_link",
    "receipt_token",
    "receive_card",
    "receive_wire",
    "record_donor",
    "refund_card",
    "refund_wire",
    "retire_earmark",
    "terms_digest",
    "withdraw_pledge",
    "worth",
]
