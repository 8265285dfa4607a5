"""Who may see and do what with bank details and payments (R23)."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, any_, exists, false, select, true
from sqlalchemy.orm import aliased

from portal.accounts.models import Person, Role
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus
from portal.payments.models import (
    ApprovalStep,
    BankAccount,
    BankAccountStatus,
    BankDetails,
    BankMessage,
    LateOutcome,
    OrderStatus,
    PaymentApproval,
    PaymentFile,
    PaymentOrder,
    Receivable,
)
from portal.payments.rails import AGENT

SIGNS = {
    ApprovalStep.CERTIFY: Role.CERTIFYING_OFFICER,
    ApprovalStep.APPROVE: Role.APPROVING_OFFICER,
    ApprovalStep.APPROVE_AGAIN: Role.APPROVING_OFFICER,
    ApprovalStep.RELEASE: Role.TREASURY,
}
"""Which role signs which step of a payment."""

AWAITS = {
    OrderStatus.PREPARED: ApprovalStep.CERTIFY,
    OrderStatus.CERTIFIED: ApprovalStep.APPROVE,
    OrderStatus.APPROVED_ONCE: ApprovalStep.APPROVE_AGAIN,
    OrderStatus.APPROVED: ApprovalStep.RELEASE,
}
"""Which signature a payment waits for."""


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


def can_approve_again(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may approve a large payment as the second."""
    return can_sign(person, order, ApprovalStep.APPROVE_AGAIN)


