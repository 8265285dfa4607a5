"""`kill -9` in the middle of releasing and confirming payments: nothing is paid twice or lost."""

import random
import threading
import time
from collections import Counter

from sqlalchemy import select, text

from portal.awards.models import InstalmentStatus
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.ledger.models import LedgerTransaction, TransactionKind
from portal.payments import service
from portal.payments.models import OrderStatus, PaymentOrder
from tests.journeys.running import GONE, PATIENCE_SECONDS, Site, Wire, until
from tests.make import awards as make_awards
from tests.make import payments as make
from tests.make.applications import call as make_call
from tests.make.payments import Till

ORDERS = 3
KILLS = 3
RELEASED = ("Released. The order says what happens next.", "It was signed already.")
CONFIRMED = ("The payment is recorded and booked",)
Words = tuple[str, ...]


class Clerk(threading.Thread):
    """Somebody who takes a step on each order until all of them said that it was done."""

    def __init__(self, site: Site, email: str, step: str, words: Words, refs: list[str]) -> None:
        super().__init__(daemon=True)
        self.wire, self.email = Wire(site.address), email
        self.step, self.words, self.refs = step, words, refs
        self.told: set[str] = set()
        self.busy = False
        self.cut_off, self.failure = 0, ""

    def run(self) -> None:
        """Try again and again; a clerk who got no answer sends the same page once more."""
        signed_in = False
        try:
            while set(self.refs) - self.told:
                try:
                    if not signed_in:
                        self.wire.sign_in(self.email)
                        signed_in = True
                    self._round()
                except GONE:
                    self.cut_off += self.busy
                    time.sleep(0.05)
                finally:
                    self.busy = False
        except Exception as broken:
            self.failure = repr(broken)
            raise

    def _round(self) -> None:
        for ref in self.refs:
            if ref in self.told:
                continue
            path = f"/payments/{ref}/{self.step}"
            form = self.wire.fields(path)
            form |= {"reference": f"AG {ref}", "on": clock.today().isoformat()}
            self.busy = True
            status, html = self.wire.send(path, list(form.items()))
            self.busy = False
            assert status < 500, html
            if any(said in html for said in self.words):
                self.told.add(ref)
        time.sleep(0.05)


def approved_orders(till: Till) -> list[str]:
    """Return orders that two people signed, each of another grantee of one call."""
    under = make_call("act")
    people = make_awards.cast(under)
    found = []
    for _n in range(ORDERS):
        award = make_awards.countersigned(make_awards.offered(of=under, people=people))
        found.append(make.order(OrderStatus.APPROVED, award, till).ref)
    return found


def statuses() -> dict[str, OrderStatus]:
    """Return where each order stands in the database."""
    session.rollback()
    rows = session.execute(select(PaymentOrder.ref, PaymentOrder.status))
    return {ref: status for ref, status in rows}  # noqa: C416 — rows are no pairs to mypy


def test_a_killed_server_pays_nothing_twice_and_forgets_no_payment(site: Site) -> None:
    till = make.till()
    refs = approved_orders(till)
    treasurer, finance = till.treasurer.email, till.finance.email
    session.commit()
    clerks = [
        Clerk(site, treasurer, "release", RELEASED, refs),
        Clerk(site, treasurer, "release", RELEASED, refs[::-1]),
        Clerk(site, finance, "confirm", CONFIRMED, refs),
        Clerk(site, finance, "confirm", CONFIRMED, refs[::-1]),
    ]
    for kill in range(KILLS):
        with site.served() as web:
            for clerk in clerks:
                if kill == 0:
                    clerk.start()
            until(lambda: any(clerk.busy for clerk in clerks) or done(clerks))
            time.sleep(random.uniform(0, 0.6))  # noqa: S311 — any moment
            web.kill()
            web.wait()
        now = statuses()
        for clerk in clerks:
            assert clerk.failure == ""
            reached = {OrderStatus.CONFIRMED, *([OrderStatus.RELEASED] * (clerk.step == "release"))}
            forgotten = [ref for ref in clerk.told if now[ref] not in reached]
            assert not forgotten, f"{clerk.step} was said to be done, and is not: {forgotten}"
    with site.served():
        until(lambda: done(clerks), 2 * PATIENCE_SECONDS)
    for clerk in clerks:
        clerk.join(PATIENCE_SECONDS)
        assert clerk.failure == ""
    assert sum(clerk.cut_off for clerk in clerks) > 0, "no kill came while somebody paid"
    each_was_paid_once(refs, till)
    assert site.check() == ""


def done(clerks: list[Clerk]) -> bool:
    """Say whether everybody heard that everything was done."""
    return all(not set(clerk.refs) - clerk.told for clerk in clerks)


def each_was_paid_once(refs: list[str], till: Till) -> None:
    """Demand one booking, one event, one message and one readable instruction per order."""
    assert set(statuses().values()) == {OrderStatus.CONFIRMED}
    bookings = session.scalars(
        select(LedgerTransaction.source_ref).where(
            LedgerTransaction.kind == TransactionKind.ADVANCE_PAID
        )
    )
    assert Counter(bookings) == Counter(refs)
    events = session.scalars(
        select(AuditEvent.case_id).where(AuditEvent.action == "instalment.paid:1")
    )
    assert sorted(Counter(events).values()) == [1] * ORDERS
    told = session.scalars(
        text("SELECT recipient FROM outbox_message WHERE template = 'payment_made'")
    )
    assert sorted(Counter(told).values()) == [1] * ORDERS
    for order in session.scalars(select(PaymentOrder)):
        assert order.instalment.status is InstalmentStatus.PAID
        assert order.instalment.paid_usd == order.amount_usd
        assert len({approval.person_id for approval in order.approvals}) == 3
        assert service.read_instruction(order, by=till.treasurer).startswith(b"%PDF")
    session.rollback()
