"""Registering, signing in, throttles, passwords and the ends of sessions."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.accounts import rules, service
from portal.accounts.models import (
    NationalityReason,
    OneTimeLink,
    Person,
    Role,
    SignInAttempt,
    WebSession,
)
from portal.accounts.service import passwords
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.workflow import Refused
from tests import make
from tests.conftest import SqlCount
from tests.make.accounts import PASSWORD, person_with

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
HERE = "192.0.2.10"
ELSEWHERE = "198.51.100.7"
WRONG = "entirely another phrase"

pytestmark = pytest.mark.usefixtures("db")

Db = scoped_session[Session]


def enter(person: Person, password: str = PASSWORD, network: str = HERE) -> service.Entry:
    """Sign in."""
    return service.sign_in(person.email, password, network=network)


def refused(call: Callable[[], object]) -> str:
    """Return the sentence with which `call` is refused."""
    with pytest.raises(Refused) as error:
        call()
    return error.value.sentence


def count_of(kind: type[WebSession | SignInAttempt | Person]) -> int:
    """Return the number of rows of a table."""
    return session.scalar(select(func.count()).select_from(kind)) or 0


# Registering


def test_a_registration_waits_until_link_and_password_come_together() -> None:
    service.register(email="New@Example.org", name=" Nour  Haddad ", password=PASSWORD)
    person = person_with("new@example.org")
    assert person.name == "Nour Haddad"
    assert "not confirmed yet" in refused(lambda: enter(person))
    token = make.last_token("new@example.org")
    assert "not the password" in refused(lambda: service.confirm(token, WRONG, network=HERE))
    assert person.email_confirmed_at is None
    entry = service.confirm(token, PASSWORD, network=HERE)
    assert service.session_for(entry.token) is entry.web_session
    assert "used already" in refused(lambda: service.confirm(token, PASSWORD, network=HERE))


@pytest.mark.parametrize(
    ("said", "kept"), [("Africa/Nairobi", "Africa/Nairobi"), ("Mars/Olympus", "UTC"), ("", "UTC")]
)
def test_an_account_keeps_the_time_zone_of_its_browser(said: str, kept: str) -> None:
    service.register(email="new@example.org", name="Nour", password=PASSWORD, time_zone=said)
    assert person_with("new@example.org").time_zone == kept


def test_a_strangers_registration_never_becomes_the_owners_account() -> None:
    service.register(email="owner@example.org", name="Owner", password=PASSWORD)
    service.register(email="owner@example.org", name="Stranger", password=WRONG)
    for message in make.messages("owner@example.org"):
        token = message.link.rsplit("/", 1)[-1]
        refused(partial(service.confirm, token, PASSWORD, network=HERE))
    assert person_with("owner@example.org").email_confirmed_at is None
    service.send_reset_link("owner@example.org")
    service.reset_password(make.last_token("owner@example.org", "reset_password"), PASSWORD)
    assert "do not belong" in refused(lambda: enter(person_with("owner@example.org"), WRONG))
    assert enter(person_with("owner@example.org"))


def test_registering_a_known_address_changes_nothing_and_tells_its_owner() -> None:
    person = make.signed_up("known@example.org", "Known Person")
    before = person.password_hash
    service.register(email="known@example.org", name="Other", password=WRONG)
    assert (person.name, person.password_hash) == ("Known Person", before)
    assert make.messages("known@example.org")[-1].template == "already_registered"
    assert count_of(Person) == 1


def test_strangers_cannot_flood_a_letter_box() -> None:
    for _again in range(9):
        service.register(email="quiet@example.org", name="Quiet", password=PASSWORD)
        service.send_reset_link("quiet@example.org")
    assert len(make.messages("quiet@example.org")) == rules.MAILS_PER_WINDOW


def test_a_link_lasts_a_day() -> None:
    with clock.at(START):
        service.register(email="late@example.org", name="Late", password=PASSWORD)
    token = make.last_token("late@example.org")
    with clock.at(START + timedelta(hours=25)):
        refused(lambda: service.confirm(token, PASSWORD, network=HERE))


def test_a_spent_link_cannot_be_made_new_even_in_the_database() -> None:
    make.signed_up()
    with pytest.raises(IntegrityError, match="does not begin again"):
        session.execute(update(OneTimeLink).values(used_at=None))


# Signing in


@pytest.mark.usefixtures("full_hashes")
def test_one_hash_and_one_sentence_for_known_and_unknown_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = make.signed_up()
    closed = make.signed_up()
    service.deactivate(closed, by=make.administrator())
    calls: list[str] = []
    real = PasswordHasher.verify

    def counted(self: PasswordHasher, stored: str, typed: str) -> bool:
        calls.append(stored)
        return real(self, stored, typed)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    sentences = {
        refused(lambda: enter(person, WRONG)),
        refused(lambda: service.sign_in("nobody@example.org", WRONG, network=HERE)),
        refused(lambda: service.sign_in("no address", WRONG, network=HERE)),
        refused(lambda: enter(closed)),
    }
    assert len(sentences) == 1
    assert len(calls) == 4
    parameters = {stored.rsplit("$", 2)[0] for stored in calls}
    assert parameters == {"$argon2id$v=19$m=19456,t=2,p=1"}


def test_a_session_token_is_new_each_time_and_never_stored() -> None:
    person = make.signed_up()
    first, second = enter(person), enter(person)
    assert first.token != second.token
    stored = session.scalars(select(WebSession.digest)).all()
    assert first.token not in stored
    assert service.session_for("made up") is None


@pytest.mark.usefixtures("full_hashes")
def test_an_old_hash_is_replaced_when_its_owner_signs_in() -> None:
    person = make.signed_up()
    person.password_hash = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(
        PASSWORD
    )
    enter(person)
    assert person.password_hash is not None
    assert not passwords.needs_rehash(person.password_hash)
    assert enter(person)


def test_a_password_typed_on_another_keyboard_is_right() -> None:
    service.register(email="e@example.org", name="E", password="caf\u00e9 sur la place")
    token = make.last_token("e@example.org")
    assert service.confirm(token, "cafe\u0301 sur la place", network=HERE)


# Throttles


def test_tries_are_delayed_before_they_are_blocked_and_never_for_good() -> None:
    person = make.signed_up()
    with clock.at(START):
        for _try in range(rules.PAIR_FREE + 1):
            assert "do not belong" in refused(lambda: enter(person, WRONG))
        assert "Wait" in refused(lambda: enter(person))
    with clock.at(START + timedelta(seconds=3)):
        assert enter(person)
        assert "do not belong" in refused(lambda: enter(person, WRONG))


def test_nobody_is_locked_out_by_tries_from_elsewhere() -> None:
    person = make.signed_up()
    with clock.at(START):
        for _try in range(rules.PAIR_FREE + 1):
            refused(lambda: enter(person, WRONG, ELSEWHERE))
        assert "Wait" in refused(lambda: enter(person, PASSWORD, ELSEWHERE))
        assert enter(person, PASSWORD, HERE)


def test_a_network_that_tries_many_addresses_waits() -> None:
    person = make.signed_up()
    with clock.at(START):
        for number in range(rules.NETWORK_FREE + 1):
            refused(partial(service.sign_in, f"a{number}@example.org", WRONG, network=ELSEWHERE))
        assert "Wait" in refused(lambda: enter(person, PASSWORD, ELSEWHERE))


def test_a_try_that_has_to_wait_costs_no_hash_and_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = make.signed_up()
    with clock.at(START):
        for _try in range(rules.PAIR_FREE + 1):
            refused(lambda: enter(person, WRONG))
        counted = count_of(SignInAttempt)
        monkeypatch.setattr(PasswordHasher, "verify", None)
        refused(lambda: enter(person))
        assert count_of(SignInAttempt) == counted


def test_the_throttle_keeps_no_address() -> None:
    refused(lambda: service.sign_in("secret@example.org", WRONG, network=HERE))
    kept = session.scalars(select(SignInAttempt.key)).all()
    assert kept
    assert all(len(key) == 64 and "@" not in key for key in kept)


# The ends of sessions


def test_a_session_runs_out_when_idle_and_when_old() -> None:
    person = make.signed_up()
    with clock.at(START):
        entry = enter(person)
    with clock.at(START + timedelta(hours=11, minutes=59)):
        assert service.session_for(entry.token)
        service.refresh(entry.web_session)
        session.refresh(entry.web_session)
    with clock.at(START + timedelta(hours=23)):
        assert service.session_for(entry.token)
    with clock.at(START + timedelta(hours=24)):
        assert service.session_for(entry.token) is None
    session.execute(update(WebSession).values(seen_at=START + timedelta(days=7)))
    with clock.at(START + timedelta(days=7)):
        assert service.session_for(entry.token) is None


def test_a_session_is_noted_as_seen_every_five_minutes_at_most(
    count_sql: Callable[[], AbstractContextManager[SqlCount]],
) -> None:
    person = make.signed_up()
    with clock.at(START):
        entry = enter(person)
    with clock.at(START + timedelta(minutes=4)), count_sql() as count:
        service.refresh(entry.web_session)
    assert count.total == 0
    with clock.at(START + timedelta(minutes=5)):
        service.refresh(entry.web_session)
        session.refresh(entry.web_session)
        assert entry.web_session.seen_at == START + timedelta(minutes=5)


def test_a_session_that_has_ended_is_not_revived_by_a_late_save() -> None:
    person = make.signed_up()
    with clock.at(START):
        entry = enter(person)
        service.end_all_sessions(person)
    with clock.at(START + timedelta(minutes=10)):
        service.refresh(entry.web_session)
        assert service.session_for(entry.token) is None
    with pytest.raises(IntegrityError, match="does not begin again"):
        session.execute(update(WebSession).values(ended_at=None))


def test_a_new_password_ends_every_session() -> None:
    person = make.signed_up()
    here, there = enter(person), enter(person)
    assert "present password" in refused(
        lambda: service.change_password(person, WRONG, WRONG, network=HERE)
    )
    entry = service.change_password(person, PASSWORD, WRONG, network=HERE)
    assert service.session_for(here.token) is None
    assert service.session_for(there.token) is None
    assert service.session_for(entry.token)
    assert make.messages(person.email)[-1].template == "password_changed"
    refused(lambda: enter(person))
    assert enter(person, WRONG)


def test_a_reset_link_works_once_within_two_hours_and_ends_every_session() -> None:
    person = make.signed_up()
    entry = enter(person)
    with clock.at(START):
        service.send_reset_link(person.email)
        first = make.last_token(person.email, "reset_password")
    with clock.at(START + timedelta(hours=2)):
        refused(lambda: service.reset_password(first, WRONG))
    with clock.at(START + timedelta(hours=1)):
        assert "too short" in refused(lambda: service.reset_password(first, "short"))
        service.reset_password(first, WRONG)
        refused(lambda: service.reset_password(first, WRONG))
    assert service.session_for(entry.token) is None


def test_a_used_reset_link_takes_the_others_with_it() -> None:
    person = make.signed_up()
    with clock.at(START):
        service.send_reset_link(person.email)
        service.send_reset_link(person.email)
        tokens = [
            message.link.rsplit("/", 1)[-1]
            for message in make.messages(person.email, "reset_password")
        ]
        service.reset_password(tokens[0], WRONG)
        refused(lambda: service.reset_password(tokens[1], WRONG))


def test_a_reset_for_an_unknown_address_sends_nothing() -> None:
    service.send_reset_link("nobody@example.org")
    assert make.messages("nobody@example.org") == []


def test_giving_the_password_again_replaces_the_session() -> None:
    person = make.signed_up()
    entry = enter(person)
    refused(lambda: service.confirm_identity(entry.web_session, WRONG, network=HERE))
    fresh = service.confirm_identity(entry.web_session, PASSWORD, network=HERE)
    assert service.session_for(entry.token) is None
    assert service.session_for(fresh.token)


def test_a_page_learns_who_reads_it_in_three_statements(
    count_sql: Callable[[], AbstractContextManager[SqlCount]],
) -> None:
    person = make.person(roles=[Role.AUDITOR, (Role.TRUSTEE, "vftc", None)])
    for _each in range(3):
        make.organisation(representative=person)
    token = enter(person).token
    session.commit()
    session.expunge_all()
    with count_sql() as count:
        found = service.session_for(token)
        assert found is not None
        assert found.person.holds_any(Role.AUDITOR)
        assert len(found.person.organisation_ids()) == 3
    assert count.total <= 3


@pytest.mark.parametrize("role", [Role.TRUSTEE, Role.TASK_FORCE])
def test_who_reviews_gives_a_nationality_once(role: Role) -> None:
    person = make.person(roles=[role])
    known = {"name": person.name, "language": "en", "time_zone": "UTC"}
    service.edit_profile(person, **known, nationality="KEN")
    service.edit_profile(person, **known, nationality="KEN")
    for wanted in ("NPL", None):
        with pytest.raises(Refused, match="an administrator can correct it") as refused:
            service.edit_profile(person, **known, nationality=wanted)
        assert refused.value.rule == "R16"
    assert person.nationality == "KEN"
    with pytest.raises(Refused, match="Only an administrator"):
        service.correct_nationality(person, "NPL", NationalityReason.MISTAKE, by=make.person())
    service.correct_nationality(person, "NPL", NationalityReason.MISTAKE, by=make.administrator())
    assert person.nationality == "NPL"
    rows = select(AuditEvent).where(AuditEvent.action == "person.nationality_corrected")
    (event,) = session.scalars(rows)
    assert (event.subject_id, event.facts) == (person.id, {"reason": "mistake"})


def test_who_does_not_review_changes_a_nationality_freely() -> None:
    person = make.person(roles=[Role.TREASURY])
    for wanted in ("KEN", "NPL", None):
        service.edit_profile(
            person, name=person.name, language="en", time_zone="UTC", nationality=wanted
        )
        assert person.nationality == wanted


def test_no_audit_row_holds_anything_personal() -> None:
    person = make.person("canary@example.org", [Role.AUDITOR], name="Canary Person")
    where = make.organisation(representative=person, name="Canary House")
    make.member(where, email="second@example.org")
    service.edit_profile(person, name="Canary Two", language="fr", time_zone="Africa/Nairobi")
    for event in session.scalars(select(AuditEvent)):
        said = f"{event.action} {event.facts}"
        assert "canary" not in said.lower()
        assert "example.org" not in said
