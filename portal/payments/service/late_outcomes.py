"""What people say that a payment by card is that came back too late (R25).

The refund that the grantee owes is said by one, as of a line of the bank. That the grantee never
had the money, so that the payment is made anew, or that it stays with the fund, takes two: neither
of them signed the payment, nor signs it anew (R24). What is made anew is prepared and signed as any
payment is: its gates ask for the grant and the account, and R22 for how much of it is due.
"""

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.awards.models import Instalment
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.rules import DOLLAR
from portal.ledger.service import refund_recovered, reverse
from portal.ledger.service.payments import CREDITED
from portal.payments import policy
from portal.payments.models import LateOutcome, LateReturn, LateWay, PaymentOrder, Receivable
from portal.payments.service import orders
from portal.payments.service.answers import return_late
from portal.payments.service.booking import fund_of
from portal.payments.service.closing import receivable_of
from portal.payments.service.refunds import receive_refund, take_back_refund
from portal.payments.service.signatories import refuse_signatory_of_attempts
from portal.payments.standing import ENDED


def say_what_it_is(order: PaymentOrder, way: LateWay, reason: str, *, by: Person) -> LateOutcome:
    """Say what money is that came back too late by card, as far as that goes.

    What the grantee owes is booked as its refund. That it is made anew, or stays with the fund,
    waits for somebody else. The same by the same person again changes nothing while it waits.
    Raises Refused for who may not, for who signed an attempt to make the payment, without a
    reason, where nothing waits, where somebody said something else, and for what it cannot be.
    """
    words = _words(reason)
    late = _hold(order)
    _refuse_others(order, by)
    before = late.open_outcome
    if before is not None:
        return _said_before(before, way, by)
    if not late.left:
        raise Refused(_("Nothing of this payment waits in suspense."), rule="R25")
    number, amount = len(late.outcomes) + 1, most(late, way, _owed_of(late))
    ref = _booking_ref(late, way, number) if way is LateWay.REFUND else ""
    if ref:
        _refund(late, amount, ref, by)
    outcome = LateOutcome(
        late=late,
        number=number,
        way=way,
        amount_usd=amount.minor,
        reason=words,
        by_id=by.id,
        booking_ref=ref,
    )
    session.add(outcome)
    session.flush()
    action = "late_refund" if way is LateWay.REFUND else "late_said"
    _record(outcome, f"payment_order.{action}", by)
    return outcome


def most(late: LateReturn, way: LateWay, owed: Receivable | None) -> Money:
    """Return how much of what waits can be said to be this, in US$. Raises Refused for nothing.

    `owed` is what the grantee owes of the grant, if there is such. At most two SQL statements.

    A payment is made anew as a whole, while the grant goes on and nothing of it counts as something
    else: what the grantee still owes falls away with it. Only what the grant cost can stay with the
    fund, once what is owed is settled.
    """
    if way is LateWay.REFUND:
        return _owed(late, owed)
    if way is LateWay.AGAIN:
        _refuse_not_anew(late, owed)
        return late.left
    if owed is not None and owed.is_owed:
        raise Refused(
            _(
                "The grantee owes %(money)s back: first count it as that refund.",
                money=_shown(owed.left),
            ),
            rule="R25",
        )
    return _cost(late)


def confirm(outcome: LateOutcome, *, by: Person) -> None:
    """Confirm what somebody else said: that money stays with the fund, or a payment is made anew.

    Out of suspense, the grant cost as much less; or the payment counts as come back. Twice by the
    same person is once. Raises Refused for who said it first, for who may not or signed an attempt
    to make the payment, once it was taken back, and where it cannot be any more.
    """
    late = _hold(outcome.late.order)
    if outcome.confirmed_by_id == by.id and outcome.undone_at is None:
        return
    if outcome.undone_at is not None or outcome.confirmed_at is not None:
        raise Refused(_("This does not wait any more."), rule="R25")
    if not policy.can_confirm_late(by, outcome):
        raise Refused(
            _("What one person said of this money, another of finance or treasury confirms."),
            rule="R25",
        )
    refuse_signatory_of_attempts([late.order.ref], by)
    if outcome.money > most(late, outcome.way, _owed_of(late)):
        raise Refused(_("Less than that waits by now: take it back and say it anew."), rule="R25")
    again = outcome.way is LateWay.AGAIN
    ref, netted = _make_anew(outcome) if again else _keep(outcome, by)
    with session.no_autoflush:  # the database wants both people, the moment and the booking at once
        outcome.confirmed_by_id, outcome.confirmed_at = by.id, clock.now()
        outcome.booking_ref, outcome.netted_usd = ref, netted.minor
        late.settled_usd += outcome.amount_usd
    session.flush()
    _record(outcome, "payment_order.late_confirmed", by)


