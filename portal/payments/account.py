"""The payments of awards, read as one account each, in a fixed number of SQL statements.

Amounts are US cents.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, and_, select
from sqlalchemy.orm import joinedload, lazyload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.amendments.queries import holds_payments
from portal.awards.models import Award, AwardStatus, Instalment
from portal.core.acts import last_act
from portal.core.db import session
from portal.funds.models import Call
from portal.ledger.queries import outstanding_of
from portal.payments import attempts
from portal.payments.attempts import Attempts
from portal.payments.covering import has_nothing_to_leave_from
from portal.payments.holding import waits_to_leave
from portal.payments.models import (
    STANDING,
    BankDetails,
    BankStatus,
    OrderStatus,
    PaymentOrder,
    Receivable,
)
from portal.payments.standing import Standing
from portal.payments.unmade import is_barred
from portal.reports.models import Report, ReportStatus

OPEN_AWARDS = (
    AwardStatus.ACCEPTED,
    AwardStatus.ACTIVE,
    AwardStatus.SUSPENDED,
    AwardStatus.TERMINATED,
)
UNFINISHED = (
    OrderStatus.PREPARED,
    OrderStatus.CERTIFIED,
    OrderStatus.APPROVED_ONCE,
    OrderStatus.APPROVED,
    OrderStatus.RELEASED,
)
IS_CURRENT = BankDetails.status.in_(STANDING)
_IS_ACCEPTED = and_(Report.award_id == Award.id, Report.status == ReportStatus.ACCEPTED)
OPENING = (
    "offer.accepted",
    "agreement.signed",
    "amendment.signed",
    "amendment.decline",
    "amendment.withdraw",
    "bank_details.verify",
    "report.accepted",
    "instalment.paid",
    "instalment.lapsed",
    "payment_order.reject",
    "payment_order.return",
    "payment_order.cancel",
    "payment_order.voided",
    "receivable.paid",
    "award.resume",
    "award.terminate",
)
"""Acts after which a payment can be prepared, the balance drawn or the file closed."""


@dataclass(frozen=True)
class Account:
    """The payments of one award as a page shows them.

    `opened_at` is the latest act that let a next step begin: a signature, an accepted report, a
    payment that arrived. It is read for lists only, else None; `lost` are the attempts that came
    to nothing, read for a single account only. `stranded` are the orders that have nothing to
    leave from, by reference: no account of the fund, or too little with the card processor. They
    are read where somebody is told what to do.
    """

    award: Award
    standing: Standing
    orders: list[PaymentOrder]
    receivable: Receivable | None
    opened_at: datetime | None = None
    lost: Attempts = field(default_factory=dict)
    stranded: frozenset[str] = frozenset()


def award_of(application: Application) -> Award | None:
    """Return the award of a case file, with its instalments. One SQL statement."""
    rows = (
        select(Award)
        .where(Award.application_id == application.id)
        .options(joinedload(Award.instalments))
    )
    return session.scalars(rows).unique().one_or_none()


def account(award: Award) -> Account:
    """Return everything about the payments of an award. Two SQL statements."""
    standing, receivable = standing_of(award)
    rows = (
        _orders()
        .add_columns(attempts.ended_at())
        .where(Instalment.award_id == award.id)
        .order_by(Instalment.number, PaymentOrder.attempt)
    )
    orders = [(order, at) for order, at in session.execute(rows).unique()]
    lost = attempts.told_of(orders)
    return Account(award, standing, [order for order, _at in orders], receivable, lost=lost)


def standing_of(award: Award) -> tuple[Standing, Receivable | None]:
    """Return where the payments of an award stand, and what is owed back. One SQL statement."""
    found = (
        select(
            _set_aside(),
            holds_payments(),
            BankDetails,
            Receivable,
            Report.key,
            Report.accepted_usd,
        )
        .select_from(Award)
        .outerjoin(BankDetails, (BankDetails.award_id == Award.id) & IS_CURRENT)
        .outerjoin(Receivable, Receivable.award_id == Award.id)
        .outerjoin(Report, _IS_ACCEPTED)
        .where(Award.id == award.id)
    )
    rows = session.execute(found).all()
    committed, is_amended, details, receivable, *_first = rows[0]
    accepted = {row.key: row.accepted_usd or 0 for row in rows if row.key is not None}
    return Standing(award, details, accepted, int(committed), is_amended), receivable


def last_of(application: Application) -> Account | None:
    """Return award, current details, money owed and orders of a file. Two SQL statements.

    What its standing says of reports and the books is left out.
    """
    rows = (
        select(Award, BankDetails, Receivable)
        .outerjoin(BankDetails, (BankDetails.award_id == Award.id) & IS_CURRENT)
        .outerjoin(Receivable, Receivable.award_id == Award.id)
        .where(Award.application_id == application.id)
        .options(joinedload(Award.instalments), joinedload(Award.agreement))
    )
    found = session.execute(rows).unique().one_or_none()
    if found is None:
        return None
    award, details, owed = found
    theirs = _orders().where(Instalment.award_id == award.id).order_by(Instalment.number)
    orders, stranded = _with_stranded(theirs)
    standing = Standing(award, details, {}, 0)
    return Account(award, standing, orders, owed, stranded=stranded)


def live(orders: Iterable[PaymentOrder]) -> list[PaymentOrder]:
    """Return the orders that still wait for somebody."""
    return [order for order in orders if order.status in UNFINISHED]


def last_refused(award: Award) -> BankDetails | None:
    """Return the bank details that finance refused last, for their remark. One SQL statement."""
    rows = select(BankDetails).where(
        BankDetails.award_id == award.id, BankDetails.status == BankStatus.REJECTED
    )
    return session.scalar(rows.order_by(BankDetails.checked_at.desc()).limit(1))


def order_by_ref(ref: str) -> PaymentOrder | None:
    """Return an order with its signatures and bank details. One SQL statement."""
    return session.scalars(_orders().where(PaymentOrder.ref == ref)).unique().one_or_none()


def _orders() -> Select[PaymentOrder]:
    return (
        select(PaymentOrder)
        .join(PaymentOrder.instalment)
        .options(
            joinedload(PaymentOrder.approvals),
            joinedload(PaymentOrder.bank_details),
            joinedload(PaymentOrder.transfer),
        )
    )


def _with_stranded(rows: Select[PaymentOrder]) -> tuple[list[PaymentOrder], frozenset[str]]:
    """Return orders, and the references of those that have nothing to leave from. One statement."""
    found = session.execute(rows.add_columns(has_nothing_to_leave_from())).unique().all()
    stranded = (order.ref for order, lacks in found if lacks and waits_to_leave(order))
    return [order for order, _lacks in found], frozenset(stranded)


def accounts(person: Person) -> list[Account]:
    """Return the open awards that the person sees, with what waits there. Two SQL statements.

    Payments that wait for the signature of somebody else, since the person is barred, are left out.
    """
    seen = applications.visible_to(person).with_only_columns(Application.id).order_by(None)
    wanted = and_(Award.application_id.in_(seen), Award.status.in_(OPEN_AWARDS))
    unfinished = _orders().where(
        Instalment.award_id.in_(select(Award.id).where(wanted)),
        PaymentOrder.status.in_(UNFINISHED),
        ~is_barred(person),
    )
    orders: dict[UUID, list[PaymentOrder]] = defaultdict(list)
    waiting, stranded = _with_stranded(unfinished)
    for order in waiting:
        orders[order.instalment.award_id].append(order)
    found: dict[UUID, Account] = {}
    accepted: dict[UUID, dict[str, int]] = defaultdict(dict)
    rows = (
        select(
            Award,
            _set_aside(),
            holds_payments(),
            BankDetails,
            Receivable,
            last_act(Award.application_id, *OPENING),
            Report.key,
            Report.accepted_usd,
        )
        .outerjoin(BankDetails, and_(BankDetails.award_id == Award.id, IS_CURRENT))
        .outerjoin(Receivable, Receivable.award_id == Award.id)
        .outerjoin(Report, _IS_ACCEPTED)
        .where(wanted)
        .options(
            joinedload(Award.instalments),
            joinedload(Award.application).joinedload(Application.recusals),
            lazyload(BankDetails.award),
            lazyload(Receivable.award),
        )
    )
    for award, committed, amended, details, owed, opened, key, cents in session.execute(
        rows
    ).unique():
        if key is not None:
            accepted[award.id][key] = cents or 0
        standing = Standing(award, details, accepted[award.id], int(committed), amended)
        found[award.id] = Account(
            award, standing, orders[award.id], owed, opened, stranded=stranded
        )
    return list(found.values())


def _set_aside() -> ScalarSelect[int]:
    """Return what is set aside in the books for an award, as a column."""
    fund = (
        select(Call.fund_code)
        .join(Application, Application.call_id == Call.id)
        .where(Application.id == Award.application_id)
        .correlate(Award)
        .scalar_subquery()
    )
    return outstanding_of(fund, Award.ref)
