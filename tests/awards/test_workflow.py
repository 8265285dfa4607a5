"""Every status × action × person: who may move an award, and nobody else, and nothing else."""

from collections.abc import Callable
from itertools import product

import pytest

from portal.accounts.models import Person, Role
from portal.awards import service
from portal.awards.models import Award, AwardAction, AwardStatus
from portal.awards.workflow import WORKFLOW
from portal.core.workflow import Refused
from tests.make import awards as make
from tests.make.accounts import member, person

pytestmark = pytest.mark.usefixtures("app")
Status = AwardStatus
Action = AwardAction

GRANTEE, EDITOR, OFFICER, AUTHORITY, FINANCE, STRANGER = (
    "representative",
    "editor",
    "officer",
    "authority",
    "finance",
    "stranger",
)

ALLOWED: dict[tuple[AwardStatus, AwardAction], set[str]] = {
    (Status.OFFERED, Action.ACCEPT): {GRANTEE},
    (Status.OFFERED, Action.DECLINE): {GRANTEE},
    (Status.OFFERED, Action.CANCEL): {AUTHORITY},
    (Status.ACCEPTED, Action.COUNTERSIGN): {AUTHORITY},
    (Status.ACCEPTED, Action.CANCEL): {AUTHORITY},
    (Status.ACTIVE, Action.SUSPEND): {OFFICER},
    (Status.ACTIVE, Action.TERMINATE): {AUTHORITY},
    (Status.ACTIVE, Action.CLOSE): {OFFICER},
    (Status.SUSPENDED, Action.RESUME): {AUTHORITY},
    (Status.SUSPENDED, Action.TERMINATE): {AUTHORITY},
    (Status.TERMINATED, Action.CLOSE): {OFFICER},
}

VERBS: dict[AwardAction, Callable[[Award, Person], object]] = {
    Action.ACCEPT: lambda award, by: service.accept(award, by.name, by=by),
    Action.DECLINE: lambda award, by: service.decline(award, "Why.", by=by),
    Action.COUNTERSIGN: lambda award, by: service.countersign(award, by=by),
    Action.SUSPEND: lambda award, by: service.suspend(award, "Why.", by=by),
    Action.RESUME: lambda award, by: service.resume(award, "Why.", by=by),
    Action.TERMINATE: lambda award, by: service.terminate(award, "Why.", by=by),
    Action.CANCEL: lambda award, by: service.cancel(award, "Why.", by=by),
}

REACHED = [status for status in Status if status is not Status.CLOSED]


def cast(award: Award) -> dict[str, Person]:
    fund = award.application.call.fund_code
    return {
        GRANTEE: make.signatory(award),
        EDITOR: member(award.application.organisation),
        OFFICER: make.officer(award),
        AUTHORITY: make.authority(award),
        FINANCE: person(roles=[(Role.FINANCE_OFFICER, fund, None)]),
        STRANGER: person(),
    }


@pytest.mark.parametrize("status", REACHED)
def test_who_may_do_what(status: AwardStatus) -> None:
    award = make.award(status)
    people = cast(award)
    for action, (name, who) in product(Action, people.items()):
        offered = action in {each.action for each in WORKFLOW.offers(who, award)}
        assert offered == (name in ALLOWED.get((status, action), set())), (status, action, name)


@pytest.mark.parametrize("status", REACHED)
def test_every_other_act_is_refused_with_a_sentence(status: AwardStatus) -> None:
    award = make.award(status)
    people = cast(award)
    for (action, verb), (name, who) in product(VERBS.items(), people.items()):
        if name in ALLOWED.get((status, action), set()):
            continue
        with pytest.raises(Refused):
            verb(award, who)
        assert award.status is status, (action, name)


def test_travel_needs_no_countersignature() -> None:
    award = make.award(Status.OFFERED, fund="upr-p")
    who = make.signatory(award)
    row = WORKFLOW.find(award, Action.ACCEPT)
    assert row is not None
    assert row.target is Status.ACTIVE
    service.accept(award, who.name, by=who)
    assert str(award.status) == "active"
    assert WORKFLOW.find(award, Action.COUNTERSIGN) is None
