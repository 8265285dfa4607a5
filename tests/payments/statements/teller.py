"""A teller who writes statements of one account, each going on where the last one ended."""

from dataclasses import dataclass, field
from datetime import date
from io import BytesIO

from portal.core import clock
from portal.core.money import Money

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True)
class Move:
    """One movement: `amount` is signed, in minor units; the rest is what the bank knows of it."""

    amount: int
    note: str = ""
    end_to_end_id: str = ""
    is_return: bool = False
    reference: str = ""
    payer: str = "Ministry of Good"
    account: str = "NL30MOCK0000000005"
    code: str = "RCDT/XBCT"
    batch_id: str = ""
    currency: str = ""


@dataclass
class Teller:
    """Keeps number and balance of an account, as its bank does."""

    account: str
    currency: str = "USD"
    balance: int = 0
    number: int = 0
    moves: int = field(default=0)

    def statement(
        self,
        *moves: Move,
        on: date | None = None,
        number: int | None = None,
        opening: int | None = None,
        closing: int | None = None,
        currency: str | None = None,
        name: str | None = None,
        account: str | None = None,
    ) -> str:
        """Return the next statement; what is given goes wrong as told, and is not remembered."""
        begins = self.balance if opening is None else opening
        ends = begins + sum(move.amount for move in moves) if closing is None else closing
        shown = self.number + 1 if number is None else number
        day = on or clock.today()
        entries = "".join(self._entry(move, day, currency) for move in moves)
        if opening is closing is number is None:
            self.balance, self.number = ends, shown
        code = currency or self.currency
        where = account or self.account
        return (
            f"<Stmt><Id>{name or f'ST-{where[-4:]}-{shown}'}</Id><ElctrncSeqNb>{shown}"
            f"</ElctrncSeqNb><CreDtTm>{day}T20:00:00Z</CreDtTm><FrToDt><FrDtTm>{day}T00:00:00Z"
            f"</FrDtTm><ToDtTm>{day}T23:59:59Z</ToDtTm></FrToDt>"
            f"<Acct><Id>{_account(where)}</Id><Ccy>{code}</Ccy></Acct>"
            f"{_balance('OPBD', Money(begins, code), day)}"
            f"{_balance('CLBD', Money(ends, code), day)}"
            f"{entries}</Stmt>"
        )

    def _entry(self, move: Move, day: date, currency: str | None) -> str:
        self.moves += 1
        money = Money(abs(move.amount), move.currency or currency or self.currency)
        side = "CRDT" if move.amount > 0 else "DBIT"
        party = "Dbtr" if move.amount > 0 else "Cdtr"
        reference = move.reference or f"{self.account[-4:]}-{self.moves}"
        family, sub = move.code.split("/")
        back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if move.is_return else ""
        batch = f"<Btch><PmtInfId>{move.batch_id}</PmtInfId></Btch>" if move.batch_id else ""
        end_to_end = move.end_to_end_id or "NOTPROVIDED"
        details = (
            f"<TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>"
            f'<Amt Ccy="{money.currency}">{money.amount:f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
            f"<RltdPties><{party}><Pty><Nm>{move.payer}</Nm></Pty></{party}>"
            f"<{party}Acct><Id>{_account(move.account)}</Id></{party}Acct></RltdPties>"
            f"<RmtInf><Ustrd>{move.note}</Ustrd></RmtInf>{back}</TxDtls>"
        )
        return (
            f'<Ntry><Amt Ccy="{money.currency}">{money.amount:f}</Amt>'
            f"<CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
            f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
            f"<AcctSvcrRef>{reference}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly>"
            f"<Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn></BkTxCd>"
            f"<NtryDtls>{batch}{'' if move.batch_id else details}</NtryDtls></Ntry>"
        )

    def file(self, *moves: Move, **changes: object) -> BytesIO:
        """Return the next statement as a file of its own."""
        return file(self.statement(*moves, **changes))  # type: ignore[arg-type]


def file(*statements: str, version: int = 8, message_id: str = "M-1") -> BytesIO:
    """Return a file of the statements."""
    space = SPACE.removesuffix("08") + f"{version:02}"
    return BytesIO(
        (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{space}"><BkToCstmrStmt>'
            f"<GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>2026-12-02T06:00:00Z</CreDtTm></GrpHdr>"
            f"{''.join(statements)}</BkToCstmrStmt></Document>"
        ).encode()
    )


def _account(number: str) -> str:
    if number[:2].isalpha() and number[2:4].isdigit():
        return f"<IBAN>{number}</IBAN>"
    return f"<Othr><Id>{number}</Id></Othr>"


def _balance(code: str, money: Money, day: date) -> str:
    side = "CRDT" if money.minor >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{money.currency}">{abs(money).amount:f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )
