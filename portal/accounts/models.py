"""Tables of people, organisations, their members, roles, and signed-in sessions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Versioned, WithId, enum_column
from portal.core.i18n import _l
from portal.core.labels import Labelled


class OrganisationKind(Labelled):
    """What an applicant is. The profile of a fund names the kinds that it admits (R3)."""

    NGO = "ngo", _l("Non-governmental organisation")
    NHRI = "nhri", _l("National human-rights institution")
    ASSOCIATION = "association", _l("Local association or community group")
    ACADEMIC = "academic", _l("Academic institution")
    INDIVIDUAL = "individual", _l("Individual")
    REGIONAL = "regional", _l("Regional organisation")
    GOVERNMENT = "government", _l("Government ministry or agency")
    MISSION = "mission", _l("Permanent mission")

    @property
    def is_state(self) -> bool:
        """Whether the organisation speaks for a State."""
        return self in {OrganisationKind.GOVERNMENT, OrganisationKind.MISSION}


class MemberRole(Labelled):
    """What a member does in an organisation."""

    EDITOR = "editor", _l("Editor: fills in and uploads")
    REPRESENTATIVE = "representative", _l("Legal representative: signs and submits")


class Role(Labelled):
    """What a member of staff or of a body does. Each is granted with dates and a scope."""

    PROGRAMME_OFFICER = "programme_officer", _l("Programme officer")
    TASK_FORCE = "task_force_member", _l("Task-force member")
    TRUSTEE = "trustee", _l("Trustee")
    BOARD_SECRETARY = "board_secretary", _l("Board secretary")
    APPROVING_AUTHORITY = "approving_authority", _l("Approving authority")
    CERTIFYING_OFFICER = "certifying_officer", _l("Certifying officer")
    APPROVING_OFFICER = "approving_officer", _l("Approving officer")
    TREASURY = "treasury", _l("Treasury")
    FINANCE_OFFICER = "finance_officer", _l("Finance officer")
    DONOR_RELATIONS = "donor_relations", _l("Donor-relations officer")
    PUBLICATION = "publication_officer", _l("Publication officer")
    AUDITOR = "auditor", _l("Auditor")
    ADMINISTRATOR = "administrator", _l("Administrator")


class NationalityReason(Labelled):
    """Why an administrator corrects a nationality: a code, so that the record tells of nobody."""

    MISTAKE = "mistake", _l("It was given by mistake")
    CHANGED = "changed", _l("It has changed, as the person has shown")
    SECOND = "second", _l("The person has more than one, and asks for this one to count")


class Person(WithId, Versioned, Base):
    """Somebody with an account. `email` is kept in lower case."""

    __tablename__ = "person"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None] = mapped_column(default=None)
    language: Mapped[str] = mapped_column(default="en")
    time_zone: Mapped[str] = mapped_column(default="UTC")
    nationality: Mapped[str | None] = mapped_column(default=None)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    deactivated_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now, init=False)
    roles: Mapped[list["RoleGrant"]] = relationship(
        back_populates="person",
        foreign_keys="RoleGrant.person_id",
        init=False,
        default_factory=list,
        lazy="selectin",
    )
    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="person", init=False, default_factory=list, lazy="selectin"
    )

    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    @property
    def case_id(self) -> None:
        """People belong to no case file."""
        return

    def has_role(self, role: Role, fund: str | None = None, country: str | None = None) -> bool:
        """Say whether the person holds `role` today, for `fund` and `country` where given.

        A grant without a fund holds for all funds; one without a country for all countries.
        """
        return any(
            grant.role is role and grant.is_in_force() and grant.covers(fund, country)
            for grant in self.roles
        )

    def holds_any(self, *roles: Role) -> bool:
        """Say whether the person holds one of `roles` today, for whatever fund."""
        return any(grant.role in roles and grant.is_in_force() for grant in self.roles)

    @property
    def is_staff(self) -> bool:
        """Whether the person holds any role at all, that is, works on the funds' side."""
        return any(grant.is_in_force() for grant in self.roles)

    def organisation_ids(self, role: MemberRole | None = None) -> set[UUID]:
        """Return the organisations that the person works for, in `role` where given."""
        return {
            membership.organisation_id
            for membership in self.memberships
            if membership.is_active and (role is None or membership.role is role)
        }


