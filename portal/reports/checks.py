"""Invariants of reports, for `portal check`."""

from sqlalchemy import func, select

from portal.awards.models import Award
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.reports.models import Report, ReportReview, ReportStatus
from portal.reports.service import digest_of


def checks() -> list[Check]:
    """Return the invariants of this feature."""
    return [
        Check("no more is accepted as spent than was awarded", _within_awards),
        Check("reports match their digests", _digests_match),
        Check("two people accept each report", _two_people),
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
