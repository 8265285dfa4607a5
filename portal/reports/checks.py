"""Invariants of reports, for `portal check`."""

from sqlalchemy import func, select, text

from portal.awards.models import Award
from portal.core.audit import SAME_MOMENT
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.reports.models import Report, ReportReview, ReportStatus
from portal.reports.service import digest_of

UNTOLD = """
SELECT DISTINCT r.ref FROM report r JOIN report_review w ON w.report_id = r.id
WHERE NOT EXISTS (
    SELECT FROM audit_event e
    WHERE e.subject_id = r.id AND e.actor_id = w.by_id
    AND e.action = ANY (CASE WHEN w.accepted
        THEN ARRAY['report.' || w.side || '_accepted', 'report.accepted:' || r.key]
        ELSE ARRAY['report.returned'] END)
    AND e.facts ->> 'round' = w.round::text
    AND abs(extract(epoch FROM e.at - w.at)) <= :seconds
) ORDER BY r.ref
"""


def checks() -> list[Check]:
    """Return the invariants of this feature."""
    return [
        Check(_("No more is accepted as spent than was awarded"), _within_awards),
        Check(_("Reports match their digests"), _digests_match),
        Check(_("Two people accept each report"), _two_people),
        Check(_("Every word on a report is by whom the audit chain names"), _said_as_told),
    ]


def _within_awards() -> CheckResult:
    rows = session.execute(
        select(Award.ref, Award.amount_usd, func.sum(Report.accepted_usd))
        .join(Report, Report.award_id == Award.id)
        .group_by(Award.ref, Award.amount_usd)
    ).all()
    return CheckResult(
        len(rows),
        [
            f"award {ref}: {total} accepted of {amount}"
            for ref, amount, total in rows
            if (total or 0) > amount
        ],
    )


def _digests_match() -> CheckResult:
    handed_in = Report.status.in_([ReportStatus.SUBMITTED, ReportStatus.ACCEPTED])
    reports = list(session.scalars(select(Report).where(handed_in)))
    return CheckResult(
        len(reports),
        [f"report {each.ref} was changed" for each in reports if each.digest != digest_of(each)],
    )


def _two_people() -> CheckResult:
    rows = session.execute(
        select(
            Report.ref, func.count(ReportReview.by_id), func.count(ReportReview.by_id.distinct())
        )
        .join(ReportReview, ReportReview.report_id == Report.id)
        .where(
            Report.status == ReportStatus.ACCEPTED,
            ReportReview.round == Report.round,
            ReportReview.accepted,
        )
        .group_by(Report.ref)
    ).all()
    return CheckResult(
        len(rows),
        [
            f"report {ref} was accepted by one person twice"
            for ref, words, people in rows
            if words != people
        ],
    )


def _said_as_told() -> CheckResult:
    """Look for the event of each word on a report. Two SQL statements."""
    total = session.scalar(select(func.count()).select_from(ReportReview))
    untold = session.scalars(text(UNTOLD), {"seconds": SAME_MOMENT.total_seconds()})
    return CheckResult(
        total or 0,
        [_("Report %(ref)s was looked at by others, by the chain.", ref=ref) for ref in untold],
    )
