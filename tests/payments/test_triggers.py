# ruff: noqa: S608 — the statements are made of values of this file
"""Somebody with SQL in their hands: four eyes, the ceiling, and what was signed, all the same."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.accounts.models import MemberRole, Person, Role
from portal.awards import service as awards
from portal.awards.models import Award
from portal.core.db import session
from portal.payments import rules, service
from portal.payments.models import OrderStatus, PaymentOrder
from tests.make import payments as make
from tests.make.accounts import member, person
from tests.make.awards import officer
from tests.make.payments import Till
from tests.payments.conftest import World

Status = OrderStatus

SIGN = """
INSERT INTO payment_approval (id, order_id, step, person_id, digest, at)
VALUES (gen_random_uuid(), :order, :step, :person, :digest, now())
"""
ORDER = """
INSERT INTO payment_order (id, version, ref, instalment_id, bank_details_id, attempt, rail, status,
    amount, currency, amount_usd, digest, prepared_by_id, prepared_at, remark,
    second_approval, paid_after_all)
SELECT gen_random_uuid(), 1, :ref, :instalment, :details, :attempt, 'agent', :status,
    :amount, 'USD', :amount, :digest, entered_by_id, clock_timestamp(), '',
    false, false
FROM bank_details WHERE id = :details
"""


@pytest.fixture
def till(world: World) -> Till:
    return world.till


@pytest.fixture
def award(world: World) -> Award:
    return world.award


@pytest.fixture
def order(world: World) -> PaymentOrder:
    return world.order


def attempt(statement: str, values: dict[str, object]) -> None:
    """Run `statement` in a savepoint, and let what is deferred speak."""
    with session.begin_nested():
        session.execute(sa.text(statement), values)
        session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


def refused(statement: str, match: str = ".", **values: object) -> None:
    """Run `statement` and expect the database to refuse it, at the latest at its commit."""
    session.flush()
    with pytest.raises(DBAPIError, match=match):
        attempt(statement, values)
    session.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))


def taken(statement: str, **values: object) -> None:
    session.execute(sa.text(statement), values)


def sign(
    order: PaymentOrder, step: str, who: Person, digest: str | None = None
) -> dict[str, object]:
    return {
        "order": order.id,
        "step": step,
        "person": who.id,
        "digest": digest or order.digest,
    }


def forged(order: PaymentOrder, **changes: object) -> dict[str, object]:
    """Return the values of a further order, whose digest is right unless told otherwise."""
    values: dict[str, object] = {
        "ref": "FORG-ED00",
        "instalment": order.instalment_id,
        "details": order.bank_details_id,
        "attempt": order.attempt + 1,
        "amount": order.amount,
        "status": "prepared",
    }
    values |= changes
    values.setdefault(
        "digest",
        rules.order_digest(
            order_ref=str(values["ref"]),
            payee=order.bank_details.digest,
            amount=int(str(values["amount"])),
            currency="USD",
            amount_usd=int(str(values["amount"])),
            rail="agent",
        ),
    )
    return values


def test_the_honest_way_is_open_in_sql_too(order: PaymentOrder, till: Till) -> None:
    taken(SIGN, **sign(order, "certify", till.certifier))
    taken("UPDATE payment_order SET status = 'certified' WHERE id = :id", id=order.id)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "amount + 1"),
        ("amount_usd", "amount_usd - 1"),
        ("amount = 1, amount_usd", "1"),
        ("currency", "'EUR'"),
        ("rail", "'bank'"),
        ("digest", "repeat('0', 64)"),
        ("ref", "'OTHR-0000'"),
        ("attempt", "9"),
        ("prepared_at", "now() - interval '1 year'"),
        ("bank_details_id", "(SELECT id FROM bank_details WHERE id <> bank_details_id LIMIT 1)"),
        ("prepared_by_id", "(SELECT id FROM person WHERE id <> prepared_by_id LIMIT 1)"),
        ("agent_reference", "'forged'"),
        ("paid_on", "current_date"),
    ],
)
def test_what_is_signed_never_changes(world: World, column: str, value: str) -> None:
    order, till = world.order, world.till
    service.certify(order, by=till.certifier)
    make.entered(world.other, account=make.OTHER_IBAN)
    refused(f"UPDATE payment_order SET {column} = {value} WHERE id = :id", id=order.id)


@pytest.mark.parametrize("status", ["approved", "released", "confirmed", "rejected", "returned"])
def test_no_step_is_jumped(order: PaymentOrder, status: str) -> None:
    refused(f"UPDATE payment_order SET status = '{status}' WHERE id = :id", id=order.id)


def test_no_status_without_its_signature(order: PaymentOrder, till: Till) -> None:
    refused(
        "UPDATE payment_order SET status = 'certified' WHERE id = :id",
        "signature is missing",
        id=order.id,
    )
    service.certify(order, by=till.certifier)
    refused(
        "UPDATE payment_order SET status = 'approved' WHERE id = :id",
        "signature is missing",
        id=order.id,
    )


def test_no_release_without_its_instruction(order: PaymentOrder, till: Till) -> None:
    make.signed(order, till, Status.APPROVED)
    session.flush()
    taken(SIGN, **sign(order, "release", till.treasurer))
    refused(
        "UPDATE payment_order SET status = 'released' WHERE id = :id",
        "released_has_an_instruction",
        id=order.id,
    )


def test_nobody_signs_twice(order: PaymentOrder, till: Till) -> None:
    both = person(
        roles=[(Role.CERTIFYING_OFFICER, "act", None), (Role.APPROVING_OFFICER, "act", None)]
    )
    service.certify(order, by=both)
    refused(SIGN, "order_id_person_id", **sign(order, "approve", both))
    refused(SIGN, "not for certify", **sign(order, "certify", till.certifier))


def test_the_steps_come_in_their_order(order: PaymentOrder, till: Till) -> None:
    refused(SIGN, "not for approve", **sign(order, "approve", till.approver))
    refused(SIGN, "not for release", **sign(order, "release", till.treasurer))
    refused(SIGN, ".", **sign(order, "confirm", till.treasurer))


def test_only_the_orders_own_digest_is_signed(order: PaymentOrder, till: Till) -> None:
    refused(SIGN, "not the digest", **sign(order, "certify", till.certifier, "0" * 64))


def test_only_the_role_of_the_step_signs(order: PaymentOrder, till: Till) -> None:
    other_fund = person(roles=[(Role.CERTIFYING_OFFICER, "vftc", None)])
    for who in (till.finance, till.approver, other_fund):
        refused(SIGN, "role of this step", **sign(order, "certify", who))


def test_an_ended_role_signs_nothing(order: PaymentOrder, till: Till) -> None:
    taken(
        "UPDATE role_grant SET ended_at = now(), ended_by_id = :other WHERE person_id = :who",
        who=till.certifier.id,
        other=till.approver.id,
    )
    refused(SIGN, "role of this step", **sign(order, "certify", till.certifier))


def test_whoever_entered_the_account_signs_nothing(award: Award, till: Till) -> None:
    editor = member(award.application.organisation, MemberRole.EDITOR)
    details = service.enter_bank_details(award, make.payee(), by=editor)
    service.verify_bank_details(details, screened=True, by=till.finance)
    order = service.prepare_order(award.instalments[0], by=till.finance)
    taken(
        "UPDATE role_grant SET person_id = :editor WHERE person_id = :certifier",
        editor=editor.id,
        certifier=till.certifier.id,
    )
    refused(SIGN, "entered the bank details", **sign(order, "certify", editor))
    taken("UPDATE membership SET left_at = now() WHERE person_id = :editor", editor=editor.id)
    refused(SIGN, "entered the bank details", **sign(order, "certify", editor))


def test_nobody_of_the_grantee_signs(order: PaymentOrder, till: Till) -> None:
    grantee = order.instalment.award.application.organisation
    colleague = member(grantee, MemberRole.EDITOR)
    taken(
        "UPDATE role_grant SET person_id = :colleague WHERE person_id = :certifier",
        colleague=colleague.id,
        certifier=till.certifier.id,
    )
    refused(SIGN, "works for the grantee", **sign(order, "certify", colleague))


def test_nothing_is_signed_while_the_grant_is_suspended(order: PaymentOrder, till: Till) -> None:
    award = order.instalment.award
    awards.suspend(award, "A question is open.", by=officer(award))
    refused(SIGN, "the award is suspended", **sign(order, "certify", till.certifier))


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
@pytest.mark.parametrize("table", ["payment_approval", "payment_order", "bank_details"])
def test_nothing_is_taken_back(order: PaymentOrder, till: Till, table: str, statement: str) -> None:
    service.certify(order, by=till.certifier)
    if statement.startswith("UPDATE"):
        statement = {
            "payment_approval": "UPDATE {} SET at = now()",
            "payment_order": "UPDATE {} SET prepared_at = now()",
            "bank_details": "UPDATE {} SET entered_at = now() - interval '9 days'",
        }[table]
    refused(statement.format(table))


def no_second_live_order(order: PaymentOrder) -> None:
    """Demand that the database takes no second live order of an instalment, however small."""
    refused(ORDER, "live_per_instalment", **forged(order, amount=1))


def test_a_second_live_order_is_impossible(order: PaymentOrder) -> None:
    no_second_live_order(order)
    refused(ORDER, "live_per_instalment|above the award", **forged(order))


def test_no_order_is_above_its_instalment(order: PaymentOrder, till: Till) -> None:
    service.cancel_order(order, "Not now.", by=till.finance)
    planned = order.instalment.planned_usd
    refused(ORDER, "above the award", **forged(order, amount=planned + 1))
    taken(ORDER, **forged(order, amount=planned))


def test_no_order_is_above_what_is_set_aside(award: Award, till: Till) -> None:
    order = make.order(Status.CANCELLED, award, till)
    taken(
        """INSERT INTO commitment
        (id, fund_code, source_ref, movement_ref, amount_usd_minor, made_at)
        VALUES (gen_random_uuid(), 'act', :ref, 'gone', :gone, now())""",
        ref=award.ref,
        gone=-(award.amount_usd - 100),
    )
    refused(ORDER, "set aside", **forged(order))


def test_an_order_begins_unsigned_with_its_own_digest(order: PaymentOrder, till: Till) -> None:
    service.cancel_order(order, "Not now.", by=till.finance)
    refused(ORDER, "begins as prepared", **forged(order, status="approved"))
    refused(ORDER, "digest", **forged(order, digest=order.digest))


def test_only_the_awards_own_verified_account_is_paid_to(world: World) -> None:
    order, till = world.order, world.till
    service.cancel_order(order, "Not now.", by=till.finance)
    other = make.verified(world.other, till, account=make.OTHER_IBAN)
    unverified = make.entered(order.instalment.award, account=make.OTHER_IBAN)
    for details in (other, unverified):
        values = forged(order, details=details.id)
        values["digest"] = rules.order_digest(
            order_ref="FORG-ED00",
            payee=details.digest,
            amount=order.amount,
            currency="USD",
            amount_usd=order.amount,
            rail="agent",
        )
        refused(ORDER, "own verified bank details", **values)


def test_an_instalment_is_what_its_orders_say(award: Award, till: Till) -> None:
    number_one = award.instalments[0]
    refused(
        "UPDATE instalment SET status = 'paid', paid_usd = 100 WHERE id = :id",
        "not what its orders say",
        id=number_one.id,
    )
    order = make.order(Status.RELEASED, award, till)
    refused(
        "UPDATE instalment SET status = 'planned' WHERE id = :id",
        "not what its orders say",
        id=number_one.id,
    )
    service.confirm(order, reference="AG-1", paid_on=order.prepared_at.date(), by=till.finance)
    refused(
        "UPDATE instalment SET status = 'planned', paid_usd = 0 WHERE id = :id",
        "not what its orders say",
        id=number_one.id,
    )
    refused(
        "UPDATE instalment SET paid_usd = paid_usd - 1 WHERE id = :id",
        "not what its orders say",
        id=number_one.id,
    )


def test_who_signed_does_not_confirm(award: Award, till: Till) -> None:
    order = make.order(Status.RELEASED, award, till)
    refused(
        """UPDATE payment_order SET status = 'confirmed', confirmed_at = now(),
        confirmed_by_id = :who, agent_reference = 'x', paid_on = current_date WHERE id = :id""",
        "does not confirm",
        id=order.id,
        who=till.treasurer.id,
    )


def test_bank_details_are_never_edited(award: Award, till: Till) -> None:
    make.verified(award, till)
    for change in ("sealed = '\\x00'", "payable_from = now()", "fingerprint = repeat('0', 64)"):
        refused(f"UPDATE bank_details SET {change}", "never edited")
    for change in ("checked_at = now()", "verified_at = NULL", "remark = 'x'"):
        refused(f"UPDATE bank_details SET {change}", "stands|verified_at")
    refused("UPDATE bank_details SET status = 'entered'", "cannot go from")


def test_who_entered_an_account_does_not_verify_it(award: Award) -> None:
    details = make.entered(award)
    refused(
        """UPDATE bank_details SET status = 'verified', verified_at = now(), checked_at = now(),
        checked_by_id = entered_by_id WHERE id = :id""",
        "a_second_person_checks",
        id=details.id,
    )


def test_what_replaces_verified_details_waits(award: Award, till: Till) -> None:
    details = make.verified(award, till)
    service.reject_bank_details(details, "The account was closed.", by=till.finance)
    copy = """INSERT INTO bank_details (id, version, award_id, status, sealed, last_four,
        fingerprint, digest, entered_by_id, entered_at, payable_from, remark)
        SELECT :new, 1, award_id, 'entered', sealed, last_four, fingerprint, digest,
        entered_by_id, now(), now() + :pause ::interval, '' FROM bank_details WHERE id = :id"""
    refused(copy, "after 48 hours", new=uuid4(), id=details.id, pause="47 hours")
    taken(copy, new=uuid4(), id=details.id, pause="48 hours")


def test_a_file_is_not_closed_before_it_is_settled(award: Award) -> None:
    refused(
        "UPDATE award SET status = 'closed', closed_at = now() WHERE id = :id",
        "not settled",
        id=award.id,
    )
