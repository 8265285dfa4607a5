"""Statements of account (camt.053), read as they stream in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from portal.payments.iso20022.entries import Entry
from portal.payments.iso20022.values import AccountId, Balance


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: what the account held before and after, and what moved between.

    `sequence` is the bank's running number of statements of this account, where it gives one.
    """

    message_id: str
    statement_id: str
    sequence: int | None
    account: AccountId
    currency: str
    opening: Balance
    closing: Balance
    from_on: date
    to_on: date
    _entries: Iterator[Entry] = field(repr=False, compare=False)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries as they are read from the stream: once, and before what follows.

        Memory does not grow with their number. Raises Unreadable where one cannot be taken, so
        nothing counts until the last one was read.
        """
        return self._entries
