"""Files that are broken, strange or made to harm: each is refused with one sentence of its own."""

import random
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.payments.iso20022 import Notification, Statement, Unreadable, read_all
from tests.payments.iso20022 import messages

GOOD = messages.statement([messages.entry(details=messages.payment())] * 2)
STATUS = messages.status_report(
    "<OrgnlGrpInfAndSts><OrgnlMsgId>F-1</OrgnlMsgId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>"
)
RETURNED = messages.returned(
    "<TxInf><OrgnlEndToEndId>E-1</OrgnlEndToEndId>"
    '<RtrdIntrBkSttlmAmt Ccy="USD">1</RtrdIntrBkSttlmAmt>'
    "<IntrBkSttlmDt>2026-12-05</IntrBkSttlmDt></TxInf>"
)
NOTICE = messages.notice([messages.entry(details=messages.payment())])


def take(content: bytes) -> int:
    """Read a file to its end; return how many entries it held."""
    count = 0
    for message in read_all(BytesIO(content)):
        if isinstance(message, Statement):
            count += sum(1 for _entry in message.entries())
        elif isinstance(message, Notification):
            count += len(message.entries)
    return count


def refusal(content: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        take(content)
    return refused.value.sentence


def with_root(declared: str, root: str = "") -> bytes:
    """Return the good file with a document type."""
    head, mark, rest = GOOD.partition(b"\n")
    return head + mark + declared.encode() + rest.replace(b"M-1", root.encode() or b"M-1")


LAUGHS = "".join(
    f'<!ENTITY l{n} "{"".join([f"&l{n - 1};"] * 10)}">' if n else '<!ENTITY l0 "ha">'
    for n in range(12)
)


@pytest.mark.parametrize(
    "content",
    [
        with_root(f"<!DOCTYPE Document [{LAUGHS}]>", "&l11;"),
        with_root('<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        with_root('<!DOCTYPE Document [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]>', "&x;"),
        with_root('<!DOCTYPE Document [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>'),
        with_root('<!DOCTYPE Document SYSTEM "file:///etc/passwd">'),
        with_root("<!DOCTYPE Document>"),
        with_root("<!DOCTYPE Document [<!ATTLIST Amt Ccy CDATA 'USD'>]>"),
        with_root(f"<!-- {'x' * 200_000} --><!DOCTYPE Document [{LAUGHS}]>", "&l11;"),
        with_root(f"<!DOCTYPE Document [{LAUGHS}]>", "&l11;")
        .decode()
        .replace('encoding="UTF-8"', 'encoding="UTF-16"')
        .encode("utf-16"),
    ],
)
def test_a_document_type_is_refused_before_anything_expands(content: bytes) -> None:
    assert refusal(content).startswith("The file declares a document type")


@pytest.mark.parametrize(
    "content",
    [
        b"not XML",
        b"\x00\x01\x02",
        b"%PDF-1.7\n",
        b"PK\x03\x04",
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD[:60],
        GOOD + b"<more/>",
        GOOD + GOOD,
        GOOD.replace(b"M-1", b"&undefined;"),
        GOOD.replace(b"</Stmt>", b"</stmt>"),
        GOOD.replace(b"UTF-8", b"UTF-7"),
        GOOD.replace(b"UTF-8", b"Shift_JIS"),
        GOOD.replace(b"UTF-8", b"no-such-encoding"),
        GOOD.replace(b"UTF-8", b"UTF-16"),
        GOOD.replace(b"Ministry", b"\xff\xfe\xfa"),
        GOOD.replace(b"Ministry", b"&#0;"),
        GOOD.replace(b"<Id>S-1</Id>", b"<x>" * 100_000 + b"</x>" * 100_000),
        b"<x>" * 100_000,
        GOOD.replace(b"<NtryRef>N-1", b"<NtryRef>" + b"N" * 11_000_000),
    ],
)
def test_what_is_no_whole_xml_is_refused(content: bytes) -> None:
    said = refusal(content)
    assert said.startswith(("The file is not whole", "This is no ISO 20022"))


def test_an_empty_file_is_called_that() -> None:
    assert refusal(b"") == "The file is empty."
    assert refusal(b"  \n").startswith("The file is not whole")


def wide(text: str) -> bytes:
    return text.replace("UTF-8", "UTF-16").encode("utf-16")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD,
        wide(GOOD.decode()),
        GOOD.replace(b"UTF-8", b"ISO-8859-1").replace(b"Good", b"Go\xf6d"),
        GOOD.replace(b"<Amt", b"<!-- a -->\n\t<?b c?><Amt"),
        GOOD.replace(b"25.00", b"25.<!-- not less -->00"),
        GOOD.replace(b"25.00", b"<![CDATA[25.00]]>"),
        GOOD.replace(b"25.00", b"&#50;5.00"),
        GOOD.replace(b"<Stmt>", b'<Stmt xmlns:x="urn:y"><x:Id>Z</x:Id>'),
    ],
)
def test_another_spelling_of_the_same_file_is_read(content: bytes) -> None:
    assert take(content) == 2
    message = next(read_all(BytesIO(content)))
    assert isinstance(message, Statement)
    assert {entry.amount.minor for entry in message.entries()} == {2500}


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("camt.053", 1, "This is version 01 of camt.053. The portal reads versions 02 to 13"),
        ("camt.053", 99, "This is version 99 of camt.053"),
        ("camt.054", 14, "This is version 14 of camt.054"),
        ("pain.002", 2, "This is version 02 of pain.002. The portal reads versions 03 to 14"),
        ("pacs.004", 1, "This is version 01 of pacs.004"),
        ("pain.001", 9, "This is a pain.001 message. The portal reads camt.053, camt.054"),
        ("camt.052", 8, "This is a camt.052 message."),
    ],
)
def test_another_message_or_version_is_named(name: str, version: int, said: str) -> None:
    assert refusal(messages.document(name, version, messages.HEADER)).startswith(said)


