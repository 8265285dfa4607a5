"""The pages of bank details: faults at their fields, the registries' word for whoever verifies."""

import pytest
from sqlalchemy import select

from portal.awards.models import Award
from portal.core.db import session
from portal.payments import service
from portal.payments.models import BankDetails
from tests.browser import Browser
from tests.make import payments as make
from tests.page import words
from tests.payments.conftest import World, enter


def form_of(world: World, visitor: Browser) -> Browser:
    enter(visitor, world, "grantee of award")
    visitor.open(f"/files/{world.town.files['award']}/payments/bank")
    return visitor


def entered(world: World) -> BankDetails:
    """Return what was entered for the award, after a request."""
    session.rollback()
    ref = world.town.awards["award"]
    rows = select(BankDetails).join(BankDetails.award).where(Award.ref == ref)
    return session.scalars(rows).one()


def fault(form: Browser, name: str) -> str:
    """Return the sentence that stands at a field."""
    found = form.page.by_id(f"{name}-error")
    return "" if found is None else words(found)


AMERICAN = {
    "holder": "Lakeside Circle",
    "bank": "Bank of the Hills",
    "country": "USA",
    "account": "0123 456 789",
    "clearing_code": "021-000-022",
    "intermediary_account": "99 88 77",
}


def test_each_fault_stands_at_its_field_and_nothing_typed_is_lost(
    world: World, visitor: Browser
) -> None:
    form = form_of(world, visitor)
    form.fill_all(**AMERICAN)
    form.press("Keep these bank details", 422)
    assert "do not fit each other" in fault(form, "clearing_code")
    assert "or neither" in fault(form, "intermediary_bic")
    assert form.value("IBAN or account number") == "0123 456 789"
    assert form.value("National code of the bank") == "021-000-022"
    assert form.value("Account of your bank at the intermediary bank") == "99 88 77"
    form.fill_all(clearing_code="021 000 021", intermediary_bic="citi us 33")
    form.press("Keep these bank details")
    assert "ends with 6789" in form.page.text
    plain = service.payee(entered(world))
    assert (plain.clearing_code, plain.intermediary_bic) == ("021000021", "CITIUS33")
    assert plain.intermediary_account == "998877"


def test_who_verifies_reads_the_registries_and_every_field(world: World, visitor: Browser) -> None:
    make.entered(world.award, bic="DEUTDEFF", holder="Ассоциация", intermediary_bic="CITIUS33")
    session.commit()
    enter(visitor, world, "finance")
    visitor.open("/payments")
    signed_in = [each for each in visitor.page.all("a") if each.get("class") == "who"]
    visitor.follow("Verify bank details")
    [shown] = [each for each in visitor.page.all("a") if each.get("class") == "who"]
    assert ["".join(each.itertext()) for each in signed_in] == ["".join(shown.itertext())]
    assert "Commerzbank" not in visitor.page.text
    visitor.press("Open the bank details")
    text = visitor.page.text
    assert "What the public registries say of the bank" in text
    assert "Commerzbank" in text
    assert "but the BIC given is DEUTDEFF" in text
    assert "Assotsiatsiya" in text
    assert "CITIUS33" in text
    assert "Sign out" in text


def test_a_number_where_there_are_ibans_is_kept_with_a_warning(
    world: World, visitor: Browser
) -> None:
    form = form_of(world, visitor)
    form.fill_all(**AMERICAN | {"country": "DEU", "clearing_code": "370 400 44"})
    form.fill_all(account="0532013000", intermediary_account="")
    form.press("Keep these bank details")
    assert "IBAN, which begins with DE" in form.page.text
    twins = service.same_account(entered(world))
    assert [twin.award.ref for twin in twins] == [world.town.awards["paid"]]


@pytest.mark.parametrize("lang", ["en-XA", "ar-XB"])
def test_the_pages_are_whole_in_made_up_languages(
    world: World, visitor: Browser, lang: str
) -> None:
    form = form_of(world, visitor)
    page = form.open(f"{form.page.path}?lang={lang}")
    form.fill_all(**AMERICAN)
    form.submit(page.buttons[-1], 422)
    assert fault(form, "clearing_code").startswith("[")
