"""The funds' own bank accounts, the files of payments that go to the bank, and its answers."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.crypto import SealingKey
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.files import StoredFile
from portal.core.i18n import _l
from portal.core.labels import Labelled

if TYPE_CHECKING:
    from portal.payments.models.orders import PaymentOrder


class BankAccountStatus(Labelled):
    """Where an account of a fund stands. Money moves only through one that is in use."""

    PROPOSED = "proposed", _l("To be confirmed"), "wait"
    IN_USE = "in_use", _l("In use"), "good"
    CLOSED = "closed", _l("Closed"), "neutral"


class BankAccountAction(StrEnum):
    """What moves an account of a fund."""

    CONFIRM = "confirm"
    CLOSE = "close"


class BankAccount(WithId, Versioned, Base):
    """An account of a fund at its bank, in one currency.

    Treasury proposes it and a second person confirms it: what is paid from it, and what its
    statements say, enters the books of the fund. `account` is an IBAN or an account number,
    compact; it stands on agreements with donors and is no secret.
    """

    __tablename__ = "bank_account"

    fund_code: Mapped[str] = mapped_column(ForeignKey("ledger_book.fund_code"))
    currency: Mapped[str]
    holder: Mapped[str]
    account: Mapped[str]
    bic: Mapped[str]
    bank: Mapped[str]
    country: Mapped[str]
    town: Mapped[str]
    proposed_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    status: Mapped[BankAccountStatus] = mapped_column(
        enum_column(BankAccountStatus), default=BankAccountStatus.PROPOSED
    )
    proposed_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        Index(
            "uq_bank_account_open_per_fund_and_currency",
            "fund_code",
            "currency",
            unique=True,
            postgresql_where=text("status IN ('proposed', 'in_use')"),
        ),
        Index(
            "uq_bank_account_open_per_account",
            "account",
            "currency",
            unique=True,
            postgresql_where=text("status IN ('proposed', 'in_use')"),
        ),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_is_iso"),
        CheckConstraint("country ~ '^[A-Z]{3}$'", name="country_is_iso"),
        CheckConstraint("account ~ '^[A-Z0-9]{4,34}$'", name="account_is_compact"),
        CheckConstraint("confirmed_by_id <> proposed_by_id", name="a_second_person_confirms"),
        CheckConstraint(
            "(confirmed_by_id IS NULL) = (confirmed_at IS NULL)", name="confirmed_by_somebody"
        ),
        CheckConstraint(
            "status <> 'in_use' OR confirmed_at IS NOT NULL", name="in_use_was_confirmed"
        ),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_has_a_time"),
    )

    @property
    def case_id(self) -> None:
        """No case file: the account is the fund's."""
        return


class FileStatus(Labelled):
    """Where a file of payments stands, as far as we know. Unknown is not failed.

    A kept file with a moment at which it began to leave may have left: a process that ended between
    sending and saying so leaves it kept. It is sent again, byte for byte; the bank that has it says
    so. One that had not begun to leave can be withdrawn.
    """

    KEPT = "kept", _l("To be sent"), "wait"
    WITHDRAWN = "withdrawn", _l("Withdrawn before it left"), "neutral"
    SENT = "sent", _l("With the bank, no answer yet"), "wait"
    ACCEPTED = "accepted", _l("Accepted by the bank"), "good"
    PARTLY_ACCEPTED = "partly_accepted", _l("Accepted in part"), "wait"
    REFUSED = "refused", _l("Refused by the bank"), "stop"
    DUPLICATE = "duplicate", _l("The bank has it already"), "wait"


