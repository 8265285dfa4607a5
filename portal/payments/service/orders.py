"""Payment orders: the gates of an instalment, what is due, preparing and cancelling."""

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.awards.models import Award, AwardStatus, Instalment, InstalmentStatus
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import new_ref, normalise
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import policy, rules
from portal.payments.models import (
    BankDetails,
    BankStatus,
    OrderAction,
    OrderStatus,
    PaymentOrder,
)
from portal.payments.rails import AGENT
from portal.payments.service import bank
from portal.payments.workflow import ORDER_WORKFLOW
from portal.reports.models import Report, ReportStatus

SETTLED = frozenset({InstalmentStatus.PAID, InstalmentStatus.LAPSED})


def awaited_reports(instalment: Instalment) -> set[str]:
    """Return the keys of the reports that the instalment waits for (R21, R30)."""
    if instalment.trigger == "travel_settled":
        return {rule.key for rule in instalment.award.fund.reports}
    return {instalment.report_key} if instalment.report_key else set()


def accepted_reports(award: Award) -> list[Report]:
    """Return the accepted reports of the award. One SQL statement."""
    rows = select(Report).where(Report.award_id == award.id, Report.status == ReportStatus.ACCEPTED)
    return list(session.scalars(rows))


def accepted_usd(award: Award) -> int:
    """Return the spending accepted so far, in cents. One SQL statement."""
    rows = select(func.coalesce(func.sum(Report.accepted_usd), 0)).where(
        Report.award_id == award.id, Report.status == ReportStatus.ACCEPTED
    )
    return int(session.scalar(rows) or 0)


def paid_usd(award: Award) -> int:
    """Return what was paid so far, in cents."""
    return sum(instalment.paid_usd for instalment in award.instalments)


def waits_for_spending(instalment: Instalment) -> bool:
    """Say whether the instalment is the last one and pays what was spent beyond advances (R22)."""
    last = max(other.number for other in instalment.award.instalments)
    return instalment.number == last and bool(awaited_reports(instalment))


def due_usd(instalment: Instalment) -> int:
    """Return what the instalment would pay now, in cents (R22)."""
    award = instalment.award
    return rules.due(
        instalment.planned_usd,
        is_last=waits_for_spending(instalment),
        accepted=accepted_usd(award),
        paid=paid_usd(award),
    )


def gates(instalment: Instalment) -> list[rules.Gate]:
    """Return the gates of the instalment, each open or closed with its reason (R21)."""
    return rules.gates(facts(instalment, bank.current(instalment.award)))


def facts(instalment: Instalment, details: BankDetails | None) -> rules.Facts:
    """Return what the gates are decided on. At most four SQL statements."""
    award = instalment.award
    verified = details is not None and details.status is BankStatus.VERIFIED
    accepted = {report.key for report in accepted_reports(award)}
    committed = ledger.outstanding(award.application.call.fund_code, award.ref)
    earlier = [other for other in award.instalments if other.number < instalment.number]
    return rules.Facts(
        signed=award.status not in {AwardStatus.OFFERED, AwardStatus.ACCEPTED},
        bank_verified=verified,
        bank_payable=details is not None and details.payable_from <= clock.now(),
        committed=committed.minor >= due_usd(instalment) > 0,
        reports_accepted=awaited_reports(instalment) <= accepted,
        earlier_paid=all(other.status in SETTLED for other in earlier),
        suspended=award.status is not AwardStatus.ACTIVE,
        unpaid=instalment.status is InstalmentStatus.PLANNED,
    )


def prepare_order(instalment: Instalment, *, by: Person) -> PaymentOrder:
    """Prepare the payment of an instalment whose gates are all open (R21).

    Raises Refused with the first closed gate's sentence, or for somebody else.
    """
    award = instalment.award
    if not policy.can_prepare(by, award.application):
        raise Refused(_("Payments are prepared by the programme officer or by finance."))
    audit.take_turn()
    session.refresh(award, ["status", "version"], with_for_update=True)
    session.refresh(instalment, ["status", "paid_usd", "version"], with_for_update=True)
    details = bank.current(award, lock=True)
    closed = [gate for gate in rules.gates(facts(instalment, details)) if not gate.is_open]
    if details is None or closed:
        gate = closed[0]
        raise Refused(str(gate.sentence), rule=gate.rule)
    order = _order(instalment, details, by)
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
    words = normalise(remark).strip()
    if not words:
        raise Refused(_("Give the reason for the cancellation."))
    hold(order)
    ORDER_WORKFLOW.perform(order, OrderAction.CANCEL, by=by)
    order.remark = words
    order.instalment.status = InstalmentStatus.PLANNED
    session.flush()


def hold(order: PaymentOrder) -> None:
    """Lock the order until the transaction ends, and read its status and signatures anew."""
    session.flush()
    audit.take_turn()
    session.refresh(order, ["status", "version"], with_for_update=True)
    session.refresh(order, ["approvals"])


def _order(instalment: Instalment, details: BankDetails, by: Person) -> PaymentOrder:
    attempts = select(func.count()).where(PaymentOrder.instalment_id == instalment.id)
    ref = new_ref()
    amount = due_usd(instalment)
    order = PaymentOrder(
        ref=ref,
        instalment=instalment,
        bank_details=details,
        attempt=int(session.scalar(attempts.select_from(PaymentOrder)) or 0) + 1,
        rail=AGENT.name,
        amount=amount,
        currency="USD",
        amount_usd=amount,
        digest=rules.order_digest(
            order_ref=ref,
            payee=details.fingerprint,
            amount=amount,
            currency="USD",
            amount_usd=amount,
            rail=AGENT.name,
        ),
        prepared_by_id=by.id,
    )
    session.add(order)
    return order
