"""What each person has to do about payments, for the home page and the page of a file."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, Select, String, cast, false, func, null, select, true, union_all

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Agreement, Award, AwardStatus, Instalment
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.todo import Todo, by_urgency
from portal.funds.terms import within_term
from portal.payments import banking, policy, queries
from portal.payments.account import IS_CURRENT, last_of, live, standing_of
from portal.payments.models import (
    OWED,
    BankDetails,
    BankStatus,
    OrderStatus,
    PaymentOrder,
    Receivable,
)
from portal.payments.rails.bank import drop_folder
from portal.payments.unmade import barred
from portal.payments.write_offs import queries as write_offs


def todos(person: Person) -> list[Todo]:
    """Return what the person has to do about payments. Four SQL statements at most."""
    return [*_for_staff(person), *_at_the_bank(person), *_for_grantees(person)]


def _at_the_bank(person: Person) -> Iterator[Todo]:
    """Yield what waits with files, answers and accounts. At most one SQL statement."""
    handles = policy.handles_bank(person)
    if not (handles or policy.confirms_accounts(person)):
        return
    found = banking.waiting(person)
    if found.to_confirm:
        title = _("Confirm an account of a fund (%(count)s)", count=found.to_confirm)
        yield Todo(title, "payments.fund_accounts", since=found.to_confirm_since)
    if not handles:
        return
    if found.to_send and policy.proposes_accounts(person):
        title = _("Take payment files to the bank (%(count)s)", count=found.to_send)
        if drop_folder() is not None:
            title = _("See to payment files that do not leave (%(count)s)", count=found.to_send)
        yield Todo(title, "payments.files", since=found.to_send_since)
    if found.silent:
        title = ngettext(
            "Ask the bank: it is silent over %(num)s file",
            "Ask the bank: it is silent over %(num)s files",
            found.silent,
        )
        yield Todo(title, "payments.files", since=found.silent_since)
    if found.left:
        title = ngettext(
            "%(num)s answer of the bank waits for a person",
            "%(num)s answers of the bank wait for a person",
            found.left,
        )
        yield Todo(title, "payments.messages", since=found.left_since)


def next_steps(person: Person, application: Application) -> list[Todo]:
    """Return what the person has to do about the payments of this file.

    Two SQL statements; for staff one more once the grant has ended, one more for those who sign
    where a payment is attempted anew, and one for those who decide on what is owed.
    """
    read = last_of(application)
    if read is None:
        return []
    award, details = read.award, read.standing.details
    if applications.is_member(person, application):
        return list(_next_of_grantee(award, details, read.orders, read.receivable))
    one = replace(read, orders=live(read.orders))
    others = barred(person, one.orders)
    owed = read.receivable
    to_decide = write_offs.waiting(person, of=owed) if owed is not None and owed.is_owed else ()
    if award.status is AwardStatus.TERMINATED:
        one = replace(one, standing=standing_of(award)[0])
        left = (*queries.signing(one, person, others), *queries.ending(one, person), *to_decide)
        return [each.task for each in left]
    found = list(queries.signing(one, person, others))
    steps = [each.task for each in (*found, *to_decide)]
    waits = details is not None and details.status is BankStatus.VERIFIED and not one.orders
    if waits and award.status in queries.SERVED and policy.can_prepare(person, application):
        title = _("See which payment can be prepared, or whether the file can be closed")
        steps.append(Todo(title, "payments.payments_tab", {"ref": application.ref}))
    return steps


def _next_of_grantee(
    award: Award,
    details: BankDetails | None,
    orders: Sequence[PaymentOrder],
    owed: Receivable | None,
) -> Iterator[Todo]:
    if details is None and award.status in queries.ENTERED_FOR:
        since = award.agreement.signed_at if award.agreement else None
        yield _bank_details(award.application, since, _("Enter your bank details"))
    if details is not None and details.status is BankStatus.DOUBTED:
        yield _doubted(award.application, details.doubted_at, _("Check your bank details"))
    for order in orders:
        if order.status is OrderStatus.CONFIRMED and order.acknowledged_at is None:
            title = _("Say whether the payment has arrived")
            yield _arrival(award.application, order.ref, order.confirmed_at, title)
    if owed is not None and owed.is_owed:
        ref, since = award.application.ref, owed.created_at
        title = _("Pay back what is due")
        yield Todo(title, "payments.payments_tab", {"ref": ref}, owed.due_on, since=since)


def _bank_details(application: Application, since: datetime | None, title: str) -> Todo:
    fund, values = application.fund, {"ref": application.ref}
    return within_term(Todo(title, "payments.bank", values), fund, "bank_details", since)


def _doubted(application: Application, since: datetime | None, title: str) -> Todo:
    return Todo(title, "payments.payments_tab", {"ref": application.ref}, since=since)


def _arrival(application: Application, order: str, since: datetime | None, title: str) -> Todo:
    fund, values = application.fund, {"ref": order}
    return within_term(Todo(title, "payments.acknowledge", values), fund, "acknowledgement", since)


def _for_staff(person: Person) -> list[Todo]:
    found: dict[queries.Matter, list[Todo]] = defaultdict(list)
    for each in queries.queue(person):
        found[each.matter].append(each.task)
    return [_all_of(matter, found[matter]) for matter in queries.Matter if matter in found]


def _all_of(matter: queries.Matter, tasks: Sequence[Todo]) -> Todo:
    """Return one task for all of a matter: the one that presses most gives it its day."""
    first = by_urgency(list(tasks))[0]
    title = _("%(matter)s (%(count)s)", matter=str(matter.label), count=len(tasks))
    return replace(first, title=title, endpoint="payments.queue", values={"matter": matter.value})


def _for_grantees(person: Person) -> list[Todo]:
    own = person.organisation_ids()
    if not own:
        return []
    kinds = (_without_bank_details, _with_doubted_details, _to_acknowledge, _to_pay_back)
    waiting = union_all(*(kind(own) for kind in kinds)).subquery()
    told = (waiting.c.doubted, waiting.c.order_ref, waiting.c.owed_on, waiting.c.since)
    rows = select(Application, *told).join(waiting, Application.id == waiting.c.application_id)
    return [_grantee_todo(*row) for row in session.execute(rows)]


GranteeRow = Select[UUID, bool, str | None, date | None, datetime | None]
"""What waits for a grantee: the file, whether its account is doubted, the order that came, the day
of a debt, since when."""


def _without_bank_details(own: set[UUID]) -> GranteeRow:
    current = select(BankDetails.award_id).where(IS_CURRENT)
    refused = (
        select(func.max(BankDetails.checked_at))
        .where(BankDetails.award_id == Award.id, BankDetails.status == BankStatus.REJECTED)
        .scalar_subquery()
    )
    return (
        select(
            Award.application_id,
            false().label("doubted"),
            cast(null(), String).label("order_ref"),
            cast(null(), Date).label("owed_on"),
            func.greatest(Agreement.signed_at, refused).label("since"),
        )
        .join(Award.application)
        .outerjoin(Award.agreement)
        .where(
            Application.organisation_id.in_(own),
            Award.status.in_(queries.ENTERED_FOR),
            Award.id.not_in(current),
        )
    )


def _with_doubted_details(own: set[UUID]) -> GranteeRow:
    return (
        select(
            Award.application_id,
            true(),
            cast(null(), String),
            cast(null(), Date),
            BankDetails.doubted_at,
        )
        .join(Award.application)
        .join(BankDetails, BankDetails.award_id == Award.id)
        .where(
            Application.organisation_id.in_(own),
            Award.status.in_(queries.ENTERED_FOR),
            BankDetails.status == BankStatus.DOUBTED,
        )
    )


def _to_acknowledge(own: set[UUID]) -> GranteeRow:
    return (
        select(
            Award.application_id,
            false(),
            PaymentOrder.ref,
            cast(null(), Date),
            PaymentOrder.confirmed_at,
        )
        .join(Award.application)
        .join(Instalment, Instalment.award_id == Award.id)
        .join(PaymentOrder, PaymentOrder.instalment_id == Instalment.id)
        .where(
            Application.organisation_id.in_(own),
            PaymentOrder.status == OrderStatus.CONFIRMED,
            PaymentOrder.acknowledged_at.is_(None),
        )
    )


def _to_pay_back(own: set[UUID]) -> GranteeRow:
    return (
        select(
            Award.application_id,
            false(),
            cast(null(), String),
            Receivable.due_on,
            Receivable.created_at,
        )
        .join(Award.application)
        .join(Receivable, Receivable.award_id == Award.id)
        .where(Application.organisation_id.in_(own), Receivable.status.in_(OWED))
    )


def _grantee_todo(
    application: Application,
    doubted: bool,  # noqa: FBT001 — a column of a row
    order: str | None,
    owed_on: date | None,
    since: datetime | None,
) -> Todo:
    ref = application.ref
    if doubted:
        return _doubted(application, since, _("Check the bank details for %(ref)s", ref=ref))
    if order is not None:
        title = _("Say whether the payment for %(ref)s has arrived", ref=ref)
        return _arrival(application, order, since, title)
    if owed_on is not None:
        title = _("Pay back what is due for %(ref)s", ref=ref)
        return Todo(title, "payments.payments_tab", {"ref": ref}, owed_on, since=since)
    return _bank_details(application, since, _("Enter bank details for %(ref)s", ref=ref))
