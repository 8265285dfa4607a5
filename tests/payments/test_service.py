"""Bank details and the three signatures, by the verbs and against the database."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import BytesIO

import pypdf
import pytest

from portal.accounts.models import MemberRole, Person, Role
from portal.awards import service as awards
from portal.awards.models import Award, InstalmentStatus
from portal.core import clock
from portal.core.audit import case_events
from portal.core.db import session
from portal.core.files import open_stored
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import queries, service
from portal.payments.models import BankStatus, OrderStatus
from portal.payments.standing import current
from tests.make import payments as make
from tests.make.accounts import member, messages, person
from tests.payments.conftest import World

Status = OrderStatus


def actions(award: Award) -> list[str]:
    return [event.action for event in case_events(award.application_id)]


def text_of(content: bytes) -> str:
    pages = pypdf.PdfReader(BytesIO(content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def refuses(act: Callable[[], object], match: str = ".") -> None:
    """Expect a refusal that changes nothing."""
    session.flush()
    with pytest.raises(Refused, match=match):
        act()
    assert not session.dirty


def test_bank_details_are_sealed_and_read_by_few(world: World) -> None:
    details = make.entered(world.award)
    assert b"3704" not in details.sealed
    assert details.last_four == "3000"
    plain = service.read_bank_details(details, by=make.grantee(world.award))
    assert plain.account == "DE89370400440532013000"
    assert service.read_bank_details(details, by=world.till.finance) == plain
    assert actions(world.award).count("bank_details.read") == 2
    refuses(lambda: service.read_bank_details(details, by=world.till.certifier))
    refuses(lambda: service.read_bank_details(details, by=make.grantee(world.other)))


def test_sealed_details_of_another_row_do_not_open(world: World) -> None:
    details = make.entered(world.award)
    other = make.entered(world.award, account=make.OTHER_IBAN)
    session.expunge(other)
    other.sealed = details.sealed
    refuses(lambda: service.payee(other), "no longer be read")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"account": "DE88370400440532013000"}, "check digits"),
        ({"account": "12"}, "between 4 and 34"),
        ({"account": "١٢٣٤٥٦"}, "letters A to Z"),
        ({"bic": "COBA"}, "8 or 11"),
        ({"country": "XXX"}, "country of the bank"),
        ({"holder": "  "}, "account holder"),
        ({"holder": "—"}, "in letters"),
        ({"bic": "KCBLKENX"}, "another country"),
        ({"account": "0123456789", "bic": ""}, "at which bank"),
        ({"holder": "x" * 141}, "at most 140"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    world: World, change: dict[str, str], sentence: str
) -> None:
    typed = make.payee(**change)
    who = make.grantee(world.award)
    refuses(lambda: service.enter_bank_details(world.award, typed, by=who), sentence)


def test_only_the_grantee_enters_and_only_a_second_person_verifies(world: World) -> None:
    for who in (world.till.finance, world.officer, make.grantee(world.other)):
        refuses(
            partial(service.enter_bank_details, world.award, make.payee(), by=who),
            "entered by the grantee",
        )
    details = make.entered(world.award)
    for who in (make.grantee(world.award), world.officer, world.till.treasurer):
        refuses(
            partial(service.verify_bank_details, details, screened=True, by=who),
            "somebody else",
        )
    finance = world.till.finance
    refuses(lambda: service.verify_bank_details(details, screened=False, by=finance), "sanctions")
    service.verify_bank_details(details, screened=True, by=finance)
    service.verify_bank_details(details, screened=True, by=finance)
    assert actions(world.award).count("bank_details.verify") == 1


def test_a_refusal_reaches_the_grantee_who_corrects_it_without_a_pause(world: World) -> None:
    details = make.entered(world.award)
    refuses(lambda: service.reject_bank_details(details, " ", by=world.till.finance), "wrong")
    service.reject_bank_details(details, "Another name.", by=world.till.finance)
    told = messages(make.grantee(world.award).email, "bank_details_refused")
    assert len(told) == 1
    assert "act" not in told[0].subject.lower().split()
    again = make.entered(world.award, holder="Lakeside Circle Association")
    assert again.payable_from == again.entered_at


def test_replacing_verified_details_pauses_voids_and_warns(world: World) -> None:
    editor = member(world.paid.application.organisation, MemberRole.EDITOR)
    service.certify(world.order, by=world.till.certifier)
    new = service.enter_bank_details(world.paid, make.payee(account=make.OTHER_IBAN), by=editor)
    session.refresh(world.order)
    assert world.order.status is Status.CANCELLED
    assert world.order.bank_details.status is BankStatus.REPLACED
    assert new.payable_from - new.entered_at == timedelta(hours=48)
    assert messages(make.grantee(world.paid).email, "bank_details_changed")
    service.verify_bank_details(new, screened=True, by=world.till.finance)
    first = world.paid.instalments[0]
    refuses(lambda: service.prepare_order(first, by=world.till.finance), "48 hours")
    with clock.at(clock.now() + timedelta(hours=49)):
        order = service.prepare_order(first, by=world.till.finance)
    assert order.attempt == 2
    assert not order.approvals


def test_entering_twice_or_by_way_of_a_refusal_does_not_escape_the_pause(world: World) -> None:
    service.cancel_order(world.order, "Wait.", by=world.till.finance)
    make.entered(world.paid, account=make.OTHER_IBAN)
    twice = make.entered(world.paid, account="0123456789")
    assert twice.payable_from - twice.entered_at == timedelta(hours=48)
    service.reject_bank_details(twice, "No.", by=world.till.finance)
    again = make.entered(world.paid, account="0123456780")
    assert again.payable_from - again.entered_at == timedelta(hours=48)


def test_the_same_details_again_are_the_same(world: World) -> None:
    details = make.verified(world.award, world.till)
    assert make.entered(world.award) is details
    assert details.status is BankStatus.VERIFIED


def test_an_account_on_its_way_is_not_changed(world: World) -> None:
    make.signed(world.order, world.till)
    refuses(lambda: make.entered(world.paid, account=make.OTHER_IBAN), "on its way")


def test_the_same_account_of_two_grantees_is_seen(world: World) -> None:
    details = make.entered(world.award, holder="Somebody Else")
    twins = service.same_account(details)
    assert [twin.award for twin in twins] == [world.paid]
    told = queries.shared_accounts(world.award.application.organisation_id)
    assert told == [f"{world.paid.application.ref}: the same bank account"]


def test_gates_hold_until_each_is_open(world: World) -> None:
    first, last = world.award.instalments
    refuses(lambda: service.prepare_order(first, by=world.officer), "second person")
    make.verified(world.award, world.till)
    refuses(lambda: service.prepare_order(last, by=world.officer), "must be accepted")
    refuses(lambda: service.prepare_order(first, by=world.till.certifier), "prepared by")
    awards.suspend(world.award, "A question.", by=world.officer)
    refuses(lambda: service.prepare_order(first, by=world.officer), "must be active")
    awards.resume(world.award, "Answered.", by=world.authority)
    order = service.prepare_order(first, by=world.officer)
    assert (order.amount, order.currency) == (first.planned_usd, "USD")
    assert first.status is InstalmentStatus.ORDERED


def test_a_second_click_finds_what_the_first_one_did(world: World) -> None:
    till, order = world.till, world.order
    first = order.instalment
    assert service.prepare_order(first, by=till.finance) is order
    refuses(lambda: service.prepare_order(first, by=world.officer), "under way")
    for _click in range(2):
        service.certify(order, by=till.certifier)
    for _click in range(2):
        service.approve(order, by=till.approver)
    for _click in range(2):
        service.release(order, by=till.treasurer)
    for _click in range(2):
        service.confirm(order, reference="AG-1", paid_on=clock.today(), by=till.finance)
    for _click in range(2):
        service.acknowledge(order, by=make.grantee(world.paid))
    told = actions(world.paid)
    for action in (
        "payment_order.prepared",
        "payment_order.certify",
        "payment_order.approve",
        "payment_order.release",
        "instalment.paid:1",
        "payment_order.acknowledged",
    ):
        assert told.count(action) == 1, action
    session.commit()
    refuses(
        lambda: service.confirm(order, reference="AG-2", paid_on=clock.today(), by=till.finance)
    )


def test_one_person_with_every_role_signs_once(world: World) -> None:
    every = person(roles=[role for role in Role if role is not Role.ADMINISTRATOR])
    service.certify(world.order, by=every)
    refuses(lambda: service.approve(world.order, by=every), "somebody else")
    service.approve(world.order, by=world.till.approver)
    refuses(lambda: service.release(world.order, by=every), "somebody else")
    service.release(world.order, by=world.till.treasurer)
    today = clock.today()
    for who in (every, world.till.approver, world.till.treasurer):
        refuses(
            partial(service.confirm, world.order, reference="AG-1", paid_on=today, by=who),
            "somebody else",
        )


def test_a_colleague_of_the_grantee_with_a_role_signs_nothing(world: World) -> None:
    colleague = member(world.paid.application.organisation, MemberRole.EDITOR)
    roles = [role for role in Role if role is not Role.ADMINISTRATOR]
    colleague.roles.extend(person(roles=roles).roles)
    refuses(lambda: service.certify(world.order, by=colleague), "somebody else")


def test_whoever_entered_the_account_never_signs_even_after_leaving_the_grantee(
    world: World,
) -> None:
    entered_by = session.get_one(Person, world.order.bank_details.entered_by_id)
    for membership in entered_by.memberships:
        membership.left_at = clock.now()
    roles = [role for role in Role if role is not Role.ADMINISTRATOR]
    entered_by.roles.extend(person(roles=roles).roles)
    session.flush()
    refuses(lambda: service.certify(world.order, by=entered_by), "somebody else")


def test_signing_stops_when_the_ground_is_gone(world: World) -> None:
    awards.suspend(world.paid, "A question.", by=world.officer)
    refuses(lambda: service.certify(world.order, by=world.till.certifier), "not active")
    awards.resume(world.paid, "Answered.", by=world.authority)
    service.certify(world.order, by=world.till.certifier)
    service.reject_bank_details(
        world.order.bank_details, "The account was closed.", by=world.till.finance
    )
    session.refresh(world.order)
    assert world.order.status is Status.CANCELLED
    assert current(world.paid) is None


@pytest.mark.usefixtures("documents_as_they_are")
def test_the_instruction_names_the_account_and_is_sealed(world: World) -> None:
    order = make.signed(world.order, world.till)
    assert order.instruction is not None
    with open_stored(order.instruction) as stream:
        kept = stream.read()
    assert not kept.startswith(b"%PDF")
    text = text_of(service.read_instruction(order, by=world.till.finance))
    for words in ("DE89370400440532013000", "3,840.00", order.ref, "Cem Certifier"):
        assert words in text
    assert order.digest in text.replace(" ", "")
    assert "payment_order.instruction_read" in actions(world.paid)
    for who in (world.till.certifier, make.grantee(world.paid), world.officer):
        refuses(partial(service.read_instruction, order, by=who), "treasury and finance")


def test_confirming_books_the_advance_at_once(world: World) -> None:
    order = make.signed(world.order, world.till)
    finance, today = world.till.finance, clock.today()
    confirm = service.confirm
    refuses(lambda: confirm(order, reference=" ", paid_on=today, by=finance), "reference")
    later = today + timedelta(days=1)
    refuses(lambda: confirm(order, reference="AG-1", paid_on=later, by=finance), "future")
    before = today - timedelta(days=1)
    refuses(lambda: confirm(order, reference="AG-1", paid_on=before, by=finance), "released")
    confirm(order, reference="AG-1", paid_on=today, by=finance)
    session.commit()
    books = ledger.award_position("act", world.paid.ref)
    assert books.paid.minor == books.advanced.minor == order.amount_usd == 384_000
    assert books.committed.minor == world.paid.amount_usd - 384_000
    assert order.instalment.status is InstalmentStatus.PAID
    assert messages(make.grantee(world.paid).email, "payment_made")


def test_what_the_agent_could_not_pay_is_signed_anew(world: World) -> None:
    order = make.signed(world.order, world.till)
    refuses(lambda: service.reject_order(order, "", by=world.till.finance), "Say why")
    service.reject_order(order, "Account closed.", by=world.till.finance)
    session.commit()
    again = service.prepare_order(order.instalment, by=world.till.finance)
    assert (again.attempt, again.approvals) == (2, [])
    assert again.digest != order.digest
    make.signed(again, world.till)
    service.confirm(again, reference="AG-2", paid_on=clock.today(), by=world.till.finance)
    session.commit()
    assert ledger.award_position("act", world.paid.ref).paid.minor == 384_000


def test_what_came_back_is_taken_back_in_the_books_and_paid_again(world: World) -> None:
    order = make.signed(world.order, world.till)
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    for _click in range(2):
        service.return_order(order, "No such account.", on=clock.today(), by=world.till.finance)
    session.commit()
    books = ledger.award_position("act", world.paid.ref)
    assert (books.paid.minor, books.committed.minor) == (0, world.paid.amount_usd)
    make.paid(order.instalment, world.till, "AG-2")
    session.commit()
    assert ledger.award_position("act", world.paid.ref).paid.minor == 384_000


def test_what_left_before_the_grant_ended_can_still_be_recorded(world: World) -> None:
    order = make.signed(world.order, world.till)
    awards.terminate(world.paid, "A breach.", by=world.authority)
    assert ledger.outstanding("act", world.paid.ref).minor == 384_000
    service.confirm(order, reference="AG-1", paid_on=clock.today(), by=world.till.finance)
    session.commit()
    books = ledger.award_position("act", world.paid.ref)
    assert (books.paid.minor, books.committed.minor) == (384_000, 0)


def test_only_the_grantee_says_that_it_arrived(world: World) -> None:
    order = make.signed(world.order, world.till)
    refuses(lambda: service.acknowledge(order, by=make.grantee(world.paid)), "not confirmed")
    refuses(lambda: service.acknowledge(order, by=world.till.finance), "grantee")
