"""Whatever happens in whatever order: the books sum to zero and no dollar is promised twice."""

from collections.abc import Callable
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries, service
from portal.ledger.checks import checks
from portal.ledger.models import AccountKind, PercentKind
from portal.ledger.rules import share
from tests.ledger.books import DAY

FUNDS = count(1)
CENTS = st.integers(1, 3_000_00)
AWARDS = st.sampled_from(["a", "b"])
PARTS = st.sampled_from([10, 80, 100, 101])
PERCENT = Decimal(13)
PICK = st.integers(0, 100)

CASH = (
    AccountKind.BANK,
    AccountKind.PAYMENTS_IN_TRANSIT,
    AccountKind.CARD_CLEARING,
    AccountKind.SUPPORT_COSTS_PAYABLE,
    AccountKind.SUSPENSE,
)


def a_part(whole: Money, percent: int) -> Money:
    """Return `percent` of `whole`, at least a cent, and above 100 a cent too much."""
    if percent > 100:
        return usd(max(whole.minor, 0) + 1)
    return usd(max(whole.minor * percent // 100, 1))


class Books(RuleBasedStateMachine):
    """One fund, two awards, and everything that can be booked, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.fund = f"fund-{next(FUNDS)}"
        self.numbers = count(1)
        self.orders: list[str] = []
        self.acts: list[Callable[[], object]] = []
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

    @initialize(cents=CENTS, name=AWARDS)
    def begin(self, cents: int, name: str) -> None:
        """Begin with some money, part of it set aside."""
        self.receive(cents * 5)
        self.commit(name, usd(cents * 4))

    @rule(cents=CENTS)
    def receive(self, cents: int) -> None:
        """Let a contribution arrive."""
        ref = self.ref("wire")
        self.do(lambda: service.contribution_received(self.fund, usd(cents), ref, DAY, by=None))

    @rule(name=AWARDS, amount=CENTS.map(usd))
    def commit(self, name: str, amount: Money) -> None:
        """Set money aside, unless there is not enough."""
        ref = self.ref("movement")
        left = queries.position(self.fund).available_after(amount)
        done = self.do(
            lambda: service.commit_funds(
                self.fund, self.award(name), amount, by=None, movement_ref=ref
            )
        )
        assert done == (left >= usd(0))

    @rule(name=AWARDS, more=st.integers(0, 1))
    def commit_the_last_cent(self, name: str, more: int) -> None:
        """Set aside all that is available, or a cent more."""
        position = queries.position(self.fund)
        most = position.available.minor * 100 // 113
        while position.available_after(usd(most + 1)) >= usd(0):
            most += 1
        while most > 0 and position.available_after(usd(most)) < usd(0):
            most -= 1
        if most + more > 0:
            self.commit(name, usd(most + more))

    @precondition(lambda self: self.orders)
    @rule(name=AWARDS)
    def release(self, name: str) -> None:
        """Give back what an award has left."""
        service.release_commitment(self.fund, self.award(name), by=None)
        session.commit()
        assert not queries.outstanding(self.fund, self.award(name))

    @rule(part=PARTS, name=AWARDS, francs=st.integers(1, 10**6))
    def pay(self, part: int, name: str, francs: int) -> None:
        """Pay an advance in another currency, unless it was not set aside."""
        order, award, local = self.ref("order"), self.award(name), Money(francs, "XOF")
        left = queries.outstanding(self.fund, award)
        amount = a_part(left, part)
        done = self.do(
            lambda: service.advance_paid(self.fund, award, amount, local, order, DAY, by=None)
        )
        assert done == (amount <= left)
        if done:
            self.orders.append(order)

    @precondition(lambda self: self.orders)
    @rule(pick=PICK, loss=st.integers(-50, 50))
    def settle(self, pick: int, loss: int) -> None:
        """Let the bank debit a payment, for more or less than was booked."""
        order = self.orders[pick % len(self.orders)]
        booked = queries.find(order)
        if booked is not None and queries.find(f"{order}:settled") is None:
            debited = usd(max(1, max(line.usd for line in booked.entries) + loss))
            came_back = queries.reversal_of(booked) is not None
            done = self.do(lambda: service.payment_settled(order, debited, DAY, by=None))
            assert done != came_back

    @precondition(lambda self: self.orders)
    @rule(pick=PICK)
    def come_back(self, pick: int) -> None:
        """Let a payment come back."""
        order = self.orders[pick % len(self.orders)]
        assert self.do(lambda: service.payment_returned(order, DAY, by=None))

    @precondition(lambda self: self.orders)
    @rule(part=PARTS, name=AWARDS)
    def accept(self, part: int, name: str) -> None:
        """Accept spending, unless it is more than the award."""
        ref, award = self.ref("report"), self.award(name)
        position = queries.award_position(self.fund, award)
        most = position.advanced + position.committed
        amount = a_part(most, part)
        charged = queries.position(self.fund).support_costs
        done = self.do(
            lambda: service.expenditure_accepted(self.fund, award, amount, ref, DAY, by=None)
        )
        assert done == (amount <= most)
        after = queries.position(self.fund).support_costs
        assert after == charged + (usd(share(amount.minor, PERCENT)) if done else usd(0))

    @precondition(lambda self: self.orders)
    @rule(part=PARTS, name=AWARDS, accepted=st.booleans())
    def ask_back(self, part: int, name: str, accepted: bool) -> None:  # noqa: FBT001
        """Ask money back, unless it is more than there is."""
        ref, award = self.ref("refund"), self.award(name)
        position = queries.award_position(self.fund, award)
        most = position.accepted if accepted else position.advanced
        amount = a_part(most, part)
        charged = queries.position(self.fund).support_costs
        done = self.do(
            lambda: service.refund_due(
                self.fund, award, amount, ref, DAY, by=None, accepted_before=accepted
            )
        )
        assert done == (amount <= most)
        back = usd(share(amount.minor, PERCENT)) if done and accepted else usd(0)
        assert queries.position(self.fund).support_costs == charged - back

    @precondition(lambda self: self.orders)
    @rule(part=PARTS, name=AWARDS)
    def get_back(self, part: int, name: str) -> None:
        """Let a refund arrive, unless it is more than is due."""
        ref, award = self.ref("refunded"), self.award(name)
        due = queries.award_position(self.fund, award).refund_due
        amount = a_part(due, part)
        done = self.do(lambda: service.refund_received(self.fund, award, amount, ref, DAY, by=None))
        assert done == (amount <= due)

    @precondition(lambda self: self.acts)
    @rule(pick=PICK)
    def repeat(self, pick: int) -> None:
        """Ask once more for something that was done: nothing changes."""
        before = (queries.position(self.fund), len(queries.journal(self.fund, limit=1000)))
        self.acts[pick % len(self.acts)]()
        session.commit()
        after = (queries.position(self.fund), len(queries.journal(self.fund, limit=1000)))
        assert after == before

    @rule(pick=PICK)
    def reverse(self, pick: int) -> None:
        """Undo what turns out to be a mistake."""
        kinds = {"contribution_received", "payment_settled", "refund_received"}
        bookings = [each for each in queries.journal(self.fund, limit=1000) if each.kind in kinds]
        if bookings:
            booking = bookings[pick % len(bookings)]
            service.reverse(booking, on=DAY, by=None)
            session.commit()

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
    def no_check_finds_anything(self) -> None:
        """`portal check` is clean after each step."""
        assert [check.run().violations for check in checks()] == [[]] * len(checks())


@pytest.mark.usefixtures("fresh_database")
def test_any_story_leaves_sound_books() -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # shrinking a story on a real database takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
