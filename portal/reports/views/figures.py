"""The figures of a report: spending by budget line, people reached."""

from collections.abc import Callable, Sequence

from flask import request
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications.models import Sex
from portal.core.i18n import _
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.ledger.queries import rates
from portal.reports import policy, queries, reading, service
from portal.reports.forms import (
    cell_name,
    people_form,
    spending_form,
    typed_people,
    typed_spending,
)
from portal.reports.models import AgeBand, Group, PeopleReached
from portal.reports.service.figures import FiguresResult, rate_day
from portal.reports.views.blueprint import CONFLICT, blueprint, go, own, page

LONGEST = 9
"""Digits of a revision: more is not one that we wrote."""


@blueprint.route("/files/<ref>/reports/<key>/spending", methods=["GET", "POST"])
@guard.members_only
def spending(ref: str, key: str) -> ResponseReturnValue:
    """Say what was spent on each line of the approved budget (R29)."""
    report = own(ref, key)
    person = guard.signed_in()
    if request.method == "GET" and not policy.can_edit(person, report):
        return go("reports.read", report)
    known = rates(rate_day(report))
    home = report.award.application.currency
    figures = queries.figures(report)
    codes = sorted({"USD", home, *(each.currency for each in known)})
    form = spending_form(report, figures.told, figures.before, codes)
    result = None
    if form.validate_on_submit():
        entries = typed_spending(form, report)
        if not form.errors:
            result = _attempt(
                form,
                lambda: service.save_expenditure(
                    report, entries, by=person, revision=_seen(form, "seen_spending")
                ),
            )
        if result is not None and not result.conflict:
            tell(_("Saved. The sums stand at the end of this page."))
            return go("reports.spending", report, "sums")
    used = {home} | {row.currency for row in figures.told.values()}
    return _shown(
        page(
            "reports/spending.html",
            form,
            report,
            conflict=_clashes(form, result, "seen_spending"),
            table=reading.spending_table(report, figures.told, figures.before),
            rates=[each for each in known if each.currency in used],
            rate_day=rate_day(report),
        ),
        result,
    )


@blueprint.route("/files/<ref>/reports/<key>/people", methods=["GET", "POST"])
@guard.members_only
def people(ref: str, key: str) -> ResponseReturnValue:
    """Count the people reached, by sex, age and group; counts only (R28)."""
    report = own(ref, key)
    person = guard.signed_in()
    if request.method == "GET" and not policy.can_edit(person, report):
        return go("reports.read", report)
    counts_before = queries.people(report)
    form = people_form(report, _stored(counts_before))
    result = None
    if form.validate_on_submit():
        counts = typed_people(form)
        if not form.errors:
            result = _attempt(
                form,
                lambda: service.save_people(
                    report, counts, by=person, revision=_seen(form, "seen_people")
                ),
            )
        if result is not None and not result.conflict:
            tell(_("Saved."))
            return go("reports.tasks", report)
    return _shown(
        page(
            "reports/people.html",
            form,
            report,
            conflict=_clashes(form, result, "seen_people"),
            stored=reading.people_tables(counts_before),
            bands=list(AgeBand),
            tables=[
                (
                    group,
                    [(sex, [form[cell_name(sex, band, group)] for band in AgeBand]) for sex in Sex],
                )
                for group in (None, *Group)
            ],
        ),
        result,
    )


def _stored(counts: Sequence[PeopleReached]) -> dict[tuple[str, str, str], int]:
    return {(each.group, each.sex.value, each.age_band.value): each.people for each in counts}


def _seen(form: Form, name: str) -> int:
    typed = form[name].data or ""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= LONGEST else -1


def _attempt(form: Form, save: Callable[[], FiguresResult]) -> FiguresResult | None:
    """Save; a refusal is shown at the top of the form, with all that was typed."""
    try:
        return save()
    except Refused as refused:
        form.form_errors.append(refused.sentence)
        return None


def _clashes(form: Form, result: FiguresResult | None, name: str) -> bool:
    """Say whether somebody else saved meanwhile; the form then knows the present revision."""
    if result is None or not result.conflict:
        return False
    form[name].data = str(result.revision)
    return True


def _shown(answer: ResponseReturnValue, result: FiguresResult | None) -> ResponseReturnValue:
    return (answer, CONFLICT) if result is not None and isinstance(answer, str) else answer
