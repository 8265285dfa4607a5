"""Amendments of awards in force, each step by the person whose step it is."""

from datetime import date

from portal.accounts.models import Person
from portal.awards.amendments import service
from portal.awards.amendments.models import Amendment, AmendmentStatus
from portal.awards.amendments.rules import Line, Terms
from portal.awards.models import Award
from tests.make import documents
from tests.make.awards import authority, officer, signatory

Status = AmendmentStatus


def terms(award: Award, change: int = 0, ends_on: date | None = None) -> Terms:
    """Return terms in which the last line of the budget takes the whole change (cents)."""
    lines = [
        Line(line.position, line.category, line.description, line.amount_usd)
        for line in award.budget
    ]
    last = lines[-1]
    lines[-1] = Line(last.position, last.category, last.description, last.amount_usd + change)
    return Terms(award.amount_usd + change, ends_on or award.ends_on, lines)


def proposed(
    award: Award, change: int = 0, ends_on: date | None = None, *, by: Person | None = None
) -> Amendment:
    """Return an amendment that was proposed to the grantee."""
    wanted, who = terms(award, change, ends_on), by or officer(award)
    with documents.set_once():
        return service.propose(award, wanted, "More people came.", by=who)


def accepted(amendment: Amendment) -> Amendment:
    """Return the amendment signed for the grantee."""
    who = signatory(amendment.award)
    service.accept(amendment, who.name, amendment.digest or "", by=who)
    return amendment


def in_force(award: Award, change: int = 0, ends_on: date | None = None) -> Amendment:
    """Return an amendment that both sides signed."""
    made = accepted(proposed(award, change, ends_on))
    service.countersign(made, made.digest or "", by=authority(award))
    return made


def amendment(status: AmendmentStatus, award: Award, change: int = 1_000) -> Amendment:
    """Return an amendment of an award at `status`."""
    if status is Status.ASKED:
        return service.ask(award, "More people want to come.", by=signatory(award))
    if status is Status.IN_FORCE:
        return in_force(award, change)
    made = proposed(award, change)
    if status is Status.ACCEPTED:
        accepted(made)
    elif status is Status.DECLINED:
        service.decline(made, "Not like this.", by=signatory(award))
    elif status is Status.WITHDRAWN:
        service.withdraw(made, "A slip.", by=officer(award))
    return made
