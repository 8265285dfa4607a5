"""What is sealed opens in its own place only, and never again once its key is destroyed."""

import secrets
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import crypto
from portal.core.clock import now
from portal.core.crypto import SealingKey, Unreadable, seal, unseal
from portal.core.db import session

PLACE = "application:1:answer:risk"


@pytest.fixture(autouse=True)
def master_key() -> Iterator[bytes]:
    before = list(crypto._wrapping)
    key = secrets.token_bytes(32)
    crypto.configure(key)
    yield key
    crypto._wrapping[:] = before
    session.expunge_all()


@how(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_is_read_back_and_is_not_the_text(text: str) -> None:
    key = crypto.new_key()
    sealed = seal(key, text, PLACE)
    assert unseal(key, sealed, PLACE) == text
    assert len(sealed) == 1 + 12 + len(text.encode()) + 16
    assert len(text) < 4 or text.encode() not in sealed


def test_the_same_text_is_never_sealed_alike() -> None:
    key = crypto.new_key()
    assert len({seal(key, "same", PLACE) for _turn in range(100)}) == 100


def test_any_changed_bit_is_noticed() -> None:
    key = crypto.new_key()
    sealed = seal(key, "a contact", PLACE)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Unreadable):
            unseal(key, bytes(changed), PLACE)


@pytest.mark.parametrize(
    "sealed", [b"", b"\x01", b"\x01" + bytes(27), b"plain text, not sealed at all"]
)
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(Unreadable):
        unseal(crypto.new_key(), sealed, PLACE)


def test_a_value_moved_to_another_row_is_refused() -> None:
    key, other = crypto.new_key(), crypto.new_key()
    sealed = seal(key, "a contact", PLACE)
    with pytest.raises(Unreadable):
        unseal(key, sealed, "application:2:answer:risk")
    with pytest.raises(Unreadable):
        unseal(other, sealed, PLACE)


def test_a_key_moved_to_another_row_is_refused() -> None:
    key, other = crypto.new_key(), crypto.new_key()
    sealed = seal(key, "a contact", PLACE)
    other.wrapped = key.wrapped
    with pytest.raises(Unreadable):
        unseal(other, sealed, PLACE)


def test_another_master_key_opens_nothing() -> None:
    key = crypto.new_key()
    sealed = seal(key, "a contact", PLACE)
    crypto.configure(secrets.token_bytes(32))
    with pytest.raises(Unreadable):
        unseal(key, sealed, PLACE)


def test_a_destroyed_key_neither_opens_nor_seals() -> None:
    key = crypto.new_key()
    sealed = seal(key, "a contact", PLACE)
    crypto.destroy(key)
    first = key.destroyed_at
    crypto.destroy(key)
    assert key.destroyed_at == first is not None
    assert key.wrapped is None
    with pytest.raises(Unreadable):
        unseal(key, sealed, PLACE)
    with pytest.raises(Unreadable):
        seal(key, "another", PLACE)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        crypto.configure(bytes(length))


def test_nothing_works_before_the_master_key_is_set() -> None:
    crypto._wrapping.clear()
    with pytest.raises(RuntimeError):
        crypto.new_key()


def test_the_master_key_and_the_key_are_in_no_row(db: Session, master_key: bytes) -> None:
    key = crypto.new_key()
    sealed = seal(key, "a contact", PLACE)
    db.flush()
    key_id: UUID = key.id
    db.expire_all()
    read = db.get_one(SealingKey, key_id)
    assert unseal(read, sealed, PLACE) == "a contact"
    assert read.wrapped is not None
    assert master_key not in read.wrapped
    assert len(read.wrapped) == 1 + 12 + 32 + 16


def test_the_database_ties_destruction_to_its_date(db: Session) -> None:
    db.add(SealingKey(id=uuid4(), wrapped=b"x", created_at=now()))
    db.flush()
    with pytest.raises(IntegrityError, match="gone_when_destroyed"), db.begin_nested():
        db.execute(update(SealingKey).values(wrapped=None))
