"""The blueprint of reports, and what its views share."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications.models import Application
from portal.awards.models import Award
from portal.core.pages import UNPROCESSABLE
from portal.core.web import Form
from portal.funds.profile import ReportRule
from portal.reports import policy, queries
from portal.reports.models import Report

blueprint = Blueprint("reports", __name__)

CONFLICT = 409


def file_of(ref: str) -> Application:
    """Return a file whose reports the reader may open. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.can_open_tab)


def award_of(ref: str) -> Award:
    """Return the award of a file. Raises NotFound before the offer."""
    award = queries.award_of(file_of(ref))
    if award is None:
        raise NotFound
    return award


def rule_of(award: Award, key: str) -> ReportRule:
    """Return what the fund says about a report. Raises NotFound for one it does not ask for."""
    try:
        return award.fund.report(key)
    except KeyError:
        raise NotFound from None


def visible(ref: str, key: str) -> Report:
    """Return a report that exists for the reader. Raises NotFound."""
    report = queries.report_in(ref, key)
    person = guard.signed_in()
    if report is None or not policy.can_open_tab(person, report.award.application):
        raise NotFound
    if not policy.can_view(person, report):
        raise NotFound
    return report


def own(ref: str, key: str) -> Report:
    """Return a report of the reader's own organisation. Raises NotFound."""
    report = visible(ref, key)
    if not policy.is_writer(guard.signed_in(), report):
        raise NotFound
    return report


def place(report: Report) -> dict[str, Any]:
    """Return what addresses of a report's pages take."""
    return {"ref": report.award.application.ref, "key": report.key}


def go(endpoint: str, report: Report, anchor: str = "") -> ResponseReturnValue:
    """Send the browser to a page of the report with a GET."""
    return redirect(url_for(endpoint, **place(report), _anchor=anchor or None), code=303)


def frame(report: Report, **more: Any) -> dict[str, Any]:
    """Return what every page of a report shows."""
    return {
        "application": report.award.application,
        "award": report.award,
        "report": report,
        "rule": queries.rule_of(report),
        "place": place(report),
        **more,
    }


def page(template: str, form: Form, report: Report, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, **frame(report, **context))
    return (answer, UNPROCESSABLE) if form.errors or form.form_errors else answer
