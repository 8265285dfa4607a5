"""What a receipt says once the bank of a card has taken money back for good."""

import io

import pytest
from pypdf import PdfReader

from portal.contributions import service
from portal.contributions.service.receipts import document
from portal.core import clock
from portal.core.money import usd
from tests import make as rows
from tests.make import contributions as make


@pytest.mark.usefixtures("who")
@pytest.mark.parametrize(
    ("taken", "title", "left"),
    [
        (30_00, "A part of the card payment was taken back", "US$ 70.00"),
        (100_00, "The card payment was taken back", "US$ 0.00"),
    ],
)
def test_the_receipt_says_how_much_was_taken_back(taken: int, title: str, left: str) -> None:
    rows.profiles()
    gift = make.card(usd(100_00))
    lost = service.dispute(gift, usd(taken), clock.today(), source_ref="dispute:1")
    service.dispute_lost(lost, clock.today())
    pages = PdfReader(io.BytesIO(document(gift))).pages
    said = " ".join("".join(each.extract_text() for each in pages).split())
    assert title in said
    assert f"returned US$ {taken // 100}.00 to its holder" in said
    assert ("What is left with the fund stands at the end" in said) is (taken < gift.amount)
    assert f"Left with the fund {left}" in said
