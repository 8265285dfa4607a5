"""The way up and down through the migrations, and how the tables are compared with the models."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import portal
from portal.core.config import ROOT
from portal.core.db import Base

LOCK = 0x_5C4E_3A


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; a second process waits and finds it done."""
    _run(url, command.upgrade, revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Take the database at `url` back to `revision`, data of later tables included."""
    _run(url, command.downgrade, revision)


def at_head(url: str) -> bool:
    """Whether the database at `url` has every migration of this checkout."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_heads() == heads()


def heads() -> tuple[str, ...]:
    """Return the newest revisions of this checkout; more than one is a fork to be mended."""
    return tuple(ScriptDirectory.from_config(_config()).get_heads())


def differences(url: str) -> list[Any]:
    """Return what the models say otherwise than the tables at `url`; nothing when all is well."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        options = {"include_object": include_object, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata()))


def metadata() -> sa.MetaData:
    """Return the tables of every feature, whose models are all loaded first."""
    for module in _model_modules(portal):
        importlib.import_module(module)
    return Base.metadata


def _model_modules(package: ModuleType) -> list[str]:
    """Name the modules that hold tables: all of `core`, and `models` of each feature."""
    names = [name for _, name, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in names if _holds_tables(name.split("."))]


def _holds_tables(parts: list[str]) -> bool:
    in_core = parts[1] == "core" and parts[2:] not in ([], ["web"], ["pdf"], ["keeper"])
    return in_core or "models" in parts[2:]


def configure(context: Any, **options: Any) -> None:
    """Configure Alembic's `context` the one way we use it."""
    context.configure(
        include_object=include_object,
        render_item=render_item,
        compare_type=True,
        transaction_per_migration=False,
        **options,
    )


def include_object(
    thing: Any,
    name: str | None,
    kind: str,
    reflected: bool,  # noqa: FBT001 — Alembic passes it by position
    compare_to: Any,
) -> bool:
    """Leave Procrastinate's own tables and indexes out of any comparison."""
    del reflected, compare_to
    owner = thing.table.name if kind in {"index", "unique_constraint"} else name
    return not str(owner).startswith("procrastinate_")


def render_item(kind: str, thing: Any, autogen: AutogenContext) -> str | bool:
    """Spell column types of our own as the plain type: migrations never import the portal."""
    del autogen
    if kind == "type" and isinstance(thing, sa.Enum):
        return f"sa.String(length={thing.length})"
    if kind == "type" and isinstance(thing, sa.TypeDecorator):
        return f"sa.{thing.impl_instance!r}"
    return False


def _config() -> Config:
    return Config(toml_file=ROOT / "pyproject.toml")


def _run(url: str, step: Any, revision: str) -> None:
    """Run `step` towards `revision` in one transaction, one process at a time."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        step(config, revision)
