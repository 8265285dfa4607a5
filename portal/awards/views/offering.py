"""The offer, and the budget that is brought down to it (R18)."""

from typing import Any

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications.models import Application
from portal.applications.queries import open_answers
from portal.awards import policy, queries, rules, service
from portal.awards.forms import (
    OfferForm,
    budget_form,
    category_name,
    line_name,
    typed_amounts,
)
from portal.awards.models import PayingAgent
from portal.awards.views.blueprint import attempt, back, blueprint, found, visible
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.pages import page
from portal.core.web import tell


@blueprint.route("/files/<ref>/offer", methods=["GET", "POST"])
@guard.members_only
def offer(ref: str) -> ResponseReturnValue:
    """Prepare the offer: days and paying office; the amount is the decision's."""
    application = visible(ref)
    person = guard.signed_in()
    if not policy.can_offer(person, application):
        raise NotFound
    if queries.award_of(application) is not None:
        return back(application)
    form = OfferForm(data=_proposed(application))
    if form.validate_on_submit() and attempt(
        form,
        lambda: service.offer(
            application,
            starts_on=form.starts_on.data,
            ends_on=form.ends_on.data,
            paying_agent=PayingAgent(form.paying_agent.data),
            by=person,
        ),
    ):
        tell(_("The offer is on its way to the grantee."))
        return back(application)
    return page(
        "awards/offer.html",
        form,
        application=application,
        decision=queries.decision_of(application),
    )


def _proposed(application: Application) -> dict[str, Any]:
    """Return the days that the application asks for, and the office that usually pays."""
    answers = open_answers(application)
    days = {key: rules.day_or_none(answers.get(key)) for key in ("starts_on", "ends_on")}
    travel = "travel" in application.fund.process.stages
    agent = PayingAgent.HEADQUARTERS if travel else PayingAgent.UNDP
    return days | {"paying_agent": agent.value}


@blueprint.route("/files/<ref>/agreement/budget", methods=["GET", "POST"])
@guard.members_only
def revise(ref: str) -> ResponseReturnValue:
    """Bring the budget down to the award, line by line (R18)."""
    award = found(ref)
    person = guard.signed_in()
    if not policy.can_revise(person, award):
        return back(award.application)
    form = budget_form(award)
    total = award.budgeted_usd
    if form.validate_on_submit():
        typed = typed_amounts(form, award)
        total = sum(typed.values())
        amounts = {line.id: typed.get(line.position, 0) for line in award.budget}
        if len(typed) == len(award.budget) and attempt(
            form, lambda: service.revise_budget(award, amounts, by=person)
        ):
            tell(_("The budget equals the award now, and the document has been made."))
            return back(award.application)
    rows = [
        (line, category_name(award, line.category), form[line_name(line.position)])
        for line in award.budget
    ]
    return page(
        "awards/revise.html",
        form,
        application=award.application,
        award=award,
        rows=rows,
        asked={line.position: usd(line.requested_usd) for line in award.budget},
        most={line.position: most for line, most in service.highest(award)},
        total=usd(total),
        requested=usd(sum(line.requested_usd for line in award.budget)),
    )
