"""A file of statements is taken whole or not at all, and once."""

import tracemalloc
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import func, select

from portal.accounts.models import Role
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments.statements import service
from portal.payments.statements.models import (
    Statement,
    StatementFile,
    StatementFilePart,
    StatementLine,
)
from portal.payments.statements.service.keeping import particulars, unpacked
from tests.make import payments as make
from tests.make.accounts import person
from tests.payments.conftest import World
from tests.payments.statements.books import lines, taken_in, wrong
from tests.payments.statements.teller import Move, Teller, file

TABLES = (StatementFile, StatementFilePart, Statement, StatementLine)


def kept() -> list[int]:
    """Return how many rows of each table there are."""
    return [session.scalar(select(func.count()).select_from(each)) or 0 for each in TABLES]


def refused(content: BytesIO, match: str) -> None:
    """Expect a refusal that keeps nothing, not even where the caller goes on."""
    before = [*kept(), service.waiting()]
    with pytest.raises(Refused, match=match):
        service.import_statement(content, by=None)
    session.commit()
    assert [*kept(), service.waiting()] == before


def test_lines_that_nobody_knows_wait_in_suspense(world: World, teller: Teller) -> None:
    [done] = service.import_statement(
        teller.file(Move(10_000, "thank you"), Move(-250, code="MDOP/CHRG")), by=world.till.finance
    )
    session.commit()
    assert (done.is_new, done.lines, done.matched) == (True, 2, 0)
    booked = service.book_lines()
    session.commit()
    assert (booked.booked, booked.suspended, booked.stuck) == (0, 2, 0)
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)
    assert ledger.in_suspense("act", "USD", credits_=True) == usd(10_000)
    assert service.waiting() == 0
    assert wrong() == []


def test_a_file_replayed_changes_nothing(teller: Teller) -> None:
    content = teller.file(Move(10_000))
    service.import_statement(content, by=None)
    session.commit()
    before = kept()
    [again] = service.import_statement(content, by=None)
    assert again.again
    assert kept() == before


def test_the_same_statement_in_another_file_changes_nothing(teller: Teller) -> None:
    said = teller.statement(Move(10_000))
    service.import_statement(file(said), by=None)
    session.commit()
    refused(file(said, message_id="M-2"), "imported already")


def test_what_is_kept_is_what_came_and_says_nothing_of_people(teller: Teller) -> None:
    content = teller.file(Move(10_000, "From Amina"))
    [done] = service.import_statement(content, by=None)
    session.commit()
    assert b"".join(unpacked(done.statement.file)) == content.getvalue()
    [line] = lines(done.statement)
    found = particulars(line)
    assert (found.counterparty, found.remittance) == ("Ministry of Good", "From Amina")
    assert found.account_end == "0005"
    plain = [*session.scalars(select(StatementFilePart.sealed)), line.particulars]
    assert not any(word in sealed for word in (b"Amina", b"NL30", b"Good") for sealed in plain)


def test_two_statements_in_one_file_go_on_one_from_the_other(teller: Teller) -> None:
    first, second = teller.statement(Move(100)), teller.statement(Move(-40))
    done = service.import_statement(file(first, second), by=None)
    assert [each.statement.sequence for each in done] == [1, 2]


def test_two_statements_in_the_wrong_order_are_refused(teller: Teller) -> None:
    first, second = teller.statement(Move(100)), teller.statement(Move(-40))
    refused(file(second, first), "Statement number 1 was taken in already, or is passed")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": 3}, "A statement is missing"),
        ({"opening": 5}, "does not begin with what the account held"),
        ({"closing": 5}, "do not lead to its closing balance"),
        ({"currency": "EUR"}, "kept in USD, the statement is in EUR"),
        ({"account": "NL77MOCK0000000099"}, "No fund has the account"),
        ({"number": 1, "name": "OLD"}, "Statement number 1 was taken in already, or is passed"),
    ],
)
def test_what_does_not_go_on_is_refused_with_its_figures(
    teller: Teller, changes: dict[str, object], sentence: str
) -> None:
    taken_in(teller, Move(100))
    refused(teller.file(Move(50), **changes), sentence)


