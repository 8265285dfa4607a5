"""Throttles kept in the database, so that they hold across processes and restarts.

A failed try counts for the pair of address and network, and more loosely for the network alone;
never for the address alone, or anybody could lock anybody out. Keys are digests.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text

from portal.accounts import rules
from portal.accounts.models import SignInAttempt
from portal.accounts.rules import Tries
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused

KEPT_FOR = timedelta(days=1)


def in_turn(key: str) -> None:
    """Let requests about the same `key` go one after the other until the transaction ends."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"accounts:{key}"}
    )


def _tries(key: str, since: datetime) -> Tries:
    """Return the failed tries for `key` since the moment `since`."""
    statement = select(func.count(), func.max(SignInAttempt.at)).where(
        SignInAttempt.key == key, SignInAttempt.at > since
    )
    count, last = session.execute(statement).one()
    return Tries(count, last)


def demand_free(email: str, network: str) -> None:
    """Raise Refused, saying how long to wait, if the next try of `email` must wait.

    Tries of one pair queue here, so that a hundred at once are not all the first.
    """
    now = clock.now()
    pair = rules.pair_key(email, network)
    in_turn(pair)
    moments = [
        rules.free_from(_tries(pair, now - rules.PAIR_WINDOW), rules.PAIR_FREE),
        rules.free_from(
            _tries(rules.network_key(network), now - rules.NETWORK_WINDOW), rules.NETWORK_FREE
        ),
    ]
    latest = max((moment for moment in moments if moment), default=now)
    if latest > now:
        raise Refused(rules.waiting_sentence(latest - now))


def count_failure(email: str, network: str) -> None:
    """Remember a failed try, and forget those of the days before."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < clock.now() - KEPT_FOR))
    session.add_all(
        [
            SignInAttempt(key=rules.pair_key(email, network)),
            SignInAttempt(key=rules.network_key(network)),
        ]
    )
    session.flush()


def forgive(email: str, network: str) -> None:
    """Forget the failed tries of one pair, after a right password; the network's remain."""
    key = rules.pair_key(email, network)
    session.execute(delete(SignInAttempt).where(SignInAttempt.key == key))


def may_send_mail(email: str) -> bool:
    """Say whether a stranger may cause one more message to `email`, and count it if so.

    Five an hour: enough for somebody who looks for a lost message, too few to flood a letter-box.
    """
    key = rules.mail_key(email)
    in_turn(key)
    if _tries(key, clock.now() - rules.MAIL_WINDOW).count >= rules.MAILS_PER_WINDOW:
        return False
    session.add(SignInAttempt(key=key))
    session.flush()
    return True


def demand_form_free(network: str) -> None:
    """Count one more public form from a network; raise Refused, saying how long to wait.

    What is refused does not count: the caller rolls back.
    """
    key, now = rules.form_key(network), clock.now()
    in_turn(key)
    free = rules.free_from(_tries(key, now - rules.FORM_WINDOW), rules.FORMS_FREE)
    if free is not None and free > now:
        raise Refused(rules.waiting_sentence(free - now))
    session.add(SignInAttempt(key=key))
    session.flush()
