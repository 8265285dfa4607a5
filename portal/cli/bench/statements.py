"""A short and a long statement of a bank: taken in by the portal, and only read by pycamt.

Each is read by a process of its own, so that what one of them kept in memory is not the other's.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from PIL import Image

from portal.accounts.models import Role
from portal.app import connect_stores
from portal.cli.bench.people import person
from portal.contributions.models import ContributionAgreement, DonorKind
from portal.contributions.service import (
    DonorFacts,
    Terms,
    add_paper,
    confirm_agreement,
    draft_agreement,
    record_donor,
    terms_digest,
)
from portal.core import clock
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import usd
from portal.ledger.service import open_book
from portal.payments.models import BankAccount, BankAccountStatus
from portal.payments.statements.service import import_statement

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ACCOUNTS = {"act": "DE89370400440532013000", "vftc": "GB29NWBK60161331926819"}
"""Examples of the IBAN registry, one for each of the two statements."""

HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{space}"><BkToCstmrStmt>
<GrpHdr><MsgId>M-{account}</MsgId><CreDtTm>{day}T22:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>ST-{account}-1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>{day}T22:00:00Z</CreDtTm>
<FrToDt><FrDtTm>{day}T00:00:00Z</FrDtTm><ToDtTm>{day}T23:59:59Z</ToDtTm></FrToDt>
<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>USD</Ccy></Acct>
"""
BALANCE = """\
<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
"""
ENTRY = """\
<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>B-{number}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>XBCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>E-{number}</EndToEndId></Refs>
<Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<RltdPties><Dbtr><Pty><Nm>Harbour Foundation {number}</Nm></Pty></Dbtr>
<DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct></RltdPties>
<RmtInf><Ustrd>{note}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"""
TAIL = "</Stmt></BkToCstmrStmt></Document>\n"

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class File:
    """A statement on the disk; `size` in bytes."""

    path: Path
    lines: int

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.path.stat().st_size


@dataclass(frozen=True)
class Taken:
    """What an import took: seconds, and the most memory that its process ever held, in bytes."""

    seconds: float
    peak: int


def files(settings: Settings, few: int, many: int) -> tuple[File, File]:
    """Write a short and a long statement, each of an account of its own.

    Every second line names the agreement of a donor, so that there is something to match.
    """
    connect_stores(settings)
    found = []
    for (fund, account), lines in zip(ACCOUNTS.items(), (few, many), strict=True):
        ref = _agreement(fund, account).ref
        path = settings.data_dir / f"{fund}.xml"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(_statement(account, lines, ref, clock.today()))
        found.append(File(path, lines))
    session.commit()
    session.remove()
    return found[0], found[1]


def taken_in(settings: Settings, file: File) -> Taken:
    """Import and match a statement in a process of its own."""
    return _apart(_take_in, settings, file.path)


def read_by_pycamt(file: File) -> float | None:
    """Return the seconds that pycamt takes to read a statement, None where it is not installed."""
    return _apart(_read, file.path) if find_spec("pycamt") else None


def _apart(work: Callable[..., Measured], *arguments: object) -> Measured:
    """Return what `work` measures in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _take_in(settings: Settings, path: Path) -> Taken:
    connect_stores(settings)
    begun = perf_counter()
    with path.open("rb") as stream:
        import_statement(stream, by=None)
        session.commit()
    return Taken(perf_counter() - begun, _peak())


def _read(path: Path) -> float:
    from pycamt.parser import Camt053Parser

    begun = perf_counter()
    Camt053Parser(path.read_bytes()).get_transactions()
    return perf_counter() - begun


def _peak() -> int:
    """Return the most memory that this process ever held, in bytes.

    Linux tells it of the process alone; `ru_maxrss` would begin with what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        told = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return int(told["VmHWM"].split()[0]) * 1024
    import resource

    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _agreement(fund: str, account: str) -> ContributionAgreement:
    """Return an agreement in force, in a fund with a bank account in use."""
    open_book(fund)
    officer, finance = person(Role.DONOR_RELATIONS), person(Role.FINANCE_OFFICER)
    session.add(
        BankAccount(
            fund_code=fund,
            currency="USD",
            holder="Voluntary Fund",
            account=account,
            bic="COBADEFFXXX",
            bank="A bank",
            country="DEU",
            town="Frankfurt",
            proposed_by_id=officer.id,
            status=BankAccountStatus.IN_USE,
            confirmed_by_id=finance.id,
            confirmed_at=clock.now(),
        )
    )
    donor = record_donor(DonorFacts(kind=DonorKind.FOUNDATION, name=f"Donor of {fund}"), by=officer)
    day, amount = clock.today(), usd(10**12)
    terms = Terms(amount=amount, signed_on=day, schedule=[(day, amount)])
    found = draft_agreement(donor, fund, terms, by=officer)
    paper = BytesIO()
    Image.new("RGB", (60, 80), "white").save(paper, "PNG")
    paper.seek(0)
    add_paper(found, paper, "signed.png", by=officer)
    confirm_agreement(found, terms_digest(found), by=finance)
    return found


def _statement(account: str, lines: int, ref: str, day: date) -> Iterator[str]:
    """Yield a statement of credits, from nothing to their sum."""
    closing = usd(sum(_cents(number) for number in range(1, lines + 1)))
    yield HEAD.format(space=SPACE, account=account, day=day)
    yield BALANCE.format(code="OPBD", amount="0.00", day=day)
    yield BALANCE.format(code="CLBD", amount=closing.amount, day=day)
    for number in range(1, lines + 1):
        note = f"Agreement {ref}, with thanks" if number % 2 else f"Gift of a reader, no {number}"
        amount = usd(_cents(number)).amount
        yield ENTRY.format(number=number, amount=amount, day=day, note=note)
    yield TAIL


def _cents(number: int) -> int:
    return 100_00 + number * 37
