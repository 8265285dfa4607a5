"""Contributions in foreign currency, what went back, charges, the card processor, suspense."""

from collections.abc import Callable

import pytest

from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger import queries, service
from portal.ledger.models import AccountKind, LedgerTransaction
from portal.ledger.queries import Holding
from portal.ledger.rules import PostingConflict
from tests.ledger.books import DAY, FUND, open_fund

pytestmark = pytest.mark.usefixtures("fresh_database")

BANK = AccountKind.BANK
CLEARING = AccountKind.CARD_CLEARING
OWED = AccountKind.CONTRIBUTIONS_RECEIVABLE
SUSPENSE = AccountKind.SUSPENSE

Verb = Callable[..., LedgerTransaction]


def eur(cents: int) -> Money:
    """Return euros."""
    return Money(cents, "EUR")


def held(kind: AccountKind, currency: str = "USD") -> tuple[int, int]:
    """Return what an account holds in a currency, and the US cents that it carries."""
    nothing = Holding(Money(0, currency), 0)
    found = queries.holdings(FUND).get((kind, currency), nothing)
    return found.money.minor, found.usd


def agree(ref: str = "pledge:1", amount: int = 1_100_00, local: int = 1_000_00) -> None:
    """Sign an agreement in euros."""
    service.contribution_agreed(FUND, usd(amount), ref, DAY, by=None, local=eur(local))


def test_a_receipt_settles_the_agreed_currency_and_the_rest_is_exchange() -> None:
    service.open_book(FUND)
    agree()
    for _again in range(2):
        service.contribution_received(
            FUND, usd(480_00), "wire:1", DAY, by=None, local=eur(400_00), pledge_ref="pledge:1"
        )
    session.commit()
    assert held(OWED, "EUR") == (600_00, 660_00)
    assert held(BANK, "EUR") == (400_00, 480_00)
    position = queries.position(FUND)
    assert (position.received, position.exchange) == (usd(440_00), usd(40_00))
    assert position.available == usd(480_00)
    assert queries.bank_balance(FUND, "EUR") == eur(400_00)


def test_a_receipt_in_another_currency_says_how_much_it_settles() -> None:
    service.open_book(FUND)
    agree()
    with pytest.raises(Refused, match="still owed"):
        service.contribution_received(
            FUND, usd(1_080_00), "wire:1", DAY, by=None, pledge_ref="pledge:1"
        )
    service.contribution_received(
        FUND,
        usd(1_080_00),
        "wire:1",
        DAY,
        by=None,
        pledge_ref="pledge:1",
        settles=eur(1_000_00),
    )
    session.commit()
    assert held(OWED, "EUR") == (0, 0)
    assert held(BANK) == (1_080_00, 1_080_00)
    assert queries.position(FUND).exchange == usd(-20_00)
    assert queries.position(FUND).available == usd(1_080_00)


def test_not_a_cent_more_than_is_owed_is_received_in_the_agreed_currency() -> None:
    service.open_book(FUND)
    agree()
    with pytest.raises(Refused, match="still owed"):
        service.contribution_received(
            FUND, usd(1), "wire:1", DAY, by=None, local=eur(1_000_01), pledge_ref="pledge:1"
        )
    assert queries.find("wire:1") is None


def test_agreements_of_one_currency_carry_the_same_and_leave_nothing_behind() -> None:
    service.open_book(FUND)
    agree("pledge:1", 333_33, 300_00)
    agree("pledge:2", 400_01, 300_00)
    for number in (1, 2):
        service.contribution_received(
            FUND,
            usd(360_00),
            f"wire:{number}",
            DAY,
            by=None,
            local=eur(300_00),
            pledge_ref=f"pledge:{number}",
        )
    session.commit()
    assert held(OWED, "EUR") == (0, 0)
    assert queries.position(FUND).available == usd(720_00)


def test_what_will_not_come_is_cancelled_up_to_what_is_owed() -> None:
    service.open_book(FUND)
    agree()
    service.contribution_received(
        FUND, usd(440_00), "wire:1", DAY, by=None, local=eur(400_00), pledge_ref="pledge:1"
    )
    arguments = (FUND, usd(660_00), "cancel:1", DAY)
    with pytest.raises(Refused, match=r"Only EUR 600\.00"):
        service.contribution_cancelled(
            *arguments, by=None, pledge_ref="pledge:1", local=eur(600_01)
        )
    for _again in range(2):
        service.contribution_cancelled(
            *arguments, by=None, pledge_ref="pledge:1", local=eur(600_00)
        )
    session.commit()
    assert held(OWED, "EUR") == (0, 0)
    assert queries.position(FUND).received == usd(440_00)
    assert queries.position(FUND).exchange == usd(0)


@pytest.mark.parametrize("verb", [service.contribution_refunded, service.contribution_disputed])
def test_what_goes_back_is_available_no_longer(verb: Verb) -> None:
    service.open_book(FUND)
    service.contribution_received(
        FUND, usd(50_00), "card:1", DAY, by=None, subject_ref="gift:1", into=CLEARING
    )
    service.contribution_received(FUND, usd(9_00), "card:2", DAY, by=None, into=CLEARING)
    service.charged(FUND, usd(1_75), "fee:1", DAY, by=None, out_of=CLEARING, subject_ref="gift:1")
    with pytest.raises(Refused, match=r"Only US\$ 50\.00"):
        verb(FUND, usd(50_01), "back:1", DAY, by=None, subject_ref="gift:1")
    for _again in range(2):
        booking = verb(FUND, usd(50_00), "back:1", DAY, by=None, subject_ref="gift:1")
    with pytest.raises(Refused, match=r"Only US\$ 0\.00"):
        verb(FUND, usd(1), "back:2", DAY, by=None, subject_ref="gift:1")
    session.commit()
    assert queries.position(FUND).received == usd(9_00)
    assert queries.position(FUND).available == usd(7_25)
    service.reverse(booking, on=DAY, by=None)
    session.commit()
    assert queries.position(FUND).received == usd(59_00)


