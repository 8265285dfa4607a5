"""The verbs of the books, on real transactions."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries, service
from portal.ledger.models import (
    AccountKind,
    Commitment,
    LedgerAccount,
    LedgerTransaction,
    PercentKind,
    TransactionKind,
)
from portal.ledger.rules import PostingConflict, UnknownFund, credit, debit
from tests.ledger.books import AWARD, DAY, FUND, advance, open_fund

pytestmark = pytest.mark.usefixtures("fresh_database")

BANK = AccountKind.BANK
TRANSIT = AccountKind.PAYMENTS_IN_TRANSIT


def balance(kind: AccountKind, fund: str = FUND) -> int:
    """Return the balance of an account in US cents, debit positive."""
    rows = {row.kind: row.debit.minor - row.credit.minor for row in queries.trial_balance(fund)}
    return rows.get(kind, 0)


def count(model: type[LedgerTransaction | Commitment | LedgerAccount]) -> int:
    """Return how many rows there are."""
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_opening_a_book_twice_adds_nothing() -> None:
    service.open_book(FUND)
    service.open_book(FUND)
    session.commit()
    assert count(LedgerAccount) == len(AccountKind)


def test_a_fund_without_a_book_takes_no_money() -> None:
    with pytest.raises(UnknownFund):
        service.contribution_received("typo", usd(1), "wire:1", DAY, by=None)


def test_a_contribution_can_be_awarded_once_it_is_received() -> None:
    service.open_book(FUND)
    service.contribution_agreed(FUND, usd(900_00), "pledge:1", DAY, by=None)
    session.commit()
    assert queries.position(FUND).available == usd(0)
    service.contribution_received(FUND, usd(600_00), "wire:1", DAY, by=None, pledge_ref="pledge:1")
    session.commit()
    assert queries.position(FUND).received == usd(600_00)
    assert balance(AccountKind.CONTRIBUTIONS_RECEIVABLE) == 300_00
    with pytest.raises(Refused, match="still owed"):
        service.contribution_received(
            FUND, usd(300_01), "wire:2", DAY, by=None, pledge_ref="pledge:1"
        )


def test_the_same_cause_is_booked_once() -> None:
    open_fund(usd(500_00))
    session.commit()
    again = service.contribution_received(FUND, usd(500_00), "wire:act:1", DAY, by=None)
    session.commit()
    assert again.source_ref == "wire:act:1"
    assert count(LedgerTransaction) == 1
    assert balance(BANK) == 500_00


@pytest.mark.parametrize(
    ("amount", "on"),
    [(usd(500_01), DAY), (usd(500_00), DAY + timedelta(days=1))],
    ids=["another amount", "another day"],
)
def test_the_same_cause_with_other_content_is_a_conflict(amount: Money, on: date) -> None:
    open_fund(usd(500_00))
    with pytest.raises(PostingConflict):
        service.contribution_received(FUND, amount, "wire:act:1", on, by=None)


def test_nothing_is_booked_in_the_future() -> None:
    service.open_book(FUND)
    late = clock.today() + timedelta(days=2)
    with pytest.raises(Refused, match="future"):
        service.contribution_received(FUND, usd(1), "wire:1", late, by=None)


def test_a_booking_may_touch_two_funds_when_each_balances() -> None:
    open_fund(usd(100))
    service.open_book("vftc")
    service.post(
        TransactionKind.SUSPENSE_ALLOCATED,
        "transfer:1",
        [
            debit(FUND, AccountKind.SUSPENSE, usd(5)),
            credit(FUND, BANK, usd(5)),
            debit("vftc", BANK, usd(5)),
            credit("vftc", AccountKind.SUSPENSE, usd(5)),
        ],
        on=DAY,
        by=None,
    )
    session.commit()
    assert (balance(BANK), balance(BANK, "vftc")) == (95, 5)


def test_a_correction_is_a_reversal_and_only_one() -> None:
    open_fund(usd(500_00))
    booking = queries.find("wire:act:1")
    assert booking is not None
    mirror = service.reverse(booking, on=DAY, by=None)
    assert service.reverse(booking, on=DAY, by=None) is mirror
    session.commit()
    assert balance(BANK) == 0
    assert mirror.reverses_id == booking.id
    with pytest.raises(Refused):
        service.reverse(mirror, on=DAY, by=None)


def test_funds_are_set_aside_up_to_the_last_cent_and_no_further() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(4_999_99), by=None)
    with pytest.raises(Refused) as refused:
        service.commit_funds(FUND, "award:2", usd(2), by=None)
    assert refused.value.rule == "R19"
    assert "US$ 0.01" in refused.value.sentence
    service.commit_funds(FUND, "award:2", usd(1), by=None)
    session.commit()
    assert queries.position(FUND).available == usd(0)


@pytest.mark.parametrize(("percent", "said"), [("10", "10"), ("12.50", "12.5"), ("100", "100")])
def test_the_refusal_says_the_percentage_in_digits(percent: str, said: str) -> None:
    open_fund(usd(100_00), percent=percent)
    with pytest.raises(Refused, match=f"support costs of {said} %"):
        service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)


def test_a_dollar_set_aside_takes_its_support_costs_with_it() -> None:
    open_fund(usd(100_00), percent="13")
    with pytest.raises(Refused) as refused:
        service.commit_funds(FUND, AWARD, usd(100_00), by=None)
    assert "13 %" in refused.value.sentence
    service.commit_funds(FUND, AWARD, usd(88_49), by=None)
    session.commit()
    position = queries.position(FUND)
    assert position.support_costs_expected == usd(11_50)
    assert position.available == usd(1)


def test_setting_aside_for_an_award_again_changes_nothing() -> None:
    open_fund(usd(5_000_00))
    first = service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    assert service.commit_funds(FUND, AWARD, usd(5_000_00), by=None) is first
    with pytest.raises(PostingConflict):
        service.commit_funds(FUND, AWARD, usd(1), by=None)


def test_what_is_released_can_be_set_aside_for_another() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    part = usd(1_000_00)
    for _again in range(2):
        service.release_commitment(FUND, AWARD, part, by=None, movement_ref="amendment:1")
    assert queries.outstanding(FUND, AWARD) == usd(4_000_00)
    with pytest.raises(Refused):
        service.release_commitment(FUND, AWARD, usd(4_000_01), by=None, movement_ref="other")
    with pytest.raises(ValueError, match="reference"):
        service.release_commitment(FUND, AWARD, part, by=None)
    with pytest.raises(ValueError, match="the rest under none"):
        service.release_commitment(FUND, AWARD, by=None, movement_ref="amendment:2")
    service.release_commitment(FUND, AWARD, by=None)
    assert service.release_commitment(FUND, AWARD, by=None) is None
    service.commit_funds(FUND, "award:2", usd(5_000_00), by=None)
    session.commit()
    assert count(Commitment) == 4


def test_an_advance_takes_its_part_out_of_the_commitment() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    advance()
    advance()
    session.commit()
    award = queries.award_position(FUND, AWARD)
    assert (award.committed, award.paid) == (usd(1_000_00), usd(4_000_00))
    assert queries.position(FUND).available == usd(0)
    assert count(LedgerTransaction) == 2
    with pytest.raises(Refused) as refused:
        advance("order:2", usd(1_000_01))
    assert refused.value.rule == "R21"


def test_nothing_is_paid_that_was_not_set_aside() -> None:
    open_fund(usd(5_000_00))
    with pytest.raises(Refused):
        advance()
    assert queries.find("order:1") is None


def test_a_payment_settled_for_more_than_it_was_booked_is_a_loss_on_exchange() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(4_000_00), by=None)
    local = Money(2_400_000, "XOF")
    service.advance_paid(FUND, AWARD, usd(4_000_00), local, "order:1", DAY, by=None)
    session.commit()
    assert (balance(TRANSIT), balance(BANK)) == (-4_000_00, 5_000_00)
    service.payment_settled("order:1", usd(4_012_50), DAY, by=None)
    session.commit()
    assert (balance(TRANSIT), balance(BANK)) == (0, 987_50)
    position = queries.position(FUND)
    assert position.exchange == usd(-12_50)
    assert position.available == usd(987_50)


def test_a_payment_that_came_back_is_set_aside_again() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(4_000_00), by=None)
    advance()
    service.payment_settled("order:1", usd(3_990_00), DAY, by=None)
    before = service.payment_returned("order:1", DAY, by=None)
    assert service.payment_returned("order:1", DAY, by=None) is before
    session.commit()
    assert queries.outstanding(FUND, AWARD) == usd(4_000_00)
    assert balance(BANK) == 5_000_00
    assert queries.position(FUND).disbursed == usd(0)
    advance("order:2")
    session.commit()
    assert queries.award_position(FUND, AWARD).paid == usd(4_000_00)


def test_a_payment_that_came_back_cannot_be_settled() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(4_000_00), by=None)
    advance()
    service.payment_returned("order:1", DAY, by=None)
    with pytest.raises(Refused, match="come back"):
        service.payment_settled("order:1", usd(4_000_00), DAY, by=None)
    with pytest.raises(Refused, match="No payment"):
        service.payment_settled("wire:act:1", usd(4_000_00), DAY, by=None)


def test_accepted_spending_bears_support_costs_at_the_percentage_of_its_day() -> None:
    open_fund(usd(10_000_00), percent="13")
    kind = PercentKind.SUPPORT_COSTS
    service.set_percent(FUND, kind, Decimal("8.5"), date(2026, 11, 10), by=None)
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    advance()
    for _again in range(2):
        service.expenditure_accepted(FUND, AWARD, usd(1_000_00), "report:1", DAY, by=None)
    later = date(2026, 11, 10)
    service.expenditure_accepted(FUND, AWARD, usd(1_000_00), "report:2", later, by=None)
    session.commit()
    assert balance(AccountKind.SUPPORT_COSTS) == 130_00 + 85_00
    assert balance(AccountKind.SUPPORT_COSTS_PAYABLE) == -(130_00 + 85_00)
    assert queries.award_position(FUND, AWARD).advanced == usd(2_000_00)
    service.support_costs_paid(FUND, usd(215_00), "psc:2026-11", later, by=None)
    session.commit()
    assert balance(AccountKind.SUPPORT_COSTS_PAYABLE) == 0


def test_the_last_instalment_pays_what_was_spent_beyond_the_advance() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    advance()
    with pytest.raises(Refused) as refused:
        service.expenditure_accepted(FUND, AWARD, usd(5_000_01), "report:1", DAY, by=None)
    assert refused.value.rule == "R22"
    service.expenditure_accepted(FUND, AWARD, usd(4_900_00), "report:1", DAY, by=None)
    assert queries.award_position(FUND, AWARD).advanced == usd(-900_00)
    advance("order:2", usd(900_00))
    service.release_commitment(FUND, AWARD, by=None)
    session.commit()
    award = queries.award_position(FUND, AWARD)
    assert (award.committed, award.advanced) == (usd(0), usd(0))
    assert award.paid == award.accepted == usd(4_900_00)
    assert queries.position(FUND).available == usd(100_00)


def test_unspent_money_is_owed_until_it_is_back_or_written_off() -> None:
    open_fund(usd(4_000_00))
    service.commit_funds(FUND, AWARD, usd(4_000_00), by=None)
    advance()
    service.expenditure_accepted(FUND, AWARD, usd(3_400_00), "report:1", DAY, by=None)
    with pytest.raises(Refused) as refused:
        service.refund_due(FUND, AWARD, usd(600_01), "refund:1", DAY, by=None)
    assert refused.value.rule == "R25"
    service.refund_due(FUND, AWARD, usd(600_00), "refund:1", DAY, by=None)
    assert queries.award_position(FUND, AWARD).refund_due == usd(600_00)
    service.refund_received(FUND, AWARD, usd(500_00), "wire:2", DAY, by=None)
    assert queries.position(FUND).available == usd(500_00)
    with pytest.raises(Refused):
        service.refund_received(FUND, AWARD, usd(100_01), "wire:3", DAY, by=None)
    service.refund_written_off(FUND, AWARD, usd(100_00), "writeoff:1", DAY, by=uuid4())
    session.commit()
    award = queries.award_position(FUND, AWARD)
    assert (award.refund_due, award.accepted) == (usd(0), usd(3_500_00))
    assert queries.position(FUND).available == usd(500_00)


def test_a_percentage_is_dated_and_its_history_stays() -> None:
    service.open_book(FUND)
    kind = PercentKind.OPERATING_RESERVE
    for percent in ("15", "15", "12.5"):
        service.set_percent(FUND, kind, Decimal(percent), DAY, by=None)
    session.commit()
    assert queries.percent_on(FUND, kind, DAY) == Decimal("12.5")
    assert queries.percent_on(FUND, kind, DAY - timedelta(days=1)) == 0


@pytest.mark.parametrize("percent", ["-1", "100.01", "13.005", "NaN", "Infinity"])
def test_a_percentage_out_of_range_is_refused(percent: str) -> None:
    service.open_book(FUND)
    with pytest.raises(Refused):
        service.set_percent(FUND, PercentKind.SUPPORT_COSTS, Decimal(percent), DAY, by=None)


def test_every_booking_and_movement_is_in_the_audit_chain() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    advance()
    session.commit()
    actions = list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.number)))
    assert actions == [
        "ledger.contribution_received",
        "ledger.committed",
        "ledger.advance_paid",
        "ledger.released",
    ]
