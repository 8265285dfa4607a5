"""People: registering, confirming an address, passwords, the profile, the first administrator."""

from zoneinfo import available_timezones

from portal.accounts import rules
from portal.accounts.models import LinkPurpose, OneTimeLink, Person, Role, RoleGrant
from portal.accounts.service import throttle
from portal.accounts.service.links import hold_link, make_link, use_link
from portal.accounts.service.organisations import join
from portal.accounts.service.passwords import hash_password, is_password
from portal.accounts.service.sessions import (
    Entry,
    end_all_sessions,
    person_by_email,
    start_session,
)
from portal.core import audit, clock, outbox
from portal.core.db import session
from portal.core.i18n import PSEUDO, _, offered
from portal.core.text import normalise
from portal.core.workflow import Refused


def clean_name(typed: str) -> str:
    """Return a name of a person in the form that it is kept in. Raises Refused."""
    name = " ".join(normalise(typed).split())
    if not name or len(name) > rules.NAME_LIMIT:
        raise Refused(_("Type your name as others should read it, in 200 characters at most."))
    return name


def known_language(tag: str) -> str:
    """Return `tag` if the portal speaks it, else English."""
    return tag if tag in offered() or tag in PSEUDO else "en"


def _demand_usable(password: str, email: str, name: str) -> None:
    """Raise Refused for a password that is too short or too easy to guess."""
    sentence = rules.password_refusal(password, email=email, name=name)
    if sentence:
        raise Refused(sentence)


def register(
    *, email: str, name: str, password: str, language: str = "en", time_zone: str = ""
) -> None:
    """Open an account that waits for its address to be confirmed.

    A time zone that nobody knows is left out: times are then shown in UTC.

    Nothing in the answer or in its cost says whether the address was known; whoever reads its
    letter-box learns it from the message. A registration that was not confirmed yet is replaced.
    Raises Refused for an address, a name or a password that cannot be used.
    """
    address, name = rules.clean_email(email), clean_name(name)
    _demand_usable(password, address, name)
    password_hash = hash_password(password)
    throttle.in_turn(address)
    person = person_by_email(address)
    if person is None:
        person = Person(email=address, name=name, language=known_language(language))
        person.password_hash = password_hash
        if time_zone in available_timezones():
            person.time_zone = time_zone
        session.add(person)
        audit.record("person.registered", person, actor_id=person.id)
    elif person.email_confirmed_at is None:
        person.name, person.password_hash = name, password_hash
    if not throttle.may_send_mail(address):
        return
    if person.email_confirmed_at is None:
        link, path = make_link(LinkPurpose.CONFIRM, address)
        outbox.queue(
            address,
            "confirm_address",
            key=f"link:{link.id}",
            link=path,
            locale=person.language,
            person_id=person.id,
        )
    else:
        outbox.queue(
            address,
            "already_registered",
            key=f"already-registered:{person.id}:{clock.now().isoformat()}",
            link="/forgot",
            locale=person.language,
            person_id=person.id,
        )


def confirm(token: str, password: str, *, network: str, agent: str = "") -> Entry:
    """Confirm an address, for whoever has both the link and the password of the registration.

    Asking for the password keeps a stranger's registration of somebody else's address from
    becoming an account when the owner follows the link. Raises Refused.
    """
    link = hold_link(token, LinkPurpose.CONFIRM)
    throttle.demand_free(link.email, network)
    person = person_by_email(link.email)
    right = is_password(person.password_hash if person else None, password)
    if person is None or not right:
        throttle.count_failure(link.email, network)
        raise Refused(
            _(
                "This is not the password that was chosen at registration. "
                "If it was not you who registered, or you forgot it, choose a new password."
            )
        )
    throttle.forgive(link.email, network)
    use_link(link)
    _confirm_address(person)
    return start_session(person, agent)


def _confirm_address(person: Person) -> None:
    if person.email_confirmed_at is None:
        person.email_confirmed_at = clock.now()
        audit.record("person.address_confirmed", person, actor_id=person.id)


def send_reset_link(email: str) -> None:
    """Send a link to choose a new password, if the address belongs to somebody.

    The answer is the same if it does not. Raises Refused for what is no address at all.
    """
    address = rules.clean_email(email)
    allowed = throttle.may_send_mail(address)
    person = person_by_email(address)
    if person is None or person.deactivated_at is not None or not allowed:
        return
    link, path = make_link(LinkPurpose.RESET, address)
    outbox.queue(
        address,
        "reset_password",
        key=f"link:{link.id}",
        link=path,
        locale=person.language,
        person_id=person.id,
    )


def reset_password(token: str, password: str) -> Person:
    """Set a new password by a link from the owner's letter-box, and end all sessions.

    Raises Refused for a spent link or a password that cannot be used.
    """
    link = hold_link(token, LinkPurpose.RESET)
    person = person_by_email(link.email)
    if person is None or person.deactivated_at is not None:
        raise Refused(_("This link was used already, or it is too old. Ask for a new one."))
    _set_password(person, password)
    use_link(link)
    _confirm_address(person)
    return person


