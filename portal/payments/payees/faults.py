"""What is wrong with bank details: a sentence that says what to do, for each field.

An account is an IBAN, or a number together with its bank's BIC or national code. IBANs and BICs
are held to the registries in `schwifty`, national numbers to those standards that `python-stdnum`
knows; for most countries there is none, and only the shape is looked at.
"""

from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.funds import countries
from portal.payments.iso20022 import letters
from portal.payments.payees.details import Payee, cleaned
from portal.payments.payees.registries import (
    NATIONAL_ACCOUNTS,
    NATIONAL_BANKS,
    claims_to_be_iban,
    country_name,
    iban_spec,
    is_official,
    iso2,
)

LEAST_ACCOUNT = 4
MOST_ACCOUNT = 34
LEAST_CODE = 2
MOST_NAME = 140
"""The longest name that ISO 20022 messages carry."""

INSTITUTION = 8
"""The part of a BIC that names the bank, without a branch."""


class Unpayable(Refused):
    """Bank details that cannot be; `faults` holds a sentence for each field that is wrong."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(next(iter(faults.values())))
        self.faults = faults


def checked(typed: Payee) -> Payee:
    """Return bank details in their compact form. Raises Unpayable with what to do."""
    clean = cleaned(typed)
    found = faults(clean)
    if found:
        raise Unpayable(found)
    return clean


def faults(clean: Payee) -> dict[str, str]:
    """Return what is wrong with bank details: a sentence that says what to do, by field."""
    found = {
        "holder": _name_fault(clean.holder, _("Give the account holder.")),
        "bank": _name_fault(clean.bank, _("Give the bank.")),
        "town": _name_fault(clean.town) if clean.town else "",
        "country": _country_fault(clean.country),
    }
    if not found["country"]:
        where = iso2(clean.country)
        found |= {
            "account": _account_fault(clean, where),
            "clearing_code": _clearing_fault(clean.clearing_code, where),
            "bic": _bic_fault(clean.bic, where) or _bank_fault(clean, where),
            "intermediary_bic": _intermediary_fault(clean),
            "intermediary_account": _code_fault(clean.intermediary_account),
        }
    return {name: sentence for name, sentence in found.items() if sentence}


def _name_fault(text: str, missing: str = "") -> str:
    if not text:
        return missing
    if len(text) > MOST_NAME:
        return _("Names have at most 140 letters: write them as the bank does.")
    if not letters.latin(text):
        return _("Write the name in letters: banks take nothing else.")
    return ""


def _country_fault(iso3: str) -> str:
    if iso3 in {country.iso3 for country in countries.all_countries()}:
        return ""
    return _("Choose the country of the bank from the list.")


def _account_fault(clean: Payee, where: str) -> str:
    account = clean.account
    if not account:
        return _("Give the account.")
    if not account.isascii() or not account.isalnum():
        return _("An account number has letters A to Z and digits only.")
    if claims_to_be_iban(account, where):
        return _iban_fault(account) or _iban_country_fault(account[:2], where)
    if not LEAST_ACCOUNT <= len(account) <= MOST_ACCOUNT:
        return _("An account number has between 4 and 34 letters and digits.")
    national = NATIONAL_ACCOUNTS.get(where)
    if national is None or national.is_valid(account):
        return ""
    return _(
        "The digits of this account number do not fit each other, by the standard of its country "
        "(%(country)s). Compare it again.",
        country=country_name(where),
    )


def _iban_country_fault(found: str, where: str) -> str:
    if found == where:
        return ""
    return _(
        "This IBAN is of another country (%(found)s) than the bank's (%(country)s). Correct one "
        "of them.",
        found=country_name(found),
        country=country_name(where),
    )


def _iban_fault(account: str) -> str:
    from schwifty import IBAN
    from schwifty.exceptions import InvalidLength, SchwiftyException

    try:
        IBAN(account)
    except InvalidLength:
        spec = iban_spec(account[:2])
        return _(
            "An IBAN that begins with %(code)s has %(length)s letters and digits, this one has "
            "%(count)s. Compare it again.",
            code=account[:2],
            length=spec.iban_length if spec else "",
            count=len(account),
        )
    except SchwiftyException:
        return _("This IBAN has a typing mistake: its check digits do not fit. Compare it again.")
    return ""


def _bic_fault(bic: str, where: str) -> str:
    from schwifty import BIC
    from schwifty.exceptions import SchwiftyException

    if not bic:
        return ""
    try:
        country = BIC(bic).country_code
    except SchwiftyException:
        return _("A BIC has 8 or 11 letters and digits, such as COBADEFF. Compare it again.")
    if country == where:
        return ""
    return _(
        "This BIC is of a bank in another country (%(found)s) than the one chosen (%(country)s). "
        "Correct one of them.",
        found=country_name(country),
        country=country_name(where),
    )


def _bank_fault(clean: Payee, where: str) -> str:
    """Say that a number alone does not name its bank; nor does an IBAN that banks do not know."""
    claims = claims_to_be_iban(clean.account, where)
    if clean.bic or clean.clearing_code or (claims and is_official(iban_spec(clean.account[:2]))):
        return ""
    return _(
        "An account number alone does not say at which bank it is. Give the bank's BIC, or its "
        "national code."
    )


def _clearing_fault(code: str, where: str) -> str:
    if code and len(code) < LEAST_CODE:
        return _("Give the whole code.")
    national = NATIONAL_BANKS.get(where)
    if _code_fault(code) or not code or national is None or national.is_valid(code):
        return _code_fault(code)
    return _(
        "The digits of this code do not fit each other, by the standard of its country "
        "(%(country)s). Compare it again.",
        country=country_name(where),
    )


def _code_fault(code: str) -> str:
    if code and not (code.isascii() and code.isalnum() and len(code) <= MOST_ACCOUNT):
        return _("This has letters A to Z and digits only, and at most 34 of them.")
    return ""


def _intermediary_fault(clean: Payee) -> str:
    from schwifty import BIC
    from schwifty.exceptions import SchwiftyException

    bic = clean.intermediary_bic
    if not bic:
        missing = _("Give the BIC of the intermediary bank too, or neither.")
        return missing if clean.intermediary_account else ""
    try:
        BIC(bic)
    except SchwiftyException:
        return _("A BIC has 8 or 11 letters and digits, such as COBADEFF. Compare it again.")
    if bic[:INSTITUTION] == clean.bic[:INSTITUTION]:
        return _("This is the bank of the account itself. Leave it empty if there is no other.")
    return ""
