"""Who may see and do what with statements: those who keep the money of a fund, and its auditors.

A statement tells of every grantee of its fund, so a role that holds for one country only opens
none. What a line leads to is shown only to those for whom that file exists.
"""

from sqlalchemy import ColumnElement, false, or_, true

from portal.accounts.models import Person, Role
from portal.payments import policy as payments
from portal.payments.models import BankAccount
from portal.payments.statements.models import ReturnProposal, StatementLine

ACTS = (Role.FINANCE_OFFICER, Role.TREASURY)
READS = (*ACTS, Role.AUDITOR)


def _holds(person: Person, roles: tuple[Role, ...], fund_code: str) -> bool:
    return any(
        grant.role in roles
        and grant.is_in_force()
        and grant.fund_code in {None, fund_code}
        and grant.country is None
        for grant in person.roles
    )


def reads_statements(person: Person) -> bool:
    """Say whether the person has pages of statements at all."""
    return person.holds_any(*READS)


def imports_statements(person: Person) -> bool:
    """Say whether the person brings in statements of some fund."""
    return person.holds_any(*ACTS)


def allocates_lines(person: Person) -> bool:
    """Say whether the person says, for some fund, what lines in suspense are."""
    return person.holds_any(Role.FINANCE_OFFICER)


def can_view(person: Person, account: BankAccount) -> bool:
    """Say whether the statements of the account exist for the person."""
    return _holds(person, READS, account.fund_code)


def can_import(person: Person, account: BankAccount) -> bool:
    """Say whether the person brings in statements of the account."""
    return _holds(person, ACTS, account.fund_code)


def can_allocate(person: Person, line: StatementLine) -> bool:
    """Say whether the person says what a line is: finance of the fund."""
    account = line.statement.bank_account
    return _holds(person, (Role.FINANCE_OFFICER,), account.fund_code)


def can_confirm(person: Person, proposal: ReturnProposal) -> bool:
    """Say whether the person confirms that a payment came back: not who said so first."""
    account = proposal.line.statement.bank_account
    return (
        person.id != proposal.by_id
        and proposal.withdrawn_at is None
        and _holds(person, ACTS, account.fund_code)
        and payments.can_view(person, proposal.order)
    )


def can_withdraw(person: Person, proposal: ReturnProposal, *, overtaken: bool = False) -> bool:
    """Say whether the person takes back what they said first, while finance of the fund.

    What was `overtaken` anybody of finance takes back: it counts for nothing.
    """
    return (
        (overtaken or person.id == proposal.by_id)
        and proposal.withdrawn_at is None
        and can_allocate(person, proposal.line)
    )


def visible(person: Person) -> ColumnElement[bool]:
    """Return `can_view` as a condition on bank accounts."""
    funds = [
        grant.fund_code
        for grant in person.roles
        if grant.role in READS and grant.is_in_force() and grant.country is None
    ]
    scopes = [BankAccount.fund_code == fund if fund else true() for fund in funds]
    return or_(false(), *scopes)
