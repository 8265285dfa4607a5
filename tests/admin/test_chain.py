"""The chain as a whole, its copy, and the script that verifies a copy without the portal."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.admin import chain
from portal.admin.checks import checks
from portal.core import audit
from portal.core.config import ROOT
from tests import make

Db = scoped_session[Session]
SCRIPT = ROOT / "portal" / "admin" / "standalone_verifier.py"
pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def some_acts(db: Db) -> None:
    """Let a few things happen, one of them told in another script."""
    person = make.person(roles=[Role.AUDITOR], name="Ольга")
    told, nested = {"place": "Zürich", "list": [1, None]}, {"nested": {"ü": 1, "z": "2"}}
    audit.record("test.act", person, actor_id=person.id, facts=told)
    audit.record("test.act", person, actor_id=None, rule="R16", facts=nested)
    db.commit()


def tamper(db: Db, statement: str) -> None:
    """Change the chain as only the owner of the database can, past the triggers."""
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    db.execute(sa.text(statement))
    db.execute(sa.text("SET LOCAL session_replication_role = DEFAULT"))
    db.expire_all()


def broken_check() -> list[str]:
    (check,) = checks()
    return check.run().violations


def exported() -> str:
    out = io.StringIO()
    assert chain.export_chain(out) == out.getvalue().count("\n")
    return out.getvalue()


def run(path: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as a stranger would: alone, in a folder without the portal."""
    return subprocess.run(
        [sys.executable, "-I", str(path.parent / "verify.py"), str(path), *more],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """Return what writes a copy of the chain beside the script, elsewhere on disk."""
    (tmp_path / "verify.py").write_bytes(SCRIPT.read_bytes())

    def write(text: str) -> Path:
        path = tmp_path / "chain.jsonl"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.usefixtures("some_acts")
def test_the_chain_is_intact_and_its_check_counts_it() -> None:
    (check,) = checks()
    result = check.run()
    assert result.violations == []
    assert result.count == chain.verify(chain.whole()).count > 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET facts = '{}' WHERE action = 'test.act'",
        "UPDATE audit_event SET facts = '{\"half\": 0.5}' WHERE action = 'test.act'",
        "UPDATE audit_event SET actor_id = NULL WHERE action = 'test.act'",
        "UPDATE audit_event SET at = at + interval '1 second' WHERE action = 'test.act'",
        "DELETE FROM audit_event WHERE number = (SELECT min(number) + 1 FROM audit_event)",
        "DELETE FROM audit_event WHERE number = (SELECT min(number) FROM audit_event)",
    ],
)
@pytest.mark.usefixtures("some_acts")
def test_whoever_changes_the_chain_is_found(db: Db, statement: str) -> None:
    assert broken_check() == []
    tamper(db, statement)
    (violation,) = broken_check()
    assert "was changed" in violation


@pytest.mark.usefixtures("some_acts")
def test_what_was_read_before_does_not_hide_a_change(db: Db) -> None:
    held = list(chain.whole())
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    db.execute(sa.text("UPDATE audit_event SET rule = 'R1' WHERE action = 'test.act'"))
    assert not chain.verify(chain.whole()).intact
    assert held


@pytest.mark.usefixtures("some_acts")
def test_the_copy_is_verified_without_the_portal(copy: Callable[[str], Path]) -> None:
    text = exported()
    done = run(copy(text))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"intact: {text.count(chr(10))} events\n"


@pytest.mark.usefixtures("some_acts")
def test_a_copy_must_end_where_it_is_known_to_end(copy: Callable[[str], Path]) -> None:
    text = exported()
    last = chain.verify(chain.whole()).last
    assert run(copy(text), last).returncode == 0
    shorter = "".join(text.splitlines(keepends=True)[:-1])
    done = run(copy(shorter), last)
    assert done.returncode == 1
    assert "events are missing" in done.stdout


def drop(lines: list[Any]) -> None:
    del lines[1]


def swap(lines: list[Any]) -> None:
    lines[0], lines[1] = lines[1], lines[0]


def rename(lines: list[Any]) -> None:
    lines[2]["actor"] = None


def renumber(lines: list[Any]) -> None:
    lines[2]["number"] = lines[1]["number"]


def falsify(lines: list[Any]) -> None:
    lines[-1]["facts"]["nested"]["z"] = "3"


def fraction(lines: list[Any]) -> None:
    lines[-1]["facts"]["nested"]["z"] = 0.5


def cut(lines: list[Any]) -> None:
    del lines[3]["digest"]


@pytest.mark.parametrize("change", [drop, swap, rename, renumber, falsify, fraction, cut])
@pytest.mark.usefixtures("some_acts")
def test_a_copy_that_was_tampered_with_is_found_without_the_portal(
    copy: Callable[[str], Path], change: Callable[[list[Any]], None]
) -> None:
    lines = [json.loads(line) for line in exported().splitlines()]
    change(lines)
    done = run(copy("".join(json.dumps(line) + "\n" for line in lines)))
    assert done.returncode == 1
    assert done.stdout.startswith("BROKEN: line ")


def test_what_is_no_chain_at_all_is_said(copy: Callable[[str], Path]) -> None:
    done = run(copy("[1, 2]\n"))
    assert (done.returncode, done.stdout) == (1, "BROKEN: line 1: is not an event\n")


def test_the_script_needs_nothing_but_python() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    imported = {
        line.split()[1] for line in source.splitlines() if line.startswith(("import", "from"))
    }
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)
    assert source.count("\n") < 80
