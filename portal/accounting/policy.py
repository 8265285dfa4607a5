"""Who reads the books of a fund: one rule for guard, link, list and test.

Whoever moves or decides money reads the position of their funds and the entries behind it; donor
relations the position; the board the position and the yearly account. The statement of a donor is
for those for whom the donor exists, in the funds whose contributions they read. A grant's
reference stands in a list only for those for whom its file exists. Applicants find nothing of all
this.
"""

from portal.accounts.models import Person, Role

KEEPERS = (
    Role.PROGRAMME_OFFICER,
    Role.FINANCE_OFFICER,
    Role.CERTIFYING_OFFICER,
    Role.APPROVING_OFFICER,
    Role.TREASURY,
    Role.APPROVING_AUTHORITY,
    Role.AUDITOR,
)
"""Roles that read everything about the money of their funds, entry by entry."""

BOARD = (Role.BOARD_SECRETARY, Role.TRUSTEE)

POSITION_READERS = (*KEEPERS, *BOARD, Role.DONOR_RELATIONS)
ACCOUNT_READERS = (*KEEPERS, *BOARD)


def reads_positions(person: Person) -> bool:
    """Say whether the person reads the position of any fund at all."""
    return person.holds_any(*POSITION_READERS)


def can_see_position(person: Person, fund_code: str) -> bool:
    """Say whether the person reads where this fund stands."""
    return _holds(person, POSITION_READERS, fund_code)


def reads_entries(person: Person) -> bool:
    """Say whether the person reads single bookings of any fund at all."""
    return person.holds_any(*KEEPERS)


def can_see_entries(person: Person, fund_code: str) -> bool:
    """Say whether the person reads the bookings of this fund."""
    return _holds(person, KEEPERS, fund_code)


def reads_accounts(person: Person) -> bool:
    """Say whether the person reads the yearly account of any fund at all."""
    return person.holds_any(*ACCOUNT_READERS)


def can_see_account(person: Person, fund_code: str) -> bool:
    """Say whether the person reads the yearly account of this fund."""
    return _holds(person, ACCOUNT_READERS, fund_code)


def can_import_rates(person: Person) -> bool:
    """Say whether the person imports rates of exchange, which hold for every fund."""
    return person.holds_any(Role.FINANCE_OFFICER)


def _holds(person: Person, roles: tuple[Role, ...], fund_code: str) -> bool:
    return any(person.has_role(role, fund_code) for role in roles)
