"""The exported books before an independent judge: the real `bean-check` of beancount 3."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from portal.accounting import beancount
from portal.accounting.beancount import Balance, account_name
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import service
from portal.ledger.models import AccountKind, TransactionKind
from portal.ledger.rules import Line
from tests.ledger.books import AWARD, DAY, FUND, advance, open_fund

pytestmark = pytest.mark.usefixtures("fresh_database")

BANK = AccountKind.BANK
NUMBERS = count(1)
JUDGE = Path(sys.executable).with_name("bean-check")
ONE_CENT = """
ALTER TABLE ledger_entry DISABLE TRIGGER ALL;
UPDATE ledger_entry SET usd = usd + 1, amount = amount + (currency = 'USD')::int
WHERE id = (SELECT e.id FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    WHERE a.fund_code = '{fund}' AND a.kind = '{kind}' AND e.usd > 0 LIMIT 1)
"""
TO_ANOTHER_FUND = """
ALTER TABLE ledger_entry DISABLE TRIGGER ALL;
UPDATE ledger_entry SET account_id =
    (SELECT id FROM ledger_account WHERE fund_code = 'vftc' AND kind = 'bank')
WHERE account_id = (SELECT id FROM ledger_account WHERE fund_code = 'act' AND kind = 'bank')
"""


def judged(folder: Path, balances: Sequence[Balance] = ()) -> str:
    """Export the books and return what bean-check says: nothing when all is well."""
    file = folder / "books.beancount"
    file.write_text("".join(f"{line}\n" for line in beancount.lines(balances)), encoding="utf-8")
    done = subprocess.run([JUDGE, file], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == (said == ""), said
    return said


@pytest.fixture
def books(fresh_database: str) -> None:
    """Keep books of two funds with a loss on exchange, a payment that came back, and euros."""
    del fresh_database
    open_fund(usd(9_000_00), percent="13")
    open_fund(usd(500_00), fund="vftc")
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    service.advance_paid(FUND, AWARD, usd(1_000_00), Money(610_003, "XOF"), "order:0", DAY, by=None)
    service.payment_settled("order:0", usd(1_001_07), DAY, by=None)
    service.payment_returned("order:0", DAY, by=None, credited=usd(990_00))
    advance()
    service.expenditure_accepted(FUND, AWARD, usd(3_000_00), "report:1", DAY, by=None)
    service.contribution_received(
        FUND, usd(333_33), "wire:eur", DAY, by=None, local=Money(299_99, "EUR")
    )
    session.commit()


def test_nothing_but_an_empty_file_without_books(tmp_path: Path) -> None:
    assert judged(tmp_path) == ""
    service.open_book(FUND)
    assert judged(tmp_path) == ""


@pytest.mark.usefixtures("books")
def test_sound_books_pass_with_what_the_bank_says(tmp_path: Path) -> None:
    said_by_bank = [
        (FUND, BANK, DAY, usd(8_988_93)),
        (FUND, BANK, DAY + timedelta(days=3), Money(299_99, "EUR")),
        ("vftc", BANK, DAY, usd(500_00)),
        (FUND, BANK, DAY - timedelta(days=1), usd(0)),
    ]
    assert judged(tmp_path, said_by_bank) == ""
    content = (tmp_path / "books.beancount").read_text(encoding="utf-8")
    assert "Assets:ACT:Bank  299.99 EUR @@ 333.33 USD" in content
    assert "Assets:ACT:PaymentsInTransit  -610003 XOF @@ 1000.00 USD" in content
    assert 'ref: "wire:vftc:1"' in content


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("kind", ["bank", "advances_to_grantees", "exchange_difference"])
def test_a_cent_moved_by_a_superuser_is_found(tmp_path: Path, kind: str) -> None:
    for statement in ONE_CENT.format(fund=FUND, kind=kind).split(";\n"):
        session.execute(text(statement))
    assert "does not balance" in judged(tmp_path)


@pytest.mark.usefixtures("books")
def test_funds_balance_each_by_itself(tmp_path: Path) -> None:
    for statement in TO_ANOTHER_FUND.split(";\n"):
        session.execute(text(statement))
    assert "does not balance" in judged(tmp_path)


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    "balance",
    [(FUND, BANK, DAY, usd(8_988_94)), (FUND, BANK, DAY, Money(300_00, "EUR"))],
    ids=["dollars", "euros"],
)
def test_books_that_do_not_hold_what_the_bank_says_are_found(
    tmp_path: Path, balance: Balance
) -> None:
    assert "Balance failed" in judged(tmp_path, [balance])


def test_every_account_has_a_name_of_its_own() -> None:
    names = {account_name("ldc-sids", kind) for kind in AccountKind}
    assert len(names) == len(AccountKind)
    assert "Income:LDC-SIDS:ContributionRevenue" in names


AMOUNTS = st.tuples(
    st.sampled_from(list(AccountKind)),
    st.integers(1, 10**11),
    st.integers(0, 10**11),
    st.sampled_from(["USD", "EUR", "XOF", "KWD"]),
    st.sampled_from([1, -1]),
)
BOOKINGS = st.lists(
    st.tuples(st.dates(date(2024, 1, 1), DAY), st.lists(AMOUNTS, min_size=1, max_size=5)),
    min_size=1,
    max_size=20,
)


@settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(BOOKINGS)
def test_whatever_is_booked_balances_before_the_judge(
    tmp_path: Path, bookings: list[tuple[date, list[tuple[AccountKind, int, int, str, int]]]]
) -> None:
    fund = f"fund-{next(NUMBERS)}"
    service.open_book(fund)
    for day, amounts in bookings:
        lines = [
            Line(
                fund,
                kind,
                Money(sign * minor, currency),
                sign * (minor if currency == "USD" else cents),
            )
            for kind, minor, cents, currency, sign in amounts
        ]
        rest = -sum(line.usd for line in lines)
        last = Line(fund, AccountKind.SUSPENSE, usd(rest), rest)
        own = [Line(fund, BANK, Money(side, "EUR"), 0) for side in (1, -1)]
        ref = f"any:{next(NUMBERS)}"
        service.post(
            TransactionKind.SUSPENSE_ALLOCATED,
            ref,
            [*lines, *([last] if rest else own)],
            on=day,
            by=None,
        )
    session.commit()
    assert judged(tmp_path) == ""
