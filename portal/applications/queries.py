"""Reads of applications: what stands in one, who has it, and lists. Fixed numbers of statements."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from portal.accounts.models import MemberRole, Membership, Organisation, Person
from portal.applications import policy
from portal.applications.models import (
    Answer,
    Application,
    ApplicationStatus,
    Attachment,
    BudgetLine,
    Clarification,
    Nominee,
    Submission,
)
from portal.applications.rules import Line, Value
from portal.core.crypto import Unreadable, unseal
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo
from portal.funds.models import Call
from portal.ledger.rules import Rate

OVER = (
    ApplicationStatus.WITHDRAWN,
    ApplicationStatus.INADMISSIBLE,
    ApplicationStatus.REFUSED,
)
"""Ends before the end: no station comes after them."""


@dataclass(frozen=True)
class Paper:
    """A file that is attached: `id` is that of the attachment, `size` in bytes."""

    id: UUID
    key: str
    name: str
    size: int


@dataclass(frozen=True)
class Contents:
    """What stands in an application: answers (sealed ones opened), budget, files.

    `rate` is the one that was frozen with a submission.
    """

    answers: dict[str, Value]
    lines: list[Line]
    files: list[Paper]
    rate: Rate | None = None


def sealed_place(application: Application, key: str) -> str:
    """Return the place that a sealed answer is bound to."""
    return f"application:{application.id}:answer:{key}"


def answer_rows(application: Application) -> dict[str, Answer]:
    """Return the rows of the answers by key. One SQL statement."""
    rows = select(Answer).where(Answer.application_id == application.id)
    return {row.key: row for row in session.scalars(rows)}


def opened(application: Application, row: Answer) -> Value:
    """Return the answer in a row, unsealed; None once the application's key is destroyed."""
    if row.sealed is None:
        return row.value
    try:
        text = unseal(application.sealing_key, row.sealed, sealed_place(application, row.key))
    except Unreadable:
        return None
    value: Value = json.loads(text)
    return value


def answers(application: Application) -> dict[str, Value]:
    """Return all answers by key, sealed ones opened. At most two SQL statements.

    Whoever shows sealed answers to staff asks `policy.can_open_sealed` and records it first.
    """
    return {key: opened(application, row) for key, row in answer_rows(application).items()}


def open_answers(application: Application) -> dict[str, Value]:
    """Return the answers that are not sealed, by key. One SQL statement."""
    rows = answer_rows(application)
    return {key: row.value for key, row in rows.items() if row.sealed is None}


def budget(application: Application) -> list[BudgetLine]:
    """Return the lines of the budget, in order. One SQL statement."""
    rows = select(BudgetLine).where(BudgetLine.application_id == application.id)
    return list(session.scalars(rows.order_by(BudgetLine.position)))


def budget_values(application: Application) -> list[Line]:
    """Return the lines of the budget as values. One SQL statement."""
    return [
        Line(row.category, row.description, row.quantity, row.unit_cost)
        for row in budget(application)
    ]


def attachments(application: Application) -> list[Attachment]:
    """Return the files that are attached now, oldest first. One SQL statement."""
    rows = (
        select(Attachment)
        .where(Attachment.application_id == application.id, Attachment.removed_at.is_(None))
        .order_by(Attachment.added_at, Attachment.id)
    )
    return list(session.scalars(rows))


def contents(application: Application) -> Contents:
    """Return what stands in an application now. Three SQL statements."""
    files = [
        Paper(each.id, each.key, each.file.name, each.file.size_bytes)
        for each in attachments(application)
    ]
    return Contents(answers(application), budget_values(application), files)


def frozen_contents(submission: Submission) -> Contents:
    """Return what stands in a submission, from its frozen body alone. No SQL statement.

    Raises Unreadable once the application's key is destroyed.
    """
    body = json.loads(submitted_body(submission))
    budget = body["budget"]
    return Contents(
        body["answers"],
        [
            Line(each["category"], each["description"], each["quantity"], each["unit_cost"])
            for each in budget["lines"]
        ],
        [
            Paper(UUID(each["id"]), each["key"], each["name"], each["size"])
            for each in body["attachments"]
        ],
        Rate(
            budget["currency"],
            Decimal(budget["units_per_usd"]),
            date.fromisoformat(budget["rate_of"]),
            "submission",
            None,
        ),
    )


def submissions(application: Application) -> list[Submission]:
    """Return what was submitted, first to last. One SQL statement."""
    rows = select(Submission).where(Submission.application_id == application.id)
    return list(session.scalars(rows.order_by(Submission.number)))


def last_submission(application: Application) -> Submission | None:
    """Return the latest submission, None where nothing was submitted. One SQL statement."""
    rows = select(Submission).where(Submission.application_id == application.id)
    return session.scalar(rows.order_by(Submission.number.desc()).limit(1))


def submitted_body(submission: Submission) -> bytes:
    """Return the canonical JSON exactly as submitted. Raises Unreadable once it is erased."""
    key = submission.application.sealing_key
    return unseal(key, submission.sealed_body, submission_place(submission)).encode()


def submission_place(submission: Submission) -> str:
    """Return the place that a submitted body is bound to."""
    return f"application:{submission.application_id}:submission:{submission.number}"


def clarifications(application: Application) -> list[Clarification]:
    """Return questions and answers, oldest first. One SQL statement."""
    rows = select(Clarification).where(Clarification.application_id == application.id)
    return list(session.scalars(rows.order_by(Clarification.asked_at)))


