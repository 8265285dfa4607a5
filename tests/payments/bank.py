"""An independent bank for tests: `mock-bank` as a process of its own, reached as banks are.

Files go in by its drop folder (or over HTTP), answers come out of its pickup folder; its control
plane on 127.0.0.1 sets the stage: accounts, money that arrives, the days that pass.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

CLOCK = "2026-12-01T09:00"
"""A Tuesday, before the bank's cut-off."""

OURS = "ACME"
"""The account that the bank starts with and that pays: 125,000.00 in EUR."""

_STARTED = re.compile(r"listening on http://127\.0\.0\.1:(\d+)/")
_PATIENCE = 20
Json = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """A message that the bank released, as it lies in its pickup folder too."""

    id: int
    kind: str
    account: str | None
    xml: bytes


@dataclass(frozen=True)
class Bank:
    """The running bank. Amounts are in minor units of the account's currency."""

    url: str
    drop: Path
    pickup: Path

    def ask(self, method: str, path: str, body: bytes | Json | None = None) -> Any:
        """Return what the bank answers, refusals of a file included. Raises HTTPError else."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        kind = "application/json" if isinstance(body, dict) else "application/xml"
        request = Request(  # noqa: S310
            self.url + path, data, {"Content-Type": kind}, method=method
        )
        try:
            with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as refusal:
            with refusal:
                said = refusal.read().decode()
            if path == "/payments" and refusal.code == 422:
                return json.loads(said)
            raise AssertionError(f"{method} {path}: {said}") from refusal

    def accounts(self) -> dict[str, Json]:
        """Return the accounts by their id: `iban`, `balance`, `currency`, `behaviour`."""
        return {row["id"]: row for row in self.ask("GET", "/_mock/accounts")}

    def open_account(self, identifier: str, **fields: Any) -> Json:
        """Open an account: `iban`, `name`, `currency`, `balance`, `behaviour`, `parameters`."""
        answer: Json = self.ask("POST", "/_mock/accounts", {"id": identifier, **fields})
        return answer

    def patch(self, identifier: str, **fields: Any) -> Json:
        """Change an account: `behaviour="return-later"`, `parameters={"days": 2}`, `closed`."""
        answer: Json = self.ask("PATCH", f"/_mock/accounts/{identifier}", fields)
        return answer

    def submit(self, file: bytes) -> Json:
        """Hand in a payment file over HTTP; return the bank's own summary."""
        answer: Json = self.ask("POST", "/payments", file)
        return answer

    def scan(self) -> Json:
        """Let the bank look into its drop folder now."""
        answer: Json = self.ask("POST", "/_mock/drop/scan")
        return answer

    def credit(self, account: str, amount: int, payer: str, note: str = "", **more: Any) -> Json:
        """Let money arrive: `note` is the remittance text, `reference` a structured one."""
        said = {"note": note} if note else {}
        body = {"account": account, "amount": amount, "debtor": {"name": payer}, **said, **more}
        answer: Json = self.ask("POST", "/_mock/credits", body)
        return answer

    def advance(self, days: int = 1) -> Json:
        """Let calendar days pass: payments settle, statements are drawn."""
        answer: Json = self.ask("POST", f"/_mock/advance?days={days}")
        return answer

    def payments(self) -> list[Json]:
        """Return every payment that the bank decided on, the oldest first."""
        rows: list[Json] = self.ask("GET", "/_mock/payments")
        return rows[::-1]

    def messages(self, kind: str = "") -> list[Sent]:
        """Return what the bank sent so far, the oldest first; `kind` such as `camt.053`."""
        rows = self.ask("GET", f"/_mock/messages?type={kind}")
        return [Sent(r["id"], r["type"], r["account"], r["body"].encode()) for r in rows]


@contextmanager
def running(folder: Path, clock: str = CLOCK, *options: str) -> Iterator[Bank]:
    """Run a bank of one's own on a free port, with its folders in `folder`, until it is left."""
    drop, pickup, log = folder / "drop", folder / "pickup", folder / "bank.log"
    for place in (drop, pickup):
        place.mkdir(parents=True)
    command = [sys.executable, "-m", "mockbank", "--port", "0", "--clock", clock]
    command += ["--drop-dir", str(drop), "--pickup-dir", str(pickup), "--drop-settle-ms", "0"]
    command += ["--drop-interval-ms", "3600000", *options]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield Bank(f"http://127.0.0.1:{_port(process, log)}", drop, pickup)
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _port(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        started = _STARTED.search(log.read_text())
        if started:
            return started[1]
        time.sleep(0.02)
    raise AssertionError(f"the bank did not start: {log.read_text()}")
