"""The verbs of statements: take in a file, book its lines, say what the rest is, take that back."""

from portal.payments.statements.service.allocating import allocate, undo_allocation
from portal.payments.statements.service.booking import SLICE, Booked, book_lines, waiting
from portal.payments.statements.service.importing import Imported, import_statement
from portal.payments.statements.service.keeping import (
    Particulars,
    original,
    particulars,
    record_lines_taken,
)
from portal.payments.statements.service.parts import Target
from portal.payments.statements.service.seconding import confirm_return, withdraw_return

__all__ = [
    "SLICE",
    "Booked",
    "Imported",
    "Particulars",
    "Target",
    "allocate",
    "book_lines",
    "confirm_return",
    "import_statement",
    "original",
    "particulars",
    "record_lines_taken",
    "undo_allocation",
    "waiting",
    "withdraw_return",
]
