"""Entries: what moved on an account, as statements (camt.053) and notices (camt.054) tell it."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.core.i18n import _
from portal.core.money import Money
from portal.payments.iso20022 import values
from portal.payments.iso20022.part import Part
from portal.payments.iso20022.values import Reason, Unreadable

BOOKED = "BOOK"
COMES_BACK = frozenset({"RRTN", "RPCR"})
"""Sub-families of bank transaction codes for payments returned, or recalled by their payer."""

_NO_REFERENCE = frozenset({"NOTPROVIDED", "NONREF", "NOT PROVIDED"})
_RATE = re.compile(r"[0-9]{1,11}(\.[0-9]{1,10})?")


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


def read_entry(part: Part, number: int, currency: str | None) -> Entry | None:
    """Return an entry of an account in `currency`; None for one of nothing, which moves nothing.

    `number` counts the entries of the message, for whoever looks for one that cannot be taken:
    Unreadable is raised with it.
    """
    try:
        return _entry(part, currency)
    except Unreadable as problem:
        raise Unreadable(
            _("Entry %(number)s: %(problem)s", number=number, problem=problem.sentence)
        ) from problem


def _entry(part: Part, currency: str | None) -> Entry | None:
    amount = part.needed("Amt").own_money()
    if currency and amount.currency != currency:
        raise Unreadable(two_currencies(amount.currency, currency))
    is_credit = part.is_credit()
    if not amount.minor:
        return None
    transactions = _transactions(part, amount, is_credit=is_credit)
    code = _bank_code(part)
    return Entry(
        amount=amount,
        is_credit=is_credit,
        is_booked=part.need("Sts/Cd", "Sts/Prtry", "Sts") == BOOKED,
        booked_on=values.day(part.need("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")),
        value_on=_day_at(part, "ValDt/Dt", "ValDt/DtTm"),
        reference=_reference(part, "AcctSvcrRef", "NtryDtls/TxDtls/Refs/AcctSvcrRef"),
        entry_reference=_reference(part, "NtryRef"),
        bank_code=code,
        is_return=part.text("RvslInd") in {"true", "1"}
        or code.rpartition("/")[2] in COMES_BACK
        or any(each.return_reason is not None for each in transactions),
        transactions=transactions,
        information=part.text("AddtlNtryInf", "NtryDtls/TxDtls/AddtlTxInf"),
        batch_id=_reference(part, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"),
    )


def two_currencies(one: str, other: str) -> str:
    """Return the sentence that refuses two currencies on one account."""
    return _(
        "The account is in %(currency)s, yet an amount is in %(other)s.",
        currency=other,
        other=one,
    )


def _bank_code(part: Part) -> str:
    domain = part.text("BkTxCd/Domn/Cd")
    family = part.text("BkTxCd/Domn/Fmly/Cd")
    member = part.text("BkTxCd/Domn/Fmly/SubFmlyCd")
    return "/".join(filter(None, (domain, family, member))) or part.text("BkTxCd/Prtry/Cd")


def _day_at(part: Part, *paths: str) -> date | None:
    text = part.text(*paths)
    return values.day(text) if text else None


def _reference(part: Part, *paths: str) -> str:
    """Return the first reference at `paths` that is one."""
    texts = (part.text(path) for path in paths)
    return next((text for text in texts if text and text.upper() not in _NO_REFERENCE), "")


def _transactions(part: Part, whole: Money, *, is_credit: bool) -> tuple[Transaction, ...]:
    details = part.all("NtryDtls/TxDtls")
    amounts = [_amount(each, whole.currency) for each in details]
    if len(details) == 1:
        amounts = [amounts[0] or whole]
    read = [
        _transaction(each, amount, is_credit=is_credit)
        for each, amount in zip(details, amounts, strict=True)
        if amount is not None
    ]
    return tuple(read) if len(read) == len(details) else ()


def _amount(part: Part, currency: str) -> Money | None:
    """Return how much of the entry a transaction is, where it says so in the entry's currency."""
    paths = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt", "AmtDtls/InstdAmt/Amt")
    found = (part.money(path) for path in paths)
    return next((money for money in found if money and money.currency == currency), None)


def _transaction(part: Part, amount: Money, *, is_credit: bool) -> Transaction:
    if part.first("CdtDbtInd") is not None:
        is_credit = part.is_credit()
    returned = part.first("RtrInf")
    name, account = _counterparty(part, payer=is_credit and returned is None)
    return Transaction(
        end_to_end_id=_reference(part, "Refs/EndToEndId"),
        message_id=_reference(part, "Refs/MsgId", "Refs/PmtInfId"),
        instruction_id=_reference(part, "Refs/InstrId"),
        amount=amount,
        is_credit=is_credit,
        instructed=part.money("AmtDtls/InstdAmt/Amt"),
        rate=_rate(part),
        counterparty=name,
        counterparty_account=account,
        remittance=_remittance(part),
        creditor_reference=part.text("RmtInf/Strd/CdtrRefInf/Ref"),
        return_reason=returned.reason() if returned is not None else None,
    )


def _counterparty(part: Part, *, payer: bool) -> tuple[str, str]:
    """Return name and account of the other side. Up to version 7 a party has no choice in it."""
    sides = ("Dbtr", "Cdtr") if payer else ("Cdtr", "Dbtr")
    for side in sides:
        at = f"RltdPties/{side}"
        name = part.text(f"{at}/Pty/Nm", f"{at}/Nm", f"{at}/Agt/FinInstnId/Nm")
        account = part.account(f"{at}Acct")
        if name or account:
            return name, account.value if account else ""
    return "", ""


def _rate(part: Part) -> Decimal | None:
    places = ("InstdAmt", "TxAmt", "CntrValAmt")
    text = part.text(*(f"AmtDtls/{place}/CcyXchg/XchgRate" for place in places))
    return Decimal(text) if _RATE.fullmatch(text) else None


def _remittance(part: Part) -> str:
    """Return what the payer wrote: free text as the bank wraps it, then structured documents."""
    paths = ("RmtInf/Ustrd", "RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/AddtlRmtInf")
    return " ".join(text for path in paths for text in part.texts(path))
