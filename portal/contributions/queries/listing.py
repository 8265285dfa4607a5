"""The lists of donors, pledges, agreements and contributions: narrowed, and page by page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import joinedload, lazyload

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    ContributionStatus,
    Donor,
    DonorKind,
    Earmark,
    Means,
    Pledge,
    PledgeStatus,
)
from portal.core.db import session
from portal.core.i18n import _
from portal.core.paging import Page, select_page

EXPORT_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How a list is narrowed; empty means all, and what is no choice of a list is all too."""

    fund: str = ""
    kind: str = ""
    status: str = ""
    means: str = ""
    year: str = ""
    text: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was chosen."""
        return any((self.fund, self.kind, self.status, self.means, self.year, self.text))


@dataclass(frozen=True)
class Choices:
    """What the list of contributions can be narrowed to: only what stands in it."""

    years: Sequence[int]


def _named(text: str, *columns: Any) -> ColumnElement[bool]:
    wanted = " ".join(text.split())
    return or_(*(column.icontains(wanted, autoescape=True) for column in columns))


def donors(person: Person, wanted: Wanted, number: int = 1) -> Page[Donor]:
    """Return a page of the donors that exist for the person, by name. Two SQL statements."""
    rows = policy.donors_visible_to(person)
    if wanted.kind in set(DonorKind):
        rows = rows.where(Donor.kind == DonorKind(wanted.kind))
    if wanted.text.strip():
        rows = rows.where(_named(wanted.text, Donor.name, Donor.ref, Donor.email))
    return select_page(rows.order_by(Donor.name, Donor.ref), number)


def pledges(person: Person, wanted: Wanted, number: int = 1) -> Page[Pledge]:
    """Return a page of pledges, the latest announced first. Two SQL statements."""
    rows = policy.visible_to(person, Pledge).join(Pledge.donor)
    if wanted.fund:
        rows = rows.where(Pledge.fund_code == wanted.fund)
    if wanted.status in set(PledgeStatus):
        rows = rows.where(Pledge.status == PledgeStatus(wanted.status))
    if wanted.text.strip():
        rows = rows.where(_named(wanted.text, Donor.name, Pledge.ref))
    return select_page(rows.order_by(Pledge.announced_on.desc(), Pledge.ref), number)


def agreements(person: Person, wanted: Wanted, number: int = 1) -> Page[ContributionAgreement]:
    """Return a page of agreements, the latest signed first. Two SQL statements."""
    rows = policy.visible_to(person, ContributionAgreement).join(ContributionAgreement.donor)
    if wanted.fund:
        rows = rows.where(ContributionAgreement.fund_code == wanted.fund)
    if wanted.status in set(AgreementStatus):
        rows = rows.where(ContributionAgreement.status == AgreementStatus(wanted.status))
    if wanted.text.strip():
        rows = rows.where(_named(wanted.text, Donor.name, ContributionAgreement.ref))
    order = (ContributionAgreement.signed_on.desc(), ContributionAgreement.ref)
    return select_page(rows.order_by(*order), number)


def _contributions(person: Person, wanted: Wanted) -> Select[Contribution]:
    rows = policy.visible_to(person, Contribution).join(Contribution.donor)
    if wanted.fund:
        rows = rows.where(Contribution.fund_code == wanted.fund)
    if wanted.status in set(ContributionStatus):
        rows = rows.where(Contribution.status == ContributionStatus(wanted.status))
    if wanted.means in set(Means):
        rows = rows.where(Contribution.means == Means(wanted.means))
    if wanted.year.isascii() and wanted.year.isdecimal() and len(wanted.year) <= 4:  # noqa: PLR2004
        rows = rows.where(Contribution.receipt_year == int(wanted.year))
    if wanted.text.strip():
        rows = rows.where(_named(wanted.text, Donor.name, Contribution.ref))
    return rows.order_by(Contribution.received_on.desc(), Contribution.ref)


def contributions(person: Person, wanted: Wanted, number: int = 1) -> Page[Contribution]:
    """Return a page of money that arrived, the latest first. Two SQL statements."""
    rows = _contributions(person, wanted).options(
        lazyload(Contribution.refunds), lazyload(Contribution.disputes)
    )
    return select_page(rows, number)


def choices(person: Person) -> Choices:
    """Return what the list of contributions can be narrowed to. One SQL statement."""
    scope = policy.scope(person, Contribution.fund_code)
    years = select(Contribution.receipt_year).where(scope).distinct()
    return Choices(sorted(session.scalars(years), reverse=True))


def taken_out(person: Person, wanted: Wanted) -> list[Contribution]:
    """Return the narrowed list as a file holds it, at most EXPORT_ROWS. Three SQL statements."""
    rows = _contributions(person, wanted).options(joinedload(Contribution.agreement).lazyload("*"))
    return list(session.scalars(rows.limit(EXPORT_ROWS)))


def as_table(found: Iterable[Contribution]) -> tuple[list[str], list[list[str]]]:
    """Return contributions for a spreadsheet: the heads of the columns, and the rows."""
    heads = [
        _("Reference"),
        _("Receipt"),
        _("Received on"),
        _("Fund"),
        _("Donor"),
        _("Kind of donor"),
        _("Country"),
        _("Earmark"),
        _("Agreement"),
        _("By"),
        _("Currency"),
        _("Amount"),
        _("Amount, US$"),
        _("Refunded"),
        _("Status"),
    ]
    return heads, [_cells(each, each.earmark) for each in found]


def _cells(each: Contribution, earmark: Earmark | None) -> list[str]:
    return [
        each.ref,
        each.receipt_no,
        each.received_on.isoformat(),
        each.fund_code,
        each.donor.name,
        str(each.donor.kind.label),
        each.donor.country or "",
        earmark.title if earmark else "",
        each.agreement.ref if each.agreement else "",
        str(each.means.label),
        each.currency,
        str(each.money.amount),
        str(each.dollars.amount),
        str(each.refunded.amount),
        str(each.status.label),
    ]
