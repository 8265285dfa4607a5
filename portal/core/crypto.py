"""Answers that could harm somebody: sealed with AES-256-GCM, one key per application.

Each key is wrapped by the master key from the settings and stored in a row; the master key itself
is never in the database. A value is bound to its place: moved to another row or question it cannot
be opened. `destroy` erases the key, and with it everything it ever sealed, at once and for good in
this database. Copies of the database still hold the wrapped key until they expire: keep
`sealing_key` out of long-lived backups, and in one of its own that lives as long as the promise
of erasure allows.
"""

import secrets
from datetime import datetime
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.db import Base, WithId, session

KEY_BYTES = 32
NONCE_BYTES = 12
"""96 bits, the size that GCM is made for. A random one is safe for 2**32 values per key."""

VERSION = b"\x01"
"""First byte of everything sealed: AES-256-GCM, nonce, ciphertext and tag."""

_TAG_BYTES = 16
_wrapping: list[AESGCM] = []
_master_key: list[bytes] = []


class Unreadable(Exception):
    """A sealed value cannot be opened: the key is destroyed, or bytes or place are wrong."""


class SealingKey(WithId, Base):
    """The key of one application, wrapped by the master key; without it once destroyed."""

    __tablename__ = "sealing_key"
    __table_args__ = (
        CheckConstraint(
            "(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="gone_when_destroyed"
        ),
    )

    wrapped: Mapped[bytes | None]
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None] = mapped_column(default=None)


def configure(master_key: bytes) -> None:
    """Set the master key, once at start. Raises ValueError unless it has 32 bytes."""
    if len(master_key) != KEY_BYTES:
        raise ValueError(f"the master key has {KEY_BYTES} bytes")
    _wrapping[:] = [AESGCM(master_key)]
    _master_key[:] = [master_key]


def new_key() -> SealingKey:
    """Make the key of one application and add it to the session."""
    key_id = uuid4()
    wrapped = _encrypt(_master(), secrets.token_bytes(KEY_BYTES), _place_of(key_id))
    key = SealingKey(id=key_id, wrapped=wrapped, created_at=clock.now())
    session.add(key)
    return key


def seal(key: SealingKey, plaintext: str, context: str) -> bytes:
    """Return `plaintext` sealed with `key`, to be opened in the same `context` only.

    `context` names the place, such as `application:<id>:answer:<question>`. Raises Unreadable
    when the key is destroyed.
    """
    return _encrypt(_unwrapped(key), plaintext.encode(), context)


def unseal(key: SealingKey, sealed: bytes, context: str) -> str:
    """Return what `seal` was given. Raises Unreadable; see there."""
    return _decrypt(_unwrapped(key), sealed, context).decode()


def destroy(key: SealingKey) -> None:
    """Erase `key`: nothing that it sealed can be read again. Doing it twice changes nothing."""
    if key.destroyed_at is None:
        key.wrapped = None
        key.destroyed_at = clock.now()


def derived_key(purpose: str) -> bytes:
    """Return a key of 32 bytes for `purpose`, made from the master key (HKDF-SHA-256).

    For keyed hashes that find equal values without reading them. RuntimeError before `configure`.
    """
    if not _master_key:
        raise RuntimeError("crypto.configure(master_key) comes first")
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(_master_key[0])


def _master() -> AESGCM:
    if not _wrapping:
        raise RuntimeError("crypto.configure(master_key) comes first")
    return _wrapping[0]


def _place_of(key_id: UUID) -> str:
    return f"sealing_key:{key_id}"


def _unwrapped(key: SealingKey) -> AESGCM:
    if key.wrapped is None:
        raise Unreadable("The key was destroyed.")
    return AESGCM(_decrypt(_master(), key.wrapped, _place_of(key.id)))


def _encrypt(cipher: AESGCM, plain: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + cipher.encrypt(nonce, plain, VERSION + context.encode())


def _decrypt(cipher: AESGCM, sealed: bytes, context: str) -> bytes:
    start = len(VERSION) + NONCE_BYTES
    if not sealed.startswith(VERSION) or len(sealed) < start + _TAG_BYTES:
        raise Unreadable("These bytes were not sealed by the portal.")
    try:
        return cipher.decrypt(
            sealed[len(VERSION) : start], sealed[start:], VERSION + context.encode()
        )
    except InvalidTag as wrong:
        raise Unreadable(
            "The bytes, their place or the key are not those of the sealing."
        ) from wrong
