"""The one table of what may happen to a call, by whom, from where to where."""

from portal.core import clock
from portal.core.i18n import _, _l
from portal.core.workflow import Transition, Workflow
from portal.funds import policy, rules
from portal.funds.models import Call, CallAction, CallStatus


def _dates_hold(call: Call) -> str | None:
    """Refuse a call whose dates contradict each other or are past (R7)."""
    return rules.dates_fault(
        opens_at=call.opens_at,
        closes_at=call.closes_at,
        reference_day=call.reference_day,
        now=clock.now(),
    )


def _ceiling_holds(call: Call) -> str | None:
    """Refuse a ceiling that is missing or above the fund's own (R9)."""
    return rules.ceiling_fault(call.fund, call.ceiling_usd)


def _scope_holds(call: Call) -> str | None:
    """Refuse countries, languages or a session that the fund needs and the call lacks."""
    return rules.scope_fault(
        call.fund,
        countries=call.countries,
        languages=call.languages,
        session_label=call.session_label,
    )


def _has_money(call: Call) -> str | None:
    if call.envelope_usd > 0:
        return None
    return _("The call has nothing to give: say how much is in it before opening it.")


def _deadline_is_past(call: Call) -> str | None:
    if call.closes_at <= clock.now():
        return None
    return _("The call still takes applications: it can be decided after its deadline.")


WORKFLOW: Workflow[Call] = Workflow(
    "call",
    [
        Transition(
            CallAction.OPEN,
            {CallStatus.DRAFT},
            CallStatus.OPEN,
            policy.can_manage,
            _l("Publish the call"),
            requires=(_dates_hold, _ceiling_holds, _scope_holds, _has_money),
        ),
        Transition(
            CallAction.DECIDE,
            {CallStatus.OPEN},
            CallStatus.DECIDED,
            policy.can_decide,
            _l("Mark the call as decided"),
            requires=(_deadline_is_past,),
        ),
        Transition(
            CallAction.CANCEL,
            {CallStatus.DRAFT, CallStatus.OPEN},
            CallStatus.CANCELLED,
            policy.can_manage,
            _l("Cancel the call"),
        ),
    ],
)
