"""Handing a report in: what is missing, what warns, the digest of exactly what was handed in."""

from typing import Any

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.queries import representatives
from portal.core import audit, clock, outbox
from portal.core.db import session
from portal.core.formats import format_day
from portal.core.i18n import _, ngettext
from portal.core.text import canonical_json, plain, sha256_hex
from portal.core.workflow import Refused
from portal.reports import queries, rules
from portal.reports.models import Report, ReportAction, ReportStatus
from portal.reports.service.writing import hold
from portal.reports.workflow import WORKFLOW

BODY_FORM = 1
"""The form of the JSON that is digested; it grows when the form changes."""


def missing(report: Report, inside: queries.Contents | None = None) -> list[rules.Point]:
    """Return everything that stands between the report and its submission.

    Without `inside` it is read first: four SQL statements.
    """
    known = inside or queries.contents(report)
    return rules.missing(
        queries.rule_of(report),
        {key: queries.opened(report, row) for key, row in known.rows.items()},
        queries.spending(report, known.figures),
        len(known.people) or None,
        shift_percent=report.award.fund.budget.shift_percent,
        last=queries.is_last(report),
        today=clock.today(),
    )


def too_early(report: Report) -> str | None:
    """Return the sentence that refuses a report on activities that have not begun, or None.

    The day is that of UTC (R13).
    """
    award = report.award
    if not rules.too_early(queries.rule_of(report), award.starts_on, clock.today()):
        return None
    return _(
        "The activities begin on %(day)s. This report tells of them: it can be handed in from "
        "that day.",
        day=format_day(award.starts_on),
    )


def warnings(report: Report, inside: queries.Contents | None = None) -> list[str]:
    """Return what warns and does not refuse: activities that go on, personal data (R28).

    Without `inside` it is read first: four SQL statements.
    """
    known = inside or queries.contents(report)
    texts = [row.value for row in known.rows.values() if isinstance(row.value, str)]
    for spent in known.figures.told.values():
        texts += [spent.reason, spent.rate_reason]
    texts += [each.caption for each in known.evidence]
    return _goes_on(report) + rules.warnings(texts)


def _goes_on(report: Report) -> list[str]:
    """Return the warning of a report that comes before the last day of what it tells of."""
    ends_on = report.award.ends_on
    if queries.rule_of(report).due_from == "agreement" or clock.today() >= ends_on:
        return []
    sentence = _(
        "The activities end on %(day)s; what comes after today is not in this report.",
        day=format_day(ends_on),
    )
    return [sentence]


def submit(report: Report, *, by: Person) -> Report:
    """Hand the report in for its next round, with the digest of exactly what stands in it.

    Only the legal representative may. A second click changes nothing. Raises Refused while
    something is missing, and before the activities have begun (R13).
    """
    hold(report, to_record=True)
    if report.status is ReportStatus.SUBMITTED and applications.is_member(
        by, report.award.application
    ):
        return report
    WORKFLOW.check(report, ReportAction.SUBMIT, by)
    early = too_early(report)
    if early:
        raise Refused(early, "R13")
    points = missing(report)
    if points:
        raise Refused(
            ngettext(
                "%(num)s point is still open: %(first)s",
                "%(num)s points are still open. The first is: %(first)s",
                len(points),
                first=points[0].sentence,
            ),
            points[0].rule,
        )
    with session.no_autoflush:  # the database wants status, round and digest at once
        report.round += 1
        report.digest = digest_of(report)
        report.submitted_at, report.submitted_by_id = clock.now(), by.id
        WORKFLOW.perform(
            report,
            ReportAction.SUBMIT,
            by=by,
            facts={
                "report": report.key,
                "round": report.round,
                "digest": report.digest,
                "spent_usd": queries.spent_total(report),
            },
            event="report.submitted",
        )
    if "travel" in report.award.fund.process.stages and report.round == 1:
        audit.record("travel.reported", report, actor_id=by.id, case_id=report.case_id)
    tell(report, "report_received")
    return report


def digest_of(report: Report) -> str:
    """Return the SHA-256, in hex, over the canonical JSON of what stands in the report."""
    return sha256_hex(canonical_json(body_of(report)))


def body_of(report: Report) -> dict[str, Any]:
    """Return what is handed in, as values: nothing that can be worked out from them.

    A sealed answer stands in it by the digest of its ciphertext, so that the report can be checked
    without the key, and after the key was destroyed.
    """
    return {
        "form": BODY_FORM,
        "reference": report.ref,
        "award": report.award.ref,
        "report": report.key,
        "round": report.round,
        "answers": {
            key: {"sealed": sha256_hex(row.sealed)} if row.sealed is not None else row.value
            for key, row in sorted(queries.answer_rows(report).items())
        },
        "spending": [
            {
                "line": row.line.position,
                "spent": row.spent,
                "currency": row.currency,
                "units_per_usd": plain(row.rate),
                "rate_reason": row.rate_reason,
                "spent_usd": row.spent_usd,
                "reason": row.reason,
            }
            for row in sorted(
                queries.expenditures(report).values(), key=lambda row: row.line.position
            )
        ],
        "people": sorted(
            [each.group, each.sex.value, each.age_band.value, each.people]
            for each in queries.people(report)
        ),
        "evidence": [
            {
                "kind": each.kind.value,
                "caption": each.caption,
                "name": each.file.name,
                "sha256": each.file.sha256,
            }
            for each in queries.evidence(report)
        ],
    }


def tell(report: Report, template: str) -> None:
    """Tell the grantee's representatives about this round of the report."""
    application = report.award.application
    for person in representatives(application.organisation_id):
        outbox.queue(
            person.email,
            template,
            key=f"{template}:{report.id}:{report.round}:{person.id}",
            link=f"/files/{application.ref}/reports/{report.key}",
            locale=person.language,
            person_id=person.id,
            reference=application.ref,
            digest=report.digest or "",
        )
