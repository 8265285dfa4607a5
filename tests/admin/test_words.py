"""No act of record without words: the code is searched for the names of acts."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.admin import words
from portal.admin.history import TONES
from portal.admin.policy import TOLD_TO_APPLICANTS
from portal.applications.workflow import WORKFLOW as APPLICATION
from portal.awards.amendments.workflow import AMENDMENT_WORKFLOW
from portal.awards.workflow import WORKFLOW as AWARD
from portal.contributions.models.cards import GiftStatus, PayoutStatus
from portal.contributions.workflow import AGREEMENT_WORKFLOW as DONOR_AGREEMENTS
from portal.contributions.workflow import PLEDGE_WORKFLOW, REFUND_WORKFLOW
from portal.core.config import ROOT
from portal.core.workflow import Workflow
from portal.funds.workflow import WORKFLOW as CALL
from portal.ledger.models import TransactionKind
from portal.payments.models import OrderAction
from portal.payments.workflow import BANK_WORKFLOW, ORDER_WORKFLOW
from portal.reports.models import ReviewSide
from portal.reports.workflow import WORKFLOW as REPORT
from portal.reviews.workflow import RECOMMENDATION_WORKFLOW, SHEET_WORKFLOW
from tests import make

SOURCES = [path for path in (ROOT / "portal").rglob("*.py") if "core" not in path.parts]
TABLES: tuple[Workflow[Any], ...] = (
    AMENDMENT_WORKFLOW,
    APPLICATION,
    AWARD,
    BANK_WORKFLOW,
    CALL,
    DONOR_AGREEMENTS,
    ORDER_WORKFLOW,
    PLEDGE_WORKFLOW,
    RECOMMENDATION_WORKFLOW,
    REFUND_WORKFLOW,
    REPORT,
    SHEET_WORKFLOW,
)


def literals(node: ast.expr) -> Iterator[str]:
    """Yield the names that an expression can stand for; an f-string up to its first value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values
        )


def named_in(path: Path) -> Iterator[str]:
    """Yield the names of the acts that a module records."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        if isinstance(call.func, ast.Attribute) and call.func.attr == "record" and call.args:
            yield from literals(call.args[0])
        for keyword in call.keywords:
            if keyword.arg == "event":
                yield from literals(keyword.value)


FAMILIES = {
    "card_gift.*": [f"card_gift.{status.value}" for status in GiftStatus],
    "card_payout.*": [f"card_payout.{status.value}" for status in PayoutStatus],
    "card_refund.*": [f"card_refund.{act}" for act in ("asked", "found", "done", "failed")],
    "ledger.*": [f"ledger.{kind.value}" for kind in TransactionKind],
    "payment_order.*": [f"payment_order.{action}" for action in OrderAction],
    "report.*_accepted": [f"report.{side.value}_accepted" for side in ReviewSide],
}
"""Acts that are named by a member of a closed list."""


def known(name: str) -> bool:
    """Say whether an act, or each of a family of acts, has words."""
    stem = name.partition(":")[0]
    return set(FAMILIES.get(stem, [stem])) <= words.WORDS.keys()


def test_every_act_that_is_recorded_has_words() -> None:
    found = {name for path in SOURCES for name in named_in(path)}
    assert len(found) > 60, "the search finds the acts at all"
    assert sorted(name for name in found if not known(name)) == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.kind)
def test_every_transition_has_words(table: Workflow[Any]) -> None:
    names = {f"{table.kind}.{row.action}" for row in table.rows}
    assert sorted(names - words.WORDS.keys()) == []


def test_every_station_of_every_fund_has_words() -> None:
    names = {
        action.partition(":")[0]
        for profile in make.profiles().values()
        for station in profile.stations
        for action in station.completed_by
    }
    assert sorted(names - words.WORDS.keys()) == []


def test_what_applicants_are_told_and_what_is_shaded_are_acts_with_words() -> None:
    assert sorted((TOLD_TO_APPLICANTS | TONES.keys()) - words.WORDS.keys()) == []


def test_an_act_with_a_key_names_it() -> None:
    assert words.in_words("instalment.paid:2") == "Instalment paid: 2"
    titled = words.in_words("report.accepted:final", {"final": "Final report"})
    assert titled == "Report accepted: Final report"


def test_an_act_without_words_is_shown_by_its_code_and_not_hidden() -> None:
    assert words.in_words("moon.landed") == "moon.landed"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"amount_usd": 480_000, "digest": "ab"}, "US$ 4,800.00"),
        ({"usd": -100, "requested_usd": 900}, "US$ 1.00"),
        ({"usd": True}, ""),
        ({}, ""),
    ],
)
def test_the_amount_of_an_act_is_said_once(facts: dict[str, object], said: str) -> None:
    assert words.amount(facts) == said


def test_facts_are_said_in_short_and_in_order() -> None:
    facts = {"to": None, "lines": [1, 2], "by": {"b": "x", "a": 1}}
    assert words.in_short(facts) == "by: {a: 1; b: x}; lines: 1, 2; to: –"


def test_on_a_page_identifiers_and_digests_are_short() -> None:
    facts = {"digest": "ab" * 32, "grant": "f" * 8 + "-0000-0000-0000-" + "0" * 12, "ref": "7K3M"}
    assert words.in_short(facts, brief=True) == "digest: abababab…; grant: ffffffff…; ref: 7K3M"
    assert "ab" * 32 in words.in_short(facts)


def test_states_are_said_in_words() -> None:
    assert words.state("application", "in_review") == "In review"
    assert words.state("application", None) == "–"
    assert words.state("lantern", "lit") == "lit"
