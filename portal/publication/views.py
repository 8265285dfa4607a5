"""The public site: what anybody may read, without signing in."""

from dataclasses import dataclass

from babel.support import LazyProxy
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.core import clock
from portal.core.i18n import _l
from portal.core.money import usd
from portal.core.web import public
from portal.funds import queries as funds
from portal.funds.models import Call, CallStatus
from portal.funds.profile import Profile
from portal.funds.stations import Station
from portal.publication import queries
from portal.publication.rules import SMALLEST

blueprint = Blueprint("publication", __name__)


@dataclass(frozen=True)
class Standing:
    """How a published call stands for a reader: a word and its tone."""

    label: LazyProxy
    tone: str


COMING = Standing(_l("Opens later"), "wait")
OPEN = Standing(_l("Open for applications"), "good")
CLOSED = Standing(_l("Closed, being decided"), "neutral")
DECIDED = Standing(_l("Decided"), "neutral")
CANCELLED = Standing(_l("Cancelled"), "stop")


def standing(call: Call) -> Standing:
    """Say how a published call stands by the portal's clock."""
    if call.status is CallStatus.CANCELLED:
        return CANCELLED
    if call.status is CallStatus.DECIDED:
        return DECIDED
    if call.takes_applications:
        return OPEN
    return COMING if clock.now() < call.opens_at else CLOSED


def _way(fund: Profile) -> list[Station]:
    """Return the stations of a fund as nobody has reached them: the way, not that of one file."""
    return [
        Station(rule.key, rule.label, "coming", None, rule.actor, None) for rule in fund.stations
    ]


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"standing": standing}


@blueprint.get("/")
@public
def front() -> ResponseReturnValue:
    """Show what the funds are and have done, what is open, and how to apply."""
    profiles = funds.profiles()
    example = max(profiles, key=lambda fund: len(fund.stations), default=None)
    return render_template(
        "publication/front.html",
        funds=profiles,
        calls=funds.open_calls(),
        record=queries.record(profiles),
        example=example,
        way=_way(example) if example else [],
        smallest=SMALLEST,
    )


@blueprint.get("/calls")
@public
def calls() -> ResponseReturnValue:
    """List the calls that are open or will be, and the latest that were."""
    return render_template(
        "publication/calls.html", open_calls=funds.open_calls(), past_calls=funds.past_calls()
    )


@blueprint.get("/calls/<ref>")
@public
def call(ref: str) -> ResponseReturnValue:
    """Show a published call; a draft does not exist."""
    found = _published(ref)
    return render_template("publication/call.html", call=found, fund=found.fund)


@blueprint.get("/calls/<ref>/form")
@public
def form(ref: str) -> ResponseReturnValue:
    """Show the whole form of a published call, to read and print before registering."""
    found = _published(ref)
    return render_template("publication/form.html", call=found, fund=found.fund)


@blueprint.get("/funds/<code>")
@public
def fund(code: str) -> ResponseReturnValue:
    """Show what a fund is for, who may apply, on what legal basis, and how it decides."""
    found = _fund(code)
    return render_template(
        "publication/fund.html",
        fund=found,
        ceiling=usd(minor) if (minor := found.budget.ceiling_usd_minor) else None,
        way=_way(found),
        open_calls=funds.open_calls(code),
        past_calls=funds.past_calls(code),
    )


@blueprint.get("/funds/<code>/form")
@public
def fund_form(code: str) -> ResponseReturnValue:
    """Show the form of a fund as its next call will ask it."""
    return render_template("publication/form.html", call=None, fund=_fund(code))


@blueprint.get("/funds/<code>/figures")
@public
def figures(code: str) -> ResponseReturnValue:
    """Show the public statistics of a fund; small cells are held back."""
    found = _fund(code)
    return render_template(
        "publication/figures.html",
        fund=found,
        figures=queries.figures(found),
        smallest=SMALLEST,
        today=clock.today(),
    )


@blueprint.get("/how-to-apply")
@public
def how_to_apply() -> ResponseReturnValue:
    """Explain the way from reading a call to the last payment."""
    return render_template("publication/how_to_apply.html")


@blueprint.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    """Say what is kept and who sees it."""
    return render_template("publication/privacy.html")


@blueprint.get("/accessibility")
@public
def accessibility() -> ResponseReturnValue:
    """Say for whom the portal works and where it does not."""
    return render_template("publication/accessibility.html")


def _published(ref: str) -> Call:
    found = funds.published_call(ref)
    if found is None:
        raise NotFound
    return found


def _fund(code: str) -> Profile:
    found = funds.profile(code)
    if found is None:
        raise NotFound
    return found
