"""Every status × action × person: who may move an amendment, and nobody else."""

from collections.abc import Callable
from itertools import product

import pytest

from portal.accounts.models import Person, Role
from portal.awards.amendments import service
from portal.awards.amendments.models import Amendment, AmendmentAction, AmendmentStatus
from portal.awards.amendments.workflow import AMENDMENT_WORKFLOW
from portal.core.workflow import Refused
from tests.make import amendments as make
from tests.make import awards as make_awards
from tests.make.accounts import member, person

pytestmark = pytest.mark.usefixtures("app")
Status = AmendmentStatus
Action = AmendmentAction

GRANTEE, EDITOR, OFFICER, AUTHORITY, FINANCE, STRANGER = (
    "representative",
    "editor",
    "officer",
    "authority",
    "finance",
    "stranger",
)

ALLOWED: dict[tuple[AmendmentStatus, AmendmentAction], set[str]] = {
    (Status.ASKED, Action.PROPOSE): {OFFICER},
    (Status.ASKED, Action.DECLINE): {OFFICER},
    (Status.ASKED, Action.WITHDRAW): {GRANTEE, EDITOR},
    (Status.PROPOSED, Action.ACCEPT): {GRANTEE},
    (Status.PROPOSED, Action.DECLINE): {GRANTEE},
    (Status.PROPOSED, Action.WITHDRAW): {OFFICER},
    (Status.ACCEPTED, Action.COUNTERSIGN): {AUTHORITY},
    (Status.ACCEPTED, Action.DECLINE): {AUTHORITY},
    (Status.ACCEPTED, Action.WITHDRAW): {OFFICER},
}

VERBS: dict[AmendmentAction, Callable[[Amendment, Person], object]] = {
    Action.PROPOSE: lambda made, by: service.propose(
        made.award, make.terms(made.award, 1_000), "Why.", by=by
    ),
    Action.ACCEPT: lambda made, by: service.accept(made, by.name, made.digest or "", by=by),
    Action.COUNTERSIGN: lambda made, by: service.countersign(made, made.digest or "", by=by),
    Action.DECLINE: lambda made, by: service.decline(made, "Why.", by=by),
    Action.WITHDRAW: lambda made, by: service.withdraw(made, "Why.", by=by),
}

ENDED = {Status.DECLINED, Status.WITHDRAWN, Status.IN_FORCE}


def cast(amendment: Amendment) -> dict[str, Person]:
    award = amendment.award
    fund = award.application.call.fund_code
    return {
        GRANTEE: make_awards.signatory(award),
        EDITOR: member(award.application.organisation),
        OFFICER: make_awards.officer(award),
        AUTHORITY: make_awards.authority(award),
        FINANCE: person(roles=[(Role.FINANCE_OFFICER, fund, None)]),
        STRANGER: person(),
    }


@pytest.mark.parametrize("status", list(Status))
def test_who_may_do_what_and_everything_else_is_refused(status: AmendmentStatus) -> None:
    made = make.amendment(status, make_awards.award())
    people = cast(made)
    for action, (name, who) in product(Action, people.items()):
        allowed = name in ALLOWED.get((status, action), set())
        offered = action in {each.action for each in AMENDMENT_WORKFLOW.offers(who, made)}
        assert offered == allowed, (status, action, name)
        begins_anew = action is Action.PROPOSE and name == OFFICER and status in ENDED
        if not allowed and not begins_anew:
            with pytest.raises(Refused):
                VERBS[action](made, who)
            assert made.status is status, (action, name)
