"""Organisations and who works for them. One representative always remains."""

import re
from datetime import date

from sqlalchemy import func, select

from portal.accounts import policy, rules
from portal.accounts.models import (
    LinkPurpose,
    MemberRole,
    Membership,
    OneTimeLink,
    Organisation,
    OrganisationKind,
    Person,
)
from portal.accounts.service import throttle
from portal.accounts.service.links import hold_link, make_link, use_link
from portal.core import audit, clock, outbox
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused

_ISO3 = re.compile(r"[A-Z]{3}")


def _demand_sound(name: str, country: str, registered_on: date | None) -> None:
    """Raise Refused for a name, a country or a date of registration that cannot be."""
    if not name or len(name) > rules.NAME_LIMIT:
        raise Refused(_("Type the name of the organisation, in 200 characters at most."))
    if not _ISO3.fullmatch(country):
        raise Refused(_("Choose the country from the list."))
    sentence = rules.registration_refusal(registered_on, clock.today())
    if sentence:
        raise Refused(sentence)


def create_organisation(
    *,
    by: Person,
    name: str,
    kind: OrganisationKind,
    country: str,
    registered_on: date | None = None,
    registration_number: str = "",
    address: str = "",
    title: str = "",
) -> Organisation:
    """Enter an organisation; `by` becomes its legal representative, with `title` as function.

    `country` is ISO 3166 alpha-3. Raises Refused for details that cannot be.
    """
    name = " ".join(normalise(name).split())
    _demand_sound(name, country, registered_on)
    organisation = Organisation(
        name=name,
        kind=kind,
        country=country,
        registered_on=registered_on,
        registration_number=normalise(registration_number),
        address=normalise(address),
    )
    session.add(organisation)
    session.flush()
    facts = {"kind": kind.value, "country": country}
    audit.record("organisation.created", organisation, actor_id=by.id, facts=facts)
    _admit(by, organisation, MemberRole.REPRESENTATIVE, by=by, title=normalise(title))
    return organisation


def edit_organisation(
    organisation: Organisation,
    *,
    by: Person,
    name: str,
    kind: OrganisationKind,
    country: str,
    registered_on: date | None = None,
    registration_number: str = "",
    address: str = "",
) -> None:
    """Correct the details of an organisation. What was submitted before keeps the old ones.

    Raises Refused for anybody but a representative and for details that cannot be.
    """
    _demand_manager(by, organisation)
    wanted = {
        "name": " ".join(normalise(name).split()),
        "kind": kind,
        "country": country,
        "registered_on": registered_on,
        "registration_number": normalise(registration_number),
        "address": normalise(address),
    }
    _demand_sound(str(wanted["name"]), country, registered_on)
    changed = [field for field, value in wanted.items() if getattr(organisation, field) != value]
    for field in changed:
        setattr(organisation, field, wanted[field])
    if changed:
        facts = {"fields": changed, "kind": kind.value, "country": country}
        audit.record("organisation.edited", organisation, actor_id=by.id, facts=facts)


def _demand_manager(by: Person, organisation: Organisation) -> None:
    if not policy.can_manage(by, organisation):
        raise Refused(_("Only a legal representative of the organisation may do this."))


def invite(organisation: Organisation, *, email: str, role: MemberRole, by: Person) -> OneTimeLink:
    """Invite a colleague by a link that is good for 14 days. The message names nobody.

    Raises Refused for anybody but a representative, for somebody who is a member already, and
    for a sixth message to one address within an hour.
    """
    _demand_manager(by, organisation)
    address = rules.clean_email(email)
    if any(member.person.email == address for member in active_members(organisation)):
        raise Refused(_("This person is a member of the organisation already."))
    if not throttle.may_send_mail(address):
        raise Refused(_("Several messages went to this address within the hour. Wait a while."))
    link, path = make_link(
        LinkPurpose.INVITE,
        address,
        organisation_id=organisation.id,
        member_role=role,
        made_by_id=by.id,
    )
    facts = {"link": str(link.id), "role": role.value}
    audit.record("organisation.invited", organisation, actor_id=by.id, facts=facts)
    outbox.queue(address, "invitation", key=f"link:{link.id}", link=path, locale=by.language)
    return link


