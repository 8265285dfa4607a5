"""Bank details, payments and balances, each step by the person whose step it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from portal.accounts.models import Person, Role
from portal.awards.models import Award, Instalment
from portal.core import clock
from portal.payments import service
from portal.payments.models import BankDetails, OrderStatus, PaymentOrder
from portal.payments.service import Payee
from tests.make.accounts import person, representative_of
from tests.make.awards import award as make_award

IBAN = "DE89 3704 0044 0532 0130 00"
OTHER_IBAN = "GB29 NWBK 6016 1331 9268 19"

Status = OrderStatus


@dataclass
class Till:
    """Who does what with the payments of a fund: nobody plays two parts. Made when asked for."""

    fund: str = "act"

    def _holder(self, role: Role, name: str) -> Person:
        return person(roles=[(role, self.fund, None)], name=name)

    @cached_property
    def finance(self) -> Person:
        """Who verifies bank details and prepares payments."""
        return self._holder(Role.FINANCE_OFFICER, "Fiona Finance")

    @cached_property
    def certifier(self) -> Person:
        """Who certifies."""
        return self._holder(Role.CERTIFYING_OFFICER, "Cem Certifier")

    @cached_property
    def approver(self) -> Person:
        """Who approves the entry."""
        return self._holder(Role.APPROVING_OFFICER, "Ana Approver")

    @cached_property
    def treasurer(self) -> Person:
        """Who releases."""
        return self._holder(Role.TREASURY, "Tomas Treasurer")


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


def grantee(award: Award) -> Person:
    """Return who signs for the grantee."""
    return representative_of(award.application.organisation)


def entered(award: Award, **changes: str) -> BankDetails:
    """Return bank details that the grantee entered."""
    return service.enter_bank_details(award, payee(**changes), by=grantee(award))


def verified(award: Award, till: Till, **changes: str) -> BankDetails:
    """Return bank details that finance verified."""
    details = entered(award, **changes)
    service.verify_bank_details(details, screened=True, by=till.finance)
    return details


def signed(order: PaymentOrder, till: Till, until: OrderStatus = Status.RELEASED) -> PaymentOrder:
    """Return the order with its signatures, as far as `until`."""
    steps: list[tuple[OrderStatus, Callable[[], None]]] = [
        (Status.CERTIFIED, lambda: service.certify(order, by=till.certifier)),
        (Status.APPROVED, lambda: service.approve(order, by=till.approver)),
        (Status.RELEASED, lambda: service.release(order, by=till.treasurer)),
    ]
    for status, step in steps:
        if order.status is until:
            break
        step()
        assert order.status is status
    return order


def paid(instalment: Instalment, till: Till, reference: str = "AG-1") -> PaymentOrder:
    """Return the confirmed payment of an instalment whose gates are open."""
    order = signed(service.prepare_order(instalment, by=till.finance), till)
    service.confirm(order, reference=reference, paid_on=clock.today(), by=till.finance)
    return order


def order(
    status: OrderStatus = Status.PREPARED, award: Award | None = None, till: Till | None = None
) -> PaymentOrder:
    """Return the order of a first instalment at `status`, by the verbs alone."""
    of = award or make_award()
    who = till or Till(of.application.call.fund_code)
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
