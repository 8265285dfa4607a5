"""Why a bank did not pay: its codes in plain words, and which of them tell of the account.

The codes are those of ISO 20022 (external code sets of status and return reasons) and of the card
processor's payouts. In both the debtor is the fund and the creditor is the grantee: a code about
the debtor (AC02, AC05, AC10, AC13, BE05, BE07, RC03) tells of the fund's own account, and casts no
doubt on the grantee's. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from babel.support import LazyProxy

from portal.core.i18n import _, _l

_PAYEE: Mapping[str, LazyProxy] = {
    "AC01": _l("The account number is wrong or missing"),
    "AC03": _l("The payee's account number is wrong or missing"),
    "AC04": _l("The account is closed"),
    "AC06": _l("The account is blocked"),
    "AC07": _l("The payee's account is closed"),
    "AC08": _l("The code of the branch is wrong or missing"),
    "AC09": _l("The account is kept in another currency"),
    "AC11": _l("The payee's account is kept in another currency"),
    "AC12": _l("This type of account cannot be paid to"),
    "AC14": _l("The payee's type of account cannot be paid to"),
    "AC15": _l("The particulars of the account have changed"),
    "AC17": _l("The account is being wound up"),
    "AG01": _l("Such payments are not allowed on this account"),
    "AG06": _l("The country of the payee's bank is wrong or missing"),
    "AG11": _l("The payee's bank is suspended"),
    "AGNT": _l("The bank named is not the right one"),
    "BE01": _l("The account holder is not the payee that was named"),
    "BE04": _l("The payee's address is wrong or missing"),
    "BE06": _l("The bank does not know the payee"),
    "BE10": _l("The country of the payee's address is wrong or missing"),
    "BE11": _l("The payee's country is wrong or missing"),
    "BE22": _l("The payee's name is missing"),
    "CNOR": _l("The payee's bank does not take part in this way of paying"),
    "MD07": _l("The account holder has died"),
    "RC01": _l("The code of the bank is wrong or missing"),
    "RC04": _l("The code of the payee's bank is wrong or missing"),
    "RC07": _l("The BIC of the payee's bank is wrong or missing"),
    "RC10": _l("The national code of the payee's bank is wrong or missing"),
    "RC11": _l("The intermediary bank is wrong or missing"),
    "RR03": _l("The payee's name or address is missing"),
    "account_closed": _l("The account is closed"),
    "account_frozen": _l("The account is blocked"),
    "account_number_invalid": _l("The account number is wrong"),
    "bank_account_declined": _l("The account cannot be paid to"),
    "bank_account_restricted": _l("Such payments are not allowed on this account"),
    "bank_account_unusable": _l("The account cannot be paid to"),
    "bank_ownership_changed": _l("The bank was taken over, and the account is no longer valid"),
    "incorrect_account_address": _l("The payee's address is wrong"),
    "incorrect_account_holder_address": _l("The payee's address is wrong"),
    "incorrect_account_holder_details": _l("The account holder is not the payee that was named"),
    "incorrect_account_holder_name": _l("The account holder is not the payee that was named"),
    "incorrect_account_holder_tax_id": _l("The account holder's tax number is wrong"),
    "incorrect_account_type": _l("This type of account cannot be paid to"),
    "invalid_account_number": _l("The account number is wrong"),
    "invalid_account_number_length": _l("The account number is too long or too short"),
    "invalid_currency": _l("The account is kept in another currency"),
    "no_account": _l("The bank has no such account"),
    "routing_number_invalid": _l("The code of the bank is wrong"),
}
"""Reasons that lie in the grantee's account, or in what was told of it."""