def _make_anew(outcome: LateOutcome) -> tuple[str, Money]:
    """Book that the payment came back; what its grantee owes of it falls away.

    Returns the reference of the booking, and how much fell away.
    """
    late, order = outcome.late, outcome.late.order
    return_late(
        order,
        came_on=late.came_on,
        reference=late.transaction_id,
        reason=late.reason or _("The card processor gave no reason."),
    )
    ref, owed = order.booking_ref + CREDITED, _owed_of(late)
    netted = falls_away(outcome.money, owed)
    if owed is None or not netted:
        return ref, netted
    receive_refund(
        owed,
        netted,
        ref=f"{ref}:owed",
        reference=late.transaction_id,
        on=clock.today(),
        by=None,
        into=AccountKind.ADVANCES_TO_GRANTEES,
    )
    return ref, netted


def falls_away(amount: Money, owed: Receivable | None) -> Money:
    """Return how much of a debt falls away where a payment of `amount` (US$) is made anew.

    A debt was drawn over all payments of the grant: what the others brought is owed still.
    """
    return min(amount, owed.left) if owed is not None and owed.is_owed else Money.zero(DOLLAR)


def _keep(outcome: LateOutcome, by: Person) -> tuple[str, Money]:
    """Book that the grant cost the fund less. Returns the reference of the booking, and nothing."""
    late = outcome.late
    ref = _booking_ref(late, outcome.way, outcome.number)
    refund_recovered(
        fund_of(late.order),
        late.order.instalment.award.ref,
        outcome.money,
        ref,
        clock.today(),
        by=by.id,
        case_id=late.case_id,
        into=AccountKind.SUSPENSE,
    )
    return ref, Money.zero(DOLLAR)


def take_back(outcome: LateOutcome, reason: str, *, by: Person) -> None:
    """Take back what was said: what it booked is reversed, and the money waits in suspense again.

    Twice is once. Raises Refused for who may not, for who signed an attempt to make the payment,
    without a reason, for a refund once its grant is closed or the rest was written off, and once a
    payment counts as come back, which it did.
    """
    words = _words(reason)
    late = _hold(outcome.late.order)
    _refuse_others(late.order, by)
    if outcome.undone_at is not None:
        return
    if outcome.way is LateWay.AGAIN and not outcome.is_open:
        raise Refused(_("The payment counts as come back, and can be made anew."), rule="R25")
    with session.no_autoflush:  # the database wants who, when and why at once
        outcome.undone_by_id, outcome.undone_at = by.id, clock.now()
        outcome.undone_reason = words
        if outcome.booking_ref:
            late.settled_usd -= outcome.amount_usd
    session.flush()
    if outcome.booking_ref:
        _unbook(outcome, by)
    _record(outcome, "payment_order.late_taken_back", by)


def _hold(order: PaymentOrder) -> LateReturn:
    orders.hold(order)
    rows = select(LateReturn).where(LateReturn.order_id == order.id).with_for_update()
    late = session.scalar(rows.execution_options(populate_existing=True))
    if late is None:
        raise Refused(_("Nothing of this payment waits in suspense."), rule="R25")
    session.refresh(late, ["outcomes"])
    for each in late.outcomes:
        session.refresh(each)
    return late


def _refuse_others(order: PaymentOrder, by: Person) -> None:
    if not policy.can_say_late(by, order):
        raise Refused(_("What came back too late, finance of the fund says."), rule="R25")
    refuse_signatory_of_attempts([order.ref], by)


def _said_before(before: LateOutcome, way: LateWay, by: Person) -> LateOutcome:
    if (before.way, before.by_id) == (way, by.id):
        return before
    raise Refused(
        _("Somebody said “%(what)s”. Take that back first.", what=before.way.label), rule="R25"
    )


