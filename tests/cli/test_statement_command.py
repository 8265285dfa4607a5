"""`portal import statement FILE`: says what it did, and changes nothing on an error."""

import base64
from pathlib import Path

import sqlalchemy as sa

from portal.core import crypto
from portal.core.db import session
from portal.payments.statements import service
from tests.cli.test_commands import SECRETS, on
from tests.make import contributions as give
from tests.make import payments as make
from tests.payments.statements.teller import Move, Teller


def test_a_statement_is_imported_booked_and_replayed(fresh_database: str, tmp_path: Path) -> None:
    account = make.fund_account()
    teller = Teller(account.account)
    session.commit()
    file, bad = tmp_path / "statement.xml", tmp_path / "bad.xml"
    file.write_bytes(teller.file(Move(10_000, "thank you"), Move(-250)).getvalue())
    bad.write_bytes(teller.file(Move(50), opening=700).getvalue())
    done = on(fresh_database, "import", "statement", str(file), data=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert "2 lines, 0 matched; US$ 0.00 to US$ 97.50" in first.replace("\xa0", " ")
    assert second == "0 lines booked, 2 in suspense, 0 still to be booked."
    again = on(fresh_database, "import", "statement", str(file), data=tmp_path)
    assert again.returncode == 0
    assert "imported already, nothing changed" in again.stdout
    refused = on(fresh_database, "import", "statement", str(bad), data=tmp_path)
    assert refused.returncode != 0
    said = refused.stderr.replace("\xa0", " ")
    assert "Nothing was taken from bad.xml" in said
    assert "does not begin with what the account held before" in said
    assert "Difference: −US$ 90.50" in said or "Difference: US$ -90.50" in said
    assert service.waiting() == 0


def test_a_line_that_could_not_be_booked_is_named_and_is_the_exit_code(
    fresh_database: str, tmp_path: Path
) -> None:
    crypto.configure(base64.b64decode(SECRETS["PORTAL_MASTER_KEY"]))  # as the command will have it
    account = make.fund_account(currency="EUR", account="NL57MOCK0000000004")
    give.rate("EUR", "0.9")
    teller = Teller(account.account, "EUR")
    file, folder = tmp_path / "euro.xml", tmp_path / "pickup"
    file.write_bytes(teller.file(Move(1_000)).getvalue())
    folder.mkdir()
    with file.open("rb") as stream:
        service.import_statement(stream, by=None)
    session.execute(
        sa.text("ALTER TABLE ledger_entry ADD CONSTRAINT never CHECK (false) NOT VALID")
    )
    session.commit()
    told = on(fresh_database, "import", "statement", str(file), data=tmp_path)
    assert told.returncode == 3
    assert told.stdout.endswith("0 lines booked, 0 in suspense, 1 still to be booked.\n")
    *_log, head, line = told.stderr.splitlines()
    assert head == "Could not be booked:"
    assert "0004-1" in line
    assert "EUR 10.00" in line.replace("\xa0", " ")
    assert "The portal failed at this line (IntegrityError)" in line
    polled = on(fresh_database, "payments", "poll", "--from", str(folder), data=tmp_path)
    assert polled.returncode == 3
    assert polled.stderr.endswith(f"{head}\n{line}\n")
    session.execute(sa.text("ALTER TABLE ledger_entry DROP CONSTRAINT never"))
    session.commit()
    again = on(fresh_database, "import", "statement", str(file), data=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.endswith("0 lines booked, 1 in suspense, 0 still to be booked.\n")