def accept_invite(token: str, *, by: Person) -> Membership:
    """Make `by`, who is signed in and owns the address of the link, a member.

    Raises Refused for a spent link or one sent to another address.
    """
    link = hold_link(token, LinkPurpose.INVITE)
    if link.email != by.email:
        raise Refused(_("This invitation went to another address. Sign in with that one."))
    use_link(link)
    return join(by, link)


def join(person: Person, link: OneTimeLink) -> Membership:
    """Admit `person` to the organisation that `link` names. Raises Refused.

    The invitation dies with the right of whoever gave it.
    """
    organisation = session.get_one(Organisation, link.organisation_id)
    host = session.get_one(Person, link.made_by_id)
    if not policy.can_manage(host, organisation) or link.member_role is None:
        raise Refused(_("Whoever invited you no longer represents the organisation."))
    return _admit(person, organisation, link.member_role, by=host)


def _admit(
    person: Person, organisation: Organisation, role: MemberRole, *, by: Person, title: str = ""
) -> Membership:
    """Make `person` a member, again where they had left. A member keeps the role they have."""
    found = session.scalar(
        select(Membership).where(
            Membership.person_id == person.id, Membership.organisation_id == organisation.id
        )
    )
    if found is not None and found.is_active:
        return found
    if found is None:
        found = Membership(person=person, organisation=organisation, role=role, title=title)
        session.add(found)
    else:
        found.role, found.left_at, found.joined_at = role, None, clock.now()
    session.flush()
    facts = {"person": str(person.id), "role": role.value, "invited_by": str(by.id)}
    audit.record("organisation.member_joined", organisation, actor_id=person.id, facts=facts)
    return found


def active_members(organisation: Organisation) -> list[Membership]:
    """Return the present members of an organisation, the longest there first."""
    return list(
        session.scalars(
            select(Membership)
            .where(Membership.organisation_id == organisation.id, Membership.left_at.is_(None))
            .order_by(Membership.joined_at, Membership.id)
        )
    )


def remove_member(membership: Membership, *, by: Person) -> None:
    """End a membership: a representative may, and everybody their own.

    Raises Refused for others, and where no representative would remain.
    """
    if not policy.can_remove(by, membership):
        raise Refused(_("Only a legal representative of the organisation may do this."))
    _demand_another_representative(membership)
    membership.left_at = clock.now()
    session.flush()
    facts = {"person": str(membership.person_id)}
    organisation = membership.organisation
    audit.record("organisation.member_left", organisation, actor_id=by.id, facts=facts)


def change_member_role(membership: Membership, *, role: MemberRole, by: Person) -> None:
    """Make a member an editor or a legal representative.

    Raises Refused for anybody but a representative, and where none would remain.
    """
    _demand_manager(by, membership.organisation)
    if membership.role is role or not membership.is_active:
        return
    if role is not MemberRole.REPRESENTATIVE:
        _demand_another_representative(membership)
    before, membership.role = membership.role, role
    session.flush()
    audit.record(
        "organisation.member_role_changed",
        membership.organisation,
        actor_id=by.id,
        from_status=before.value,
        to_status=role.value,
        facts={"person": str(membership.person_id)},
    )


def _demand_another_representative(membership: Membership) -> None:
    """Raise Refused if `membership` is the only representative's; two at once queue here."""
    if membership.role is not MemberRole.REPRESENTATIVE:
        return
    where = membership.organisation_id
    session.execute(select(Organisation.id).where(Organisation.id == where).with_for_update())
    others = session.scalar(
        select(func.count()).where(
            Membership.organisation_id == where,
            Membership.role == MemberRole.REPRESENTATIVE,
            Membership.left_at.is_(None),
            Membership.id != membership.id,
        )
    )
    if not others:
        raise Refused(
            _(
                "An organisation always keeps one legal representative. "
                "Make somebody else a representative first."
            )
        )
