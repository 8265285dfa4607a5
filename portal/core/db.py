"""The database: declarative base, the session, and the column types every table shares.

PostgreSQL is the only dialect. The session belongs to the thread that works on one request or
one job; `dispatch_request` of the web application and the job runner end it, services only flush.
"""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Engine, FromClause, MetaData, Uuid, create_engine
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    declared_attr,
    mapped_column,
    relationship,
    scoped_session,
    sessionmaker,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


@dataclass_transform(
    kw_only_default=True, eq_default=False, field_specifiers=(mapped_column, relationship)
)
class Base(MappedAsDataclass, DeclarativeBase, kw_only=True, eq=False, repr=False):
    """Base of every table. Constructors take keywords only, so mypy sees a forgotten column."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
    }


class WithId(MappedAsDataclass, kw_only=True, eq=False, repr=False):
    """A random identifier as primary key: nothing can be counted or guessed from it."""

    id: Mapped[UUID] = mapped_column(primary_key=True, insert_default=uuid4, default_factory=uuid4)


class Versioned(MappedAsDataclass, kw_only=True, eq=False, repr=False):
    """Optimistic lock: a lost update becomes `StaleDataError`, shown as a 409 page."""

    if TYPE_CHECKING:
        __table__: ClassVar[FromClause]

    version: Mapped[int] = mapped_column(init=False)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        """Count each update, and demand the count that was read."""
        return {"version_id_col": cls.__table__.c.version}


def enum_column(kind: type[Enum]) -> EnumType:
    """Return the column type for `kind`: its values as text, checked when read and written."""
    return EnumType(
        kind,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


session: scoped_session[Session] = scoped_session(sessionmaker(expire_on_commit=True))


def connect(url: str, **options: Any) -> Engine:
    """Bind the session to the PostgreSQL at `url` and return the engine."""
    engine = create_engine(url, pool_pre_ping=True, **options)
    session.remove()
    session.configure(bind=engine)
    return engine
