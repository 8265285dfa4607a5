"""Whatever a bank says in whatever order, and whatever finance makes of it: books equal the bank.

Notices and lines contradict each other here, come twice, or not at all. More stories with
`PORTAL_STORIES=30` before the call of pytest.
"""

import os
from dataclasses import dataclass

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from portal.awards.models import Award, Instalment, PayingAgent
from portal.cli.features import all_checks
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.funds.models import Call
from portal.ledger import queries as ledger
from portal.payments import service as payments
from portal.payments.models import PaymentOrder
from portal.payments.service.gathering import gather
from portal.payments.statements import queries, service
from portal.payments.statements.models import Allocation, LineStatus, Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import payments as make
from tests.make.applications import call as make_call
from tests.make.awards import award as make_award
from tests.make.payments import Till
from tests.make.reviews import Cast, cast
from tests.payments.conftest import World
from tests.payments.statements.books import taken_in, wrong
from tests.payments.statements.teller import Move, Teller

STORIES = int(os.environ.get("PORTAL_STORIES", "3"))

THE_BANK_ERRED = ("times what is paid once", "no line of the bank says so")
"""What `portal check` rightly says of a bank that debits twice, or pays and shows no line of it."""

ACCOUNT = "NL30MOCK0000000005"
UNBALANCED = """
SELECT account.fund_code FROM ledger_entry AS entry
JOIN ledger_account AS account ON account.id = entry.account_id
GROUP BY entry.transaction_id, account.fund_code HAVING sum(entry.usd) <> 0
"""
PAID_TWICE = """
SELECT instalment_id::text FROM payment_order WHERE status IN ('released', 'confirmed')
GROUP BY instalment_id HAVING count(*) > 1
"""
BARE = (Purpose.BANK_CHARGE, Purpose.SEND_BACK, Purpose.SUPPORT_COSTS, Purpose.AGENT)


MOVES = (
    *["pay"] * 3,
    *["notice reject", "notice settle", "notice return"],
    "notice reject",
    *["line debit"] * 3,
    *["line return"] * 2,
    "line mirror",
    "line stranger",
    *["say likely"] * 5,
    "say anything",
    "undo",
)


@dataclass
class Town:
    """Where the stories play: a call of one fund, its people, and who writes its statements."""

    call: Call
    people: Cast
    till: Till
    teller: Teller


TOWNS: list[Town] = []
"""The town of the test that runs: hypothesis makes its machines without arguments."""


