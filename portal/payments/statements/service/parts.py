"""A line, or a part of it, and what it is said to be."""

from dataclasses import dataclass

from portal.accounts.models import Person
from portal.contributions.models import Contribution, ContributionAgreement, Donor
from portal.core.db import session
from portal.core.money import Money
from portal.ledger.models import AccountKind, ExchangeRate
from portal.ledger.rules import Rate
from portal.payments.models import PaymentOrder, Receivable
from portal.payments.statements.models import LineStatus, Purpose, StatementLine


def rate_of(line: StatementLine) -> Rate | None:
    """Return the rate at which a line was taken in, none for US$. At most one SQL statement.

    A rate that is corrected later changes nothing of the US$ that the line was given with it.
    """
    if line.rate_id is None:
        return None
    row = session.get_one(ExchangeRate, line.rate_id)
    return Rate(row.currency, row.units_per_usd, row.effective_on, row.source, row.id)


@dataclass(frozen=True)
class Target:
    """What a line is said to be. `amount` is signed as the line's; none means all that is left.

    `settles` is how much of an `agreement` in another currency it settles, in that currency. Of a
    payment that several lines are together, the first has what is `beside` it, above zero; the
    others have their `number`, from two on.
    """

    purpose: Purpose
    amount: int | None = None
    order: PaymentOrder | None = None
    receivable: Receivable | None = None
    agreement: ContributionAgreement | None = None
    settles: Money | None = None
    donor: Donor | None = None
    contribution: Contribution | None = None
    payout_ref: str = ""
    counterpart: StatementLine | None = None
    beside: Money | None = None
    number: int = 1


@dataclass(frozen=True)
class Part:
    """A part of a line on its way into the books. `money` is above zero."""

    line: StatementLine
    target: Target
    money: Money
    dollars: Money
    rate: Rate | None
    ref: str
    by: Person | None
    reason: str

    @property
    def fund(self) -> str:
        """The fund whose account it is."""
        return self.line.statement.bank_account.fund_code

    @property
    def through(self) -> AccountKind:
        """The account that it goes through."""
        waited = self.line.status is LineStatus.SUSPENSE
        return AccountKind.SUSPENSE if waited else AccountKind.BANK

    @property
    def signed(self) -> Money:
        """The amount as the line's: a credit is positive."""
        return self.money if self.line.is_credit else -self.money

    @property
    def local(self) -> Money | None:
        """The amount in the account's currency, none for US$."""
        return None if self.rate is None else self.money
