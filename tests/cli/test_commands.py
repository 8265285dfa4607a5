"""The commands of an operator: what they do, and that what goes wrong is one line."""

import base64
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.accounts.models import Role
from portal.core import migrate
from portal.core.config import ROOT
from portal.core.db import session
from portal.funds.profile import PROFILES
from tests.ledger.test_unore import dataset, row
from tests.make.accounts import person

SECRETS = {
    "PORTAL_SECRET_KEY": "b7Qm2xT9vLr4Zk8Wn1Yc6Hs3Pd5Gf0JaUeIoRt",
    "PORTAL_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
    "PORTAL_BASE_URL": "https://portal.example.org",
}
STUCK = sa.text(
    "INSERT INTO outbox_message (id, key, recipient, template, subject, body, link, locale, state,"
    " attempts, created_at, next_attempt_at) VALUES (gen_random_uuid(), 'k', 'a@example.org',"
    " 'reset_password', 's', 'b', '/', 'en', 'failed', 8, now(), now())"
)

Done = subprocess.CompletedProcess[str]


def portal(*arguments: str, **environment: str) -> Done:
    """Run a `portal` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def on(url: str, *arguments: str, data: Path) -> Done:
    """Run a command on the database at `url`, as on a server."""
    return portal(*arguments, "--data", str(data), DATABASE_URL=url, **SECRETS)


def assert_one_line(done: Done, words: str) -> None:
    """Demand failure, told in one line that says `words`."""
    assert done.returncode != 0
    assert words in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_migrate_brings_an_empty_database_up(fresh_database: str, tmp_path: Path) -> None:
    migrate.downgrade(fresh_database)
    done = on(fresh_database, "migrate", data=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert migrate.at_head(fresh_database)
    again = on(fresh_database, "migrate", data=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    funds = session.scalars(sa.text("SELECT fund_code FROM profile_version WHERE current"))
    assert set(funds) == {path.stem for path in PROFILES.glob("*.toml")}


def test_check_prints_a_line_for_each_invariant(fresh_database: str, tmp_path: Path) -> None:
    done = on(fresh_database, "check", data=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No message is stuck" in done.stdout
    assert all(line.startswith("ok") for line in done.stdout.splitlines())


def test_check_fails_on_a_violation_and_names_it(fresh_database: str, tmp_path: Path) -> None:
    session.execute(STUCK)
    session.commit()
    done = on(fresh_database, "check", data=tmp_path)
    assert done.returncode == 1
    assert "BROKEN       1  No message is stuck" in done.stdout
    assert "is failed" in done.stdout


def test_the_first_administrator_comes_by_a_link(fresh_database: str, tmp_path: Path) -> None:
    done = on(fresh_database, "invite-admin", "ada@example.org", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://portal.example.org/")
    assert session.scalar(sa.text("SELECT email FROM one_time_link")) == "ada@example.org"


def test_who_holds_another_role_is_not_invited(fresh_database: str, tmp_path: Path) -> None:
    officer = person("olga@example.org", [Role.PROGRAMME_OFFICER]).email
    session.commit()
    done = on(fresh_database, "invite-admin", officer, data=tmp_path)
    assert_one_line(done, "An administrator holds no other role")


def test_rates_of_the_un_are_imported_once_and_whole(fresh_database: str, tmp_path: Path) -> None:
    file, bad = tmp_path / "rates.xml", tmp_path / "bad.xml"
    file.write_bytes(dataset(row("KES", "129.5"), row("NPR", "141.2")))
    bad.write_bytes(dataset(row("UGX", "3600"), row("XAF", "-1"), row("LAK", "none")))
    said = [on(fresh_database, "import", "rates", str(file), data=tmp_path) for _time in (1, 2)]
    assert [each.stdout for each in said] == [
        "2 rates are new, 0 were there already.\n",
        "0 rates are new, 2 were there already.\n",
    ]
    refused = on(fresh_database, "import", "rates", str(bad), data=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: Nothing was taken from bad.xml:\n")
    assert "Row 2: “-1” is no rate" in refused.stderr
    assert "Row 3: “none” is no rate" in refused.stderr
    assert session.scalar(sa.text("SELECT count(*) FROM exchange_rate")) == 2


def test_rates_far_from_the_ones_before_want_a_word(fresh_database: str, tmp_path: Path) -> None:
    file = tmp_path / "rates.xml"
    file.write_bytes(dataset(row("KES", "129.5", "1 Oct 2026"), row("NPR", "141.2", "1 Oct 2026")))
    assert on(fresh_database, "import", "rates", str(file), data=tmp_path).returncode == 0
    file.write_bytes(dataset(row("KES", "12.95"), row("NPR", "142"), row("USD", "1")))
    asked = on(fresh_database, "import", "rates", str(file), data=tmp_path)
    assert asked.returncode == 1
    assert "Row 1: KES on 2026-11-01 is 12.95" in asked.stderr
    assert "NPR" not in asked.stderr
    assert "run the command again with --confirm-changes" in asked.stderr
    assert session.scalar(sa.text("SELECT count(*) FROM exchange_rate")) == 2
    words = ("import", "rates", "--confirm-changes", str(file))
    done = on(fresh_database, *words, data=tmp_path)
    assert done.stdout == "3 rates are new, 0 were there already.\n"
    file.write_bytes(dataset(row("KES", "12.95"), row("UGX", "3600")))
    first = on(fresh_database, "import", "rates", str(file), data=tmp_path)
    assert "UGX on 2026-11-01 is 3600, the first rate of UGX" in first.stderr
    more = on(fresh_database, *words, data=tmp_path)
    assert more.stdout == "1 rate is new, 1 was there already.\n"


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("serve",),
        ("work",),
        ("invite-admin", "ada@example.org"),
        ("import", "rates", "pyproject.toml"),
        ("import", "statement", "pyproject.toml"),
        ("export", "books", "--out", "/nowhere/books"),
        ("payments", "send"),
        ("payments", "poll"),
        ("pretend-bank", "settle"),
    ],
    ids=" ".join,
)
def test_a_mistyped_data_folder_is_no_new_portal(command: tuple[str, ...], tmp_path: Path) -> None:
    place = tmp_path / "mistyped"
    done = portal(*command, "--data", str(place))
    assert done.returncode == 2
    assert_one_line(done, f"There is no portal in {place}: name its data folder with --data")
    assert not place.exists()


def test_what_is_no_address_is_refused(fresh_database: str, tmp_path: Path) -> None:
    assert_one_line(on(fresh_database, "invite-admin", "ada", data=tmp_path), "e-mail address")


@pytest.mark.parametrize("command", ["serve", "work"])
def test_an_old_database_is_not_served(fresh_database: str, tmp_path: Path, command: str) -> None:
    migrate.downgrade(fresh_database, "0002_core")
    assert_one_line(on(fresh_database, command, data=tmp_path), "run `portal migrate`")


def test_check_of_an_old_database_says_what_to_do(fresh_database: str, tmp_path: Path) -> None:
    migrate.downgrade(fresh_database)
    assert_one_line(on(fresh_database, "check", data=tmp_path), "run `portal migrate`")


def test_a_used_port_is_one_sentence(fresh_database: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_line(on(fresh_database, "serve", "--port", port, data=tmp_path), "--port")
        assert_one_line(portal("demo", "--port", port, "--data", str(tmp_path)), "--port")


def test_an_unreachable_database_is_one_line(tmp_path: Path) -> None:
    away = "postgresql://portal@127.0.0.1:1/portal"
    assert_one_line(on(away, "migrate", data=tmp_path), "The database does not answer")


def test_an_address_that_is_none_is_one_line(tmp_path: Path) -> None:
    no_port = "postgresql://portal@127.0.0.1:abc/portal"
    assert_one_line(on(no_port, "migrate", data=tmp_path), "must look like postgresql://")


def test_the_demonstration_is_not_told_among_real_people(
    fresh_database: str, tmp_path: Path
) -> None:
    person()
    session.commit()
    done = on(fresh_database, "demo", "--no-serve", data=tmp_path)
    assert_one_line(done, "not of the demonstration")
    assert session.scalar(sa.text("SELECT count(*) FROM person")) == 1


def test_a_server_without_secrets_does_not_start(tmp_path: Path) -> None:
    away = "postgresql://portal@127.0.0.1:1/portal"
    done = portal("serve", "--data", str(tmp_path), DATABASE_URL=away)
    assert_one_line(done, "PORTAL_SECRET_KEY is not set")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_line(portal("migrate", "--data", str(tmp_path / "file" / "var")), "Cannot use")


def test_a_demonstration_on_a_real_server_is_never_emptied(
    fresh_database: str, tmp_path: Path
) -> None:
    done = on(fresh_database, "demo", "--fresh", "--no-serve", data=tmp_path)
    assert_one_line(done, "embedded databases only")


@pytest.mark.parametrize(
    "command", ["demo", "migrate", "serve", "work", "check", "invite-admin", "import rates"]
)
def test_every_command_takes_data_and_explains_itself(command: str) -> None:
    done = portal(*command.split(), "--help")
    assert done.returncode == 0
    assert "--data" in done.stdout
