"""Writing a report: begun, told in words with autosave, checked, handed in."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications.forms import as_shown, field_name, token, token_name, touched
from portal.applications.reading import in_words
from portal.applications.service import SaveResult
from portal.core.i18n import _, locale, ngettext, translated
from portal.core.pages import UNPROCESSABLE
from portal.core.web import Form, tell, wants_json
from portal.core.workflow import Refused
from portal.reports import policy, queries, rules, service
from portal.reports.forms import as_section, narrative_form
from portal.reports.models import Report
from portal.reports.views.blueprint import (
    CONFLICT,
    award_of,
    blueprint,
    frame,
    go,
    own,
    page,
    place,
    rule_of,
)
from portal.reports.views.content import content

PAGES = {
    "narrative": "reports.narrative",
    "spending": "reports.spending",
    "people": "reports.people",
    "evidence": "reports.evidence",
}
"""The page of each part of a report."""


@blueprint.post("/files/<ref>/reports/<key>/begin")
@guard.members_only
def begin(ref: str, key: str) -> ResponseReturnValue:
    """Begin a report that is owed, or go on with it."""
    award = award_of(ref)
    rule_of(award, key)
    report = service.open_report(award, key, by=guard.signed_in())
    return go("reports.tasks", report)


@blueprint.get("/files/<ref>/reports/<key>/draft")
@guard.members_only
def tasks(ref: str, key: str) -> ResponseReturnValue:
    """Show the parts of the report and how far each is."""
    report = own(ref, key)
    if not policy.can_edit(guard.signed_in(), report):
        return go("reports.read", report)
    inside = queries.contents(report)
    points = service.missing(report, inside)
    parts = _parts(report)
    return render_template(
        "reports/tasks.html",
        **frame(report),
        items=[_task(report, part, title, points, len(inside.evidence)) for part, title in parts],
        reviews=queries.reviews(report),
    )


def _parts(report: Report) -> list[tuple[str, str]]:
    rule = queries.rule_of(report)
    parts = [("narrative", _("What was done"))]
    if rule.financial:
        parts.append(("spending", _("What was spent")))
    if rule.people_reached:
        parts.append(("people", _("People reached")))
    return [*parts, ("evidence", _("Photographs and receipts"))]


def _task(
    report: Report, part: str, title: str, points: list[rules.Point], files: int
) -> dict[str, Any]:
    still = sum(1 for point in points if point.part == part)
    if part == "evidence":
        state = ngettext("%(num)s file", "%(num)s files", files)
        tone = "good" if files else "neutral"
    elif still:
        state = ngettext("%(num)s point open", "%(num)s points open", still)
        tone = "wait"
    else:
        state, tone = _("Complete"), "good"
    return {
        "title": title,
        "href": url_for(PAGES[part], **place(report)),
        "hint": "",
        "status_label": state,
        "tone": tone,
        "due": None,
    }


@blueprint.route("/files/<ref>/reports/<key>/narrative", methods=["GET", "POST"])
@guard.members_only
def narrative(ref: str, key: str) -> ResponseReturnValue:
    """Tell what was done; nothing is required in order to save."""
    report = own(ref, key)
    if request.method == "GET" and not policy.can_edit(guard.signed_in(), report):
        return go("reports.read", report)
    section = as_section(queries.rule_of(report))
    rows = queries.answer_rows(report)
    answers = {name: queries.opened(report, row) for name, row in rows.items()}
    revisions = {name: row.revision for name, row in rows.items()}
    form = narrative_form(report, section, answers, revisions)
    if request.method == "GET":
        return page("reports/narrative.html", form, report, conflicts=[])
    typed, seen = touched(form, section)
    result = service.save_narrative(report, typed, seen, by=guard.signed_in(), locale=str(locale()))
    _mark(report, form, result)
    if wants_json():
        return _answer(report, form, result)
    if not result.is_whole:
        shown = render_template(
            "reports/narrative.html", form=form, **frame(report, conflicts=_both(report, result))
        )
        return shown, CONFLICT if result.conflicts else UNPROCESSABLE
    for sentence in rules.warnings([text for text in typed.values() if isinstance(text, str)]):
        tell(sentence, "wait")
    return go("reports.tasks", report)


def _mark(report: Report, form: Form, result: SaveResult) -> None:
    """Put the new revisions, the errors and the clashes into the form."""
    questions = {each.key: each for each in queries.rule_of(report).sections}
    for name, sentence in result.errors.items():
        form[field_name(name)].errors = [sentence]
    for name, revision in result.revisions.items():
        form[token_name(name)].data = token(revision, form[field_name(name)].data)
    for clash in result.conflicts:
        shown = as_shown(questions[clash.key], clash.theirs)
        form[token_name(clash.key)].data = token(clash.revision, shown)
        form[field_name(clash.key)].errors = [
            _("Somebody else changed this answer too. Both texts stand above; choose and save.")
        ]


def _both(report: Report, result: SaveResult) -> list[dict[str, Any]]:
    questions = {each.key: each for each in queries.rule_of(report).sections}
    return [
        {
            "label": translated(questions[each.key].label),
            "yours": in_words(questions[each.key], each.yours),
            "theirs": in_words(questions[each.key], each.theirs),
            "by": each.by,
            "at": each.at,
        }
        for each in result.conflicts
    ]


def _answer(report: Report, form: Form, result: SaveResult) -> ResponseReturnValue:
    """Answer the page's script: when it was saved, or why it was not."""
    if result.conflicts:
        labels = {each.key: translated(each.label) for each in queries.rule_of(report).sections}
        clashes = [{"label": labels[each.key], "by": each.by} for each in result.conflicts]
        return {"conflict": clashes}, CONFLICT
    if result.errors:
        return {"refused": next(iter(result.errors.values()))}, UNPROCESSABLE
    tokens = {token_name(name): form[token_name(name)].data for name in result.revisions}
    return {"saved_at": result.saved_at.isoformat(), "revisions": tokens}


@blueprint.route("/files/<ref>/reports/<key>/check", methods=["GET", "POST"])
@guard.members_only
def check(ref: str, key: str) -> ResponseReturnValue:
    """Check everything once more, then hand the report in."""
    report = own(ref, key)
    person = guard.signed_in()
    form = Form()
    if form.validate_on_submit():
        try:
            service.submit(report, by=person)
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("The report is in. You will hear from us."))
            return go("reports.read", report)
    elif not policy.can_edit(person, report):
        return redirect(url_for("reports.read", **place(report)), code=303)
    inside = queries.contents(report)
    return page(
        "reports/check.html",
        form,
        report,
        points=_linked(report, service.missing(report, inside)),
        warnings=service.warnings(report, inside),
        too_early=service.too_early(report),
        may_submit=policy.can_submit(person, report),
        **content(report, with_sealed=True, inside=inside),
    )


def _linked(report: Report, points: list[rules.Point]) -> list[dict[str, str]]:
    labels = {each.key: translated(each.label) for each in queries.rule_of(report).sections}
    labels |= {str(line.id): line.description for line in report.award.budget}
    labels["people"] = _("People reached")
    return [
        {
            "label": labels.get(point.key, point.key),
            "sentence": point.sentence,
            "href": url_for(PAGES[point.part], **place(report)),
        }
        for point in points
    ]
