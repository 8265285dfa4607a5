"""The way up and down: one head, tables as the models say, and every step can be taken back."""

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext

from portal.core import migrate
from portal.core.config import ROOT
from portal.core.db import enum_column
from portal.core.outbox import MessageState

FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))
OURS = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> :kept"
LEFT = """
SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
   AND typtype IN ('e', 'd')
UNION ALL
SELECT 'sequence ' || sequencename FROM pg_sequences WHERE schemaname = 'public'
"""


def test_there_is_one_head() -> None:
    assert len(migrate.heads()) == 1, f"two lines of migrations: {migrate.heads()}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_migration_stands_on_its_own(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    ours = {name for name in imported if name.split(".")[0] == "portal"}
    assert not ours, f"{path.name} imports {ours}: the code of tomorrow is not the code of then"
    assigned = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == "revision"
    }
    assert assigned == {"revision": path.stem}, "the revision is called like its file"


def test_the_tables_are_what_the_models_say(fresh_database: str) -> None:
    assert migrate.differences(fresh_database) == []


def test_enumerations_hold_the_words_of_the_models(fresh_database: str) -> None:
    """A CHECK that lists a column's words must list the model's, or writing one fails."""
    engine = sa.create_engine(fresh_database, poolclass=sa.NullPool)
    inspector = sa.inspect(engine)
    wrong = []
    known = set(inspector.get_table_names())
    for table in (one for one in migrate.metadata().sorted_tables if one.name in known):
        listed = [str(one["sqltext"]) for one in inspector.get_check_constraints(table.name)]
        for column in table.columns:
            if not isinstance(column.type, sa.Enum):
                continue
            pinned = [sql for sql in listed if sql.startswith(f"{column.name}::text = ANY")]
            for sql in pinned:
                said = set(sql.split("'")[1::2])
                if said != set(column.type.enums):
                    wrong.append(f"{table.name}.{column.name}: {said ^ set(column.type.enums)}")
    assert not wrong


def test_down_to_nothing_and_up_again(fresh_database: str) -> None:
    engine = sa.create_engine(fresh_database, poolclass=sa.NullPool)
    with engine.connect() as connection:
        before = connection.scalar(sa.text(OURS), {"kept": "alembic_version"})
    migrate.downgrade(fresh_database)
    with engine.connect() as connection:
        assert connection.scalar(sa.text(OURS), {"kept": "alembic_version"}) == 0
        left = connection.scalars(sa.text(LEFT)).all()
        assert left == [], "the way down leaves nothing behind"
    migrate.upgrade(fresh_database)
    with engine.connect() as connection:
        assert connection.scalar(sa.text(OURS), {"kept": "alembic_version"}) == before
    assert migrate.at_head(fresh_database)


def test_a_step_back_keeps_the_data_of_older_tables(fresh_database: str) -> None:
    engine = sa.create_engine(fresh_database, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO sealing_key (id, wrapped, created_at) "
                "VALUES (gen_random_uuid(), 'w', now())"
            )
        )
    migrate.downgrade(fresh_database, "0002_core")
    migrate.upgrade(fresh_database)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM sealing_key")) == 1


def test_two_at_once_wait_for_each_other(fresh_database: str) -> None:
    migrate.downgrade(fresh_database)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate.upgrade, [fresh_database] * 2))
    assert migrate.at_head(fresh_database)


def test_autogenerate_spells_our_types_plainly(fresh_database: str) -> None:
    with sa.create_engine(fresh_database, poolclass=sa.NullPool).connect() as connection:
        autogen = AutogenContext(MigrationContext.configure(connection))
        spelt = migrate.render_item("type", enum_column(MessageState), autogen)
    assert spelt == "sa.String(length=40)"
