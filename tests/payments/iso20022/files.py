"""Payment files and bank messages as tests write them, in the versions that banks use."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from portal.core.money import Money
from portal.payments.iso20022 import AccountId, Party, Transfer, write_pain001

US = Party(
    name="Voluntary Funds",
    account=AccountId("NL41MOCK0000000001", is_iban=True),
    bic="MOCKNL2A",
    clearing_code="",
    bank_name="Mock Bank",
    country="NL",
    town="Amsterdam",
)
GRANTEE = Party(
    name="Lakeside Circle",
    account=AccountId("NL30MOCK0000000005", is_iban=True),
    bic="MOCKNL2A",
    clearing_code="",
    bank_name="Bank of the Lake",
    country="NL",
    town="Utrecht",
)
AT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
DAY = date(2026, 12, 1)


def transfer(number: int = 1, **changes: Any) -> Transfer:
    """Return a payment of EUR 4,800.00, numbered."""
    ref = f"7K3M-{number:04}"
    plain = Transfer(ref, ref, Money(480_000, "EUR"), GRANTEE, f"Grant {ref}")
    return replace(plain, **changes)


def file(*transfers: Transfer, message_id: str = "VFP-1", **changes: Any) -> bytes:
    """Return a payment file of one payment, or of those given."""
    said = {"created_at": AT, "execute_on": DAY, "debtor": US, **changes}
    return write_pain001(message_id=message_id, transfers=transfers or (transfer(),), **said)
