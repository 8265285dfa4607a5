"""Payment orders: the gates of an instalment, preparing and cancelling."""

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.awards.models import Instalment, InstalmentStatus
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money, from_usd, usd
from portal.core.reasons import words_or_refuse
from portal.core.text import new_ref
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger import rules as ledger_rules
from portal.payments import policy, rules
from portal.payments.models import (
    BankDetails,
    OrderAction,
    OrderStatus,
    PaymentOrder,
)
from portal.payments.service.unexplained import refuse_unexplained_debit
from portal.payments.standing import standing
from portal.payments.ways import way_of
from portal.payments.workflow import ORDER_WORKFLOW


def gates(instalment: Instalment) -> list[rules.Gate]:
    """Return the gates of the instalment, each open or closed with its reason (R21)."""
    return standing(instalment.award).gates(instalment)


def prepare_order(instalment: Instalment, *, by: Person) -> PaymentOrder:
    """Prepare the payment of an instalment whose gates are all open (R21).

    It goes the way of the grant's paying office (`way_of`). A second click finds the order of the
    first. Raises Refused with the first closed gate's sentence, without a rate of exchange for
    the account that pays, or for somebody else.
    """
    award = instalment.award
    if not policy.can_prepare(by, award.application):
        raise Refused(_("Payments are prepared by the programme officer or by finance."))
    session.flush()
    audit.take_turn()
    session.refresh(award, ["status", "version", "amount_usd"], with_for_update=True)
    session.refresh(award, ["instalments"])
    for each in award.instalments:
        session.refresh(each, ["status", "planned_usd", "paid_usd", "version"])
    known = _just_prepared(instalment, by)
    if known is not None:
        return known
    refuse_unexplained_debit(instalment)
    found = standing(award, lock=True)
    closed = [gate for gate in found.gates(instalment) if not gate.is_open]
    if found.details is None or closed:
        raise Refused(str(closed[0].sentence), rule=closed[0].rule)
    order = _order(instalment, found.details, usd(found.due_usd(instalment)), by)
    instalment.status = InstalmentStatus.ORDERED
    session.flush()
    audit.record(
        "payment_order.prepared",
        order,
        actor_id=by.id,
        case_id=order.case_id,
        to_status=OrderStatus.PREPARED.value,
        rule="R21",
        facts={"digest": order.digest, "amount_usd": order.amount_usd, "attempt": order.attempt},
    )
    return order


def cancel_order(order: PaymentOrder, remark: str, *, by: Person) -> None:
    """Stop an order that was not released; the instalment can be prepared anew. Raises Refused."""
    words = words_or_refuse(remark, _("Give the reason for the cancellation."))
    hold(order)
    if order.status is OrderStatus.CANCELLED and order.remark == words:
        return
    ORDER_WORKFLOW.check(order, OrderAction.CANCEL, by)
    with session.no_autoflush:
        order.remark = words
        order.instalment.status = InstalmentStatus.PLANNED
        ORDER_WORKFLOW.perform(order, OrderAction.CANCEL, by=by)
    session.flush()


def hold(order: PaymentOrder) -> None:
    """Take the turn, lock the order until the transaction ends, and read anew what it rests on."""
    session.flush()
    audit.take_turn()
    moving = ["status", "version", "remark", "file_id", "accepted_at"]
    session.refresh(order, moving, with_for_update=True)
    session.expire(order, ["file", "transfer"])
    session.refresh(order, ["approvals"])
    session.refresh(order.bank_details, ["status", "version"])
    session.refresh(order.instalment, ["status", "paid_usd", "version"])
    session.refresh(order.instalment.award, ["status", "version"], with_for_update=True)


def _just_prepared(instalment: Instalment, by: Person) -> PaymentOrder | None:
    rows = select(PaymentOrder).where(
        PaymentOrder.instalment_id == instalment.id,
        PaymentOrder.status == OrderStatus.PREPARED,
        PaymentOrder.prepared_by_id == by.id,
    )
    return session.scalar(rows)


def _order(instalment: Instalment, details: BankDetails, due: Money, by: Person) -> PaymentOrder:
    attempts = select(func.count()).where(PaymentOrder.instalment_id == instalment.id)
    ref, award = new_ref(), instalment.award
    way = way_of(award)
    amount = _in_currency(due, way.currency)
    threshold = award.fund.process.second_approval_above_usd_minor
    order = PaymentOrder(
        ref=ref,
        instalment=instalment,
        bank_details=details,
        attempt=int(session.scalar(attempts) or 0) + 1,
        rail=way.rail,
        amount=amount.minor,
        currency=amount.currency,
        amount_usd=due.minor,
        second_approval=threshold is not None and due.minor > threshold,
        digest=rules.order_digest(
            order_ref=ref,
            payee=details.digest,
            amount=amount.minor,
            currency=amount.currency,
            amount_usd=due.minor,
            rail=way.rail,
        ),
        prepared_by_id=by.id,
    )
    session.add(order)
    return order


def _in_currency(due: Money, currency: str) -> Money:
    """Return what is due in the currency of the account that pays, at today's UN rate."""
    if currency == due.currency:
        return due
    try:
        return from_usd(due, currency, ledger.rate_on(currency, clock.today()).units_per_usd)
    except ledger_rules.NoRate as missing:
        raise Refused(missing.sentence) from missing
