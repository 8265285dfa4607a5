"""Reads of funds and calls. Each is a fixed number of SQL statements."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo
from portal.funds import policy
from portal.funds.models import Call, CallStatus, ProfileVersion
from portal.funds.profile import Profile

PAGE = 25
PAST_CALLS = 12


@dataclass(frozen=True)
class CallPage:
    """One page of the staff's list of calls."""

    calls: Sequence[Call]
    number: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def profiles() -> list[Profile]:
    """Return the funds as their files say them now, in display order. One SQL statement."""
    rows = session.scalars(select(ProfileVersion).where(ProfileVersion.current))
    found = [row.profile for row in rows]
    return sorted(found, key=lambda profile: (profile.position, profile.code))


def profile(code: str) -> Profile | None:
    """Return one fund as its file says it now, or None."""
    row = session.scalar(
        select(ProfileVersion).where(ProfileVersion.fund_code == code, ProfileVersion.current)
    )
    return row.profile if row else None


def todos(person: Person) -> list[Todo]:
    """Return the calls that wait for the person: drafts that they began. One SQL statement."""
    if not policy.runs_calls(person):
        return []
    drafts = select(Call).where(Call.created_by_id == person.id, Call.status == CallStatus.DRAFT)
    return [
        Todo(
            _("Publish the call that you prepared, or cancel it"),
            "funds.call",
            {"ref": call.ref},
            due=call.opens_at,
            note=call.title,
        )
        for call in session.scalars(drafts.order_by(Call.opens_at))
        if policy.can_manage(person, call)
    ]


def _published() -> Select[Call]:
    return select(Call).where(Call.published_at.is_not(None))


def open_calls(fund_code: str | None = None) -> list[Call]:
    """Return published calls whose deadline is to come, the nearest first."""
    found = _published().where(Call.status == CallStatus.OPEN, Call.closes_at > clock.now())
    if fund_code is not None:
        found = found.where(Call.fund_code == fund_code)
    return list(session.scalars(found.order_by(Call.closes_at, Call.ref)))


def past_calls(fund_code: str | None = None) -> list[Call]:
    """Return the latest published calls that take no applications any more."""
    found = _published().where(
        (Call.status != CallStatus.OPEN) | (Call.closes_at <= clock.now()),
    )
    if fund_code is not None:
        found = found.where(Call.fund_code == fund_code)
    return list(session.scalars(found.order_by(Call.closes_at.desc(), Call.ref).limit(PAST_CALLS)))


def published_call(ref: str) -> Call | None:
    """Return a call that the public may read, whatever became of it; None for a draft."""
    return session.scalar(_published().where(Call.ref == ref))


def calls_page(
    person: Person, *, fund_code: str = "", status: str = "", number: int = 1
) -> CallPage:
    """Return a page of the calls that the person may see. Two SQL statements."""
    found = policy.visible_to(person)
    if fund_code:
        found = found.where(Call.fund_code == fund_code)
    if status:
        found = found.where(Call.status == status)
    total = session.scalar(select(func.count()).select_from(found.order_by(None).subquery())) or 0
    rows = session.scalars(found.limit(PAGE).offset((number - 1) * PAGE))
    return CallPage(list(rows), number, total)
