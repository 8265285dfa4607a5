"""The blueprint of accounting, and what its views share."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounting import rules
from portal.accounting.rules import BadDay
from portal.accounts import guard
from portal.accounts.models import Person
from portal.core import clock
from portal.core.pages import UNPROCESSABLE
from portal.funds import queries as funds
from portal.funds.profile import Profile

blueprint = Blueprint("accounting", __name__)

TYPED_LIMIT = 40


def asked(name: str) -> str:
    """Return what the address says under `name`, cut to a sensible length."""
    return request.args.get(name, "")[:TYPED_LIMIT].replace("\x00", "")


def asked_day() -> tuple[date, list[str]]:
    """Return the day that is asked about; today, with the reason, where none could be read."""
    today = clock.today()
    try:
        return rules.read_day(asked("on"), today=today), []
    except BadDay as bad:
        return today, [bad.sentence]


def asked_day_or_404() -> date:
    """Return the day that a download is asked of. Raises NotFound where none can be read."""
    day, wrong = asked_day()
    if wrong:
        raise NotFound
    return day


def written(day: date) -> str | None:
    """Return a day as an address says it; nothing for today."""
    return None if day == clock.today() else day.isoformat()


def page(template: str, wrong: Sequence[str] = (), **context: Any) -> ResponseReturnValue:
    """Show a page; with status 422 where something of its address could not be read."""
    answer = render_template(f"accounting/{template}.html", wrong=wrong, **context)
    return (answer, UNPROCESSABLE) if wrong else answer


def fund_or_404(code: str, may_see: Callable[[Person, str], bool]) -> Profile:
    """Return a fund whose money the reader may see. Raises NotFound."""
    found = funds.profile(code) if may_see(guard.signed_in(), code) else None
    if found is None:
        raise NotFound
    return found
