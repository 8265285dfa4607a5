"""Awards on offer, signed and later, each step by the person whose step it is."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from portal.accounts.models import Person, Role
from portal.applications.models import Application
from portal.awards import service
from portal.awards.models import Award, AwardStatus, PayingAgent
from portal.core import clock
from portal.funds.models import Call
from tests.make import documents
from tests.make.accounts import person, representative_of
from tests.make.reviews import Cast, decided
from tests.make.reviews import cast as make_cast

Status = AwardStatus


def signatory(award: Award) -> Person:
    """Return who signs for the grantee."""
    return representative_of(award.application.organisation)


def officer(award: Award) -> Person:
    """Return a new programme officer of the award's fund."""
    fund = award.application.call.fund_code
    return person(roles=[(Role.PROGRAMME_OFFICER, fund, None)], name="Olga Programme")


def authority(award: Award) -> Person:
    """Return a new approving authority of the award's fund."""
    fund = award.application.call.fund_code
    return person(roles=[(Role.APPROVING_AUTHORITY, fund, None)], name="Alma Authority")


def offered(
    fund: str = "act",
    amount_usd: int | None = None,
    *,
    of: Call | None = None,
    people: Cast | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    paying_agent: PayingAgent = PayingAgent.UNDP,
) -> Award:
    """Return an award on offer, for `amount_usd` (cents) or for what was asked."""
    application = decided(fund, of=of, people=people, amount_usd=amount_usd).application
    return offer(application, starts_on, ends_on, paying_agent)


def offer(
    application: Application,
    starts_on: date | None = None,
    ends_on: date | None = None,
    paying_agent: PayingAgent = PayingAgent.UNDP,
) -> Award:
    """Return the offer on an approved application; its activities last six weeks from today."""
    first = starts_on or clock.today()
    by = person(
        roles=[(Role.PROGRAMME_OFFICER, application.call.fund_code, None)], name="Olga Programme"
    )
    with documents.set_once():
        return service.offer(
            application,
            starts_on=first,
            ends_on=ends_on or first + timedelta(days=42),
            paying_agent=paying_agent,
            by=by,
        )


def revised(award: Award) -> Award:
    """Return the award with its budget brought down, all of it on the first line."""
    if award.needs_revised_budget:
        left = award.amount_usd
        amounts = {}
        for line in award.budget:
            amounts[line.id] = min(line.amount_usd, left)
            left -= amounts[line.id]
        service.revise_budget(award, amounts, by=signatory(award))
    return award


def accepted(award: Award) -> Award:
    """Return the award accepted by the grantee; a travel letter is in force with that."""
    revised(award)
    who = signatory(award)
    service.accept(award, who.name, by=who)
    return award


def countersigned(award: Award) -> Award:
    """Return the award in force, with every signature that its fund asks for."""
    accepted(award)
    if award.fund.process.countersigned:
        service.countersign(award, by=authority(award))
    return award


def award(status: AwardStatus = AwardStatus.ACTIVE, fund: str = "act", **terms: Any) -> Award:
    """Return an award at `status`, as far as this feature's own verbs lead."""
    made = offered(fund, **terms)
    ways: dict[AwardStatus, Callable[[], object]] = {
        Status.OFFERED: lambda: None,
        Status.ACCEPTED: lambda: accepted(made),
        Status.ACTIVE: lambda: countersigned(made),
        Status.DECLINED: lambda: service.decline(made, "Not now.", by=signatory(made)),
        Status.CANCELLED: lambda: service.cancel(made, "Withdrawn.", by=authority(made)),
        Status.SUSPENDED: lambda: service.suspend(
            countersigned(made), "A question is open.", by=officer(made)
        ),
        Status.TERMINATED: lambda: service.terminate(
            countersigned(made), "A breach.", by=authority(made)
        ),
    }
    if status not in ways:
        raise ValueError(f"{status} is made by a higher feature")
    ways[status]()
    return made


def cast(call: Call) -> Cast:
    """Return the people that a call needs, and money in its fund."""
    return make_cast(call)
