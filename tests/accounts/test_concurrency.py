"""What holds when many come at the same moment, on real transactions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from portal.accounts import rules, service
from portal.accounts.models import MemberRole, Membership, SignInAttempt, WebSession
from portal.accounts.service import passwords
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from tests import make
from tests.make.accounts import PASSWORD

pytestmark = pytest.mark.usefixtures("fresh_database")

HERE = "192.0.2.10"
CROWD = 12


def at_once(count: int, act: Callable[[int], str]) -> list[str]:
    """Let `count` threads begin `act` together, each in a transaction of its own."""
    start = Barrier(count)

    def one(number: int) -> str:
        start.wait()
        try:
            answer = act(number)
        except Refused as refused:
            answer = refused.sentence
        session.commit()
        session.remove()
        return answer

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_tries_at_the_same_moment_are_not_all_the_first() -> None:
    email = make.signed_up().email
    session.commit()

    def guess(number: int) -> str:
        service.sign_in(email, f"wrong guess number {number}", network=HERE)
        return "in"

    answers = at_once(CROWD, guess)
    tried = [answer for answer in answers if "do not belong" in answer]
    assert len(tried) == rules.PAIR_FREE + 1
    assert sum("Wait" in answer for answer in answers) == CROWD - len(tried)
    key = rules.pair_key(email, HERE)
    counted = select(func.count()).where(SignInAttempt.key == key)
    assert session.scalar(counted) == len(tried)


def test_few_hashes_run_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    real, lock = PasswordHasher.verify, Lock()
    running, most = 0, 0

    def watched(self: PasswordHasher, stored: str, typed: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return real(self, stored, typed)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    at_once(CROWD, lambda _number: str(passwords.is_password(None, PASSWORD)))
    assert 0 < most <= passwords.CONCURRENT_HASHES


def test_one_address_registered_twice_at_once_is_one_person() -> None:
    def register(number: int) -> str:
        service.register(email="twice@example.org", name=f"No {number}", password=PASSWORD)
        return "sent"

    assert at_once(4, register) == ["sent"] * 4
    assert len(make.messages("twice@example.org")) == 4


def test_the_last_two_representatives_cannot_both_leave() -> None:
    where = make.organisation()
    make.member(where, MemberRole.REPRESENTATIVE)
    places = session.scalars(select(Membership.id)).all()
    session.commit()
    session.remove()

    def leave(number: int) -> str:
        place = session.get_one(Membership, places[number])
        service.remove_member(place, by=place.person)
        return "left"

    answers = at_once(2, leave)
    assert sorted("left" if answer == "left" else "kept" for answer in answers) == ["kept", "left"]


def test_a_link_opens_one_account_however_often_it_is_sent() -> None:
    make.signed_up("owner@example.org")
    service.send_reset_link("owner@example.org")
    token = make.last_token("owner@example.org", "reset_password")
    session.commit()
    session.remove()

    def reset(number: int) -> str:
        service.reset_password(token, f"quite a new phrase {number}")
        return "set"

    answers = at_once(4, reset)
    assert answers.count("set") == 1


def test_being_seen_is_saved_although_reading_never_commits() -> None:
    person = make.signed_up()
    entry = service.sign_in(person.email, PASSWORD, network=HERE)
    session.commit()
    later = clock.now() + timedelta(minutes=6)
    with clock.at(later):
        found = service.session_for(entry.token)
        assert found is not None
        service.refresh(found)
    session.rollback()
    assert session.scalars(
        select(WebSession.seen_at).where(WebSession.ended_at.is_(None))
    ).all() == [later]