class PaymentFile(WithId, Versioned, Base):
    """A file of credit transfers (pain.001): its bytes are kept before anything leaves.

    `message_id` is fixed with the bytes. A retry sends the same bytes; the bank, which refuses a
    message that it has seen, can then never pay twice. The content names accounts of several
    grantees, so it is sealed under a key of its own. From `leaving_at` on, UTC, it may be with the
    bank.
    """

    __tablename__ = "payment_file"

    message_id: Mapped[str] = mapped_column(unique=True)
    bank_account: Mapped[BankAccount] = relationship()
    bank_account_id: Mapped[UUID] = mapped_column(ForeignKey("bank_account.id"), init=False)
    sealing_key: Mapped[SealingKey] = relationship()
    sealing_key_id: Mapped[UUID] = mapped_column(ForeignKey("sealing_key.id"), init=False)
    content: Mapped[StoredFile] = relationship()
    content_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), init=False)
    sha256: Mapped[str]
    execute_on: Mapped[date]
    status: Mapped[FileStatus] = mapped_column(enum_column(FileStatus), default=FileStatus.KEPT)
    made_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    leaving_at: Mapped[datetime | None] = mapped_column(default=None)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    answer: Mapped[str] = mapped_column(default="")
    orders: Mapped[list["PaymentOrder"]] = relationship(
        back_populates="file", init=False, default_factory=list, order_by="PaymentOrder.ref"
    )

    __table_args__ = (
        Index("ix_payment_file_status", "status"),
        CheckConstraint("message_id ~ '^[A-Z0-9-]{1,35}$'", name="message_id_is_iso_20022"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hex"),
        CheckConstraint(
            "(status IN ('kept', 'withdrawn')) = (sent_at IS NULL)", name="sent_has_a_time"
        ),
        CheckConstraint(
            "status = 'kept' OR (status = 'withdrawn') = (leaving_at IS NULL)",
            name="what_left_was_leaving",
        ),
        CheckConstraint(
            "status IN ('kept', 'sent', 'withdrawn') OR answered_at IS NOT NULL",
            name="answered_has_a_time",
        ),
    )

    @property
    def case_id(self) -> None:
        """No case file: it holds payments of several."""
        return


class MessageKind(Labelled):
    """What kind of file came from the bank."""

    STATUS_REPORT = "pain.002", _l("Answer to a payment file")
    NOTIFICATION = "camt.054", _l("Notification of bookings")
    STATEMENT = "camt.053", _l("Statement")
    RETURN = "pacs.004", _l("Returned payments")


class BankMessage(WithId, Base):
    """A file that came from the bank, kept as it came, taken in once.

    `told` counts what it said of our orders; `left` what fitted none, for a person to look at:
    `sentences` are the first of these, `perhaps_paid` the payments among it that the bank says it
    debited, takes or has. A person says once, in `seen_note`, how that was seen to.
    `fund_code` is the fund that it is about, None for a message about several.
    """

    __tablename__ = "bank_message"

    kind: Mapped[MessageKind] = mapped_column(enum_column(MessageKind))
    message_id: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    sealing_key: Mapped[SealingKey] = relationship()
    sealing_key_id: Mapped[UUID] = mapped_column(ForeignKey("sealing_key.id"), init=False)
    content: Mapped[StoredFile] = relationship()
    content_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), init=False)
    received_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    received_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    told: Mapped[int] = mapped_column(default=0)
    left: Mapped[int] = mapped_column(default=0)
    fund_code: Mapped[str | None] = mapped_column(ForeignKey("ledger_book.fund_code"), default=None)
    sentences: Mapped[list[str]] = mapped_column(JSONB, default_factory=list)
    perhaps_paid: Mapped[list[str]] = mapped_column(ARRAY(String), default_factory=list)
    seen_at: Mapped[datetime | None] = mapped_column(default=None)
    seen_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    seen_note: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hex"),
        CheckConstraint('jsonb_array_length(sentences) <= "left"', name="left_is_counted"),
        CheckConstraint('cardinality(perhaps_paid) <= "left"', name="perhaps_paid_is_left"),
        CheckConstraint(
            "(seen_at IS NULL) = (seen_by_id IS NULL) AND (seen_at IS NULL) = (seen_note = '')",
            name="seen_to_by_somebody",
        ),
    )

    @property
    def case_id(self) -> None:
        """No case file: it speaks of payments of several."""
        return

    @property
    def waits(self) -> bool:
        """Whether somebody still has to see to what it left."""
        return self.left > 0 and self.seen_at is None
