"""Whatever happens in whatever order: the books sum to zero and no dollar is promised twice."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import queries, service
from portal.ledger.models import AccountKind
from portal.ledger.rules import share
from tests.ledger.books import DAY, journal
from tests.ledger.story import (
    AGENTS,
    AWARDS,
    BANK,
    CENTS,
    CLEARING,
    PARTS,
    PERCENT,
    PICK,
    SUSPENSE,
    a_part,
)
from tests.ledger.story_abroad import Abroad


class Books(Abroad):
    """One fund, two awards, and everything that can be booked, in any order."""

    @initialize(cents=CENTS, name=AWARDS)
    def begin(self, cents: int, name: str) -> None:
        """Begin with something to go on with: money set aside and paid, promised, unmatched."""
        self.receive(cents * 5)
        self.commit(name, usd(cents * 4))
        self.pay(80, name, cents * 6)
        self.pay(100, name, cents)
        self.agree(cents, Money(cents, "EUR"))
        self.give(cents, None, CLEARING)
        for sign in (1, -1):
            self.wonder(cents * 4, None, sign)

    @rule(cents=CENTS)
    def receive(self, cents: int) -> None:
        """Let a contribution arrive."""
        ref = self.ref("wire")
        self.do(lambda: service.contribution_received(self.fund, usd(cents), ref, DAY, by=None))
        self.moved(usd(cents))

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

    @rule(part=PARTS, name=AWARDS, francs=st.integers(1, 10**6))
    def let_an_agent_pay(self, part: int, name: str, francs: int) -> None:
        """Let a paying agent pay an advance in another currency; it is owed the dollars."""
        order, award, local = self.ref("order"), self.award(name), Money(francs, "XOF")
        left = queries.outstanding(self.fund, award)
        amount = a_part(left, part)
        done = self.do(
            lambda: service.advance_paid(
                self.fund, award, amount, local, order, DAY, by=None, through=AGENTS
            )
        )
        assert done == (amount <= left)

    @rule(part=PARTS)
    def reimburse(self, part: int) -> None:
        """Pay an agent back, unless it is more than is due."""
        held, ref = queries.holdings(self.fund).get((AGENTS, "USD")), self.ref("agent")
        due = -held.money if held else usd(0)
        amount = a_part(due, part)
        done = self.do(lambda: service.agent_reimbursed(self.fund, amount, ref, DAY, by=None))
        assert done == (amount <= due)
        if done:
            self.moved(-amount)

    @precondition(lambda self: self.orders)
    @rule(pick=PICK, loss=st.integers(-50, 50), from_=st.sampled_from([BANK, SUSPENSE]))
    def settle(self, pick: int, loss: int, from_: AccountKind) -> None:
        """Let the bank debit a payment, for more or less than was booked."""
        order = self.orders[pick % len(self.orders)]
        booked = queries.find(order)
        if booked is not None and queries.find(f"{order}:settled") is None:
            debited = usd(max(1, max(line.usd for line in booked.entries) + loss))
            came_back = queries.reversal_of(booked) is not None
            there = queries.in_suspense(self.fund, "USD", credits_=False)
            known = from_ is BANK or debited <= there
            done = self.do(
                lambda: service.payment_settled(order, debited, DAY, by=None, from_=from_)
            )
            assert done == (known and not came_back)
            if done:
                self.moved(-debited, from_)

    @precondition(lambda self: self.orders)
    @rule(pick=PICK, credited=st.one_of(st.none(), CENTS.map(usd)))
    def come_back(self, pick: int, credited: Money | None) -> None:
        """Let a payment come back, with what the bank gave back of it, or as if undone."""
        order = self.orders[pick % len(self.orders)]
        settled = queries.find(f"{order}:settled")
        debited = settled is not None and queries.reversal_of(settled) is None
        before = queries.find(f"{order}:credited")
        if credited is not None and before is not None:
            return
        undone = [line for line in settled.entries if debited] if settled else []
        done = self.do(lambda: service.payment_returned(order, DAY, by=None, credited=credited))
        assert done == (credited is None or debited)
        if done and credited is not None:
            self.moved(credited)
        elif done and before is None:
            for line in undone:
                if line.account.kind is BANK:
                    self.moved(usd(-line.usd))

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
    @rule(part=PARTS, name=AWARDS)
    def ask_back(self, part: int, name: str) -> None:
        """Ask money back, unless it is more than was advanced: support costs are not touched."""
        ref, award = self.ref("refund"), self.award(name)
        most = queries.award_position(self.fund, award).advanced
        amount = a_part(most, part)
        charged = queries.position(self.fund).support_costs
        done = self.do(lambda: service.refund_due(self.fund, award, amount, ref, DAY, by=None))
        assert done == (amount <= most)
        assert queries.position(self.fund).support_costs == charged

    @precondition(lambda self: self.orders)
    @rule(part=PARTS, name=AWARDS)
    def get_back(self, part: int, name: str) -> None:
        """Let a refund arrive, unless it is more than is due."""
        ref, award = self.ref("refunded"), self.award(name)
        due = queries.award_position(self.fund, award).refund_due
        amount = a_part(due, part)
        done = self.do(lambda: service.refund_received(self.fund, award, amount, ref, DAY, by=None))
        assert done == (amount <= due)
        if done:
            self.moved(amount)

    @precondition(lambda self: self.acts)
    @rule(pick=PICK)
    def repeat(self, pick: int) -> None:
        """Ask once more for something that was done: nothing changes."""
        before = (queries.position(self.fund), len(journal(self.fund)))
        self.acts[pick % len(self.acts)]()
        session.commit()
        after = (queries.position(self.fund), len(journal(self.fund)))
        assert after == before

    @rule(pick=PICK)
    def reverse(self, pick: int) -> None:
        """Undo what turns out to be a mistake."""
        kinds = {"contribution_received", "payment_settled", "refund_received"}
        bookings = [each for each in journal(self.fund) if each.kind in kinds]
        if bookings:
            booking = bookings[pick % len(bookings)]
            again = queries.reversal_of(booking) is not None
            service.reverse(booking, on=DAY, by=None)
            session.commit()
            for line in queries.lines_of(booking):
                if not again and line.account is BANK:
                    self.moved(-line.money)


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
