"""Questions about an application, and their answers."""

from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications import policy, queries, service
from portal.applications.forms import AnswerForm, QuestionForm
from portal.applications.models import Application, ApplicationAction, Clarification
from portal.applications.views.blueprint import blueprint, own, visible
from portal.applications.workflow import WORKFLOW
from portal.core.i18n import _, translated
from portal.core.pages import go, page
from portal.core.web import choices, tell
from portal.core.workflow import Refused


@blueprint.route("/files/<ref>/ask", methods=["GET", "POST"])
@guard.members_only
def ask(ref: str) -> ResponseReturnValue:
    """Ask the applicant about one section."""
    application = visible(ref)
    person = guard.signed_in()
    if not policy.is_officer(person, application):
        raise NotFound
    form = QuestionForm()
    form.section.choices = choices(
        (section.key, translated(section.title)) for section in application.fund.form
    )
    if form.validate_on_submit():
        try:
            service.ask_clarification(
                application,
                form.section.data,
                form.question.data,
                form.due.data,
                by=person,
            )
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("The question is on its way to the applicant."))
            return go(url_for("applications.overview", ref=ref))
    elif not form.is_submitted():
        WORKFLOW.check(application, ApplicationAction.ASK, person)
    return page("applications/ask.html", form, application=application)


@blueprint.route("/files/<ref>/answer", methods=["GET", "POST"])
@guard.members_only
def answer(ref: str) -> ResponseReturnValue:
    """Answer the question that is open."""
    application = own(ref)
    found = _open_or_last(application)
    form = AnswerForm()
    if form.validate_on_submit():
        try:
            service.answer_clarification(found, form.answer.data, by=guard.signed_in())
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("Your answer has been sent."))
            return go(url_for("applications.overview", ref=ref))
    elif not form.is_submitted() and found.answered_at is not None:
        return go(url_for("applications.overview", ref=ref))
    return page(
        "applications/answer.html",
        form,
        application=application,
        clarification=found,
        section=application.fund.section(found.section),
    )


def _open_or_last(application: Application) -> Clarification:
    """Return the open question, else the last one. Raises NotFound where none was asked."""
    found = queries.clarifications(application)
    waiting = [each for each in found if each.answered_at is None]
    if not found:
        raise NotFound
    return waiting[0] if waiting else found[-1]
