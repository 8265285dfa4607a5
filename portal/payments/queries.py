"""Reads of payments: the one queue of everybody who pays, and what each person has to do.

Each is a fixed number of SQL statements, whatever the number of rows. Amounts are US cents.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, String, cast, literal, null, select, union_all

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award, AwardAction, AwardStatus, Instalment
from portal.awards.workflow import WORKFLOW as AWARD_WORKFLOW
from portal.core.db import session
from portal.core.i18n import _, _l, ngettext
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.core.todo import Todo
from portal.payments import policy
from portal.payments.account import (
    CURRENT,
    Account,
    account,
    accounts,
    award_of,
    last_of,
    last_refused,
    live,
    order_by_ref,
)
from portal.payments.models import (
    BankDetails,
    BankStatus,
    OrderAction,
    OrderStatus,
    PaymentOrder,
    Receivable,
    ReceivableStatus,
)
from portal.payments.service.closing import not_yet
from portal.payments.standing import SETTLED, Standing
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
    "last_refused",
    "next_steps",
    "order_by_ref",
    "queue",
    "shared_accounts",
    "todos",
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
    DRAW = "draw", _l("Draw the balance"), "wait"
    SETTLE = "settle", _l("Record the refund"), "wait"
    CLOSE = "close", _l("Close the file"), "wait"


SIGNING = {
    OrderStatus.PREPARED: (Matter.CERTIFY, OrderAction.CERTIFY),
    OrderStatus.CERTIFIED: (Matter.APPROVE, OrderAction.APPROVE),
    OrderStatus.APPROVED: (Matter.RELEASE, OrderAction.RELEASE),
    OrderStatus.RELEASED: (Matter.CONFIRM, OrderAction.CONFIRM),
}


@dataclass(frozen=True)
class Waiting:
    """One line of the queue: what waits, in which file, since or until when, and where to do it."""

    matter: Matter
    application: Application
    amount: Money | None
    since: datetime | None
    endpoint: str
    values: Mapping[str, Any]
    due: datetime | None = None


def queue(person: Person) -> list[Waiting]:
    """Return what the person can do about payments now, oldest first. Two SQL statements."""
    if not policy.has_queue(person):
        return []
    found = [each for one in accounts(person) for each in _waiting(one, person)]
    order = list(Matter)
    last = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: (order.index(each.matter), each.since or last))


def _waiting(one: Account, person: Person) -> Iterator[Waiting]:
    yield from _about_bank(one, person)
    yield from _about_orders(one, person)
    if policy.can_prepare(person, one.award.application):
        yield from _about_instalments(one)
    yield from _about_the_end(one, person)


def _about_bank(one: Account, person: Person) -> Iterator[Waiting]:
    details = one.standing.details
    if details is None or details.status is not BankStatus.ENTERED:
        return
    if policy.can_check(person, details):
        yield Waiting(
            Matter.VERIFY,
            one.award.application,
            None,
            details.entered_at,
            "payments.check_bank",
            {"details_id": details.id},
        )


def _about_orders(one: Account, person: Person) -> Iterator[Waiting]:
    for order in one.orders:
        matter, action = SIGNING[order.status]
        row = ORDER_WORKFLOW.find(order, action)
        if row is not None and row.may(person, order):
            since = max((each.at for each in order.approvals), default=order.prepared_at)
            yield Waiting(
                matter,
                one.award.application,
                order.money,
                since,
                "payments.order",
                {"ref": order.ref},
            )


def _about_instalments(one: Account) -> Iterator[Waiting]:
    application = one.award.application
    for instalment in one.award.instalments:
        if all(gate.is_open for gate in one.standing.gates(instalment)):
            yield Waiting(
                Matter.PREPARE,
                application,
                usd(one.standing.due_usd(instalment)),
                None,
                "payments.prepare",
                {"ref": application.ref, "number": instalment.number},
            )


def _about_the_end(one: Account, person: Person) -> Iterator[Waiting]:
    application = one.award.application
    values = {"ref": application.ref}
    owed = one.receivable
    if owed is not None and owed.status is ReceivableStatus.OPEN:
        if policy.can_settle(person, owed):
            yield Waiting(
                Matter.SETTLE,
                application,
                usd(owed.amount_usd),
                owed.created_at,
                "payments.refund",
                values,
                datetime.combine(owed.due_on, time.max, UTC),
            )
    elif balance_waits(one):
        if policy.can_prepare(person, application):
            yield Waiting(Matter.DRAW, application, None, None, "payments.balance", values)
    elif can_close(one, person):
        yield Waiting(Matter.CLOSE, application, None, None, "payments.close", values)


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
    open_debt = one.receivable is not None and one.receivable.status is ReceivableStatus.OPEN
    ready = settled and complete and not open_debt and not balance_waits(one)
    return ready and row is not None and row.may(person, award)


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do about payments. Three SQL statements at most."""
    return [*_for_staff(person), *_for_grantees(person)]


