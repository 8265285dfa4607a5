"""Writing off what a grantee will not pay back (R25): three people, and nothing is removed."""

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.accounts.models import MemberRole, Person, Role
from portal.applications.models import Recusal
from portal.core import clock
from portal.core.audit import case_events
from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import checks
from portal.payments import service as payments
from portal.payments.models import Receivable, ReceivableStatus
from portal.payments.statements import service as statements
from portal.payments.statements.models import Purpose
from portal.payments.statements.service import Target
from portal.payments.write_offs import queries, service
from portal.payments.write_offs.models import WriteOff, WriteOffAction, WriteOffStatus
from portal.payments.write_offs.workflow import WRITE_OFF_WORKFLOW
from tests.browser import Browser
from tests.make import payments as make
from tests.make import reports
from tests.make.accounts import member, person
from tests.payments.conftest import World, enter
from tests.payments.statements.books import taken_in, wrong
from tests.payments.statements.teller import Move, Teller

Status, Action = WriteOffStatus, WriteOffAction

MOVES: dict[tuple[WriteOffStatus, WriteOffAction], tuple[WriteOffStatus, set[str]]] = {
    (Status.PROPOSED, Action.APPROVE): (Status.APPROVED_ONCE, {"approver"}),
    (Status.APPROVED_ONCE, Action.AUTHORISE): (Status.APPROVED, {"authority"}),
    (Status.PROPOSED, Action.REJECT): (Status.REJECTED, {"approver"}),
    (Status.APPROVED_ONCE, Action.REJECT): (Status.REJECTED, {"authority"}),
    (Status.PROPOSED, Action.WITHDRAW): (Status.WITHDRAWN, {"finance"}),
    (Status.APPROVED_ONCE, Action.WITHDRAW): (Status.WITHDRAWN, {"finance"}),
}


@pytest.fixture
def owed(world: World) -> Receivable:
    """Return US$ 840.00 that a grantee owes."""
    order = make.signed(world.order, world.till)
    payments.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    reports.accepted(reports.submitted(world.paid), 300_000)
    found = payments.settle_account(world.paid, by=world.till.finance)
    session.commit()
    assert found is not None
    return found


@pytest.fixture
def proposal(world: World, owed: Receivable) -> WriteOff:
    """Return the proposal of finance to write it off."""
    found = service.propose_write_off(owed, "The organisation ended.", by=world.till.finance)
    session.commit()
    return found


def refuses(act: Callable[[], object], match: str = ".") -> None:
    with pytest.raises(Refused, match=match):
        act()
    session.rollback()


def approved(world: World, proposal: WriteOff) -> None:
    service.approve_write_off(proposal, by=world.till.approver)
    service.authorise_write_off(proposal, by=world.authority)
    session.commit()


def test_three_people_write_off_and_the_file_closes(
    world: World, owed: Receivable, proposal: WriteOff
) -> None:
    refuses(lambda: payments.close_award(world.paid, by=world.officer), "has still to come")
    approved(world, proposal)
    session.refresh(owed)
    assert (owed.status, owed.written_off_usd) == (ReceivableStatus.WRITTEN_OFF, 84_000)
    books = ledger.award_position("act", world.paid.ref)
    assert (books.refund_due.minor, books.accepted.minor) == (0, 384_000)
    payments.close_award(world.paid, by=world.officer)
    session.commit()
    told = [event.action for event in case_events(world.paid.application_id)]
    for act in (
        "write_off.proposed",
        "write_off.approve",
        "write_off.authorise",
        "receivable.write_off",
        "ledger.refund_written_off",
    ):
        assert told.count(act) == 1, act
    assert wrong() == []
    accounts = [each for each in checks.of_awards() if "books of each award" in each.name]
    assert [each.run().violations for each in accounts] == [[]]


def test_every_act_in_every_status_by_every_part(world: World, proposal: WriteOff) -> None:
    parts: dict[str, Person] = {
        "finance": world.till.finance,
        "approver": world.till.approver,
        "authority": world.authority,
        "certifier": world.till.certifier,
        "treasurer": world.till.treasurer,
        "officer": world.officer,
        "grantee": make.grantee(world.paid),
        "auditor": person(roles=[Role.AUDITOR]),
        "another fund": person(roles=[(Role.APPROVING_OFFICER, "vftc", None)]),
    }
    for status, action, part in product(WriteOffStatus, WriteOffAction, parts):
        target, may = MOVES.get((status, action), (None, set()))
        with session.no_autoflush:
            proposal.status = status
            if part in may:
                assert WRITE_OFF_WORKFLOW.check(proposal, action, parts[part]).target is target
            else:
                with pytest.raises(Refused):
                    WRITE_OFF_WORKFLOW.check(proposal, action, parts[part])
    session.rollback()


