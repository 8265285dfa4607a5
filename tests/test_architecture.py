"""The architecture is a test: layers, types, style, names, lengths, and who may commit."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from portal.core.config import ROOT

LONGEST_FILE = 400
PORTAL = sorted((ROOT / "portal").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SHEETS = sorted((ROOT / "static").rglob("*.css")) + sorted((ROOT / "static").rglob("*.js"))

NO_NAMES = frozenset({"utils", "util", "common", "helpers", "helper", "managers", "manager"})
ENDS_TRANSACTIONS = {"core/web.py", "core/jobs.py", "core/outbox.py", "payments/exchange.py"}
LEFTOVERS = re.compile(
    r"\b(TODO|FIXME)\b|NotImplementedError|pragma: no cover|mark\.(skip|xfail)\b"
)
ONE_SIDED = re.compile(r"(margin|padding|border)-(left|right)|(text-align|float):\s*(left|right)")
BY_FUND = re.compile(r"""(==|\bin|\bcase)\s*[\[({]?["'](act|vftc|upr-[ip]|ldc-sids)\b""")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tool(*arguments: str) -> None:
    """Run a developer's tool, and fail with what it said."""
    how = "-m" if len(arguments) > 1 else "-c"
    done = subprocess.run(
        [sys.executable, how, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"{' '.join(arguments)}\n{done.stdout[-6000:]}{done.stderr[-2000:]}"
    )


def test_imports_point_down_the_ladder() -> None:
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    tool(script)


def test_ruff_finds_nothing() -> None:
    tool("ruff", "check", "--quiet", "portal", "tests", "migrations", "wsgi.py")


def test_the_code_is_formatted() -> None:
    tool("ruff", "format", "--check", "--quiet", "portal", "tests", "migrations", "wsgi.py")


def test_types_are_right() -> None:
    tool("mypy", "--no-error-summary")


@pytest.mark.parametrize("path", PORTAL + TESTS + TEMPLATES + SHEETS, ids=named)
def test_a_file_is_short_and_finished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    length = text.count("\n")
    assert length <= LONGEST_FILE, f"{length} lines: split it by meaning into a package"
    if path != Path(__file__):
        found = LEFTOVERS.search(text)
        assert not found, f"left over: {found}"


@pytest.mark.parametrize("path", PORTAL, ids=named)
def test_a_file_is_named_after_what_it_holds(path: Path) -> None:
    parts = {path.stem, *path.relative_to(ROOT).parts[1:-1]}
    assert not parts & NO_NAMES, "name it after what it holds"


@pytest.mark.parametrize("path", [p for p in PORTAL if "demo" not in p.parts], ids=named)
def test_no_code_knows_a_fund_by_name(path: Path) -> None:
    found = BY_FUND.search(path.read_text(encoding="utf-8"))
    assert not found, f"{found}: what differs between funds is data of their profiles"


@pytest.mark.parametrize("path", [p for p in SHEETS if p.suffix == ".css"], ids=named)
def test_a_style_sheet_works_from_right_to_left(path: Path) -> None:
    found = ONE_SIDED.search(path.read_text(encoding="utf-8"))
    assert not found, f"{found}: use the logical property"


def test_only_the_edges_end_a_transaction() -> None:
    """Services flush; requests, jobs and commands commit. Else half a change could stay."""
    wrong = []
    for path in PORTAL:
        place = path.relative_to(ROOT / "portal").as_posix()
        if place in ENDS_TRANSACTIONS or place.startswith(("cli/", "demo/")):
            continue
        wrong += [
            f"portal/{place}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute) and node.attr == "commit"
        ]
    assert not wrong


def test_views_hold_no_sql() -> None:
    """A view loads by a query that has a name; what it may join is decided once."""
    wrong = []
    for path in PORTAL:
        if "views" not in {path.stem, *path.parts}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        joins = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "join"]
        wrong += [
            f"{named(path)}:{node.lineno}"
            for node in joins
            if isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and node.value.func.id == "select"
        ]
    assert not wrong


def test_float_is_no_money() -> None:
    calls = re.compile(r"(?<![\w.])float\(")
    wrong = [named(path) for path in PORTAL if calls.search(path.read_text(encoding="utf-8"))]
    assert not wrong
