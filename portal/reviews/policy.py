"""Who screens, scores, recommends and decides, and who sees whose scores (R14, R16).

Nobody plays two parts: whoever scored, screened or recommended in a call does not decide in it,
and whoever acts for the fund's office on an application does not score it. Where the body itself
recommends, one of its members puts its list forward, once their own sheets are in. What somebody is
recused from does not exist for them: not its sheets, not its place in a ranking, and no ranked
list or total that it is part of.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus, Recusal
from portal.core.db import session
from portal.funds.models import Call
from portal.reviews.models import (
    Recommendation,
    ScoreSheet,
    ScreeningItem,
    SheetStatus,
)

OFFICE = (Role.PROGRAMME_OFFICER, Role.BOARD_SECRETARY, Role.APPROVING_AUTHORITY)
"""Roles that act on an application for the fund and therefore never score it."""

SCORE_READERS = (*OFFICE, Role.AUDITOR)
"""Roles that read score sheets and ranked lists; finance and treasury have no need to."""

DECIDED = (
    ApplicationStatus.APPROVED,
    ApplicationStatus.REFUSED,
    ApplicationStatus.INADMISSIBLE,
)


@dataclass(frozen=True)
class Parts:
    """What a person has to do with a call: see `parts_in`."""

    party: bool
    scored: bool
    screened: bool
    recommended: bool
    unscored: bool


def part_columns(
    person: Person, call_id: UUID | InstrumentedAttribute[UUID]
) -> list[ColumnElement[bool]]:
    """Return the conditions behind `Parts`, in its order, for one call or for a list of calls."""
    one, list_ = aliased(Application), aliased(Recommendation)
    here = one.call_id == call_id
    party = exists().where(
        Recusal.application_id == one.id, Recusal.person_id == person.id, here
    ) | exists().where(here, one.organisation_id.in_(person.organisation_ids()))
    own_sheet_is_in = exists().where(
        ScoreSheet.application_id == one.id,
        ScoreSheet.reviewer_id == person.id,
        ScoreSheet.status == SheetStatus.SUBMITTED,
    )
    return [
        party,
        exists().where(
            ScoreSheet.application_id == one.id, ScoreSheet.reviewer_id == person.id, here
        ),
        exists().where(
            ScreeningItem.application_id == one.id, ScreeningItem.checked_by_id == person.id, here
        ),
        exists().where(list_.call_id == call_id, list_.made_by_id == person.id),
        exists().where(here, one.status == ApplicationStatus.IN_REVIEW, ~own_sheet_is_in),
    ]


def parts_in(person: Person, call: Call) -> Parts:
    """Return the parts that a person has played in a call. One SQL statement.

    `party`: recused from one of its applications, or working for one of its applicants.
    `unscored`: one of its applications in review has no sheet of the person that counts.
    """
    found = session.execute(select(*part_columns(person, call.id))).one()
    return Parts(*(bool(part) for part in found))


def covers(person: Person, role: Role, call: Call) -> bool:
    """Say whether the person holds `role` for the whole call, in every country that it names."""
    if any(
        grant.role is role
        and grant.is_in_force()
        and grant.covers(call.fund_code, None)
        and grant.country is None
        for grant in person.roles
    ):
        return True
    return bool(call.countries) and all(
        person.has_role(role, call.fund_code, country) for country in call.countries
    )


def can_screen(person: Person, application: Application) -> bool:
    """Say whether the person screens the application."""
    return applications.is_officer(person, application) and application.submitted_at is not None


def screened_by(person: Person) -> Select[Application]:
    """Return what the person screens: `can_screen` as one SELECT, the oldest first."""
    return (
        applications.visible_to(person)
        .where(
            applications.in_scope(person, Role.PROGRAMME_OFFICER),
            Application.submitted_at.is_not(None),
            Application.organisation_id.not_in(person.organisation_ids()),
        )
        .order_by(None)
        .order_by(Application.submitted_at, Application.ref)
    )


def screens(person: Person) -> bool:
    """Say whether the person screens for any fund at all."""
    return person.holds_any(Role.PROGRAMME_OFFICER)


def reviews(person: Person) -> bool:
    """Say whether the person sits on a body that scores."""
    return person.holds_any(*applications.REVIEWERS)


def reads_rankings(person: Person) -> bool:
    """Say whether the person has a list of calls in review."""
    return person.holds_any(*SCORE_READERS)


def acts_on_lists(person: Person) -> bool:
    """Say whether the person may have to prepare a ranked list, or to decide on one."""
    return person.holds_any(*OFFICE, Role.TASK_FORCE)


def opens_lists(person: Person) -> bool:
    """Say whether there may be ranked lists for the person: each one is asked for itself."""
    return reads_rankings(person) or acts_on_lists(person)


def belongs_to_body(person: Person, application: Application) -> bool:
    """Say whether the person scores the application: on its body, and with no part elsewhere."""
    return applications.is_reviewer(person, application) and not any(
        applications.holds(person, role, application) for role in OFFICE
    )


def may_declare(person: Person, application: Application) -> bool:
    """Say whether the person is asked to declare interests: a reviewer, not yet recused."""
    return (
        application.status is ApplicationStatus.IN_REVIEW
        and belongs_to_body(person, application)
        and not applications.is_recused(person, application)
    )


def asked(person: Person) -> Select[Application]:
    """Return what the person is asked to declare and to score: `may_declare` as one SELECT.

    What stands in it does not exist for the person before their declaration: until then, name,
    country and title are all that is shown.
    """
    office = or_(false(), *(applications.in_scope(person, role) for role in OFFICE))
    return (
        select(Application)
        .join(Application.call)
        .join(Application.organisation)
        .where(
            Application.status == ApplicationStatus.IN_REVIEW,
            applications.is_reviewed_by(person),
            ~applications.is_recused_from(person),
            ~office,
        )
        .order_by(Call.closes_at, Call.ref, Application.submitted_at, Application.ref)
    )


def undeclared(person: Person) -> Select[Application]:
    """Return what waits for the person's declaration of interests."""
    return asked(person).where(~applications.is_declared_by(person))


