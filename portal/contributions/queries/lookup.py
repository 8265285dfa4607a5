"""Finding one thing, and what belongs to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models import (
    OPEN_AGREEMENT,
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    ContributionReceipt,
    Donor,
    DonorKind,
    Earmark,
    Pledge,
)
from portal.contributions.words import in_words
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import _
from portal.ledger import queries as books
from portal.ledger.rules import DOLLAR

DRAFTED = "contribution_agreement.drafted"
ONE_SAVE = timedelta(seconds=5)
"""How far apart the acts of one save of a form can be."""


def open_agreements(fund_code: str) -> list[ContributionAgreement]:
    """Return the agreements of a fund under which money is still to come, the oldest first.

    One SQL statement.
    """
    rows = (
        select(ContributionAgreement)
        .where(
            ContributionAgreement.fund_code == fund_code,
            ContributionAgreement.status == OPEN_AGREEMENT,
        )
        .order_by(ContributionAgreement.signed_on, ContributionAgreement.ref)
    )
    return list(session.scalars(rows))


def draft_on(pledge: Pledge) -> ContributionAgreement | None:
    """Return the agreement that stands on a pledge, if there is one. One SQL statement."""
    found = select(ContributionAgreement).where(
        ContributionAgreement.pledge_id == pledge.id,
        ContributionAgreement.status != AgreementStatus.CANCELLED,
    )
    return session.scalar(found)


def pledges_of(person: Person, donor: Donor) -> list[Pledge]:
    """Return the pledges of a donor that the person sees, latest first. One SQL statement."""
    rows = policy.visible_to(person, Pledge).where(Pledge.donor_id == donor.id)
    return list(session.scalars(rows.order_by(Pledge.announced_on.desc(), Pledge.ref)))


def agreements_of(person: Person, donor: Donor) -> list[ContributionAgreement]:
    """Return the agreements with a donor that the person sees. One SQL statement."""
    rows = (
        policy.visible_to(person, ContributionAgreement)
        .where(ContributionAgreement.donor_id == donor.id)
        .order_by(ContributionAgreement.signed_on.desc(), ContributionAgreement.ref)
    )
    return list(session.scalars(rows))


def contributions_of(person: Person, donor: Donor) -> list[Contribution]:
    """Return what came from a donor, latest first, as the person sees it. One SQL statement."""
    rows = (
        policy.visible_to(person, Contribution)
        .where(Contribution.donor_id == donor.id)
        .options(lazyload(Contribution.refunds), lazyload(Contribution.disputes))
    )
    order = (Contribution.received_on.desc(), Contribution.receipt_number.desc())
    return list(session.scalars(rows.order_by(*order)))


def contributions_under(agreement: ContributionAgreement) -> list[Contribution]:
    """Return what came under an agreement, oldest first. One SQL statement."""
    rows = (
        select(Contribution)
        .where(Contribution.agreement_id == agreement.id)
        .options(lazyload(Contribution.refunds), lazyload(Contribution.disputes))
    )
    return list(session.scalars(rows.order_by(Contribution.received_on, Contribution.ref)))


def donor_choices(person: Person, other_than: Donor) -> list[tuple[str, str]]:
    """Return (reference, name) of the donors into which one may be merged. One SQL statement."""
    rows = (
        policy.donors_visible_to(person)
        .where(Donor.id != other_than.id, Donor.kind != DonorKind.STATE)
        .with_only_columns(Donor.ref, Donor.name)
        .order_by(Donor.name, Donor.ref)
    )
    return [(ref, name) for ref, name in session.execute(rows)]


def earmarks(person: Person, fund_code: str | None = None) -> list[Earmark]:
    """Return the earmarks in use that the person sees, by fund and title. One SQL statement."""
    rows = (
        policy.visible_to(person, Earmark)
        .where(Earmark.retired_at.is_(None))
        .options(joinedload(Earmark.call).lazyload("*"))
        .order_by(Earmark.fund_code, Earmark.title)
    )
    if fund_code is not None:
        rows = rows.where(Earmark.fund_code == fund_code)
    return list(session.scalars(rows))


def currencies() -> list[str]:
    """Return the currencies that have a rate today, US$ first. One SQL statement."""
    known = {row.currency for row in books.rates(clock.today())} - {DOLLAR}
    return [DOLLAR, *sorted(known)]


def contribution_by_ref(ref: str) -> Contribution | None:
    """Return money that came by its reference, whoever asks. Three SQL statements."""
    return session.scalar(select(Contribution).where(Contribution.ref == ref))


def received_under(source_ref: str) -> Contribution | None:
    """Return what was received under a reference of its source. Three SQL statements."""
    return session.scalar(select(Contribution).where(Contribution.source_ref == source_ref))


def receipt_of(contribution: Contribution) -> ContributionReceipt | None:
    """Return the receipt that holds now, None while it is being made. One SQL statement."""
    return session.scalar(
        select(ContributionReceipt).where(
            ContributionReceipt.contribution_id == contribution.id,
            ContributionReceipt.edition == contribution.edition,
        )
    )


@dataclass(frozen=True)
class Happened:
    """One act on a row as a reader is told it: when, what, by whom (or by nobody)."""

    at: datetime
    title: str
    by: str | None


def history(subject: UUID) -> list[Happened]:
    """Return what happened to a row by the audit chain, oldest first. One SQL statement.

    The chain has the same act whenever a draft is saved, and once more for its paper: what was
    saved at once is told once, and what was saved later is a correction.
    """
    rows = (
        select(AuditEvent, Person.name)
        .outerjoin(Person, Person.id == AuditEvent.actor_id)
        .where(AuditEvent.subject_id == subject)
    )
    told: list[Happened] = []
    drafted: AuditEvent | None = None
    for event, name in session.execute(rows.order_by(AuditEvent.number)):
        words = in_words(event.action)
        if event.action == DRAFTED:
            before, drafted = drafted, event
            if before is not None and _is_same_save(before, event):
                continue
            words = words if before is None else _("Draft corrected")
        told.append(Happened(event.at, words, name))
    return told


def _is_same_save(before: AuditEvent, event: AuditEvent) -> bool:
    """Say whether two acts of drafting are one save of its form: the terms, then the paper."""
    return (
        before.actor_id == event.actor_id
        and before.facts | {"paper": None} == event.facts | {"paper": None}
        and event.at - before.at < ONE_SAVE
    )


def names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of people by their ids. One SQL statement."""
    wanted = {each for each in ids if each is not None}
    rows = select(Person.id, Person.name).where(Person.id.in_(wanted))
    return {row.id: row.name for row in session.execute(rows)}
