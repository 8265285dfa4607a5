"""Whatever happens to money in whatever order: books that balance, and nobody acts alone.

More stories with `PORTAL_STORIES=30` before the call of pytest.
"""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from portal.accounts import service as accounts
from portal.accounts.models import Person, Role
from portal.awards.amendments.models import AmendmentStatus
from portal.awards.models import AwardStatus, InstalmentStatus, PayingAgent
from portal.cli.features import all_checks
from portal.core import clock, outbox
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger import unore
from portal.payments import service as payments
from portal.payments.models import BankStatus, OrderStatus
from tests.journeys.money_acts import ACTS, Grant
from tests.make import payments as make
from tests.make.accounts import administrator, signed_up
from tests.make.applications import call as make_call
from tests.make.awards import award as make_award
from tests.make.reviews import cast

STORIES = int(os.environ.get("PORTAL_STORIES", "3"))
BEGIN = datetime.now(UTC) - timedelta(days=60)
STAFF = {
    "officer": [Role.PROGRAMME_OFFICER],
    "authority": [Role.APPROVING_AUTHORITY],
    "finance": [Role.FINANCE_OFFICER],
    "certifier": [Role.CERTIFYING_OFFICER],
    "approver": [Role.APPROVING_OFFICER],
    "treasurer": [Role.TREASURY],
    "many hats": list(Role),
}
PEOPLE = (*STAFF, "grantee")
EURO = """
<UN_OPERATIONAL_RATES_DATASET><UN_OPERATIONAL_RATES><f_curr_code>EUR</f_curr_code>
<rate>{rate}</rate><eff_date>{day}</eff_date></UN_OPERATIONAL_RATES></UN_OPERATIONAL_RATES_DATASET>
"""

UNBALANCED = """
SELECT account.fund_code FROM ledger_entry AS entry
JOIN ledger_account AS account ON account.id = entry.account_id
GROUP BY entry.transaction_id, account.fund_code HAVING sum(entry.usd) <> 0
"""
OVERPAID = """
SELECT award.ref FROM award JOIN application ON application.id = award.application_id
JOIN call ON call.id = application.call_id
LEFT JOIN instalment ON instalment.award_id = award.id
GROUP BY award.id, call.ceiling_usd
HAVING coalesce(sum(instalment.paid_usd), 0) > award.amount_usd
    OR sum(instalment.planned_usd) <> award.amount_usd
    OR award.amount_usd > least(call.ceiling_usd, 500000)
"""
ALONE = """
SELECT payment_order.ref FROM payment_order
JOIN bank_details ON bank_details.id = payment_order.bank_details_id
LEFT JOIN payment_approval ON payment_approval.order_id = payment_order.id
    AND payment_approval.person_id <> bank_details.entered_by_id
WHERE payment_order.status IN ('released', 'confirmed', 'rejected', 'returned')
GROUP BY payment_order.id HAVING count(DISTINCT payment_approval.person_id) <> 3
    OR bool_or(payment_approval.person_id = payment_order.confirmed_by_id)
UNION ALL
SELECT id::text FROM amendment WHERE status = 'in_force'
    AND (issued_by_id = signed_by_id OR issued_by_id = countersigned_by_id
        OR signed_by_id = countersigned_by_id)
UNION ALL
SELECT id::text FROM write_off WHERE status = 'approved'
    AND (proposed_by_id = approved_by_id OR proposed_by_id = authorised_by_id
        OR approved_by_id = authorised_by_id)
"""
BELOW_ZERO = """
SELECT source_ref FROM commitment GROUP BY source_ref HAVING sum(amount_usd_minor) < 0
"""
PAID_TWICE = """
SELECT instalment_id::text FROM payment_order WHERE status IN ('released', 'confirmed')
GROUP BY instalment_id HAVING count(*) > 1
"""
BOTH_OPEN = """
SELECT amendment.id::text FROM amendment JOIN instalment
ON instalment.award_id = amendment.award_id AND instalment.status = 'ordered'
WHERE amendment.status IN ('proposed', 'accepted')
    AND amendment.amount_usd <> amendment.from_amount_usd
"""
NEVER = {
    "the books of each fund sum to zero": UNBALANCED,
    "nothing is above the award or the ceiling, and instalments sum to it": OVERPAID,
    "nobody acts alone": ALONE,
    "no commitment falls below zero": BELOW_ZERO,
    "no instalment is paid twice": PAID_TWICE,
    "an order and an amendment of the amount exclude each other": BOTH_OPEN,
}

