"""Reads of payments: the one queue of everybody who pays, and what each person has to do.

Each is a fixed number of SQL statements, whatever the number of rows. Amounts are US cents.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.models import Application
from portal.awards.models import Award, AwardAction, AwardStatus
from portal.awards.workflow import WORKFLOW as AWARD_WORKFLOW
from portal.core.db import session
from portal.core.i18n import _, _l, ngettext
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.todo import Todo
from portal.core.workflow import refusal
from portal.funds.profile import Step
from portal.funds.terms import within_term
from portal.payments import policy
from portal.payments.account import (
    Account,
    account,
    accounts,
    award_of,
    last_refused,
    order_by_ref,
)
from portal.payments.holding import held_back
from portal.payments.models import (
    UNVERIFIED,
    BankDetails,
    OrderAction,
    OrderStatus,
)
from portal.payments.service.closing import not_yet
from portal.payments.standing import SETTLED
from portal.payments.workflow import ORDER_WORKFLOW

__all__ = [
    "ENTERED_FOR",
    "Account",
    "Matter",
    "Waiting",
    "account",
    "accounts",
    "award_of",
    "balance_waits",
    "can_close",
    "count_sentence",
    "ending",
    "in_turn",
    "last_refused",
    "order_by_ref",
    "queue",
    "shared_accounts",
    "signing",
]

ENTERED_FOR = (AwardStatus.ACCEPTED, AwardStatus.ACTIVE)
"""Where a grantee enters bank details."""

SERVED = (AwardStatus.ACTIVE, AwardStatus.TERMINATED)
"""Where there may be something to pay, or an account to settle."""


class Matter(Labelled):
    """What waits in the queue for somebody."""

    VERIFY = "verify", _l("Verify bank details"), "wait"
    PREPARE = "prepare", _l("Prepare payment"), "wait"
    CERTIFY = "certify", _l("Certify"), "wait"
    APPROVE = "approve", _l("Approve"), "wait"
    RELEASE = "release", _l("Release"), "wait"
    CONFIRM = "confirm", _l("Record what the agent did"), "wait"
    HELD = "held", _l("See to a payment held back"), "wait"
    DRAW = "draw", _l("Draw the balance"), "wait"
    SETTLE = "settle", _l("See to the refund"), "wait"
    WRITE_OFF = "write_off", _l("Decide on a write-off"), "wait"
    CLOSE = "close", _l("Close the file"), "wait"


STEPS: Mapping[Matter, Step] = {
    Matter.VERIFY: "bank_check",
    Matter.PREPARE: "payment_step",
    Matter.CERTIFY: "payment_step",
    Matter.APPROVE: "payment_step",
    Matter.RELEASE: "payment_step",
    Matter.CONFIRM: "payment_step",
    Matter.HELD: "payment_step",
    Matter.DRAW: "closure",
    Matter.WRITE_OFF: "closure",
    Matter.CLOSE: "closure",
}
"""Which term of the fund a matter has; a refund has the day on which it is owed."""

SIGNING = {
    OrderStatus.PREPARED: (Matter.CERTIFY, OrderAction.CERTIFY),
    OrderStatus.CERTIFIED: (Matter.APPROVE, OrderAction.APPROVE),
    OrderStatus.APPROVED_ONCE: (Matter.APPROVE, OrderAction.APPROVE_AGAIN),
    OrderStatus.APPROVED: (Matter.RELEASE, OrderAction.RELEASE),
    OrderStatus.RELEASED: (Matter.CONFIRM, OrderAction.CONFIRM),
}


@dataclass(frozen=True)
class Waiting:
    """One line of the queue: what waits, in which file, since when, and where to do it.

    `owed_on` is the day by which money is to come back; `signs` what is done to an order.
    """

    matter: Matter
    application: Application
    amount: Money | None
    since: datetime | None
    endpoint: str
    values: Mapping[str, Any]
    owed_on: date | None = None
    signs: OrderAction | None = None

    @property
    def task(self) -> Todo:
        """The line as a task with its day: that of the debt, else by the term of the fund."""
        title = str(self.matter.label)
        if self.matter not in STEPS:
            return Todo(title, self.endpoint, self.values, self.owed_on, since=self.since)
        step, fund = STEPS[self.matter], self.application.fund
        return within_term(Todo(title, self.endpoint, self.values), fund, step, self.since)


def queue(person: Person) -> list[Waiting]:
    """Return what the person can do about payments now, oldest first. Two SQL statements."""
    if not policy.has_queue(person):
        return []
    return in_turn(each for one in accounts(person) for each in _waiting(one, person))


def in_turn(found: Iterable[Waiting]) -> list[Waiting]:
    """Return lines of the queue in its order: matter by matter, the oldest first."""
    order = list(Matter)
    last = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: (order.index(each.matter), each.since or last))


def _waiting(one: Account, person: Person) -> Iterator[Waiting]:
    yield from signing(one, person)
    if policy.can_prepare(person, one.award.application):
        yield from _about_instalments(one)
    yield from ending(one, person)


def signing(
    one: Account, person: Person, barred: Collection[UUID] = frozenset()
) -> Iterator[Waiting]:
    """Return what the person can verify or sign in one account. No SQL statement.

    The orders `barred` wait for the signature of somebody else.
    """
    yield from _about_bank(one, person)
    yield from _about_orders(one, person, barred)


def _about_bank(one: Account, person: Person) -> Iterator[Waiting]:
    details = one.standing.details
    if details is None or details.status not in UNVERIFIED:
        return
    if policy.can_check(person, details):
        yield Waiting(
            Matter.VERIFY,
            one.award.application,
            None,
            details.doubted_at or details.entered_at,
            "payments.check_bank",
            {"details_id": details.id},
        )


def _about_orders(one: Account, person: Person, barred: Collection[UUID]) -> Iterator[Waiting]:
    for order in one.orders:
        if order.id in barred:
            continue
        matter, action = SIGNING[order.status]
        held = held_back(order) is not None or order.ref in one.stranded
        if held:
            matter, action = Matter.HELD, OrderAction.REJECT
        row = ORDER_WORKFLOW.find(order, action)
        if row is not None and row.may(person, order) and refusal(row, order) is None:
            since = max((each.at for each in order.approvals), default=order.prepared_at)
            yield Waiting(
                matter,
                one.award.application,
                order.money,
                since,
                "payments.order",
                {"ref": order.ref},
                signs=None if held else action,
            )


def _about_instalments(one: Account) -> Iterator[Waiting]:
    application = one.award.application
    details = one.standing.details
    moments = [one.opened_at, details.payable_from if details else None]
    since = max((each for each in moments if each is not None), default=None)
    for instalment in one.award.instalments:
        if all(gate.is_open for gate in one.standing.gates(instalment)):
            yield Waiting(
                Matter.PREPARE,
                application,
                usd(one.standing.due_usd(instalment)),
                since,
                "payments.prepare",
                {"ref": application.ref, "number": instalment.number},
            )


def ending(one: Account, person: Person) -> Iterator[Waiting]:
    """Return what the person can do to settle one account and close its file. No SQL statement."""
    application, since = one.award.application, one.opened_at
    values = {"ref": application.ref}
    owed = one.receivable
    if owed is not None and owed.is_owed:
        if policy.can_settle(person, owed):
            yield Waiting(
                Matter.SETTLE,
                application,
                owed.left,
                owed.created_at,
                "payments.receivable",
                values,
                owed.due_on,
            )
    elif balance_waits(one):
        if policy.can_prepare(person, application):
            yield Waiting(Matter.DRAW, application, None, since, "payments.balance", values)
    elif can_close(one, person):
        yield Waiting(Matter.CLOSE, application, None, since, "payments.close", values)


def balance_waits(one: Account) -> bool:
    """Say whether drawing the balance would change something now. No SQL statement."""
    dues = one.standing.dues()
    nothing_left = any(cents == 0 for cents in dues.values())
    surplus = one.standing.committed > sum(dues.values())
    owed = one.standing.owed_back > 0 and one.receivable is None
    return (nothing_left or surplus or owed) and not_yet(one.standing) is None


def can_close(one: Account, person: Person) -> bool:
    """Say whether the person may close the file now, as far as the account says."""
    award = one.award
    row = AWARD_WORKFLOW.find(award, AwardAction.CLOSE)
    settled = all(each.status in SETTLED for each in award.instalments)
    complete = one.standing.is_complete or one.standing.is_ended
    open_debt = one.receivable is not None and one.receivable.is_owed
    ready = settled and complete and not open_debt and not balance_waits(one)
    return ready and row is not None and row.may(person, award)


def count_sentence(number: int) -> str:
    """Return how much waits, in words."""
    return ngettext("%(num)s thing waits for you.", "%(num)s things wait for you.", number)


def shared_accounts(organisation_id: UUID) -> list[str]:
    """Return a sentence for each other grantee paid into an account of the organisation (R12).

    One SQL statement.
    """
    theirs = (
        select(BankDetails.fingerprint)
        .join(BankDetails.award)
        .join(Award.application)
        .where(Application.organisation_id == organisation_id)
    )
    others = (
        select(Application.ref)
        .join(Award, Award.application_id == Application.id)
        .join(BankDetails, BankDetails.award_id == Award.id)
        .where(Application.organisation_id != organisation_id, BankDetails.fingerprint.in_(theirs))
        .distinct()
        .order_by(Application.ref)
    )
    return [_("%(ref)s: the same bank account", ref=ref) for ref in session.scalars(others)]