def test_a_refund_out_of_the_bank_is_of_what_arrived_under_the_agreement() -> None:
    service.open_book(FUND)
    agree()
    part = eur(400_00)
    service.contribution_received(
        FUND, usd(440_00), "wire:1", DAY, by=None, local=part, pledge_ref="pledge:1"
    )
    with pytest.raises(Refused):
        service.contribution_refunded(
            FUND, usd(440_00), "back:1", DAY, by=None, subject_ref="pledge:1", out_of=BANK
        )
    service.contribution_refunded(
        FUND, usd(440_00), "back:1", DAY, by=None, local=part, subject_ref="pledge:1", out_of=BANK
    )
    session.commit()
    assert held(BANK, "EUR") == (0, 0)
    assert queries.position(FUND).available == usd(0)


def test_charges_lessen_what_is_available() -> None:
    open_fund(usd(100_00))
    for _again in range(2):
        service.charged(FUND, usd(12_50), "fee:1", DAY, by=None)
    with pytest.raises(PostingConflict):
        service.charged(FUND, usd(12_51), "fee:1", DAY, by=None)
    session.commit()
    position = queries.position(FUND)
    assert (position.charges, position.available) == (usd(12_50), usd(87_50))
    with pytest.raises(Refused):
        service.commit_funds(FUND, "award:1", usd(87_51), by=None)


def test_the_card_processor_pays_over_what_it_holds() -> None:
    service.open_book(FUND)
    service.contribution_received(FUND, usd(50_00), "card:1", DAY, by=None, into=CLEARING)
    service.charged(FUND, usd(1_75), "fee:1", DAY, by=None, out_of=CLEARING)
    with pytest.raises(Refused, match=r"Only US\$ 48\.25"):
        service.card_paid_out(FUND, usd(48_26), "payout:1", DAY, by=None)
    for _again in range(2):
        service.card_paid_out(FUND, usd(48_25), "payout:1", DAY, by=None)
    session.commit()
    assert (held(CLEARING), held(BANK)) == ((0, 0), (48_25, 48_25))


def test_a_payout_in_another_currency_leaves_nothing_in_clearing() -> None:
    service.open_book(FUND)
    service.contribution_received(
        FUND, usd(110_00), "card:1", DAY, by=None, local=eur(100_00), into=CLEARING
    )
    for _again in range(2):
        service.card_paid_out(FUND, usd(108_00), "payout:1", DAY, by=None, clears=eur(100_00))
    session.commit()
    assert (held(CLEARING, "EUR"), held(BANK)) == ((0, 0), (108_00, 108_00))
    assert queries.position(FUND).exchange == usd(-2_00)


def test_what_nobody_matched_waits_in_suspense_and_is_not_available() -> None:
    service.open_book(FUND)
    for _again in range(2):
        service.suspense_booked(FUND, usd(70_00), "line:1", DAY, by=None)
    service.suspense_booked(FUND, usd(-70_00), "line:2", DAY, by=None)
    session.commit()
    assert queries.position(FUND).available == usd(0)
    assert held(BANK) == (0, 0)
    assert queries.in_suspense(FUND, "USD", credits_=True) == usd(70_00)
    assert queries.in_suspense(FUND, "USD", credits_=False) == usd(70_00)


def test_suspense_gives_each_side_once_and_no_more() -> None:
    service.open_book(FUND)
    service.suspense_booked(FUND, usd(70_00), "line:1", DAY, by=None)
    service.suspense_booked(FUND, usd(-9_00), "line:2", DAY, by=None)
    with pytest.raises(Refused, match=r"Only US\$ 70\.00 lies in suspense"):
        service.contribution_received(FUND, usd(70_01), "gift:1", DAY, by=None, into=SUSPENSE)
    first = service.contribution_received(FUND, usd(70_00), "gift:1", DAY, by=None, into=SUSPENSE)
    with pytest.raises(Refused, match=r"Only US\$ 0\.00 lies in suspense"):
        service.contribution_received(FUND, usd(1), "gift:2", DAY, by=None, into=SUSPENSE)
    with pytest.raises(Refused, match=r"Only US\$ 9\.00 lies in suspense"):
        service.charged(FUND, usd(9_01), "fee:1", DAY, by=None, out_of=SUSPENSE)
    service.charged(FUND, usd(9_00), "fee:1", DAY, by=None, out_of=SUSPENSE)
    session.commit()
    assert held(SUSPENSE) == (0, 0)
    assert queries.position(FUND).available == usd(61_00)
    service.reverse(first, on=DAY, by=None)
    session.commit()
    assert queries.in_suspense(FUND, "USD", credits_=True) == usd(70_00)
    assert queries.in_suspense(FUND, "USD", credits_=False) == usd(0)


def test_suspense_is_by_currency() -> None:
    service.open_book(FUND)
    service.suspense_booked(FUND, usd(77_00), "line:1", DAY, by=None, local=eur(70_00))
    with pytest.raises(Refused):
        service.contribution_received(FUND, usd(10_00), "gift:1", DAY, by=None, into=SUSPENSE)
    service.contribution_received(
        FUND, usd(77_00), "gift:1", DAY, by=None, local=eur(70_00), into=SUSPENSE
    )
    session.commit()
    assert held(SUSPENSE, "EUR") == (0, 0)
