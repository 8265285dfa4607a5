"""Tables of the files of statements, and of the statements in them, one account each."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.crypto import SealingKey
from portal.core.db import Base, WithId
from portal.core.money import Money
from portal.payments.models import BankAccount


class StatementFile(WithId, Base):
    """A file of statements as it came, once: `sha256` is that of its bytes.

    It names people and their accounts, so its parts are sealed under a key of its own; so are the
    particulars of its lines.
    """

    __tablename__ = "statement_file"

    sha256: Mapped[str] = mapped_column(unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sealing_key: Mapped[SealingKey] = relationship(lazy="joined")
    sealing_key_id: Mapped[UUID] = mapped_column(ForeignKey("sealing_key.id"), init=False)
    imported_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    imported_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))

    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hex"),
        CheckConstraint("size_bytes > 0", name="not_empty"),
    )

    @property
    def case_id(self) -> None:
        """Statements belong to no case file."""
        return


class StatementFilePart(Base):
    """A part of the compressed file, sealed: no part is too large to be held in memory."""

    __tablename__ = "statement_file_part"

    file_id: Mapped[UUID] = mapped_column(ForeignKey("statement_file.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class Statement(WithId, Base):
    """One statement of one account. `previous_id` is the one before it, none for the first.

    `sequence` is the bank's running number where it gives one. `xact` is the database transaction
    in which it was written, and the only one in which it may receive lines; a trigger sets it.
    """

    __tablename__ = "statement"

    bank_account: Mapped[BankAccount] = relationship(lazy="joined")
    bank_account_id: Mapped[UUID] = mapped_column(ForeignKey("bank_account.id"), init=False)
    file: Mapped[StatementFile] = relationship()
    file_id: Mapped[UUID] = mapped_column(ForeignKey("statement_file.id"), init=False, index=True)
    statement_id: Mapped[str]
    message_id: Mapped[str]
    sequence: Mapped[int | None]
    opening: Mapped[int] = mapped_column(BigInteger)
    closing: Mapped[int] = mapped_column(BigInteger)
    from_on: Mapped[date]
    to_on: Mapped[date]
    line_count: Mapped[int]
    previous_id: Mapped[UUID | None] = mapped_column(ForeignKey("statement.id"), unique=True)
    imported_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    imported_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    xact: Mapped[int] = mapped_column(BigInteger, FetchedValue(), init=False)

    __table_args__ = (
        UniqueConstraint("bank_account_id", "statement_id"),
        Index(
            "uq_statement_first_per_account",
            "bank_account_id",
            unique=True,
            postgresql_where=text("previous_id IS NULL"),
        ),
        Index("ix_statement_bank_account_id_to_on", "bank_account_id", "to_on"),
        CheckConstraint("to_on >= from_on", name="days_in_order"),
        CheckConstraint("line_count >= 0", name="count_not_negative"),
    )

    @property
    def case_id(self) -> None:
        """Statements belong to no case file."""
        return

    @property
    def opening_money(self) -> Money:
        """What the account held before, below zero where it was overdrawn."""
        return Money(self.opening, self.bank_account.currency)

    @property
    def closing_money(self) -> Money:
        """What the account held after."""
        return Money(self.closing, self.bank_account.currency)
