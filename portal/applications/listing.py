"""The list of files: narrowed, page by page, and as a table for a spreadsheet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from portal.accounts.models import Organisation, Person
from portal.applications import journey, policy
from portal.applications.models import Application, ApplicationStatus
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money, usd
from portal.funds.models import Call
from portal.funds.stations import Station

PAGE_ROWS = 25
EXPORT_ROWS = 5_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How the list is narrowed; empty means all."""

    call: str = ""
    status: str = ""
    country: str = ""
    text: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was chosen."""
        return any((self.call, self.status, self.country, self.text))


@dataclass(frozen=True)
class Page:
    """One page of the list."""

    applications: Sequence[Application]
    lines: Mapping[UUID, Sequence[Station | journey.Stop]]
    number: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_ROWS))


@dataclass(frozen=True)
class Choices:
    """What the list can be narrowed to: only what stands in it for this person."""

    calls: Sequence[tuple[str, str]]
    countries: Sequence[str]


def narrowed(person: Person, wanted: Wanted) -> Select[Application]:
    """Return the applications that exist for the person, narrowed."""
    rows = policy.visible_to(person)
    if wanted.call:
        rows = rows.where(Call.ref == wanted.call)
    if wanted.status in set(ApplicationStatus):
        rows = rows.where(Application.status == ApplicationStatus(wanted.status))
    if wanted.country:
        rows = rows.where(Application.country == wanted.country)
    text = wanted.text.strip()
    if text:
        rows = rows.where(
            or_(
                Application.ref.icontains(text, autoescape=True),
                Application.title.icontains(text, autoescape=True),
                Organisation.name.icontains(text, autoescape=True),
            )
        )
    return rows


def page(person: Person, wanted: Wanted, number: int = 1) -> Page:
    """Return a page of the list with its stations. Three SQL statements."""
    rows = narrowed(person, wanted)
    ids = rows.with_only_columns(Application.id).order_by(None)
    total = session.scalar(select(func.count()).select_from(ids.subquery())) or 0
    number = min(max(1, number), max(1, -(-total // PAGE_ROWS)))
    start = (number - 1) * PAGE_ROWS
    found = session.scalars(rows.limit(PAGE_ROWS).offset(start)).all()
    return Page(found, journey.lines(found), number, total)


def choices(person: Person) -> Choices:
    """Return what the list can be narrowed to. Two SQL statements."""
    rows = policy.visible_to(person)
    calls = rows.with_only_columns(Call.ref, Call.title).distinct().order_by(None)
    countries = rows.with_only_columns(Application.country).distinct().order_by(None)
    return Choices(
        sorted((ref, title) for ref, title in session.execute(calls)),
        sorted(session.scalars(countries)),
    )


def taken_out(person: Person, wanted: Wanted) -> list[Application]:
    """Return the narrowed list as a file holds it, at most EXPORT_ROWS. One SQL statement."""
    return list(session.scalars(narrowed(person, wanted).limit(EXPORT_ROWS)))


def as_table(found: Iterable[Application]) -> tuple[list[str], list[list[str]]]:
    """Return applications for a spreadsheet: the heads of the columns, and the rows.

    Of a sensitive application only the reference, status and amounts leave the portal.
    """
    heads = [
        _("Reference"),
        _("Fund"),
        _("Call"),
        _("Organisation"),
        _("Country"),
        _("Title"),
        _("Status"),
        _("Submitted (UTC)"),
        _("Currency"),
        _("Requested"),
        _("Requested, US$"),
    ]
    return heads, [_cells(each) for each in found]


def _cells(each: Application) -> list[str]:
    withheld = _("(sensitive)")
    return [
        each.ref,
        each.fund.acronym,
        each.call.ref,
        withheld if each.sensitive else each.organisation.name,
        withheld if each.sensitive else each.country,
        withheld if each.sensitive else each.title,
        str(each.status.label),
        each.submitted_at.isoformat(timespec="seconds") if each.submitted_at else "",
        each.currency,
        str(Money(each.requested, each.currency).amount),
        str(usd(each.requested_usd).amount),
    ]
