"""What a person may not see does not exist: the same by rule, by list, by page and by count."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import OrganisationKind, Person, Role
from portal.applications import listing, policy, queries
from portal.applications.models import (
    Application,
    ApplicationStatus,
    InterestDeclaration,
    Recusal,
)
from portal.core.crypto import seal
from tests.make.accounts import member, organisation, person, representative_of
from tests.make.applications import application, call, draft, fill

Db = scoped_session[Session]
pytestmark = pytest.mark.usefixtures("app")

SEES_ALL_SUBMITTED = {role.value for role in policy.READERS_OF_ALL}


def seen(who: Person, db: Db) -> set[str]:
    """Return what exists for somebody, and demand that rule and list agree on each one."""
    listed = {each.ref for each in db.scalars(policy.visible_to(who))}
    everything = db.scalars(select(Application)).all()
    assert listed == {each.ref for each in everything if policy.can_view(who, each)}
    assert listing.page(who, listing.Wanted()).total == len(listed)
    return listed


def test_each_role_sees_what_the_table_says(db: Db) -> None:
    under = call("act")
    sent, unsent = application(of=under), fill(draft(under))
    for role in Role:
        found = seen(person(roles=[(role, "act", None)]), db)
        assert found == ({sent.ref} if role.value in SEES_ALL_SUBMITTED else set()), role
        assert seen(person(roles=[(role, "vftc", None)]), db) == set()
        assert seen(person(roles=[(role, "act", "NPL")]), db) == set()
    for mine in (sent, unsent):
        assert seen(representative_of(mine.organisation), db) == {mine.ref}
        assert seen(member(mine.organisation), db) == {mine.ref}


def test_a_mission_neither_sees_nor_counts_civil_society_of_its_country(db: Db) -> None:
    hidden = application(of=call("act"))
    mission = organisation(OrganisationKind.MISSION, hidden.country)
    ministry = organisation(OrganisationKind.GOVERNMENT, hidden.country)
    for where in (mission, ministry):
        who = representative_of(where)
        assert seen(who, db) == set()
        assert listing.choices(who) == listing.Choices([], [])
        assert queries.mine(who) == []
        assert hidden not in listing.taken_out(who, listing.Wanted())


def test_a_reviewer_begins_to_see_in_review_and_only_in_the_own_country(db: Db) -> None:
    made = application(of=call("act"))
    here = person(roles=[(Role.TASK_FORCE, "act", made.country)])
    there = person(roles=[(Role.TASK_FORCE, "act", "NPL")])
    trustee = person(roles=[(Role.TRUSTEE, "act", None)])
    assert seen(here, db) == set()
    db.add_all(InterestDeclaration(application=made, person=who) for who in (here, there, trustee))
    db.flush()
    assert seen(here, db) == set()
    made.status = ApplicationStatus.IN_REVIEW
    db.flush()
    assert seen(here, db) == {made.ref}
    assert seen(there, db) == set()
    assert seen(trustee, db) == set()


@pytest.mark.parametrize("status", policy.REVIEWED)
def test_for_a_reviewer_it_exists_once_they_declared(db: Db, status: ApplicationStatus) -> None:
    made = application(of=call("act"))
    made.status = status
    reader = person(roles=[(Role.TASK_FORCE, "act", made.country)])
    other = person(roles=[(Role.TASK_FORCE, "act", made.country)])
    assert seen(reader, db) == set()
    db.add(InterestDeclaration(application=made, person=reader))
    db.flush()
    assert seen(reader, db) == {made.ref}
    assert seen(other, db) == set()


def test_another_reading_role_needs_no_declaration(db: Db) -> None:
    made = application(of=call("act"))
    made.status = ApplicationStatus.IN_REVIEW
    for role in policy.READERS_OF_ALL:
        both = person(roles=[(Role.TASK_FORCE, "act", None), (role, "act", None)])
        assert seen(both, db) == {made.ref}, role


def test_for_the_recused_it_does_not_exist_in_any_count(db: Db) -> None:
    under = call("act")
    one, other = application(of=under), application(of=under)
    who = person(roles=[(Role.PROGRAMME_OFFICER, "act", None)])
    assert seen(who, db) == {one.ref, other.ref}
    db.add(
        Recusal(
            application=one, person=who, sealed_reason=seal(one.sealing_key, "cousin", "recusal")
        )
    )
    db.flush()
    assert seen(who, db) == {other.ref}
    assert one not in listing.taken_out(who, listing.Wanted())
    assert listing.page(who, listing.Wanted(text=one.ref)).total == 0
    assert not policy.can_open_sealed(who, one)


def test_who_leaves_the_organisation_sees_nothing_any_more(db: Db) -> None:
    made = application()
    who = member(made.organisation)
    assert seen(who, db) == {made.ref}
    who.memberships[0].left_at = made.created_at
    db.flush()
    assert seen(who, db) == set()


def test_what_is_taken_back_is_the_applicant_s_alone(db: Db) -> None:
    made = application(ApplicationStatus.DRAFT)
    staff = person(roles=[(Role.PROGRAMME_OFFICER, "act", None)])
    assert seen(staff, db) == set()
    assert policy.can_edit(representative_of(made.organisation), made)


def test_only_some_open_sealed_answers_or_lower_the_mark() -> None:
    made = application(of=call("act"))
    opens = {Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY, Role.AUDITOR}
    lowers = {Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY}
    for role in Role:
        who = person(roles=[(role, "act", None)])
        assert policy.can_open_sealed(who, made) == (role in opens)
        assert policy.can_lower_sensitivity(who, made) == (role in lowers)
    signs = representative_of(made.organisation)
    assert policy.can_open_sealed(signs, made)
    assert not policy.can_lower_sensitivity(signs, made)