def test_a_statement_older_than_the_first_is_refused(teller: Teller) -> None:
    taken_in(teller, Move(100))
    before = clock.today() - timedelta(days=9)
    refused(teller.file(Move(50), on=before), "older than the latest")


def test_a_number_that_is_passed_names_both_numbers(teller: Teller) -> None:
    for minor in (100, -40, 7):
        taken_in(teller, Move(minor))
    refused(teller.file(Move(50), number=2, name="AGAIN"), "the latest one is number 3")


def test_an_identifier_is_quoted_on_one_line_and_cut(teller: Teller) -> None:
    taken_in(teller, Move(100))
    name = "\u202eEVIL\n" + "A" * 500
    refused(
        teller.file(Move(50), opening=5, name=name), f"Statement EVIL {'A' * 35}… does not begin"
    )


def test_a_statement_imported_before_with_other_balances_is_refused(teller: Teller) -> None:
    taken_in(teller, Move(100))
    name = f"ST-{teller.account[-4:]}-1"
    refused(teller.file(Move(50), name=name), "imported before, with other balances")


def test_a_reference_of_the_bank_stands_once(teller: Teller) -> None:
    taken_in(teller, Move(100, reference="B-1"))
    refused(teller.file(Move(50, reference="B-1")), "stands on statement")
    teller.balance, teller.number = teller.balance - 50, teller.number - 1
    refused(teller.file(Move(50, reference="B-2"), Move(50, reference="B-2")), "stands twice on")


def test_the_same_lines_under_other_references_do_not_go_on(teller: Teller) -> None:
    balance = teller.balance
    taken_in(teller, Move(100, "once", reference="B-1"))
    refused(
        teller.file(Move(100, "once", reference="B-9"), opening=balance, number=2, name="AGAIN"),
        "does not begin with",
    )


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda xml: xml.replace(b"001.08", b"001.99"), "version|Version"),
        (lambda xml: xml[: len(xml) // 2], "."),
        (lambda xml: xml[:0], "."),
        (lambda xml: b"%PDF-1.7" + xml, "."),
        (
            lambda xml: xml.replace(
                b"<Document", b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document', 1
            ).replace(b"<Ustrd>", b"<Ustrd>&b;"),
            ".",
        ),
        (lambda xml: xml.replace(b">1.00</Amt><CdtDbtInd>", b">-1.00</Amt><CdtDbtInd>"), "."),
        (lambda xml: xml.replace(b'<Ntry><Amt Ccy="USD">', b'<Ntry><Amt Ccy="EUR">'), "."),
        (lambda xml: xml.replace(b"camt.053.001.08", b"camt.054.001.08"), "."),
    ],
)
def test_a_hostile_file_is_refused_in_one_sentence(
    teller: Teller, spoil: "object", sentence: str
) -> None:
    content = teller.file(Move(100))
    assert callable(spoil)
    refused(BytesIO(spoil(content.getvalue())), sentence)


def test_only_those_who_keep_the_money_of_the_fund_import(world: World, teller: Teller) -> None:
    content = teller.file(Move(100))
    others = [
        world.till.certifier,
        make.grantee(world.paid),
        person(roles=[Role.AUDITOR]),
        person(roles=[(Role.FINANCE_OFFICER, "vftc", None)]),
        person(roles=[(Role.FINANCE_OFFICER, "act", "KEN")]),
    ]
    for who in others:
        with pytest.raises(Refused, match="treasury or finance of the fund"):
            service.import_statement(content, by=who)
    [done] = service.import_statement(content, by=world.till.treasurer)
    assert done.is_new


def test_memory_does_not_grow_with_the_file(teller: Teller) -> None:
    def most(count: int) -> int:
        content = teller.file(*(Move(100 + each, f"gift {each}") for each in range(count)))
        tracemalloc.start()
        service.import_statement(content, by=None)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        session.commit()
        session.expunge_all()
        return peak

    most(500)
    assert most(2_500) < 1.5 * most(1_000)