def test_a_second_click_changes_nothing(world: World, owed: Receivable, proposal: WriteOff) -> None:
    again = service.propose_write_off(owed, "The organisation ended.", by=world.till.finance)
    assert again.id == proposal.id
    refuses(
        lambda: service.propose_write_off(owed, "Another reason.", by=world.till.finance),
        "waits already",
    )
    for _click in range(2):
        service.approve_write_off(proposal, by=world.till.approver)
    for _click in range(2):
        service.authorise_write_off(proposal, by=world.authority)
    session.commit()
    refuses(lambda: service.withdraw_write_off(proposal, by=world.till.finance))


def test_one_person_with_every_role_decides_once(world: World, owed: Receivable) -> None:
    every = person(roles=[role for role in Role if role is not Role.ADMINISTRATOR])
    session.commit()
    found = service.propose_write_off(owed, "Gone.", by=every)
    session.commit()
    refuses(lambda: service.approve_write_off(found, by=every), "somebody else")
    service.approve_write_off(found, by=world.till.approver)
    session.commit()
    refuses(lambda: service.authorise_write_off(found, by=every), "somebody else")
    refuses(lambda: service.authorise_write_off(found, by=world.till.approver), "somebody else")


def test_nobody_of_the_grantee_and_nobody_recused(
    world: World, owed: Receivable, proposal: WriteOff
) -> None:
    colleague = member(world.paid.application.organisation, MemberRole.EDITOR)
    colleague.roles.extend(person(roles=[Role.APPROVING_OFFICER]).roles)
    session.add(
        Recusal(application=owed.award.application, person=world.authority, sealed_reason=b"sealed")
    )
    session.commit()
    refuses(lambda: service.approve_write_off(proposal, by=colleague), "somebody else")
    service.approve_write_off(proposal, by=world.till.approver)
    session.commit()
    refuses(lambda: service.authorise_write_off(proposal, by=world.authority), "somebody else")


def test_a_rejected_proposal_stays_and_another_may_follow(
    world: World, owed: Receivable, proposal: WriteOff
) -> None:
    refuses(lambda: service.reject_write_off(proposal, " ", by=world.till.approver), "reason")
    service.reject_write_off(proposal, "Ask them once more.", by=world.till.approver)
    session.commit()
    second = service.propose_write_off(owed, "They were asked.", by=world.till.finance)
    service.withdraw_write_off(second, by=world.till.finance)
    session.commit()
    assert [each.status for each in queries.proposals(owed)] == [
        Status.WITHDRAWN,
        Status.REJECTED,
    ]
    assert owed.left_usd == 84_000
    assert wrong() == []


def test_money_that_came_meanwhile_stops_the_approval(
    world: World, owed: Receivable, proposal: WriteOff, teller: Teller
) -> None:
    service.approve_write_off(proposal, by=world.till.approver)
    session.commit()
    taken_in(teller, Move(1_000, owed.award.ref))
    refuses(lambda: service.authorise_write_off(proposal, by=world.authority), "meanwhile")
    service.withdraw_write_off(proposal, by=world.till.finance)
    found = service.propose_write_off(owed, "The rest.", by=world.till.finance)
    session.commit()
    approved(world, found)
    session.refresh(owed)
    assert (owed.paid_usd, owed.written_off_usd) == (1_000, 83_000)
    assert wrong() == []


@pytest.mark.parametrize("how", ["names the award", "was taken back"])
def test_while_money_of_the_debt_lies_in_suspense_nothing_is_written_off(
    world: World, owed: Receivable, teller: Teller, how: str
) -> None:
    finance = world.till.finance
    [line] = taken_in(teller, Move(1_000, owed.award.ref if how == "names the award" else "rest"))
    if how == "was taken back":
        target = Target(Purpose.REFUND, receivable=owed)
        statements.allocate(line.id, target, "It seems so.", by=finance)
        session.commit()
    first = service.propose_write_off(owed, "The rest is lost.", by=finance)
    session.commit()
    session.expire_all()
    statements.undo_allocation(line.live[-1], "Of somebody else.", by=finance)
    session.commit()
    assert queries.unplaced(owed) == [line]
    service.withdraw_write_off(first, by=finance)
    session.commit()
    refuses(partial(service.propose_write_off, owed, "Lost.", by=finance), line.reference)
    statements.allocate(line.id, Target(Purpose.SEND_BACK), "Not theirs.", by=finance)
    session.commit()
    assert queries.unplaced(owed) == []
    approved(world, service.propose_write_off(owed, "Lost.", by=finance))
    session.refresh(owed)
    assert (owed.status, wrong()) == (ReceivableStatus.WRITTEN_OFF, [])