def open_clarification(application: Application) -> Clarification | None:
    """Return the question that waits for its answer, if there is one. One SQL statement."""
    rows = select(Clarification).where(
        Clarification.application_id == application.id, Clarification.answered_at.is_(None)
    )
    return session.scalar(rows.order_by(Clarification.asked_at).limit(1))


def nominee(application: Application) -> Nominee | None:
    """Return the official for whom travel is asked, as submitted. One SQL statement."""
    return session.scalar(select(Nominee).where(Nominee.application_id == application.id))


def nominee_name(found: Nominee) -> str:
    """Return the official's name; nothing once the application's key is destroyed."""
    place = f"application:{found.application_id}:nominee"
    try:
        return unseal(found.application.sealing_key, found.sealed_name, place)
    except Unreadable:
        return ""


def for_call_and_organisation(call: Call, organisation: Organisation) -> Application | None:
    """Return the application that stands in this call for the organisation (R5)."""
    return standing(call, [organisation]).get(organisation.id)


def standing(call: Call, organisations: Sequence[Organisation]) -> dict[UUID, Application]:
    """Return the applications that stand in a call, by organisation (R5). One SQL statement."""
    rows = select(Application).where(
        Application.call_id == call.id,
        Application.organisation_id.in_([each.id for each in organisations]),
        Application.status != ApplicationStatus.WITHDRAWN,
    )
    return {found.organisation_id: found for found in session.scalars(rows)}


def for_organisation(organisation_id: UUID) -> list[Application]:
    """Return every application of an organisation, newest first. One SQL statement."""
    rows = select(Application).where(Application.organisation_id == organisation_id)
    return list(session.scalars(rows.order_by(Application.created_at.desc())))


def members(organisation_id: UUID, role: MemberRole | None = None) -> list[Person]:
    """Return who works for an organisation, in `role` where given, by name."""
    rows = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.left_at.is_(None),
            Person.deactivated_at.is_(None),
        )
        .order_by(Person.name)
    )
    if role is not None:
        rows = rows.where(Membership.role == role)
    return list(session.scalars(rows))


def representatives(organisation_id: UUID) -> list[Person]:
    """Return who signs for an organisation, by name."""
    return members(organisation_id, MemberRole.REPRESENTATIVE)


def representative_names(organisation_id: UUID) -> list[str]:
    """Return the names of those who sign for an organisation. One SQL statement."""
    rows = (
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role == MemberRole.REPRESENTATIVE,
            Membership.left_at.is_(None),
            Person.deactivated_at.is_(None),
        )
    )
    return list(session.scalars(rows.order_by(Person.name)))


def names(person_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of people by identifier. One SQL statement."""
    wanted = {person_id for person_id in person_ids if person_id}
    if not wanted:
        return {}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))
    return {person_id: name for person_id, name in rows}  # noqa: C416


def of_same_state(application: Application) -> list[str]:
    """Return the references of other requests of the State in the call, submitted ones (R5)."""
    rows = select(Application.ref).where(
        Application.call_id == application.call_id,
        Application.country == application.country,
        Application.id != application.id,
        Application.submitted_at.is_not(None),
        Application.status.not_in(OVER),
    )
    return list(session.scalars(rows.order_by(Application.ref)))


def alike(application: Application) -> list[Application]:
    """Return other live applications of the organisation, or of its title (R12)."""
    same_title = func.lower(Application.title) == application.title.lower()
    rows = select(Application).where(
        Application.id != application.id,
        Application.status.not_in((*OVER, ApplicationStatus.DRAFT)),
        (Application.organisation_id == application.organisation_id)
        | (same_title & (Application.title != "")),
    )
    return list(session.scalars(rows.order_by(Application.created_at)))


def mine(person: Person) -> list[Application]:
    """Return the applications of the person's own organisations, newest first."""
    rows = policy.visible_to(person).where(
        Application.organisation_id.in_(person.organisation_ids())
    )
    return list(session.scalars(rows))


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do with applications: only those who work for an applicant.

    One SQL statement.
    """
    own = person.organisation_ids()
    if not own:
        return []
    asked = and_(
        Clarification.application_id == Application.id, Clarification.answered_at.is_(None)
    )
    rows = (
        select(Application, Clarification)
        .outerjoin(Clarification, asked)
        .where(
            Application.organisation_id.in_(own),
            or_(
                Application.status == ApplicationStatus.DRAFT,
                and_(
                    Application.status == ApplicationStatus.CLARIFICATION,
                    Clarification.id.is_not(None),
                ),
            ),
        )
    )
    found = [_todo(application, question) for application, question in session.execute(rows)]
    return [todo for todo in found if todo is not None]


def _todo(application: Application, question: Clarification | None) -> Todo | None:
    values = {"ref": application.ref}
    if question is not None:
        title = _("Answer the question about %(ref)s", ref=application.ref)
        return Todo(title, "applications.answer", values, question.due_on, since=question.asked_at)
    if not application.call.takes_applications:
        return None
    title = _("Finish the application %(ref)s", ref=application.ref)
    return Todo(title, "applications.tasks", values, application.call.closes_at, application.title)


def next_steps(person: Person, application: Application) -> list[Todo]:
    """Return what the person has to do with this application. One SQL statement at most."""
    if not policy.is_member(person, application):
        return []
    values = {"ref": application.ref}
    if application.status is ApplicationStatus.DRAFT and application.call.takes_applications:
        closes_at = application.call.closes_at
        return [
            Todo(_("Finish and submit the application"), "applications.tasks", values, closes_at)
        ]
    question = None
    if application.status is ApplicationStatus.CLARIFICATION:
        question = open_clarification(application)
    if question is None:
        return []
    return [Todo(_("Answer the question"), "applications.answer", values, question.due_on)]
