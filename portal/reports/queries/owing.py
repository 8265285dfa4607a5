"""What awards owe: computed from the profile and the days of the award, never stored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import joinedload

from portal.applications.models import Application
from portal.awards.models import Award, AwardStatus
from portal.awards.queries import agreed_on
from portal.awards.rules import report_due_on
from portal.core import clock
from portal.core.db import session
from portal.core.formats import format_day
from portal.core.i18n import _, translated
from portal.funds.profile import ReportRule
from portal.reports.models import (
    Report,
    ReportStatus,
)

IN_FORCE = (AwardStatus.ACTIVE, AwardStatus.SUSPENDED, AwardStatus.TERMINATED)
"""While an award is in one of these, it owes its reports."""


@dataclass(frozen=True)
class Owed:
    """A report that an award owes. `due_on` is None before the signatures that it counts from."""

    rule: ReportRule
    due_on: date | None
    report: Report | None

    @property
    def status(self) -> ReportStatus:
        """Where it stands; one that nobody opened is still to be written."""
        return self.report.status if self.report else ReportStatus.DUE

    @property
    def is_waiting(self) -> bool:
        """Whether the grantee has to act."""
        return self.status in {ReportStatus.DUE, ReportStatus.RETURNED}

    @property
    def is_overdue(self) -> bool:
        """Whether its day has passed and nothing is in (R27). Computed, never stored."""
        return self.is_waiting and self.due_on is not None and clock.today() > self.due_on


def obligations(award: Award) -> list[Owed]:
    """Return the reports that an award owes, in the order of the profile. One SQL statement."""
    return _owed(award, session.scalars(select(Report).where(Report.award_id == award.id)))


def _owed(award: Award, reports: Iterable[Report]) -> list[Owed]:
    opened = {report.key: report for report in reports}
    return [
        Owed(rule, report_due_on(rule, award.ends_on, agreed_on(award)), opened.get(rule.key))
        for rule in award.fund.reports
    ]


def owed_by(awards: Sequence[Award]) -> list[tuple[Award, Owed]]:
    """Return what awards owe. One SQL statement for all of them."""
    ids = [award.id for award in awards]
    found: dict[UUID, list[Report]] = {key: [] for key in ids}
    for report in session.scalars(select(Report).where(Report.award_id.in_(ids))) if ids else ():
        found[report.award_id].append(report)
    return [(award, owed) for award in awards for owed in _owed(award, found[award.id])]


def next_due(application_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Return by application the day on which the next report that the grantee writes is due.

    Files whose reports are all in are left out. One SQL statement.
    """
    found: dict[UUID, date] = {}
    for award, owed in _in_force(Award.application_id.in_(application_ids)):
        if owed.is_waiting and owed.due_on:
            before = found.get(award.application_id, owed.due_on)
            found[award.application_id] = min(before, owed.due_on)
    return found


def owed_in_force(organisation_ids: Collection[UUID] | None = None) -> list[tuple[Award, Owed]]:
    """Return what grants in force owe, of some organisations or of all. One SQL statement."""
    if organisation_ids is None:
        return _in_force(true())
    return _in_force(Application.organisation_id.in_(organisation_ids))


def _in_force(wanted: ColumnElement[bool]) -> list[tuple[Award, Owed]]:
    rows = (
        select(Award, Report)
        .join(Award.application)
        .outerjoin(Report, Report.award_id == Award.id)
        .where(Award.status.in_(IN_FORCE), wanted)
        .options(joinedload(Award.agreement))
        .order_by(Award.ends_on, Award.ref)
    )
    written: dict[Award, list[Report]] = defaultdict(list)
    for award, report in session.execute(rows):
        written[award] += [report] if report else []
    return [(award, owed) for award, reports in written.items() for owed in _owed(award, reports)]


def outstanding(organisation_id: UUID) -> list[str]:
    """Return a sentence for each report that is overdue (R4); one SQL statement.

    A report that is in and waits for the fund's word is not outstanding.
    """
    return [
        _(
            "%(title)s of the grant %(ref)s, due on %(day)s",
            title=translated(owed.rule.title),
            ref=award.ref,
            day=format_day(owed.due_on) if owed.due_on else "",
        )
        for award, owed in owed_in_force([organisation_id])
        if owed.is_overdue
    ]
