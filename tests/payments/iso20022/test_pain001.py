"""Payment files: the published schema takes each one, whatever names people have."""

import re
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sepaxml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from portal.core.money import Money
from portal.core.workflow import Refused
from portal.payments.iso20022 import AccountId, Party, letters, write_pain001
from portal.payments.iso20022.pain001 import NAMESPACE
from tests.payments.iso20022.files import AT, GRANTEE, US, file, transfer

SCHEMA = etree.XMLSchema(
    etree.parse(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd")
)
NAMES = st.text(min_size=1, max_size=200)
TAKEN = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")


def read(content: bytes) -> Any:
    """Return the root, once the schema has taken the file."""
    document = etree.fromstring(content)
    SCHEMA.assertValid(document)
    return document


def texts(document: Any, path: str) -> list[str]:
    steps = "/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))
    return [element.text for element in document.findall(f".//{steps}")]


def test_a_file_says_who_pays_whom_how_much_and_when() -> None:
    second = transfer(2, amount=Money(120_005, "EUR"))
    document = read(file(transfer(), second))

    assert texts(document, "GrpHdr/MsgId") == texts(document, "PmtInfId") == ["VFP-1"]
    assert texts(document, "NbOfTxs") == ["2", "2"]
    assert texts(document, "CtrlSum") == ["6000.05", "6000.05"]
    assert texts(document, "CreDtTm") == ["2026-12-01T09:30:00+00:00"]
    assert texts(document, "ReqdExctnDt/Dt") == ["2026-12-01"]
    assert texts(document, "PmtId/EndToEndId") == ["7K3M-0001", "7K3M-0002"]
    assert texts(document, "InstdAmt") == ["4800.00", "1200.05"]
    assert texts(document, "DbtrAcct/Id/IBAN") == ["NL41MOCK0000000001"]
    assert texts(document, "DbtrAcct/Ccy") == ["EUR"]
    assert texts(document, "CdtrAcct/Id/IBAN") == ["NL30MOCK0000000005"] * 2
    assert texts(document, "CdtrAgt/FinInstnId/BICFI") == ["MOCKNL2A"] * 2
    assert texts(document, "Cdtr/PstlAdr/TwnNm") == ["Utrecht"] * 2
    assert texts(document, "Cdtr/PstlAdr/Ctry") == ["NL"] * 2
    assert texts(document, "ChrgBr") == ["DEBT"]
    assert texts(document, "BtchBookg") == ["false"]
    assert texts(document, "RmtInf/Ustrd") == ["Grant 7K3M-0001", "Grant 7K3M-0002"]


def test_a_bank_without_bic_is_named_by_its_number_and_reached_through_another() -> None:
    there = Party(
        name="Radio Loita",
        account=AccountId("0123456789", is_iban=False),
        bic="",
        clearing_code="021000021",
        bank_name="Bank of the Hills",
        country="US",
        town="",
        intermediary_bic="CITIUS33XXX",
        intermediary_account="998877",
    )
    document = read(file(transfer(creditor=there, amount=Money(1, "USD"))))

    assert texts(document, "CdtrAgt/FinInstnId/ClrSysMmbId/ClrSysId/Cd") == ["USABA"]
    assert texts(document, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId") == ["021000021"]
    assert texts(document, "CdtrAgt/FinInstnId/Nm") == ["Bank of the Hills"]
    assert texts(document, "IntrmyAgt1/FinInstnId/BICFI") == ["CITIUS33XXX"]
    assert texts(document, "CdtrAgtAcct/Id/Othr/Id") == ["998877"]
    assert texts(document, "CdtrAcct/Id/Othr/Id") == ["0123456789"]
    assert texts(document, "TwnNm") == ["Amsterdam"]


def test_a_clearing_that_iso_gives_no_code_is_left_unnamed() -> None:
    there = replace(GRANTEE, bic="", clearing_code="01001", country="KE")
    document = read(file(transfer(creditor=there)))
    assert texts(document, "ClrSysMmbId/MmbId") == ["01001"]
    assert texts(document, "ClrSysId/Cd") == []


def test_a_bank_with_neither_is_named_in_words() -> None:
    there = replace(GRANTEE, bic="", bank_name="Banque du Lac")
    document = read(file(transfer(creditor=there)))
    assert texts(document, "CdtrAgt/FinInstnId/Nm") == ["Banque du Lac"]


def test_the_same_payments_give_the_same_bytes_wherever_the_clock_hangs() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert file() == file() == file(created_at=elsewhere)
    assert file() != file(message_id="VFP-2")


@given(NAMES, NAMES, NAMES, NAMES)
def test_the_schema_takes_names_of_every_script(
    holder: str, bank: str, town: str, words: str
) -> None:
    who = replace(GRANTEE, name=holder, bank_name=bank, town=town, bic="")
    try:
        content = file(transfer(creditor=who, remittance=words))
    except Refused:
        assert letters.latin(holder) == ""
        return
    document = read(content)
    written = texts(document, "Cdtr/Nm")[0]
    assert TAKEN.fullmatch(written)
    assert 0 < len(written) <= 140
    assert texts(document, "EndToEndId") == ["7K3M-0001"]


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=40), st.sampled_from(["EUR", "XOF"]))
def test_the_control_sum_is_exact(amounts: list[int], currency: str) -> None:
    transfers = [transfer(at, amount=Money(minor, currency)) for at, minor in enumerate(amounts)]
    document = read(file(*transfers))
    said = {Decimal(text) for text in texts(document, "CtrlSum")}
    assert said == {Money(sum(amounts), currency).amount}
    assert said == {sum(map(Decimal, texts(document, "InstdAmt")))}


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Société d'Études", "Societe d'Etudes"),
        ("Straße & Söhne", "Strasse + Sohne"),
        ("Αθήνα", "Athina"),
        ("Киев", "Kiev"),
        ("مركز", "mrkz"),
        ("人权", "RenQuan"),
        ("Sun_River #2", "Sun.River .2"),
        ("//REF//A/", "REF/A"),
        ("a\tb\n c", "a b c"),
        ("…", ""),
        ("", ""),
    ],
)
def test_names_are_written_in_the_letters_that_banks_take(typed: str, written: str) -> None:
    assert letters.latin(typed) == written


