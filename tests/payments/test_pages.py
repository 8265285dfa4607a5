"""Payments as people meet them: forms, signatures, refusals, one queue."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select

from portal.awards import service as awards
from portal.core import clock
from portal.core.audit import case_events
from portal.core.db import session
from portal.payments import service
from portal.payments.models import BankDetails, BankStatus
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make import payments as make
from tests.make.accounts import PASSWORD, signed_up
from tests.payments.conftest import World, enter

Count = Callable[[], AbstractContextManager[SqlCount]]


def tab_of(world: World, name: str = "award") -> str:
    return f"/files/{world.town.files[name]}/payments"


def test_bank_details_from_the_form_to_the_second_person(world: World, visitor: Browser) -> None:
    path = tab_of(world)
    enter(visitor, world, "grantee of award")
    visitor.open(path)
    assert "No bank details were entered yet" in visitor.page.text
    visitor.follow("Enter bank details")
    visitor.fill_all(
        holder="Lakeside Circle", bank="Bank of the Lake", account="DE88 3704 0044 0532 0130 00"
    )
    visitor.fill("Country of the bank", "Germany")
    visitor.press("Keep these bank details", 422)
    assert "check digits do not fit" in visitor.page.text
    assert visitor.value("Account holder") == "Lakeside Circle"
    visitor.fill("IBAN or account number", make.IBAN)
    visitor.press("Keep these bank details")
    assert "ends with 3000" in visitor.page.text
    assert "3704" not in visitor.page.text
    visitor.sign_out()

    enter(visitor, world, "finance")
    visitor.open("/payments")
    visitor.follow("Verify bank details")
    assert "3704" not in visitor.page.text
    visitor.press("Open the bank details")
    assert "DE89370400440532013000" in visitor.page.text
    visitor.press("Verify bank details", 422)
    assert "Do both first" in visitor.page.text
    visitor.choose(
        "I compared the account with the documents, and screened its holder against the "
        "sanctions lists: no match is open"
    )
    visitor.press("Verify bank details")
    details = session.scalars(
        select(BankDetails).where(BankDetails.status == BankStatus.VERIFIED)
    ).all()
    found = {each.award.application.ref: each.award.application_id for each in details}
    assert found.keys() == {world.town.files["paid"], world.town.files["award"]}
    actions = [event.action for event in case_events(found[world.town.files["award"]])]
    assert "bank_details.read" in actions


def test_three_people_sign_and_a_fourth_records(world: World, visitor: Browser) -> None:
    path = f"/payments/{world.town.order}"
    digest = world.order.digest
    for who, link, told in (
        ("certifier", "Certify the use of funds", "Next: an approving officer approves it."),
        ("approver", "Approve the entry", "Next: treasury releases it."),
        ("treasurer", "Release the payment", "Released."),
    ):
        enter(visitor, world, who)
        visitor.open("/payments")
        assert world.town.files["paid"] in visitor.page.text
        visitor.open(path)
        assert digest in visitor.page.text
        visitor.follow(link)
        visitor.press(link)
        assert told in visitor.page.text
        visitor.open(path)
        assert link not in dict(visitor.page.links)
        visitor.sign_out()
    enter(visitor, world, "finance")
    visitor.open(path)
    visitor.press("Download the instruction")
    assert visitor.response.data.startswith(b"%PDF")
    assert "no-store" in visitor.response.headers["Cache-Control"]
    visitor.open(path)
    visitor.follow("Record the payment")
    visitor.fill_all(reference="AG-1", on="2031-01-01")
    visitor.press("Record the payment", 422)
    assert "in the future" in visitor.page.text
    visitor.fill_all(on=clock.today().isoformat())
    visitor.press("Record the payment")
    assert "The payment is recorded" in visitor.page.text
    visitor.sign_out()
    enter(visitor, world, "grantee of paid")
    visitor.open("/home")
    visitor.follow(f"Say whether the payment for {world.town.files['paid']} has arrived")
    visitor.press("The money has arrived")
    visitor.open(f"/files/{world.town.files['paid']}/payments")
    assert "Paid" in visitor.page.text


def test_who_certifies_sees_the_conditions_that_they_say_to_hold(
    world: World, visitor: Browser
) -> None:
    path = f"/payments/{world.town.order}"
    file = world.town.files["paid"]
    enter(visitor, world, "certifier").open(f"{path}/certify")
    assert "Met Bank details verified" in visitor.page.text
    assert "Not yet" not in visitor.page.text, "this payment is itself under way"
    visitor.follow("All payments of this file")
    assert visitor.response.request.path == f"/files/{file}/payments"
    visitor.open(f"{path}/certify")
    visitor.press("Certify the use of funds")
    visitor.sign_out()
    enter(visitor, world, "approver").open(f"{path}/approve")
    assert "Conditions of instalment" not in visitor.page.text


def test_the_same_person_is_offered_no_second_signature(world: World, visitor: Browser) -> None:
    service.certify(world.order, by=world.till.certifier)
    session.commit()
    enter(visitor, world, "certifier")
    visitor.open(f"/payments/{world.town.order}/approve")
    assert visitor.page.heading == f"Payment {world.town.order}"
    visitor.open("/payments")
    assert "Nothing waits for you" in visitor.page.text


def test_who_does_not_belong_finds_nothing(world: World, visitor: Browser) -> None:
    signed_up("stranger@example.org")
    details = world.order.bank_details_id
    session.commit()
    visitor.sign_in("stranger@example.org", PASSWORD)
    ref = world.town.order
    for path in (
        f"/payments/{ref}",
        f"/payments/{ref}/release",
        f"/payments/{ref}/arrived",
        "/payments",
        f"/files/{world.town.files['paid']}/payments",
        f"/files/{world.town.files['paid']}/payments/bank",
        f"/payments/bank/{details}",
    ):
        visitor.open(path, 404)


def test_the_grantee_sees_no_staff_step_and_staff_no_bank_form(
    world: World, visitor: Browser
) -> None:
    enter(visitor, world, "grantee of paid")
    visitor.open(f"/files/{world.town.files['paid']}/payments")
    assert "Prepare payment" not in visitor.page.text
    visitor.open(f"/payments/{world.town.order}/certify", 404)
    visitor.sign_out()
    enter(visitor, world, "finance")
    visitor.open(f"/files/{world.town.files['paid']}/payments/bank", 404)


def test_closed_gates_say_why(world: World, visitor: Browser) -> None:
    awards.suspend(world.award, "A question is open.", by=world.officer)
    session.commit()
    enter(visitor, world, "finance")
    visitor.open(tab_of(world))
    for reason in (
        "Bank details must be verified",
        "The grant must be active. It is “Suspended”.",
        "Report accepted None needed.",
        "The report that it waits for",
        "The instalment before it must be paid first",
    ):
        assert reason in visitor.page.text
    assert "Prepare payment" not in dict(visitor.page.links)
    visitor.open(f"{tab_of(world)}/1/prepare")
    assert "cannot be prepared yet" in visitor.page.text


def test_every_page_of_payments_opens(world: World, visitor: Browser) -> None:
    make.verified(world.award, world.till)
    make.signed(world.order, world.till)
    session.commit()
    enter(visitor, world, "finance")
    ref = world.town.order
    for path in (
        f"{tab_of(world)}/1/prepare",
        f"{tab_of(world)}/balance",
        f"/payments/{ref}/confirm",
        f"/payments/{ref}/reject",
        "/payments?matter=prepare",
        "/payments?matter=certify&fund=act",
    ):
        visitor.open(path)
    visitor.sign_out()
    enter(visitor, world, "officer")
    visitor.open(f"{tab_of(world)}/close")
    assert "A report is not accepted yet" in visitor.page.text


@pytest.mark.parametrize("part", ["finance", "grantee of paid"])
def test_pages_take_a_fixed_number_of_statements(
    world: World, visitor: Browser, count_sql: Count, part: str
) -> None:
    service.certify(world.order, by=world.till.certifier)
    make.verified(world.award, world.till, account=make.OTHER_IBAN)
    make.entered(world.other)
    session.commit()
    enter(visitor, world, part)
    paths = [f"/files/{world.town.files['paid']}/payments", f"/payments/{world.town.order}"]
    if part == "finance":
        paths.append("/payments")
    for path in paths:
        with count_sql() as count:
            visitor.open(path)
        assert count.total <= 10, (path, *count.statements)


def test_a_grantee_reads_which_signatures_stand_and_not_whose(
    visitor: Browser, world: World
) -> None:
    make.signed(world.order, world.till)
    session.commit()
    page = enter(visitor, world, "grantee of paid").open(f"/payments/{world.town.order}", 200)
    assert "Released" in page.text
    for name in ("Cem Certifier", "Ana Approver", "Tomas Treasurer", "Fiona Finance"):
        assert name not in page.text
    visitor.sign_out()
    page = enter(visitor, world, "finance").open(f"/payments/{world.town.order}", 200)
    assert "Cem Certifier" in page.text