@pytest.mark.parametrize(
    "content",
    [
        b"<Document/>",
        b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
        GOOD.replace(b"urn:iso", b"URN:ISO"),
        GOOD.replace(b"tech:xsd:camt.053.001.08", b"tech:xsd:camt.053.001.8"),
        GOOD.replace(b".001.08", ".001.٠٨".encode()),
    ],
)
def test_xml_of_somebody_else_is_refused(content: bytes) -> None:
    assert refusal(content).startswith("This is no ISO 20022 message")


@dataclass(frozen=True)
class Wrong:
    """One thing wrong with an entry, and the sentence about it."""

    old: str
    new: str
    said: str


ENTRY_FAULTS = [
    Wrong("25.00", "-25.00", "Entry 1: The amount -25.00 is below zero."),
    Wrong("25.00", "25.005", "Entry 1: The amount 25.005 is finer than USD can be paid."),
    Wrong("25.00", "٢٥", "Entry 1: The amount “٢٥” is not written in the digits 0 to 9."),
    Wrong("25.00", "1" + "0" * 13, f"Entry 1: The amount 1{'0' * 13} is larger than the books can"),
    Wrong(
        "25.00", "9" * 5000, f"Entry 1: The amount {'9' * 40}… is larger than the books can hold"
    ),
    Wrong("25.00", "0." + "0" * 5000 + "1", f"Entry 1: The amount 0.{'0' * 38}… is finer than"),
    Wrong("25.00", "1e3", "Entry 1: “1e3” is no amount."),
    Wrong("25.00", "25,00", "Entry 1: “25,00” is no amount."),
    Wrong("25.00", "1 000", "Entry 1: “1 000” is no amount."),
    Wrong("25.00", "NaN", "Entry 1: “NaN” is no amount."),
    Wrong("25.00", ".", "Entry 1: “.” is no amount."),
    Wrong("25.00", "", "Entry 1: “” is no amount."),
    Wrong("25.00", "2<b/>5.00", "Entry 1: Amt holds elements where a text belongs."),
    Wrong('Ccy="USD">25', 'Ccy="EUR">25', "Entry 1: The account is in USD, yet an amount is in"),
    Wrong('Ccy="USD">25', 'Ccy="usd">25', "Entry 1: “usd” is no currency of ISO 4217."),
    Wrong('Ccy="USD">25', 'Ccy="XAU">25', "Entry 1: “XAU” is no currency of ISO 4217."),
    Wrong('Ccy="USD">25', ">25", "Entry 1: “” is no currency of ISO 4217."),
    Wrong("CRDT</CdtDbtInd><Sts>", "XXXX</CdtDbtInd><Sts>", "Entry 1: “XXXX” is neither credit"),
    Wrong("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<Sts>", "Entry 1: The message is not complete: it"),
    Wrong("<Sts><Cd>BOOK</Cd></Sts>", "", "Entry 1: The message is not complete: it lacks Sts"),
    Wrong("<Dt>2026-12-01</Dt></BookgDt>", "<Dt>2026-02-30</Dt></BookgDt>", "Entry 1: “2026-02-3"),
    Wrong("<Dt>2026-12-01</Dt></BookgDt>", "<Dt>1.12.26</Dt></BookgDt>", "Entry 1: “1.12.26” is"),
    Wrong("<Dt>2026-12-01</Dt></BookgDt>", "<Dt>٢٠٢٦-12-01</Dt></BookgDt>", "Entry 1: “٢٠٢٦-12-"),
    Wrong("</Ntry>", "<Ntry/></Ntry>", "The message has elements where none of their kind belong."),
]


