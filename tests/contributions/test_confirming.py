"""A draft that changes while a second person confirms it: what was shown is what is booked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts.models import Person
from portal.contributions import service
from portal.contributions.models import AgreementStatus, ContributionAgreement
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from tests.browser import Browser
from tests.contributions.conftest import balance
from tests.make import contributions as make
from tests.make.accounts import PASSWORD
from tests.make.contributions import Desk

ROUNDS = 6

pytestmark = pytest.mark.usefixtures("application")
"""Signed papers are kept where the application says."""


def elsewhere(act: Callable[[], object]) -> str:
    """Do something in another session, and say how it ended."""

    def run() -> str:
        try:
            act()
            session.commit()
        except (Refused, SQLAlchemyError) as lost:
            session.rollback()
            return type(lost).__name__
        finally:
            session.remove()
        return "done"

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def read(agreement_id: UUID) -> ContributionAgreement:
    return session.get_one(ContributionAgreement, agreement_id)


def edit(agreement_id: UUID, cents: int, by_id: UUID) -> None:
    service.edit_draft(
        read(agreement_id), make.terms(usd(cents)), by=session.get_one(Person, by_id)
    )


def test_a_draft_edited_after_it_was_read_is_not_confirmed_unseen(fresh_database: str) -> None:
    del fresh_database
    who = make.desk()
    draft = make.agreement(who, AgreementStatus.DRAFT, amount=usd(1_000_000))
    session.commit()
    officer_id, draft_id = who.officer.id, draft.id
    shown = service.terms_digest(draft)
    assert who.finance.roles
    assert elsewhere(lambda: edit(draft_id, 2_000_000, officer_id)) == "done"
    with pytest.raises(Refused, match="changed after this page was opened"):
        service.confirm_agreement(draft, shown, by=who.finance)
    assert [each.amount for each in draft.instalments] == [1_000_000, 1_000_000]
    service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    session.commit()
    assert draft.usd_at_signature == balance(AccountKind.CONTRIBUTIONS_RECEIVABLE) == 2_000_000


def test_whoever_edited_last_is_who_drafted(fresh_database: str) -> None:
    del fresh_database
    who = make.desk()
    both = make.desk().officer
    draft = make.agreement(who, AgreementStatus.DRAFT)
    session.commit()
    draft_id, both_id = draft.id, both.id
    assert elsewhere(lambda: edit(draft_id, 500_000, both_id)) == "done"
    with pytest.raises(Refused, match="somebody else"):
        service.confirm_agreement(draft, service.terms_digest(draft), by=both)


def test_the_page_is_shown_again_when_the_draft_changed(who: Desk, browser: Browser) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT, amount=usd(1_000_000))
    session.commit()
    draft_id, officer_id, path = draft.id, who.officer.id, f"/contributions/agreements/{draft.ref}"
    browser.sign_in(who.finance.email, PASSWORD)
    browser.open(f"{path}/confirm")
    edit(draft_id, 2_000_000, officer_id)
    session.commit()
    browser.press("Confirm the agreement", 422)
    assert "This cannot be done now" in browser.page.text
    assert "what you typed is kept" not in browser.page.text, "nothing could be typed"
    assert "The draft was changed after this page was opened" in browser.page.text
    assert "US$ 20,000.00" in browser.page.text
    assert read(draft_id).status is AgreementStatus.DRAFT
    browser.press("Confirm the agreement")
    assert "In force" in browser.page.text
    assert balance(AccountKind.CONTRIBUTIONS_RECEIVABLE) == 2_000_000


def test_editing_and_confirming_at_once_ends_and_books_what_stands(fresh_database: str) -> None:
    del fresh_database
    who = make.desk()
    officer_id, finance_id = who.officer.id, who.finance.id
    for number in range(ROUNDS):
        draft = make.agreement(who, AgreementStatus.DRAFT, amount=usd(1_000_000))
        session.commit()
        before = balance(AccountKind.CONTRIBUTIONS_RECEIVABLE)
        said = both_at_once(draft, 2_000_000 + number, officer_id, finance_id)
        session.expire_all()
        in_force = draft.status is AgreementStatus.IN_FORCE
        assert sorted(said) == ["Refused", "done"], said
        assert in_force == (said[1] == "done")
        booked = balance(AccountKind.CONTRIBUTIONS_RECEIVABLE) - before
        assert booked == (draft.usd_at_signature if in_force else 0)
        assert draft.amount == (1_000_000 if in_force else 2_000_000 + number)
        assert sum(each.amount for each in draft.instalments) == draft.amount


def both_at_once(
    draft: ContributionAgreement, cents: int, officer_id: UUID, finance_id: UUID
) -> list[str]:
    """Let one edit a draft and another confirm it in the same moment; say how both ended."""
    draft_id, shown, start = draft.id, service.terms_digest(draft), Barrier(2)
    session.rollback()

    def change() -> None:
        start.wait()
        edit(draft_id, cents, officer_id)

    def confirm() -> None:
        start.wait()
        found, by = read(draft_id), session.get_one(Person, finance_id)
        service.confirm_agreement(found, shown, by=by)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(elsewhere, (change, confirm)))
