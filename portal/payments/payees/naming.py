"""One account, one name: for payment files, and for finding the same account again."""

from typing import TYPE_CHECKING

from portal.payments.iso20022 import AccountId, Party
from portal.payments.payees.details import Payee
from portal.payments.payees.registries import (
    NATIONAL_ACCOUNTS,
    claims_to_be_iban,
    iban_spec,
    is_iban,
    iso2,
)

if TYPE_CHECKING:
    from schwifty.domain import IBANSpec


def account_id(account: str) -> AccountId:
    """Return an account as bank messages name it: an IBAN of the registry, else a number."""
    return AccountId(account, is_iban=is_iban(account))


def party(payee: Payee) -> Party:
    """Return a payee as payment files name it."""
    return Party(
        name=payee.holder,
        account=account_id(payee.account),
        bic=payee.bic,
        clearing_code=payee.clearing_code,
        bank_name=payee.bank,
        country=iso2(payee.country),
        town=payee.town,
        intermediary_bic=payee.intermediary_bic,
        intermediary_account=payee.intermediary_account,
    )


def same_account(clean: Payee) -> str:
    """Return a text that is equal for the same account, however it was written down."""
    where = iso2(clean.country)
    national = NATIONAL_ACCOUNTS.get(where)
    account = _as_iban(clean, where)
    if not account and national is not None and national.is_valid(clean.account):
        account = national.compact(clean.account)
    return f"{clean.country}:{account or clean.account}"


def _as_iban(clean: Payee, where: str) -> str:
    """Return the IBAN of a national number where its parts are known; empty where they are not.

    The number is the whole of what follows the check digits, alone or after the bank's code; or it
    is the account's part of it, beside the bank's.
    """
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    spec = iban_spec(where)
    if spec is None or claims_to_be_iban(clean.account, where):
        return ""
    try:
        for whole in (clean.account, clean.clearing_code + clean.account):
            if len(whole) == spec.bban_length:
                return str(IBAN.from_bban(where, whole))
        bank, branch = _bank_and_branch(clean, spec)
        return str(IBAN.generate(where, bank, clean.account, branch_code=branch)) if bank else ""
    except (SchwiftyException, ValueError):
        return ""


def _bank_and_branch(clean: Payee, spec: "IBANSpec") -> tuple[str, str]:
    """Return the bank's and the branch's part of an IBAN; empty where the code is neither.

    In some countries, such as the United Kingdom, the bank's part are the BIC's first letters and
    the national code is the branch's.
    """
    sizes = {part.value: at.end - at.start for part, at in spec.positions.items()}
    bank, branch = sizes.get("bank_code", 0), sizes.get("branch_code", 0)
    code = clean.clearing_code
    letters_of_bank = clean.bic[:bank]
    if branch and len(code) == branch and letters_of_bank.isalpha():
        code = letters_of_bank + code
    return (code[:bank], code[bank:]) if len(code) in {bank, bank + branch} else ("", "")
