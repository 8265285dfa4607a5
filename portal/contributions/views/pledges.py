"""Pledges: the list, one of them, and how one is announced and withdrawn."""

from flask import url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.contributions import policy, queries, service
from portal.contributions.forms import PledgeForm, ReasonForm
from portal.contributions.models import Pledge, PledgeStatus
from portal.contributions.views.blueprint import (
    blueprint,
    demand,
    done,
    donor_or_404,
    earmarks_of,
    listed,
    page,
    pledge_or_404,
    show,
    writable,
)
from portal.contributions.workflow import PLEDGE_WORKFLOW
from portal.core import clock
from portal.core.i18n import _
from portal.core.pages import go


@blueprint.get("/contributions/pledges")
@guard.requires(policy.reads)
def pledges() -> ResponseReturnValue:
    """List what was announced."""
    return listed(
        "contributions/pledges.html",
        "contributions.pledges",
        queries.pledges,
        statuses=list(PledgeStatus),
    )


@blueprint.route("/contributions/donors/<ref>/pledge", methods=["GET", "POST"])
@guard.requires(policy.writes)
def new_pledge(ref: str) -> ResponseReturnValue:
    """Note what a donor announced."""
    donor, person = donor_or_404(ref), guard.signed_in()
    own = writable(person)
    earmarks = earmarks_of(own)
    form = PledgeForm(data={"announced_on": clock.today()})
    form.offer(own, queries.currencies(), earmarks)
    made: list[Pledge] = []
    if done(
        form,
        lambda: made.append(
            service.announce_pledge(
                donor,
                form.fund.data,
                form.money(),
                form.announced_on.data,
                by=person,
                earmark=form.chosen(earmarks),
                remark=form.remark.data or "",
            )
        ),
        _("The pledge is noted. It is not in the books before an agreement is confirmed."),
    ):
        return go(url_for("contributions.pledge", ref=made[0].ref))
    return page("contributions/new_pledge.html", form, donor=donor)


@blueprint.get("/contributions/pledges/<ref>")
@guard.requires(policy.reads)
def pledge(ref: str) -> ResponseReturnValue:
    """Show a pledge, and the agreement that followed."""
    found, person = pledge_or_404(ref), guard.signed_in()
    agreement = queries.draft_on(found)
    announced = found.status is PledgeStatus.ANNOUNCED
    return show(
        "contributions/pledge.html",
        pledge=found,
        agreement=agreement,
        may_draft=announced and agreement is None and policy.can_write(person, found.fund_code),
        may_withdraw=agreement is None and bool(PLEDGE_WORKFLOW.offers(person, found)),
        people=queries.names([found.recorded_by_id, found.withdrawn_by_id]),
    )


@blueprint.route("/contributions/pledges/<ref>/withdraw", methods=["GET", "POST"])
@guard.requires(policy.writes)
def withdraw_pledge(ref: str) -> ResponseReturnValue:
    """Ask, then note that a pledge will not be kept."""
    found, person = pledge_or_404(ref), guard.signed_in()
    demand(policy.can_withdraw(person, found))
    form = ReasonForm()
    if done(
        form,
        lambda: service.withdraw_pledge(found, form.reason.data, by=person),
        _("The pledge is marked as withdrawn."),
        "wait",
    ):
        return go(url_for("contributions.pledge", ref=ref))
    return page("contributions/withdraw_pledge.html", form, pledge=found)
