"""What helps whoever verifies bank details: the word of registries, and doubts."""

from dataclasses import dataclass

from portal.core.i18n import _
from portal.payments.iso20022 import letters
from portal.payments.payees.details import Payee
from portal.payments.payees.faults import INSTITUTION
from portal.payments.payees.registries import (
    country_name,
    iban_spec,
    is_iban,
    is_official,
    iso2,
)


@dataclass(frozen=True)
class KnownBank:
    """What the public registries say of a bank. `country` is a name in the reader's language."""

    name: str
    country: str
    bic: str


@dataclass(frozen=True)
class Checks:
    """What helps whoever verifies: the registries' word, doubts, the name as banks will read it.

    `written` is empty where the holder's name stands in payment files as it was typed.
    """

    known: KnownBank | None
    doubts: list[str]
    written: str


def checks(clean: Payee) -> Checks:
    """Return what registries and standards say of bank details that were entered."""
    written = letters.latin(clean.holder)
    return Checks(known_bank(clean), doubts(clean), "" if written == clean.holder else written)


def doubts(clean: Payee) -> list[str]:
    """Return what does not forbid an account, yet should be looked at before money goes there."""
    found = []
    where = iso2(clean.country)
    if is_official(iban_spec(where)) and not is_iban(clean.account):
        found.append(
            _(
                "Banks of this country (%(country)s) give their accounts an IBAN, which begins "
                "with %(code)s, but this is a number. Ask the bank for the IBAN: without it a "
                "payment may come back.",
                country=country_name(where),
                code=where,
            )
        )
    known = known_bank(clean)
    if known and known.bic and clean.bic and known.bic[:INSTITUTION] != clean.bic[:INSTITUTION]:
        found.append(
            _(
                "By the registry this IBAN is kept by the bank with the BIC %(known)s, but the "
                "BIC given is %(typed)s.",
                known=known.bic,
                typed=clean.bic,
            )
        )
    return found


def known_bank(clean: Payee) -> KnownBank | None:
    """Return what the registries say of the bank: of an IBAN's, else of a BIC's; None if nothing.

    They are far from complete: a bank that they do not know may be a sound one.
    """
    from schwifty import BIC, IBAN

    if is_iban(clean.account):
        bank = IBAN(clean.account).bank
        if bank is not None:
            return KnownBank(bank.name, country_name(bank.country_code), bank.bic or "")
    if not clean.bic:
        return None
    bic = BIC(clean.bic)
    names = bic.bank_names
    return KnownBank(names[0], country_name(bic.country_code), clean.bic) if names else None
