"""Who may do what with calls: the same rule for guard, button, list and test.

What a call says after it opened is public; drafts are for the officers of its fund.
"""

from sqlalchemy import ColumnElement, Select, false, or_, select, true

from portal.accounts.models import Person, Role
from portal.funds.models import Call

READERS = (
    Role.PROGRAMME_OFFICER,
    Role.BOARD_SECRETARY,
    Role.APPROVING_AUTHORITY,
    Role.FINANCE_OFFICER,
    Role.AUDITOR,
)
"""Roles that see the calls of their funds, drafts included."""


def runs_calls(person: Person) -> bool:
    """Say whether the person may prepare a call of any fund at all."""
    return person.holds_any(Role.PROGRAMME_OFFICER)


def reads_calls(person: Person) -> bool:
    """Say whether the person may open the staff's list of calls."""
    return person.holds_any(*READERS)


def can_create(person: Person, fund_code: str) -> bool:
    """Say whether the person may prepare a call of this fund."""
    return person.has_role(Role.PROGRAMME_OFFICER, fund_code)


def can_view(person: Person, call: Call) -> bool:
    """Say whether the person may open the staff's page of a call."""
    return any(person.has_role(role, call.fund_code) for role in READERS)


def can_manage(person: Person, call: Call) -> bool:
    """Say whether the person runs the call: edits, opens and cancels it."""
    return can_create(person, call.fund_code)


def can_decide(person: Person, call: Call) -> bool:
    """Say whether the person may declare a call decided: its officer, or whoever approves."""
    approving = Role(call.fund.process.approving_role)
    return can_manage(person, call) or person.has_role(approving, call.fund_code)


def visible_to(person: Person) -> Select[Call]:
    """Return the calls of the person's funds, the latest deadline first: `can_view` as a list."""
    scopes: list[ColumnElement[bool]] = [
        Call.fund_code == grant.fund_code if grant.fund_code else true()
        for grant in person.roles
        if grant.role in READERS and grant.is_in_force()
    ]
    return select(Call).where(or_(false(), *scopes)).order_by(Call.closes_at.desc(), Call.ref)
