"""Two at once: real connections, real threads, one dollar."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.ledger import queries, service
from portal.ledger.models import Commitment, LedgerTransaction
from tests.ledger.books import AWARD, DAY, FUND, advance, open_fund

pytestmark = pytest.mark.usefixtures("fresh_database")

WORKERS = 4


def at_once(act: Callable[[int], object]) -> list[str]:
    """Let all workers do `act` at the same moment, each committing; tell how each fared."""
    start = Barrier(WORKERS)

    def work(number: int) -> str:
        start.wait()
        try:
            act(number)
            session.commit()
        except Refused:
            session.rollback()
            return "refused"
        else:
            return "done"
        finally:
            session.remove()

    with ThreadPoolExecutor(WORKERS) as pool:
        return sorted(pool.map(work, range(WORKERS)))


def test_two_boards_cannot_spend_the_same_dollar() -> None:
    open_fund(usd(5_000_00))
    session.commit()
    fared = at_once(
        lambda number: service.commit_funds(FUND, f"award:{number}", usd(3_000_00), by=None)
    )
    assert fared == ["done", "refused", "refused", "refused"]
    assert queries.position(FUND).available == usd(2_000_00)


def test_money_is_not_set_aside_while_the_contribution_is_being_undone() -> None:
    open_fund(usd(5_000_00))
    session.commit()

    def act(number: int) -> None:
        if number:
            service.commit_funds(FUND, f"award:{number}", usd(5_000_00), by=None)
        else:
            booking = queries.find("wire:act:1")
            assert booking is not None
            service.reverse(booking, on=DAY, by=None)

    fared = at_once(act)
    assert fared.count("done") in {1, 2}
    assert queries.position(FUND).available.minor in {0, -5_000_00}


def test_the_same_award_at_the_same_moment_is_set_aside_once() -> None:
    open_fund(usd(5_000_00))
    session.commit()
    fared = at_once(lambda _number: service.commit_funds(FUND, AWARD, usd(2_000_00), by=None))
    assert fared == ["done"] * WORKERS
    assert session.scalar(select(func.count()).select_from(Commitment)) == 1


def test_the_same_payment_at_the_same_moment_is_booked_once() -> None:
    open_fund(usd(5_000_00))
    service.commit_funds(FUND, AWARD, usd(5_000_00), by=None)
    session.commit()
    assert at_once(lambda _number: advance()) == ["done"] * WORKERS
    assert session.scalar(select(func.count()).select_from(LedgerTransaction)) == 2
    assert queries.award_position(FUND, AWARD).paid == usd(4_000_00)


def test_two_funds_are_always_locked_in_the_same_order() -> None:
    open_fund(usd(5_000_00))
    open_fund(usd(5_000_00), fund="vftc")
    session.commit()

    def act(number: int) -> None:
        first, second = (FUND, "vftc") if number % 2 else ("vftc", FUND)
        service.commit_funds(first, f"one:{number}", usd(100), by=None)
        service.commit_funds(second, f"other:{number}", usd(100), by=None)

    assert at_once(act) == ["done"] * WORKERS
