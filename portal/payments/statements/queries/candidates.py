"""What a line in suspense may be: whatever fits by reference or by amount, and what was said."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award, Instalment
from portal.contributions.models import (
    OPEN_AGREEMENT,
    Contribution,
    ContributionAgreement,
    Donor,
)
from portal.contributions.models.cards import CardPayout, PayoutStatus
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.funds.models import Call
from portal.payments.models import (
    OWED,
    OrderStatus,
    PaymentFile,
    PaymentOrder,
    Receivable,
    ReceivableStatus,
)
from portal.payments.statements.models import Allocation, LineStatus, Purpose, StatementLine
from portal.payments.statements.service.parts import Target

WITH_THE_BANK = (OrderStatus.RELEASED, OrderStatus.CONFIRMED)
DEBITED = (OrderStatus.CONFIRMED, OrderStatus.RETURNED)
LEFT = (*WITH_THE_BANK, OrderStatus.REJECTED, OrderStatus.RETURNED)
OWED_OR_LOST = (*OWED, ReceivableStatus.WRITTEN_OFF)
MOST = 15
"""Candidates of each kind that a page shows; others are named by their reference."""


@dataclass(frozen=True)
class Candidate:
    """Something that a line may be: which purpose, which reference, how much is waited for.

    `is_named` where the line itself names it.
    """

    purpose: Purpose
    ref: str
    about: str
    amount: Money | None
    is_named: bool

    @property
    def value(self) -> str:
        """The value of its choice in a form."""
        return f"{self.purpose.value}:{self.ref}"


def candidates(line: StatementLine, person: Person) -> list[Candidate]:
    """Return what the line may be, what it names itself first. Four SQL statements at most."""
    found = list(_for_credit(line, person) if line.is_credit else _for_debit(line, person))
    return sorted(found, key=lambda each: (not each.is_named, each.amount != abs(line.left)))


def _for_credit(line: StatementLine, person: Person) -> Iterator[Candidate]:
    for agreement in session.scalars(_agreements(line).limit(MOST)):
        yield Candidate(
            Purpose.CONTRIBUTION,
            agreement.ref,
            agreement.donor.name,
            agreement.open_money,
            agreement.ref in line.named,
        )
    for owed in session.scalars(_receivables(line, person).limit(MOST)):
        lost = owed.status is ReceivableStatus.WRITTEN_OFF
        yield Candidate(
            Purpose.RECOVERY if lost else Purpose.REFUND,
            owed.award.ref,
            owed.award.application.ref,
            usd(owed.written_off_usd) if lost else owed.left,
            owed.award.ref in line.named,
        )
    paid = _orders(line, person).where(
        or_(
            and_(PaymentOrder.status == OrderStatus.CONFIRMED, PaymentOrder.amount == line.amount),
            and_(PaymentOrder.status.in_(DEBITED), PaymentOrder.ref.in_(_named(line))),
        )
    )
    for order in session.scalars(paid.limit(MOST)):
        yield _of_order(Purpose.RETURN, order, line)
    yield from _payouts(line, Purpose.CARD_PAYOUT, PayoutStatus.PAID, PayoutStatus.FAILED)
    yield from _opposite(line)


def _for_debit(line: StatementLine, person: Person) -> Iterator[Candidate]:
    told = (
        select(Allocation.id)
        .where(
            Allocation.order_id == PaymentOrder.id,
            Allocation.purpose == Purpose.PAYMENT,
            Allocation.undone_at.is_(None),
        )
        .exists()
    )
    rows = _orders(line, person).where(
        or_(
            and_(
                PaymentOrder.status.in_(WITH_THE_BANK), PaymentOrder.amount == -line.amount, ~told
            ),
            and_(PaymentOrder.status.in_(LEFT), PaymentOrder.ref.in_(_named(line))),
            and_(PaymentOrder.status.in_(LEFT), PaymentFile.message_id == line.batch_id),
        )
    )
    for order in session.scalars(rows.limit(MOST)):
        yield _of_order(Purpose.PAYMENT, order, line)
    yield from _payouts(line, Purpose.CARD_PAYOUT_BACK, PayoutStatus.RETURNING)
    yield from _opposite(line)


def _payouts(line: StatementLine, purpose: Purpose, *status: PayoutStatus) -> Iterator[Candidate]:
    """Yield the payouts of the card processor of this amount that wait for such a line."""
    rows = (
        select(CardPayout)
        .where(
            CardPayout.status.in_(status),
            CardPayout.amount == abs(line.amount),
            CardPayout.currency == line.currency,
        )
        .order_by(CardPayout.paid_on)
    )
    for payout in session.scalars(rows.limit(MOST)):
        named = payout.payout_id.upper().replace("_", "") in line.named
        yield Candidate(purpose, payout.payout_id, str(payout.status.label), payout.money, named)


def _opposite(line: StatementLine) -> Iterator[Candidate]:
    for other in session.scalars(_to_go_back(line).limit(MOST)):
        day = other.booked_on.isoformat()
        named = bool(line.end_to_end_id) and other.end_to_end_id == line.end_to_end_id
        yield Candidate(Purpose.SENT_BACK, other.reference, day, other.left, named)


def _of_order(purpose: Purpose, order: PaymentOrder, line: StatementLine) -> Candidate:
    about = f"{order.instalment.award.application.ref} · {order.status.label}"
    return Candidate(purpose, order.ref, about, order.money, order.ref in _named(line))


def _named(line: StatementLine) -> list[str]:
    """Return the references that a line says of itself."""
    return [*line.named, line.end_to_end_id]


def _agreements(line: StatementLine) -> Select[ContributionAgreement]:
    account = line.statement.bank_account
    return (
        select(ContributionAgreement)
        .where(
            ContributionAgreement.fund_code == account.fund_code,
            ContributionAgreement.status == OPEN_AGREEMENT,
        )
        .order_by(
            ContributionAgreement.ref.in_(line.named).desc(),
            (ContributionAgreement.amount == line.amount).desc(),
            ContributionAgreement.signed_on,
        )
    )


def _seen(person: Person) -> Select[object]:
    """Return the ids of the applications that exist for the person."""
    return applications.visible_to(person).with_only_columns(Application.id).order_by(None)


def _receivables(
    line: StatementLine, person: Person, status: Iterable[ReceivableStatus] = OWED_OR_LOST
) -> Select[Receivable]:
    account = line.statement.bank_account
    return (
        select(Receivable)
        .join(Receivable.award)
        .join(Award.application)
        .join(Application.call)
        .where(
            Call.fund_code == account.fund_code,
            Receivable.status.in_(status),
            Application.id.in_(_seen(person)),
        )
        .order_by(
            Award.ref.in_(line.named).desc(), Receivable.status.in_(OWED).desc(), Receivable.due_on
        )
    )


def _orders(line: StatementLine, person: Person) -> Select[PaymentOrder]:
    return (
        select(PaymentOrder)
        .join(PaymentOrder.file)
        .join(PaymentOrder.instalment)
        .join(Instalment.award)
        .where(
            PaymentFile.bank_account_id == line.bank_account_id,
            Award.application_id.in_(_seen(person)),
        )
        .options(joinedload(PaymentOrder.file))
        .order_by(PaymentOrder.ref)
    )


def _to_go_back(line: StatementLine) -> Select[StatementLine]:
    """Return the opposite lines of the account that are to go back where they came from."""
    decided = (
        select(Allocation.id)
        .where(
            Allocation.line_id == StatementLine.id,
            Allocation.purpose == Purpose.SEND_BACK,
            Allocation.undone_at.is_(None),
        )
        .exists()
    )
    return select(StatementLine).where(
        StatementLine.bank_account_id == line.bank_account_id,
        StatementLine.status == LineStatus.SUSPENSE,
        StatementLine.amount < 0 if line.is_credit else StatementLine.amount > 0,
        decided,
    )


def target_of(
    line: StatementLine, purpose: Purpose, ref: str, amount: int | None, person: Person
) -> Target:
    """Return what a person means by a purpose and a reference. One SQL statement.

    Raises Refused where there is nothing of that name, for this account and this person.
    """
    find = FINDERS.get(purpose)
    return find(line, ref.strip(), amount, person) if find else Target(purpose, amount)


def _contribution(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    del person
    account = line.statement.bank_account
    agreement = session.scalar(
        select(ContributionAgreement).where(
            ContributionAgreement.ref == ref.upper(),
            ContributionAgreement.fund_code == account.fund_code,
        )
    )
    if agreement is not None:
        return Target(Purpose.CONTRIBUTION, amount, agreement=agreement)
    donor = session.scalar(
        select(Donor).where(Donor.ref == ref.upper(), Donor.merged_into_id.is_(None))
    )
    if donor is None:
        raise _unknown(ref, _("agreement or donor"))
    return Target(Purpose.CONTRIBUTION, amount, donor=donor)


def _given(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    del person
    account = line.statement.bank_account
    found = session.scalar(
        select(Contribution).where(
            Contribution.ref == ref.upper(), Contribution.fund_code == account.fund_code
        )
    )
    if found is None:
        raise _unknown(ref, _("contribution"))
    return Target(Purpose.DONOR_REFUND, amount, contribution=found)


def _refund(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    rows = _receivables(line, person, OWED).where(
        or_(Award.ref == ref.upper(), Application.ref == ref.upper())
    )
    found = session.scalar(rows)
    if found is None:
        raise _unknown(ref, _("award from which money has to come back"))
    return Target(Purpose.REFUND, amount, receivable=found)


def _recovery(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    rows = _receivables(line, person, [ReceivableStatus.WRITTEN_OFF]).where(
        or_(Award.ref == ref.upper(), Application.ref == ref.upper())
    )
    found = session.scalar(rows)
    if found is None:
        raise _unknown(ref, _("award of which something was written off"))
    return Target(Purpose.RECOVERY, amount, receivable=found)


def _payment(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    return Target(Purpose.PAYMENT, amount, order=_order(line, ref, person))


def _return(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    return Target(Purpose.RETURN, amount, order=_order(line, ref, person))


def _order(line: StatementLine, ref: str, person: Person) -> PaymentOrder:
    found = session.scalar(_orders(line, person).where(PaymentOrder.ref == ref.upper()))
    if found is None:
        raise _unknown(ref, _("payment from this account"))
    return found


def _sent_back(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    del person
    found = session.scalars(_to_go_back(line).where(StatementLine.reference == ref)).first()
    if found is None:
        raise _unknown(ref, _("line that is to go back"))
    return Target(Purpose.SENT_BACK, amount, counterpart=found)


def _payout(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    del line, person
    return Target(Purpose.CARD_PAYOUT, amount, payout_ref=ref[:80])


def _payout_back(line: StatementLine, ref: str, amount: int | None, person: Person) -> Target:
    del line, person
    return Target(Purpose.CARD_PAYOUT_BACK, amount, payout_ref=ref[:80])


def _unknown(ref: str, what: str) -> Refused:
    if not ref:
        return Refused(_("Give the reference: %(what)s.", what=what))
    return Refused(_("There is no %(what)s with the reference “%(ref)s”.", what=what, ref=ref[:40]))


Finder = Callable[[StatementLine, str, int | None, Person], Target]
FINDERS: Mapping[Purpose, Finder] = {
    Purpose.CONTRIBUTION: _contribution,
    Purpose.DONOR_REFUND: _given,
    Purpose.REFUND: _refund,
    Purpose.RECOVERY: _recovery,
    Purpose.PAYMENT: _payment,
    Purpose.RETURN: _return,
    Purpose.SENT_BACK: _sent_back,
    Purpose.CARD_PAYOUT: _payout,
    Purpose.CARD_PAYOUT_BACK: _payout_back,
}
"""What finds the thing that a reference names, by purpose."""