@pytest.mark.parametrize("wrong", ENTRY_FAULTS, ids=lambda wrong: wrong.new[:24])
def test_a_wrong_entry_is_named_with_its_number(wrong: Wrong) -> None:
    good = messages.entry(details=messages.payment())
    assert wrong.old in good
    bad = good.replace(wrong.old, wrong.new)
    assert refusal(messages.statement([bad])).startswith(wrong.said)
    assert refusal(messages.notice([bad])).startswith(wrong.said)
    second = wrong.said.replace("Entry 1", "Entry 2")
    assert refusal(messages.statement([good, bad])).startswith(second)


OPENING, CLOSING = messages.balance("OPBD"), messages.balance("CLBD")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (OPENING, "", "The statement has no opening balance."),
        (CLOSING, "", "The statement has no closing balance."),
        (CLOSING, CLOSING * 2, "The statement has more than one balance CLBD."),
        (CLOSING, messages.balance("CLBD", currency="EUR"), "The account is in USD, yet an amount"),
        (CLOSING, messages.balance("CLBD", "-1.00"), "The amount -1.00 is below zero."),
        (messages.ACCOUNT, "", "The statement does not say of which account it is."),
        ("<Id>S-1</Id>", "", "The message is not complete: it lacks Id."),
        ("<GrpHdr><MsgId>M-1</MsgId>", "<GrpHdr>", "The message is not complete: it lacks MsgId."),
        (messages.HEADER, "", "The message is not complete: it lacks GrpHdr/MsgId."),
        ("SeqNb>7<", "SeqNb>-7<", "-7 is no number of a statement."),
        ("SeqNb>7<", f"SeqNb>{'7' * 5000}<", f"{'7' * 40}… is no number of a statement."),
        ("</Stmt>", "<Ntry><Stmt/></Ntry></Stmt>", "The message has elements where none of their"),
        ("<Stmt>", "<Stmt><Stmt></Stmt>", "The message has elements where none of their kind"),
    ],
)
@pytest.mark.parametrize("entries", [(), (messages.entry(),)], ids=["empty", "one entry"])
def test_a_wrong_statement_is_named(
    old: str, new: str, said: str, entries: tuple[str, ...]
) -> None:
    good = messages.statement(entries, balances=OPENING + CLOSING).decode()
    assert old in good
    assert refusal(good.replace(old, new).encode()).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (messages.document("camt.053", 8, messages.HEADER), "The message is about no account"),
        (messages.document("camt.054", 8, messages.HEADER), "The message is about no account"),
        (messages.notice(account=""), "The notice does not say of which account it is."),
        (messages.status_report(""), "The message is not complete: it lacks OrgnlGrpInfAndSts."),
        (messages.returned(""), "The message returns no payment"),
        (GOOD.replace(b"BkToCstmrStmt", b"BkToCstmrAcctRpt"), "The message has elements where"),
        (STATUS.replace(b"CstmrPmtStsRpt", b"Rpt"), "The message is not complete: it lacks Cstmr"),
        (GOOD.replace(b"Document", b"Dokument"), "The message does not begin as ISO 20022"),
        (RETURNED.replace(b">1<", b">0<"), "A return gives back an amount of zero."),
        (RETURNED.replace(b'"USD"', b'"???"'), "“???” is no currency of ISO 4217."),
        (RETURNED.replace(b"2026-12-05", b""), "The message is not complete: it lacks GrpHdr/Intr"),
    ],
)
def test_a_message_that_says_nothing_is_named(content: bytes, said: str) -> None:
    assert refusal(content).startswith(said)


SOUND = [GOOD, NOTICE, STATUS, RETURNED, wide(GOOD.decode())]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Return a sound file in which a few places were overwritten, cut out or doubled."""
    content = bytearray(draw(st.sampled_from(SOUND)))
    for _change in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 40))
        put = draw(st.binary(max_size=8) | st.just(bytes(content[at : at + length])))
        content[at : at + draw(st.sampled_from([0, length]))] = put
    return bytes(content)


@given(mangled() | st.binary(max_size=300))
@example(b"<")
@example(b"\xff\xfe")
def test_whatever_comes_only_a_refusal_is_raised(content: bytes) -> None:
    with suppress(Unreadable):
        take(content)


@given(st.integers(0, 2**32))
def test_whatever_stands_in_an_element_only_a_refusal_is_raised(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    texts = ["", "-1", "9" * 400, "٣", "CRDT", "USD", "2026-12-01", "<x/>", "NOTPROVIDED", "\u2028"]
    pieces = chance.choice(SOUND[:4]).decode().split(">")
    for _change in range(chance.randint(1, 5)):
        at = chance.randrange(len(pieces))
        head, mark, tail = pieces[at].partition("<")
        del head
        pieces[at] = chance.choice(texts) + mark + tail
    with suppress(Unreadable):
        take(">".join(pieces).encode())


def test_nothing_of_this_machine_is_ever_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    for where in (str(secret), secret.as_uri()):
        included = (
            f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{where}" parse="text"/>'
        )
        content = GOOD.replace(b"<Id>S-1</Id>", f"<Id>{included}</Id>".encode())
        assert "canary" not in refusal(content)
