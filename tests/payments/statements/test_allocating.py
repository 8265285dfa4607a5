"""A person says what a line is, with a reason, and takes it back: on record, in the books."""

from decimal import Decimal
from functools import partial

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.applications.models import Recusal
from portal.contributions.models import Contribution, ContributionStatus
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import ExchangeRate, LedgerTransaction
from portal.payments import service as payments
from portal.payments.models import Receivable, ReceivableStatus
from portal.payments.statements import queries, service
from portal.payments.statements.models import LineStatus, Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make import contributions as give
from tests.make import payments as make
from tests.make import reports
from tests.make.accounts import person
from tests.payments.conftest import World
from tests.payments.statements.books import booked_as, suspended, taken_in, wrong
from tests.payments.statements.teller import Move, Teller


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


def allocated(world: World, line: StatementLine, target: Target) -> None:
    service.allocate(line.id, target, "As the paper says.", by=world.till.finance)
    session.commit()


def undone(world: World, line: StatementLine) -> None:
    service.undo_allocation(line.live[-1], "A mistake.", by=world.till.finance)
    session.commit()


def actions() -> list[str]:
    rows = select(AuditEvent.action).where(AuditEvent.subject_kind == "statement_line")
    return list(session.scalars(rows.order_by(AuditEvent.number)))


def test_a_charge_and_its_undoing(world: World, teller: Teller) -> None:
    [line] = taken_in(teller, Move(-250, code="MDOP/CHRG"))
    allocated(world, line, Target(Purpose.BANK_CHARGE))
    assert booked_as(line) == [(Purpose.BANK_CHARGE, -250)]
    assert line.status is LineStatus.BOOKED
    assert wrong() == []
    undone(world, line)
    assert booked_as(line) == []
    assert suspended(line)
    assert ledger.in_suspense("act", "USD", credits_=False) == usd(250)
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []
    allocated(world, line, Target(Purpose.BANK_CHARGE))
    assert booked_as(line) == [(Purpose.BANK_CHARGE, -250)]
    assert wrong() == []
    assert actions() == [
        "statement_line.suspended",
        "statement_line.allocated",
        "statement_line.undone",
        "statement_line.allocated",
    ]


def test_a_line_in_two_parts(world: World, owed: Receivable, teller: Teller) -> None:
    [line] = taken_in(teller, Move(100_000, "from the lake"))
    desk = give.desk()
    donor = give.donor(desk)
    allocated(world, line, Target(Purpose.REFUND, 84_000, receivable=owed))
    assert suspended(line)
    allocated(world, line, Target(Purpose.CONTRIBUTION, donor=donor))
    assert booked_as(line) == [(Purpose.REFUND, 84_000), (Purpose.CONTRIBUTION, 16_000)]
    assert line.status is LineStatus.BOOKED
    assert wrong() == []
    with pytest.raises(Refused, match="does not wait"):
        allocated(world, line, Target(Purpose.SEND_BACK))


def test_only_the_same_again_is_a_second_click(world: World, teller: Teller) -> None:
    desk = give.desk()
    first, second = give.agreement(desk), give.agreement(desk)
    session.commit()
    [line] = taken_in(teller, Move(30_000, "from the capital"))
    said = Target(Purpose.CONTRIBUTION, agreement=first)
    allocated(world, line, said)
    allocated(world, line, said)
    assert booked_as(line) == [(Purpose.CONTRIBUTION, 30_000)]
    others = (
        Target(Purpose.CONTRIBUTION, agreement=second),
        Target(Purpose.CONTRIBUTION, donor=first.donor),
        Target(Purpose.CONTRIBUTION, 20_000, agreement=first),
    )
    for other in others:
        with pytest.raises(Refused, match="does not wait"):
            allocated(world, line, other)
        session.rollback()


def test_a_rate_that_is_corrected_changes_nothing_of_a_line(world: World, teller: Teller) -> None:
    del teller
    make.fund_account(who=world.till, currency="EUR", account="NL57MOCK0000000004")
    give.rate("EUR", "0.9")
    session.commit()
    [line] = taken_in(Teller("NL57MOCK0000000004", "EUR"), Move(-9_000))
    latest = select(ExchangeRate).order_by(ExchangeRate.imported_at.desc()).limit(1)
    old = session.scalars(latest).one()
    session.add(
        ExchangeRate(
            currency="EUR",
            units_per_usd=Decimal("0.5"),
            effective_on=line.booked_on,
            source="corrected",
            imported_at=clock.now(),
        )
    )
    session.commit()
    allocated(world, line, Target(Purpose.BANK_CHARGE, -4_500))
    undone(world, line)
    booked = session.scalars(
        select(LedgerTransaction).where(LedgerTransaction.rate_id.is_not(None))
    )
    assert {each.rate_id for each in booked} == {old.id}
    assert [each.amount_usd for each in line.allocations] == [-5_000]
    assert wrong() == []


def test_a_refund_taken_back_is_owed_again(world: World, owed: Receivable, teller: Teller) -> None:
    [line] = taken_in(teller, Move(84_000, owed.award.ref))
    session.refresh(owed)
    assert owed.status is ReceivableStatus.SETTLED
    undone(world, line)
    session.refresh(owed)
    assert (owed.status, owed.left_usd, owed.settled_on) == (ReceivableStatus.OPEN, 84_000, None)
    assert suspended(line)
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []


def test_a_contribution_taken_back_is_given_back_in_the_books(world: World, teller: Teller) -> None:
    agreement = give.agreement(give.desk())
    session.commit()
    [line] = taken_in(teller, Move(1_200_000, agreement.ref))
    undone(world, line)
    found = session.scalars(select(Contribution)).all()
    assert {each.status for each in found} == {ContributionStatus.ANNULLED}
    assert suspended(line)
    assert ledger.in_suspense("act", "USD", credits_=True) == usd(1_200_000)
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert wrong() == []


