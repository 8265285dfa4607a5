"""Registries of IBANs, and standards of national numbers.

`schwifty` takes a tenth of a second to import, which only those pay who enter or check an account.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from stdnum.ar import cbu
from stdnum.es import ccc
from stdnum.no import kontonr
from stdnum.nz import bankaccount
from stdnum.us import rtn

from portal.core.i18n import locale
from portal.funds import countries

if TYPE_CHECKING:
    from schwifty.domain import IBANSpec

SHORTEST_IBAN = 15

NATIONAL_ACCOUNTS: dict[str, ModuleType] = {
    "AR": cbu,
    "ES": ccc,
    "NO": kontonr,
    "NZ": bankaccount,
}
"""Standards of account numbers with check digits, by country (ISO alpha-2)."""

NATIONAL_BANKS: dict[str, ModuleType] = {"US": rtn}
"""Standards of bank codes with check digits."""


def iso2(iso3: str) -> str:
    """Return a country's ISO alpha-2 code. KeyError where there is no such country."""
    return countries.country(iso3).iso2


def country_name(where: str) -> str:
    """Return a country's name in the reader's language, or its code where we have none."""
    iso3 = next((one.iso3 for one in countries.all_countries() if one.iso2 == where), None)
    if iso3 is not None:
        return countries.display_name(iso3, locale())
    return str(locale().territories.get(where, where))


def iban_spec(where: str) -> "IBANSpec | None":
    """Return how IBANs of a country are made; None where it has none."""
    from schwifty import registry
    from schwifty.exceptions import InvalidCountryCode

    try:
        return registry.get_iban_spec(where)
    except InvalidCountryCode:
        return None


def claims_to_be_iban(account: str, where: str) -> bool:
    """Say whether an account begins as an IBAN of this country does, or is long and as any does."""
    if not account[2:4].isdigit() or iban_spec(account[:2]) is None:
        return False
    return account[:2] == where or len(account) >= SHORTEST_IBAN


def is_official(spec: "IBANSpec | None") -> bool:
    """Say whether a country's IBANs are in the registry that banks use."""
    return spec is not None and not spec.aspirational


def is_iban(account: str) -> bool:
    """Say whether an account is a sound IBAN of a country in the registry that banks use."""
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    try:
        IBAN(account)
    except SchwiftyException:
        return False
    return is_official(iban_spec(account[:2]))
