"""Organisations and members, roles and who gives them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.accounts import policy, queries, service
from portal.accounts.models import (
    MemberRole,
    Membership,
    Organisation,
    OrganisationKind,
    Person,
    Role,
    RoleGrant,
)
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from tests import make
from tests.make.accounts import PASSWORD, representative_of

pytestmark = pytest.mark.usefixtures("db")

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
HERE = "192.0.2.10"


def refused(call: Callable[[], object]) -> str:
    """Return the sentence with which `call` is refused."""
    with pytest.raises(Refused) as error:
        call()
    return error.value.sentence


def membership(person: Person, where: Organisation) -> Membership:
    """Return the place of `person` in an organisation."""
    return session.scalars(
        select(Membership).where(
            Membership.person_id == person.id, Membership.organisation_id == where.id
        )
    ).one()


def test_whoever_enters_an_organisation_represents_it() -> None:
    person = make.signed_up()
    where = make.organisation(OrganisationKind.NHRI, "FJI", representative=person)
    assert policy.can_manage(person, where)
    assert queries.organisations(person) == [where]
    assert not policy.can_see_organisation(make.signed_up(), where)


@pytest.mark.parametrize(
    ("name", "country", "registered_on"),
    [
        ("  ", "KEN", None),
        ("x" * 201, "KEN", None),
        ("Circle", "Kenya", None),
        ("Circle", "KEN", date(2026, 11, 22)),
    ],
)
def test_details_that_cannot_be_are_refused(
    name: str, country: str, registered_on: date | None
) -> None:
    person = make.signed_up()
    with clock.at(START):
        refused(
            lambda: service.create_organisation(
                by=person,
                name=name,
                kind=OrganisationKind.NGO,
                country=country,
                registered_on=registered_on,
            )
        )


def test_only_a_representative_edits_and_invites() -> None:
    where = make.organisation()
    editor = make.member(where)
    assert policy.can_see_organisation(editor, where)
    for call in (
        lambda: service.invite(where, email="x@example.org", role=MemberRole.EDITOR, by=editor),
        lambda: service.edit_organisation(
            where, by=editor, name="Mine", kind=OrganisationKind.NGO, country="KEN"
        ),
    ):
        assert "legal representative" in refused(call)


def test_an_invitation_is_for_its_address_and_works_once() -> None:
    where = make.organisation()
    host, guest, other = representative_of(where), make.signed_up(), make.signed_up()
    service.invite(where, email=guest.email, role=MemberRole.EDITOR, by=host)
    token = make.last_token(guest.email, "invitation")
    assert "another address" in refused(lambda: service.accept_invite(token, by=other))
    service.accept_invite(token, by=guest)
    assert membership(guest, where).role is MemberRole.EDITOR
    assert "used already" in refused(lambda: service.accept_invite(token, by=guest))
    assert "already" in refused(
        lambda: service.invite(where, email=guest.email, role=MemberRole.EDITOR, by=host)
    )


def test_an_invitation_opens_an_account_with_a_proved_address() -> None:
    where = make.organisation()
    service.invite(
        where, email="new@example.org", role=MemberRole.EDITOR, by=representative_of(where)
    )
    token = make.last_token("new@example.org")
    entry = service.join_by_link(token, name="New Person", password=PASSWORD)
    assert policy.can_see_organisation(entry.web_session.person, where)
    assert service.sign_in("new@example.org", PASSWORD, network=HERE)


def test_an_invitation_takes_nobodys_account_over() -> None:
    where = make.organisation()
    owner = make.signed_up()
    service.invite(where, email=owner.email, role=MemberRole.EDITOR, by=representative_of(where))
    token = make.last_token(owner.email, "invitation")
    sentence = refused(
        lambda: service.join_by_link(token, name="Thief", password="entirely another phrase")
    )
    assert "Sign in" in sentence
    assert service.sign_in(owner.email, PASSWORD, network=HERE)


def test_an_invitation_dies_with_the_right_of_whoever_gave_it() -> None:
    where = make.organisation()
    host = representative_of(where)
    second = make.member(where, MemberRole.REPRESENTATIVE)
    guest = make.signed_up()
    service.invite(where, email=guest.email, role=MemberRole.REPRESENTATIVE, by=host)
    service.remove_member(membership(host, where), by=second)
    token = make.last_token(guest.email, "invitation")
    assert "no longer" in refused(lambda: service.accept_invite(token, by=guest))


def test_an_organisation_always_keeps_one_representative() -> None:
    where = make.organisation()
    host, editor = representative_of(where), make.member(where)
    place = membership(host, where)
    assert "always keeps one" in refused(lambda: service.remove_member(place, by=host))
    assert "always keeps one" in refused(
        lambda: service.change_member_role(place, role=MemberRole.EDITOR, by=host)
    )
    service.change_member_role(membership(editor, where), role=MemberRole.REPRESENTATIVE, by=host)
    service.remove_member(place, by=host)
    assert not policy.can_see_organisation(host, where)
    assert [member.person for member in queries.members(where)] == [editor]


def test_a_member_leaves_and_comes_back() -> None:
    where = make.organisation()
    host, editor = representative_of(where), make.member(where)
    stranger = make.signed_up()
    place = membership(editor, where)
    refused(lambda: service.remove_member(place, by=stranger))
    service.remove_member(place, by=editor)
    assert not policy.can_see_organisation(editor, where)
    service.invite(where, email=editor.email, role=MemberRole.EDITOR, by=host)
    service.accept_invite(make.last_token(editor.email, "invitation"), by=editor)
    assert policy.can_see_organisation(editor, where)
    assert membership(editor, where).id == place.id


# Roles


def test_the_first_administrator_comes_by_a_link_that_works_once() -> None:
    path = service.make_admin_link("chief@example.org")
    token = path.rsplit("/", 1)[-1]
    entry = service.join_by_link(token, name="Chief", password=PASSWORD)
    assert policy.can_administer(entry.web_session.person)
    refused(lambda: service.join_by_link(token, name="Chief", password=PASSWORD))


def test_an_administrators_link_is_for_its_address() -> None:
    person, other = make.signed_up(), make.signed_up()
    token = service.make_admin_link(person.email).rsplit("/", 1)[-1]
    refused(lambda: service.accept_admin_link(token, other))
    service.accept_admin_link(token, person)
    assert policy.can_administer(person)
    assert not policy.can_administer(other)


def test_an_administrator_holds_no_other_role_whoever_gives_it() -> None:
    officer, chief = make.person(roles=[Role.PROGRAMME_OFFICER]), make.administrator()
    with pytest.raises(Refused, match="holds no other role"):
        service.grant_role(officer, Role.ADMINISTRATOR, by=chief)
    with pytest.raises(Refused, match="holds no other role"):
        service.grant_role(make.administrator(), Role.AUDITOR, by=chief)
    tomorrow = clock.today() + timedelta(days=1)
    coming = make.signed_up()
    service.grant_role(coming, Role.TREASURY, by=chief, from_day=tomorrow)
    with pytest.raises(Refused, match="holds no other role"):
        service.grant_role(coming, Role.ADMINISTRATOR, by=chief)
    service.grant_role(coming, Role.ADMINISTRATOR, by=chief, until_day=clock.today())
    assert policy.can_administer(coming)


def test_no_link_makes_an_officer_an_administrator_too() -> None:
    officer = make.person(roles=[Role.PROGRAMME_OFFICER])
    with pytest.raises(Refused, match="holds no other role"):
        service.make_admin_link(officer.email)
    later = make.signed_up()
    token = service.make_admin_link(later.email).rsplit("/", 1)[-1]
    held = service.grant_role(later, Role.PROGRAMME_OFFICER, by=make.administrator())
    with pytest.raises(Refused, match="holds no other role"):
        service.accept_admin_link(token, later)
    assert not policy.can_administer(later)
    service.end_role(held, by=make.administrator())
    service.accept_admin_link(token, later)
    assert policy.can_administer(later)


def test_only_another_administrator_gives_a_role() -> None:
    chief, person = make.administrator(), make.signed_up()
    assert "their own" in refused(lambda: service.grant_role(chief, Role.TREASURY, by=chief))
    assert "administrator" in refused(lambda: service.grant_role(chief, Role.AUDITOR, by=person))
    grant = service.grant_role(person, Role.TRUSTEE, fund="vftc", country="KEN", by=chief)
    assert person.has_role(Role.TRUSTEE, "vftc", "KEN")
    assert not person.has_role(Role.TRUSTEE, "act", "KEN")
    assert not person.has_role(Role.TRUSTEE, "vftc", "FJI")
    assert "already" in refused(
        lambda: service.grant_role(person, Role.TRUSTEE, fund="vftc", country="KEN", by=chief)
    )
    service.end_role(grant, by=chief)
    assert not person.is_staff


def test_a_role_has_days() -> None:
    with clock.at(START):
        chief, person = make.administrator(), make.signed_up()
    first, last = date(2026, 12, 1), date(2026, 12, 31)
    refused(
        lambda: service.grant_role(person, Role.AUDITOR, by=chief, from_day=last, until_day=first)
    )
    with clock.at(START):
        service.grant_role(person, Role.AUDITOR, by=chief, from_day=first, until_day=last)
        assert not person.has_role(Role.AUDITOR)
    with clock.at(START + timedelta(days=10)):
        assert person.has_role(Role.AUDITOR)
    with clock.at(START + timedelta(days=41)):
        assert not person.has_role(Role.AUDITOR)


def test_a_change_of_roles_ends_every_session_of_that_person_only() -> None:
    chief, person = make.administrator(), make.signed_up()
    mine = service.sign_in(chief.email, PASSWORD, network=HERE)
    theirs = service.sign_in(person.email, PASSWORD, network=HERE)
    grant = service.grant_role(person, Role.AUDITOR, by=chief)
    assert service.session_for(theirs.token) is None
    theirs = service.sign_in(person.email, PASSWORD, network=HERE)
    service.end_role(grant, by=chief)
    assert service.session_for(theirs.token) is None
    assert service.session_for(mine.token)


def test_the_database_too_refuses_a_role_given_to_oneself() -> None:
    person = make.signed_up()
    session.add(RoleGrant(person=person, role=Role.TREASURY, granted_by_id=person.id))
    with pytest.raises(IntegrityError, match="not_to_self"):
        session.flush()


def test_a_closed_account_opens_nothing_until_it_is_opened_again() -> None:
    chief, person = make.administrator(), make.signed_up()
    entry = service.sign_in(person.email, PASSWORD, network=HERE)
    refused(lambda: service.deactivate(chief, by=chief))
    service.deactivate(person, by=chief)
    assert service.session_for(entry.token) is None
    refused(lambda: service.sign_in(person.email, PASSWORD, network=HERE))
    service.reactivate(person, by=chief)
    assert service.sign_in(person.email, PASSWORD, network=HERE)