AFTER = {
    OrderStatus.PREPARED: ("certify", "certifier"),
    OrderStatus.CERTIFIED: ("approve", "approver"),
    OrderStatus.APPROVED: ("release", "treasurer"),
}
SIDEWAYS = (
    ("propose", "officer"),
    ("propose", "officer"),
    ("decline", "grantee"),
    ("withdraw", "officer"),
    ("cancel", "finance"),
    ("give back", "finance"),
    ("give back", "finance"),
    ("refuse", "finance"),
    ("reject", "finance"),
    ("return", "finance"),
    ("report", "grantee"),
    ("draw", "finance"),
    ("repay", "finance"),
    ("repay too much", "finance"),
    ("settle otherwise", "finance"),
    ("propose write-off", "finance"),
    ("approve write-off", "approver"),
    ("authorise write-off", "authority"),
)
MOVES = (*["go on"] * 8, *["sideways"] * 7, *["alone"] * 2, *["anything"] * 3, *["rates"] * 2)
CHANGES = (-100_000, -1, 1, 10_000, 20_000, 20_001, 100_000)


@dataclass
class World:
    """Who lives in the database of this test, and what time it is there."""

    people: dict[str, str] = field(default_factory=dict)
    moment: datetime = BEGIN

    def person(self, who: str) -> Person:
        """Return somebody, as the database holds them now."""
        return session.scalars(sa.select(Person).where(Person.email == self.people[who])).one()


WORLD = World()


class Money(RuleBasedStateMachine):
    """Two grants of a fund: a country office pays one, the bank the other, in euros."""

    def __init__(self) -> None:
        super().__init__()
        self.diary: list[str] = []
        self.grants: list[Grant] = []

    @initialize()
    def begin(self) -> None:
        """Make two grants, each with bank details that finance verified."""
        with clock.at(WORLD.moment):
            under = make_call("act", ceiling_usd=490_000 + len(self.diary))
            people = cast(under)
            till = make.till()
            for agent in (PayingAgent.UNDP, PayingAgent.HEADQUARTERS):
                award = make_award(of=under, people=people, paying_agent=agent)
                make.verified(award, till)
                self.grants.append(Grant(award.id))
            session.commit()
        WORLD.moment += timedelta(days=3)

    def who(self, grant: Grant, name: str) -> Person:
        """Return somebody by their part; the grantee is that of the grant."""
        return make.grantee(grant.award) if name == "grantee" else WORLD.person(name)

    def do(self, grant: Grant, act: str, name: str) -> bool:
        """Let somebody try an act; say whether it was done. It may be refused and nothing else."""
        WORLD.moment += timedelta(minutes=20)
        line = f"{name}: {act} ({self.grants.index(grant)}, {grant.change}, {grant.share} %)"
        with clock.at(WORLD.moment):
            try:
                ACTS[act](grant, self.who(grant, name))
                session.commit()
                self.diary.append(line)
                everything_holds()
            except Refused as refused:
                session.rollback()
                self.diary.append(f"{line}: refused, {refused.sentence}")
                return False
            except BaseException as broken:
                session.rollback()
                broken.add_note("\n".join([*self.diary, line]))
                raise
        return True

    @rule(
        move=st.sampled_from(MOVES),
        which=st.integers(0, 1),
        act=st.sampled_from(sorted(ACTS)),
        who=st.sampled_from(PEOPLE),
        sideways=st.sampled_from(SIDEWAYS),
        change=st.sampled_from(CHANGES),
        share=st.sampled_from([30, 70, 100]),
        rate=st.sampled_from(["0.80", "0.95", "1.05", "1.30"]),
    )
    def turn(
        self,
        *,
        move: str,
        which: int,
        act: str,
        who: str,
        sideways: tuple[str, str],
        change: int,
        share: int,
        rate: str,
    ) -> None:
        """Let somebody do something: mostly what is due, else whatever comes to mind."""
        grant = self.grants[which]
        grant.change, grant.share = change, share
        if move == "go on":
            self.go_on(grant)
        elif move == "sideways":
            self.do(grant, *sideways)
        elif move == "alone":
            for each in ("propose", "sign", "countersign", "prepare", "certify", "approve"):
                self.do(grant, each, "many hats")
        elif move == "anything":
            self.do(grant, act, who)
        else:
            self.import_rate(rate)

    def is_under_way(self, grant: Grant) -> bool:
        """Say whether a payment waits for a signature or an answer."""
        with clock.at(WORLD.moment):
            found = grant.instalment.status is InstalmentStatus.ORDERED
            session.rollback()
        return found

    def go_on(self, grant: Grant, steps: int = 4) -> None:
        """Take the grant on by those whose steps they are: nobody of them is refused."""
        for _n in range(steps):
            with clock.at(WORLD.moment):
                step = due(grant)
                session.rollback()
            if step is None:
                return
            assert self.do(grant, *step), "\n".join(self.diary)

    def import_rate(self, rate: str) -> None:
        """Import the rate of a new day: what the fund holds in euros is brought to it."""
        WORLD.moment += timedelta(days=1)
        day = f"{WORLD.moment:%d %b %Y}".lstrip("0")
        with clock.at(WORLD.moment):
            file = EURO.format(rate=rate, day=day).encode()
            unore.import_rates(file, by=None, confirmed=True)
            session.commit()
            everything_holds()
        self.diary.append(f"a euro is at {rate}")

    def teardown(self) -> None:
        """Let what is under way end, and demand that every invariant of the portal holds."""
        for grant in self.grants:
            while self.is_under_way(grant):
                self.go_on(grant, steps=1)
        with clock.at(WORLD.moment):
            outbox.deliver_due()
            found = {check.name: check.run().violations for check in all_checks()}
            session.rollback()
        broken = {name: wrong for name, wrong in found.items() if wrong}
        assert not broken, "\n".join([str(broken), *self.diary])


