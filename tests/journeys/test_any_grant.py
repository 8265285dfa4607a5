"""Whatever people try in whatever order: no cent too much, three people, and nobody sees in."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from portal.accounts import service as accounts
from portal.accounts.models import (
    MemberRole,
    Membership,
    Organisation,
    OrganisationKind,
    Person,
    Role,
)
from portal.app.home import TASK_SOURCES
from portal.applications import listing, policy
from portal.applications.models import Application, Recusal
from portal.cli.features import all_checks
from portal.core import clock, outbox
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.funds import service as funds
from portal.reviews import policy as reviews_policy
from portal.reviews import queries as reviews_queries
from tests.journeys.acts import ACTS, Case
from tests.journeys.turns import READERS, next_step
from tests.make.accounts import administrator, last_token, organisation, signed_up
from tests.make.applications import application as make_application
from tests.make.applications import call as make_call
from tests.make.reviews import money

BEGIN = datetime.now(UTC) - timedelta(days=400)
STAFF = {  # the colleague works for the applicant: what they are besides may not count there
    "officer": [Role.PROGRAMME_OFFICER],
    "authority": [Role.APPROVING_AUTHORITY],
    "finance": [Role.FINANCE_OFFICER],
    "certifier": [Role.CERTIFYING_OFFICER],
    "approver": [Role.APPROVING_OFFICER],
    "treasurer": [Role.TREASURY],
    "auditor": [Role.AUDITOR],
    "many hats": [
        Role.FINANCE_OFFICER,
        Role.CERTIFYING_OFFICER,
        Role.APPROVING_OFFICER,
        Role.TREASURY,
    ],
    "officer who signs": [Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY],
    "colleague": [Role.TREASURY, Role.FINANCE_OFFICER, Role.CERTIFYING_OFFICER],
    **{reader: [Role.TASK_FORCE] for reader in READERS},
}
PEOPLE = (*STAFF, "applicant", "competitor")

OVERPAID = """
SELECT award.ref FROM award
JOIN application ON application.id = award.application_id
JOIN call ON call.id = application.call_id
LEFT JOIN instalment ON instalment.award_id = award.id
GROUP BY award.id, call.ceiling_usd
HAVING coalesce(sum(instalment.paid_usd), 0) > award.amount_usd
    OR award.amount_usd > least(call.ceiling_usd, 500000)
"""
PAID_TWICE = """
SELECT instalment_id FROM payment_order WHERE status IN ('released', 'confirmed')
GROUP BY instalment_id HAVING count(*) > 1
"""
UNSIGNED = """
SELECT payment_order.ref FROM payment_order
JOIN bank_details ON bank_details.id = payment_order.bank_details_id
LEFT JOIN payment_approval ON payment_approval.order_id = payment_order.id
    AND payment_approval.person_id <> bank_details.entered_by_id
    AND payment_approval.digest = payment_order.digest
