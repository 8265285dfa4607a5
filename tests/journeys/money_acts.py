"""Everything that people and the bank do to the money of one grant, tried at any moment.

An act either does something or raises `Refused`: nothing else may ever come out of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Person
from portal.awards.amendments import service as amendments
from portal.awards.amendments.models import OPEN as OPEN_AMENDMENT
from portal.awards.amendments.models import Amendment
from portal.awards.models import Award, Instalment, InstalmentStatus
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money
from portal.core.workflow import Refused
from portal.payments import service as payments
from portal.payments import standing
from portal.payments.models import BankDetails, OrderStatus, PaymentOrder, Receivable
from portal.payments.service import refunds
from portal.payments.service.gathering import gather
from portal.payments.write_offs import service as write_offs
from portal.payments.write_offs.models import WriteOff
from portal.reports import queries as reports_queries
from tests.make import amendments as make
from tests.make import reports as make_reports

T = TypeVar("T")

UNSETTLED = (InstalmentStatus.PLANNED, InstalmentStatus.ORDERED)


@dataclass
class Grant:
    """An award on its way, and the figures that its people choose.

    `change` is by how much the next amendment moves the award (cents), `share` what is spent,
    given back or repaid, in per cent. `steps` numbers what the bank says.
    """

    award_id: UUID
    change: int = 10_000
    share: int = 100
    steps: int = 0

    @property
    def award(self) -> Award:
        """The award, as the database holds it."""
        return session.get_one(Award, self.award_id)

    @property
    def instalment(self) -> Instalment:
        """The first instalment that is not settled, or the last one."""
        left = [each for each in self.award.instalments if each.status in UNSETTLED]
        return (left or self.award.instalments[-1:])[0]

    @property
    def amendment(self) -> Amendment:
        """The amendment that waits for somebody."""
        rows = select(Amendment).where(
            Amendment.award_id == self.award_id, Amendment.status.in_(OPEN_AMENDMENT)
        )
        return _there(session.scalar(rows), "amendment")

    @property
    def order(self) -> PaymentOrder:
        """The latest payment order."""
        rows = (
            select(PaymentOrder)
            .join(PaymentOrder.instalment)
            .where(Instalment.award_id == self.award_id)
            .order_by(PaymentOrder.prepared_at.desc())
        )
        return _there(session.scalars(rows).first(), "order")

    @property
    def receivable(self) -> Receivable:
        """What the grantee owes."""
        rows = select(Receivable).where(Receivable.award_id == self.award_id)
        return _there(session.scalar(rows), "receivable")

    @property
    def write_off(self) -> WriteOff:
        """The write-off that waits for somebody."""
        return _there(write_offs.open_proposal(self.receivable), "write-off")

    @property
    def details(self) -> BankDetails:
        """The bank details that stand."""
        return _there(standing.current(self.award), "bank details")

    def reference(self) -> str:
        """Return a new reference of the bank."""
        self.steps += 1
        return f"bank:{self.award.ref}:{self.steps}"


Act = Callable[[Grant, Person], object]


def _there(found: T | None, what: str) -> T:
    """Return what was found. Raises Refused for nothing, where a page would answer 404."""
    if found is None:
        raise Refused(f"there is no {what}")
    return found


def propose(grant: Grant, by: Person) -> None:
    """Propose that the award grows or shrinks by the change of the day."""
    award = grant.award
    amendments.propose(award, make.terms(award, grant.change), "Prices moved.", by=by)


def sign(grant: Grant, by: Person) -> None:
    """Accept the amendment by one's own name."""
    made = grant.amendment
    amendments.accept(made, by.name, made.digest or "", by=by)


def countersign(grant: Grant, by: Person) -> None:
    """Countersign the amendment."""
    made = grant.amendment
    amendments.countersign(made, made.digest or "", by=by)


def confirm(grant: Grant, by: Person) -> None:
    """Record what the paying agent says that it paid."""
    order = grant.order
    payments.confirm(order, reference=f"agent {order.ref}", paid_on=clock.today(), by=by)


def by_the_bank(act: Callable[[Grant, PaymentOrder], object]) -> Act:
    """Return an act of the bank: nobody's, so whoever is named does not matter."""

    def done(grant: Grant, by: Person) -> None:
        del by
        order = grant.order
        if order.rail != "bank":
            raise Refused("no order of the bank")
        act(grant, order)

    return done


