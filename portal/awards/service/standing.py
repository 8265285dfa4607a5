"""What may befall a grant: suspension, its end, cancellation. Each with a reason."""

from portal.accounts.models import Person
from portal.applications.queries import representatives
from portal.awards.models import Award, AwardAction
from portal.awards.service.agreeing import give_back
from portal.awards.workflow import WORKFLOW
from portal.core import audit, outbox
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused


def suspend(award: Award, reason: str, *, by: Person) -> None:
    """Suspend an active grant: nothing is paid until the suspension is lifted (R21)."""
    _move(award, AwardAction.SUSPEND, reason, by)


def resume(award: Award, reason: str, *, by: Person) -> None:
    """Lift a suspension."""
    _move(award, AwardAction.RESUME, reason, by)


def terminate(award: Award, reason: str, *, by: Person) -> None:
    """End a grant early; what was committed and neither paid nor ordered goes back to the fund."""
    _move(award, AwardAction.TERMINATE, reason, by)
    give_back(award, by)


def cancel(award: Award, reason: str, *, by: Person) -> None:
    """Cancel an award that was never countersigned."""
    _move(award, AwardAction.CANCEL, reason, by)


def _move(award: Award, action: AwardAction, reason: str, by: Person) -> None:
    """Move the award with its reason, and tell the grantee. Raises Refused without a reason."""
    words = normalise(reason).strip()
    if not words:
        raise Refused(_("Give the reason; the grantee reads it."))
    audit.take_turn()
    session.refresh(award, ["status", "version"], with_for_update=True)
    WORKFLOW.check(award, action, by)
    award.remark = words
    event = WORKFLOW.perform(award, action, by=by)
    session.flush()
    for person in representatives(award.application.organisation_id):
        outbox.queue(
            person.email,
            "award_changed",
            key=f"award-changed:{event.digest}:{person.id}",
            link=f"/files/{award.application.ref}/agreement",
            locale=person.language,
            person_id=person.id,
            reference=award.application.ref,
        )
