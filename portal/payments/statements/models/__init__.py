"""Tables of bank statements, their lines, and what each line was booked as.

What the bank said never changes: triggers hold it, and that each statement goes on where the one
before it ended. Amounts are signed minor units of the account's currency: a credit is positive.
"""

from portal.payments.statements.models.files import Statement, StatementFile, StatementFilePart
from portal.payments.statements.models.lines import (
    Allocation,
    LineStatus,
    Purpose,
    StatementLine,
)
from portal.payments.statements.models.proposals import ReturnProposal

__all__ = [
    "Allocation",
    "LineStatus",
    "Purpose",
    "ReturnProposal",
    "Statement",
    "StatementFile",
    "StatementFilePart",
    "StatementLine",
]
