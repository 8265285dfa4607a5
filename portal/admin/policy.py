"""Who may see histories, the audit and the reasons behind a grant.

An administrator has people and roles, and no case file by that role. An auditor reads everything
and changes nothing. Whoever is recused from a file, or works for its applicant, does not read it
as staff, whatever roles they hold.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true

from portal.accounts import policy as accounts
from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, Recusal
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.funds.models import Call
from portal.reviews import policy as reviews

can_administer = accounts.can_administer
"""People, roles, and messages that could not be sent."""

asks_why = reviews.reads_rankings
"""Whoever may ask why a grant was made, of any file at all."""

REVIEWERS_OWN = ("interest.", "sheet.", "score_sheet.", "screening.item_checked", "recusal.")
"""Acts that say who reviewed what and who stepped aside: for those who read scores."""

INTERNAL = (
    *REVIEWERS_OWN,
    "recommendation.line_set",
    "application.sealed_answers_read",
    "report.sealed_answers_read",
)
"""Acts that finance and treasury have no need to know of."""

TOLD_TO_APPLICANTS = frozenset(
    {
        "application.started",
        "application.submitted",
        "application.reopened",
        "application.withdrawn",
        "application.marked_sensitive",
        "attachment.added",
        "attachment.removed",
        "clarification.asked",
        "clarification.answered",
        "screening.completed",
        "screening.inadmissible",
        "decision.approved",
        "decision.refused",
        "award.offered",
        "award.budget_revised",
        "award.decline",
        "award.suspend",
        "award.resume",
        "award.terminate",
        "award.cancel",
        "award.closed",
        "amendment.asked",
        "amendment.proposed",
        "amendment.accepted",
        "amendment.signed",
        "amendment.decline",
        "amendment.withdraw",
        "agreement.issued",
        "agreement.signed",
        "offer.accepted",
        "bank_details.entered",
        "bank_details.verify",
        "bank_details.reject",
        "bank_details.doubt",
        "payment_order.acknowledged",
        "instalment.paid",
        "instalment.lapsed",
        "receivable.due",
        "receivable.paid",
        "receivable.payment_undone",
        "report.opened",
        "report.submit",
        "report.submitted",
        "report.return",
        "report.returned",
        "report.accept",
        "report.accepted",
        "travel.reported",
        "evidence.added",
        "evidence.removed",
    }
)
"""What an applicant reads: what they did themselves, and what they were told."""


@dataclass(frozen=True)
class Lens:
    """How much of a history a reader sees. `names`: of people on the funds' side too."""

    only: frozenset[str] | None = None
    without: tuple[str, ...] = ()
    names: bool = True

    def shows(self, action: str) -> bool:
        """Say whether the act named `action` is in the reader's history."""
        name = action.partition(":")[0]
        if self.only is not None:
            return name in self.only
        return not name.startswith(self.without)


def can_open_tab(person: Person, application: Application) -> bool:
    """Say whether the case file has a tab History for the person: whoever sees the file."""
    return applications.can_view(person, application)


def lens(person: Person, application: Application) -> Lens:
    """Return how much of the history of a case file the person sees."""
    if applications.is_member(person, application):
        return Lens(only=TOLD_TO_APPLICANTS, names=False)
    if reviews.can_see_scores(person, application):
        return Lens()
    return Lens(without=INTERNAL)


def can_ask_why(person: Person, application: Application) -> bool:
    """Say whether the person may open “Why was this grant made?”.

    The programme officer, the board secretary, the approving authority and the auditor; somebody
    who also scores, only once their own sheet is in.
    """
    return reviews.can_see_checklist(person, application) and reviews.can_see_scores(
        person, application
    )


def can_read_recusal_reasons(person: Person, application: Application) -> bool:
    """Say whether the person may have the sealed reasons of recusals opened: the auditor."""
    return can_ask_why(person, application) and applications.holds(
        person, Role.AUDITOR, application
    )


def audits(person: Person) -> bool:
    """Say whether the person reads the audit of any fund."""
    return person.holds_any(Role.AUDITOR)


def audits_everything(person: Person) -> bool:
    """Say whether the person audits all funds in all countries, and what belongs to none."""
    return any(
        grant.role is Role.AUDITOR
        and grant.is_in_force()
        and grant.fund_code is None
        and grant.country is None
        for grant in person.roles
    )


def auditable_by(person: Person) -> ColumnElement[bool]:
    """Return the condition that an event is in the person's audit.

    Without a scope that is all of the chain; with one, the case files of the scope. Files from
    which the person is recused, or of an organisation of their own, are never in it.
    """
    party = exists().where(_is_party(person), Application.id == AuditEvent.case_id)
    if audits_everything(person):
        return ~party
    scopes = [
        and_(
            Call.fund_code == grant.fund_code if grant.fund_code else true(),
            Application.country == grant.country if grant.country else true(),
        )
        for grant in person.roles
        if grant.role is Role.AUDITOR and grant.is_in_force()
    ]
    in_scope = (
        exists()
        .where(Application.id == AuditEvent.case_id, Call.id == Application.call_id)
        .where(Application.submitted_at.is_not(None), or_(false(), *scopes))
    )
    return and_(in_scope, ~party)


def _is_party(person: Person) -> ColumnElement[bool]:
    """Return the condition that the person is recused from an application, or applies with it."""
    recused = exists().where(
        Recusal.application_id == Application.id, Recusal.person_id == person.id
    )
    return or_(Application.organisation_id.in_(person.organisation_ids()), recused)


def can_take_chain(person: Person) -> bool:
    """Say whether the person may have the whole chain verified and handed out.

    It names every file, so nobody has it for whom one of them does not exist. One SQL statement.
    """
    if not audits_everything(person):
        return False
    return not session.scalar(select(exists().where(_is_party(person))))
