"""Messages of banks as tests write them: in each version, with one thing or another wrong."""

from collections.abc import Iterable
from io import BytesIO

BODIES = {
    "camt.053": "BkToCstmrStmt",
    "camt.054": "BkToCstmrDbtCdtNtfctn",
    "pain.002": "CstmrPmtStsRpt",
    "pacs.004": "PmtRtr",
}
HEADER = "<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-12-02T06:00:00Z</CreDtTm></GrpHdr>"
ACCOUNT = "<Acct><Id><IBAN>NL41MOCK0000000001</IBAN></Id><Ccy>USD</Ccy></Acct>"
CHOICE_FROM = 8
"""Since version 8 a status is a choice, and so is a party."""


def document(name: str, version: int, content: str) -> bytes:
    """Return a message with its root."""
    body = BODIES.get(name, "Body")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}.001.{version:02}">'
        f"<{body}>{content}</{body}></Document>"
    ).encode()


def balance(code: str, amount: str = "100.00", side: str = "CRDT", currency: str = "USD") -> str:
    """Return a balance of 1 December 2026."""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        "<Dt><Dt>2026-12-01</Dt></Dt></Bal>"
    )


def entry(
    amount: str = "25.00",
    *,
    side: str = "CRDT",
    currency: str = "USD",
    version: int = 8,
    status: str = "BOOK",
    dates: str = "<BookgDt><Dt>2026-12-01</Dt></BookgDt><ValDt><Dt>2026-12-02</Dt></ValDt>",
    details: str = "",
    more: str = "",
) -> str:
    """Return an entry with the details given."""
    state = f"<Cd>{status}</Cd>" if version >= CHOICE_FROM else status
    return (
        f'<Ntry><NtryRef>N-1</NtryRef><Amt Ccy="{currency}">{amount}</Amt>'
        f"<CdtDbtInd>{side}</CdtDbtInd><Sts>{state}</Sts>{dates}"
        "<AcctSvcrRef>B-1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>"
        f"<SubFmlyCd>XBCT</SubFmlyCd></Fmly></Domn></BkTxCd>{more}"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def payment(version: int = 8, *, refs: str = "", more: str = "", back: str = "") -> str:
    """Return the details of a payment from a donor."""
    donor = "<Nm>Ministry of Good</Nm>"
    party = f"<Pty>{donor}</Pty>" if version >= CHOICE_FROM else donor
    return (
        f"<TxDtls><Refs>{refs}<EndToEndId>E-1</EndToEndId></Refs>{more}"
        f"<RltdPties><Dbtr>{party}</Dbtr><DbtrAcct><Id><Othr><Id>12-3</Id></Othr></Id></DbtrAcct>"
        "</RltdPties><RmtInf><Ustrd>for  the </Ustrd><Ustrd>fund</Ustrd><Strd><CdtrRefInf>"
        f"<Ref>RF18</Ref></CdtrRefInf></Strd></RmtInf>{back}</TxDtls>"
    )


def statement(
    entries: Iterable[str] = (),
    *,
    version: int = 8,
    account: str = ACCOUNT,
    balances: str = balance("OPBD") + balance("CLBD", "125.00"),
    sequence: str = "<ElctrncSeqNb>7</ElctrncSeqNb>",
) -> bytes:
    """Return a file of one statement."""
    return document("camt.053", version, HEADER + one(entries, account, balances, sequence))


def one(
    entries: Iterable[str] = (),
    account: str = ACCOUNT,
    balances: str = balance("OPBD") + balance("CLBD", "125.00"),
    sequence: str = "",
) -> str:
    """Return a statement alone."""
    return (
        f"<Stmt><Id>S-1</Id>{sequence}<CreDtTm>2026-12-02T06:00:00Z</CreDtTm>"
        f"{account}{balances}{''.join(entries)}</Stmt>"
    )


def notice(entries: Iterable[str] = (), *, version: int = 8, account: str = ACCOUNT) -> bytes:
    """Return a file of one notice."""
    said = f"<Ntfctn><Id>N-1</Id>{account}{''.join(entries)}</Ntfctn>"
    return document("camt.054", version, HEADER + said)


def status_report(content: str, version: int = 10) -> bytes:
    """Return a status report about the file F-1."""
    return document("pain.002", version, HEADER + content)


def returned(content: str, version: int = 9, header: str = HEADER) -> bytes:
    """Return a message of returns."""
    return document("pacs.004", version, header + content)


def streamed(content: bytes) -> BytesIO:
    """Return the bytes as a stream."""
    return BytesIO(content)
