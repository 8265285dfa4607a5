"""Declarations of interest and score sheets (R16, R17)."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, lazyload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application, InterestDeclaration
from portal.applications.service.locking import hold
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, translated
from portal.core.text import canonical_json, normalise, sha256_hex
from portal.core.workflow import Refused
from portal.reviews import policy
from portal.reviews.models import (
    Score,
    ScoreSheet,
    SheetAction,
    SheetStatus,
)
from portal.reviews.service.recusing import recuse
from portal.reviews.service.telling import tell_recommenders
from portal.reviews.workflow import SHEET_WORKFLOW

TEXT_LIMIT = 4000


def declare_no_conflict(application: Application, *, by: Person) -> None:
    """Declare that no interest ties the reviewer to the applicant. Twice changes nothing."""
    hold(application, to_record=True)
    _demand_reviewer(application, by)
    if applications.has_declared(by, application):
        return
    declaration = InterestDeclaration(application=application, person=by)
    session.add(declaration)
    audit.record("interest.none", declaration, actor_id=by.id, case_id=application.id, rule="R16")


def declare_conflict(application: Application, reason: str, *, by: Person) -> None:
    """Declare a conflict of interest: from here on the application does not exist for `by`.

    A sheet that was begun or submitted is set aside and no longer counts. Raises Refused without
    a reason, and for whoever is no reviewer of it.
    """
    hold(application, to_record=True)
    _demand_reviewer(application, by)
    text = _bounded(reason)
    if not text:
        raise Refused(_("Say in a few words what ties you to the applicant."), "R16")
    sheet = own_sheet(application, by)
    if sheet is not None and sheet.status is not SheetStatus.SET_ASIDE:
        SHEET_WORKFLOW.perform(
            sheet, SheetAction.SET_ASIDE, by=by, rule="R16", event="sheet.set_aside"
        )
    recuse(application, by, text, actor_id=by.id)


def save_sheet(
    application: Application,
    points: Mapping[str, int | None],
    justifications: Mapping[str, str],
    comment: str,
    *,
    by: Person,
) -> ScoreSheet:
    """Save a draft of the reviewer's own sheet; it may be incomplete.

    What is not named stays as it was. Raises Refused before interests are declared, for points
    off the scale, and once the sheet is submitted.
    """
    hold(application, to_record=True)  # a submission may follow in the same transaction
    _demand_reviewer(application, by)
    if not applications.has_declared(by, application):
        raise Refused(_("Declare first whether anything ties you to this applicant."), "R16")
    _demand_scale(application, points)
    sheet = own_sheet(application, by)
    if sheet is None:
        sheet = ScoreSheet(application=application, reviewer=by)
        session.add(sheet)
        session.flush()
    if sheet.status is not SheetStatus.DRAFT:
        raise Refused(_("Your sheet is submitted: it cannot be changed any more."), "R17")
    known = {score.criterion: score for score in sheet.scores}
    for criterion in application.fund.criteria:
        score = known.get(criterion.key)
        if score is None:
            score = Score(sheet=sheet, criterion=criterion.key)
            session.add(score)
        if criterion.key in points:
            score.points = points[criterion.key]
        if criterion.key in justifications:
            score.justification = _bounded(justifications[criterion.key])
    sheet.comment = _bounded(comment)
    session.flush()
    return sheet


def submit_sheet(application: Application, *, by: Person) -> ScoreSheet:
    """Submit the reviewer's own sheet, for good. A second click finds the first one's.

    When the sheets reach the number that the fund asks for, the review is complete ("review.
    completed"). Raises Refused while points or a justification are missing.
    """
    hold(application, to_record=True)
    sheet = own_sheet(application, by)
    if sheet is None:
        _demand_reviewer(application, by)
        raise Refused(_("Score the application first."), "R17")
    if sheet.status is SheetStatus.SUBMITTED:
        return sheet
    with session.no_autoflush:  # the database wants the status and the moment at once
        SHEET_WORKFLOW.check(sheet, SheetAction.SUBMIT, by)
        sheet.submitted_at = clock.now()
        SHEET_WORKFLOW.perform(
            sheet,
            SheetAction.SUBMIT,
            by=by,
            rule="R17",
            facts={"digest": digest(sheet)},
            event="sheet.submitted",
        )
    if submitted(application) == application.fund.process.reviewers_min:
        audit.record(
            "review.completed",
            application,
            actor_id=by.id,
            case_id=application.id,
            facts={"sheets": application.fund.process.reviewers_min},
        )
        tell_recommenders(application)
    return sheet


def digest(sheet: ScoreSheet) -> str:
    """Return the SHA-256 of points and justifications, in hex, that the audit chain keeps."""
    body = {
        score.criterion: {"points": score.points, "justification": score.justification}
        for score in sheet.scores
    }
    return sha256_hex(canonical_json({"scores": body, "comment": sheet.comment}))


def own_sheet(application: Application, person: Person) -> ScoreSheet | None:
    """Return the person's sheet for the application, if there is one. One SQL statement."""
    rows = (
        select(ScoreSheet)
        .where(ScoreSheet.application_id == application.id, ScoreSheet.reviewer_id == person.id)
        .options(joinedload(ScoreSheet.scores), lazyload(ScoreSheet.reviewer))
    )
    return session.scalars(rows).unique().one_or_none()


def submitted(application: Application) -> int:
    """Return how many sheets count for the application."""
    rows = select(func.count()).where(
        ScoreSheet.application_id == application.id, ScoreSheet.status == SheetStatus.SUBMITTED
    )
    return session.scalar(rows) or 0


def _demand_reviewer(application: Application, by: Person) -> None:
    if policy.may_declare(by, application):
        return
    if policy.belongs_to_body(by, application) and not applications.is_recused(by, application):
        raise Refused(
            _("The review is over: the status is “%(status)s”.", status=application.status.label),
            "R13",
        )
    raise Refused(_("This step belongs to somebody else."), "R16")


def _demand_scale(application: Application, points: Mapping[str, int | None]) -> None:
    criteria = {criterion.key: criterion for criterion in application.fund.criteria}
    for key, given in points.items():
        if key not in criteria:
            raise Refused(_("Only the published criteria are scored."), "R17")
        criterion = criteria[key]
        if given is not None and not 0 <= given <= criterion.scale_max:
            raise Refused(
                _(
                    "Give “%(criterion)s” from 0 to %(most)s points.",
                    criterion=translated(criterion.title),
                    most=criterion.scale_max,
                ),
                "R17",
            )


def _bounded(text: str) -> str:
    clean = normalise(text)
    if len(clean) > TEXT_LIMIT:
        raise Refused(
            _(
                "Keep this to %(limit)s characters; it has %(number)s.",
                limit=TEXT_LIMIT,
                number=len(clean),
            )
        )
    return clean
