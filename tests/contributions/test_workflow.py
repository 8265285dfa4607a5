"""Every act in every status by every part: what the tables allow, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import product

import pytest

from portal.accounts.models import Person, Role
from portal.contributions.models import (
    AgreementAction,
    AgreementStatus,
    ContributionAgreement,
    Pledge,
    PledgeAction,
    PledgeStatus,
)
from portal.contributions.workflow import AGREEMENT_WORKFLOW, PLEDGE_WORKFLOW
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from tests.make import contributions as make
from tests.make.accounts import person
from tests.make.contributions import FUND, Desk

AGREEMENTS: dict[tuple[AgreementStatus, AgreementAction], tuple[AgreementStatus, set[str]]] = {
    (AgreementStatus.DRAFT, AgreementAction.CONFIRM): (AgreementStatus.IN_FORCE, {"finance"}),
    (AgreementStatus.DRAFT, AgreementAction.DISCARD): (
        AgreementStatus.CANCELLED,
        {"officer", "both"},
    ),
    (AgreementStatus.IN_FORCE, AgreementAction.CANCEL): (
        AgreementStatus.CANCELLED,
        {"finance", "both"},
    ),
}
PLEDGES: dict[tuple[PledgeStatus, PledgeAction], tuple[PledgeStatus, set[str]]] = {
    (PledgeStatus.ANNOUNCED, PledgeAction.WITHDRAW): (
        PledgeStatus.WITHDRAWN,
        {"officer", "both"},
    ),
}


@pytest.fixture
def parts(who: Desk) -> dict[str, Person]:
    """Return one person for each part; `both` drafts in the tests of agreements."""
    return {
        "officer": who.officer,
        "finance": who.finance,
        "both": person(
            roles=[(Role.DONOR_RELATIONS, FUND, None), (Role.FINANCE_OFFICER, FUND, None)]
        ),
        "auditor": person(roles=[Role.AUDITOR]),
        "officer of another fund": person(roles=[(Role.DONOR_RELATIONS, "vftc", None)]),
        "finance of another fund": person(roles=[(Role.FINANCE_OFFICER, "vftc", None)]),
        "finance of one country": person(roles=[(Role.FINANCE_OFFICER, FUND, "KEN")]),
        "programme officer": person(roles=[(Role.PROGRAMME_OFFICER, FUND, None)]),
        "administrator": person(roles=[Role.ADMINISTRATOR]),
        "nobody": person(),
    }


def test_agreements_move_as_their_table_says(who: Desk, parts: dict[str, Person]) -> None:
    drafting = Desk(officer=parts["both"], finance=who.finance)
    for status in AgreementStatus:
        agreement = make.agreement(drafting, status)
        session.commit()
        for action, (part, by) in product(AgreementAction, parts.items()):
            target, allowed = AGREEMENTS.get((status, action), (None, set()))

            _try(
                partial(_move, agreement, action, by),
                f"{status} {action} by {part}",
                allowed=part in allowed,
            )
            if part in allowed:
                assert agreement.status is target
            session.rollback()
            assert agreement.status is status


def test_pledges_move_as_their_table_says(who: Desk, parts: dict[str, Person]) -> None:
    for status in PledgeStatus:
        pledge = make.pledge(who, status)
        session.commit()
        for action, (part, by) in product(PledgeAction, parts.items()):
            target, allowed = PLEDGES.get((status, action), (None, set()))

            _try(
                partial(_withdraw, pledge, action, by),
                f"{status} {action} by {part}",
                allowed=part in allowed,
            )
            if part in allowed:
                assert pledge.status is target
            session.rollback()
            assert pledge.status is status


def _move(agreement: ContributionAgreement, action: AgreementAction, by: Person) -> None:
    """Move an agreement with what the database demands beside its status."""
    AGREEMENT_WORKFLOW.check(agreement, action, by)
    now = clock.now()
    if action is AgreementAction.CONFIRM:
        agreement.confirmed_by_id, agreement.confirmed_at = by.id, now
    else:
        agreement.cancelled_by_id, agreement.cancelled_at = by.id, now
    if action is AgreementAction.CANCEL:
        agreement.cancelled = agreement.amount - agreement.settled
    AGREEMENT_WORKFLOW.perform(agreement, action, by=by)


def _withdraw(pledge: Pledge, action: PledgeAction, by: Person) -> None:
    PLEDGE_WORKFLOW.check(pledge, action, by)
    pledge.withdrawn_by_id, pledge.withdrawn_at = by.id, clock.now()
    PLEDGE_WORKFLOW.perform(pledge, action, by=by)


def _try(act: Callable[[], None], what: str, *, allowed: bool) -> None:
    try:
        act()
    except Refused:
        assert not allowed, f"{what}: refused"
    else:
        assert allowed, f"{what}: not refused"


def test_a_role_that_has_ended_confirms_nothing(who: Desk) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT)
    session.commit()
    for grant in who.finance.roles:
        grant.from_day = clock.today() - timedelta(days=9)
        grant.until_day = clock.today() - timedelta(days=1)
    session.commit()
    with pytest.raises(Refused):
        AGREEMENT_WORKFLOW.check(draft, AgreementAction.CONFIRM, who.finance)