def settle(grant: Grant, order: PaymentOrder) -> None:
    """Let the bank debit the payment."""
    payments.settle_by_bank(
        order, debited=order.money, on=clock.today(), reference=grant.reference()
    )


def settle_otherwise(grant: Grant, order: PaymentOrder) -> None:
    """Let the bank debit another amount; this may never be taken for the payment."""
    if order.status is not OrderStatus.RELEASED:
        raise Refused("nothing is with the bank")
    other = Money(order.amount + 1, order.currency)
    payments.settle_by_bank(order, debited=other, on=clock.today(), reference=grant.reference())
    raise AssertionError("another amount was taken for the payment")


def give_back(grant: Grant, order: PaymentOrder) -> None:
    """Let the bank give the payment back, less what it kept."""
    back = Money(max(1, order.amount * max(grant.share, 90) // 100), order.currency)
    payments.return_by_bank(
        order, credited=back, on=clock.today(), reference=grant.reference(), reason="AC04 closed"
    )


def report(grant: Grant, by: Person) -> None:
    """Hand in the report that is owed, and let both sides accept the share that was spent."""
    del by
    award = grant.award
    rule = award.fund.reports[-1]
    standing = reports_queries.report_of(award, rule.key)
    if standing is not None or not any(each.paid_usd for each in award.instalments):
        raise Refused("no report now")
    spent = {n: line.amount_usd * grant.share // 100 for n, line in enumerate(award.budget)}
    make_reports.accepted(make_reports.submitted(award, spent))


def repay(grant: Grant, by: Person) -> None:
    """Let a part of what is owed come back by the bank."""
    owed = grant.receivable
    part = Money(max(1, owed.left.minor * grant.share // 100), "USD")
    refunds.receive_refund(
        owed, part, ref=grant.reference(), reference="part", on=clock.today(), by=by
    )


def repay_too_much(grant: Grant, by: Person) -> None:
    """Let a cent more come back than is owed; this may never be booked as the refund."""
    owed = grant.receivable
    more = Money(owed.left.minor + 1, "USD")
    refunds.receive_refund(
        owed, more, ref=grant.reference(), reference="more", on=clock.today(), by=by
    )
    raise AssertionError("more came back than was owed")


ACTS: dict[str, Act] = {
    "propose": propose,
    "sign": sign,
    "countersign": countersign,
    "decline": lambda grant, by: amendments.decline(grant.amendment, "No.", by=by),
    "withdraw": lambda grant, by: amendments.withdraw(grant.amendment, "A slip.", by=by),
    "prepare": lambda grant, by: payments.prepare_order(grant.instalment, by=by),
    "certify": lambda grant, by: payments.certify(grant.order, by=by),
    "approve": lambda grant, by: payments.approve(grant.order, by=by),
    "release": lambda grant, by: payments.release(grant.order, by=by),
    "cancel": lambda grant, by: payments.cancel_order(grant.order, "Not now.", by=by),
    "gather": by_the_bank(lambda _grant, _order: gather()),
    "settle": by_the_bank(settle),
    "settle otherwise": by_the_bank(settle_otherwise),
    "give back": by_the_bank(give_back),
    "refuse": by_the_bank(lambda _grant, order: payments.reject_by_bank(order, reason="AC04")),
    "verify": lambda grant, by: payments.verify_bank_details(grant.details, screened=True, by=by),
    "confirm": confirm,
    "reject": lambda grant, by: payments.reject_order(grant.order, "Closed.", by=by),
    "return": lambda grant, by: payments.return_order(
        grant.order, "It came back.", on=clock.today(), by=by
    ),
    "report": report,
    "draw": lambda grant, by: payments.settle_account(grant.award, by=by),
    "repay": repay,
    "repay too much": repay_too_much,
    "propose write-off": lambda grant, by: write_offs.propose_write_off(
        grant.receivable, "It is lost.", by=by
    ),
    "approve write-off": lambda grant, by: write_offs.approve_write_off(grant.write_off, by=by),
    "authorise write-off": lambda grant, by: write_offs.authorise_write_off(grant.write_off, by=by),
    "close": lambda grant, by: payments.close_award(grant.award, by=by),
}
