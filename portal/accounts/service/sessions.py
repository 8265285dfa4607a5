"""Signing in and out. The browser holds a random token, the database only its SHA-256."""

import secrets
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from portal.accounts import rules
from portal.accounts.models import Person, WebSession
from portal.accounts.service import throttle
from portal.accounts.service.passwords import hash_password, is_password, needs_rehash
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import sha256_hex
from portal.core.workflow import Refused

AGENT_LIMIT = 200


@dataclass(frozen=True)
class Entry:
    """A session that was just opened, with the token that only the browser will keep."""

    web_session: WebSession
    token: str


def digest_of(token: str) -> str:
    """Return what is stored of a token."""
    return sha256_hex(token.encode())


def person_by_email(email: str) -> Person | None:
    """Return the person with an address (in the form of `rules.clean_email`), or None."""
    return session.scalar(select(Person).where(Person.email == email))


def session_for(token: str) -> WebSession | None:
    """Return the session that `token` opens, with its person; None if it has ended or run out.

    Two SQL statements, whatever the number of roles and organisations: every page runs them, so
    organisations, which are few, come with the person.
    """
    row = (
        select(WebSession)
        .where(WebSession.digest == digest_of(token))
        .options(joinedload(WebSession.person).joinedload(Person.memberships))
    )
    found = session.scalars(row).unique().one_or_none()
    if found is None or found.person.deactivated_at is not None:
        return None
    live = rules.is_live(
        created_at=found.created_at,
        seen_at=found.seen_at,
        ended_at=found.ended_at,
        now=clock.now(),
    )
    return found if live else None


def refresh(web_session: WebSession) -> None:
    """Note that the session is in use, every five minutes at most, in a transaction of its own.

    A GET never commits, yet reading is use too. The statement touches no session that has ended,
    so a late one cannot revive it.
    """
    now = clock.now()
    if now - web_session.seen_at < rules.SEEN_EVERY:
        return
    statement = (
        update(WebSession)
        .where(WebSession.id == web_session.id, WebSession.ended_at.is_(None))
        .values(seen_at=now)
    )
    bind = session.get_bind()
    with Session(bind, join_transaction_mode="create_savepoint") as own, own.begin():
        own.execute(statement)


def start_session(person: Person, agent: str = "") -> Entry:
    """Open a new session for `person`, with an identifier that nobody has seen before."""
    token = secrets.token_urlsafe(32)
    opened = WebSession(digest=digest_of(token), person=person, agent=agent[:AGENT_LIMIT])
    session.add(opened)
    session.flush()
    return Entry(opened, token)


def sign_in(email: str, password: str, *, network: str, agent: str = "") -> Entry:
    """Open a session for whoever knows the password of `email`.

    Known and unknown addresses cost one hash each and get the same sentence. Raises Refused for
    a wrong pair, a try that must wait, or an address that is not yet confirmed (told only to
    those who know the password).
    """
    address = _address_or_text(email)
    throttle.demand_free(address, network)
    person = person_by_email(address)
    known = person is not None and person.deactivated_at is None
    right = is_password(person.password_hash if person and known else None, password)
    if person is None or not right:
        throttle.count_failure(address, network)
        raise Refused(
            _(
                "This address and this password do not belong together. "
                "Check both, or choose a new password."
            )
        )
    throttle.forgive(address, network)
    if person.email_confirmed_at is None:
        raise Refused(
            _(
                "The address is not confirmed yet. Open the link in the message that was sent to "
                "it; if there is none, register once more and another one comes."
            )
        )
    if person.password_hash and needs_rehash(person.password_hash):
        person.password_hash = hash_password(password)
    audit.record("person.signed_in", person, actor_id=person.id)
    return start_session(person, agent)


def _address_or_text(email: str) -> str:
    """Return the address as it is kept, or what was typed: that belongs to nobody."""
    try:
        return rules.clean_email(email)
    except Refused:
        return email.strip().lower()


def confirm_identity(
    web_session: WebSession, password: str, *, network: str, agent: str = ""
) -> Entry:
    """Replace `web_session` by a fresh one for whoever gives the password again.

    Raises Refused for a wrong password or a try that must wait.
    """
    person = web_session.person
    throttle.demand_free(person.email, network)
    if not is_password(person.password_hash, password):
        throttle.count_failure(person.email, network)
        raise Refused(_("This is not the password of your account. Check it and try again."))
    throttle.forgive(person.email, network)
    end_session(web_session)
    audit.record("person.confirmed_identity", person, actor_id=person.id)
    return start_session(person, agent)


def end_session(web_session: WebSession) -> None:
    """End one session: its token opens nothing any more."""
    if web_session.ended_at is None:
        web_session.ended_at = clock.now()
        session.flush()


def end_all_sessions(person: Person, *, by: Person | None = None) -> int:
    """End every session of `person` and return how many there were."""
    session.flush()
    ended = session.scalars(
        update(WebSession)
        .where(WebSession.person_id == person.id, WebSession.ended_at.is_(None))
        .values(ended_at=clock.now())
        .returning(WebSession.id)
    ).all()
    actor = by or person
    audit.record("person.sessions_ended", person, actor_id=actor.id, facts={"count": len(ended)})
    return len(ended)
