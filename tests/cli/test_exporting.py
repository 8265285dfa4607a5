"""`portal export books`: a file that stands whole or not at all."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import sqlalchemy as sa

from portal.cli.exporting import write_whole
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import usd
from portal.funds.service import load_profiles_into_database
from tests.cli.test_commands import assert_one_line, on
from tests.ledger.books import open_fund
from tests.make import profiles

JUDGE = Path(sys.executable).with_name("bean-check")
RECORDED = sa.select(AuditEvent.facts["bookings_of_all_funds"]).where(
    AuditEvent.action == "books.exported", AuditEvent.subject_kind == "profile_version"
)
COMMAND = ("export", "books", "--format", "beancount", "--out")


def test_the_books_leave_whole_and_pass_the_judge(fresh_database: str, tmp_path: Path) -> None:
    load_profiles_into_database({"act": profiles()["act"]})
    open_fund(usd(9_000_00))
    session.commit()
    session.remove()
    out = tmp_path / "books.beancount"
    done = on(fresh_database, *COMMAND, str(out), data=tmp_path)
    assert (
        done.stdout == "1 booking and 0 balances of the bank are written to books.beancount.\n"
    ), done
    assert subprocess.run([JUDGE, out], check=False, capture_output=True).stderr == b""
    assert "Assets:ACT:Bank  9000.00 USD" in out.read_text(encoding="utf-8")
    assert out.stat().st_mode & 0o777 == 0o600
    assert session.scalars(RECORDED).all() == [1]
    nowhere = on(fresh_database, *COMMAND, str(tmp_path / "no" / "books"), data=tmp_path)
    assert_one_line(nowhere, f"There is no folder {tmp_path / 'no'}: make it, or name another.")


def test_what_cannot_be_written_is_told_by_the_name_that_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / ("b" * 254)
    with pytest.raises(click.ClickException) as told:
        write_whole(out, ["line"])
    assert str(told.value) == f"{out} cannot be written: File name too long."
    assert list(tmp_path.iterdir()) == []


def test_what_stood_there_stays_when_the_export_fails(tmp_path: Path) -> None:
    out = tmp_path / "books.beancount"
    out.write_text("before", encoding="utf-8")

    def failing() -> Iterator[str]:
        yield "half"
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        write_whole(out, failing())
    assert out.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_without_a_database_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "books.beancount"
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    assert_one_line(on(nowhere, *COMMAND, str(out), data=tmp_path), "does not answer")
    assert not out.exists()
