"""`portal bench money`, tiny: what it prints. How fast anything is, no test asks."""

import re
from pathlib import Path

import pytest

from portal.cli.bench import statements, told
from tests.cli.test_commands import portal

SHAPE = (
    r"fund position at 50 entries: \d+\.\d ms \(median of 2\)",
    r"fund position at 200 entries: \d+\.\d ms \(median of 2\)",
    r"(ok|TOO MUCH) +\d+\.\d\d  fund position \(at most 2\)",
    r"statement of 10 lines: imported and matched in \d+\.\d\d s, at most \d+ MB of memory",
    r"statement of 20 lines: imported and matched in \d+\.\d\d s, at most \d+ MB of memory",
    r"(ok|TOO MUCH) +-?\d+\.\d\d  memory for a longer statement, by its bytes \(at most 1\)",
    r"statement of 20 lines: only read by pycamt in \d+\.\d\d s",
    r"(ok|TOO MUCH) +\d+\.\d\d  statement, by pycamt's time \(at most 4\)",
)


def test_it_measures_both_in_a_scratch_database_and_leaves_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    sizes = ("--entries", "50", "200", "--lines", "10", "20", "--opens", "2")
    done = portal("bench", "money", *sizes, "--data", str(tmp_path))
    assert done.stderr == ""
    printed = done.stdout.splitlines()
    assert len(printed) == len(SHAPE), done.stdout
    for line, shape in zip(printed, SHAPE, strict=True):
        assert re.fullmatch(shape, line), line
    assert done.returncode == int(any(line.startswith("TOO MUCH") for line in printed))
    assert list(tmp_path.iterdir()) == []


def test_a_ratio_above_its_limit_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("something", 2.0, 2.0)
    assert not told("something", 2.01, 2.0)
    assert capsys.readouterr().out.splitlines() == [
        "ok         2.00  something (at most 2)",
        "TOO MUCH   2.01  something (at most 2)",
    ]


def test_without_pycamt_it_says_that_nothing_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "find_spec", lambda _name: None)
    assert statements.read_by_pycamt(statements.File(tmp_path / "any", 1)) is None
