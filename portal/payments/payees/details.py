"""Bank details as they are entered, and the one text of them that is sealed."""

import re
from dataclasses import asdict, dataclass

from portal.core.text import canonical_json, normalise

NEW_FIELDS = ("clearing_code", "intermediary_bic", "intermediary_account")
"""What a payee had no place for at first: left out of the sealed text where it is empty."""


@dataclass(frozen=True)
class Payee:
    """Where money goes, as the payee's bank writes it. `country` is the bank's, ISO alpha-3.

    A number that is no IBAN comes with `bic` or with `clearing_code`, the bank's number in its
    country. Some banks are reached through another one only: `intermediary_bic`, with the account
    that the payee's bank has there.
    """

    holder: str
    bank: str
    country: str
    account: str
    bic: str = ""
    town: str = ""
    clearing_code: str = ""
    intermediary_bic: str = ""
    intermediary_account: str = ""


def compact(code: str) -> str:
    """Return an account number, IBAN or code without spaces and dashes, in capitals."""
    return re.sub(r"[\s\-–.]", "", code).upper()


def cleaned(typed: Payee) -> Payee:
    """Return bank details in their compact form."""
    words = {name: normalise(getattr(typed, name)).strip() for name in ("holder", "bank", "town")}
    codes = {
        name: compact(getattr(typed, name)) for name in ("country", "account", "bic", *NEW_FIELDS)
    }
    return Payee(**words, **codes)


def body(clean: Payee) -> str:
    """Return the canonical text of a payee, which is sealed and whose digest orders carry on."""
    fields = asdict(clean)
    kept = {name: text for name, text in fields.items() if text or name not in NEW_FIELDS}
    return canonical_json(kept).decode()
