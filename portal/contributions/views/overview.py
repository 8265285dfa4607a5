"""Where the money of the donors stands, and what of it is due."""

from flask import request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.contributions import policy, queries
from portal.contributions.views.blueprint import blueprint, profiles, readable, show
from portal.core.paging import page_of, pager


@blueprint.get("/contributions")
@guard.requires(policy.reads)
def overview() -> ResponseReturnValue:
    """Show a line for each fund of the reader."""
    person = guard.signed_in()
    return show(
        "contributions/overview.html",
        lines=queries.by_fund(person, [each.code for each in profiles()]),
        may_write=policy.writes(person),
    )


@blueprint.get("/contributions/receivables")
@guard.requires(policy.reads)
def receivables() -> ResponseReturnValue:
    """List what is still to come by its day, what is overdue first."""
    person = guard.signed_in()
    fund = request.args.get("fund", "")
    found = queries.receivables(person, fund)
    page = page_of(found, request.args.get("page", 1, type=int))
    return show(
        "contributions/receivables.html",
        page=page,
        fund=fund,
        overdue=sum(1 for each in found if each.due.is_overdue),
        readable=readable(person),
        pager=pager(page, lambda at: url_for("contributions.receivables", page=at, fund=fund)),
    )
