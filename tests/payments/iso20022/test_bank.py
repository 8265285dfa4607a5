"""An independent bank takes our files, and we read all that it answers, whatever its mood.

A second reader of statements (`pycamt`) must find the same entries in them.
"""

from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pycamt.parser import Camt053Parser

from portal.core.money import Money
from portal.payments.iso20022 import (
    AccountId,
    Entry,
    Notification,
    Party,
    Reason,
    ReturnMessage,
    Statement,
    StatusReport,
    read,
    read_all,
)
from tests.payments.bank import OURS, Bank
from tests.payments.iso20022.files import GRANTEE, US, file, transfer

HELD = {
    "GLOBEX": "NL14MOCK0000000002",
    "INITECH": "NL84MOCK0000000003",
    "EURODIS": "NL57MOCK0000000004",
}


def creditor(identifier: str) -> Party:
    """Return a payee whose account the bank itself keeps."""
    return replace(GRANTEE, account=AccountId(HELD[identifier], is_iban=True))


def report(bank: Bank, at: int = -1) -> StatusReport:
    message = read(BytesIO(bank.messages("pain.002")[at].xml))
    assert isinstance(message, StatusReport)
    return message


def notices(bank: Bank) -> list[Notification]:
    found = [read(BytesIO(sent.xml)) for sent in bank.messages("camt.054")]
    assert all(isinstance(notice, Notification) for notice in found)
    return [notice for notice in found if isinstance(notice, Notification)]


def statements(bank: Bank) -> list[tuple[Statement, list[Entry]]]:
    """Return our account's statements with their entries, as both readers find them."""
    found = []
    for sent in bank.messages("camt.053"):
        statement = read(BytesIO(sent.xml))
        assert isinstance(statement, Statement)
        entries = list(statement.entries())
        assert [told(entry) for entry in entries] == others(sent.xml)
        if sent.account == OURS:
            found.append((statement, entries))
    return found


def told(entry: Entry) -> dict[str, Any]:
    """Return what the second reader says of an entry, as we read it."""
    payment = entry.transactions[0]
    return {
        "TransactionID": entry.reference,
        "Amount": f"{entry.amount.amount:f}",
        "Currency": entry.amount.currency,
        "CreditDebitIndicator": "CRDT" if entry.is_credit else "DBIT",
        "Status": "BOOK" if entry.is_booked else "",
        "BookingDate": entry.booked_on.isoformat(),
        "ValueDate": entry.value_on.isoformat() if entry.value_on else None,
        "code": entry.bank_code,
        "EndToEndId": payment.end_to_end_id,
        "counterparty": payment.counterparty,
        "account": payment.counterparty_account,
        "remittance": payment.remittance,
    }


def others(content: bytes) -> list[dict[str, Any]]:
    """Return what `pycamt` finds."""
    rows = Camt053Parser(content).get_transactions()
    same = ("TransactionID", "Amount", "Currency", "CreditDebitIndicator", "Status")
    kinds = ("BankTransactionCode", "TransactionFamilyCode", "TransactionSubFamilyCode")
    found = []
    for row in rows:
        side = "Debtor" if row.get("DebtorName") else "Creditor"
        reference = row.get("EndToEndId", "")
        found.append(
            {
                **{key: row[key] for key in (*same, "BookingDate", "ValueDate")},
                "code": "/".join(row[kind] for kind in kinds),
                "EndToEndId": "" if reference == "NOTPROVIDED" else reference,
                "counterparty": row.get(f"{side}Name", ""),
                "account": row.get(f"{side}IBAN", ""),
                "remittance": row.get("RemittanceInformationFull", ""),
            }
        )
    return found


def holds(statement: Statement, entries: list[Entry]) -> bool:
    moved = sum(e.amount.minor if e.is_credit else -e.amount.minor for e in entries)
    return statement.opening.amount + moved == statement.closing.amount


def test_the_bank_finds_nothing_wrong_with_our_file(bank: Bank) -> None:
    others_bank = replace(
        GRANTEE,
        account=AccountId("0123456789", is_iban=False),
        bic="",
        clearing_code="021000021",
        country="US",
        name="Société d'Études «Киев»",
        intermediary_bic="CITIUS33XXX",
    )
    content = file(transfer(1), transfer(2, creditor=others_bank))
    answer = bank.submit(content)
    assert answer["status"] == "ACCP", answer
    assert [row["status"] for row in bank.payments()] == ["accepted", "accepted"]


def test_an_accepted_payment_is_reported_noticed_and_stated(bank: Bank) -> None:
    bank.submit(file())
    bank.advance()

    said = report(bank)
    assert said.original_message_id == "VFP-1"
    assert said.group_status == "ACCP"
    assert [(one.end_to_end_id, one.status) for one in said.payments] == [("7K3M-0001", "ACCP")]
    (notice,) = notices(bank)
    (entry,) = notice.entries
    assert notice.account == AccountId("NL41MOCK0000000001", is_iban=True)
    assert (entry.amount, entry.is_credit) == (Money(480_000, "EUR"), False)
    assert entry.transactions[0].end_to_end_id == "7K3M-0001"
    assert entry.transactions[0].message_id == "VFP-1"
    assert entry.transactions[0].counterparty == "Lakeside Circle"
    ((statement, entries),) = statements(bank)
    assert entries == [entry]
    assert holds(statement, entries)
    assert (statement.sequence, statement.currency) == (1, "EUR")
    assert (statement.from_on, statement.to_on) == (date(2026, 12, 1), date(2026, 12, 1))
    assert statement.opening.amount == 12_500_000


