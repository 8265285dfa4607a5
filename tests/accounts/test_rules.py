"""What passwords, addresses, waits and sessions must be."""

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.accounts import rules
from portal.accounts.models import Person, Role, RoleGrant
from portal.accounts.rules import Tries
from portal.core.workflow import Refused

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "password",
    [
        "seven quiet harbours",
        "482910573829",
        "кошка летает ночью",
        "渡り鳥が海を越えて北へ行く",
        "            a bcdef  ghi",
    ],
)
def test_any_long_password_that_cannot_be_guessed_is_accepted(password: str) -> None:
    assert rules.password_refusal(password, email="x@example.org", name="Amina Okello") is None


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "too short"),
        ("elevenchars", "too short"),
        ("x" * 257, "too long"),
        ("aaaaaaaaaaaaaaa", "first that somebody would try"),
        ("Password1234", "first that somebody would try"),
        ("123456789012", "first that somebody would try"),
        ("Qwertyuiop!1", "first that somebody would try"),
        ("humanrights2026", "first that somebody would try"),
        ("welcomeadmin1", "first that somebody would try"),
        ("Amina.Okello99", "your name or your address"),
        ("amina@example.org", "your name or your address"),
        ("okello-okello", "your name or your address"),
    ],
)
def test_a_password_that_is_short_or_common_or_ones_own_name_is_refused(
    password: str, words: str
) -> None:
    sentence = rules.password_refusal(password, email="amina@example.org", name="Amina Okello")
    assert sentence is not None
    assert words in sentence


def test_the_same_password_from_two_keyboards_is_the_same() -> None:
    assert rules.clean_password("cafe\u0301") == rules.clean_password("caf\u00e9")


def test_addresses_are_kept_in_one_form() -> None:
    assert rules.clean_email("  Amina@Example.ORG ") == "amina@example.org"


@pytest.mark.parametrize("typed", ["", "amina", "amina@", "a b@example.org", "a@b@example.org"])
def test_an_incomplete_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.clean_email(typed)
    assert "name@organisation.org" in refused.value.sentence


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        (None, "not an address", True),
    ],
)
def test_what_counts_as_one_network(one: str | None, other: str, *, same: bool) -> None:
    assert (rules.network_of(one) == rules.network_of(other)) is same


def test_waits_begin_after_the_free_tries_double_and_end_at_a_quarter_of_an_hour() -> None:
    waits = []
    for count in range(40):
        moment = rules.free_from(Tries(count, NOW), 4)
        waits.append((moment - NOW).total_seconds() if moment else 0)
    assert waits[:8] == [0, 0, 0, 0, 0, 2, 4, 8]
    assert waits == sorted(waits)
    assert waits[-1] == rules.LONGEST_WAIT.total_seconds()


@pytest.mark.parametrize(
    ("wait", "words"),
    [(0.4, "1 second,"), (59, "60 seconds"), (61, "2 minutes"), (899, "15 minutes")],
)
def test_a_wait_says_how_long_it_is(wait: float, words: str) -> None:
    assert words in rules.waiting_sentence(timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("age", "idle", "ended", "live"),
    [
        (timedelta(days=6), timedelta(hours=11), None, True),
        (timedelta(days=7), timedelta(0), None, False),
        (timedelta(days=1), timedelta(hours=12), None, False),
        (timedelta(0), timedelta(0), NOW, False),
    ],
)
def test_a_session_ends_when_idle_when_old_and_when_ended(
    age: timedelta, idle: timedelta, ended: datetime | None, *, live: bool
) -> None:
    assert rules.is_live(created_at=NOW - age, seen_at=NOW - idle, ended_at=ended, now=NOW) is live


def test_nothing_is_registered_in_the_future() -> None:
    assert rules.registration_refusal(date(2026, 11, 22), NOW.date()) is not None
    assert rules.registration_refusal(NOW.date(), NOW.date()) is None
    assert rules.registration_refusal(None, NOW.date()) is None


@pytest.mark.parametrize(
    ("from_day", "until_day", "ended", "on", "holds"),
    [
        (date(2026, 1, 1), None, None, date(2025, 12, 31), False),
        (date(2026, 1, 1), None, None, date(2026, 1, 1), True),
        (date(2026, 1, 1), date(2026, 6, 30), None, date(2026, 6, 30), True),
        (date(2026, 1, 1), date(2026, 6, 30), None, date(2026, 7, 1), False),
        (date(2026, 1, 1), None, date(2026, 3, 1), date(2026, 2, 28), True),
        (date(2026, 1, 1), None, date(2026, 3, 1), date(2026, 3, 1), False),
    ],
)
def test_a_role_holds_from_its_first_to_its_last_day(
    from_day: date, until_day: date | None, ended: date | None, on: date, *, holds: bool
) -> None:
    grant = RoleGrant(
        person=Person(email="x@example.org", name="X"),
        role=Role.AUDITOR,
        from_day=from_day,
        until_day=until_day,
        ended_at=datetime(ended.year, ended.month, ended.day, 9, tzinfo=UTC) if ended else None,
    )
    assert grant.is_in_force(on) is holds


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0",
            "Firefox, Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", "Safari, iPhone"),
        ("", "A browser without a name"),
    ],
)
def test_browsers_have_names(agent: str, name: str) -> None:
    assert rules.browser_name(agent) == name
