"""Lines that come seldom: support costs paid over, written-off debts, a cent of nobody."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind, PercentKind, TransactionKind
from portal.ledger.rules import Line
from portal.ledger.service import post, set_percent
from portal.payments import checks, policy
from portal.payments import service as payments
from portal.payments.models import Receivable, ReceivableStatus
from portal.payments.statements import queries, service
from portal.payments.statements.models import Purpose, StatementLine
from portal.payments.statements.service import Target
from portal.payments.statements.service.recovering import recovered
from portal.payments.write_offs import service as write_offs
from tests.browser import Browser
from tests.make import payments as make
from tests.make import reports
from tests.payments.conftest import World, enter
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


@pytest.fixture
def charged(world: World) -> None:
    """Have the fund charge 13 % of support costs."""
    del world
    rate = Decimal(13)
    set_percent("act", PercentKind.SUPPORT_COSTS, rate, clock.today(), by=None)


@pytest.fixture
def owed(world: World) -> Receivable:
    """Return US$ 840.00 that a grantee owes, US$ 3,000.00 being accepted as spent."""
    order = make.signed(world.order, world.till)
    payments.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    reports.accepted(reports.submitted(world.paid), 300_000)
    found = payments.settle_account(world.paid, by=world.till.finance)
    session.commit()
    assert found is not None
    return found


@pytest.fixture
def lost(world: World, owed: Receivable) -> Receivable:
    """Return the debt, written off by three people."""
    proposal = write_offs.propose_write_off(owed, "Nobody answers.", by=world.till.finance)
    write_offs.approve_write_off(proposal, by=world.till.approver)
    write_offs.authorise_write_off(proposal, by=world.authority)
    session.commit()
    return owed


def said(world: World, line: StatementLine, target: Target) -> None:
    service.allocate(line.id, target, "As the paper says.", by=world.till.finance)
    session.commit()


def wrong_everywhere() -> list[str]:
    return [*wrong(), *(said for each in checks.checks() for said in each.run().violations)]


def test_support_costs_are_paid_over_as_far_as_they_were_charged(
    world: World, charged: None, owed: Receivable, teller: Teller
) -> None:
    assert (charged, owed.amount_usd) == (None, 84_000)
    payable = ledger.holdings("act")[AccountKind.SUPPORT_COSTS_PAYABLE, "USD"]
    assert payable.usd == -39_000
    [line] = taken_in(teller, Move(payable.usd))
    said(world, line, Target(Purpose.SUPPORT_COSTS))
    held = ledger.holdings("act").get((AccountKind.SUPPORT_COSTS_PAYABLE, "USD"))
    assert held is None or held.usd == 0
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []
    [beyond] = taken_in(teller, Move(-1))
    with pytest.raises(Refused, match="still to be paid over"):
        said(world, beyond, Target(Purpose.SUPPORT_COSTS))
    session.rollback()
    service.undo_allocation(line.live[-1], "Of another month.", by=world.till.finance)
    session.commit()
    assert suspended(line)
    assert wrong() == []


def test_what_was_written_off_is_paid_after_all(
    world: World, lost: Receivable, teller: Teller
) -> None:
    ref = lost.award.ref
    [first] = taken_in(teller, Move(50_000, f"with apologies {ref}"))
    assert suspended(first)
    [likely, *_others] = queries.candidates(first, world.till.finance)
    assert (likely.purpose, likely.ref, likely.is_named) == (Purpose.RECOVERY, ref, True)
    said(world, first, queries.target_of(first, likely.purpose, ref, None, world.till.finance))
    assert booked_as(first) == [(Purpose.RECOVERY, 50_000)]
    assert recovered(lost) == usd(50_000)
    assert ledger.award_position("act", ref).accepted == usd(334_000)
    session.refresh(lost)
    assert lost.status is ReceivableStatus.WRITTEN_OFF
    assert wrong_everywhere() == []
    [second] = taken_in(teller, Move(34_001))
    with pytest.raises(Refused, match="enter no more"):
        said(world, second, Target(Purpose.RECOVERY, receivable=lost))
    session.rollback()
    said(world, second, Target(Purpose.RECOVERY, 34_000, receivable=lost))
    assert recovered(lost) == usd(84_000)
    assert wrong_everywhere() == []
    service.undo_allocation(first.live[-1], "Of somebody else.", by=world.till.finance)
    session.commit()
    assert recovered(lost) == usd(34_000)
    assert wrong_everywhere() == []


def test_the_pages_of_a_debt_and_of_its_line_lead_to_each_other(
    world: World, lost: Receivable, teller: Teller, visitor: Browser
) -> None:
    [line] = taken_in(teller, Move(84_000))
    said(world, line, Target(Purpose.RECOVERY, receivable=lost))
    where, ref, line_ref = f"/bank/lines/{line.id}", lost.award.ref, line.reference
    enter(visitor, world, "finance")
    visitor.open(where)
    visitor.follow(ref)
    assert "Came after it was written off US$ 840.00" in " ".join(visitor.page.text.split())
    visitor.follow(line_ref)
    assert visitor.response.request.path == where


def test_a_debt_lists_each_refund_and_says_nothing_of_what_never_came(
    world: World, owed: Receivable, teller: Teller, visitor: Browser
) -> None:
    path = f"/files/{world.town.files['paid']}/payments/owed"
    lines = taken_in(teller, Move(30_000), Move(10_000))
    refs = [line.reference for line in lines]
    for line in lines:
        said(world, line, Target(Purpose.REFUND, receivable=owed))
    enter(visitor, world, "finance").open(path)
    for ref, amount in zip(refs, ("300.00", "100.00"), strict=True):
        assert f"US$ {amount} {ref}" in " ".join(visitor.page.text.split())
    assert "after it was written off" not in visitor.page.text
    visitor.sign_out()
    enter(visitor, world, "grantee of paid").open(path)
    assert "US$ 300.00" in " ".join(visitor.page.text.split())
    assert not [ref for ref in refs if ref in visitor.page.text]


def test_the_grantee_reads_of_a_debt_written_off_that_nothing_more_is_asked(
    world: World, lost: Receivable, visitor: Browser
) -> None:
    path = f"/files/{lost.award.application.ref}/payments/owed"
    enter(visitor, world, "grantee of paid").open(path)
    assert "Nothing more is asked back." in visitor.page.text
    assert "ritten off" not in visitor.page.text


def test_nobody_but_finance_takes_back_what_was_written_off(
    world: World, lost: Receivable, teller: Teller
) -> None:
    [line] = taken_in(teller, Move(50_000))
    assert not policy.can_settle(world.till.treasurer, lost)
    with pytest.raises(Refused, match="finance"):
        service.allocate(
            line.id,
            Target(Purpose.RECOVERY, receivable=lost),
            "It came.",
            by=world.till.treasurer,
        )


def test_a_booking_at_the_bank_that_no_statement_tells_of_is_found(teller: Teller) -> None:
    taken_in(teller, Move(300_00))
    assert wrong() == []
    post(
        TransactionKind.CHARGED,
        "by-hand",
        [
            Line("act", AccountKind.BANK_CHARGES, usd(1), 1),
            Line("act", AccountKind.BANK, usd(-1), -1),
        ],
        on=clock.today(),
        by=None,
    )
    [found] = wrong()
    assert "the latest statement" in found


def test_a_line_that_is_still_to_be_booked_is_no_difference(teller: Teller) -> None:
    service.import_statement(teller.file(Move(300_00)), by=None)
    session.commit()
    assert wrong() == []
    rows = sa.select(StatementLine.status)
    assert [str(status) for status in session.scalars(rows)] == ["waiting"]
