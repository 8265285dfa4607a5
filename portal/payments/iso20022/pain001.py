"""Payment files (pain.001.001.09): orders to the bank to transfer money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from portal.core.money import Money
from portal.payments.iso20022.values import AccountId


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

    Raises Refused for a reference that banks would cut or change, for a name of which nothing is
    left in the letters that banks take, for no transfers, or for the same EndToEndId twice.
    """
    raise NotImplementedError