def test_money_goes_back_to_its_sender(world: World, teller: Teller) -> None:
    [came] = taken_in(teller, Move(7_000, "by mistake"))
    allocated(world, came, Target(Purpose.SEND_BACK))
    assert suspended(came)
    assert wrong() == []
    [left] = taken_in(teller, Move(-7_000, "sent back"))
    assert [each.ref for each in queries.candidates(left, world.till.finance)] == [came.reference]
    allocated(world, left, Target(Purpose.SENT_BACK, counterpart=came))
    assert booked_as(left) == [(Purpose.SENT_BACK, -7_000)]
    assert (suspended(came), suspended(left)) == (False, False)
    assert wrong() == []
    session.expire_all()
    with pytest.raises(Refused, match="Take back “Gone back where it came from” first"):
        service.undo_allocation(came.live[0], "A mistake.", by=world.till.finance)
    session.rollback()
    undone(world, left)
    assert (suspended(came), suspended(left)) == (True, True)
    undone(world, came)
    assert (suspended(came), booked_as(came), wrong()) == (True, [], [])


def test_a_contribution_sent_back_to_its_donor(world: World, teller: Teller) -> None:
    agreement = give.agreement(give.desk())
    session.commit()
    taken_in(teller, Move(500_000, agreement.ref))
    given = session.scalars(select(Contribution)).one()
    [line] = taken_in(teller, Move(-500_000, f"back {given.ref}"))
    allocated(world, line, Target(Purpose.DONOR_REFUND, contribution=given))
    session.refresh(given)
    assert given.status is ContributionStatus.REFUNDED
    assert wrong() == []


@pytest.mark.parametrize(
    ("amount", "target", "sentence"),
    [
        (5_000, Target(Purpose.SUPPORT_COSTS), "by a debit"),
        (-5_000, Target(Purpose.SUPPORT_COSTS), "has still to be paid over"),
        (-5_000, Target(Purpose.RECOVERY), "by a credit"),
        (5_000, Target(Purpose.CONTRIBUTION, 5_001), "left of this line"),
        (5_000, Target(Purpose.CONTRIBUTION, -1), "left of this line"),
        (5_000, Target(Purpose.CONTRIBUTION), "whose money"),
        (-5_000, Target(Purpose.CONTRIBUTION), "is a credit"),
        (-5_000, Target(Purpose.PAYMENT), "of one order"),
        (-5_000, Target(Purpose.SENT_BACK), "was to go back"),
        (5_000, Target(Purpose.REFUND), "for one award"),
        (5_000, Target(Purpose.CARD_PAYOUT), "card processor"),
    ],
)
def test_what_a_line_cannot_be_is_refused(
    world: World, teller: Teller, amount: int, target: Target, sentence: str
) -> None:
    [line] = taken_in(teller, Move(amount))
    with pytest.raises(Refused, match=sentence):
        service.allocate(line.id, target, "A reason.", by=world.till.finance)
    session.rollback()
    assert suspended(line)
    assert wrong() == []


def test_only_finance_of_the_fund_says_what_a_line_is(world: World, teller: Teller) -> None:
    [line] = taken_in(teller, Move(-250))
    target = Target(Purpose.BANK_CHARGE)
    others = [
        world.till.treasurer,
        world.till.certifier,
        make.grantee(world.paid),
        person(roles=[Role.AUDITOR]),
        person(roles=[(Role.FINANCE_OFFICER, "vftc", None)]),
    ]
    session.commit()
    for who in others:
        act = partial(service.allocate, line.id, target, "A reason.", by=who)
        with pytest.raises(Refused, match="finance of the fund"):
            act()
        session.rollback()
    with pytest.raises(Refused, match="Give the reason"):
        service.allocate(line.id, target, " ", by=world.till.finance)
    session.rollback()
    first = service.allocate(line.id, target, "A reason.", by=world.till.finance)
    assert service.allocate(line.id, target, "A reason.", by=world.till.finance) is first


def test_what_the_bank_did_with_a_payment_only_the_bank_undoes(
    world: World, teller: Teller
) -> None:
    agreement = give.agreement(give.desk())
    session.commit()
    taken_in(teller, Move(500_000, agreement.ref))
    given = session.scalars(select(Contribution)).one()
    [line] = taken_in(teller, Move(-500_000))
    allocated(world, line, Target(Purpose.DONOR_REFUND, contribution=given))
    with pytest.raises(Refused, match="undone by them"):
        undone(world, line)


def test_a_file_that_one_is_recused_from_is_no_candidate_and_no_row(
    world: World, owed: Receivable, teller: Teller
) -> None:
    finance = world.till.finance
    [line] = taken_in(teller, Move(84_000, owed.award.ref))
    [other] = taken_in(teller, Move(1_000, "something"))
    shown = queries.lines(line.statement, queries.Wanted(), 1, finance).rows
    assert [(row.hidden, len(row.parts)) for row in shown] == [(False, 1)]
    session.add(
        Recusal(application=owed.award.application, person=finance, sealed_reason=b"sealed")
    )
    session.commit()
    shown = queries.lines(line.statement, queries.Wanted(), 1, finance).rows
    assert [(row.hidden, len(row.parts)) for row in shown] == [(True, 0)]
    assert owed.award.ref not in str(queries.as_table(line.statement, finance))
    assert queries.candidates(other, finance) == []
    with pytest.raises(Refused, match="no award"):
        queries.target_of(other, Purpose.REFUND, owed.award.ref, None, finance)
