"""The ranked list of a call: drawn up, edited, and put before the approving authority."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.core.i18n import _
from portal.core.money import BadAmount, usd
from portal.core.pages import go, page
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.funds.models import Call, CallStatus
from portal.reviews import forms, policy, queries, ranking, rules, service
from portal.reviews.models import Recommendation, RecommendationStatus, Verdict
from portal.reviews.service.recommending import claim, total
from portal.reviews.views.blueprint import blueprint
from portal.reviews.views.rows import ranked_rows

REFRESH = "refresh"
LIVE = (RecommendationStatus.DRAFT, RecommendationStatus.MADE)


@dataclass(frozen=True)
class Standing:
    """What the reader may do with a list."""

    recommends: bool
    decides: bool


def standing(person: Person, call: Call, found: Recommendation | None) -> Standing:
    """Return what the person may do. Raises NotFound for whom the list does not exist."""
    parts = policy.parts_in(person, call)
    recommends = policy.recommends_in(person, call, parts)
    decides = found is not None and policy.can_decide(person, found, parts)
    if not (recommends or decides or policy.reads_all_scores(person, call, parts)):
        raise NotFound
    return Standing(recommends, decides)


def latest(ref: str) -> tuple[Call, Recommendation | None, Standing]:
    """Return a call with its latest list, or the round that is asked for. Raises NotFound."""
    found = queries.recommendation(ref, request.args.get("round", type=int))
    call = found.call if found else guard.get_or_404(Call, ref, _published)
    return call, found, standing(guard.signed_in(), call, found)


def _published(_person: Person, call: Call) -> bool:
    return call.is_published


@blueprint.route("/reviews/calls/<ref>/recommendation", methods=["GET", "POST"])
@guard.requires(policy.opens_lists)
def recommendation(ref: str) -> ResponseReturnValue:
    """Show the ranked list with the line where the money ends; draw it up, or save it."""
    call, found, may = latest(ref)
    if request.method == "POST" and (
        request.form.get("do") == REFRESH or found is None or found.status not in LIVE
    ):
        service.draft_recommendation(call, by=guard.signed_in())
        tell(_("The list is up to date."))
        return go(url_for("reviews.recommendation", ref=ref))
    if found is None:
        return render_template("reviews/no_recommendation.html", call=call, may=may)
    form = forms.list_form(found)
    if form.validate_on_submit() and _save(found, form):
        tell(_("The list is saved."))
        return go(url_for("reviews.recommendation", ref=ref))
    return page("reviews/recommendation.html", form, **shown(call, found, may))


def _save(found: Recommendation, form: Form) -> bool:
    """Save each line; what is refused stands at its line, and the rest is kept."""
    person = guard.signed_in()
    for line in found.lines:
        ref = line.application.ref
        amount = forms.field_of(form, "amount", ref)
        try:
            service.set_line(
                line,
                Verdict(forms.field_of(form, "verdict", ref).data),
                forms.amount_of(form, ref),
                forms.field_of(form, "reasons", ref).data or "",
                by=person,
            )
        except BadAmount as bad:
            amount.errors = [*amount.errors, bad.sentence]
        except Refused as refused:
            amount.errors = [*amount.errors, refused.sentence]
    return not form.errors


def shown(call: Call, found: Recommendation, may: Standing) -> dict[str, Any]:
    """Return what a page shows of a list, with the money under an envelope that may be asked."""
    typed = request.args.get("envelope", "")
    asked, sentence = forms.what_if(typed)
    live = found.status in LIVE
    money = ranking.money(call, asked) if live else None
    line = (
        rules.funding_line(
            [claim(each) for each in found.lines], money.envelope_left, money.available
        )
        if money
        else None
    )
    rows = ranked_rows(
        [
            (
                each.application,
                each.rank,
                each.mean,
                each.spread,
                each.basis,
                each.recommended if each.recommended_usd else None,
            )
            for each in found.lines
        ],
        call.fund,
        line.funded if line else None,
    )
    return {
        "call": call,
        "recommendation": found,
        "may": may,
        "rows": rows,
        "criteria": call.fund.criteria,
        "steps": {step.key: step.label for step in call.fund.priority},
        "total": usd(total(found)),
        "envelope_left": usd(money.envelope_left) if money else None,
        "available": usd(money.available) if money else None,
        "limit": usd(money.limit) if money else None,
        "typed": typed,
        "typed_wrong": sentence,
        "asked": asked,
        "of": forms.field_of,
        "editable": found.status is RecommendationStatus.DRAFT and may.recommends,
        "call_open": call.takes_applications,
        "again": found.status not in LIVE and may.recommends and call.status is CallStatus.OPEN,
    }


@blueprint.route("/reviews/calls/<ref>/recommendation/make", methods=["GET", "POST"])
@guard.requires(policy.opens_lists)
def make(ref: str) -> ResponseReturnValue:
    """Ask, then put the list before the approving authority."""
    call, found, may = latest(ref)
    if found is None or not may.recommends:
        raise NotFound
    if request.method == "POST":
        service.make_recommendation(found, by=guard.signed_in())
        tell(_("The list is before the approving authority."))
        return go(url_for("reviews.recommendation", ref=ref))
    counts = dict.fromkeys(Verdict, 0)
    for line in found.lines:
        counts[line.verdict] += 1
    return render_template(
        "reviews/make.html",
        call=call,
        recommendation=found,
        counts=counts,
        total=usd(total(found)),
    )
