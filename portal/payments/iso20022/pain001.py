"""Payment files (pain.001.001.09): orders to the bank to transfer money.

One batch per file, each payment booked on its own (BtchBookg false), so that each debit carries
its EndToEndId. Charges are the payer's (DEBT): what was awarded is what arrives. Addresses are
structured: town and country in elements of their own, as banks demand since November 2026.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from lxml import etree

from portal.core.i18n import _
from portal.core.money import Money, total
from portal.core.workflow import Refused
from portal.payments.iso20022 import letters
from portal.payments.iso20022.values import AccountId

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAYER_BEARS_CHARGES = "DEBT"
REMITTANCE_LIMIT = 140
MOST_DIGITS = 18

CLEARING_SYSTEMS = {
    "AT": "ATBLZ",
    "AU": "AUBSB",
    "CA": "CACPA",
    "CH": "CHBCC",
    "CN": "CNAPS",
    "DE": "DEBLZ",
    "ES": "ESNCC",
    "GB": "GBDSC",
    "GR": "GRBIC",
    "HK": "HKNCC",
    "IE": "IENCC",
    "IN": "INFSC",
    "IT": "ITNCC",
    "JP": "JPZGN",
    "NZ": "NZNCC",
    "PL": "PLKNR",
    "PT": "PTNCC",
    "RU": "RUCBC",
    "SE": "SESBA",
    "SG": "SGIBG",
    "TH": "THCBC",
    "TW": "TWNCC",
    "US": "USABA",
    "ZA": "ZANCC",
}
"""National clearings by country (ISO's external list); elsewhere a number stands alone."""

_ACCOUNT = re.compile(r"[A-Z0-9]{1,34}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_MEMBER = re.compile(r"[A-Z0-9]{1,35}")


@dataclass(frozen=True, slots=True)
class Party:
    """Who pays or is paid: the holder of an account, and the bank that keeps it.

    `bic` names the bank, or else `clearing_code`, its number in its country's clearing (an ABA
    routing number, a sort code); `bank_name` helps where neither is known. `country` is the ISO
    3166 alpha-2 code of the bank's country, `town` the branch's. `intermediary_bic` is the bank
    through which the payee's bank is reached, `intermediary_account` the account that it keeps
    there.
    """

    name: str
    account: AccountId
    bic: str
    clearing_code: str
    bank_name: str
    country: str
    town: str
    intermediary_bic: str = ""
    intermediary_account: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment. `end_to_end_id` is unique per attempt and comes back in every answer."""

    end_to_end_id: str
    instruction_id: str
    amount: Money
    creditor: Party
    remittance: str


def write_pain001(
    *,
    message_id: str,
    created_at: datetime,
    execute_on: date,
    debtor: Party,
    transfers: Sequence[Transfer],
) -> bytes:
    """Return a file of one batch, whose PmtInfId is its MsgId: equal input gives equal bytes.

    All amounts are in the currency of the debtor's account. Raises Refused for a reference that a
    bank would cut or change, for a name of which nothing is left in the letters that banks take,
    for an account or bank that cannot be, for no transfers, two currencies, or the same EndToEndId
    twice.
    """
    _check(transfers)
    counted = [("NbOfTxs", str(len(transfers))), ("CtrlSum", _sum(transfers))]
    document = etree.Element(_tag("Document"), nsmap={None: NAMESPACE})
    body = _add(document, "CstmrCdtTrfInitn")
    header = _add(body, "GrpHdr")
    _texts(header, ("MsgId", letters.reference(message_id)))
    _texts(header, ("CreDtTm", created_at.astimezone(UTC).isoformat(timespec="seconds")))
    _texts(header, *counted)
    _texts(_add(header, "InitgPty"), ("Nm", letters.name(debtor.name)))
    batch = _add(body, "PmtInf")
    _texts(batch, ("PmtInfId", message_id), ("PmtMtd", "TRF"), ("BtchBookg", "false"), *counted)
    _texts(_add(batch, "ReqdExctnDt"), ("Dt", execute_on.isoformat()))
    _party(_add(batch, "Dbtr"), debtor)
    _account(batch, "DbtrAcct", debtor.account, currency=transfers[0].amount.currency)
    _agent(_add(batch, "DbtrAgt"), debtor)
    _texts(batch, ("ChrgBr", PAYER_BEARS_CHARGES))
    for transfer in transfers:
        _transfer(_add(batch, "CdtTrfTxInf"), transfer)
    written: bytes = etree.tostring(document, encoding="UTF-8", xml_declaration=True)
    return written


def _check(transfers: Sequence[Transfer]) -> None:
    if not transfers:
        raise Refused(_("A payment file holds at least one payment."))
    if len({transfer.amount.currency for transfer in transfers}) > 1:
        raise Refused(_("A payment file holds payments of one currency only."))
    if any(transfer.amount.minor <= 0 for transfer in transfers):
        raise Refused(_("A payment is above zero."))
    if len({transfer.end_to_end_id for transfer in transfers}) < len(transfers):
        raise Refused(_("A payment file holds the same payment twice."))


def _sum(transfers: Sequence[Transfer]) -> str:
    amounts = [transfer.amount for transfer in transfers]
    whole = total(amounts, amounts[0].currency)
    if len(str(whole.minor)) > MOST_DIGITS:
        raise Refused(_("The payments add up to more than a payment file can say."))
    return f"{whole.amount:f}"


def _transfer(element: Any, transfer: Transfer) -> None:
    creditor = transfer.creditor
    ids = _add(element, "PmtId")
    if transfer.instruction_id:
        _texts(ids, ("InstrId", letters.reference(transfer.instruction_id)))
    _texts(ids, ("EndToEndId", letters.reference(transfer.end_to_end_id)))
    amount = _add(_add(element, "Amt"), "InstdAmt")
    amount.set("Ccy", transfer.amount.currency)
    amount.text = f"{transfer.amount.amount:f}"
    if creditor.intermediary_bic:
        bank = _add(_add(element, "IntrmyAgt1"), "FinInstnId")
        _texts(bank, ("BICFI", _sound(_BIC, creditor.intermediary_bic)))
    _agent(_add(element, "CdtrAgt"), creditor)
    if creditor.intermediary_account:
        kept_there = AccountId(creditor.intermediary_account, is_iban=False)
        _account(element, "CdtrAgtAcct", kept_there)
    _party(_add(element, "Cdtr"), creditor)
    _account(element, "CdtrAcct", creditor.account)
    remittance = letters.latin(transfer.remittance, REMITTANCE_LIMIT)
    if remittance:
        _texts(_add(element, "RmtInf"), ("Ustrd", remittance))


def _party(element: Any, party: Party) -> None:
    _texts(element, ("Nm", letters.name(party.name)))
    _address(element, party)


def _address(element: Any, party: Party) -> None:
    address = _add(element, "PstlAdr")
    town = letters.latin(party.town, letters.TOWN_LIMIT)
    if town:
        _texts(address, ("TwnNm", town))
    _texts(address, ("Ctry", _sound(_COUNTRY, party.country)))


def _agent(element: Any, party: Party) -> None:
    """Name the bank of a party: by its BIC, else by its number in the clearing and its name."""
    bank = _add(element, "FinInstnId")
    if party.bic:
        _texts(bank, ("BICFI", _sound(_BIC, party.bic)))
        return
    if party.clearing_code:
        member = _add(bank, "ClrSysMmbId")
        if party.country in CLEARING_SYSTEMS:
            _texts(_add(member, "ClrSysId"), ("Cd", CLEARING_SYSTEMS[party.country]))
        _texts(member, ("MmbId", _sound(_MEMBER, party.clearing_code)))
    bank_name = letters.latin(party.bank_name)
    if bank_name:
        _texts(bank, ("Nm", bank_name))
    _address(bank, party)


def _account(element: Any, name: str, account: AccountId, currency: str = "") -> None:
    place = _add(element, name)
    number = _sound(_ACCOUNT, account.value)
    identified = _add(place, "Id")
    _texts(
        identified if account.is_iban else _add(identified, "Othr"),
        ("IBAN" if account.is_iban else "Id", number),
    )
    if currency:
        _texts(place, ("Ccy", currency))


def _sound(shape: re.Pattern[str], text: str) -> str:
    if not shape.fullmatch(text):
        raise Refused(_("No bank would take %(text)s in its place.", text=f"“{text}”"))
    return text


def _add(parent: Any, name: str) -> Any:
    return etree.SubElement(parent, _tag(name))


def _texts(parent: Any, *texts: tuple[str, str]) -> None:
    for name, text in texts:
        _add(parent, name).text = text


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