def test_money_that_comes_into_suspense_stops_each_approval_and_is_shown(
    world: World, owed: Receivable, proposal: WriteOff, teller: Teller, visitor: Browser
) -> None:
    [line] = taken_in(teller, Move(90_000, owed.award.ref))
    statements.undo_allocation(line.live[-1], "Ask first.", by=world.till.finance)
    session.commit()
    refuses(lambda: service.approve_write_off(proposal, by=world.till.approver), line.reference)
    address, reference = f"/payments/write-offs/{proposal.id}", line.reference
    enter(visitor, world, "approver")
    visitor.open(address)
    assert "Money came that may be of this debt" in visitor.page.text
    assert reference in visitor.page.text
    visitor.open(f"{address}/approve")
    assert "Money came that may be of this debt" in visitor.page.text


@pytest.mark.parametrize("names", ["EndToEndId", "what somebody wrote"])
def test_money_that_names_a_payment_of_the_grant_stops_its_write_off(
    world: World, owed: Receivable, teller: Teller, names: str
) -> None:
    finance, ref = world.till.finance, world.order.ref
    told, note = (ref, "") if names == "EndToEndId" else ("", f"returned {ref}")
    [line] = taken_in(teller, Move(84_000, note, end_to_end_id=told, is_return=True))
    assert queries.unplaced(owed) == [line]
    refuses(partial(service.propose_write_off, owed, "Lost.", by=finance), line.reference)
    target = Target(Purpose.REFUND, receivable=owed)
    statements.allocate(line.id, target, "The bank gave it back.", by=finance)
    session.commit()
    assert queries.unplaced(owed) == []


def test_after_a_write_off_the_refund_stays_and_it_is_told_what_to_do(
    world: World, owed: Receivable, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(1_000, owed.award.ref))
    approved(world, service.propose_write_off(owed, "Lost.", by=world.till.finance))
    session.expire_all()
    refuses(
        lambda: statements.undo_allocation(line.live[-1], "B's.", by=world.till.finance),
        "name this line as the reason",
    )
    assert wrong() == []


def test_who_has_to_decide_finds_it_at_home(world: World, proposal: WriteOff) -> None:
    def titles(who: Person) -> int:
        return len(queries.todos(who))

    assert [titles(each) for each in (world.till.approver, world.authority)] == [1, 0]
    service.approve_write_off(proposal, by=world.till.approver)
    session.commit()
    assert [titles(each) for each in (world.till.approver, world.authority)] == [0, 1]
    assert titles(world.till.finance) == 0
    [todo] = queries.todos(world.authority)
    assert todo.due is not None
    assert todo.since == proposal.approved_at


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE receivable SET status = 'written_off', written_off_usd = amount_usd",
            "two approvals",
        ),
        ("UPDATE receivable SET paid_usd = 1", "status_is_its_sums|reference"),
        ("UPDATE write_off SET amount_usd = 1", "stands"),
        ("UPDATE write_off SET reason = 'x'", "stands"),
        ("UPDATE write_off SET status = 'approved'", "cannot go"),
        (
            """UPDATE write_off SET status = 'approved_once', approved_at = now(),
            approved_by_id = proposed_by_id""",
            "role of this step|three_people",
        ),
        ("DELETE FROM write_off", "kept"),
        ("TRUNCATE write_off", "kept"),
    ],
)
def test_somebody_with_sql_writes_nothing_off(
    proposal: WriteOff, statement: str, sentence: str
) -> None:
    del proposal
    with pytest.raises(DBAPIError, match=sentence):
        session.execute(sa.text(statement))
    session.rollback()


def test_what_is_harmed_is_found(world: World, proposal: WriteOff) -> None:
    approved(world, proposal)
    assert wrong() == []
    for harm in (
        "UPDATE write_off SET approved_by_id = proposed_by_id",
        "UPDATE receivable SET written_off_usd = 83999, paid_usd = 1",
        "DELETE FROM write_off",
    ):
        for table in ("write_off", "receivable"):
            session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        session.execute(sa.text("ALTER TABLE write_off DROP CONSTRAINT ck_write_off_three_people"))
        session.execute(sa.text(harm))
        assert wrong(), harm
        session.rollback()


def test_only_finance_proposes(world: World, owed: Receivable) -> None:
    for who in (world.till.approver, world.officer, make.grantee(world.paid), world.authority):
        refuses(partial(service.propose_write_off, owed, "Gone.", by=who), "by finance")
