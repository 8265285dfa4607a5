"""Tables of who gives, and of what a gift is meant for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled
from portal.core.text import new_ref
from portal.funds.models import Call


class DonorKind(Labelled):
    """What a donor is."""

    STATE = "state", _l("State")
    FOUNDATION = "foundation", _l("Foundation")
    ORGANISATION = "organisation", _l("Organisation")
    INDIVIDUAL = "individual", _l("Individual")


class Donor(WithId, Versioned, Base):
    """Somebody who gives, or may give. A State is one row, named by its ISO 3166 alpha-3 code.

    `email` and `language` are those of the person to write to. Whoever stays `unnamed` is told of
    nowhere in public. Of two rows for the same donor one is merged into the other: what it gave
    moves over, and the row stays as the trace of it.
    """

    __tablename__ = "donor"

    ref: Mapped[str] = mapped_column(unique=True, default_factory=new_ref)
    kind: Mapped[DonorKind] = mapped_column(enum_column(DonorKind))
    name: Mapped[str]
    country: Mapped[str | None] = mapped_column(default=None)
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    unnamed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    merged_into: Mapped["Donor | None"] = relationship(remote_side="Donor.id", init=False)
    merged_into_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("donor.id"), default=None, index=True
    )
    merged_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    merged_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 300", name="name_length"),
        CheckConstraint("kind <> 'state' OR country IS NOT NULL", name="state_has_a_country"),
        CheckConstraint("country ~ '^[A-Z]{3}$'", name="country_is_iso3"),
        CheckConstraint("length(email) <= 254", name="email_length"),
        CheckConstraint(
            "(merged_into_id IS NULL) = (merged_at IS NULL) "
            "AND (merged_into_id IS NULL) = (merged_by_id IS NULL) "
            "AND (merged_into_id IS NULL OR merged_into_id <> id)",
            name="merged_by_somebody",
        ),
        Index(
            "uq_donor_state",
            "country",
            unique=True,
            postgresql_where=text("kind = 'state' AND merged_into_id IS NULL"),
        ),
    )

    @property
    def case_id(self) -> None:
        """Donors belong to no case file."""
        return


class Earmark(WithId, Base):
    """What money of one fund is meant for: a title, and a country or a call where there is one.

    Money without an earmark is for whatever the fund does. One that is retired is chosen no more.
    """

    __tablename__ = "earmark"

    fund_code: Mapped[str]
    title: Mapped[str]
    country: Mapped[str | None] = mapped_column(default=None)
    call: Mapped[Call | None] = relationship(default=None)
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("call.id"), init=False)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint("length(title) BETWEEN 1 AND 200", name="title_length"),
        CheckConstraint("country ~ '^[A-Z]{3}$'", name="country_is_iso3"),
        Index(
            "uq_earmark_title",
            "fund_code",
            "title",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    @property
    def case_id(self) -> None:
        """Earmarks belong to no case file."""
        return
