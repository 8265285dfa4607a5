"""Where the funds stand: all of them side by side, and each one figure by figure."""

from collections.abc import Callable

from flask import url_for
from flask.typing import ResponseReturnValue

from portal.accounting import policy
from portal.accounting.figures import MEANINGS, Figure
from portal.accounting.queries.position import Standing, standing, standings
from portal.accounting.views.blueprint import asked_day, blueprint, fund_or_404, page, written
from portal.accounts import guard
from portal.core import clock
from portal.core.money import Money
from portal.funds import queries as funds
from portal.funds.profile import Profile


def _visible() -> list[Profile]:
    """Return the funds whose position the reader may see, in display order."""
    person = guard.signed_in()
    return [each for each in funds.profiles() if policy.can_see_position(person, each.code)]


@blueprint.get("/positions")
@guard.requires(policy.reads_positions)
def positions() -> ResponseReturnValue:
    """Show where each fund that the reader may see stands on a day."""
    day, wrong = asked_day()
    visible = _visible()
    found = standings([each.code for each in visible], day)
    return page(
        "positions",
        wrong,
        day=day,
        today=clock.today(),
        on=written(day),
        funds=visible,
        found=found,
        bars=[_bar(each, found[each.code]) for each in visible],
    )


def _bar(fund: Profile, one: Standing) -> dict[str, object]:
    """Return one fund as a bar of what is available; a bar does not go below zero."""
    available: Money = one.position.available
    return {"label": fund.acronym, "value": max(0, available.minor), "money": available}


def _opener(code: str, on: str | None) -> Callable[[Figure], str]:
    """Return what gives the address of the entries behind a figure."""
    return lambda figure: url_for("accounting.entries", code=code, figure=figure.value, on=on)


@blueprint.get("/funds/<code>/position")
@guard.requires(policy.reads_positions)
def position(code: str) -> ResponseReturnValue:
    """Show where one fund stands on a day; each figure leads to the entries behind it."""
    fund = fund_or_404(code, policy.can_see_position)
    day, wrong = asked_day()
    on = written(day)
    return page(
        "position",
        wrong,
        fund=fund,
        day=day,
        today=clock.today(),
        on=on,
        found=standing(code, day),
        entries=_opener(code, on) if policy.can_see_entries(guard.signed_in(), code) else None,
        F=Figure,
        meanings=MEANINGS,
        sees_account=policy.can_see_account(guard.signed_in(), code),
    )