def next_steps(person: Person, application: Application) -> list[Todo]:
    """Return what the person has to do about the payments of this file. Two SQL statements."""
    read = last_of(application)
    if read is None:
        return []
    award, details, owed, orders = read
    if applications.is_member(person, application):
        return list(_next_of_grantee(award, details, orders))
    one = Account(award, Standing(award, details, {}, 0), live(orders), owed)
    found = [*_about_bank(one, person), *_about_orders(one, person)]
    steps = [Todo(str(each.matter.label), each.endpoint, each.values, each.due) for each in found]
    waits = details is not None and details.status is BankStatus.VERIFIED and not one.orders
    if waits and award.status in SERVED and policy.can_prepare(person, application):
        title = _("See which payment can be prepared, or whether the file can be closed")
        steps.append(Todo(title, "payments.payments_tab", {"ref": application.ref}))
    return steps


def _next_of_grantee(
    award: Award, details: BankDetails | None, orders: Sequence[PaymentOrder]
) -> Iterator[Todo]:
    ref = award.application.ref
    if details is None and award.status in ENTERED_FOR:
        yield Todo(_("Enter your bank details"), "payments.bank", {"ref": ref})
    for order in orders:
        if order.status is OrderStatus.CONFIRMED and order.acknowledged_at is None:
            title = _("Say whether the payment has arrived")
            yield Todo(title, "payments.acknowledge", {"ref": order.ref})


def _for_staff(person: Person) -> list[Todo]:
    counts = Counter(each.matter for each in queue(person))
    return [
        Todo(
            _("%(matter)s (%(count)s)", matter=str(matter.label), count=counts[matter]),
            "payments.queue",
            {"matter": matter.value},
        )
        for matter in Matter
        if counts[matter]
    ]


def _for_grantees(person: Person) -> list[Todo]:
    own = person.organisation_ids()
    if not own:
        return []
    rows = union_all(_without_bank_details(own), _to_acknowledge(own), _to_pay_back(own))
    return [_grantee_todo(*row) for row in session.execute(rows)]


def _without_bank_details(own: set[UUID]) -> Select[str, str, str | None, date | None]:
    current = select(BankDetails.award_id).where(BankDetails.status.in_(CURRENT))
    return (
        select(literal("bank"), Application.ref, cast(null(), String), cast(null(), Date))
        .join(Award, Award.application_id == Application.id)
        .where(
            Application.organisation_id.in_(own),
            Award.status.in_(ENTERED_FOR),
            Award.id.not_in(current),
        )
    )


def _to_acknowledge(own: set[UUID]) -> Select[str, str, str | None, date | None]:
    return (
        select(literal("arrived"), Application.ref, PaymentOrder.ref, cast(null(), Date))
        .join(Award, Award.application_id == Application.id)
        .join(Instalment, Instalment.award_id == Award.id)
        .join(PaymentOrder, PaymentOrder.instalment_id == Instalment.id)
        .where(
            Application.organisation_id.in_(own),
            PaymentOrder.status == OrderStatus.CONFIRMED,
            PaymentOrder.acknowledged_at.is_(None),
        )
    )


def _to_pay_back(own: set[UUID]) -> Select[str, str, str | None, date | None]:
    return (
        select(literal("owed"), Application.ref, cast(null(), String), Receivable.due_on)
        .join(Award, Award.application_id == Application.id)
        .join(Receivable, Receivable.award_id == Award.id)
        .where(Application.organisation_id.in_(own), Receivable.status == ReceivableStatus.OPEN)
    )


def _grantee_todo(kind: str, ref: str, order_ref: str | None, due_on: date | None) -> Todo:
    if kind == "bank":
        return Todo(_("Enter bank details for %(ref)s", ref=ref), "payments.bank", {"ref": ref})
    if order_ref is not None:
        title = _("Say whether the payment for %(ref)s has arrived", ref=ref)
        return Todo(title, "payments.acknowledge", {"ref": order_ref})
    due = datetime.combine(due_on, time.max, UTC) if due_on else None
    title = _("Pay back what is due for %(ref)s", ref=ref)
    return Todo(title, "payments.payments_tab", {"ref": ref}, due)


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
