"""Grants in great number, written straight into the tables: the figures only count them.

The triggers, which want each grant to have come its whole way, are silenced meanwhile.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text

from portal.accounts.models import Organisation, OrganisationKind
from portal.applications.models import (
    Application,
    ApplicationStatus,
    Nominee,
    NomineeKind,
    Sex,
)
from portal.awards.models import Award, AwardStatus, PayingAgent
from portal.core import clock
from portal.core.crypto import new_key
from portal.core.db import session
from portal.funds.models import Call
from portal.funds.profile import Profile

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 20)


def award(
    call: Call,
    country: str,
    by: UUID,
    *,
    amount_usd: int = 300_000,
    status: AwardStatus = AwardStatus.ACTIVE,
    official: tuple[Sex, NomineeKind] | None = None,
) -> Award:
    """Add one grant of a country, for an official where `official` says whom."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    kind = OrganisationKind.MISSION if official else OrganisationKind.ASSOCIATION
    key = new_key()
    found = Application(
        call=call,
        organisation=Organisation(name=f"Applicant of {country}", kind=kind, country=country),
        sealing_key=key,
        country=country,
        created_by_id=by,
        title="CANARY-TITLE",
    )
    session.add(found)
    if official:
        sex, part = official
        session.add(
            Nominee(
                application=found,
                sealed_name=b"-",
                function="CANARY-FUNCTION",
                sex=sex,
                kind=part,
                travel_from=FIRST,
                travel_until=LAST,
            )
        )
    session.flush()
    found.submitted_at = clock.now()
    found.status = ApplicationStatus.APPROVED
    granted = Award(
        application=found,
        micro_grant=found.fund.micro_grant,
        amount_usd=amount_usd,
        starts_on=FIRST,
        ends_on=LAST,
        paying_agent=PayingAgent.UNDP,
        decided_by_id=by,
        status=status,
        closed_at=clock.now() if status is AwardStatus.CLOSED else None,
    )
    session.add(granted)
    session.flush()
    session.execute(text("SET LOCAL session_replication_role = origin"))
    return granted


def officials(women: int, men: int, fellows: int) -> Sequence[tuple[Sex, NomineeKind]]:
    """Return so many women and men, the first `fellows` of each sex as fellows."""
    return [
        (sex, NomineeKind.FELLOW if number < fellows else NomineeKind.DELEGATE)
        for sex, count in ((Sex.FEMALE, women), (Sex.MALE, men))
        for number in range(count)
    ]


def states(fund: Profile, group: str, count: int) -> list[str]:
    """Return so many States of a regional group that stand on the fund's list."""
    from portal.funds.countries import country
    from portal.publication.queries import eligible_states

    return [iso3 for iso3 in eligible_states(fund) if country(iso3).group == group][:count]
