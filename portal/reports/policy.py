"""Who may see and do what with a report; a report is seen by whoever sees its application."""

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.reports.models import Report, ReportStatus, ReviewSide


def can_view(person: Person, report: Report) -> bool:
    """Say whether the report exists for the person: funders see it once it was submitted."""
    application = report.award.application
    if applications.is_member(person, application):
        return True
    return report.submitted_at is not None and applications.can_view(person, application)


def can_edit(person: Person, report: Report) -> bool:
    """Say whether the person may write in the report now."""
    open_to_change = report.status in {ReportStatus.DUE, ReportStatus.RETURNED}
    return open_to_change and applications.is_member(person, report.award.application)


def can_submit(person: Person, report: Report) -> bool:
    """Say whether the person signs reports for the grantee."""
    return applications.is_representative(person, report.award.application)


def sides(person: Person, report: Report) -> set[ReviewSide]:
    """Return the sides for which the person may speak on the report (R30)."""
    application = report.award.application
    found = set()
    if applications.is_officer(person, application):
        found.add(ReviewSide.PROGRAMME)
    if applications.holds(person, Role.FINANCE_OFFICER, application):
        found.add(ReviewSide.FINANCE)
    return found


def can_review(person: Person, report: Report) -> bool:
    """Say whether the person reviews the report for programme or finance."""
    return bool(sides(person, report))