WHERE payment_order.status IN ('released', 'confirmed', 'rejected', 'returned')
GROUP BY payment_order.id HAVING count(DISTINCT payment_approval.person_id) <> 3
"""
UNBALANCED = """
SELECT entry.transaction_id FROM ledger_entry AS entry
JOIN ledger_account AS account ON account.id = entry.account_id
GROUP BY entry.transaction_id, account.fund_code HAVING sum(entry.usd) <> 0
"""
SIDEWAYS = (
    ("ask", "officer"),
    ("reopen", "applicant"),
    ("recuse", "reader 1"),
    ("send back", "authority"),
    ("suspend", "officer"),
    ("terminate", "authority"),
    ("enter bank", "applicant"),
    ("enter bank", "colleague"),
    ("reject bank", "finance"),
    ("cancel order", "certifier"),
    ("reject order", "finance"),
    ("return order", "finance"),
    ("return narrative", "officer"),
    ("return spending", "finance"),
    ("draw balance", "finance"),
    ("acknowledge", "colleague"),
)
"""What may well happen and does not lead straight on, with those whose right it is."""

TEMPTED = ("many hats", "colleague")
PAYING = ("verify bank", "prepare", "certify", "approve", "release", "confirm")
"""What it takes to pay: one person who could do all of it must not get through."""

MOVES = (
    *["go on"] * 6,
    *["sideways"] * 3,
    *["alone"] * 4,
    *["another person"] * 4,
    *["anything"] * 5,
    *["the other", "leave", "wait"],
)

NEVER = {
    "more was paid than awarded, or awarded than the ceiling": OVERPAID,
    "an instalment was paid twice": PAID_TWICE,
    "three people who did not enter the bank details signed": UNSIGNED,
    "the books sum to zero per transaction and fund": UNBALANCED,
}


@dataclass
class World:
    """Who lives in the database of this test, and what time it is there."""

    people: dict[str, str] = field(default_factory=dict)
    moment: datetime = BEGIN

    def person(self, who: str) -> Person:
        """Return somebody, as the database holds them now."""
        return session.scalars(sa.select(Person).where(Person.email == self.people[who])).one()


WORLD = World()


class Grant(RuleBasedStateMachine):
    """One application, a competing one, and everybody who may lay hands on them."""

    def __init__(self) -> None:
        super().__init__()
        self.diary: list[str] = []
        self.case: Case
        self.other: Case

    @initialize(part=st.sampled_from([100, 60]), spent=st.sampled_from([100, 70]))
    def begin(self, part: int, spent: int) -> None:
        """Open a call in which two applications are in; one reader is tied to the other one."""
        with clock.at(WORLD.moment):
            under = make_call(
                "act",
                by=WORLD.person("officer"),
                ceiling_usd=480_000,
                closes_at=WORLD.moment + timedelta(days=90),
            )
            ids = []
            for who in ("applicant", "competitor"):
                where = organisation(OrganisationKind.NGO, "KEN", WORLD.person(who))
                where.registered_on = date(2015, 5, 4)
                ids.append(make_application(of=under, where=where).id)
                if who == "applicant":
                    take_in(where, WORLD.person("colleague"), by=WORLD.person(who))
            session.commit()
        self.case, self.other = Case(ids[0], part, spent), Case(ids[1])
        for act, who in (("screen", "officer"), ("pass on", "officer"), ("recuse", "reader 4")):
            self.do(self.other, act, who)

    def do(self, case: Case, act: str, who: str) -> bool:
        """Let somebody try an act; say whether it was done. It may be refused and nothing else."""
        WORLD.moment += timedelta(minutes=20)
        name = "" if case is self.case else " (the other application)"
        with clock.at(WORLD.moment):
            try:
                ACTS[act](case, WORLD.person(who))
                session.commit()
            except Refused as refused:
                session.rollback()
                self.diary.append(f"{who}: {act}{name}: refused, {refused.sentence}")
                return False
            except BaseException as broken:
                session.rollback()
                self.diary.append(f"{who}: {act}{name}: {type(broken).__name__}")
                broken.add_note("\n".join(self.diary))
                raise
            self.diary.append(f"{who}: {act}{name}")
            try:
                everything_holds(case)
            except BaseException as broken:
                broken.add_note("\n".join(self.diary))
                raise
        return True

    @rule(
        move=st.sampled_from(MOVES),
        steps=st.integers(1, 4),
        act=st.sampled_from(sorted(ACTS)),
        who=st.sampled_from(PEOPLE),
        sideways=st.sampled_from(SIDEWAYS),
    )
    def turn(self, move: str, steps: int, act: str, who: str, sideways: tuple[str, str]) -> None:
        """Let somebody do something: mostly what is due, else whatever comes to mind."""
        if move == "go on":
            self.go_on(steps)
        elif move == "another person":
            step = self.due()
            if step is not None and step[0] in ACTS:
                self.do(self.case, step[0], who)
        elif move == "sideways":
            self.do(self.case, *sideways)
        elif move == "alone":
            for each in PAYING:
                self.do(self.case, each, TEMPTED[steps % len(TEMPTED)])
        elif move == "anything":
            self.do(self.case, act, who)
        elif move == "the other":
            self.do(self.other, act, who)
        elif move == "leave":
            self.leave()
        else:
            self.wait(24 * steps + 1)

    def due(self) -> tuple[str, str] | None:
        """Return what is due now, and whose it is."""
        with clock.at(WORLD.moment):
            step = next_step(self.case)
            session.rollback()
        return step

    def go_on(self, steps: int) -> None:
        """Take the grant on by the people whose steps they are: nobody of them is refused."""
        for _n in range(steps):
            step = self.due()
            if step is None:
                return
            if step[0] == "wait":
                self.wait(49)
            else:
                assert self.do(self.case, *step), "\n".join(self.diary)

    def wait(self, hours: int) -> None:
        """Let time pass."""
        WORLD.moment += timedelta(hours=hours)
        self.diary.append(f"{hours} hours pass")

    def leave(self) -> None:
        """Let the colleague leave the organisation, and keep the roles and what they know."""
        with clock.at(WORLD.moment):
            where, colleague = self.case.application.organisation, WORLD.person("colleague")
            rows = sa.select(Membership).where(
                Membership.organisation_id == where.id,
                Membership.person_id == colleague.id,
                Membership.left_at.is_(None),
            )
            membership = session.scalar(rows)
            if membership is not None:
                accounts.remove_member(membership, by=WORLD.person("applicant"))
                self.diary.append("the colleague leaves the organisation")
            session.commit()


def take_in(where: Organisation, joining: Person, *, by: Person) -> None:
    """Let somebody who has an account join an organisation."""
    accounts.invite(where, email=joining.email, role=MemberRole.EDITOR, by=by)
    accounts.accept_invite(last_token(joining.email, "invitation"), by=joining)


def everything_holds(case: Case) -> None:
    """Demand all that must be true at any moment; called at the end of each act."""
    outbox.deliver_due()
    for what, query in NEVER.items():
        found = session.scalars(sa.text(query)).all()
        assert not found, f"{what}: {found}"
    rows = sa.select(Recusal).join(Recusal.application)
    for recusal in session.scalars(rows.where(Application.call_id == case.call.id)):
        sees_nothing(recusal.person, recusal.application)
    broken = {check.name: check.run().violations for check in all_checks()}
    assert not any(broken.values()), broken
    session.rollback()


def sees_nothing(reader: Person, application: Application) -> None:
    """Demand that an application does not exist for somebody who is recused from it."""
    visible = session.scalars(policy.visible_to(reader)).all()
    assert application not in visible
    assert not policy.can_view(reader, application)
    assert not reviews_policy.can_see_scores(reader, application)
    assert listing.page(reader, listing.Wanted()).total == len(visible)
    assert application not in listing.taken_out(reader, listing.Wanted())
    calls = [each.call.id for each in reviews_queries.calls_in_review(reader)]
    assert application.call_id not in calls, "the counts of the call tell of it"
    told = [todo for source in TASK_SOURCES for todo in source(reader)]
    assert not [todo for todo in told if application.ref in repr(todo)]


@pytest.fixture
def world(application: Portal, fresh_database: str) -> None:
    """Fill a database of its own with the people of the test and with money."""
    del application, fresh_database  # the application sets documents in type
    WORLD.moment = BEGIN
    with clock.at(BEGIN):
        funds.load_profiles_into_database()
        giver = administrator()
        for who in PEOPLE:
            found = signed_up(name=who.title())
            WORLD.people[who] = found.email
            for role in STAFF.get(who, ()):
                accounts.grant_role(found, role, fund="act", by=giver)
        money("act")
        session.commit()


@pytest.mark.usefixtures("world")
def test_any_grant_keeps_to_the_rules() -> None:
    run_state_machine_as_test(
        Grant,
        settings=settings(
            max_examples=3,
            stateful_step_count=32,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate],  # shrinking a story on a real database takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
