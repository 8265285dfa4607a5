"""A reviewer's pages: what to read, interests, the score sheet beside the application."""

from collections import Counter

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications import queries as applications_queries
from portal.applications import reading
from portal.applications.models import Application
from portal.applications.views.attaching import shown_files
from portal.core import clock
from portal.core.crypto import Unreadable
from portal.core.i18n import _
from portal.core.pages import go, page
from portal.core.paging import page_of, pager
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.reviews import forms, policy, queries, service
from portal.reviews.models import SheetStatus
from portal.reviews.service.scoring import own_sheet
from portal.reviews.views.blueprint import blueprint

SUBMIT = "submit"


@blueprint.get("/reviews")
@guard.requires(policy.reviews)
def mine() -> ResponseReturnValue:
    """List what the reviewer is asked to read, page by page, and how far they are."""
    asked = queries.assignments(guard.signed_in())
    waiting = Counter(each.application.call_id for each in asked if not each.declared)
    shown = page_of(
        [each for each in asked if each.declared], request.args.get("page", 1, type=int)
    )
    here = waiting.keys() | {each.application.call_id for each in shown.rows}
    calls = {each.application.call_id: each.application.call for each in asked}
    return render_template(
        "reviews/mine.html",
        asked=len(asked),
        rows=shown.rows,
        waiting=waiting,
        calls=[call for call_id, call in calls.items() if call_id in here],
        done=sum(each.done for each in asked),
        pager=pager(shown, lambda number: url_for("reviews.mine", page=number)),
    )


@blueprint.route("/reviews/calls/<ref>/interests", methods=["GET", "POST"])
@guard.requires(policy.reviews)
def interests(ref: str) -> ResponseReturnValue:
    """Declare interests in all applications of a call, before anything more of them is shown."""
    person = guard.signed_in()
    asked = queries.undeclared(person, ref)
    form = forms.interests_form(asked)
    if form.validate_on_submit() and _declare(asked, form, person):
        tell(_("Your declarations are recorded."))
        return go(url_for("reviews.mine"))
    return page("reviews/interests.html", form, asked=asked, of=forms.field_of)


def _declare(asked: list[Application], form: Form, person: Person) -> bool:
    """Record what was declared; say at each application what is still missing."""
    for application in asked:
        field = forms.field_of(form, "interest", application.ref)
        reason = forms.field_of(form, "reason", application.ref)
        try:
            if field.data == forms.NO_CONFLICT:
                service.declare_no_conflict(application, by=person)
            elif field.data == forms.CONFLICT:
                service.declare_conflict(application, reason.data or "", by=person)
            else:
                field.errors = [_("Say whether anything ties you to this applicant.")]
        except Refused as refused:
            reason.errors = [*reason.errors, refused.sentence]
    return not form.errors


@blueprint.route("/reviews/<ref>", methods=["GET", "POST"])
@guard.requires(policy.reviews)
def score(ref: str) -> ResponseReturnValue:
    """Show the application beside the score sheet; save the sheet, or submit it."""
    application = guard.get_or_404(Application, ref, policy.may_declare)
    person = guard.signed_in()
    if not applications.has_declared(person, application):
        return go(url_for("reviews.interests", ref=application.call.ref))
    sheet = own_sheet(application, person)
    if sheet is not None and sheet.status is SheetStatus.SUBMITTED and request.method == "GET":
        return go(url_for("reviews.review_tab", ref=ref))
    form = forms.score_form(application.fund.criteria, sheet)
    if form.validate_on_submit():
        submits = request.form.get("then") == SUBMIT
        if _save(application, form, person, submits=submits):
            tell(_("Your scores are submitted.") if submits else _("Your draft is saved."))
            endpoint = "reviews.review_tab" if submits else "reviews.score"
            return go(url_for(endpoint, ref=ref))
    contents = _submitted(application)
    return page(
        "reviews/score.html",
        form,
        application=application,
        criteria=application.fund.criteria,
        of=forms.field_of,
        parts=reading.parts(application.fund, contents.answers, with_sealed=False),
        sums=reading.sums(application, contents),
        files=shown_files(application, contents.files),
    )


def _submitted(application: Application) -> applications_queries.Contents:
    """Return what was submitted, or what is left to read once its key is destroyed."""
    submission = applications_queries.last_submission(application)
    if submission is None:
        raise NotFound
    try:
        return applications_queries.frozen_contents(submission)
    except Unreadable:
        return applications_queries.contents(application)


def _save(application: Application, form: Form, person: Person, *, submits: bool) -> bool:
    criteria = application.fund.criteria
    try:
        service.save_sheet(
            application,
            forms.given_points(form, criteria),
            forms.given_reasons(form, criteria),
            form["comment"].data or "",
            by=person,
        )
        if submits:
            service.submit_sheet(application, by=person)
    except Refused as refused:
        form.form_errors.append(refused.sentence)
    return not form.errors


@blueprint.post("/reviews/<ref>/draft")
@guard.requires(policy.reviews)
def autosave(ref: str) -> ResponseReturnValue:
    """Save the draft while it is written, for the page's own script."""
    application = guard.get_or_404(Application, ref, policy.may_declare)
    criteria = application.fund.criteria
    form = forms.score_form(criteria, None)
    if not form.validate_on_submit():
        raise NotFound
    service.save_sheet(
        application,
        forms.given_points(form, criteria),
        forms.given_reasons(form, criteria),
        form["comment"].data or "",
        by=guard.signed_in(),
    )
    return {"saved_at": clock.now().isoformat(), "revisions": {}}
