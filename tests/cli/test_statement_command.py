"""`portal import statement FILE`: says what it did, and changes nothing on an error."""

from pathlib import Path

from portal.core.db import session
from portal.payments.statements import service
from tests.cli.test_commands import on
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