def can_release(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person may release the order."""
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
    """Say whether the person may read the instruction to a paying agent: it names the account."""
    if order.rail != AGENT.name:
        return False
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


def can_say_late(person: Person, order: PaymentOrder) -> bool:
    """Say whether the person says what a payment by card is that came back too late.

    Finance of the fund, and nobody who signed the payment.
    """
    return not _signed(person, order) and holds(person, Role.FINANCE_OFFICER, application_of(order))


def can_confirm_late(person: Person, outcome: LateOutcome) -> bool:
    """Say whether the person confirms what somebody else said of it: finance or treasury."""
    order = outcome.late.order
    return (
        person.id != outcome.by_id
        and outcome.is_open
        and not _signed(person, order)
        and any(holds(person, role, application_of(order)) for role in HANDLES_BANK)
    )


def _signed(person: Person, order: PaymentOrder) -> bool:
    return any(approval.person_id == person.id for approval in order.approvals)


QUEUE_ROLES = (Role.FINANCE_OFFICER, *SIGNS.values(), Role.PROGRAMME_OFFICER)


BANK_READERS = (Role.FINANCE_OFFICER, *dict.fromkeys(SIGNS.values()), Role.AUDITOR)
"""Who sees the fund's accounts, payment files and what the bank answered."""

HANDLES_BANK = (Role.TREASURY, Role.FINANCE_OFFICER)
"""Who brings in what the bank says, and sees to what nobody could place."""

CONFIRM_ACCOUNTS = (Role.APPROVING_OFFICER, Role.FINANCE_OFFICER)
"""Who confirms an account that treasury entered."""


def _fund_wide(person: Person, roles: Iterable[Role], fund_code: str) -> bool:
    """Say whether the person holds one of `roles` for the whole fund, in every country."""
    return any(
        grant.role in roles
        and grant.country is None
        and grant.covers(fund_code, None)
        and grant.is_in_force()
        for grant in person.roles
    )


def _for_some_fund(person: Person, roles: Iterable[Role]) -> bool:
    """Say whether the person holds one of `roles` for the whole of any fund."""
    return any(
        grant.role in roles and grant.country is None and grant.is_in_force()
        for grant in person.roles
    )


def handles_bank(person: Person) -> bool:
    """Say whether the person sends payment files and brings in what the bank says, anywhere."""
    return _for_some_fund(person, HANDLES_BANK)


def proposes_accounts(person: Person) -> bool:
    """Say whether the person enters accounts of any fund."""
    return _for_some_fund(person, (Role.TREASURY,))


def confirms_accounts(person: Person) -> bool:
    """Say whether the person confirms accounts of any fund."""
    return _for_some_fund(person, CONFIRM_ACCOUNTS)


def reads_bank(person: Person) -> bool:
    """Say whether there are pages of the bank for the person: not for one country alone."""
    return _for_some_fund(person, BANK_READERS)


def can_see_account(person: Person, account: BankAccount) -> bool:
    """Say whether an account of a fund exists for the person."""
    return _fund_wide(person, BANK_READERS, account.fund_code)


def accounts_visible_to(person: Person) -> Select[BankAccount]:
    """Return the accounts that the person sees: `can_see_account` as a list."""
    return _accounts_of(person, BANK_READERS)


def accounts_confirmed_by(person: Person) -> Select[BankAccount]:
    """Return the accounts that wait for the person: `can_confirm_account` as a list."""
    return _accounts_of(person, CONFIRM_ACCOUNTS).where(
        BankAccount.status == BankAccountStatus.PROPOSED, BankAccount.proposed_by_id != person.id
    )


def _accounts_of(person: Person, roles: Iterable[Role]) -> Select[BankAccount]:
    """Return the accounts of the funds for which the person holds one of `roles`."""
    seen = {
        grant.fund_code
        for grant in person.roles
        if grant.role in roles and grant.country is None and grant.is_in_force()
    }
    rows = select(BankAccount).order_by(BankAccount.fund_code, BankAccount.currency)
    return rows if None in seen else rows.where(BankAccount.fund_code.in_(seen))


def can_bring(person: Person, account: BankAccount) -> bool:
    """Say whether the person brings in what the bank says of an account: treasury or finance.

    Never of payments that they signed: see `service.signatories.refuse_signatory`.
    """
    return _fund_wide(person, HANDLES_BANK, account.fund_code)


def can_see_message(person: Person, message: BankMessage) -> bool:
    """Say whether what a message of the bank left exists for the person: readers of its fund.

    A message about several funds, or none, is read by whoever reads the bank's pages of any.
    """
    if message.fund_code is None:
        return reads_bank(person)
    return _fund_wide(person, BANK_READERS, message.fund_code)


def messages_visible_to(person: Person) -> Select[BankMessage]:
    """Return the bank's messages that exist for the person: `can_see_message` as a list."""
    return select(BankMessage).where(_of_their_funds(person, BANK_READERS))


def _of_their_funds(person: Person, roles: Iterable[Role]) -> ColumnElement[bool]:
    """Return which messages are about funds for which the person holds one of `roles`, or none."""
    funds = {
        grant.fund_code
        for grant in person.roles
        if grant.role in roles and grant.country is None and grant.is_in_force()
    }
    if None in funds:
        return true()
    theirs = BankMessage.fund_code.in_(funds)
    return theirs | BankMessage.fund_code.is_(None) if funds else false()


def can_see_to(person: Person, message: BankMessage) -> bool:
    """Say whether the person sees to what a message left: treasury or finance of its fund."""
    if message.fund_code is None:
        return handles_bank(person)
    return _fund_wide(person, HANDLES_BANK, message.fund_code)


def waits_for(person: Person) -> ColumnElement[bool]:
    """Return whether something of a message waits for the person: `can_see_to` as a condition.

    Not where they signed an attempt to pay what it may say was paid (R24).
    """
    told, attempt = aliased(PaymentOrder), aliased(PaymentOrder)
    signed = (
        exists()
        .where(told.ref == any_(BankMessage.perhaps_paid))
        .where(attempt.instalment_id == told.instalment_id)
        .where(PaymentApproval.order_id == attempt.id, PaymentApproval.person_id == person.id)
    )
    waits = (BankMessage.left > 0) & BankMessage.seen_at.is_(None) & ~signed
    return waits & _of_their_funds(person, HANDLES_BANK)


def can_see_file(person: Person, file: PaymentFile) -> bool:
    """Say whether a payment file exists for the person."""
    return can_see_account(person, file.bank_account)


def can_hand_over(person: Person, file: PaymentFile) -> bool:
    """Say whether the person takes a payment file to the bank: treasury, and nobody recused."""
    return _fund_wide(person, {Role.TREASURY}, file.bank_account.fund_code) and not any(
        applications.is_member(person, application_of(order))
        or applications.is_recused(person, application_of(order))
        for order in file.orders
    )


def can_propose_account(person: Person, fund_code: str) -> bool:
    """Say whether the person enters an account of the fund."""
    return _fund_wide(person, {Role.TREASURY}, fund_code)


def can_confirm_account(person: Person, account: BankAccount) -> bool:
    """Say whether the person confirms an account that somebody else entered."""
    return person.id != account.proposed_by_id and _fund_wide(
        person, CONFIRM_ACCOUNTS, account.fund_code
    )


def can_close_account(person: Person, account: BankAccount) -> bool:
    """Say whether the person takes an account out of use."""
    return _fund_wide(person, {Role.TREASURY}, account.fund_code)


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
