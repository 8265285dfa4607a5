"""Notices of debits (camt.054) as a bank writes them of our payments."""

from portal.core import clock
from portal.core.money import Money
from portal.payments.models import BankAccount, PaymentOrder
from tests.payments.iso20022 import messages


def debit(
    order: PaymentOrder, reference: str = "B-1", amount: Money | None = None, refs: str = ""
) -> str:
    """Return the entry of a debit of a payment, today, under the bank's own reference."""
    money, today = amount or order.money, clock.today()
    told = f"<TxDtls><Refs>{refs}<EndToEndId>{order.ref}</EndToEndId></Refs></TxDtls>"
    made = messages.entry(
        f"{money.amount:f}",
        side="DBIT",
        currency=money.currency,
        dates=f"<BookgDt><Dt>{today}</Dt></BookgDt>",
        details=told,
    )
    said = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    return made.replace("<AcctSvcrRef>B-1</AcctSvcrRef>", said)


def notice(account: BankAccount, *entries: str, message_id: str = "M-1") -> bytes:
    """Return a notice about one of our accounts."""
    number = account.account
    named = f"<IBAN>{number}</IBAN>" if number[:2].isalpha() else f"<Othr><Id>{number}</Id></Othr>"
    of = f"<Acct><Id>{named}</Id><Ccy>{account.currency}</Ccy></Acct>"
    return messages.notice(entries, account=of).replace(b"M-1", message_id.encode())