def due(grant: Grant) -> tuple[str, str] | None:
    """Return what takes the grant on, and whose step it is."""
    award = grant.award
    if award.status is not AwardStatus.ACTIVE:
        return None
    try:
        return _signing(grant)
    except Refused:
        pass
    if grant.instalment.status is InstalmentStatus.ORDERED:
        return _paying(grant)
    if grant.details.status is BankStatus.DOUBTED:
        return "verify", "finance"
    gates = payments.gates(grant.instalment)
    return ("prepare", "finance") if all(gate.is_open for gate in gates) else None


def _signing(grant: Grant) -> tuple[str, str]:
    """Return the next signature on the amendment that is open. Raises Refused without one."""
    if grant.amendment.status is AmendmentStatus.PROPOSED:
        return ("sign", "grantee")
    return ("countersign", "authority")


def _paying(grant: Grant) -> tuple[str, str]:
    order = grant.order
    if order.status is not OrderStatus.RELEASED:
        return AFTER[order.status]
    if order.rail != "bank":
        return ("confirm", "finance")
    return ("gather" if order.file is None else "settle", "finance")


def everything_holds() -> None:
    """Demand all that must be true at any moment; called at the end of each act."""
    for what, query in NEVER.items():
        found = session.scalars(sa.text(query)).all()
        assert not found, f"{what}: {found}"
    assert ledger.position("act").available.minor >= 0, "more was promised than there is"
    session.rollback()


@pytest.fixture
def world(application: Portal, fresh_database: str) -> None:
    """Fill a database of its own with people, and an account of the fund in euros."""
    del application, fresh_database  # the application sets documents in type
    WORLD.moment = BEGIN
    with clock.at(BEGIN):
        giver = administrator()
        for who, roles in STAFF.items():
            found = signed_up(name=who.title())
            WORLD.people[who] = found.email
            for role in roles:
                if role is not Role.ADMINISTRATOR:
                    accounts.grant_role(found, role, fund="act", by=giver)
        day = f"{BEGIN:%d %b %Y}".lstrip("0")
        unore.import_rates(EURO.format(rate="0.90", day=day).encode(), by=None)
        make.former_account()
        make.fund_account(currency="EUR")
        session.commit()


@pytest.mark.usefixtures("world")
def test_any_money_keeps_to_the_rules() -> None:
    run_state_machine_as_test(
        Money,
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
