"""The chain as a whole, its copy, and the script that verifies a copy without the portal."""

# ruff: noqa: S608 — the statements are made of values of this file

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
from tests.browser import Browser
from tests.make.stories import story

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
    chained, _told = checks()
    return chained.run().violations


def untold() -> list[str]:
    _chained, told = checks()
    return told.run().violations


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
    result = checks()[0].run()
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


END = "(SELECT number FROM audit_event ORDER BY number DESC LIMIT 2)"
NO_TRIGGERS = "ALTER TABLE audit_head DISABLE TRIGGER ALL;"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (f"DELETE FROM audit_event WHERE number IN {END}", "some are missing"),
        ("DELETE FROM audit_event", "some are missing"),
        (NO_TRIGGERS + "UPDATE audit_head SET count = count + 1", "some are missing"),
        (NO_TRIGGERS + "UPDATE audit_head SET digest = repeat('0', 64)", "some are missing"),
        (NO_TRIGGERS + "DELETE FROM audit_head", "was removed"),
    ],
    ids=["end", "all", "count", "digest", "head"],
)
@pytest.mark.usefixtures("some_acts")
def test_a_chain_that_lost_its_end_or_its_head_is_found(
    db: Db, browser: Browser, statement: str, told: str
) -> None:
    auditor = make.person(roles=[Role.AUDITOR])
    db.commit()
    browser.sign_in(auditor.email, make.PASSWORD)
    assert broken_check() == []
    assert "The whole chain is intact" in browser.open("/audit/chain").text
    tamper(db, statement)
    (violation,) = broken_check()
    assert told in violation
    db.commit()
    assert "The chain does not end at its head" in browser.open("/audit/chain").text


@pytest.mark.usefixtures("some_acts")
def test_what_comes_after_a_cut_does_not_heal_it(db: Db) -> None:
    tamper(db, f"DELETE FROM audit_event WHERE number IN {END}")
    person = make.person()
    audit.record("test.act", person, actor_id=None)
    audit.record("test.act", person, actor_id=None)
    assert chain.verify(chain.whole()).intact
    (violation,) = broken_check()
    assert "some are missing" in violation


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_head SET digest = repeat('0', 64)",
        "UPDATE audit_head SET count = count + 1, number = number + 1",
        "UPDATE audit_head SET count = 0, number = 0",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
        "INSERT INTO audit_head VALUES (true, 0, 0, '')",
        "INSERT INTO audit_head VALUES (false, 0, 0, '')",
    ],
)
@pytest.mark.usefixtures("some_acts")
def test_the_head_moves_with_events_only(db: Db, statement: str) -> None:
    for role in ("DEFAULT", "replica"):
        undone = db.begin_nested()
        db.execute(sa.text(f"SET LOCAL session_replication_role = {role}"))
        with pytest.raises(sa.exc.IntegrityError):
            db.execute(sa.text(statement))
        undone.rollback()
    assert broken_check() == []


STATES = [
    ("submission", "application.submitted"),
    ("decision", "decision.approved"),
    ("grantee’s signature", "offer.accepted"),
    ("countersignature", "agreement.signed"),
    ("release of order", "payment_order.release"),
    ("payment of order", "instalment.paid:1"),
    ("acceptance of report", "report.accepted:%"),
    ("closing of award", "award.closed"),
]


def test_a_state_without_its_event_is_found(db: Db) -> None:
    story()
    db.commit()
    assert (broken_check(), untold()) == ([], [])
    for what, action in STATES:
        with db.begin_nested() as undone:
            tamper(db, f"DELETE FROM audit_event WHERE action LIKE '{action}'")
            assert any(what in sentence for sentence in untold()), what
            undone.rollback()
    tamper(db, "DELETE FROM audit_event")
    tamper(
        db, NO_TRIGGERS + "UPDATE audit_head SET count = 0, number = 0, digest = repeat('0', 64)"
    )
    assert broken_check() == []
    assert all(any(what in sentence for sentence in untold()) for what, _action in STATES)


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
    text, head = exported(), audit.head()
    assert head is not None
    ends = [(head.digest,), (str(head.count),), (str(head.count), head.digest)]
    assert [run(copy(text), *end).returncode for end in ends] == [0, 0, 0]
    shorter = "".join(text.splitlines(keepends=True)[:-1])
    for end in ends:
        done = run(copy(shorter), *end)
        assert done.returncode == 1
        assert "some are missing" in done.stdout


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
