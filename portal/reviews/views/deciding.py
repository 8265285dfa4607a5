"""The approving authority's pages: approve the list as it stands, or send it back."""

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person, Role
from portal.core.i18n import _
from portal.core.pages import go, page
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.funds.models import Call
from portal.reviews import service
from portal.reviews.forms import RemarksForm
from portal.reviews.models import Recommendation, RecommendationAction
from portal.reviews.views.blueprint import blueprint
from portal.reviews.views.recommending import Standing, latest, shown
from portal.reviews.workflow import RECOMMENDATION_WORKFLOW


def decides(person: Person) -> bool:
    """Say whether the person approves for any fund at all."""
    return person.holds_any(Role.APPROVING_AUTHORITY)


def _mine(ref: str) -> tuple[Call, Recommendation, Standing]:
    call, found, may = latest(ref)
    if found is None or not may.decides:
        raise NotFound
    return call, found, may


@blueprint.route("/reviews/calls/<ref>/recommendation/approve", methods=["GET", "POST"])
@guard.freshly(decides)
def approve(ref: str) -> ResponseReturnValue:
    """Ask, then approve the list; everybody on it is told."""
    call, found, may = _mine(ref)
    if request.method == "POST":
        service.approve(found, by=guard.signed_in())
        tell(_("The list is approved, and every applicant has been told."))
        return go(url_for("reviews.recommendation", ref=ref))
    RECOMMENDATION_WORKFLOW.check(found, RecommendationAction.APPROVE, guard.signed_in())
    return page("reviews/approve.html", Form(), **shown(call, found, may))


@blueprint.route("/reviews/calls/<ref>/recommendation/return", methods=["GET", "POST"])
@guard.freshly(decides)
def send_back(ref: str) -> ResponseReturnValue:
    """Send the list back to the body, with remarks."""
    call, found, _may = _mine(ref)
    form = RemarksForm()
    if form.validate_on_submit():
        try:
            service.send_back(found, form.remarks.data, by=guard.signed_in())
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("The list went back, with your remarks."), "neutral")
            return go(url_for("reviews.recommendation", ref=ref))
    elif not form.is_submitted():
        RECOMMENDATION_WORKFLOW.check(found, RecommendationAction.SEND_BACK, guard.signed_in())
    return page("reviews/send_back.html", form, call=call, recommendation=found)
