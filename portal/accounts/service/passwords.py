"""Hashing of passwords: argon2id, 19 MiB, two passes, one lane (OWASP ASVS 5.0, 11.4).

At most two hashes run at once: a hundred sign-ins at the same moment queue instead of taking
two gigabytes of memory.
"""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.accounts.rules import LONGEST_PASSWORD, clean_password
from portal.core.i18n import _
from portal.core.workflow import Refused

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
CONCURRENT_HASHES = 2
PATIENCE_SECONDS = 15

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
_turns = BoundedSemaphore(CONCURRENT_HASHES)


def _base64(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")


_NOBODYS = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${_base64(16)}${_base64(32)}"
"""A hash that belongs to no password: unknown people take as long as known ones."""


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for one of the few places where a hash may run. Raises Refused after 15 seconds."""
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise Refused(_("Many people are signing in at this moment. Try again in a minute."))
    try:
        yield
    finally:
        _turns.release()


def hash_password(password: str) -> str:
    """Return the hash of `password` with its salt and parameters, as it is stored."""
    with _turn():
        return _hasher.hash(clean_password(password))


def is_password(stored: str | None, typed: str) -> bool:
    """Say whether `typed` is the password of `stored`. Always costs one hash, also for None."""
    with _turn():
        try:
            _hasher.verify(stored or _NOBODYS, clean_password(typed[: LONGEST_PASSWORD * 2]))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)
