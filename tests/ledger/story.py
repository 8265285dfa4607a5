"""What every story of the books stands on: a fund, a bank that keeps its own count, invariants."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from portal.core.db import session
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.ledger import queries, service
from portal.ledger.checks import checks
from portal.ledger.models import AccountKind, PercentKind
from tests.ledger.books import DAY

FUNDS = count(1)
CENTS = st.integers(1, 3_000_00)
AWARDS = st.sampled_from(["a", "b"])
PARTS = st.sampled_from([10, 80, 100, 101])
PERCENT = Decimal(13)
PICK = st.integers(0, 100)

BANK = AccountKind.BANK
CLEARING = AccountKind.CARD_CLEARING
SUSPENSE = AccountKind.SUSPENSE
AGENTS = AccountKind.PAYING_AGENTS
CASH = (
    BANK,
    AccountKind.PAYMENTS_IN_TRANSIT,
    CLEARING,
    AccountKind.SUPPORT_COSTS_PAYABLE,
    SUSPENSE,
    AGENTS,
)


def a_part(whole: Money, percent: int) -> Money:
    """Return `percent` of `whole`, at least the smallest amount, and above 100 one too much."""
    if percent > 100:
        return Money(max(whole.minor, 0) + 1, whole.currency)
    return Money(max(whole.minor * percent // 100, 1), whole.currency)


class Story(RuleBasedStateMachine):
    """One fund, and a bank that counts by itself what it holds in each currency."""

    def __init__(self) -> None:
        super().__init__()
        self.fund = f"fund-{next(FUNDS)}"
        self.numbers = count(1)
        self.orders: list[str] = []
        self.acts: list[Callable[[], object]] = []
        self.bank: Counter[str] = Counter()
        service.open_book(self.fund)
        kind = PercentKind.SUPPORT_COSTS
        service.set_percent(self.fund, kind, PERCENT, DAY.replace(year=2020), by=None)
        session.commit()

    def ref(self, what: str) -> str:
        """Return a reference that was never used."""
        return f"{what}:{self.fund}:{next(self.numbers)}"

    def do(self, act: Callable[[], object]) -> bool:
        """Do `act` and commit, or take it back when it is refused."""
        try:
            act()
        except Refused:
            session.rollback()
            return False
        session.commit()
        self.acts.append(act)
        return True

    def award(self, name: str) -> str:
        """Return the reference of an award of this fund."""
        return f"award:{self.fund}:{name}"

    def moved(self, money: Money, account: AccountKind = BANK) -> None:
        """Let the bank count what came in, or below zero went out, if it was there at all."""
        if account is BANK:
            self.bank[money.currency] += money.minor

    @invariant()
    def the_books_sum_to_zero(self) -> None:
        """Debits are credits."""
        rows = queries.trial_balance(self.fund)
        assert sum(row.debit.minor - row.credit.minor for row in rows) == 0

    @invariant()
    def what_is_available_is_there(self) -> None:
        """Available and promised money together are the cash that is nobody else's."""
        rows = queries.trial_balance(self.fund)
        cash = sum(row.debit.minor - row.credit.minor for row in rows if row.kind in CASH)
        position = queries.position(self.fund)
        promised = position.committed + position.support_costs_expected
        assert (position.available + promised).minor == cash

    @invariant()
    def the_bank_holds_what_the_books_say(self) -> None:
        """In each currency, by the bank's own count."""
        for currency in ("USD", "EUR"):
            assert queries.bank_balance(self.fund, currency).minor == self.bank[currency]

    @invariant()
    def nothing_is_owed_or_suspended_below_zero(self) -> None:
        """No donor has paid too much, and no unmatched line was allocated twice."""
        for (kind, _currency), held in queries.holdings(self.fund).items():
            assert kind is not AccountKind.CONTRIBUTIONS_RECEIVABLE or held.money.minor >= 0
        for currency in ("USD", "EUR"):
            for credits_ in (True, False):
                left = queries.in_suspense(self.fund, currency, credits_=credits_)
                assert left.minor >= 0

    @invariant()
    def no_check_finds_anything(self) -> None:
        """`portal check` is clean after each step."""
        assert [check.run().violations for check in checks()] == [[]] * len(checks())
