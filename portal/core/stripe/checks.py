"""What must always be true of the messages of the card processor."""

from datetime import timedelta

from sqlalchemy import func, select

from portal.core import clock
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.core.stripe.models import CallState, EventState, StripeCall, StripeEvent

STUCK_AFTER = timedelta(days=2)
"""How long a message may wait for its next attempt, or a call for an answer."""


def checks() -> list[Check]:
    """Return the invariants of the adapter."""
    return [
        Check(_("Every message of the card processor was worked on"), _none_failed),
        Check(_("Every call to the card processor was answered"), _none_unknown),
    ]


def _none_failed() -> CheckResult:
    late = StripeEvent.received_at < clock.now() - STUCK_AFTER
    waiting = (StripeEvent.state == EventState.WAITING) & late
    stuck = session.scalars(
        select(StripeEvent)
        .where(waiting | (StripeEvent.state == EventState.FAILED))
        .order_by(StripeEvent.received_at)
    )
    total = session.scalar(select(func.count()).select_from(StripeEvent)) or 0
    return CheckResult(
        total,
        [f"{one.event_id} ({one.type}) is {one.state.value}: {one.reason}" for one in stuck],
    )


def _none_unknown() -> CheckResult:
    unknown = session.scalars(
        select(StripeCall)
        .where(StripeCall.state == CallState.READY)
        .where(StripeCall.created_at < clock.now() - STUCK_AFTER)
        .order_by(StripeCall.created_at)
    )
    total = session.scalar(select(func.count()).select_from(StripeCall)) or 0
    return CheckResult(total, [f"nobody knows what became of {one.key}" for one in unknown])
