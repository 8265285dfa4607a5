"""Who proposes to write off what a grantee owes, and who approves: three people of three roles."""

from portal.accounts.models import Person, Role
from portal.applications.models import Application
from portal.payments.models import Receivable
from portal.payments.policy import holds
from portal.payments.write_offs.models import WriteOff, WriteOffStatus


def application_of(proposal: WriteOff) -> Application:
    """Return the application at the head of the case file."""
    return proposal.receivable.award.application


def writes_off(person: Person) -> bool:
    """Say whether the person has any part in writing off."""
    return person.holds_any(Role.FINANCE_OFFICER, Role.APPROVING_OFFICER, Role.APPROVING_AUTHORITY)


def decides(person: Person) -> bool:
    """Say whether the person approves write-offs of some fund."""
    return person.holds_any(Role.APPROVING_OFFICER, Role.APPROVING_AUTHORITY)


def can_propose(person: Person, receivable: Receivable) -> bool:
    """Say whether the person proposes to write off: finance, and nobody of the grantee (R16)."""
    return holds(person, Role.FINANCE_OFFICER, receivable.award.application)


def can_approve(person: Person, proposal: WriteOff) -> bool:
    """Say whether the person approves first: an approving officer who did not propose it."""
    return person.id != proposal.proposed_by_id and holds(
        person, Role.APPROVING_OFFICER, application_of(proposal)
    )


def can_authorise(person: Person, proposal: WriteOff) -> bool:
    """Say whether the person approves last: the approving authority, the third person."""
    return person.id not in {proposal.proposed_by_id, proposal.approved_by_id} and holds(
        person, Role.APPROVING_AUTHORITY, application_of(proposal)
    )


def can_reject(person: Person, proposal: WriteOff) -> bool:
    """Say whether the person does not approve: whoever could approve the next step."""
    if proposal.status is WriteOffStatus.PROPOSED:
        return can_approve(person, proposal)
    return can_authorise(person, proposal)


def can_withdraw(person: Person, proposal: WriteOff) -> bool:
    """Say whether the person takes the proposal back: finance of the fund."""
    return can_propose(person, proposal.receivable)
