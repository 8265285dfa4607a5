"""`portal payments send` and `poll`: told row by row; what is refused changes nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.core.config import Settings
from portal.core.db import connect, session
from portal.core.web import Portal
from portal.ledger.models import LedgerTransaction, TransactionKind
from portal.payments.models import BankMessage, FileStatus, PaymentFile, PaymentOrder
from tests.cli.test_commands import Done, assert_one_line, portal
from tests.conftest import Server
from tests.payments.payday import Payday, prepared, release
from tests.payments.test_bank_checks import answered

Run = Callable[..., Done]
ORDERS = 2


@pytest.fixture
def payday(server: Server, application: Portal) -> Iterator[tuple[Payday, str]]:
    """Return two released payments by the bank in a database of their own, and its URL."""
    del application  # its keys and folder are those of this process
    name = f"test_{uuid4().hex[:12]}"
    engine = connect(server.copy(name))
    try:
        found = prepared(ORDERS)
        release(found, ORDERS)
        yield found, engine.url.render_as_string(hide_password=False)
    finally:
        session.remove()
        session.configure(bind=None)
        engine.dispose()
        server.drop(name)


@pytest.fixture
def run(payday: tuple[Payday, str], settings: Settings) -> Run:
    """Return a way to run a command of payments on that database."""

    def command(*arguments: str, **environment: str) -> Done:
        session.rollback()
        return portal(
            "payments",
            *arguments,
            "--data",
            str(settings.data_dir),
            DATABASE_URL=payday[1],
            PORTAL_DEMO="true",
            **environment,
        )

    return command


def files() -> list[PaymentFile]:
    session.rollback()
    return list(session.scalars(select(PaymentFile)))


def advances() -> int:
    rows = select(func.count()).where(LedgerTransaction.kind == TransactionKind.ADVANCE_PAID)
    return int(session.scalar(rows) or 0)


def test_files_are_written_once_and_sent_once_there_is_a_folder(run: Run, tmp_path: Path) -> None:
    written = run("send")
    assert (written.returncode, written.stderr) == (0, "")
    [file] = files()
    first, hint = written.stdout.splitlines()
    assert first.startswith(f"{file.message_id}: {ORDERS} payments, ")
    assert first.endswith(f"{ORDERS} payments, US$ 2,880.00, written.")
    assert "download the files instead" in hint

    away = run("send", PORTAL_BANK_DROP_DIR=str(tmp_path / "nowhere"))
    assert_one_line(away, "must be a folder that exists")
    drop = tmp_path / "drop"
    in_the_way = drop / f"{file.message_id}.xml"
    in_the_way.mkdir(parents=True)
    assert_one_line(run("send", PORTAL_BANK_DROP_DIR=str(drop)), "Nothing more was sent")
    assert ([each.status for each in files()], advances()) == ([FileStatus.KEPT], 0)

    in_the_way.rmdir()
    sent = run("send", PORTAL_BANK_DROP_DIR=str(drop))
    assert sent.stdout.splitlines() == [f"{file.message_id}: sent.", "1 file sent."]
    assert in_the_way.read_bytes().startswith(b"<?xml")
    assert ([each.status for each in files()], advances()) == ([FileStatus.SENT], ORDERS)
    again = run("send", PORTAL_BANK_DROP_DIR=str(drop))
    assert (again.returncode, again.stdout) == (0, "0 files sent.\n")


def test_answers_are_read_row_by_row_and_the_refused_put_aside(run: Run, tmp_path: Path) -> None:
    assert_one_line(run("poll"), "PORTAL_BANK_PICKUP_DIR")
    assert run("poll", "--from", str(tmp_path / "nowhere")).returncode == 2

    assert run("send").returncode == 0
    [file] = files()
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    good = answered(file.message_id)
    (pickup / "a-good.xml").write_bytes(good)
    (pickup / "b-cut.xml").write_bytes(good[:200])
    (pickup / "c-other.xml").write_bytes(answered("VFP-0000-0000"))
    (pickup / ".half.xml").write_bytes(b"<")
    read = run("poll", PORTAL_BANK_PICKUP_DIR=str(pickup))
    assert read.returncode == 1
    assert read.stderr == "Error: 2 files were refused; nothing of them was taken in.\n"
    lines = read.stdout.splitlines()
    assert lines[0] == f"a-good.xml: pain.002, {ORDERS} taken in."
    assert [line.split(": refused. ")[0] for line in lines[1:]] == ["b-cut.xml", "c-other.xml"]
    assert "which the portal never wrote" in lines[2]
    assert sorted(path.name for path in (pickup / "refused").iterdir()) == [
        "b-cut.txt",
        "b-cut.xml",
        "c-other.txt",
        "c-other.xml",
    ]
    assert "never wrote" in (pickup / "refused" / "c-other.txt").read_text()
    assert [path.name for path in (pickup / "done").iterdir()] == ["a-good.xml"]
    assert (pickup / ".half.xml").exists()
    session.rollback()
    assert session.scalar(select(func.count()).select_from(BankMessage)) == 1
    accepted = session.scalars(select(PaymentOrder.accepted_at)).all()
    assert len(accepted) == ORDERS
    assert None not in accepted

    (pickup / "again.xml").write_bytes(good)
    replayed = run("poll", "--from", str(pickup))
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout == "again.xml: pain.002, was taken in before.\n"
    assert run("poll", "--from", str(pickup)).stdout == "The folder holds nothing new.\n"
