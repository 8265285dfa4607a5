"""Screening: the checklist, declaring inadmissible, and the entitlement check."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications.models import Application, ApplicationAction, ApplicationStatus
from portal.applications.workflow import WORKFLOW
from portal.core.i18n import _
from portal.core.pages import go, page
from portal.core.paging import pager
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.funds.countries import country
from portal.reviews import forms, policy, queries, ranking, service
from portal.reviews.forms import EntitlementForm, InadmissibleForm, screening_form
from portal.reviews.models import Finding
from portal.reviews.service.entitlement import facts_of
from portal.reviews.service.screening import SCREENED
from portal.reviews.views.blueprint import blueprint, screened

ALL = "all"
COMPLETE = "complete"


@blueprint.get("/screening")
@guard.requires(policy.screens)
def screening_list() -> ResponseReturnValue:
    """List what waits for screening, and for an entitlement check, page by page."""
    person = guard.signed_in()
    first = queries.to_screen(person, request.args.get("page", 1, type=int))
    second = queries.to_check(person, request.args.get("checks", 1, type=int))

    def at(page: int, checks: int) -> str:
        return url_for("reviews.screening_list", page=page, checks=checks)

    return render_template(
        "reviews/screening_list.html",
        screening=first.rows,
        checking=second.rows,
        screening_pager=pager(first, lambda number: at(number, second.number)),
        checking_pager=pager(second, lambda number: at(first.number, number)),
    )


@blueprint.route("/files/<ref>/screening", methods=["GET", "POST"])
@guard.requires(policy.screens)
def screening(ref: str) -> ResponseReturnValue:
    """Show the checklist; save one item or all of them, or complete the screening."""
    application = screened(ref)
    items = queries.checklist(application)
    form = screening_form(items)
    if form.validate_on_submit():
        chosen = request.form.get("save", ALL)
        refused = _save(application, items, form, chosen)
        if refused is None:
            return _saved(application, chosen)
    editable = application.status in SCREENED
    return page(
        "reviews/screening.html",
        form,
        application=application,
        items=items,
        of=forms.field_of,
        editable=editable,
        may_complete=application.status is ApplicationStatus.SUBMITTED,
    )


def _save(
    application: Application, items: list[queries.Item], form: Form, chosen: str
) -> Refused | None:
    """Record the findings; what was refused stands at its item, and the rest is kept."""
    person = guard.signed_in()
    drawn_up = {item.key: item for item in service.prepare_checklist(application)}
    refusal = None
    for item in items:
        key = item.check.key
        if chosen in {ALL, COMPLETE, key}:
            field = forms.field_of(form, "finding", key)
            note = forms.field_of(form, "note", key)
            try:
                service.record_finding(
                    drawn_up[key], Finding(field.data), note.data or "", by=person
                )
            except Refused as refused:
                note.errors = [*note.errors, refused.sentence]
                refusal = refused
    if refusal is None and chosen == COMPLETE:
        refusal = _complete(application, form, person)
    return refusal


def _complete(application: Application, form: Form, person: Person) -> Refused | None:
    try:
        service.complete_screening(application, by=person)
    except Refused as refused:
        form.form_errors.append(refused.sentence)
        return refused
    return None


def _saved(application: Application, chosen: str) -> ResponseReturnValue:
    if chosen == COMPLETE:
        tell(_("The screening is complete."))
        if application.fund.has_stage("entitlement"):
            return go(url_for("reviews.entitlement", ref=application.ref))
        return go(url_for("reviews.review_tab", ref=application.ref))
    tell(_("Saved."))
    return go(url_for("reviews.screening", ref=application.ref))


@blueprint.route("/files/<ref>/inadmissible", methods=["GET", "POST"])
@guard.requires(policy.screens)
def inadmissible(ref: str) -> ResponseReturnValue:
    """Declare an application inadmissible, with the rule and the reasons."""
    application = screened(ref)
    form = InadmissibleForm()
    form.offer(application.fund.eligibility)
    if form.validate_on_submit():
        try:
            service.declare_inadmissible(
                application, form.rule.data, form.reasons.data, by=guard.signed_in()
            )
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("The application is inadmissible; the applicant has been told."), "neutral")
            return go(url_for("reviews.decision", ref=ref))
    elif not form.is_submitted():
        WORKFLOW.check(application, ApplicationAction.DECLARE_INADMISSIBLE, guard.signed_in())
    return page("reviews/inadmissible.html", form, application=application)


@blueprint.route("/files/<ref>/entitlement", methods=["GET", "POST"])
@guard.requires(policy.screens)
def entitlement(ref: str) -> ResponseReturnValue:
    """Show what the priority order rests on, and confirm the entitlement."""
    application = screened(ref)
    if not application.fund.has_stage("entitlement"):
        raise NotFound
    form = EntitlementForm()
    if form.validate_on_submit():
        try:
            service.check_entitlement(application, form.note.data or "", by=guard.signed_in())
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("The entitlement is confirmed."))
            return go(url_for("reviews.ranking", ref=application.call.ref))
    return page(
        "reviews/entitlement.html",
        form,
        application=application,
        check=queries.entitlement(application),
        facts=facts_of(application),
        place=country(application.country),
        earlier=ranking.awards_by_country(application.call.fund_code).get(application.country, 0),
        waiting=application.status is not ApplicationStatus.IN_REVIEW,
    )
