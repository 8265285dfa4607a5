"""Who may see and do what with bank details and payments (R23)."""

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.payments.models import ApprovalStep, BankDetails, PaymentOrder, Receivable

SIGNS = {
    ApprovalStep.CERTIFY: Role.CERTIFYING_OFFICER,
    ApprovalStep.APPROVE: Role.APPROVING_OFFICER,
    ApprovalStep.RELEASE: Role.TREASURY,
}
"""Which role signs which step of a payment."""


def application_of(order: PaymentOrder) -> Application:
    """Return the application at the head of the order's case file."""
    return order.instalment.award.application


def can_view(person: Person, order: PaymentOrder) -> bool:
    """Say whether the order exists for the person."""
    return applications.can_view(person, application_of(order))


def can_sign(person: Person, order: PaymentOrder, step: ApprovalStep) -> bool:
    """Say whether the person may set the signature of `step`.

    Three signatures, three people, and none of them entered the bank details (R23).
    """
    if person.id == order.bank_details.entered_by_id:
        return False
    if any(approval.person_id == person.id for approval in order.approvals):
        return False
    return applications.holds(person, SIGNS[step], application_of(order))


def can_certify(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may certify the use of funds."""
    return can_sign(person, order, ApprovalStep.CERTIFY)


def can_approve(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may approve the entry."""
    return can_sign(person, order, ApprovalStep.APPROVE)


def can_release(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may release the order to the paying agent."""
    return can_sign(person, order, ApprovalStep.RELEASE)


def can_confirm(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person records what the paying agent did; never one of the signatories."""
    if any(approval.person_id == person.id for approval in order.approvals):
        return False
    return applications.holds(person, Role.FINANCE_OFFICER, application_of(order))


def can_prepare(person: Person, application: Application) -> bool:
    """Say whether the person prepares payment orders."""
    return applications.is_officer(person, application) or applications.holds(
        person, Role.FINANCE_OFFICER, application
    )


def can_cancel(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may stop an order that was not released yet."""
    roles = (*SIGNS.values(), Role.FINANCE_OFFICER)
    return any(applications.holds(person, role, application_of(order)) for role in roles)


def can_enter(person: Person, application: Application) -> bool:
    """Say whether the person enters the grantee's bank details."""
    return applications.is_member(person, application)


def can_check(person: Person, details: BankDetails) -> bool:
    """Say whether the person verifies bank details: staff, and never who entered them."""
    return person.id != details.entered_by_id and applications.holds(
        person, Role.FINANCE_OFFICER, details.award.application
    )


def can_settle(person: Person, receivable: Receivable) -> bool:
    """Say whether the person records money that came back."""
    return applications.holds(person, Role.FINANCE_OFFICER, receivable.award.application)
