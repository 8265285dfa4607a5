"""The verbs of funds and calls: load profiles, prepare a call, open it, cancel it, decide it.

Amounts are US$ in minor units (cents); moments are aware and kept in UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.funds import policy, rules
from portal.funds.models import Call, CallAction, CallStatus, ProfileVersion
from portal.funds.profile import Profile, load_profiles
from portal.funds.workflow import WORKFLOW


@dataclass(frozen=True, kw_only=True)
class CallTerms:
    """What a call says. `ceiling_usd` None leaves the fund's own ceiling; it may only lower it.

    `countries` are ISO 3166 codes of three letters, named where the fund's list comes with the
    call; `reference_day` is the day whose rates of exchange and country flags count.
    """

    title: str
    opens_at: datetime
    closes_at: datetime
    reference_day: date
    envelope_usd: int
    time_zone: str = "UTC"
    ceiling_usd: int | None = None
    countries: Sequence[str] = ()
    languages: Sequence[str] = field(default=("en",))
    session_label: str = ""
    summary: str = ""


def load_profiles_into_database(
    profiles: Mapping[str, Profile] | None = None,
) -> list[ProfileVersion]:
    """Bring the table of profiles up to the files (the portal's own unless `profiles` are given).

    A changed file becomes a new row; calls that opened under the old one keep it. Doing it again
    changes nothing. Returns the present version of each fund, in display order. Raises BadProfile
    for a file that cannot be used.
    """
    wanted = dict(profiles if profiles is not None else load_profiles())
    digests = {code: profile.digest() for code, profile in wanted.items()}
    if {row.fund_code: row.digest for row in _current()} != digests:
        audit.take_turn()
        for row in _current():
            if digests.get(row.fund_code) != row.digest:
                row.current = False
        session.flush()
        for code, profile in wanted.items():
            _make_current(code, digests[code], profile)
    return sorted(_current(), key=lambda row: (row.profile.position, row.fund_code))


def _current() -> list[ProfileVersion]:
    return list(session.scalars(select(ProfileVersion).where(ProfileVersion.current)))


def _make_current(code: str, digest: str, profile: Profile) -> None:
    """Mark the row of a profile as the present one, and write it first where it is new."""
    known = select(ProfileVersion).where(
        ProfileVersion.fund_code == code, ProfileVersion.digest == digest
    )
    row = session.scalar(known)
    if row is not None and row.current:
        return
    if row is None:
        row = ProfileVersion(fund_code=code, digest=digest, content=profile.model_dump(mode="json"))
        session.add(row)
    row.current = True
    session.flush()
    audit.record("profile.loaded", row, actor_id=None, facts={"fund": code, "digest": digest})


def current_version(fund_code: str) -> ProfileVersion:
    """Return a fund's profile as its file says it now. Raises Refused where there is none."""
    found = session.scalar(
        select(ProfileVersion).where(ProfileVersion.fund_code == fund_code, ProfileVersion.current)
    )
    if found is None:
        raise Refused(_("There is no fund “%(code)s”.", code=fund_code))
    return found


def create_call(fund_code: str, terms: CallTerms, *, by: Person) -> Call:
    """Prepare a call of a fund as a draft that only staff can see.

    Raises Refused when `by` is no programme officer of the fund, when a ceiling would be raised
    (R9) or when the terms contradict each other.
    """
    if not policy.can_create(by, fund_code):
        raise Refused(_("Only a programme officer of this fund can prepare its calls."))
    version = current_version(fund_code)
    _check(version.profile, terms)
    call = Call(
        title=terms.title.strip(),
        profile_version=version,
        fund_code=fund_code,
        reviewer_role=version.profile.process.reviewer_role,
        opens_at=terms.opens_at,
        closes_at=terms.closes_at,
        reference_day=terms.reference_day,
        envelope_usd=terms.envelope_usd,
        created_by_id=by.id,
    )
    _write(call, terms)
    session.add(call)
    audit.record(
        "call.created", call, actor_id=by.id, to_status=str(call.status), facts=_facts(call)
    )
    return call


def edit_call(call: Call, terms: CallTerms, *, by: Person) -> None:
    """Change a draft. Raises Refused once the call is published, and as `create_call` does."""
    if not policy.can_manage(by, call):
        raise Refused(_("Only a programme officer of this fund can prepare its calls."))
    if call.status is not CallStatus.DRAFT:
        raise Refused(_("The call is published: what it says cannot be changed any more."), "R17")
    _take_current_profile(call)
    _check(call.fund, terms)
    _write(call, terms)
    audit.record("call.edited", call, actor_id=by.id, facts=_facts(call))


def open_call(call: Call, *, by: Person) -> None:
    """Publish a call with its fund's present profile frozen into it (R17).

    Raises Refused, with the sentence that says what to mend: dates that are past or contradict
    each other, a ceiling missing or raised (R9), countries, languages or a session missing.
    """
    if call.status is CallStatus.DRAFT:
        _take_current_profile(call)
    WORKFLOW.check(call, CallAction.OPEN, by)
    facts = _facts(call)
    with session.no_autoflush:  # the database wants the status and the moment at once
        call.published_at = clock.now()
        WORKFLOW.perform(call, CallAction.OPEN, by=by, rule="R17", facts=facts)


def cancel_call(call: Call, *, by: Person) -> None:
    """Call off a draft or a published call; it takes no applications any more. Raises Refused."""
    WORKFLOW.perform(call, CallAction.CANCEL, by=by)


def decide_call(call: Call, *, by: Person) -> None:
    """Say that all applications of a call are decided. Raises Refused before the deadline."""
    WORKFLOW.perform(call, CallAction.DECIDE, by=by)


def _take_current_profile(call: Call) -> None:
    call.profile_version = current_version(call.fund_code)
    call.reviewer_role = call.fund.process.reviewer_role


def _write(call: Call, terms: CallTerms) -> None:
    call.title = terms.title.strip()
    call.opens_at = terms.opens_at
    call.closes_at = terms.closes_at
    call.time_zone = terms.time_zone
    call.reference_day = terms.reference_day
    call.envelope_usd = terms.envelope_usd
    call.ceiling_usd = terms.ceiling_usd
    call.countries = sorted(set(terms.countries))
    call.languages = list(dict.fromkeys(terms.languages))
    call.session_label = terms.session_label.strip()
    call.summary = terms.summary.strip()
    session.flush()


def _check(profile: Profile, terms: CallTerms) -> None:
    """Refuse what not even a draft may say; what is merely missing waits until the opening."""
    if not terms.title.strip():
        raise Refused(_("Give the call a title."))
    if terms.opens_at.tzinfo is None or terms.closes_at.tzinfo is None:
        raise ValueError("the dates of a call carry a time zone")
    if terms.closes_at <= terms.opens_at:
        raise Refused(_("The deadline must come after the opening."), "R7")
    try:
        ZoneInfo(terms.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(_("Choose a time zone from the list."), "R7") from None
    if terms.envelope_usd < 0:
        raise Refused(_("The amount in the call cannot be below zero."))
    if terms.ceiling_usd is not None:
        _check_ceiling(profile, terms.ceiling_usd)
    unknown = rules.unknown_countries(terms.countries)
    if unknown:
        raise Refused(_("Unknown countries: %(codes)s.", codes=", ".join(unknown)), "R1")


def _check_ceiling(profile: Profile, ceiling_usd: int) -> None:
    fault = rules.ceiling_fault(profile, ceiling_usd)
    if fault:
        raise Refused(fault, "R9")


def _facts(call: Call) -> dict[str, object]:
    return {
        "fund": call.fund_code,
        "profile": call.profile_version.digest,
        "ceiling_usd": call.ceiling,
        "envelope_usd": call.envelope_usd,
        "closes_at": call.closes_at.isoformat(),
    }
