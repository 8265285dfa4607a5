"""The pages of a payment by card: which way it goes, who has it, and what nobody does by hand."""

import pytest

from portal.core.db import session
from portal.core.workflow import Refused
from portal.payments import service
from portal.payments.models import OrderStatus
from portal.payments.service import by_processor
from tests.browser import Browser
from tests.make import payments as make
from tests.make.accounts import PASSWORD
from tests.make.awards import award as make_award
from tests.payments.test_card_cover import kept
from tests.payments.test_card_held_back import page_of
from tests.payments.test_card_processor import Desk, desk, fill

__all__ = ["desk"]

BY_HAND = ("Record the payment", "Record that it came back", "Download the instruction")


def as_grantee(desk: Desk, application: object) -> Browser:
    """Return a browser in which a person of the grantee is signed in."""
    visitor = Browser(application)  # type: ignore[arg-type]
    visitor.sign_in(make.grantee(desk.order.instalment.award).email, PASSWORD)
    return visitor


def settled(desk: Desk) -> None:
    fill()
    desk.work()
    desk.processor.settle_payout(*desk.payout())
    desk.work()


def test_before_it_leaves_it_says_so_and_can_be_ended(desk: Desk, application: object) -> None:
    fill()
    page = page_of(desk, application).page
    assert "It leaves by itself within some minutes." in page.text
    assert "Way of payment Card processor" in page.text
    assert "Record that it was not paid" in page.text
    assert not any(words in page.text for words in BY_HAND)


def test_once_the_processor_has_it_nobody_records_anything(desk: Desk, application: object) -> None:
    fill()
    while not kept():
        by_processor.pay_next()
        session.commit()
    text = page_of(desk, application).page.text
    assert "The card processor has it It brings the money to the grantee's bank" in text
    assert not any(words in text for words in (*BY_HAND, "Record that it was not paid"))
    assert "What you can do now" not in text
    assert "What has to wait" not in text


def test_once_it_is_paid_nothing_waits(desk: Desk, application: object) -> None:
    settled(desk)
    assert desk.order.status is OrderStatus.CONFIRMED
    text = page_of(desk, application).page.text
    assert not any(words in text for words in (*BY_HAND, "What has to wait"))


def test_what_the_processor_is_told_is_no_document_to_read(desk: Desk) -> None:
    with pytest.raises(Refused, match="for the paying agent"):
        service.read_instruction(desk.order, by=desk.till.finance)


def test_the_grantee_reads_what_is_next_and_whose_reference_it_is(
    desk: Desk, application: object
) -> None:
    file, ref = desk.order.instalment.award.application.ref, desk.order.ref
    visitor = as_grantee(desk, application)
    visitor.open(f"/payments/{ref}")
    assert "It is paid to your account. You are told then" in visitor.page.text
    visitor.open(f"/files/{file}/payments")
    assert "Payment in preparation" not in visitor.page.text
    settled(desk)
    visitor.open(f"/payments/{ref}/arrived")
    assert "Reference of the payment po_" in visitor.page.text


def test_who_prepares_and_who_signs_read_the_way_too(desk: Desk, application: object) -> None:
    under = desk.order.instalment.award
    award = make_award(of=under.application.call, paying_agent=under.paying_agent)
    make.verified(award, desk.till)
    session.commit()
    file, certifier = award.application.ref, desk.till.certifier.email
    visitor = page_of(desk, application)
    visitor.open(f"/files/{file}/payments/1/prepare")
    assert "Way of payment Card processor" in visitor.page.text
    visitor.press("Prepare payment")
    assert "What happens next A certifying officer certifies" in visitor.page.text
    visitor.sign_out()
    visitor.sign_in(certifier, PASSWORD)
    visitor.open("/payments/several/certify")
    assert "Card processor" in visitor.page.text
