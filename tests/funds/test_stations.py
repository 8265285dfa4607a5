"""Where a grant stands, from its events."""

from datetime import UTC, datetime, timedelta

from portal.funds.profile import load_profiles
from portal.funds.stations import Station, stations

FUNDS = load_profiles()
ACT = FUNDS["act"]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _events(*actions: str) -> list[tuple[str, datetime]]:
    """Return the actions, one a day."""
    return [(action, START + timedelta(days=day)) for day, action in enumerate(actions)]


def _states(found: list[Station]) -> list[str]:
    return [station.state for station in found]


def test_before_anything_the_first_station_is_present() -> None:
    closes = START + timedelta(days=30)
    found = stations(ACT, [], dues={"call_closes": closes})
    assert _states(found) == ["present"] + ["coming"] * 9
    assert found[0].due == closes
    assert found[1].due is None


def test_passed_stations_know_their_day() -> None:
    found = stations(ACT, _events("application.submitted", "screening.completed"))
    assert _states(found)[:4] == ["passed", "passed", "present", "coming"]
    assert found[1].on == START + timedelta(days=1)
    assert found[2].key == "read"
    assert found[2].actor == "The local task force"


def test_the_last_of_two_submissions_stands() -> None:
    again = _events("application.submitted", "application.withdrawn", "application.submitted")
    assert stations(ACT, again)[0].on == START + timedelta(days=2)


def test_a_passed_station_is_not_due_any_more() -> None:
    found = stations(
        ACT, _events("application.submitted"), dues={"call_closes": START, "report_due": START}
    )
    assert found[0].due is None
    assert next(station for station in found if station.key == "reported").due == START


def test_a_station_with_nothing_to_do_lies_behind_when_the_next_is_passed() -> None:
    paid_nothing_more = _events(
        "application.submitted",
        "screening.completed",
        "review.completed",
        "recommendation.made",
        "decision.approved",
        "agreement.signed",
        "instalment.paid:1",
        "report.accepted:final",
        "award.closed",
    )
    found = stations(ACT, paid_nothing_more)
    assert _states(found) == ["passed"] * 10
    assert found[8].key == "last_payment"
    assert found[8].on is None


def test_a_payment_that_lapsed_is_no_station_to_wait_for() -> None:
    reported = _events("agreement.signed", "instalment.paid:1", "report.accepted:final")
    lapsed = [*reported, ("instalment.lapsed:2", START + timedelta(days=3))]
    assert [each.key for each in stations(ACT, reported) if each.state == "present"] == [
        "last_payment"
    ]
    passed, present = stations(ACT, lapsed)[-2:]
    assert (passed.key, passed.state, passed.on) == ("last_payment", "passed", None)
    assert (present.key, present.state) == ("closed", "present")


def test_what_lapsed_since_the_grant_ended_was_not_passed() -> None:
    ended = _events("agreement.signed", "instalment.lapsed:1", "instalment.lapsed:2")
    found = stations(ACT, ended, stopped="Terminated", stopped_on=START)
    assert [each.key for each in found[-2:]] == ["agreed", "stopped"]


def test_what_is_stopped_goes_no_further() -> None:
    found = stations(
        ACT, _events("application.submitted"), stopped="Inadmissible", stopped_on=START
    )
    assert [(station.label, station.state) for station in found] == [
        ("Applied", "passed"),
        ("Inadmissible", "present"),
    ]
    assert found[1].on == START


def test_each_fund_gets_to_its_last_station_by_its_own_events() -> None:
    for fund in FUNDS.values():
        actions = [rule.completed_by[0] for rule in fund.stations]
        assert _states(stations(fund, _events(*actions))) == ["passed"] * len(fund.stations)
        assert _states(stations(fund, _events(*actions[:-1])))[-1] == "present"
