"""The pages of payments."""

from portal.payments.views import (
    bank,
    batches,
    casefile,
    closing,
    files,
    fund_accounts,
    late,
    lines,
    messages,
    orders,
    queue,
    reconciliation,
    statements,
    write_offs,
)
from portal.payments.views.blueprint import blueprint

__all__ = [
    "bank",
    "batches",
    "blueprint",
    "casefile",
    "closing",
    "files",
    "fund_accounts",
    "late",
    "lines",
    "messages",
    "orders",
    "queue",
    "reconciliation",
    "statements",
    "write_offs",
]
