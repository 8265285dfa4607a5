"""What an administrator does: roles, each a grant with dates and a scope; accounts, nationality."""

from datetime import date

from portal.accounts import policy, rules
from portal.accounts.models import NationalityReason, Person, Role, RoleGrant
from portal.accounts.service.sessions import end_all_sessions
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused


def _demand_administrator(by: Person, person: Person) -> None:
    """Raise Refused unless `by` may change the account of `person`, which is never their own."""
    if by.id == person.id:
        raise Refused(_("Nobody changes their own roles. Ask another administrator."))
    if not policy.can_administer_person(by, person):
        raise Refused(_("Only an administrator may do this."))


def grant_role(
    person: Person,
    role: Role,
    *,
    by: Person,
    fund: str | None = None,
    country: str | None = None,
    from_day: date | None = None,
    until_day: date | None = None,
) -> RoleGrant:
    """Give `person` a role from a day (today) to a day (none), for a fund and a country.

    `fund` is the code of a fund and `country` an ISO 3166 alpha-3 code; None means all of them.
    All sessions of the person end. Raises Refused for one's own role, for anybody but an
    administrator, for days out of order, for a grant that is there already, and for an
    administrator's beside any other.
    """
    _demand_administrator(by, person)
    audit.take_turn()
    session.refresh(person, ["roles"])
    first = from_day or clock.today()
    if until_day is not None and until_day < first:
        raise Refused(_("The last day of the role is before its first day. Check both."))
    if person.deactivated_at is not None or person.email_confirmed_at is None:
        raise Refused(_("This account is closed, or its address is not confirmed yet."))
    for grant in person.roles:
        same = (grant.role, grant.fund_code, grant.country) == (role, fund, country)
        if same and grant.is_in_force(first):
            raise Refused(_("This person has the role already, for the same fund and country."))
    beside = rules.standing(person.roles, first, until_day)
    apart = rules.combination_refusal(role, beside)
    if apart:
        raise Refused(apart)
    grant = RoleGrant(
        person=person,
        role=role,
        fund_code=fund,
        country=country,
        from_day=first,
        until_day=until_day,
        granted_by_id=by.id,
    )
    session.add(grant)
    session.flush()
    audit.record("person.role_granted", person, actor_id=by.id, facts=_facts(grant))
    end_all_sessions(person, by=by)
    return grant


def end_role(grant: RoleGrant, *, by: Person) -> None:
    """End a role at once; all sessions of the person end. Raises Refused as `grant_role` does."""
    _demand_administrator(by, grant.person)
    if grant.ended_at is not None:
        return
    grant.ended_at, grant.ended_by_id = clock.now(), by.id
    session.flush()
    audit.record("person.role_ended", grant.person, actor_id=by.id, facts=_facts(grant))
    end_all_sessions(grant.person, by=by)


def _facts(grant: RoleGrant) -> dict[str, str | None]:
    return {
        "grant": str(grant.id),
        "role": grant.role.value,
        "fund": grant.fund_code,
        "country": grant.country,
        "from": grant.from_day.isoformat(),
        "until": grant.until_day.isoformat() if grant.until_day else None,
    }


def deactivate(person: Person, *, by: Person) -> None:
    """Close an account: nobody signs in with it. Raises Refused as `grant_role` does."""
    _demand_administrator(by, person)
    if person.deactivated_at is None:
        person.deactivated_at = clock.now()
        audit.record("person.deactivated", person, actor_id=by.id)
        end_all_sessions(person, by=by)


def reactivate(person: Person, *, by: Person) -> None:
    """Open a closed account again, with the roles it had. Raises Refused as `grant_role` does."""
    _demand_administrator(by, person)
    if person.deactivated_at is not None:
        person.deactivated_at = None
        audit.record("person.reactivated", person, actor_id=by.id)


def correct_nationality(
    person: Person, nationality: str | None, reason: NationalityReason, *, by: Person
) -> None:
    """Set the nationality of `person` (ISO 3166 alpha-3, None for not given), with its reason.

    The record says that it changed and why, never from what to what. All sessions of the person
    end: what exists for them may be other files (R16). Raises Refused as `grant_role` does.
    """
    _demand_administrator(by, person)
    if person.nationality == nationality:
        return
    person.nationality = nationality
    session.flush()
    facts = {"reason": reason.value}
    audit.record("person.nationality_corrected", person, actor_id=by.id, rule="R16", facts=facts)
    end_all_sessions(person, by=by)
