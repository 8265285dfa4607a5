"""What `portal payments poll` could not place is printed, and stays with the message."""

from pathlib import Path

from sqlalchemy import select

from portal.core.db import session
from portal.demo.bank import messages
from portal.payments import exchange, service
from portal.payments.models import BankMessage
from tests.cli.test_bank_commands import Run, payday, run
from tests.payments.payday import Payday

__all__ = ["payday", "run"]
SENTENCE = "“NOBODY-1” is no payment of the portal."


def test_a_poll_prints_what_is_left_for_a_person(
    payday: tuple[Payday, str],
    run: Run,
    tmp_path: Path,
) -> None:
    found, _url = payday
    [file] = exchange.gather_all()
    service.hand_over(file, by=found.till.treasurer)
    name = file.message_id
    session.commit()
    said = [(found.refs[0], "RJCT", "AM04"), ("NOBODY-1", "RJCT", "AC04")]
    (tmp_path / "answer.xml").write_bytes(messages.status_report("S-1", name, said))
    told = run("poll", "--from", str(tmp_path))
    assert (told.returncode, told.stderr) == (0, "")
    assert f"  left for a person: {SENTENCE}" in told.stdout.splitlines()
    [message] = session.scalars(select(BankMessage))
    assert (message.sentences, message.waits) == ([SENTENCE], True)
