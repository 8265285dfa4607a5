"""Entries: what moved on an account, as statements (camt.053) and notices (camt.054) tell it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.core.money import Money
from portal.payments.iso20022.values import Reason


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment within an entry. `amount` is never below zero and in the entry's currency.

    `instructed` is what the payer ordered, where the bank says so: another amount where somebody
    took charges, another currency where the bank exchanged, then at `rate`. `counterparty` is the
    other side: who paid, or who was paid. References that the bank does not give are empty;
    `NOTPROVIDED`, which banks write for none, counts as none.
    """

    end_to_end_id: str
    message_id: str
    instruction_id: str
    amount: Money
    is_credit: bool
    instructed: Money | None
    rate: Decimal | None
    counterparty: str
    counterparty_account: str
    remittance: str
    creditor_reference: str
    return_reason: Reason | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of an account. `amount` is above zero; `is_credit` says in which direction.

    `is_booked` is false for entries that are pending or for information only. `reference` is the
    bank's own (AcctSvcrRef), `entry_reference` the number within the statement (NtryRef),
    `bank_code` its kind such as `PMNT/ICDT/ESCT`, `batch_id` the order file that one entry for
    many payments answers to. `transactions` is empty where the bank gives no details, or several
    without saying how much each was.
    """

    amount: Money
    is_credit: bool
    is_booked: bool
    booked_on: date
    value_on: date | None
    reference: str
    entry_reference: str
    bank_code: str
    is_return: bool
    transactions: tuple[Transaction, ...]
    information: str
    batch_id: str = ""
