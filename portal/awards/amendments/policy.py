"""Who may do what with an amendment; it is seen by whoever sees the agreement."""

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.awards import policy
from portal.awards.amendments.models import Amendment
from portal.awards.models import Award, AwardStatus


def takes_amendments(award: Award) -> bool:
    """Say whether the award can be amended now: in force, and by an agreement.

    A travel letter is not amended.
    """
    return award.status is AwardStatus.ACTIVE and award.fund.process.countersigned


def can_ask(person: Person, award: Award) -> bool:
    """Say whether the person may ask the fund for an amendment: whoever works for the grantee."""
    return takes_amendments(award) and applications.is_member(person, award.application)


def can_propose(person: Person, award: Award) -> bool:
    """Say whether the person may propose an amendment: the programme officer."""
    return takes_amendments(award) and policy.can_manage(person, award)


def asks(person: Person, amendment: Amendment) -> bool:
    """Say whether the person is on the side that asked."""
    return applications.is_member(person, amendment.award.application)


def can_manage(person: Person, amendment: Amendment) -> bool:
    """Say whether the person is the programme officer of the award."""
    return policy.can_manage(person, amendment.award)


def can_sign(person: Person, amendment: Amendment) -> bool:
    """Say whether the person signs for the grantee, and did not propose it."""
    return policy.can_sign(person, amendment.award) and person.id != amendment.issued_by_id


def can_countersign(person: Person, amendment: Amendment) -> bool:
    """Say whether the person countersigns for the fund: nobody who proposed or signed it."""
    return policy.can_countersign(person, amendment.award) and person.id not in {
        amendment.issued_by_id,
        amendment.signed_by_id,
    }
