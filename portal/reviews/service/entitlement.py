"""The entitlement check of funds without a body (R15)."""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.models import Application, ApplicationStatus
from portal.applications.service.locking import hold
from portal.core import audit
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.funds.countries import DATED_FLAGS, country, has_flag
from portal.reviews import policy
from portal.reviews.models import EntitlementCheck
from portal.reviews.service.telling import tell_recommenders

NOTE_LIMIT = 4000


def check_entitlement(application: Application, note: str = "", *, by: Person) -> EntitlementCheck:
    """Confirm that the State is entitled, and freeze what the priority order rests on.

    A second click finds the first one's. Raises Refused in a fund with a body, before screening
    is complete, and for whoever is no programme officer of the application.
    """
    hold(application, to_record=True)
    if not policy.can_screen(by, application):
        raise Refused(_("Only a programme officer of this fund checks entitlements."))
    known = session.scalar(
        select(EntitlementCheck).where(EntitlementCheck.application_id == application.id)
    )
    if known is not None:
        return known
    if not application.fund.has_stage("entitlement"):
        raise Refused(_("This fund scores applications: it has no entitlement check."), "R15")
    if application.status is not ApplicationStatus.IN_REVIEW:
        raise Refused(
            _(
                "The entitlement is checked once screening is complete: the status is "
                "“%(status)s”.",
                status=application.status.label,
            ),
            "R13",
        )
    text = normalise(note)
    if len(text) > NOTE_LIMIT:
        raise Refused(
            _(
                "Keep this to %(limit)s characters; it has %(number)s.",
                limit=NOTE_LIMIT,
                number=len(text),
            )
        )
    check = EntitlementCheck(
        application=application, checked_by_id=by.id, note=text, facts=facts_of(application)
    )
    session.add(check)
    audit.record(
        "entitlement.checked",
        application,
        actor_id=by.id,
        case_id=application.id,
        rule="R15",
        facts=dict(check.facts),
    )
    tell_recommenders(application)
    return check


def facts_of(application: Application) -> dict[str, object]:
    """Return what is known of the State on the call's reference day, as it goes on record."""
    place = country(application.country)
    day = application.call.reference_day
    flags = [flag for flag in DATED_FLAGS if has_flag(place, flag, day)]
    return {
        "country": application.country,
        "day": day.isoformat(),
        "flags": flags,
        "geneva_mission": place.geneva_mission,
        "group": place.group.value if place.group else None,
    }
