"""The page of the budget: rows without JavaScript, sums by the server, in two currencies."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications import queries, rules, service
from portal.applications.forms import (
    budget_form,
    field_name,
    fingerprint,
    offer_rows,
    token,
    token_name,
    touched,
    typed_lines,
)
from portal.applications.models import Application
from portal.applications.queries import Contents
from portal.applications.reading import sums
from portal.applications.views.blueprint import CONFLICT, next_page
from portal.core import clock
from portal.core.i18n import _, locale
from portal.core.money import format_money
from portal.core.pages import UNPROCESSABLE, go
from portal.core.web import Form, tell, wants_json
from portal.core.workflow import Refused
from portal.funds.profile import Section
from portal.ledger.queries import rates


def currencies(application: Application) -> list[str]:
    """Return the currencies that a budget may be in: those with a rate on the reference day."""
    if not application.fund.budget.currency_choice:
        return ["USD"]
    known = {rate.currency for rate in rates(application.call.reference_day)}
    return sorted({*known, "USD", application.currency})


def budget_page(application: Application, found: Section) -> ResponseReturnValue:
    """Show the budget, or save it. What is wrong stays in its field with a sentence."""
    rows = queries.answer_rows(application)
    answers = {key: queries.opened(application, row) for key, row in rows.items()}
    lines = queries.budget_values(application)
    codes = currencies(application)
    form = budget_form(
        found,
        application,
        lines,
        answers,
        {key: row.revision for key, row in rows.items()},
        currencies=codes,
    )
    if request.method == "GET":
        return _show(application, found, form, lines)
    try:
        clash = _save(application, found, form, codes)
    except Refused as refused:
        if wants_json():
            raise
        form.form_errors.append(refused.sentence)
        clash = False
    if wants_json():
        return _told(form, conflict=clash)
    lines = queries.budget_values(application)
    if clash or form.errors:
        status = CONFLICT if clash else UNPROCESSABLE
        return _show(application, found, form, lines, conflict=clash), status
    return _after(application, found, lines)


def _save(application: Application, found: Section, form: Form, codes: list[str]) -> bool:
    """Save questions and rows; put errors and revisions into the form. Say whether they clash."""
    person = guard.signed_in()
    typed, seen = touched(form, found)
    result = service.save_answers(
        application, found.key, typed, seen, by=person, locale=str(locale())
    )
    for key, sentence in result.errors.items():
        form[field_name(key)].errors = [sentence]
    for key, revision in result.revisions.items():
        form[token_name(key)].data = token(revision, form[field_name(key)].data)
    for each in result.conflicts:
        form[token_name(each.key)].data = f"{each.revision}.{fingerprint(each.theirs)}"
        form[field_name(each.key)].errors = [
            _("%(name)s wrote here meanwhile: “%(text)s”", name=each.by, text=each.theirs)
        ]
    return _save_rows(application, form, codes)


def _save_rows(application: Application, form: Form, codes: list[str]) -> bool:
    chosen = form["currency"].data
    if chosen not in codes:
        form["currency"].errors = [_("Choose a currency from the list.")]
        return False
    lines, wrong = rules.read_lines(
        typed_lines(form), application.fund, chosen, locale=str(locale())
    )
    for number, sentences in wrong.items():
        for name, sentence in sentences.items():
            form["lines"].entries[number].form[name].errors = [sentence]
    if wrong:
        form["lines"].errors = [entry.errors for entry in form["lines"].entries]
        return False
    if lines == queries.budget_values(application) and chosen == application.currency:
        form["seen_budget"].data = str(application.budget_revision)
        return False
    seen = form["seen_budget"].data or ""
    revision = int(seen) if seen.isascii() and seen.isdigit() else 0
    try:
        result = service.save_budget(
            application, lines, by=guard.signed_in(), currency=chosen, revision=revision
        )
    except Refused as refused:
        form.form_errors.append(refused.sentence)
        return False
    form["seen_budget"].data = str(result.revision)
    return result.conflict


def _told(form: Form, *, conflict: bool) -> ResponseReturnValue:
    """Answer the page's script."""
    if conflict:
        return {"conflict": [{"label": _("Budget"), "by": ""}]}, CONFLICT
    if form.errors or form.form_errors:
        sentence = _("Not saved yet: a line is not complete. Press the button to see which.")
        return {"refused": sentence}, UNPROCESSABLE
    names = [name for name in form.data if name.startswith("seen_")]
    return {
        "saved_at": clock.now().isoformat(),
        "revisions": {name: form[name].data for name in names},
    }


def _after(
    application: Application, found: Section, lines: list[rules.Line]
) -> ResponseReturnValue:
    here = url_for("applications.section", ref=application.ref, key=found.key)
    if "add" in request.form:
        return go(f"{here}#lines")
    if "sums" in request.form:
        return go(f"{here}#sums")
    added = sums(application, Contents({}, lines, []))
    if added.above and added.ceiling and added.dollars:
        tell(
            _(
                "Saved. The budget asks for %(asked)s; the ceiling is %(limit)s. It cannot be "
                "submitted like this (R9).",
                asked=format_money(added.dollars, str(locale())),
                limit=format_money(added.ceiling, str(locale())),
            ),
            "wait",
        )
        return go(f"{here}#sums")
    return go(next_page(application, found))


def _show(
    application: Application,
    found: Section,
    form: Form,
    lines: list[rules.Line],
    **more: Any,
) -> str:
    offer_rows(form, application.fund.budget.lines_max)
    for number, entry in enumerate(form["lines"].entries, start=1):
        entry.label.text = _("Line %(number)s", number=number)
    return render_template(
        "applications/budget.html",
        application=application,
        section=found,
        number=application.fund.form.index(found) + 1,
        form=form,
        sums=sums(application, Contents({}, lines, [])),
        conflict=more.get("conflict", False),
    )
