"""The figures of a fund's position: what each is called, and which accounts it is the balance of.

Every figure is a sum over entries of the books, so that it can be opened down to each of them. The
sign says which side makes the figure grow: revenue is a credit in the books, above zero on a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from babel.support import LazyProxy

from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.ledger.models import AccountKind, TransactionKind


class Figure(Labelled):
    """What can be asked of a fund's books, and opened."""

    RECEIVED = "received", _l("Contributions received")
    AGREED = "agreed", _l("Agreed, not yet received")
    EXCHANGE = "exchange", _l("Gain or loss on exchange")
    RATE_GAIN = "exchange-on-contributions", _l("Gain or loss on exchange of contributions")
    CHARGES = "charges", _l("Bank and card charges")
    DISBURSED = "disbursed", _l("Disbursed to grantees")
    ADVANCES = "advances", _l("Advances not yet accounted for")
    EXPENDITURE = "expenditure", _l("Grant expenditure")
    REFUNDS = "refunds", _l("Refunds due from grantees")
    COMMITTED = "committed", _l("Committed, not yet paid")
    SUPPORT = "support-costs", _l("Support costs charged")
    SUPPORT_OWED = "support-costs-payable", _l("Support costs not yet paid over")
    AGENTS = "paying-agents", _l("Due to paying agents")
    BANK = "bank", _l("In the bank")
    TRANSIT = "in-transit", _l("Payments on their way")
    CARD = "card-clearing", _l("With the card processor")
    SUSPENSE = "suspense", _l("Unmatched in the bank statements")


@dataclass(frozen=True)
class Meaning:
    """Which accounts a figure sums, on which side it grows (+1 debit, −1 credit), and in words.

    With a `cause`, only what bookings of that kind moved there is summed.
    """

    accounts: tuple[AccountKind, ...]
    sign: int
    words: LazyProxy
    cause: TransactionKind | None = None


MEANINGS: Mapping[Figure, Meaning] = {
    Figure.RECEIVED: Meaning(
        (AccountKind.CONTRIBUTION_REVENUE, AccountKind.CONTRIBUTIONS_RECEIVABLE),
        -1,
        _l(
            "What donors gave, less what of it is still owed or went back to them; what came under "
            "an agreement at the rate at which the books expected it."
        ),
    ),
    Figure.AGREED: Meaning(
        (AccountKind.CONTRIBUTIONS_RECEIVABLE,),
        1,
        _l("What donors owe under signed agreements."),
    ),
    Figure.EXCHANGE: Meaning(
        (AccountKind.EXCHANGE_DIFFERENCE,),
        -1,
        _l("What changes in rates brought; below zero for a loss."),
    ),
    Figure.RATE_GAIN: Meaning(
        (AccountKind.EXCHANGE_DIFFERENCE,),
        -1,
        _l(
            "What rates brought between the agreement and the day on which the money arrived. "
            "With it, contributions received are what the receipts of donors say."
        ),
        TransactionKind.CONTRIBUTION_RECEIVED,
    ),
    Figure.CHARGES: Meaning(
        (AccountKind.BANK_CHARGES,), 1, _l("What the bank and the card processor took.")
    ),
    Figure.DISBURSED: Meaning(
        (
            AccountKind.ADVANCES_TO_GRANTEES,
            AccountKind.GRANT_EXPENDITURE,
            AccountKind.REFUNDS_RECEIVABLE,
        ),
        1,
        _l("What was paid to grantees and has not come back."),
    ),
    Figure.ADVANCES: Meaning(
        (AccountKind.ADVANCES_TO_GRANTEES,),
        1,
        _l("Paid, and no accepted report says yet how it was spent."),
    ),
    Figure.EXPENDITURE: Meaning(
        (AccountKind.GRANT_EXPENDITURE,), 1, _l("Accepted as spent, and debts written off.")
    ),
    Figure.REFUNDS: Meaning(
        (AccountKind.REFUNDS_RECEIVABLE,), 1, _l("What grantees have to give back.")
    ),
    Figure.COMMITTED: Meaning((), 1, _l("Set aside for grants, and not yet paid.")),
    Figure.SUPPORT: Meaning(
        (AccountKind.SUPPORT_COSTS,), 1, _l("Charged on accepted expenditure.")
    ),
    Figure.SUPPORT_OWED: Meaning(
        (AccountKind.SUPPORT_COSTS_PAYABLE,), -1, _l("Charged, and still in the fund’s bank.")
    ),
    Figure.AGENTS: Meaning(
        (AccountKind.PAYING_AGENTS,),
        -1,
        _l("Paid by an agent for the fund, and not yet paid back to it."),
    ),
    Figure.BANK: Meaning((AccountKind.BANK,), 1, _l("By the books, at the rates of the bookings.")),
    Figure.TRANSIT: Meaning(
        (AccountKind.PAYMENTS_IN_TRANSIT,), 1, _l("Ordered, and not yet debited by the bank.")
    ),
    Figure.CARD: Meaning(
        (AccountKind.CARD_CLEARING,), 1, _l("Given by card, and not yet paid out.")
    ),
    Figure.SUSPENSE: Meaning(
        (AccountKind.SUSPENSE,),
        1,
        _l("Nobody has said for what; or card gifts on their way to the fund they are for."),
    ),
}
"""The accounts that a figure is the balance of; commitments are memo entries beside them."""


def words_of(kind: AccountKind) -> str:
    """Return what an account means, as the position says it; empty where it is in no figure alone.

    The yearly account says the same words beside the same balance.
    """
    alone = (each for each in MEANINGS.values() if each.accounts == (kind,) and not each.cause)
    meaning = next(alone, None)
    return str(meaning.words) if meaning else ""
