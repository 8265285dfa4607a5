"""The way of a grant as its people see it: stations passed, the present one, those to come.

Pure: from the stations of a fund's profile and the audit events of one case file. Labels stay
English msgids, like every text of a profile; pages translate them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from portal.core.due import Due
from portal.funds.profile import Profile, StationRule

State = Literal["passed", "present", "coming"]

PAID, LAPSED = "instalment.paid:", "instalment.lapsed:"
"""What stands before the number of an instalment that was paid, or has nothing left to pay."""


@dataclass(frozen=True)
class Station:
    """One station. `on` is when it was passed (UTC), `due` by when it should be, where known."""

    key: str
    label: str
    state: State
    on: datetime | None
    actor: str
    due: Due | None


def stations(
    profile: Profile,
    events: Sequence[tuple[str, datetime]],
    *,
    stopped: str | None = None,
    stopped_on: datetime | None = None,
    dues: Mapping[str, Due] | None = None,
) -> list[Station]:
    """Return the stations of one case file, in order.

    `events` are the (action, moment) pairs that still count; where one act happened twice (an
    application withdrawn and submitted again), the later moment stands. A station without its
    event lies behind when a later one has been passed, and so does that of a payment which lapsed,
    unless the file stops: it was not paid, and has no day.
    `stopped` is the label of an end before the end (inadmissible, declined, withdrawn …): it
    stands after what was passed, with the moment `stopped_on` of the act that ended the file, and
    nothing comes any more. `dues` maps `call_closes` and `report_due` to days or moments.
    """
    passed_on = [_moment(rule, events) for rule in profile.stations]
    reached = _reached(profile, events if stopped is None else _without_lapsed(events))
    found: list[Station] = []
    for index, (rule, moment) in enumerate(zip(profile.stations, passed_on, strict=True)):
        if index < reached:
            found.append(_station(rule, "passed", on=moment))
        elif stopped is None:
            state: State = "present" if index == reached else "coming"
            found.append(_station(rule, state, due=(dues or {}).get(rule.due or "")))
    if stopped is not None:
        found.append(Station("stopped", stopped, "present", stopped_on, "", None))
    return found


def waits_for(profile: Profile, events: Sequence[tuple[str, datetime]]) -> str | None:
    """Return the name of the due date of the present station, where it has one."""
    reached = _reached(profile, events)
    return profile.stations[reached].due if reached < len(profile.stations) else None


def _reached(profile: Profile, events: Sequence[tuple[str, datetime]]) -> int:
    """Return the place of the first station behind which nothing was passed, and nothing lapsed."""
    acts = {action.replace(LAPSED, PAID) for action, _moment in events}
    behind = (
        i for i, rule in enumerate(profile.stations) if not acts.isdisjoint(rule.completed_by)
    )
    return max(behind, default=-1) + 1


def _without_lapsed(events: Sequence[tuple[str, datetime]]) -> list[tuple[str, datetime]]:
    return [event for event in events if not event[0].startswith(LAPSED)]


def _moment(rule: StationRule, events: Sequence[tuple[str, datetime]]) -> datetime | None:
    return max((moment for action, moment in events if action in rule.completed_by), default=None)


def _station(
    rule: StationRule, state: State, *, on: datetime | None = None, due: Due | None = None
) -> Station:
    return Station(rule.key, rule.label, state, on, rule.actor, due)