_OTHER: Mapping[str, LazyProxy] = {
    "AC02": _l("The fund's own account number is wrong or missing"),
    "AC05": _l("The fund's own account is closed"),
    "AC10": _l("The fund's own account is kept in another currency"),
    "AC13": _l("The fund's own type of account does not allow it"),
    "AG02": _l("The bank does not know this type of payment"),
    "AG03": _l("The bank does not offer this type of payment on the account"),
    "AM01": _l("The amount is zero"),
    "AM02": _l("The amount is above what is allowed"),
    "AM03": _l("The currency is not allowed"),
    "AM04": _l("There is not enough money on the fund's account"),
    "AM05": _l("The bank has this payment already"),
    "AM06": _l("The amount is too small"),
    "AM07": _l("The amount is blocked"),
    "AM09": _l("Another amount was paid than was agreed"),
    "AM10": _l("The sum of the file does not fit its payments"),
    "AM12": _l("The amount is wrong or missing"),
    "AM14": _l("The amount is above what was agreed with the bank"),
    "AM18": _l("The number of payments does not fit the file"),
    "BE05": _l("The bank does not know who sent the file"),
    "BE07": _l("The fund's own address is wrong or missing"),
    "CURR": _l("The currency is wrong"),
    "CUST": _l("The payee or the fund asked for it"),
    "DT01": _l("The day of the payment is wrong"),
    "DU01": _l("The bank has this file already"),
    "DU02": _l("The bank has this file already"),
    "DU03": _l("The bank has this payment already"),
    "DU04": _l("The bank has this payment already"),
    "DU05": _l("The bank has this payment already"),
    "DUPL": _l("The bank has this payment already"),
    "ED05": _l("The banks could not settle it between them"),
    "FF01": _l("The bank cannot read the form of the file"),
    "FOCR": _l("It was called back, as was asked"),
    "FRAD": _l("The bank suspects fraud"),
    "LEGL": _l("The law forbids it"),
    "MS02": _l("The payee gave no reason"),
    "MS03": _l("The bank gave no reason"),
    "NARR": _l("The bank gives the reason in its own words"),
    "NOAS": _l("The payee did not answer the bank"),
    "RC03": _l("The code of the fund's own bank is wrong or missing"),
    "RF01": _l("The reference was used before"),
    "RR04": _l("Rules of supervision forbid it"),
    "TECH": _l("It failed for technical reasons"),
    "TM01": _l("It came after the bank's closing hour"),
    "balance_insufficient": _l("There is not enough money with the card processor"),
    "could_not_process": _l("The payee's bank could not take it"),
    "insufficient_funds": _l("There is not enough money with the card processor"),
}
"""Reasons that lie elsewhere: with the fund, its bank, the amount or the file."""

_DUPLICATES = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL", "RF01"})
"""Reasons of a bank that has the payment, or its whole file, already (ISO 20022, external code set
of status reasons: AM05 duplication, DU01 to DU05 duplicate message, batch, transaction, end-to-end
and instruction identification, DUPL duplicate payment, RF01 transaction reference not unique)."""

_STATUSES: Mapping[str, LazyProxy] = {
    "ACCC": _l("Paid to the payee's account"),
    "ACCP": _l("Accepted"),
    "ACSC": _l("Paid"),
    "ACSP": _l("Accepted, being paid"),
    "ACTC": _l("Sound in form"),
    "ACWC": _l("Accepted with a change"),
    "PART": _l("Accepted in part"),
    "PDNG": _l("Not decided yet"),
    "RCVD": _l("Received"),
    "RJCT": _l("Refused"),
}
"""What a bank says of a whole file, before its reasons."""

_BETWEEN = "; "
_CODE = re.compile(
    r"(?P<code>[A-Z]{4}|[A-Z]{2}[0-9]{2}|[a-z]+(?:_[a-z]+)+)(?: (?P<text>.*))?", re.DOTALL
)


@dataclass(frozen=True)
class Told:
    """One reason: the bank's code, in plain words where we know it, and what the bank wrote."""

    code: str
    words: LazyProxy
    text: str

    def __str__(self) -> str:
        """Return it for a reader: plain words, the code in brackets, the bank's own words."""
        plain = f"{self.words} ({self.code})"
        return _("%(reason)s: “%(text)s”", reason=plain, text=self.text) if self.text else plain


def coded(code: str, text: str) -> str:
    """Return a reason as it is kept: the code first, then what the bank wrote."""
    return " ".join(filter(None, [code, text]))


def together(pieces: Iterable[str]) -> str:
    """Return several reasons as they are kept."""
    return _BETWEEN.join(filter(None, pieces))


def in_words(kept: str) -> str:
    """Return kept reasons in plain words, each code in brackets; what has no code as it is."""
    return _BETWEEN.join(str(told or piece) for piece, told in _read(kept))


def answer_in_words(kept: str) -> str:
    """Return what the bank said of a whole file, a status and codes of reasons, in plain words."""
    words = {**_STATUSES, **_PAYEE, **_OTHER}
    return _BETWEEN.join(
        f"{words[code]} ({code})" if code in words else code for code in kept.split()
    )


def tells_of_a_duplicate(codes: Iterable[str]) -> bool:
    """Say whether a refusal means that the bank has it already: that never means “not paid”."""
    return not _DUPLICATES.isdisjoint(code.strip().upper() for code in codes)


def of_the_account(kept: str) -> str:
    """Return those of the kept reasons that lie in the grantee's account; empty for none."""
    return _BETWEEN.join(
        piece for piece, told in _read(kept) if told is not None and told.code in _PAYEE
    )


def _read(kept: str) -> Iterator[tuple[str, Told | None]]:
    """Yield each piece of what was kept, with its reason where it begins with a code we know."""
    for piece in kept.split(_BETWEEN):
        found = _CODE.fullmatch(piece)
        words = found and (_PAYEE.get(found["code"]) or _OTHER.get(found["code"]))
        yield piece, Told(found["code"], words, found["text"] or "") if found and words else None