class AnyLine(RuleBasedStateMachine):
    """One grant that headquarters pays, the bank's notices, and its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.diary: list[str] = []

    @initialize()
    def begin(self) -> None:
        """Make the grant of this story, with an account that finance verified."""
        self.town = TOWNS[-1]
        award = make_award(
            of=self.town.call, people=self.town.people, paying_agent=PayingAgent.HEADQUARTERS
        )
        make.verified(award, self.town.till, account=ACCOUNT, country="NLD", bic="")
        session.commit()
        self.award_id = award.id

    @property
    def award(self) -> Award:
        """The grant, as the database holds it."""
        return session.get_one(Award, self.award_id)

    def orders(self) -> list[PaymentOrder]:
        """Return every attempt to pay, the latest first."""
        rows = (
            sa.select(PaymentOrder)
            .join(PaymentOrder.instalment)
            .where(Instalment.award_id == self.award_id)
            .order_by(PaymentOrder.prepared_at.desc())
        )
        return list(session.scalars(rows))

    def tell(self, said: str) -> None:
        """Write down what was done, and demand that the books and the bank agree."""
        self.diary.append(said)
        found = [each for each in wrong() if not any(erred in each for erred in THE_BANK_ERRED)]
        for query in (UNBALANCED, PAID_TWICE):
            found += session.scalars(sa.text(query)).all()
        session.rollback()
        assert not found, "\n".join([str(found), *self.diary])

    @rule(
        move=st.sampled_from(MOVES),
        which=st.sampled_from([0, 0, 0, 1, 2]),
        less=st.sampled_from([0, 0, 0, 1_500, -700]),
        part=st.sampled_from([None, None, None, 700]),
    )
    def turn(self, *, move: str, which: int, less: int, part: int | None) -> None:
        """Let the bank or finance do something: `which` is how far from the obvious."""
        try:
            self.act(move, which, less, part)
        except BaseException as broken:
            session.rollback()
            broken.add_note("\n".join([*self.diary, f"{move} {which} {less} {part}"]))
            raise

    def act(self, move: str, which: int, less: int, part: int | None) -> None:
        """Do it."""
        what, _space, of = move.partition(" ")
        if what == "pay":
            self.pay()
        elif what == "notice":
            self.notice(of, less)
        elif what == "line":
            self.line(of, which, less)
        elif what == "say":
            self.say(which if of == "likely" else which + 3, part)
        else:
            self.undo(which)

    def pay(self) -> None:
        """Prepare, sign and send the payment that is due."""
        try:
            order = payments.prepare_order(self.award.instalments[0], by=self.town.till.finance)
            make.signed(order, self.town.till)
        except Refused as no:
            session.rollback()
            self.diary.append(f"nothing to pay: {no.sentence}")
            return
        session.commit()
        gather()
        session.commit()
        self.tell(f"{order.ref} is sent")

    def notice(self, what: str, less: int) -> None:
        """Let the bank tell of the latest payment before its statement, true or not."""
        order = next(iter(self.orders()), None)
        if order is None or order.file is None:
            return
        try:
            if what == "reject":
                payments.reject_by_bank(order, reason="AM04")
            elif what == "settle":
                payments.settle_by_bank(order, debited=order.money, on=clock.today(), reference="N")
            else:
                back = Money(order.amount - less, order.currency)
                payments.return_by_bank(
                    order, credited=back, on=clock.today(), reference="N", reason="AM04"
                )
            session.commit()
        except Refused:
            session.rollback()
            return
        self.tell(f"a notice: {what} {order.ref} {less}")

    def line(self, what: str, which: int, less: int) -> None:
        """Let a statement tell of a payment, of its return, or of something else."""
        orders = self.orders()
        move = Move(12_345 - less, "hello")
        if what != "stranger" and orders:
            order = orders[which % len(orders)]
            amount = order.amount - less
            move = {
                "debit": Move(-amount, end_to_end_id=order.ref),
                "return": Move(amount, end_to_end_id=order.ref, is_return=True),
                "mirror": Move(amount, "a correction", end_to_end_id=order.ref),
            }[what]
        [found] = taken_in(self.town.teller, move)
        self.tell(f"a line: {what} {move.amount} {move.end_to_end_id}: {found.status}")

    def say(self, choice: int, part: int | None) -> None:
        """Let finance say what a line in suspense is: what is likely, or anything."""
        ours = StatementLine.end_to_end_id.in_([each.ref for each in self.orders()])
        rows = sa.select(StatementLine).where(StatementLine.status == LineStatus.SUSPENSE)
        line = session.scalars(rows.order_by(ours.desc(), StatementLine.id).limit(1)).first()
        if line is None:
            return
        by = self.town.till.finance
        likely = [(each.purpose, each.ref) for each in queries.candidates(line, by)]
        offered = [*likely, *((each, "") for each in BARE)]
        purpose, ref = offered[choice % len(offered)]
        signed = None if part is None else part if line.is_credit else -part
        try:
            target = (
                queries.target_of(line, purpose, ref, signed, by)
                if ref
                else Target(purpose, signed)
            )
            service.allocate(line.id, target, "The bank wrote so.", by=by)
            session.commit()
        except Refused as no:
            session.rollback()
            self.diary.append(f"refused: {purpose} {ref}: {no.sentence}")
            return
        self.tell(f"finance says: {purpose} {ref} ({part or 'all'})")

    def undo(self, which: int) -> None:
        """Let finance take back what it said lately."""
        rows = sa.select(Allocation).where(Allocation.undone_at.is_(None))
        parts = session.scalars(rows.order_by(Allocation.at.desc()).limit(3)).all()
        if not parts:
            return
        part = parts[which % len(parts)]
        try:
            service.undo_allocation(part, "A mistake.", by=self.town.till.finance)
            session.commit()
        except Refused:
            session.rollback()
            return
        self.tell(f"finance takes back: {part.purpose}")

    def teardown(self) -> None:
        """Demand that every invariant of the portal holds, but for what the bank did wrong."""
        found = [
            f"{check.name}: {said}"
            for check in all_checks()
            for said in check.run().violations
            if not any(erred in said for erred in THE_BANK_ERRED)
        ]
        session.rollback()
        assert not found, "\n".join([*found, *self.diary])


def test_whatever_the_bank_says_books_and_bank_agree(world: World, teller: Teller) -> None:
    call = make_call("act", envelope_usd=100_000_000)
    people = cast(call)
    session.commit()
    teller.balance = ledger.bank_balance("act", "USD").minor
    TOWNS.append(Town(call, people, world.till, teller))
    run_state_machine_as_test(
        AnyLine,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=25,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate],  # shrinking a story on a real database takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
