"""A receipt that is made while somebody changes its contribution: nobody waits for the other."""

from threading import Thread

from sqlalchemy import select

from portal.contributions import service
from portal.contributions.models import Contribution, ContributionReceipt
from portal.core import audit
from portal.core.db import session
from portal.core.money import usd
from tests.make import contributions as make

SECONDS = 3
"""Longer than a receipt takes to be written."""


def editions() -> list[int]:
    return list(session.scalars(select(ContributionReceipt.edition)))


def test_a_refund_and_its_receipt_at_once_both_come_through(
    fresh_database: str, application: object
) -> None:
    del fresh_database, application
    who = make.desk()
    session.commit()
    given = make.wire(who, usd(10_000))
    session.commit()
    failures: list[Exception] = []
    finance, on = who.finance, given.received_on
    assert finance.roles
    audit.take_turn()

    def worker() -> None:
        try:
            assert service.issue_next_receipt()
            session.commit()
        except Exception as failed:  # noqa: BLE001 — the test says which
            failures.append(failed)
            session.rollback()
        finally:
            session.remove()

    issuing = Thread(target=worker)
    issuing.start()
    issuing.join(timeout=SECONDS)
    assert issuing.is_alive()
    service.refund_wire(given, usd(1_000), on, source_ref="line:9", reason="Twice.", by=finance)
    session.commit()
    issuing.join(timeout=20)
    assert failures == []
    assert editions() == []
    assert service.issue_next_receipt()
    session.commit()
    assert not service.issue_next_receipt()
    assert editions() == [session.scalars(select(Contribution.edition)).one()] == [2]


def test_two_workers_make_one_receipt(fresh_database: str, application: object) -> None:
    del fresh_database, application
    who = make.desk()
    session.commit()
    make.wire(who, usd(10_000))
    session.commit()
    audit.take_turn()

    def worker() -> None:
        try:
            service.issue_next_receipt()
            session.commit()
        finally:
            session.remove()

    workers = [Thread(target=worker) for _number in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(timeout=SECONDS)
    session.commit()
    for one in workers:
        one.join(timeout=20)
    assert editions() == [1]
