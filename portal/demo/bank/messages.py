"""What a bank writes, by ISO 20022: status reports, returns and statements, with lxml."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from portal.core import clock
from portal.core.money import Money
from portal.payments.iso20022 import AccountId

STATUS_REPORT = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
RETURN = "urn:iso:std:iso:20022:tech:xsd:pacs.004.001.09"
STATEMENT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

Node = Any
"""An element of lxml, which has no types."""


@dataclass(frozen=True)
class Movement:
    """One line of a statement. `amount` is above zero; `is_credit` says in which direction."""

    amount: Money
    is_credit: bool
    reference: str
    counterparty: str
    end_to_end_id: str = ""
    text: str = ""
    return_reason: str = ""


@dataclass(frozen=True)
class StatementHead:
    """The frame of a statement. Balances are signed, in minor units of the currency."""

    name: str
    number: int
    account: AccountId
    currency: str
    opening: int
    on: date


def status_report(message_id: str, file_id: str, payments: Sequence[tuple[str, str, str]]) -> bytes:
    """Return a pain.002 on the file `file_id`: for each payment (EndToEndId, status, reason)."""
    root, body = _document(STATUS_REPORT, "CstmrPmtStsRpt", message_id)
    group = _add(body, "OrgnlGrpInfAndSts")
    _add(group, "OrgnlMsgId", file_id)
    _add(group, "OrgnlMsgNmId", "pain.001.001.09")
    batch = _add(body, "OrgnlPmtInfAndSts")
    _add(batch, "OrgnlPmtInfId", file_id)
    for end_to_end_id, status, reason in payments:
        each = _add(batch, "TxInfAndSts")
        _add(each, "OrgnlEndToEndId", end_to_end_id)
        _add(each, "TxSts", status)
        if reason:
            _add(each, "StsRsnInf/Rsn/Cd", reason)
    return _bytes(root)


def returned(
    message_id: str, file_id: str, payments: Sequence[tuple[str, Money, str]], on: date
) -> bytes:
    """Return a pacs.004: for each payment (EndToEndId, amount, reason), given back on a day."""
    root, body = _document(RETURN, "PmtRtr", message_id)
    head = body[0]
    _add(head, "NbOfTxs", str(len(payments)))
    _add(head, "SttlmInf/SttlmMtd", "INDA")
    group = _add(body, "OrgnlGrpInf")
    _add(group, "OrgnlMsgId", file_id)
    _add(group, "OrgnlMsgNmId", "pain.001.001.09")
    for end_to_end_id, amount, reason in payments:
        each = _add(body, "TxInf")
        _add(each, "OrgnlEndToEndId", end_to_end_id)
        _money(each, "RtrdIntrBkSttlmAmt", amount)
        _add(each, "IntrBkSttlmDt", on.isoformat())
        _add(each, "RtrRsnInf/Rsn/Cd", reason)
    return _bytes(root)


def statement(head: StatementHead, movements: Sequence[Movement]) -> bytes:
    """Return a camt.053 of one day: what the account held before, each line, what it holds."""
    root, body = _document(STATEMENT, "BkToCstmrStmt", head.name)
    made = _add(body, "Stmt")
    _add(made, "Id", head.name)
    _add(made, "ElctrncSeqNb", str(head.number))
    _add(made, "CreDtTm", clock.now().isoformat(timespec="seconds"))
    span = _add(made, "FrToDt")
    _add(span, "FrDtTm", f"{head.on}T00:00:00Z")
    _add(span, "ToDtTm", f"{head.on}T23:59:59Z")
    account = _add(made, "Acct")
    _add(account, "Id/IBAN" if head.account.is_iban else "Id/Othr/Id", head.account.value)
    _add(account, "Ccy", head.currency)
    moved = sum(each.amount.minor if each.is_credit else -each.amount.minor for each in movements)
    for code, minor in (("OPBD", head.opening), ("CLBD", head.opening + moved)):
        balance = _add(made, "Bal")
        _add(balance, "Tp/CdOrPrtry/Cd", code)
        _money(balance, "Amt", Money(abs(minor), head.currency))
        _add(balance, "CdtDbtInd", "CRDT" if minor >= 0 else "DBIT")
        _add(balance, "Dt/Dt", head.on.isoformat())
    for movement in movements:
        _entry(made, movement, head.on)
    return _bytes(root)


def _entry(made: Node, movement: Movement, on: date) -> None:
    side = "CRDT" if movement.is_credit else "DBIT"
    entry = _add(made, "Ntry")
    _money(entry, "Amt", movement.amount)
    _add(entry, "CdtDbtInd", side)
    _add(entry, "Sts/Cd", "BOOK")
    _add(entry, "BookgDt/Dt", on.isoformat())
    _add(entry, "ValDt/Dt", on.isoformat())
    _add(entry, "AcctSvcrRef", movement.reference)
    code = _add(entry, "BkTxCd/Domn")
    _add(code, "Cd", "PMNT")
    family = _add(code, "Fmly")
    sub_family = "RRTN" if movement.return_reason else "XBCT"
    _add(family, "Cd", "RCDT" if movement.is_credit and not movement.return_reason else "ICDT")
    _add(family, "SubFmlyCd", sub_family)
    detail = _add(entry, "NtryDtls/TxDtls")
    if movement.end_to_end_id:
        _add(detail, "Refs/EndToEndId", movement.end_to_end_id)
    _money(detail, "Amt", movement.amount)
    _add(detail, "CdtDbtInd", side)
    party = "Dbtr" if movement.is_credit else "Cdtr"
    _add(detail, f"RltdPties/{party}/Pty/Nm", movement.counterparty)
    if movement.text:
        _add(detail, "RmtInf/Ustrd", movement.text)
    if movement.return_reason:
        _add(detail, "RtrInf/Rsn/Cd", movement.return_reason)


def _document(namespace: str, kind: str, message_id: str) -> tuple[Node, Node]:
    root = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})
    body = _add(root, kind)
    head = _add(body, "GrpHdr")
    _add(head, "MsgId", message_id)
    _add(head, "CreDtTm", clock.now().isoformat(timespec="seconds"))
    return root, body


def _add(parent: Node, path: str, text: str | None = None) -> Node:
    """Add the elements of `path` below `parent`, in its namespace; return the last one."""
    namespace = etree.QName(parent).namespace
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{namespace}}}{name}")
    parent.text = text
    return parent


def _money(parent: Node, name: str, amount: Money) -> None:
    _add(parent, name, f"{amount.amount:f}").set("Ccy", amount.currency)


def _bytes(root: Node) -> bytes:
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written
