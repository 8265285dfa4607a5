"""Reads of amendments: those of an award, and what people have to do about them."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus
from portal.awards.amendments import policy
from portal.awards.amendments.models import ISSUED, OPEN, Amendment, AmendmentStatus
from portal.awards.amendments.workflow import AMENDMENT_WORKFLOW
from portal.awards.models import Award, AwardStatus
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo
from portal.funds.models import Call
from portal.funds.terms import within_term
from portal.reviews.models import Decision


def amendments_of(award: Award) -> list[Amendment]:
    """Return the amendments of an award, the latest first. One SQL statement."""
    rows = select(Amendment).where(Amendment.award_id == award.id)
    return list(session.scalars(rows.order_by(Amendment.number.desc())))


def amendment_of(award: Award, number: int) -> Amendment | None:
    """Return one amendment of an award. One SQL statement."""
    rows = select(Amendment).where(Amendment.award_id == award.id, Amendment.number == number)
    return session.scalar(rows)


def holds_payments() -> ColumnElement[bool]:
    """Return the condition that an award waits for an amendment of its amount.

    Until it is in force or ended, nothing is ordered.
    """
    return (
        exists()
        .where(
            Amendment.award_id == Award.id,
            Amendment.status.in_(ISSUED),
            Amendment.amount_usd != Amendment.from_amount_usd,
        )
        .correlate(Award)
    )


def granted_in(call: Call) -> int:
    """Return what a call has granted by now, in US cents. One SQL statement.

    An award counts with what it was amended to, a decision without an award yet with what was
    decided; what was declined or cancelled is free again.
    """
    gone = (AwardStatus.DECLINED, AwardStatus.CANCELLED)
    rows = (
        select(func.sum(func.coalesce(Award.amount_usd, Decision.amount_usd)))
        .select_from(Decision)
        .join(Application, Application.id == Decision.application_id)
        .outerjoin(Award, Award.application_id == Application.id)
        .where(
            Application.call_id == call.id,
            Decision.approved,
            or_(Award.id.is_(None), Award.status.not_in(gone)),
        )
    )
    return int(session.scalar(rows) or 0)


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do about amendments. At most one SQL statement."""
    if not _takes_part(person):
        return []
    seen = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    return list(_tasks(person, Award.application_id.in_(seen), titled=True))


def next_steps(person: Person, application: Application) -> list[Todo]:
    """Return what the person has to do about the amendment of a file. At most one statement."""
    if application.status is not ApplicationStatus.APPROVED or not _takes_part(person):
        return []
    return list(_tasks(person, Award.application_id == application.id, titled=False))


def _takes_part(person: Person) -> bool:
    """Say whether there are steps of amendments for the person at all. No SQL statement."""
    staff = person.holds_any(Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY)
    return staff or bool(person.organisation_ids())


def _tasks(person: Person, wanted: ColumnElement[bool], *, titled: bool) -> Iterator[Todo]:
    rows = (
        select(Amendment)
        .join(Amendment.award)
        .where(Amendment.status.in_(OPEN), Award.status == AwardStatus.ACTIVE, wanted)
        .options(
            joinedload(Amendment.award)
            .joinedload(Award.application)
            .joinedload(Application.recusals)
        )
        .order_by(Amendment.created_at)
    )
    for amendment in session.scalars(rows).unique():
        task = _task(person, amendment, titled=titled)
        if task is not None:
            yield task


def _task(person: Person, amendment: Amendment, *, titled: bool) -> Todo | None:
    """Return the step of the person, if it is theirs: the first that the workflow has for it."""
    row = next(row for row in AMENDMENT_WORKFLOW.rows if amendment.status in row.sources)
    if not row.may(person, amendment):
        return None
    application = amendment.award.application
    ref, fund = application.ref, application.fund
    numbered = {"ref": ref, "number": amendment.number}
    if amendment.status is AmendmentStatus.ASKED:
        title = _("Answer the request for an amendment of %(ref)s", ref=ref)
        task = Todo(title, "awards.propose_amendment", {"ref": ref})
        found = within_term(task, fund, "offer", amendment.asked_at)
    elif amendment.status is AmendmentStatus.PROPOSED:
        title = _("Read and answer the amendment of %(ref)s", ref=ref)
        task = Todo(title, "awards.accept_amendment", numbered)
        found = within_term(task, fund, "acceptance", amendment.issued_at)
    else:
        title = _("Countersign the amendment of %(ref)s", ref=ref)
        task = Todo(title, "awards.countersign_amendment", numbered)
        found = within_term(task, fund, "countersignature", amendment.signed_at)
    return replace(found, note=application.title) if titled else found


def may_begin(person: Person, award: Award, known: list[Amendment]) -> tuple[bool, bool]:
    """Say whether the person may ask for an amendment now, and whether they may propose one.

    `known` are the amendments of the award. No SQL statement.
    """
    waiting = next((each for each in known if each.is_open), None)
    may_ask = waiting is None and policy.can_ask(person, award)
    free = waiting is None or waiting.status is AmendmentStatus.ASKED
    return may_ask, free and policy.can_propose(person, award)
