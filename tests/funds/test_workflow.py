"""Every status, every action, every role: what may happen to a call, and nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.accounts.models import Person, Role
from portal.core import clock
from portal.core.workflow import Refused
from portal.funds import service
from portal.funds.models import Call, CallAction, CallStatus
from portal.funds.workflow import WORKFLOW
from tests import make

pytestmark = pytest.mark.usefixtures("db")

ALLOWED = {
    (CallStatus.DRAFT, CallAction.OPEN): CallStatus.OPEN,
    (CallStatus.DRAFT, CallAction.CANCEL): CallStatus.CANCELLED,
    (CallStatus.OPEN, CallAction.CANCEL): CallStatus.CANCELLED,
    (CallStatus.OPEN, CallAction.DECIDE): CallStatus.DECIDED,
}
WHO = {
    CallAction.OPEN: {Role.PROGRAMME_OFFICER},
    CallAction.CANCEL: {Role.PROGRAMME_OFFICER},
    CallAction.DECIDE: {Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY},
}
VERBS: dict[CallAction, Callable[..., None]] = {
    CallAction.OPEN: service.open_call,
    CallAction.CANCEL: service.cancel_call,
    CallAction.DECIDE: service.decide_call,
}
LATER = timedelta(days=31)


def call_at(status: CallStatus, olga: Person) -> Call:
    """Return a call that got to `status` by the officer's own verbs."""
    if status is CallStatus.DRAFT:
        return make.draft_call(by=olga)
    call = make.call(by=olga)
    if status is CallStatus.CANCELLED:
        service.cancel_call(call, by=olga)
    if status is CallStatus.DECIDED:
        with clock.at(call.closes_at):
            service.decide_call(call, by=olga)
    return call


def at(action: CallAction) -> timedelta:
    """Return how long after the opening the action is tried: deciding waits for the deadline."""
    return LATER if action is CallAction.DECIDE else timedelta()


@pytest.mark.parametrize("status", list(CallStatus))
def test_an_officer_does_what_the_table_allows_and_nothing_else(status: CallStatus) -> None:
    olga = make.officer("act")
    for action, verb in VERBS.items():
        call = call_at(status, olga)
        with clock.at(clock.now() + at(action)):
            target = ALLOWED.get((status, action))
            if target is None:
                with pytest.raises(Refused):
                    verb(call, by=olga)
                assert call.status is status
            else:
                verb(call, by=olga)
                assert call.status is target


@pytest.mark.parametrize("role", [None, *Role])
def test_others_do_nothing_and_are_offered_nothing(role: Role | None) -> None:
    olga = make.officer("act")
    person = make.person(roles=[(role, "act", None)] if role else [])
    elsewhere = make.person(roles=[(role, "vftc", None)] if role else [])
    for (status, action), target in ALLOWED.items():
        call = call_at(status, olga)
        with clock.at(clock.now() + at(action)):
            with pytest.raises(Refused):
                VERBS[action](call, by=elsewhere)
            assert WORKFLOW.offers(elsewhere, call) == []
            offered = {offer.action for offer in WORKFLOW.offers(person, call)}
            assert (action in offered) == (role in WHO[action])
            if role in WHO[action]:
                VERBS[action](call, by=person)
                assert call.status is target
            else:
                with pytest.raises(Refused):
                    VERBS[action](call, by=person)
                assert call.status is status