@pytest.mark.parametrize(
    ("payee", "code"), [("INITECH", "AC04"), ("EURODIS", "RC01"), ("GLOBEX", None)]
)
def test_a_refused_payment_says_why(bank: Bank, payee: str, code: str | None) -> None:
    bank.submit(file(transfer(1), transfer(2, creditor=creditor(payee))))
    first, second = report(bank).payments
    assert first.status == "ACCP"
    assert [reason.code for reason in second.reasons] == ([code] if code else [])
    assert second.status == ("RJCT" if code else "ACCP")
    assert report(bank).group_status == ("PART" if code else "ACCP")


def test_a_payment_without_funds_says_so(bank: Bank) -> None:
    bank.patch(OURS, behaviour="insufficient-funds", balance=500_000)
    bank.submit(file(transfer(1), transfer(2)))
    first, second = report(bank).payments
    assert (first.status, second.status) == ("ACCP", "RJCT")
    assert second.reasons[0].code == "AM04"
    assert second.reasons[0].text


def test_a_refused_file_names_no_payment(bank: Bank) -> None:
    bank.patch(OURS, behaviour="reject-file")
    bank.submit(file())
    said = report(bank)
    assert (said.group_status, said.payments) == ("RJCT", ())
    assert said.reasons[0].code == "FF01"


def test_a_file_sent_twice_is_known_to_the_bank(bank: Bank) -> None:
    bank.submit(file())
    bank.submit(file())
    said = report(bank)
    assert (said.original_message_id, said.group_status) == ("VFP-1", "RJCT")
    assert said.reasons[0].code == "DUPL"
    assert len(bank.payments()) == 1


def test_a_silent_bank_pays_all_the_same(bank: Bank) -> None:
    bank.patch(OURS, behaviour="silent")
    bank.submit(file())
    bank.advance()
    assert bank.messages("pain.002") == []
    ((statement, entries),) = statements(bank)
    assert entries[0].transactions[0].end_to_end_id == "7K3M-0001"
    assert holds(statement, entries)


def test_a_payment_that_comes_back_is_told_three_times(bank: Bank) -> None:
    bank.patch(OURS, behaviour="return-later", parameters={"days": 2, "reason": "AC04"})
    bank.submit(file())
    bank.advance(5)

    message = read(BytesIO(bank.messages("pacs.004")[0].xml))
    assert isinstance(message, ReturnMessage)
    (back,) = message.returns
    assert (back.end_to_end_id, back.original_message_id) == ("7K3M-0001", "VFP-1")
    assert (back.amount, back.settled_on) == (Money(480_000, "EUR"), date(2026, 12, 3))
    assert back.reason == Reason("AC04", "")
    sides = [(notice.entries[0].is_credit, notice.entries[0].is_return) for notice in notices(bank)]
    assert sides == [(False, False), (True, True)]
    returned = [entry for _s, entries in statements(bank) for entry in entries if entry.is_return]
    assert [entry.bank_code for entry in returned] == ["PMNT/ICDT/RRTN"]
    payment = returned[0].transactions[0]
    assert (payment.end_to_end_id, payment.return_reason) == ("7K3M-0001", Reason("AC04", ""))
    assert payment.counterparty == "Lakeside Circle"
    assert all(holds(statement, entries) for statement, entries in statements(bank))


def test_a_statement_with_a_gap_does_not_add_up(bank: Bank) -> None:
    bank.patch(OURS, behaviour="statement-gap")
    bank.submit(file(transfer(1), transfer(2)))
    bank.advance()
    ((statement, entries),) = statements(bank)
    assert len(entries) == 1
    assert not holds(statement, entries)


def test_money_that_arrives_says_from_whom_and_what_for(bank: Bank) -> None:
    bank.patch(OURS, currency="USD")
    bank.credit(
        OURS,
        118_000_000,
        "Ministry of Foreign Affairs",
        "Contribution 2026 ref 7K3M-Q9PX",
        reference="RF18539007547034",
        debtor={"name": "Ministry of Foreign Affairs", "iban": "NL14MOCK0000000002"},
    )
    bank.advance()
    ((statement, entries),) = statements(bank)
    (entry,) = entries
    assert holds(statement, entries)
    assert (entry.amount, entry.is_credit) == (Money(118_000_000, "USD"), True)
    assert entry.bank_code == "PMNT/RCDT/ESCT"
    (payment,) = entry.transactions
    assert payment.counterparty == "Ministry of Foreign Affairs"
    assert payment.counterparty_account == "NL14MOCK0000000002"
    assert payment.remittance == "Contribution 2026 ref 7K3M-Q9PX"
    assert payment.creditor_reference == "RF18539007547034"
    assert payment.end_to_end_id == ""


def test_an_account_number_in_the_place_of_an_iban_is_told_apart(bank: Bank) -> None:
    bank.submit(file(debtor=replace(US, account=AccountId("000", is_iban=False))))
    (one,) = report(bank).payments
    assert (one.status, one.reasons[0].code) == ("RJCT", "AC02")


def test_what_lies_in_the_pickup_folder_is_what_was_sent(bank: Bank) -> None:
    (bank.drop / "a.xml").write_bytes(file())
    bank.scan()
    bank.advance()
    kinds = {type(next(read_all(BytesIO(p.read_bytes())))) for p in bank.pickup.glob("*.xml")}
    assert kinds == {StatusReport, Notification, Statement}
