"""Large payments take two approving officers: by the verbs, by the database, on the pages."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.accounts.models import Person, Role
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.payments import checks, exchange, service
from portal.payments.models import ApprovalStep, OrderStatus, PaymentOrder
from tests.browser import Browser
from tests.make.accounts import PASSWORD, person
from tests.make.funds import profiles
from tests.payments.payday import FUND, Payday
from tests.payments.test_triggers import SIGN, refused, sign, taken

Status = OrderStatus
Act = Callable[[], None]

THRESHOLD = """
UPDATE profile_version SET digest = 'line at ' || :cents, content = jsonb_set(content,
'{process,second_approval_above_usd_minor}', to_jsonb(CAST(:cents AS bigint)))
WHERE fund_code = :fund
"""


def test_fifty_thousand_dollars_are_the_line_of_the_funds_that_have_one() -> None:
    found = {
        code: profile.process.second_approval_above_usd_minor
        for code, profile in profiles().items()
    }
    assert {code: cents for code, cents in found.items() if cents is not None} == {
        "vftc": 5_000_000,
        "upr-i": 5_000_000,
    }


def anew(payday: Payday, *, above: int) -> PaymentOrder:
    """Prepare the first payment anew, in a fund whose line is `above` less than its amount."""
    order, till = payday.orders[0], payday.till
    service.cancel_order(order, "Prepared anew.", by=till.finance)
    session.execute(sa.text("ALTER TABLE profile_version DISABLE TRIGGER ALL"))
    line = {"cents": order.amount_usd - above, "fund": FUND}
    session.execute(sa.text(THRESHOLD), line)
    session.execute(sa.text("ALTER TABLE profile_version ENABLE TRIGGER ALL"))
    session.commit()
    made = service.prepare_order(order.instalment, by=till.finance)
    session.commit()
    return made


def stands_at(order: PaymentOrder) -> OrderStatus:
    return order.status


def another_approver() -> Person:
    return person(roles=[(Role.APPROVING_OFFICER, FUND, None)], name="Ben Approver")


@pytest.fixture
def large(payday: Payday) -> PaymentOrder:
    """Return a payment one cent above the line."""
    return anew(payday, above=1)


def test_a_payment_at_the_line_takes_one_approval(payday: Payday) -> None:
    order, till = anew(payday, above=0), payday.till
    assert not order.second_approval
    service.certify(order, by=till.certifier)
    service.approve(order, by=till.approver)
    assert order.status is Status.APPROVED
    with pytest.raises(Refused):
        service.approve_again(order, by=another_approver())


def test_a_payment_above_the_line_takes_two(payday: Payday, large: PaymentOrder) -> None:
    till = payday.till
    assert large.second_approval
    service.certify(large, by=till.certifier)
    service.approve(large, by=till.approver)
    assert stands_at(large) is Status.APPROVED_ONCE
    with pytest.raises(Refused):
        service.release(large, by=till.treasurer)
    session.commit()
    assert [
        each.name for each in (*checks.of_orders(), *checks.of_awards()) if each.run().violations
    ] == []
    second = another_approver()
    service.approve_again(large, by=second)
    service.approve_again(large, by=second)
    assert stands_at(large) is Status.APPROVED
    service.release(large, by=till.treasurer)
    session.commit()
    assert [each.step for each in sorted(large.approvals, key=lambda one: one.at)] == [
        ApprovalStep.CERTIFY,
        ApprovalStep.APPROVE,
        ApprovalStep.APPROVE_AGAIN,
        ApprovalStep.RELEASE,
    ]
    assert len({each.person_id for each in large.approvals}) == 4
    [file] = exchange.gather_all()
    service.hand_over(file, by=till.treasurer)
    session.commit()
    found = [*checks.of_orders(), *checks.of_awards(), *checks.of_files()]
    assert [each.name for each in found if each.run().violations] == []


def test_nobody_gives_two_of_the_four_signatures(payday: Payday, large: PaymentOrder) -> None:
    till = payday.till
    everything = person(
        roles=[
            (role, FUND, None)
            for role in (Role.CERTIFYING_OFFICER, Role.APPROVING_OFFICER, Role.TREASURY)
        ],
        name="Eve Everything",
    )
    service.certify(large, by=everything)
    for verb in (service.approve, service.approve_again):
        with pytest.raises(Refused):
            verb(large, by=everything)
    service.approve(large, by=till.approver)
    for who in (everything, till.approver, till.certifier, till.treasurer, till.finance):
        with pytest.raises(Refused):
            service.approve_again(large, by=who)
    assert large.status is Status.APPROVED_ONCE
    service.approve_again(large, by=another_approver())
    with pytest.raises(Refused):
        service.release(large, by=everything)


def test_the_database_takes_no_large_payment_with_one_approval(
    payday: Payday, large: PaymentOrder
) -> None:
    till = payday.till
    service.certify(large, by=till.certifier)
    refused(SIGN, "not for approve_again", **sign(large, "approve_again", till.approver))
    move = "UPDATE payment_order SET status = :status WHERE id = :id"
    taken(SIGN, **sign(large, "approve", till.approver))
    refused(move, "another number of approvals", status="approved", id=large.id)
    taken(move, status="approved_once", id=large.id)
    refused(move, "signature is missing", status="approved", id=large.id)
    refused(move, "cannot go from", status="released", id=large.id)
    refused(SIGN, "order_id_person_id", **sign(large, "approve_again", till.approver))
    for who in (till.finance, till.treasurer):
        refused(SIGN, "role of this step", **sign(large, "approve_again", who))
    refused(SIGN, "not for release", **sign(large, "release", till.treasurer))
    refused("UPDATE payment_order SET second_approval = false WHERE id = :id", id=large.id)
    taken(SIGN, **sign(large, "approve_again", another_approver()))
    taken(move, status="approved", id=large.id)


def test_the_database_gives_a_small_payment_no_second_approval(payday: Payday) -> None:
    order, till = payday.orders[0], payday.till
    service.certify(order, by=till.certifier)
    taken(SIGN, **sign(order, "approve", till.approver))
    with pytest.raises(DBAPIError, match="another number of approvals"), session.begin_nested():
        session.execute(
            sa.text("UPDATE payment_order SET status = 'approved_once' WHERE id = :id"),
            {"id": order.id},
        )


def test_a_large_payment_can_be_cancelled_between_its_approvals(
    payday: Payday, large: PaymentOrder
) -> None:
    service.certify(large, by=payday.till.certifier)
    service.approve(large, by=payday.till.approver)
    service.cancel_order(large, "The grantee withdrew.", by=payday.till.finance)
    session.commit()
    assert large.status is Status.CANCELLED
    assert [
        each.name for each in (*checks.of_orders(), *checks.of_awards()) if each.run().violations
    ] == []


def test_who_approves_large_and_small_together_is_told_who_is_next_for_each(
    application: Portal, payday: Payday, large: PaymentOrder
) -> None:
    both = [large.ref, payday.refs[1]]
    for order in (large, payday.orders[1]):
        service.certify(order, by=payday.till.certifier)
    session.commit()
    browser = Browser(application)
    browser.sign_in(payday.emails["approver"], PASSWORD)
    browser.open("/payments/several/approve")
    for ref in both:
        browser.choose(ref)
    browser.press("Approve several payments")
    assert (
        "1 large payment approved. Next: a second approving officer approves it too. "
        "1 payment approved. Next: treasury releases it."
    ) in browser.page.text


def test_the_second_officer_finds_the_large_payment_and_the_first_does_not(
    application: Portal, payday: Payday, large: PaymentOrder
) -> None:
    ref, second = large.ref, another_approver().email
    service.certify(large, by=payday.till.certifier)
    session.commit()
    browser = Browser(application)
    browser.sign_in(payday.emails["approver"], PASSWORD)
    browser.open(f"/payments/{ref}")
    browser.follow("Approve the entry")
    browser.press("Approve the entry")
    assert "Next: a second approving officer" in browser.page.text
    assert "Four people sign" in browser.page.text
    assert "second time" not in dict(browser.page.links)
    browser.open(f"/payments/{ref}/approve-again")
    assert browser.page.heading == f"Payment {ref}"
    browser.open("/payments")
    assert "Nothing waits for you" in browser.page.text
    browser.sign_out()
    browser.sign_in(second, PASSWORD)
    browser.open("/payments")
    browser.open("/payments/several/approve-again")
    browser.choose(ref)
    browser.press("Approve several large payments a second time")
    assert "1 payment approved. Next: treasury releases it." in browser.page.text
    session.rollback()
    assert session.scalars(sa.select(PaymentOrder).where(PaymentOrder.ref == ref)).one().status is (
        Status.APPROVED
    )
