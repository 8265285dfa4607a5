"""Two at once, with real transactions: a file is taken once, a line is booked once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import sqlalchemy as sa
from sqlalchemy import func, select

from portal.core.db import session
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments.statements import service
from portal.payments.statements.models import Allocation, LineStatus, Purpose, StatementLine
from portal.payments.statements.service import Target
from tests.make.accounts import person_with
from tests.payments.conftest import World
from tests.payments.statements.books import taken_in, wrong
from tests.payments.statements.teller import Move, Teller

Act = Callable[[], object]


def at_once(*acts: Act) -> list[str]:
    """Run each act in a transaction of its own, all at the same moment; return how each ended."""
    session.commit()
    gate = Barrier(len(acts))

    def run(act: Act) -> str:
        try:
            session.execute(sa.text("SELECT 1"))
            gate.wait(timeout=20)
            act()
            session.commit()
        except (Refused, sa.exc.IntegrityError, sa.orm.exc.StaleDataError) as refused:
            session.rollback()
            return type(refused).__name__
        else:
            return "done"
        finally:
            session.remove()

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(run, acts))


def lines() -> int:
    return session.scalar(select(func.count()).select_from(StatementLine)) or 0


def test_two_imports_of_the_same_file_take_it_once(world: World, teller: Teller) -> None:
    del world
    content = teller.file(*(Move(100 + each) for each in range(20))).getvalue()

    def take() -> None:
        from io import BytesIO

        service.import_statement(BytesIO(content), by=None)

    assert at_once(take, take, take) == ["done", "done", "done"]
    assert lines() == 20


def test_two_statements_of_the_same_day_do_not_both_go_on(world: World, teller: Teller) -> None:
    del world
    taken_in(teller, Move(100))
    one = teller.statement(Move(1), number=2, name="A")
    other = teller.statement(Move(2), number=2, name="B")
    from tests.payments.statements.teller import file

    ends = at_once(
        lambda: service.import_statement(file(one), by=None),
        lambda: service.import_statement(file(other, message_id="M-2"), by=None),
    )
    assert ends == ["Unsound", "done"]
    assert lines() == 2


def test_two_workers_book_each_line_once(world: World, teller: Teller) -> None:
    del world
    service.import_statement(teller.file(*(Move(100 + each) for each in range(12))), by=None)
    at_once(service.book_lines, service.book_lines)
    assert service.waiting() == 0
    assert ledger.bank_balance("act", "USD").minor == teller.balance
    assert wrong() == []


def test_two_people_do_not_both_say_what_a_line_is(world: World, teller: Teller) -> None:
    [line] = taken_in(teller, Move(-250))
    line_id, finance = line.id, world.town.emails["finance"]

    def say(purpose: Purpose) -> Act:
        def act() -> None:
            who = person_with(finance)
            service.allocate(line_id, Target(purpose, -200), f"As {purpose}.", by=who)

        return act

    assert at_once(say(Purpose.BANK_CHARGE), say(Purpose.BANK_CHARGE)) == ["Refused", "done"]
    taken = select(func.sum(Allocation.amount)).where(Allocation.line_id == line_id)
    assert session.scalar(taken) == -200
    assert session.get_one(StatementLine, line_id).status is LineStatus.SUSPENSE
    assert wrong() == []
