"""What the bank said that accounts held, for whoever judges the books by it."""

from datetime import date

from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import queries as ledger
from portal.payments.statements import service
from portal.payments.statements.queries import closings
from tests.payments.statements.books import taken_in
from tests.payments.statements.teller import Move, Teller


def said() -> list[tuple[date, Money]]:
    """Return the days and balances of the fund."""
    return [(day, money) for fund, day, money in closings() if fund == "act"]


def test_of_two_statements_of_a_day_the_last_one_counts(teller: Teller) -> None:
    with clock.at(clock.now()):
        for cents in (300_00, -40_00, 700_00, -5_00):
            taken_in(teller, Move(cents))
    assert said() == [(clock.today(), usd(teller.balance))]
    assert ledger.bank_balance("act", "USD") == usd(teller.balance)


def test_a_day_by_which_something_is_still_to_be_booked_is_left_out(teller: Teller) -> None:
    service.import_statement(teller.file(Move(300_00)), by=None)
    session.commit()
    assert said() == []
    service.import_statement(teller.file(), by=None)
    session.commit()
    assert said() == []
    while service.book_lines().did_something:
        session.commit()
    assert said() == [(clock.today(), usd(teller.balance))]
