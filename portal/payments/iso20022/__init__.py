"""Messages between the portal and its bank, by ISO 20022: one writer, four readers, all pure.

Written: payment files (pain.001.001.09). Read: their status (pain.002), notices (camt.054),
statements (camt.053) and returns (pacs.004), each in the versions listed in `kinds`. Nothing here
knows of the database; whatever cannot be taken raises `Unreadable` with one sentence.
"""

from portal.payments.iso20022.entries import Entry, Transaction
from portal.payments.iso20022.notification import Notification
from portal.payments.iso20022.pain001 import Party, Transfer, write_pain001
from portal.payments.iso20022.reading import Message, read, read_all, read_statements
from portal.payments.iso20022.returns import Return, ReturnMessage
from portal.payments.iso20022.statement import Statement
from portal.payments.iso20022.status_report import PaymentStatus, StatusReport
from portal.payments.iso20022.values import AccountId, Balance, Reason, Unreadable

__all__ = [
    "AccountId",
    "Balance",
    "Entry",
    "Message",
    "Notification",
    "Party",
    "PaymentStatus",
    "Reason",
    "Return",
    "ReturnMessage",
    "Statement",
    "StatusReport",
    "Transaction",
    "Transfer",
    "Unreadable",
    "read",
    "read_all",
    "read_statements",
    "write_pain001",
]
