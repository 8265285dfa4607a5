"""Gates, amounts and digests, without a database."""

from dataclasses import fields, replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.i18n import _l
from portal.payments import rules
from portal.payments.rules import Circumstances, Facts, due, owed_back

ALL_OPEN = Facts(
    signed=True,
    bank_verified=True,
    bank_payable=True,
    committed=True,
    reports_accepted=True,
    something_due=True,
    earlier_paid=True,
    amount_stands=True,
    active=True,
    free=True,
)
PLAIN = Circumstances(grant=_l("Suspended"))
CENTS = st.integers(min_value=0, max_value=500_000)


def test_nothing_closes_a_gate_when_all_is_well() -> None:
    assert all(gate.is_open for gate in rules.gates(ALL_OPEN, PLAIN))


@pytest.mark.parametrize("field", [field.name for field in fields(Facts)])
def test_each_fact_closes_exactly_one_gate(field: str) -> None:
    facts = replace(ALL_OPEN, **{field: False})
    closed = [gate for gate in rules.gates(facts, PLAIN) if not gate.is_open]
    assert len(closed) == 1
    assert str(closed[0].sentence)
    assert closed[0].rule in {"R21", "R22", "R26", "R30"}


def test_a_prepared_payment_rests_on_every_gate_but_that_none_is_under_way() -> None:
    under_way = replace(ALL_OPEN, free=False)
    assert all(gate.is_open for gate in rules.conditions(under_way, PLAIN))


@given(planned=CENTS, accepted=CENTS, paid=CENTS)
def test_what_is_due_never_pays_beyond_the_plan_or_what_was_spent(
    planned: int, accepted: int, paid: int
) -> None:
    amount = due(planned, capped=True, accepted=accepted, paid=paid)
    assert 0 <= amount <= planned
    assert amount == 0 or paid + amount <= accepted
    assert amount == planned or paid + amount == accepted or accepted <= paid


@given(accepted=CENTS, paid=CENTS)
def test_what_comes_back_is_what_was_paid_and_not_spent(accepted: int, paid: int) -> None:
    assert owed_back(accepted=accepted, paid=paid) == max(0, paid - accepted)


def test_an_advance_pays_what_was_planned_whatever_was_spent() -> None:
    assert due(400_000, capped=False, accepted=0, paid=0) == 400_000


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [(500_000, 100_000), (450_000, 50_000), (400_001, 1), (400_000, 0), (100_000, 0)],
)
def test_the_last_instalment_pays_what_was_spent_beyond_the_advance(
    accepted: int, expected: int
) -> None:
    assert due(100_000, capped=True, accepted=accepted, paid=400_000) == expected


def test_the_digest_is_of_exactly_these_bytes() -> None:
    body = (
        '{"amount":400000,"amount_usd":400000,"currency":"USD",'
        '"order":"7K3M-Q9PX","payee":"ab12","rail":"agent"}'
    )
    assert (
        rules.order_digest(
            order_ref="7K3M-Q9PX",
            payee="ab12",
            amount=400_000,
            currency="USD",
            amount_usd=400_000,
            rail="agent",
        )
        == sha256(body.encode()).hexdigest()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"order_ref": "8K3M-Q9PX"},
        {"payee": "ab13"},
        {"amount": 400_001},
        {"currency": "EUR"},
        {"amount_usd": 400_001},
        {"rail": "bank"},
    ],
)
def test_any_other_word_is_another_digest(change: dict[str, str | int]) -> None:
    said: dict[str, str | int] = {
        "order_ref": "7K3M-Q9PX",
        "payee": "ab12",
        "amount": 400_000,
        "currency": "USD",
        "amount_usd": 400_000,
        "rail": "agent",
    }
    digest: object = rules.order_digest
    assert callable(digest)
    assert digest(**said) != digest(**(said | change))
