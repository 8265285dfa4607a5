"""A gift by card, from the form to the books, in whatever order and however often it is told."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.contributions.models import Contribution, ContributionStatus, Donor
from portal.contributions.models.cards import CardGift, CardMovement, GiftStatus
from portal.contributions.service import cards
from portal.contributions.service.cards import looking
from portal.core import clock, jobs, stripe
from portal.core.db import session
from portal.core.money import Money
from portal.core.stripe.models import EventState, StripeCall, StripeEvent
from portal.core.workflow import Refused
from portal.ledger import queries as books
from portal.ledger.models import AccountKind, LedgerTransaction
from tests.contributions.cards.conftest import AMINA, Counter
from tests.contributions.conftest import balance
from tests.make.contributions import FUND

FEE = int(5000 * 0.029) + 30


def count(kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_paid_gift_is_booked_gross_and_its_fee_beside_it(counter: Counter) -> None:
    gift = counter.paid()
    assert gift.status is GiftStatus.PAID
    assert balance(AccountKind.CARD_CLEARING) == 5000 - FEE
    assert balance(AccountKind.BANK_CHARGES) == FEE
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == -5000
    assert books.position(FUND).received.minor == 5000
    contribution = gift.contribution
    assert contribution is not None
    assert (contribution.donor.name, contribution.donor.email) == AMINA
    assert contribution.source_ref == gift.charge_id


def test_whoever_gave_is_forgotten_in_the_gift_once_it_is_over(counter: Counter) -> None:
    gift = counter.begin()
    assert (gift.name, gift.email) == AMINA
    counter.pay(gift)
    counter.deliver()
    assert (gift.name, gift.email) == ("", "")


def test_the_processor_is_told_nothing_of_who_gives(counter: Counter) -> None:
    counter.paid()
    (call,) = session.scalars(select(StripeCall)).all()
    assert b"Amina" not in call.content
    assert b"@" not in call.content
    with counter.processor.store.turn() as turn:
        (page,) = turn.all("checkout.session")
        (charge,) = turn.all("charge")
    gift = session.scalars(select(CardGift)).one()
    assert page["client_reference_id"] == page["metadata"]["gift"] == gift.ref
    assert charge["metadata"] == {"gift": gift.ref, "fund": FUND}
    assert page["submit_type"] == "donate"


def test_a_gift_in_another_currency_is_exchanged_as_the_processor_did(counter: Counter) -> None:
    gift = counter.paid(92_00, "EUR")
    assert counter.clearing() == {"USD": 100_00 - (int(100_00 * 0.029) + 30)}
    assert gift.contribution is not None
    assert (gift.contribution.money, gift.contribution.amount_usd) == (Money(92_00, "EUR"), 100_00)
    assert balance(AccountKind.EXCHANGE_DIFFERENCE) == 0


def test_what_is_paid_later_waits_and_then_arrives(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift, later=True)
    counter.deliver()
    assert counter.standing(gift) is GiftStatus.PENDING
    assert count(Contribution) == 0
    counter.processor.arrive(str(gift.session_id))
    counter.deliver()
    assert gift.status is GiftStatus.PAID
    assert count(Contribution) == 1


def test_what_is_paid_later_may_fail(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift, later=True)
    counter.processor.arrive(str(gift.session_id), fail=True)
    counter.deliver()
    assert gift.status is GiftStatus.FAILED
    assert gift.reason == "payment_intent_payment_attempt_failed"
    assert gift.name == ""
    assert count(Contribution) == 0


def test_a_page_that_nobody_paid_expires(counter: Counter) -> None:
    gift = counter.begin()
    counter.processor.expire(str(gift.session_id))
    counter.deliver()
    assert (gift.status, gift.email) == (GiftStatus.EXPIRED, "")


@pytest.mark.parametrize("times", [2, 3])
def test_a_message_that_comes_again_changes_nothing(counter: Counter, times: int) -> None:
    gift = counter.begin()
    counter.pay(gift)
    counter.deliver(times=times)
    before = count(LedgerTransaction)
    told = counter.processor.mailbox.told[0]
    counter.hand_over(told | {"id": "evt_another_of_the_same"})
    counter.work()
    assert count(LedgerTransaction) == before
    assert count(Contribution) == 1


def test_a_refund_that_is_told_before_its_gift_is_booked_after_it(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    with counter.processor.store.turn() as turn:
        (charge,) = turn.all("charge")
    counter.processor.refund(charge["id"], 20_00, {})
    counter.deliver(backwards=True)
    assert counter.reasons() == []
    assert gift.contribution is not None
    assert gift.contribution.status is ContributionStatus.PARTLY_REFUNDED
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == -30_00


def test_a_lost_message_is_made_up_for_by_looking(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    assert cards.look_at_stale() is None
    with clock.at(clock.now() + looking.STALE_AFTER + timedelta(minutes=1)):
        assert cards.look_at_stale() is jobs.AGAIN
        assert cards.look_at_stale() is None
    assert gift.status is GiftStatus.PAID


def test_a_gift_whose_answer_was_lost_is_found_by_what_is_told(counter: Counter) -> None:
    gift = counter.begin()
    gift.session_id = None
    session.commit()
    with counter.processor.store.turn() as turn:
        (page,) = turn.all("checkout.session")
    counter.processor.pay(page["id"])
    counter.deliver()
    assert gift.status is GiftStatus.PAID


def test_a_failure_between_our_commit_and_their_answer_makes_no_second_page(
    counter: Counter,
) -> None:
    gift = counter.begin(10_00)
    counter.judge.lose = 9
    other = cards.begin_gift(
        cards.Giving(FUND, Money(20_00, "USD"), *AMINA), title="Gift", pages="https://x.example"
    )
    session.commit()
    with pytest.raises(Refused, match="does not answer"):
        cards.open_checkout(other)
    session.rollback()
    counter.judge.lose = 0
    assert cards.open_checkout(other) == cards.open_checkout(other)
    with counter.processor.store.turn() as turn:
        assert len(turn.all("checkout.session")) == 2
    assert gift.session_id != other.session_id


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount_total", 500_000), ("currency", "eur"), ("client_reference_id", "ANOT-HERX")],
)
def test_a_page_that_says_something_else_than_was_asked_books_nothing(
    counter: Counter, field: str, value: object
) -> None:
    gift = counter.begin()
    counter.pay(gift)
    with counter.processor.store.turn() as turn:
        turn.put(turn.get("checkout.session", str(gift.session_id)) | {field: value})
    counter.deliver()
    assert gift.status is GiftStatus.BEGUN
    assert "another amount or gift" in counter.reasons()[0]
    assert count(LedgerTransaction) == count(CardMovement) == count(Donor) == 0


def test_another_amount_than_was_typed_books_nothing(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    with counter.processor.store.turn() as turn:
        (charge,) = turn.all("charge")
        turn.put(charge | {"amount": 49_00, "amount_captured": 49_00})
    counter.deliver()
    assert "Another amount was charged" in counter.reasons()[0]
    assert count(LedgerTransaction) == 0


def test_figures_that_do_not_sum_up_book_nothing(counter: Counter) -> None:
    gift = counter.begin()
    counter.pay(gift)
    with counter.processor.store.turn() as turn:
        (line,) = turn.all("balance_transaction")
        turn.put(line | {"net": line["net"] + 1})
    counter.deliver()
    assert "do not sum up" in counter.reasons()[0]
    assert count(LedgerTransaction) == count(Donor) == 0
    assert gift.status is GiftStatus.BEGUN


def test_a_page_of_another_portal_is_ignored(counter: Counter) -> None:
    gift = counter.begin()
    with counter.processor.store.turn() as turn:
        page = turn.get("checkout.session", str(gift.session_id))
        for ref in ("ZZZZ-ZZZZ", gift.ref):
            strange = page | {"id": f"cs_test_{ref[:4]}", "client_reference_id": ref}
            turn.put(strange | {"metadata": {"portal_call": "gift:other", "gift": ref}})
    for ref in ("ZZZZ", gift.ref[:4]):
        counter.processor.pay(f"cs_test_{ref}")
    counter.deliver()
    states = set(session.scalars(select(StripeEvent.state)))
    assert states == {EventState.IGNORED}
    assert count(Contribution) == 0
    assert gift.status is GiftStatus.BEGUN


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (Money(1_99, "USD"), "between"),
        (Money(10_000_01, "USD"), "between"),
        (Money(50_000, "TND"), "Choose a currency"),
        (Money(5000, "GBP"), "no UN operational rate"),
    ],
)
def test_what_cannot_be_given_is_refused(counter: Counter, amount: Money, sentence: str) -> None:
    del counter
    with pytest.raises(Refused, match=sentence):
        cards.begin_gift(cards.Giving(FUND, amount, *AMINA), title="x", pages="https://x.example")


@pytest.mark.usefixtures("counter")
@pytest.mark.parametrize(
    ("name", "email"), [(" ", AMINA[1]), (AMINA[0], "amina"), ("x" * 201, "a@b.org")]
)
def test_somebody_has_a_name_and_an_address(name: str, email: str) -> None:
    with pytest.raises(Refused):
        cards.begin_gift(
            cards.Giving(FUND, Money(50_00, "USD"), name, email), title="x", pages="https://x.org"
        )


def test_without_a_processor_nothing_is_begun(counter: Counter) -> None:
    secret = type(counter.settings.secret_key)
    stripe.configure(counter.settings.model_copy(update={"stripe_secret_key": secret("")}))
    with pytest.raises(Refused, match="switched off"):
        cards.begin_gift(
            cards.Giving(FUND, Money(50_00, "USD"), *AMINA), title="x", pages="https://x.org"
        )
