"""Status reports on payment files (pain.002): what the bank took, and what it refused."""

from dataclasses import dataclass

from portal.payments.iso20022.values import Reason


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What the bank says of one payment: `ACCP`, `ACSC`, `PDNG`, `RJCT` and their like."""

    end_to_end_id: str
    status: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The bank's answer to one file, `original_message_id`.

    `group_status` is that of the file: of its one batch where the report says that, else of the
    whole; None where the report is about single payments only. A file that was refused outright
    names no payments.
    """

    message_id: str
    original_message_id: str
    group_status: str | None
    reasons: tuple[Reason, ...]
    payments: tuple[PaymentStatus, ...]