def _owed_of(late: LateReturn) -> Receivable | None:
    return receivable_of(late.order.instalment.award)


def _owed(late: LateReturn, owed: Receivable | None) -> Money:
    if owed is None or not owed.is_owed:
        raise Refused(
            _(
                "The grantee owes nothing back. Where more was paid than was accepted as spent, "
                "draw the balance first."
            ),
            rule="R25",
        )
    return min(late.left, owed.left)


def _refuse_not_anew(late: LateReturn, owed: Receivable | None) -> None:
    """Raise Refused where a payment cannot be made anew, with what to do instead."""
    award = late.order.instalment.award
    if award.status in ENDED:
        raise Refused(
            _(
                "The grant is “%(status)s”: nothing more is paid of it (R30).",
                status=award.status.label,
            ),
            rule="R30",
        )
    if late.settled_usd:
        raise Refused(_("A part of it counts as something else: take that back first."), rule="R25")
    if owed is not None and (owed.written_off_usd or owed.paid_usd > _netted(owed)):
        raise Refused(
            _(
                "What the grantee owed was paid back or written off, counting this payment. Where "
                "it came by a line of the bank, take that back first: it goes back to the grantee. "
                "Where another payment that came back counts as it, take that back there."
            ),
            rule="R25",
        )


def _netted(owed: Receivable) -> int:
    """Return the US cents of a debt that fell away with payments made anew. One SQL statement."""
    rows = (
        select(func.coalesce(func.sum(LateOutcome.netted_usd), 0))
        .join(LateOutcome.late)
        .join(LateReturn.order)
        .join(PaymentOrder.instalment)
        .where(Instalment.award_id == owed.award_id)
    )
    return int(session.scalar(rows) or 0)


def _cost(late: LateReturn) -> Money:
    """Return how much of the late return the grant cost the fund."""
    award = late.order.instalment.award
    books = ledger.award_position(award.application.call.fund_code, award.ref)
    if books.advanced.minor > 0:
        raise Refused(
            _(
                "More was paid than was accepted as spent. Draw the balance first: what is not "
                "accepted is the refund that the grantee owes."
            ),
            rule="R25",
        )
    if books.advanced.minor and award.status not in ENDED:
        raise Refused(
            _("More was accepted as spent than was paid: first make the next payment (R22)."),
            rule="R22",
        )
    if not books.accepted.minor:
        raise Refused(_("The grant cost the fund nothing that could come back."), rule="R25")
    return min(late.left, books.accepted)


def _refund(late: LateReturn, amount: Money, ref: str, by: Person) -> None:
    owed = _owed_of(late)
    if owed is None:
        return
    receive_refund(
        owed,
        amount,
        ref=ref,
        reference=late.transaction_id,
        on=clock.today(),
        by=by,
        into=AccountKind.SUSPENSE,
    )
    late.settled_usd += amount.minor


def _booking_ref(late: LateReturn, way: LateWay, number: int) -> str:
    return f"{late.booking_ref}:{way}:{number}"


def _unbook(outcome: LateOutcome, by: Person) -> None:
    order = outcome.late.order
    if outcome.way is LateWay.REFUND:
        owed = _owed_of(outcome.late)
        if owed is not None:
            ref = outcome.booking_ref
            take_back_refund(owed, outcome.money, ref=ref, on=clock.today(), by=by)
        return
    booking = ledger.find(outcome.booking_ref)
    if booking is not None:
        reverse(booking, on=clock.today(), by=by.id, case_id=order.case_id)


def _words(reason: str) -> str:
    return words_or_refuse(reason, _("Give the reason; it stays on record."))


def _shown(money: Money) -> str:
    return format_money(money, str(locale()))


def _record(outcome: LateOutcome, action: str, by: Person) -> None:
    late = outcome.late
    audit.record(
        action,
        late.order,
        actor_id=by.id,
        case_id=late.case_id,
        rule="R25",
        facts={
            "number": outcome.number,
            "way": outcome.way.value,
            "amount_usd": outcome.amount_usd,
            "left_usd": late.left.minor,
        },
    )
