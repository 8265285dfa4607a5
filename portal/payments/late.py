"""Reads of what came back too late by card: what of it waits, and for whom."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, selectinload

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.core.db import session
from portal.core.i18n import _
from portal.core.todo import Todo
from portal.payments import policy
from portal.payments.models import (
    LateOutcome,
    LateReturn,
    LateWay,
    PaymentApproval,
    PaymentOrder,
    Receivable,
)

MOST = 5
"""Tasks of this kind that a home page shows; each that is done lets another in."""

WAITS = LateReturn.amount_usd > LateReturn.settled_usd
IS_OPEN = and_(LateOutcome.undone_at.is_(None), LateOutcome.booking_ref == "")


def late_return(order: PaymentOrder) -> LateReturn | None:
    """Return what came back of an order too late, with all that was said of it. Two statements."""
    rows = select(LateReturn).where(LateReturn.order_id == order.id)
    return session.scalar(rows.options(selectinload(LateReturn.outcomes)))


def waits_of(award: Award) -> PaymentOrder | None:
    """Return a payment of a grant of which something waits. One SQL statement."""
    rows = (
        select(PaymentOrder)
        .join(LateReturn, LateReturn.order_id == PaymentOrder.id)
        .join(PaymentOrder.instalment)
        .where(Instalment.award_id == award.id, WAITS)
        .order_by(PaymentOrder.ref)
    )
    return session.scalars(rows).first()


def refunds_of(owed: Receivable) -> Sequence[LateOutcome]:
    """Return what of a debt was settled by money that came back too late by card. One statement.

    Each with its payment, the oldest first.
    """
    rows = (
        select(LateOutcome)
        .join(LateOutcome.late)
        .join(LateReturn.order)
        .join(PaymentOrder.instalment)
        .where(
            Instalment.award_id == owed.award_id,
            or_(LateOutcome.way == LateWay.REFUND, LateOutcome.netted_usd > 0),
            LateOutcome.undone_at.is_(None),
        )
        .options(
            contains_eager(LateOutcome.late)
            .contains_eager(LateReturn.order)
            .lazyload(PaymentOrder.approvals)
        )
        .order_by(LateOutcome.at)
    )
    return session.scalars(rows).all()


def waiting(person: Person) -> ScalarSelect[Any]:
    """Return all that waits and that the person sees, for a statement to hold (`todos`).

    A list of objects: the order's `ref`, the `way` that somebody said, if any, and whether that
    was the `own` word of the person.
    """
    columns = func.json_agg(
        func.json_build_object(
            *("ref", PaymentOrder.ref),
            *("way", LateOutcome.way),
            *("own", LateOutcome.by_id == person.id),
        )
    )
    rows = (
        _visible(select(columns).select_from(LateReturn), person)
        .outerjoin(LateOutcome, and_(LateOutcome.late_id == LateReturn.id, IS_OPEN))
        .where(WAITS)
    )
    return rows.scalar_subquery()


def todos(found: Sequence[Mapping[str, Any]] | None) -> Iterator[Todo]:
    """Yield the tasks of finance about what `waiting` told, one of each payment."""
    theirs = [each for each in found or () if not each["own"]]
    for each in sorted(theirs, key=lambda one: str(one["ref"]))[:MOST]:
        yield _todo(each["ref"], each["way"])


def to_confirm(person: Person) -> list[Todo]:
    """Return what was said and waits for the person to confirm it. At most two SQL statements.

    Not where they signed an attempt to pay it (R24). Finance reads it with the lines (`waiting`).
    """
    if person.holds_any(Role.FINANCE_OFFICER) or not person.holds_any(*policy.HANDLES_BANK):
        return []
    attempt = aliased(PaymentOrder)
    signed = exists().where(
        attempt.instalment_id == PaymentOrder.instalment_id,
        PaymentApproval.order_id == attempt.id,
        PaymentApproval.person_id == person.id,
    )
    rows = (
        _visible(select(LateOutcome).join(LateOutcome.late), person)
        .where(IS_OPEN, LateOutcome.by_id != person.id, ~signed)
        .options(
            contains_eager(LateOutcome.late)
            .contains_eager(LateReturn.order)
            .joinedload(PaymentOrder.instalment)
            .joinedload(Instalment.award)
            .joinedload(Award.application)
            .selectinload(Application.recusals)
        )
        .order_by(PaymentOrder.ref)
    )
    theirs = [each for each in session.scalars(rows) if policy.can_confirm_late(person, each)]
    return [_todo(each.late.order.ref, each.way) for each in theirs[:MOST]]


def _visible(rows: Select[Any], person: Person) -> Select[Any]:
    """Narrow a SELECT from late returns to those whose files exist for the person."""
    seen = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    return (
        rows.join(LateReturn.order)
        .join(PaymentOrder.instalment)
        .join(Instalment.award)
        .join(Award.application)
        .where(Application.id.in_(seen))
    )


def _todo(ref: str, way: str | None) -> Todo:
    titles = {
        LateWay.AGAIN: _("Confirm that a payment that came back is made anew"),
        LateWay.KEPT: _("Confirm that a payment that came back stays with the fund"),
    }
    said = LateWay(way) if way else None
    title = titles[said] if said else _("Say what a payment by card that came back too late is")
    return Todo(title, "payments.order", {"ref": ref}, note=ref)
