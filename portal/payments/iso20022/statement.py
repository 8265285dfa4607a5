"""Statements of account (camt.053), read as they stream in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from portal.core.i18n import _
from portal.payments.iso20022 import values
from portal.payments.iso20022.accounts import Accounts
from portal.payments.iso20022.entries import Entry, two_currencies
from portal.payments.iso20022.kinds import STATEMENT
from portal.payments.iso20022.part import Part
from portal.payments.iso20022.streaming import Beginning
from portal.payments.iso20022.values import AccountId, Balance, Unreadable

OPENING = ("OPBD", "PRCD")
"""The booked balance at the begin; or else the one at which the statement before closed."""

CLOSING = ("CLBD",)

_NUMBER = re.compile(r"[0-9]{1,18}")


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


def read_statements(beginning: Beginning) -> Iterator[Statement]:
    """Yield the statements of a message. Raises Unreadable for one that cannot be taken."""
    return Accounts(beginning, STATEMENT.body, "Stmt", _currency).read(_statement)


def _statement(message_id: str, part: Part, entries: Iterator[Entry]) -> Statement:
    account = part.account("Acct")
    if account is None:
        raise Unreadable(_("The statement does not say of which account it is."))
    currency = _currency(part)
    opening = _balance(part, OPENING, currency, _("The statement has no opening balance."))
    closing = _balance(part, CLOSING, currency, _("The statement has no closing balance."))
    return Statement(
        message_id=message_id,
        statement_id=part.need("Id"),
        sequence=_sequence(part.text("ElctrncSeqNb", "LglSeqNb")),
        account=account,
        currency=currency,
        opening=opening,
        closing=closing,
        from_on=_day_of(part, "FrToDt/FrDtTm", opening.on),
        to_on=_day_of(part, "FrToDt/ToDtTm", closing.on),
        _entries=entries,
    )


def _currency(part: Part) -> str:
    """Return the account's currency, or that of its balances."""
    written = part.text("Acct/Ccy")
    return written or part.needed("Bal/Amt").own_money().currency


def _balance(part: Part, codes: tuple[str, ...], currency: str, missing: str) -> Balance:
    """Return the one balance with the first of `codes` that stands there."""
    balances = [(each.text("Tp/CdOrPrtry/Cd"), each) for each in part.all("Bal")]
    for code in codes:
        found = [each for has, each in balances if has == code]
        if len(found) > 1:
            raise Unreadable(_("The statement has more than one balance %(code)s.", code=code))
        if found:
            return _read_balance(found[0], currency)
    raise Unreadable(missing)


def _read_balance(part: Part, currency: str) -> Balance:
    money = part.needed("Amt").own_money()
    if money.currency != currency:
        raise Unreadable(two_currencies(money.currency, currency))
    minor = money.minor if part.is_credit() else -money.minor
    return Balance(minor, values.day(part.need("Dt/Dt", "Dt/DtTm")))


def _sequence(text: str) -> int | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Unreadable(_("%(text)s is no number of a statement.", text=values.shown(text)))
    return int(text)


def _day_of(part: Part, path: str, otherwise: date) -> date:
    text = part.text(path)
    return values.day(text) if text else otherwise
