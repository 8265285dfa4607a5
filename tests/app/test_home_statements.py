"""The home page runs few statements for everybody, with rows of every kind, however many."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import MemberRole, Membership, Organisation, Person, Role
from portal.applications.models import ApplicationStatus
from portal.awards import service as awards
from portal.awards.models import AwardStatus
from portal.payments import service as payments
from portal.payments.models import OrderStatus
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.accounts import PASSWORD, person
from tests.make.applications import application as make_application
from tests.make.applications import call as make_call
from tests.make.awards import authority
from tests.make.awards import award as make_award
from tests.make.funds import draft_call
from tests.make.payments import entered, order
from tests.make.reports import finance, report
from tests.make.reviews import approved, cast, in_review, recommended, reviewed

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]
MOST = 10
pytestmark = pytest.mark.usefixtures("app")


def rows_of_every_kind(runs_calls: Person) -> None:
    """Add something that waits for each role, and for the people of applicants."""
    draft_call(by=runs_calls)
    for status in (
        ApplicationStatus.DRAFT,
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.CLARIFICATION,
    ):
        make_application(status)
    for fund in ("act", "vftc", "upr-p"):
        for step in (in_review, reviewed):
            call = make_call(fund)
            step(call, cast(call))
    call = make_call("act")
    people = cast(call)
    reviewed(call, people)
    recommended(call, people)
    approved()
    for state in (AwardStatus.OFFERED, AwardStatus.ACCEPTED, AwardStatus.ACTIVE):
        make_award(state)
    entered(make_award())
    for signed in (OrderStatus.PREPARED, OrderStatus.CERTIFIED, OrderStatus.APPROVED):
        order(signed)
    for sent in (OrderStatus.RELEASED, OrderStatus.CONFIRMED):
        order(sent)
    report()
    ended = make_award()
    order(OrderStatus.CONFIRMED, ended)
    awards.terminate(ended, "The work never began.", by=authority(ended))
    payments.settle_account(ended, by=finance(ended))


def join_all(db: Db, grantee: Person) -> None:
    """Let one person sign for every applicant that there is."""
    there = grantee.organisation_ids()
    for where in db.scalars(select(Organisation)):
        if where.id not in there:
            db.add(Membership(person=grantee, organisation=where, role=MemberRole.REPRESENTATIVE))


def test_home_runs_few_statements_for_every_role(
    db: Db, browser: Browser, count_sql: Count
) -> None:
    people = {role.value: person(roles=[role]) for role in Role}
    people |= {"grantee": person(), "newcomer": person()}
    grantee, runs_calls = people["grantee"], people[Role.PROGRAMME_OFFICER.value]
    emails = {who: each.email for who, each in people.items()}
    seen: list[dict[str, int]] = []
    links: list[dict[str, int]] = []
    for _round in range(2):
        rows_of_every_kind(db.merge(runs_calls))
        join_all(db, db.merge(grantee))
        db.commit()
        seen.append({})
        links.append({})
        for who, email in emails.items():
            browser.sign_in(email, PASSWORD)
            with count_sql() as count:
                browser.open("/home", 200)
            seen[-1][who] = count.total
            links[-1][who] = len(browser.page.links)
            browser.sign_out()
    assert seen[0] == seen[1]
    assert {who: total for who, total in seen[1].items() if total > MOST} == {}
    busy = {who for who in emails if links[1][who] > links[0][who]}
    idle = {"newcomer", "auditor", "administrator", "donor_relations"}
    assert busy & idle == set()
    assert busy >= {"grantee", "programme_officer", "task_force_member", "trustee"}