def change_password(person: Person, old: str, new: str, *, network: str, agent: str = "") -> Entry:
    """Change one's own password; every session ends and a new one begins.

    Raises Refused for a wrong old password, a try that must wait or a new one that cannot be used.
    """
    throttle.demand_free(person.email, network)
    if not is_password(person.password_hash, old):
        throttle.count_failure(person.email, network)
        raise Refused(_("The present password is not right. Check it and try again."))
    throttle.forgive(person.email, network)
    _set_password(person, new)
    return start_session(person, agent)


def _set_password(person: Person, password: str) -> None:
    """Store a usable password, end all sessions and tell the owner."""
    _demand_usable(password, person.email, person.name)
    person.password_hash = hash_password(password)
    event = audit.record("person.password_changed", person, actor_id=person.id)
    end_all_sessions(person)
    outbox.queue(
        person.email,
        "password_changed",
        key=f"password-changed:{event.digest}",
        link="/forgot",
        locale=person.language,
        person_id=person.id,
    )


def edit_profile(
    person: Person,
    *,
    name: str,
    language: str,
    time_zone: str,
    nationality: str | None = None,
) -> None:
    """Change how the portal addresses somebody. `nationality` is ISO 3166 alpha-3 (for R16).

    Raises Refused for a name or a time zone that cannot be, and for another nationality of
    whoever reviews: see `correct_nationality`.
    """
    if time_zone not in available_timezones():
        raise Refused(_("This time zone is not known. Choose one from the list."))
    stands = rules.nationality_refusal(
        person.roles, person.nationality, nationality or None, clock.today()
    )
    if stands:
        raise Refused(stands, "R16")
    wanted = {
        "name": clean_name(name),
        "language": known_language(language),
        "time_zone": time_zone,
        "nationality": nationality or None,
    }
    changed = [field for field, value in wanted.items() if getattr(person, field) != value]
    for field in changed:
        setattr(person, field, wanted[field])
    if changed:
        facts = {"fields": changed}
        audit.record("person.profile_edited", person, actor_id=person.id, facts=facts)


def make_admin_link(email: str) -> str:
    """Return the path of a one-day link that makes the owner of `email` an administrator.

    Only the operator's command line calls this: there are no default accounts. Raises Refused
    for no address at all, and for whoever holds another role.
    """
    address = rules.clean_email(email)
    person = person_by_email(address)
    if person is not None:
        _demand_no_other_role(person)
    _link, path = make_link(LinkPurpose.ADMIN, address)
    return path


def accept_admin_link(token: str, by: Person) -> None:
    """Make `by`, who is signed in and owns the address of the link, an administrator.

    Raises Refused for a spent link, one made for another address, and beside another role.
    """
    link = hold_link(token, LinkPurpose.ADMIN)
    if link.email != by.email:
        raise Refused(_("This link was made for another address. Sign in with that one."))
    audit.take_turn()
    _demand_no_other_role(by)
    use_link(link)
    _make_administrator(by, link)


def _make_administrator(person: Person, link: OneTimeLink) -> None:
    if person.has_role(Role.ADMINISTRATOR):
        return
    session.add(RoleGrant(person=person, role=Role.ADMINISTRATOR))
    session.flush()
    facts = {"role": Role.ADMINISTRATOR.value, "link": str(link.id)}
    audit.record("person.role_granted", person, actor_id=None, facts=facts)
    end_all_sessions(person)


def _demand_no_other_role(person: Person) -> None:
    session.refresh(person, ["roles"])
    beside = rules.standing(person.roles, clock.today(), None)
    sentence = rules.combination_refusal(Role.ADMINISTRATOR, beside)
    if sentence:
        raise Refused(sentence)


def has_account(email: str) -> bool:
    """Say whether somebody has confirmed an account with `email`; for holders of a link to it."""
    person = person_by_email(email)
    return person is not None and person.email_confirmed_at is not None


def join_by_link(
    token: str, *, name: str, password: str, language: str = "en", agent: str = ""
) -> Entry:
    """Open an account by an invitation, which proves the address, and accept it.

    Raises Refused for a spent link, for an address that has an account (its owner signs in and
    accepts), or for a name or a password that cannot be used.
    """
    link = hold_link(token, LinkPurpose.INVITE, LinkPurpose.ADMIN)
    name = clean_name(name)
    _demand_usable(password, link.email, name)
    throttle.in_turn(link.email)
    person = person_by_email(link.email)
    if person is None:
        person = Person(email=link.email, name=name, language=known_language(language))
        session.add(person)
        audit.record("person.registered", person, actor_id=person.id)
    elif person.email_confirmed_at is not None:
        raise Refused(_("There is an account with this address. Sign in, then open the link."))
    person.name, person.password_hash = name, hash_password(password)
    _confirm_address(person)
    use_link(link)
    if link.purpose is LinkPurpose.ADMIN:
        _make_administrator(person, link)
    else:
        join(person, link)
    return start_session(person, agent)