def owns(person: Person, sheet: ScoreSheet) -> bool:
    """Say whether the sheet is the person's own and the application still in review."""
    return sheet.reviewer_id == person.id and may_declare(person, sheet.application)


def can_see_scores(person: Person, application: Application) -> bool:
    """Say whether the person may see others' submitted sheets.

    A reviewer may once their own sheet is in; the applicant never; whoever is recused never.
    """
    return applications.can_view(person, application) and scores_are_open(person, application)


def scores_are_open(person: Person, application: Application) -> bool:
    """Say so of an application that exists for the person. At most one SQL statement."""
    if applications.is_member(person, application):
        return False
    if not applications.is_reviewer(person, application):
        return is_office(person, application)
    own = select(ScoreSheet.id).where(
        ScoreSheet.application_id == application.id,
        ScoreSheet.reviewer_id == person.id,
        ScoreSheet.status == SheetStatus.SUBMITTED,
    )
    return session.scalar(own) is not None


def is_office(person: Person, application: Application) -> bool:
    """Say whether the person reads checklist and list of the application: office and auditor.

    Asked of an application that exists for the person. Never of a member of the body that scores.
    """
    return any(
        applications.holds(person, role, application) for role in SCORE_READERS
    ) and not applications.is_reviewer(person, application)


def can_see_checklist(person: Person, application: Application) -> bool:
    """Say whether the person may read what screening found: the office and the auditor."""
    return applications.can_view(person, application) and is_office(person, application)


def can_see_decision(person: Person, application: Application) -> bool:
    """Say whether the person may read the decision: the applicant, and whoever sees the file."""
    return application.status in DECIDED and applications.can_view(person, application)


def can_open_tab(person: Person, application: Application) -> bool:
    """Say whether the tab Review stands in a case file that the person has open. No statement.

    The applicant has it once there is a decision to read; staff once something was submitted.
    Whether the file exists for the person at all is asked by `can_read_tab` and by every page.
    """
    if applications.is_member(person, application):
        return application.status in DECIDED
    return application.submitted_at is not None and (
        any(applications.holds(person, role, application) for role in SCORE_READERS)
        or applications.is_reviewer(person, application)
        or application.status in DECIDED
    )


def can_read_tab(person: Person, application: Application) -> bool:
    """Say whether the person may read the tab Review."""
    return can_open_tab(person, application) and applications.can_view(person, application)


def can_rank(person: Person, call: Call) -> bool:
    """Say whether the person may open the ranking of the call.

    Reviewers see in it what they scored themselves, and readers all of it.
    """
    role = call.fund.process.reviewer_role
    if role is not None and person.has_role(Role(role), call.fund_code):
        return True
    return reads_all_scores(person, call)


def reads_all_scores(person: Person, call: Call, parts: Parts | None = None) -> bool:
    """Say whether the person reads every line of a call's ranked list.

    Of the members of the body, only whoever puts it forward does.
    """
    role = call.fund.process.reviewer_role
    if role is not None and person.has_role(Role(role), call.fund_code):
        return call.fund.process.body_recommends and recommends_in(person, call, parts)
    if not any(covers(person, role, call) for role in SCORE_READERS):
        return False
    return not (parts or parts_in(person, call)).party


def recommends_in(person: Person, call: Call, parts: Parts | None = None) -> bool:
    """Say whether the person prepares the recommendation of the call (R14).

    A member of the body does who has scored, once nothing waits for their own sheet; a keeper of
    its papers has no sheet. Nobody who is recused from one of its files does, or sees it.
    """
    if not covers(person, Role(call.fund.process.recommends_role), call):
        return False
    parts = parts or parts_in(person, call)
    if call.fund.process.body_recommends:
        return parts.scored and not (parts.party or parts.screened or parts.unscored)
    return not parts.party and not parts.scored


def can_recommend(person: Person, recommendation: Recommendation) -> bool:
    """Say whether the person lays the recommendation before the approving authority."""
    return recommends_in(person, recommendation.call)


def can_decide(person: Person, recommendation: Recommendation, parts: Parts | None = None) -> bool:
    """Say whether the person decides: the approving authority, who played no other part (R14)."""
    call = recommendation.call
    if not covers(person, Role(call.fund.process.approving_role), call):
        return False
    parts = parts or parts_in(person, call)
    return person.id != recommendation.made_by_id and not (
        parts.party or parts.scored or parts.screened or parts.recommended
    )


def can_view(person: Person, recommendation: Recommendation) -> bool:
    """Say whether the ranked list exists for the person, who must see every line of it."""
    return reads_all_scores(person, recommendation.call)
