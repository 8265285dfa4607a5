"""Lists: calls in review, and the ranking of one as it is now."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications import queries as applications_queries
from portal.applications.models import Application, ApplicationStatus
from portal.core.db import session
from portal.core.paging import page_of, pager
from portal.funds.models import Call
from portal.reviews import policy, queries, rules
from portal.reviews import ranking as rankings
from portal.reviews.models import ScoreSheet
from portal.reviews.views.blueprint import blueprint
from portal.reviews.views.rows import ranked_rows


def ranks(person: Person) -> bool:
    """Say whether the person has any ranking to look at."""
    return policy.reviews(person) or policy.reads_rankings(person)


@blueprint.get("/reviews/calls")
@guard.requires(policy.opens_lists)
def calls() -> ResponseReturnValue:
    """List the calls whose ranked list the reader may see, page by page."""
    found = queries.calls_in_review(guard.signed_in())
    page = page_of(found, request.args.get("page", 1, type=int))
    return render_template(
        "reviews/calls.html",
        calls=page.rows,
        statuses=ApplicationStatus,
        pager=pager(page, lambda number: url_for("reviews.calls", page=number)),
    )


@blueprint.get("/reviews/calls/<ref>/ranking")
@guard.requires(ranks)
def ranking(ref: str) -> ResponseReturnValue:
    """Show who stands where: for a reviewer, among what they scored themselves."""
    call = guard.get_or_404(Call, ref, policy.can_rank)
    person = guard.signed_in()
    if call.fund.process.selection == "priority":
        if not policy.reads_all_scores(person, call):
            raise NotFound
        return _show(call, rankings.ranked(call), whole=True)
    sheets = rankings.submitted_sheets(call)
    if call.fund.process.reviewer_role is not None and _as_reviewer(person, call):
        sheets = _own(person, call, sheets)
        return _show(call, rankings.by_scores(call, sheets), whole=False)
    return _show(call, rankings.by_scores(call, sheets), whole=True, **_remarkable(call, sheets))


def _as_reviewer(person: Person, call: Call) -> bool:
    role = call.reviewer_role
    return any(
        grant.role.value == role and grant.is_in_force() and grant.covers(call.fund_code, None)
        for grant in person.roles
    )


def _own(
    person: Person, call: Call, sheets: dict[Application, list[ScoreSheet]]
) -> dict[Application, list[ScoreSheet]]:
    """Keep what exists for the reviewer and what they scored themselves."""
    rows = applications.visible_to(person).where(Application.call_id == call.id)
    visible = {application.id for application in session.scalars(rows)}
    return {
        application: each
        for application, each in sheets.items()
        if application.id in visible and any(sheet.reviewer_id == person.id for sheet in each)
    }


def _remarkable(call: Call, sheets: dict[Application, list[ScoreSheet]]) -> dict[str, Any]:
    """Return the readers whose scores lie far from the others', by name."""
    scored = [
        rules.Sheet(sheet.reviewer_id, application.id, rankings.score(call, sheet))
        for application, each in sheets.items()
        for sheet in each
    ]
    names = applications_queries.names(
        sheet.reviewer_id for each in sheets.values() for sheet in each
    )
    return {
        "apart": [(names.get(who, ""), by) for who, by in rules.anomalies(scored)],
        "alike": [names.get(who, "") for who in rules.all_alike(scored)],
    }


def _show(
    call: Call, lines: list[rankings.RankedLine], *, whole: bool, **more: Any
) -> ResponseReturnValue:
    rows = ranked_rows(
        [(line.application, line.rank, line.mean, line.spread, line.basis, None) for line in lines],
        call.fund,
    )
    return render_template(
        "reviews/ranking.html",
        call=call,
        rows=rows,
        criteria=call.fund.criteria,
        steps={step.key: step.label for step in call.fund.priority},
        whole=whole,
        **({"apart": [], "alike": []} | more),
    )