class RoleGrant(WithId, Base):
    """A role given to a person from a day to a day, for a fund and a country where it applies."""

    __tablename__ = "role_grant"

    person: Mapped[Person] = relationship(
        back_populates="roles", foreign_keys="RoleGrant.person_id"
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False, index=True)
    role: Mapped[Role] = mapped_column(enum_column(Role))
    fund_code: Mapped[str | None] = mapped_column(default=None)
    country: Mapped[str | None] = mapped_column(default=None)
    from_day: Mapped[date] = mapped_column(default_factory=clock.today)
    until_day: Mapped[date | None] = mapped_column(default=None)
    granted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)

    __table_args__ = (
        CheckConstraint("until_day IS NULL OR until_day >= from_day", name="days_in_order"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ended_by_somebody"),
        CheckConstraint(
            "ended_by_id IS NULL OR ended_by_id <> person_id", name="not_ended_by_self"
        ),
        CheckConstraint("granted_by_id IS NULL OR granted_by_id <> person_id", name="not_to_self"),
    )

    def is_in_force(self, on: date | None = None) -> bool:
        """Say whether the grant holds on the day `on` (today in UTC unless told).

        One that was ended early does not hold on the day of its end.
        """
        day = on or clock.today()
        if self.ended_at is not None and self.ended_at.date() <= day:
            return False
        return self.from_day <= day and (self.until_day is None or day <= self.until_day)

    def covers(self, fund: str | None, country: str | None) -> bool:
        """Say whether the scope takes in `fund` and `country`, where those are given."""
        return (fund is None or self.fund_code in {None, fund}) and (
            country is None or self.country in {None, country}
        )


class Organisation(WithId, Versioned, Base):
    """An applicant: an organisation, an individual, or a State's ministry or mission."""

    __tablename__ = "organisation"

    name: Mapped[str]
    kind: Mapped[OrganisationKind] = mapped_column(enum_column(OrganisationKind))
    country: Mapped[str]
    registered_on: Mapped[date | None] = mapped_column(default=None)
    registration_number: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now, init=False)
    members: Mapped[list["Membership"]] = relationship(
        back_populates="organisation", init=False, default_factory=list
    )

    __table_args__ = (CheckConstraint("length(country) = 3", name="country_is_iso3"),)

    @property
    def case_id(self) -> None:
        """Organisations outlive case files."""
        return


class Membership(WithId, Versioned, Base):
    """A person's place in an organisation, invited by a colleague."""

    __tablename__ = "membership"

    person: Mapped[Person] = relationship(back_populates="memberships")
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False, index=True)
    organisation: Mapped[Organisation] = relationship(back_populates="members", lazy="joined")
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisation.id"), init=False, index=True
    )
    role: Mapped[MemberRole] = mapped_column(enum_column(MemberRole))
    title: Mapped[str] = mapped_column(default="")
    joined_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    left_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (UniqueConstraint("person_id", "organisation_id"),)

    @property
    def is_active(self) -> bool:
        """Whether the person still works there."""
        return self.left_at is None


class LinkPurpose(Labelled):
    """What a link in a message is good for. Each works once and expires."""

    CONFIRM = "confirm", _l("Confirm an address")
    RESET = "reset", _l("Choose a new password")
    INVITE = "invite", _l("Join an organisation")
    ADMIN = "admin", _l("Become the first administrator")


class OneTimeLink(WithId, Base):
    """A link sent by mail. Only the SHA-256 of its token is stored."""

    __tablename__ = "one_time_link"

    digest: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[LinkPurpose] = mapped_column(enum_column(LinkPurpose))
    email: Mapped[str]
    expires_at: Mapped[datetime]
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id"), default=None
    )
    member_role: Mapped[MemberRole | None] = mapped_column(enum_column(MemberRole), default=None)
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    used_at: Mapped[datetime | None] = mapped_column(default=None)


class WebSession(WithId, Base):
    """Somebody signed in. The browser holds a random token, this row only its SHA-256."""

    __tablename__ = "web_session"

    digest: Mapped[str] = mapped_column(unique=True)
    person: Mapped[Person] = relationship(lazy="joined")
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), init=False, index=True)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    seen_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    fresh_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    agent: Mapped[str] = mapped_column(default="")


class SignInAttempt(WithId, Base):
    """One failed try, for throttling. `key` is the SHA-256 of an address or a network."""

    __tablename__ = "sign_in_attempt"

    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(default_factory=clock.now)

    __table_args__ = (Index("ix_sign_in_attempt_key_at", "key", "at"),)
