"""Bank details, payments and balances, each step by the person whose step it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from portal.accounts.models import Person, Role
from portal.awards.models import Award, Instalment
from portal.core import clock
from portal.payments import service
from portal.payments.models import BankAccount, BankDetails, OrderStatus, PaymentOrder, Receivable
from portal.payments.service import Payee
from portal.payments.service.refunds import receive_refund
from tests.make import documents
from tests.make.accounts import person, representative_of
from tests.make.awards import award as make_award

IBAN = "DE89 3704 0044 0532 0130 00"
FUND_IBAN = "NL41 MOCK 0000 0000 01"
"""The account that the independent bank keeps for us."""

OTHER_IBAN = "DE75 5121 0800 1245 1261 99"

Status = OrderStatus


@dataclass(frozen=True)
class Till:
    """Who does what with the payments of a fund: nobody plays two parts."""

    finance: Person
    certifier: Person
    approver: Person
    treasurer: Person


def till(fund: str = "act") -> Till:
    """Return new people, one for each part."""
    return Till(
        finance=person(roles=[(Role.FINANCE_OFFICER, fund, None)], name="Fiona Finance"),
        certifier=person(roles=[(Role.CERTIFYING_OFFICER, fund, None)], name="Cem Certifier"),
        approver=person(roles=[(Role.APPROVING_OFFICER, fund, None)], name="Ana Approver"),
        treasurer=person(roles=[(Role.TREASURY, fund, None)], name="Tomas Treasurer"),
    )


def payee(**changes: str) -> Payee:
    """Return bank details as somebody types them."""
    typed = Payee(
        holder="Lakeside Circle",
        bank="Bank of the Lake",
        country="DEU",
        account=IBAN,
        bic="COBADEFF",
        town="Cologne",
    )
    return replace(typed, **changes)


def fund_account(
    fund: str = "act", who: Till | None = None, currency: str = "USD", account: str = FUND_IBAN
) -> BankAccount:
    """Return an account of a fund in use: treasury entered it, finance confirmed it."""
    who = who or till(fund)
    typed = Payee(
        holder="Voluntary Funds",
        bank="Mock Bank",
        country="NLD",
        account=account,
        bic="MOCKNL2A",
        town="Amsterdam",
    )
    made = service.propose_account(fund, currency, typed, by=who.treasurer)
    service.confirm_account(made, by=who.finance)
    return made


def former_account(fund: str = "act") -> BankAccount:
    """Return an account through which money came to a fund in US$, closed since.

    Scenes put money into the books without a bank: this is where it lay, and nothing leaves by it.
    """
    who = till(fund)
    made = fund_account(fund, who)
    service.close_account(made, by=who.treasurer)
    return made


def grantee(award: Award) -> Person:
    """Return who signs for the grantee."""
    return representative_of(award.application.organisation)


def entered(award: Award, **changes: str) -> BankDetails:
    """Return bank details that the grantee entered."""
    return service.enter_bank_details(award, payee(**changes), by=grantee(award))


def verified(award: Award, who: Till, **changes: str) -> BankDetails:
    """Return bank details that finance verified."""
    details = entered(award, **changes)
    service.verify_bank_details(details, screened=True, by=who.finance)
    return details


def signed(order: PaymentOrder, who: Till, until: OrderStatus = Status.RELEASED) -> PaymentOrder:
    """Return the order with its signatures, as far as `until`."""
    steps: list[tuple[OrderStatus, Callable[[], None]]] = [
        (Status.CERTIFIED, lambda: service.certify(order, by=who.certifier)),
        (Status.APPROVED, lambda: service.approve(order, by=who.approver)),
        (Status.RELEASED, lambda: service.release(order, by=who.treasurer)),
    ]
    for status, step in steps:
        if order.status is until:
            break
        with documents.set_once():
            step()
        assert order.status is status
    return order


def paid(instalment: Instalment, who: Till, reference: str = "AG-1") -> PaymentOrder:
    """Return the confirmed payment of an instalment whose gates are open."""
    order = signed(service.prepare_order(instalment, by=who.finance), who)
    service.confirm(order, reference=reference, paid_on=clock.today(), by=who.finance)
    return order


def paid_back(owed: Receivable) -> None:
    """Let all that is left of a refund come back, as a line of the bank would say."""
    ref = f"{owed.award.ref}:refund"
    receive_refund(owed, owed.left, ref=ref, reference="W-1", on=clock.today(), by=None)


def order(
    status: OrderStatus = Status.PREPARED, award: Award | None = None, who: Till | None = None
) -> PaymentOrder:
    """Return the order of a first instalment at `status`, by the verbs alone."""
    of = award or make_award()
    who = who or till(of.application.call.fund_code)
    verified(of, who)
    made = service.prepare_order(of.instalments[0], by=who.finance)
    if status is Status.CANCELLED:
        service.cancel_order(made, "Not now.", by=who.finance)
        return made
    signed(made, who, status if status in UNSENT else Status.RELEASED)
    if status is Status.REJECTED:
        service.reject_order(made, "The account is closed.", by=who.finance)
    elif status in {Status.CONFIRMED, Status.RETURNED}:
        service.confirm(made, reference="AG-1", paid_on=clock.today(), by=who.finance)
    if status is Status.RETURNED:
        service.return_order(made, "Sent back by the bank.", on=clock.today(), by=who.finance)
    assert made.status is status
    return made


UNSENT = (Status.PREPARED, Status.CERTIFIED, Status.APPROVED)
