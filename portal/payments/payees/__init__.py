"""Where a payee's money goes, held to registries and national standards; pure."""

from portal.payments.payees.checks import Checks, KnownBank, checks, doubts, known_bank
from portal.payments.payees.details import Payee, body, cleaned
from portal.payments.payees.faults import Unpayable, checked, faults
from portal.payments.payees.naming import account_id, party, same_account

__all__ = [
    "Checks",
    "KnownBank",
    "Payee",
    "Unpayable",
    "account_id",
    "body",
    "checked",
    "checks",
    "cleaned",
    "doubts",
    "faults",
    "known_bank",
    "party",
    "same_account",
]
