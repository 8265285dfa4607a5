"""Tables of payments: bank details, orders, what goes to the bank, and what is owed back."""

from portal.payments.models.bank import (
    BankAccount,
    BankAccountAction,
    BankAccountStatus,
    BankMessage,
    FileStatus,
    MessageKind,
    PaymentFile,
)
from portal.payments.models.details import (
    STANDING,
    UNVERIFIED,
    BankAction,
    BankDetails,
    BankStatus,
)
from portal.payments.models.late import LateOutcome, LateReturn, LateWay
from portal.payments.models.orders import (
    TRANSFER,
    ApprovalStep,
    OrderAction,
    OrderStatus,
    PaymentApproval,
    PaymentOrder,
)
from portal.payments.models.receivables import (
    OWED,
    Receivable,
    ReceivableStatus,
)

__all__ = [
    "OWED",
    "STANDING",
    "TRANSFER",
    "UNVERIFIED",
    "ApprovalStep",
    "BankAccount",
    "BankAccountAction",
    "BankAccountStatus",
    "BankAction",
    "BankDetails",
    "BankMessage",
    "BankStatus",
    "FileStatus",
    "LateOutcome",
    "LateReturn",
    "LateWay",
    "MessageKind",
    "OrderAction",
    "OrderStatus",
    "PaymentApproval",
    "PaymentFile",
    "PaymentOrder",
    "Receivable",
    "ReceivableStatus",
]
