"""Who may see and do what with a report; a report is seen by whoever sees its application."""

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards import policy as awards
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
    if applications.holds(person, Role.FINANCE_OFFICER, application) and not (
        applications.is_recused(person, application)
    ):
        found.add(ReviewSide.FINANCE)
    return found


def can_review(person: Person, report: Report) -> bool:
    """Say whether the person reviews the report for programme or finance."""
    return bool(sides(person, report))


def reviews_somewhere(person: Person) -> bool:
    """Say whether the person reviews reports of any fund at all."""
    return person.holds_any(Role.PROGRAMME_OFFICER, Role.FINANCE_OFFICER)


def can_read(person: Person, report: Report) -> bool:
    """Say whether the person may read what stands in the report now.

    The grantee always; funders what was submitted, not what is being written after a return.
    """
    if applications.is_member(person, report.award.application):
        return True
    in_hand = report.status in {ReportStatus.SUBMITTED, ReportStatus.ACCEPTED}
    return in_hand and can_view(person, report)


def can_open_sealed(person: Person, report: Report) -> bool:
    """Say whether the person may open sealed answers of the report."""
    return can_read(person, report) and applications.can_open_sealed(
        person, report.award.application
    )


def can_open_tab(person: Person, application: Application) -> bool:
    """Say whether the file has a tab of reports for the person: once there may be an award."""
    return awards.can_open_tab(person, application)


def is_writer(person: Person, report: Report) -> bool:
    """Say whether the report is of the person's own organisation."""
    return applications.is_member(person, report.award.application)
