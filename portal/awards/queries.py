"""Reads of awards: the one of a file, and what people have to do. Fixed numbers of statements."""

from datetime import UTC, date, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus
from portal.awards import policy
from portal.awards.models import Award, AwardStatus
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo
from portal.funds.terms import within_term
from portal.reviews.models import Decision

TAB = "awards.agreement_tab"


def agreed_on(award: Award) -> date | None:
    """Return the day of the last signature that the fund asks for, in UTC."""
    if award.agreement is None:
        return None
    countersigned = award.fund.process.countersigned
    at = award.agreement.countersigned_at if countersigned else award.agreement.signed_at
    return at.astimezone(UTC).date() if at else None


def award_of(application: Application) -> Award | None:
    """Return the award of a file with its parts, None before the offer. Two SQL statements."""
    rows = (
        select(Award)
        .where(Award.application_id == application.id)
        .options(
            joinedload(Award.agreement),
            selectinload(Award.budget),
            joinedload(Award.instalments),
        )
    )
    return session.scalars(rows).unique().one_or_none()


def decision_of(application: Application) -> Decision | None:
    """Return the decision on an application, if there is one. One SQL statement."""
    return session.scalar(select(Decision).where(Decision.application_id == application.id))


def next_steps(person: Person, application: Application) -> list[Todo]:
    """Return what the person has to do with the award of this file. One SQL statement."""
    rows = (
        select(Award, Decision.decided_at)
        .select_from(Application)
        .outerjoin(Award, Award.application_id == Application.id)
        .outerjoin(Decision, Decision.application_id == Application.id)
        .where(Application.id == application.id)
        .options(joinedload(Award.agreement))
    )
    award, decided_at = session.execute(rows).one()
    if award is None:
        may = policy.can_offer(person, application)
        return [_offer(application, decided_at, _("Prepare the offer"))] if may else []
    if policy.can_revise(person, award):
        title = _("Bring your budget to the amount awarded")
        return [_accept(award, title, "awards.revise")]
    if award.status is AwardStatus.OFFERED and policy.can_sign(person, award):
        return [_accept(award, _("Read and answer the offer"))]
    if award.status is AwardStatus.ACCEPTED and policy.can_countersign(person, award):
        return [_countersign(award, _("Countersign the agreement"), "awards.countersign")]
    return []


def _offer(
    application: Application, decided_at: datetime | None, title: str, note: str = ""
) -> Todo:
    fund, values = application.fund, {"ref": application.ref}
    return within_term(Todo(title, "awards.offer", values, note=note), fund, "offer", decided_at)


def _accept(award: Award, title: str, endpoint: str = TAB, note: str = "") -> Todo:
    """Return the grantee's task: it waits since the agreement lies there, else since the offer."""
    since = award.agreement.issued_at if award.agreement else award.offered_at
    values = {"ref": award.application.ref}
    return within_term(Todo(title, endpoint, values, note=note), award.fund, "acceptance", since)


def _countersign(award: Award, title: str, endpoint: str = TAB, note: str = "") -> Todo:
    since = award.agreement.signed_at if award.agreement else None
    values = {"ref": award.application.ref}
    return within_term(
        Todo(title, endpoint, values, note=note), award.fund, "countersignature", since
    )


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do with awards. One SQL statement for each of their parts."""
    tasks = _of_grantees(person)
    if person.holds_any(Role.PROGRAMME_OFFICER):
        tasks += _to_offer(person)
    if person.holds_any(Role.APPROVING_AUTHORITY):
        tasks += _to_countersign(person)
    return tasks


def _of_grantees(person: Person) -> list[Todo]:
    own = person.organisation_ids()
    if not own:
        return []
    rows = (
        select(Award)
        .join(Award.application)
        .where(Application.organisation_id.in_(own), Award.status == AwardStatus.OFFERED)
        .options(joinedload(Award.agreement))
        .order_by(Award.offered_at)
    )
    return [_answer(person, award) for award in session.scalars(rows)]


def _answer(person: Person, award: Award) -> Todo:
    ref = award.application.ref
    if award.agreement is None:
        title = _("Bring the budget of %(ref)s to the amount awarded", ref=ref)
    elif policy.can_sign(person, award):
        title = _("Read and answer the offer on %(ref)s", ref=ref)
    else:
        title = _("Your legal representative has an offer to answer: %(ref)s", ref=ref)
    return _accept(award, title, note=award.application.title)


def _to_offer(person: Person) -> list[Todo]:
    waiting = (
        applications.visible_to(person)
        .where(
            Application.status == ApplicationStatus.APPROVED,
            ~exists().where(Award.application_id == Application.id),
        )
        .outerjoin(Decision, Decision.application_id == Application.id)
        .add_columns(Decision.decided_at)
        .options(joinedload(Application.recusals))
    )
    return [
        _offer(each, decided_at, _("Prepare the offer on %(ref)s", ref=each.ref), each.title)
        for each, decided_at in session.execute(waiting).unique()
        if policy.can_offer(person, each)
    ]


def _to_countersign(person: Person) -> list[Todo]:
    visible = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    rows = (
        select(Award)
        .where(Award.status == AwardStatus.ACCEPTED, Award.application_id.in_(visible))
        .options(
            joinedload(Award.application).joinedload(Application.recusals),
            joinedload(Award.agreement),
        )
        .order_by(Award.offered_at)
    )
    return [
        _countersign(
            each,
            _("Countersign the agreement on %(ref)s", ref=each.application.ref),
            note=each.application.title,
        )
        for each in session.scalars(rows).unique()
        if policy.can_countersign(person, each)
    ]
