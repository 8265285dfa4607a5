"""The draft: its task list, and one page for each section."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications import policy, queries, rules, service
from portal.applications.forms import (
    as_shown,
    field_name,
    section_form,
    token,
    token_name,
    touched,
)
from portal.applications.models import Answer, Application
from portal.applications.reading import in_words
from portal.applications.views.attaching import attachments_page
from portal.applications.views.blueprint import CONFLICT, blueprint, next_page, own
from portal.applications.views.budgeting import budget_page
from portal.core import clock
from portal.core.i18n import _, locale, ngettext, translated
from portal.core.pages import UNPROCESSABLE, go
from portal.core.web import Form, tell, wants_json
from portal.core.workflow import Refused
from portal.funds.profile import Section


@blueprint.get("/files/<ref>/draft")
@guard.members_only
def tasks(ref: str) -> ResponseReturnValue:
    """Show the task list: every section and how far it is."""
    application = own(ref)
    if not policy.can_edit(guard.signed_in(), application):
        return go(url_for("applications.overview", ref=ref))
    answers = queries.answers(application)
    content = rules.Content(
        application.fund,
        application.organisation.kind.value,
        answers,
        queries.budget_values(application),
        {each.key for each in queries.attachments(application)},
        clock.today(),
    )
    points = [*rules.missing_from(content), *_above_ceiling(application)]
    items = [_task(application, section, content, points) for section in application.fund.form]
    return render_template(
        "applications/tasks.html",
        application=application,
        items=items,
        done=sum(1 for item in items if item["tone"] == "good"),
    )


def _above_ceiling(application: Application) -> list[rules.Missing]:
    """Return the point that the budget asks for too much, from its saved sum (R9)."""
    limit = application.call.ceiling
    if limit is None or application.requested_usd <= limit:
        return []
    budget = next(each for each in application.fund.form if each.kind == "budget")
    return [rules.Missing(budget.key, "ceiling", _("Above the ceiling."), "R9")]


def _task(
    application: Application,
    section: Section,
    content: rules.Content,
    points: list[rules.Missing],
) -> dict[str, Any]:
    open_points = [point for point in points if point.section == section.key]
    begun = any(not rules.is_empty(content.answers.get(q.key)) for q in section.questions)
    begun |= section.kind == "budget" and bool(content.lines)
    begun |= section.kind == "attachments" and bool(content.attached)
    if not open_points:
        state, tone = _("Complete"), "good"
    elif begun:
        state = ngettext("%(num)s point open", "%(num)s points open", len(open_points))
        tone = "wait"
    else:
        state, tone = _("Not started"), "neutral"
    return {
        "title": translated(section.title),
        "href": url_for("applications.section", ref=application.ref, key=section.key),
        "hint": "",
        "status_label": state,
        "tone": tone,
        "due": None,
    }


@blueprint.route("/files/<ref>/draft/<key>", methods=["GET", "POST"])
@guard.members_only
def section(ref: str, key: str) -> ResponseReturnValue:
    """Fill in one section; nothing is required in order to save."""
    application = own(ref)
    try:
        found = application.fund.section(key)
    except KeyError:
        raise NotFound from None
    if request.method == "GET" and not policy.can_edit(guard.signed_in(), application):
        return go(url_for("applications.overview", ref=ref))
    if found.kind == "budget":
        return budget_page(application, found)
    if found.kind == "attachments":
        return attachments_page(application, found)
    return _answers_page(application, found)


def _answers_page(application: Application, found: Section) -> ResponseReturnValue:
    rows = queries.answer_rows(application)
    answers = {key: queries.opened(application, row) for key, row in rows.items()}
    form = section_form(found, application, answers, _revisions(rows))
    if request.method == "GET":
        _show_open_points(form, found, answers)
        return _show(application, found, form)
    try:
        result = save(application, found, form)
    except Refused as refused:
        if wants_json():
            raise
        form.form_errors.append(refused.sentence)
        return _show(application, found, form), CONFLICT
    if wants_json():
        return told(found, form, result)
    if not result.is_whole:
        return _not_whole(application, found, form, result)
    return after_saving(application, found)


def _revisions(rows: dict[str, Answer]) -> dict[str, int]:
    return {key: row.revision for key, row in rows.items()}


def save(application: Application, found: Section, form: Form) -> service.SaveResult:
    """Save what was touched, and put the new tokens and the errors into the form."""
    typed, seen = touched(form, found)
    result = service.save_answers(
        application, found.key, typed, seen, by=guard.signed_in(), locale=str(locale())
    )
    for key, sentence in result.errors.items():
        form[field_name(key)].errors = [sentence]
    for key, revision in result.revisions.items():
        form[token_name(key)].data = token(revision, form[field_name(key)].data)
    for clash in result.conflicts:
        shown = as_shown(application.fund.question(clash.key), clash.theirs)
        form[token_name(clash.key)].data = token(clash.revision, shown)
        form[field_name(clash.key)].errors = [
            _("Somebody else changed this answer too. Both texts stand above; choose and save.")
        ]
    return result


def told(found: Section, form: Form, result: service.SaveResult) -> ResponseReturnValue:
    """Answer the page's script: when it was saved, or why it was not."""
    if result.conflicts:
        labels = {question.key: translated(question.label) for question in found.questions}
        clashes = [{"label": labels[each.key], "by": each.by} for each in result.conflicts]
        return {"conflict": clashes}, CONFLICT
    if result.errors:
        return {"refused": next(iter(result.errors.values()))}, UNPROCESSABLE
    tokens = {token_name(key): form[token_name(key)].data for key in result.revisions}
    return {"saved_at": result.saved_at.isoformat(), "revisions": tokens}


def _not_whole(
    application: Application, found: Section, form: Form, result: service.SaveResult
) -> ResponseReturnValue:
    fund = application.fund
    clashes = [
        {
            "label": translated(fund.question(each.key).label),
            "yours": in_words(fund.question(each.key), each.yours),
            "theirs": in_words(fund.question(each.key), each.theirs),
            "by": each.by,
            "at": each.at,
        }
        for each in result.conflicts
    ]
    page = _show(application, found, form, conflicts=clashes)
    return page, CONFLICT if clashes else UNPROCESSABLE


def _show_open_points(form: Form, found: Section, answers: dict[str, rules.Value]) -> None:
    """Mark what is open: all of it for whoever comes from the check, else only what is wrong."""
    wanted = request.args.get("mend")
    if wanted not in {"all", "wrong"}:
        return
    for question in found.questions:
        value = answers.get(question.key)
        sentence = rules.what_is_wrong(question, value, answers, today=clock.today())
        if sentence is None and wanted == "all" and question.required and rules.is_empty(value):
            sentence = _("This is still to be answered.")
        if sentence:
            form[field_name(question.key)].errors = [sentence]


def after_saving(application: Application, found: Section) -> ResponseReturnValue:
    """Go on to the next section, or stay where something that was given is wrong."""
    answers = queries.answers(application)
    wrong = any(
        rules.what_is_wrong(question, answers.get(question.key), answers, today=clock.today())
        for question in found.questions
    )
    if wrong and request.args.get("mend") != "wrong":
        tell(_("Saved. Something here cannot be submitted as it is."), "wait")
        return go(url_for("applications.section", ref=application.ref, key=found.key, mend="wrong"))
    return go(next_page(application, found))


def _show(application: Application, found: Section, form: Form, **more: Any) -> str:
    return render_template(
        "applications/section.html",
        application=application,
        section=found,
        number=application.fund.form.index(found) + 1,
        form=form,
        conflicts=more.get("conflicts", []),
    )
