"""Who may see and do what with bank details and payments (R23)."""

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus
from portal.payments.models import ApprovalStep, BankDetails, PaymentOrder, Receivable

SIGNS = {
    ApprovalStep.CERTIFY: Role.CERTIFYING_OFFICER,
    ApprovalStep.APPROVE: Role.APPROVING_OFFICER,
    ApprovalStep.RELEASE: Role.TREASURY,
}
"""Which role signs which step of a payment."""


def holds(person: Person, role: Role, application: Application) -> bool:
    """Say whether the person acts in `role` here: not for the applicant, and not recused (R16)."""
    return applications.holds(person, role, application) and not applications.is_recused(
        person, application
    )


def application_of(order: PaymentOrder) -> Application:
    """Return the application at the head of the order's case file."""
    return order.instalment.award.application


def can_view(person: Person, order: PaymentOrder) -> bool:
    """Say whether the order exists for the person."""
    return can_open_tab(person, application_of(order))


def can_sign(person: Person, order: PaymentOrder, step: ApprovalStep) -> bool:
    """Say whether the person may set the signature of `step`.

    Three signatures, three people, and none of them entered the bank details (R23).
    """
    if person.id == order.bank_details.entered_by_id:
        return False
    if any(approval.person_id == person.id for approval in order.approvals):
        return False
    return holds(person, SIGNS[step], application_of(order))


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
    application = application_of(order)
    return any(holds(person, role, application) for role in (Role.FINANCE_OFFICER, Role.TREASURY))


def can_prepare(person: Person, application: Application) -> bool:
    """Say whether the person prepares payment orders and draws the balance."""
    return applications.is_officer(person, application) or holds(
        person, Role.FINANCE_OFFICER, application
    )


def can_cancel(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may stop an order that was not released yet."""
    application = application_of(order)
    return can_prepare(person, application) or any(
        holds(person, role, application) for role in SIGNS.values()
    )


def can_read_instruction(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may read the instruction, which names the account in plain."""
    application = application_of(order)
    return any(holds(person, role, application) for role in (Role.FINANCE_OFFICER, Role.TREASURY))


def can_enter(person: Person, application: Application) -> bool:
    """Say whether the person enters the grantee's bank details."""
    return applications.is_member(person, application)


def can_check(person: Person, details: BankDetails) -> bool:
    """Say whether the person verifies bank details: staff, and never who entered them."""
    return person.id != details.entered_by_id and holds(
        person, Role.FINANCE_OFFICER, details.award.application
    )


def can_settle(person: Person, receivable: Receivable) -> bool:
    """Say whether the person records money that came back."""
    return holds(person, Role.FINANCE_OFFICER, receivable.award.application)


QUEUE_ROLES = (Role.FINANCE_OFFICER, *SIGNS.values(), Role.PROGRAMME_OFFICER)


def has_queue(person: Person) -> bool:
    """Say whether the person has a list of payments at all."""
    return person.holds_any(*QUEUE_ROLES)


def can_open_tab(person: Person, application: Application) -> bool:
    """Say whether there is a payments tab: after approval, for the grantee and those who pay."""
    if application.status is not ApplicationStatus.APPROVED:
        return False
    if not applications.can_view(person, application):
        return False
    if applications.is_member(person, application):
        return True
    readers = (*QUEUE_ROLES, Role.APPROVING_AUTHORITY, Role.AUDITOR)
    return any(holds(person, role, application) for role in readers)
