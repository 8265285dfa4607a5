"""What banks send, version by version: the same facts at different places."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest

from portal.core.money import Money
from portal.payments.iso20022 import (
    AccountId,
    Balance,
    Entry,
    Notification,
    PaymentStatus,
    Reason,
    Return,
    ReturnMessage,
    Statement,
    StatusReport,
    Unreadable,
    read,
    read_all,
    read_statements,
)
from tests.payments.iso20022 import messages

VERSIONS = (2, 4, 6, 8, 10, 13)


def statement(content: bytes) -> tuple[Statement, list[Entry]]:
    found = read(BytesIO(content))
    assert isinstance(found, Statement)
    return found, list(found.entries())


def only(details: str = "", **said: str) -> Entry:
    """Return the entry of a statement that has no other."""
    _statement, (entry,) = statement(
        messages.statement([messages.entry(details=details, **said)])  # type: ignore[arg-type]
    )
    return entry


@pytest.mark.parametrize("version", VERSIONS)
def test_a_statement_says_the_same_in_every_version(version: int) -> None:
    details = messages.payment(version, refs="<MsgId>F-1</MsgId><InstrId>I-1</InstrId>")
    content = messages.statement(
        [messages.entry(version=version, details=details)], version=version
    )
    found, (entry,) = statement(content)
    assert found.account == AccountId("NL41MOCK0000000001", is_iban=True)
    assert (found.message_id, found.statement_id, found.sequence) == ("M-1", "S-1", 7)
    assert found.opening == Balance(10_000, date(2026, 12, 1))
    assert found.closing == Balance(12_500, date(2026, 12, 1))
    assert found.currency == "USD"
    assert (entry.amount, entry.is_credit, entry.is_booked) == (Money(2500, "USD"), True, True)
    assert (entry.booked_on, entry.value_on) == (date(2026, 12, 1), date(2026, 12, 2))
    assert (entry.reference, entry.entry_reference) == ("B-1", "N-1")
    assert entry.bank_code == "PMNT/RCDT/XBCT"
    assert not entry.is_return
    (payment,) = entry.transactions
    assert (payment.end_to_end_id, payment.message_id) == ("E-1", "F-1")
    assert payment.instruction_id == "I-1"
    assert payment.amount == Money(2500, "USD")
    assert payment.is_credit
    assert (payment.counterparty, payment.counterparty_account) == ("Ministry of Good", "12-3")
    assert (payment.remittance, payment.creditor_reference) == ("for the fund", "RF18")
    assert payment.return_reason is None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_notice_says_the_same_in_every_version(version: int) -> None:
    details = messages.payment(version)
    entries = [messages.entry(version=version, details=details)] * 2
    found = read(BytesIO(messages.notice(entries, version=version)))
    assert isinstance(found, Notification)
    assert (found.message_id, found.notification_id) == ("M-1", "N-1")
    assert found.account == AccountId("NL41MOCK0000000001", is_iban=True)
    assert [entry.amount.minor for entry in found.entries] == [2500, 2500]


@pytest.mark.parametrize("version", [3, 6, 9, 10, 14])
def test_a_status_report_says_the_same_in_every_version(version: int) -> None:
    content = messages.status_report(
        "<OrgnlGrpInfAndSts><OrgnlMsgId>F-1</OrgnlMsgId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>"
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>F-1</OrgnlPmtInfId>"
        "<TxInfAndSts><OrgnlEndToEndId>E-1</OrgnlEndToEndId><TxSts>ACCP</TxSts></TxInfAndSts>"
        "<TxInfAndSts><OrgnlEndToEndId>E-2</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn>"
        "<Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf><AddtlInf>in 2025</AddtlInf></StsRsnInf>"
        "</TxInfAndSts></OrgnlPmtInfAndSts>",
        version,
    )
    assert read(BytesIO(content)) == StatusReport(
        message_id="M-1",
        original_message_id="F-1",
        group_status="PART",
        reasons=(),
        payments=(
            PaymentStatus("E-1", "ACCP", ()),
            PaymentStatus("E-2", "RJCT", (Reason("AC04", "closed in 2025"),)),
        ),
    )


def report(content: str) -> StatusReport:
    found = read(BytesIO(messages.status_report(content)))
    assert isinstance(found, StatusReport)
    return found


GROUP = "<OrgnlGrpInfAndSts><OrgnlMsgId>F-1</OrgnlMsgId>{}</OrgnlGrpInfAndSts>"
BATCH = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>F-1</OrgnlPmtInfId>{}</OrgnlPmtInfAndSts>"
PAYMENT = "<TxInfAndSts><OrgnlEndToEndId>E-1</OrgnlEndToEndId></TxInfAndSts>"
WHY = "<StsRsnInf><Rsn><Prtry>X9</Prtry></Rsn></StsRsnInf>"


def test_the_batch_speaks_for_the_file_where_the_group_only_took_it() -> None:
    taken = GROUP.format("<GrpSts>ACTC</GrpSts>")
    said = report(taken + BATCH.format("<PmtInfSts>RJCT</PmtInfSts>" + WHY + PAYMENT))
    assert (said.group_status, said.reasons) == ("RJCT", (Reason("X9", ""),))
    assert said.payments == (PaymentStatus("E-1", "RJCT", ()),)


def test_a_report_on_a_single_payment_says_nothing_of_the_file() -> None:
    payment = PAYMENT.replace("</TxInf", "<TxSts>RJCT</TxSts></TxInf")
    said = report(GROUP.format("") + BATCH.format(payment))
    assert said.group_status is None
    assert said.payments == (PaymentStatus("E-1", "RJCT", ()),)


def test_batches_of_two_minds_make_the_file_partly_accepted() -> None:
    said = report(
        GROUP.format("")
        + BATCH.format("<PmtInfSts>RJCT</PmtInfSts>")
        + BATCH.format("<PmtInfSts>ACCP</PmtInfSts>")
    )
    assert said.group_status == "PART"


def test_a_payment_without_any_status_is_not_guessed() -> None:
    with pytest.raises(Unreadable, match="lacks GrpSts"):
        report(GROUP.format("") + BATCH.format(PAYMENT))


@pytest.mark.parametrize("version", [2, 4, 9, 10, 13])
def test_a_return_says_the_same_in_every_version(version: int) -> None:
    content = messages.returned(
        "<OrgnlGrpInf><OrgnlMsgId>F-1</OrgnlMsgId></OrgnlGrpInf><TxInf>"
        "<OrgnlEndToEndId>E-1</OrgnlEndToEndId>"
        '<RtrdIntrBkSttlmAmt Ccy="USD">4790.00</RtrdIntrBkSttlmAmt>'
        "<IntrBkSttlmDt>2026-12-05</IntrBkSttlmDt>"
        "<RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></RtrRsnInf></TxInf>",
        version,
    )
    back = Return("E-1", "F-1", Money(479_000, "USD"), date(2026, 12, 5), Reason("AC04", "closed"))
    assert read(BytesIO(content)) == ReturnMessage("M-1", (back,))


def test_the_day_of_returns_may_stand_once_for_all_and_the_file_with_each() -> None:
    header = messages.HEADER.replace(
        "</GrpHdr>", "<IntrBkSttlmDt>2026-12-06</IntrBkSttlmDt></GrpHdr>"
    )
    content = messages.returned(
        "<TxInf><OrgnlGrpInf><OrgnlMsgId>F-2</OrgnlMsgId></OrgnlGrpInf>"
        '<RtrdIntrBkSttlmAmt Ccy="USD">1</RtrdIntrBkSttlmAmt></TxInf>',
        header=header,
    )
    back = Return("", "F-2", Money(100, "USD"), date(2026, 12, 6), Reason("", ""))
    assert read(BytesIO(content)) == ReturnMessage("M-1", (back,))


def test_an_entry_may_be_pending_reversed_or_undated() -> None:
    assert not only(status="PDNG").is_booked
    assert not only(status="INFO").is_booked
    assert only(more="<RvslInd>true</RvslInd>").is_return
    assert only(dates="<ValDt><DtTm>2026-12-03T23:59:59-10:00</DtTm></ValDt>").booked_on == date(
        2026, 12, 3
    )


def test_an_entry_of_nothing_moves_nothing() -> None:
    content = messages.statement([messages.entry("0.00"), messages.entry("1")])
    _statement, entries = statement(content)
    assert [entry.amount.minor for entry in entries] == [100]


def test_an_entry_without_details_stands_for_itself() -> None:
    entry = only(more="<AddtlNtryInf>Account fee</AddtlNtryInf>", side="DBIT")
    assert (entry.transactions, entry.information) == ((), "Account fee")


def test_a_batch_booked_as_one_names_its_file() -> None:
    entry = only("<Btch><PmtInfId>F-1</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>")
    assert (entry.batch_id, entry.transactions) == ("F-1", ())


def test_several_payments_of_an_entry_keep_their_amounts() -> None:
    first = messages.payment(more='<Amt Ccy="USD">20.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>')
    second = messages.payment(more='<AmtDtls><TxAmt><Amt Ccy="USD">5.00</Amt></TxAmt></AmtDtls>')
    assert [one.amount.minor for one in only(first + second).transactions] == [2000, 500]
    untold = messages.payment()
    assert only(first + untold).transactions == ()


def test_a_payment_within_a_batch_may_go_the_other_way() -> None:
    back = messages.payment(more='<Amt Ccy="USD">1</Amt><CdtDbtInd>DBIT</CdtDbtInd>')
    assert not only(back).transactions[0].is_credit


def test_an_exchange_keeps_what_was_instructed_and_its_rate() -> None:
    details = messages.payment(
        more='<AmtDtls><InstdAmt><Amt Ccy="EUR">20.00</Amt></InstdAmt><TxAmt>'
        '<Amt Ccy="USD">25.00</Amt><CcyXchg><SrcCcy>EUR</SrcCcy><XchgRate>1.25</XchgRate>'
        "</CcyXchg></TxAmt></AmtDtls>"
    )
    (payment,) = only(details).transactions
    assert payment.instructed == Money(2000, "EUR")
    assert payment.rate == Decimal("1.25")
    assert payment.amount == Money(2500, "USD")


def test_a_payment_that_comes_back_gives_its_reason_and_the_payee() -> None:
    returned = messages.payment(
        back="<RtrInf><Rsn><Cd>AC06</Cd></Rsn><AddtlInf>blocked</AddtlInf></RtrInf>"
    ).replace("Dbtr", "Cdtr")
    entry = only(returned)
    assert entry.is_return
    (payment,) = entry.transactions
    assert payment.return_reason == Reason("AC06", "blocked")
    assert payment.counterparty == "Ministry of Good"


@pytest.mark.parametrize(
    ("text", "minor"),
    [("25", 2500), ("25.0", 2500), ("25.10000", 2510), (".5", 50), ("+1.", 100), ("007.7", 770)],
)
def test_amounts_are_read_as_xml_schema_writes_them(text: str, minor: int) -> None:
    assert only(amount=text).amount == Money(minor, "USD")


@pytest.mark.parametrize(
    ("currency", "text", "minor"), [("XOF", "25", 25), ("XOF", "25.00", 25), ("TND", "0.005", 5)]
)
def test_decimals_are_those_of_the_currency(currency: str, text: str, minor: int) -> None:
    content = messages.statement(
        [messages.entry(text, currency=currency)],
        account=messages.ACCOUNT.replace("USD", currency),
        balances=messages.balance("OPBD", "1", currency=currency)
        + messages.balance("CLBD", "1", "DBIT", currency),
    )
    found, (entry,) = statement(content)
    assert entry.amount.minor == minor
    assert found.closing.amount < 0 < found.opening.amount


def test_the_currency_may_stand_with_the_balances_and_the_number_in_law() -> None:
    content = messages.statement(
        account=messages.ACCOUNT.replace("<Ccy>USD</Ccy>", ""),
        balances=messages.balance("PRCD") + messages.balance("CLAV") + messages.balance("CLBD"),
        sequence="<LglSeqNb>12</LglSeqNb><FrToDt><FrDtTm>2026-11-30T00:00:00+01:00</FrDtTm>"
        "<ToDtTm>2026-12-01T23:59:59+01:00</ToDtTm></FrToDt>",
    )
    found, entries = statement(content)
    assert (found.currency, found.sequence, entries) == ("USD", 12, [])
    assert (found.from_on, found.to_on) == (date(2026, 11, 30), date(2026, 12, 1))


def test_a_file_may_hold_several_statements_even_when_entries_are_left_unread() -> None:
    two = messages.one([messages.entry("1"), messages.entry("2")])
    other = messages.one(account=messages.ACCOUNT.replace("0001", "0002"))
    content = messages.document("camt.053", 8, messages.HEADER + two + other + two)
    found = [(one.account.value[-1], one.entries()) for one in read_statements(BytesIO(content))]
    assert [last for last, _entries in found] == ["1", "2", "1"]
    sums = [
        sum(entry.amount.minor for entry in one.entries())
        for one in read_statements(BytesIO(content))
    ]
    assert sums == [300, 0, 300]


def test_one_message_is_asked_for_and_several_are_refused() -> None:
    two = messages.one([messages.entry("1")])
    content = messages.document("camt.053", 8, messages.HEADER + two + two)
    with pytest.raises(Unreadable, match="several"):
        statement(content)
    both = messages.document(
        "camt.054", 8, messages.HEADER + 2 * f"<Ntfctn><Id>1</Id>{messages.ACCOUNT}</Ntfctn>"
    )
    with pytest.raises(Unreadable, match="several"):
        read(BytesIO(both))
    assert len(list(read_all(BytesIO(both)))) == 2


def test_a_notice_is_no_statement() -> None:
    with pytest.raises(Unreadable, match=r"no statement of account \(camt.053\)"):
        list(read_statements(BytesIO(messages.notice())))


class Slow(BytesIO):
    """A stream that gives one byte at a time."""

    def read(self, _size: int | None = -1) -> bytes:
        """Return the next byte."""
        return super().read(1)


def test_it_does_not_matter_in_which_pieces_a_file_comes() -> None:
    content = messages.statement([messages.entry(details=messages.payment())] * 3)
    slowly = read(Slow(content))
    assert isinstance(slowly, Statement)
    assert list(slowly.entries()) == statement(content)[1]
