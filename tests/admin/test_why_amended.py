"""“Why was this grant made?” after it was amended: what changed, for which reasons, and by whom."""

# ruff: noqa: S608 — the statements are made of values of this file

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.admin import why
from portal.core.formats import format_day
from tests import make
from tests.admin.test_why import tamper
from tests.browser import Browser
from tests.make import amendments
from tests.make.amendments import Status
from tests.make.applications import by_ref
from tests.make.awards import authority, officer, signatory
from tests.make.stories import story

Db = scoped_session[Session]

pytestmark = pytest.mark.usefixtures("app")


def test_each_amendment_says_what_changed_why_and_who_signed(db: Db, browser: Browser) -> None:
    made = story(closed=False)
    award, ref, email = made.award, made.application.ref, made.auditor.email
    before = award.ends_on
    amendments.in_force(award, 10_000, before + timedelta(days=30))
    amendments.amendment(Status.DECLINED, award)
    amendments.amendment(Status.ASKED, award)
    reader = made.auditor
    people = (officer(award).name, signatory(award).name, authority(award).name)
    assert why.reasons(by_ref(ref), reader).proof.verified
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open(f"/files/{ref}/why", status=200)
    text = page.text.replace("\xa0", " ")
    for words in (
        "Amendment 1",
        "US$ 4,800.00, now US$ 4,900.00",
        f"{format_day(before)}, now {format_day(before + timedelta(days=30))}",
        "Instalment 2",
        "More people came.",
        "Proposed for the fund",
        "Amendment 2",
        "Amendment declined",
        "Not like this.",
        "Amendment 3",
        "Asked for by the grantee",
        "More people want to come.",
        *people,
    ):
        assert words in text, words
    assert text.index("Amendment 1") < text.index("Amendment 2") < text.index("Amendment 3")


def test_a_grant_that_was_not_amended_says_so(db: Db, browser: Browser) -> None:
    made = story(closed=False)
    ref, email = made.application.ref, made.auditor.email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    assert "The grant was not amended." in browser.open(f"/files/{ref}/why", status=200).text


@pytest.mark.parametrize(
    "change",
    [
        "digest = repeat('0', 64)",
        "amount_usd = amount_usd - 1",
        "countersigned_at = countersigned_at - interval '1 day'",
        "signed_by_id = (SELECT person_id FROM role_grant WHERE role = 'auditor' LIMIT 1)",
    ],
)
def test_an_amendment_that_was_changed_afterwards_is_found(db: Db, change: str) -> None:
    made = story(closed=False)
    ref, reader = made.application.ref, made.auditor
    amendments.in_force(made.award, 10_000)
    db.commit()
    assert why.reasons(by_ref(ref), reader).proof.verified
    tamper(db, f"UPDATE amendment SET {change}")
    differences = why.reasons(by_ref(ref), reader).proof.differences
    assert "Amendment 1 is not the one in the chain." in differences
