"""The blueprint of contributions, and what its views share."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.contributions import policy, queries
from portal.contributions.models import (
    Contribution,
    ContributionAgreement,
    Donor,
    Earmark,
    Pledge,
)
from portal.contributions.queries import Wanted
from portal.contributions.words import source_in_words, why_failed
from portal.core import pages
from portal.core.db import session
from portal.core.i18n import _
from portal.core.pages import UNPROCESSABLE
from portal.core.paging import Page, pager
from portal.core.web import Form, remember
from portal.core.workflow import Refused
from portal.funds import queries as funds
from portal.funds.profile import Profile
from portal.ledger.rules import PostingConflict

blueprint = Blueprint("contributions", __name__)
blueprint.add_app_template_filter(why_failed, "why_refund_failed")
blueprint.add_app_template_filter(source_in_words)

TEXT_LIMIT = 100
FILTERS = ("fund", "kind", "status", "means", "year", "text")


def page(template: str, form: Form, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, funds=fund_names(), **context)
    return (answer, UNPROCESSABLE) if form.errors else answer


def show(template: str, **context: Any) -> str:
    """Show a page without a form."""
    return render_template(template, funds=fund_names(), **context)


def done(form: Form, act: Callable[[], object], sentence: str, tone: str = "good") -> bool:
    """Do what a sound form asks for, as `pages.done`; what is there already is refused as well."""
    return pages.done(form, lambda: _recorded(act), sentence, tone)


def _recorded(act: Callable[[], object]) -> None:
    """Record something. Raises Refused where it is there already, and is something else."""
    try:
        act()
        session.flush()
    except PostingConflict as there:
        raise Refused(
            _(
                "A transfer with this bank reference is recorded already with other particulars. "
                "Compare the two: each transfer has a reference of its own."
            )
        ) from there
    except IntegrityError as there:
        raise Refused(
            _("The same is recorded already with other particulars. Compare it with what is there.")
        ) from there


def profiles() -> list[Profile]:
    """Return the funds, read once in a request."""
    found: list[Profile] = remember("contribution_funds", funds.profiles)
    return found


def fund_names() -> dict[str, str]:
    """Return the short name of each fund by its code."""
    return {each.code: each.acronym for each in profiles()}


def writable(person: Person) -> list[Profile]:
    """Return the funds whose donors the person looks after."""
    return [each for each in profiles() if policy.can_write(person, each.code)]


def recordable(person: Person) -> list[Profile]:
    """Return the funds for which the person records money."""
    return [each for each in profiles() if policy.can_record(person, each.code)]


def readable(person: Person) -> list[Profile]:
    """Return the funds whose contributions the person sees."""
    return [each for each in profiles() if policy.reads_fund(person, each.code)]


def wanted() -> Wanted:
    """Return how the list is narrowed, by the address of the page."""
    given = {name: request.args.get(name, "")[:TEXT_LIMIT].replace("\x00", "") for name in FILTERS}
    return Wanted(**given)


def listed(
    template: str, endpoint: str, find: Callable[[Person, Wanted, int], Page[Any]], **context: Any
) -> ResponseReturnValue:
    """Show a page of a list, narrowed."""
    person, narrowed = guard.signed_in(), wanted()
    number = request.args.get("page", 1, type=int)
    chosen = {name: getattr(narrowed, name) for name in FILTERS if getattr(narrowed, name)}
    found = find(person, narrowed, number)
    return show(
        template,
        page=found,
        wanted=narrowed,
        chosen=chosen,
        readable=readable(person),
        pager=pager(found, lambda at: url_for(endpoint, page=at, **chosen)),
        **context,
    )


def donor_or_404(ref: str) -> Donor:
    """Return a donor that exists for the reader. Raises NotFound."""
    return guard.get_or_404(Donor, ref, policy.can_view_donor)


def pledge_or_404(ref: str) -> Pledge:
    """Return a pledge that exists for the reader. Raises NotFound."""
    return guard.get_or_404(Pledge, ref, policy.can_view)


def agreement_or_404(ref: str) -> ContributionAgreement:
    """Return an agreement that exists for the reader. Raises NotFound."""
    return guard.get_or_404(ContributionAgreement, ref, policy.can_view)


def contribution_or_404(ref: str) -> Contribution:
    """Return money that exists for the reader. Raises NotFound."""
    return guard.get_or_404(Contribution, ref, policy.can_view)


def earmark_or_404(earmark_id: UUID) -> Earmark:
    """Return an earmark that exists for the reader. Raises NotFound."""
    return guard.get_or_404(Earmark, earmark_id, policy.can_view)


def demand(allowed: bool) -> None:  # noqa: FBT001 — it reads as a sentence
    """Raise NotFound unless `allowed`: a page that somebody may not use does not exist."""
    if not allowed:
        raise NotFound


def earmarks_of(choose: Sequence[Profile]) -> list[Earmark]:
    """Return the earmarks of some funds."""
    codes = {each.code for each in choose}
    found = queries.earmarks(guard.signed_in())
    return [each for each in found if each.fund_code in codes]
