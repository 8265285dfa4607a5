"""Documents that leave by the worker are set in type by a real `portal work`, not by this process.

The worker needs everything that a page has for that: templates, filters, fonts, the master key and
the folder of files.
"""

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from portal.contributions.models import ContributionReceipt
from portal.core.db import session
from portal.core.files import read_stored
from portal.core.money import usd
from portal.core.outbox import Message
from portal.core.pdf import PdfUnavailable, demand
from tests.journeys.running import Site, until
from tests.make import contributions as giving


@pytest.fixture(autouse=True)
def pdf_can_be_made() -> None:
    """Skip, with the reason, where this machine makes no PDF."""
    try:
        demand()
    except PdfUnavailable as missing:
        pytest.skip(str(missing))


def receipts() -> list[ContributionReceipt]:
    """Return the receipts that there are by now."""
    session.rollback()
    return list(session.scalars(select(ContributionReceipt)))


def test_a_receipt_is_issued_by_the_worker(site: Site) -> None:
    gift = giving.wire(giving.desk(), usd(1_234_56))
    number, donor, email = gift.receipt_no, gift.donor.name, gift.donor.email
    session.commit()
    assert receipts() == []
    with site.running("work"):
        until(lambda: len(receipts()) == 1)
    [receipt] = receipts()
    content = read_stored(receipt.document)
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    for words in (number, donor, "1,234.56"):
        assert words in " ".join(text.split())
    [message] = session.scalars(select(Message).where(Message.template == "receipt_ready"))
    assert message.recipient == email
    assert site.check() == ""