def test_a_long_name_is_cut_and_a_long_reference_refused() -> None:
    document = read(file(transfer(creditor=replace(GRANTEE, name="Ы" * 141))))
    assert len(texts(document, "Cdtr/Nm")[0]) == 140
    with pytest.raises(Refused, match="would change the reference"):
        file(transfer(end_to_end_id="7" * 36))


@pytest.mark.parametrize(
    "wrong",
    ["", " ", "É-1", "A//B", "/A", "A/", "A_B", "A\nB", "٣", "x" * 36],
)
def test_a_reference_that_a_bank_would_change_is_refused(wrong: str) -> None:
    with pytest.raises(Refused):
        file(message_id=wrong)
    with pytest.raises(Refused):
        file(transfer(end_to_end_id=wrong))


@pytest.mark.parametrize(
    "who",
    [
        replace(GRANTEE, bic="NOT A BIC"),
        replace(GRANTEE, country="NLD"),
        replace(GRANTEE, account=AccountId("NL 30", is_iban=True)),
        replace(GRANTEE, account=AccountId("", is_iban=False)),
        replace(GRANTEE, bic="", clearing_code="02-10"),
        replace(GRANTEE, intermediary_bic="?"),
        replace(GRANTEE, name="…"),
    ],
)
def test_a_payee_that_no_bank_would_take_is_refused(who: Party) -> None:
    with pytest.raises(Refused):
        file(transfer(creditor=who))


def test_no_payment_two_currencies_nothing_and_the_same_twice_are_refused() -> None:
    with pytest.raises(Refused, match="at least one"):
        write_pain001(message_id="A", created_at=AT, execute_on=AT.date(), debtor=US, transfers=())
    with pytest.raises(Refused, match="one currency"):
        file(transfer(1), transfer(2, amount=Money(1, "USD")))
    with pytest.raises(Refused, match="above zero"):
        file(transfer(amount=Money(0, "EUR")))
    with pytest.raises(Refused, match="above zero"):
        file(transfer(amount=Money(-1, "EUR")))
    with pytest.raises(Refused, match="twice"):
        file(transfer(1), transfer(1))
    with pytest.raises(Refused, match="add up"):
        file(transfer(1, amount=Money(10**18 - 1, "EUR")), transfer(2))
