"""The end of a grant: the last instalment, what lapses, what comes back, the closed file."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.awards import service as awards
from portal.awards.models import Award, AwardStatus, InstalmentStatus
from portal.core import clock
from portal.core.audit import case_events
from portal.core.check import Check
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import checks, queries, service, steps
from portal.payments.models import Receivable
from portal.payments.queries import Matter
from tests.make import payments as make
from tests.make import reports
from tests.make.accounts import messages, person
from tests.payments.conftest import World

DAY = timedelta(days=1)


def spent(world: World, cents: int) -> Award:
    """Return the award, its first instalment paid and `cents` accepted as spent by the report."""
    award = world.paid
    order = make.signed(world.order, world.till)
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    reports.accepted(reports.submitted(award), cents)
    session.commit()
    return award


def sound() -> list[str]:
    """Return what the invariants find wrong."""
    found: list[Check] = checks.checks()
    return [sentence for check in found for sentence in check.run().violations]


def waits(world: World, award: Award) -> set[Matter]:
    people = (world.officer, world.till.finance)
    return {
        each.matter
        for who in people
        for each in queries.queue(who)
        if each.application.id == award.application_id
    }


def test_a_grant_spent_in_full_is_paid_in_full_and_closed(world: World) -> None:
    award = spent(world, 480_000)
    assert waits(world, award) == {Matter.PREPARE}
    with pytest.raises(Refused, match="neither paid nor lapsed"):
        service.close_award(award, by=world.officer)
    last = make.paid(award.instalments[1], world.till, "AG-2")
    assert last.amount_usd == 96_000
    session.commit()
    assert waits(world, award) == {Matter.CLOSE}
    for _click in range(2):
        service.close_award(award, by=world.officer)
    session.commit()
    assert award.status is AwardStatus.CLOSED
    told = [event.action for event in case_events(award.application_id)]
    assert told.count("award.closed") == 1
    assert messages(make.grantee(award).email, "award_closed")
    assert waits(world, award) == set()
    assert sound() == []


def test_the_last_instalment_pays_what_was_spent_and_the_rest_goes_back(world: World) -> None:
    award = spent(world, 400_000)
    last = make.paid(award.instalments[1], world.till, "AG-2")
    assert last.amount_usd == 16_000
    session.commit()
    assert ledger.outstanding("act", award.ref).minor == 80_000
    assert waits(world, award) == {Matter.DRAW}
    assert service.settle_account(award, by=world.officer) is None
    session.commit()
    assert ledger.outstanding("act", award.ref).minor == 0
    service.close_award(award, by=world.officer)
    session.commit()
    assert sound() == []


def test_what_was_not_spent_comes_back(world: World) -> None:
    award = spent(world, 300_000)
    with pytest.raises(Refused, match="Draw the balance"):
        service.prepare_order(award.instalments[1], by=world.officer)
    session.rollback()
    assert waits(world, award) == {Matter.DRAW}
    owed = service.settle_account(award, by=world.till.finance)
    assert owed is not None
    assert service.settle_account(award, by=world.till.finance) is owed
    session.commit()
    assert (owed.amount_usd, owed.due_on) == (84_000, clock.today() + 60 * DAY)
    assert award.instalments[1].status is InstalmentStatus.LAPSED
    assert ledger.outstanding("act", award.ref).minor == 0
    assert messages(make.grantee(award).email, "refund_due")
    assert waits(world, award) == {Matter.SETTLE}
    with pytest.raises(Refused, match="come back"):
        service.close_award(award, by=world.officer)
    session.rollback()
    make.paid_back(owed)
    session.commit()
    assert ledger.award_position("act", award.ref).refund_due.minor == 0
    service.close_award(award, by=world.officer)
    session.commit()
    assert award.status is AwardStatus.CLOSED
    assert sound() == []


def test_the_balance_is_not_drawn_before_its_time(world: World) -> None:
    with pytest.raises(Refused, match="every report"):
        service.settle_account(world.paid, by=world.officer)
    with pytest.raises(Refused, match="programme officer or by finance"):
        service.settle_account(world.paid, by=world.till.certifier)
    session.rollback()
    award = spent(world, 480_000)
    service.prepare_order(award.instalments[1], by=world.officer)
    with pytest.raises(Refused, match="under way"):
        service.settle_account(award, by=world.officer)


def test_a_terminated_grant_is_asked_back_what_it_did_not_account_for(world: World) -> None:
    order = make.signed(world.order, world.till)
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    awards.terminate(world.paid, "A breach.", by=world.authority)
    session.commit()
    owed = service.settle_account(world.paid, by=world.officer)
    assert owed is not None
    assert owed.amount_usd == 384_000
    assert world.paid.instalments[1].status is InstalmentStatus.LAPSED
    make.paid_back(owed)
    service.close_award(world.paid, by=world.officer)
    session.commit()
    assert sound() == []


def test_what_is_on_its_way_when_a_grant_is_terminated_stays_set_aside(world: World) -> None:
    order = make.signed(world.order, world.till)
    free = ledger.position("act").available
    awards.terminate(world.paid, "A breach.", by=world.authority)
    session.commit()
    assert ledger.outstanding("act", world.paid.ref).minor == order.amount_usd
    assert (ledger.position("act").available - free).minor < 120_000
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    session.commit()
    assert ledger.outstanding("act", world.paid.ref).minor == 0
    assert ledger.award_position("act", world.paid.ref).advanced.minor == order.amount_usd
    assert sound() == []


def test_an_order_that_is_stopped_after_the_end_gives_its_money_back(world: World) -> None:
    awards.terminate(world.paid, "A breach.", by=world.authority)
    service.cancel_order(world.order, "The grant was terminated.", by=world.officer)
    session.commit()
    assert service.settle_account(world.paid, by=world.officer) is None
    session.commit()
    assert ledger.outstanding("act", world.paid.ref).minor == 0
    service.close_award(world.paid, by=world.officer)
    session.commit()
    assert sound() == []


def test_only_the_programme_officer_closes(world: World) -> None:
    for who in (world.till.finance, make.grantee(world.paid), person(roles=[Role.AUDITOR])):
        with pytest.raises(Refused, match="somebody else"):
            service.close_award(world.paid, by=who)


def test_the_queue_shows_each_person_only_what_is_theirs(world: World) -> None:
    details = make.entered(world.award)
    session.commit()
    till = world.till
    assert {each.matter for each in queries.queue(till.finance)} == {Matter.VERIFY}
    assert {each.matter for each in queries.queue(till.certifier)} == {Matter.CERTIFY}
    assert queries.queue(till.approver) == []
    service.verify_bank_details(details, screened=True, by=till.finance)
    service.certify(world.order, by=till.certifier)
    session.commit()
    assert {each.matter for each in queries.queue(till.approver)} == {Matter.APPROVE}
    assert {each.matter for each in queries.queue(till.finance)} == {Matter.PREPARE}
    assert queries.queue(make.grantee(world.award)) == []
    todo = [each.title for each in steps.todos(make.grantee(world.other))]
    assert todo == [f"Enter bank details for {world.other.application.ref}"]
    other_fund = person(roles=[(Role.APPROVING_OFFICER, "vftc", None)])
    assert queries.queue(other_fund) == []


def test_a_report_is_what_the_last_instalment_waits_for(world: World) -> None:
    gates = {str(gate.label): gate for gate in service.gates(world.paid.instalments[1])}
    assert not gates["Report accepted"].is_open
    spent(world, 480_000)
    assert all(gate.is_open for gate in service.gates(world.paid.instalments[1]))
    assert session.scalar(select(Receivable.id)) is None
