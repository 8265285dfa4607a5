"""A refund by card leaves once a second person has confirmed it, and never by one alone."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Person, Role
from portal.contributions.models.cards import CardGift, CardRefund, RefundAction, RefundStatus
from portal.contributions.service import cards
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import Money
from portal.core.workflow import Refused
from tests.contributions.cards.conftest import REASON, Counter
from tests.make.accounts import person
from tests.make.contributions import FUND


def asked(counter: Counter, by: Person, minor: int = 20_00) -> tuple[CardGift, CardRefund]:
    gift = counter.paid()
    refund = cards.ask_refund(gift, Money(minor, "USD"), REASON, by=by)
    session.commit()
    return gift, refund


def test_nothing_leaves_before_a_second_person_has_confirmed(counter: Counter) -> None:
    gift, refund = asked(counter, counter.officer)
    counter.work()
    assert (refund.status, refund.call) == (RefundStatus.PROPOSED, None)
    assert counter.judge.made("/v1/refunds") == 0
    assert cards.refundable(gift).minor == 30_00
    cards.confirm_refund(refund, by=counter.finance)
    session.commit()
    counter.work()
    assert refund.status is RefundStatus.DONE
    acts = session.query(AuditEvent).filter_by(subject_id=refund.id).order_by(AuditEvent.number)
    assert [(each.action, each.actor_id) for each in acts] == [
        ("card_refund.asked", counter.officer.id),
        ("card_refund.confirm", counter.finance.id),
        ("card_refund.done", counter.officer.id),
    ]


def test_nobody_confirms_a_refund_of_their_own(counter: Counter) -> None:
    _gift, refund = asked(counter, counter.finance)
    with pytest.raises(Refused, match="somebody else"):
        cards.confirm_refund(refund, by=counter.finance)
    session.rollback()
    with pytest.raises(IntegrityError, match="two_people"):
        session.execute(
            text(
                "UPDATE card_refund SET status = 'asked', confirmed_by_id = asked_by_id, "
                "confirmed_at = now(), call_id = (SELECT call_id FROM card_gift)"
            )
        )
    session.rollback()


SENT_AT_ONCE = """
INSERT INTO card_refund (id, version, ref, gift_id, amount, reason, status, asked_by_id, asked_at,
    call_id, remark)
SELECT gen_random_uuid(), 1, 'AAAA-AAAA', gift_id, 1, 'Mine.', 'asked', asked_by_id, now(),
    (SELECT call_id FROM card_gift), '' FROM card_refund
"""
ASKED = "UPDATE card_refund SET status = 'asked', call_id = (SELECT call_id FROM card_gift)"
DONE = """
UPDATE card_refund SET status = 'done', refund_id = 're_1',
    call_id = (SELECT call_id FROM card_gift)
"""


@pytest.mark.parametrize("forced", [ASKED, DONE, SENT_AT_ONCE])
def test_the_database_sends_nothing_that_one_person_asked_for(
    counter: Counter, forced: str
) -> None:
    asked(counter, counter.officer)
    with pytest.raises(IntegrityError):
        session.execute(text(forced))
    session.rollback()


def test_only_finance_of_the_fund_confirms(counter: Counter) -> None:
    _gift, refund = asked(counter, counter.finance)
    abroad = person(roles=[(Role.FINANCE_OFFICER, "vftc", None)])
    for other in (counter.officer, abroad, person()):
        with pytest.raises(Refused):
            cards.confirm_refund(refund, by=other)
    cards.confirm_refund(refund, by=person(roles=[(Role.FINANCE_OFFICER, FUND, None)]))
    assert refund.status is RefundStatus.ASKED
    with pytest.raises(Refused):
        cards.confirm_refund(refund, by=counter.finance)


def test_a_refund_is_withdrawn_by_who_asked_and_then_never_sent(counter: Counter) -> None:
    gift, refund = asked(counter, counter.officer)
    with pytest.raises(Refused):
        cards.close_refund(refund, RefundAction.WITHDRAW, by=person())
    cards.close_refund(refund, RefundAction.WITHDRAW, by=counter.officer)
    session.commit()
    assert (refund.status, refund.closed_by_id) == (RefundStatus.WITHDRAWN, counter.officer.id)
    with pytest.raises(Refused):
        cards.confirm_refund(refund, by=counter.finance)
    counter.work()
    assert counter.judge.made("/v1/refunds") == 0
    assert cards.refundable(gift).minor == 50_00


def test_what_went_back_meanwhile_cannot_be_confirmed_again(counter: Counter) -> None:
    gift, refund = asked(counter, counter.officer, 40_00)
    counter.processor.refund(str(gift.charge_id), 20_00, {})
    counter.deliver()
    with pytest.raises(Refused, match=r"30\.00 is left"):
        cards.confirm_refund(refund, by=counter.finance)
