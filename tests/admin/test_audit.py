"""The auditor's pages: events narrowed and in stretches, their table, the chain."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.core import audit, clock
from tests import make
from tests.accounting.taking import taken
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.applications import application, draft
from tests.make.stories import auditor

Db = scoped_session[Session]
Count = Callable[[], AbstractContextManager[SqlCount]]


@pytest.fixture
def audra(db: Db, browser: Browser) -> Browser:
    """Return the browser of an auditor of everything."""
    email = auditor().email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    return browser


def numbers(browser: Browser) -> list[int]:
    """Return the numbers of the events on the page."""
    heads = [e for e in browser.page.all("th") if e.get("scope") == "row"]
    return [int("".join(head.itertext()).strip()) for head in heads]


def test_the_auditor_reads_who_did_what_on_which_file(db: Db, audra: Browser) -> None:
    made = application()
    ref, name = made.ref, "Amina Okello"
    db.commit()
    page = audra.open(f"/audit?case={ref.lower()}", status=200)
    assert "Application submitted" in page.text
    assert name in page.text
    assert (ref, f"/files/{ref}/history") in page.links
    assert "The chain holds on this page" in page.text
    audra.follow(ref, status=200)
    assert audra.page.heading == "History"


def test_events_are_narrowed(db: Db, audra: Browser) -> None:
    application()
    lonely = make.person(name="Zora Zeman").email
    db.commit()
    audra.open("/audit")
    audra.fill("Act", "Application submitted (application.submitted)")
    page = audra.press("Show", status=200)
    assert len(numbers(audra)) == 1
    assert "Account opened" not in page.text.split("Events, the latest first")[-1]
    audra.open("/audit?action=0")
    assert len(numbers(audra)) > 1, "a whole group"
    page = audra.open(f"/audit?person={lonely}")
    assert {"Zora Zeman"} == {
        "".join(cell.itertext()).strip()
        for cell in page.all("td")
        if cell.get("data-label") == "Who"
    }
    today = clock.today()
    assert numbers_on(audra, since=today.isoformat(), until=today.isoformat())
    assert not numbers_on(audra, until=(today - timedelta(days=1)).isoformat())
    assert not numbers_on(audra, since=(today + timedelta(days=1)).isoformat())
    assert not numbers_on(audra, action="no.such")
    assert "No event fits this choice." in audra.page.text


def numbers_on(browser: Browser, **wanted: str) -> list[int]:
    browser.open("/audit?" + "&".join(f"{name}={value}" for name, value in wanted.items()))
    return numbers(browser)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=21.11.2026", "“21.11.2026” is not a day."),
        ("since=2026-11-21&until=2026-11-20", "The last day is before the first day."),
    ],
)
def test_a_day_that_is_none_gets_a_sentence(audra: Browser, query: str, sentence: str) -> None:
    page = audra.open(f"/audit?{query}", status=200)
    assert sentence in page.text
    assert "since" in page.html


def test_events_come_in_stretches_both_ways(db: Db, audra: Browser, count_sql: Count) -> None:
    person = make.person()
    for number in range(120):
        audit.record("person.profile_edited", person, actor_id=person.id, facts={"n": number})
    db.commit()
    with count_sql() as count:
        audra.open("/audit")
    assert count.total <= 6
    first = numbers(audra)
    assert len(first) == 50
    assert first == sorted(first, reverse=True)
    audra.follow("Earlier events")
    second = numbers(audra)
    assert len(second) == 50
    assert second[0] < first[-1]
    audra.follow("Earlier events")
    assert "Earlier events" not in audra.page.text or numbers(audra)
    audra.follow("Later events")
    assert numbers(audra) == second
    audra.follow("Later events")
    assert numbers(audra) == first
    assert "Later events" not in audra.page.text


def test_an_auditor_of_a_fund_reads_the_files_of_that_fund_only(db: Db, browser: Browser) -> None:
    mine, others = application().ref, application(of=make.call("vftc")).ref
    email = auditor("act").email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    page = browser.open("/audit", status=200)
    assert mine in page.text
    assert others not in page.text
    assert "Account opened" not in page.text.split("Events, the latest first")[-1]
    browser.open("/audit/chain", status=404)
    browser.open("/audit/chain.jsonl", status=404)


def test_a_draft_is_told_without_its_reference(db: Db, audra: Browser) -> None:
    ref = draft().ref
    db.commit()
    assert ref not in audra.open("/audit?action=application.started").text
    assert len(numbers(audra)) == 1


def test_the_table_holds_what_the_page_shows(db: Db, audra: Browser) -> None:
    made = application()
    ref = made.ref
    db.commit()
    reply = taken(audra, f"/audit.csv?case={ref}")
    assert reply.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True).removeprefix("\ufeff"))))
    audra.open(f"/audit?case={ref}")
    assert [int(row["Number"]) for row in rows] == numbers(audra)
    assert rows[0]["Code"] == "application.submitted"
    assert rows[0]["File"] == ref
    assert len(rows[0]["Digest"]) == 64
    assert audra.client.get("/audit.csv").status_code in {404, 405}
    facts = sa.select(audit.AuditEvent.facts).where(audit.AuditEvent.action == "audit.exported")
    assert db.scalars(facts).all() == [{"events": len(rows), "last": int(rows[0]["Number"])}]
    assert "Audit taken out as a table" in audra.open("/audit").text


def test_the_whole_chain_is_verified_and_handed_out_with_its_script(
    db: Db, audra: Browser, tmp_path: Path
) -> None:
    application()
    db.commit()
    audra.open("/audit")
    page = audra.follow("Verify the whole chain", status=200)
    assert "The whole chain is intact" in page.text
    (tmp_path / "verify.py").write_bytes(audra.client.get("/audit/verifier.py").data)
    with audra.client.get("/audit/chain.jsonl") as reply:
        content = reply.data
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    (tmp_path / "chain.jsonl").write_bytes(content)
    end = (str(len(content.splitlines())), json.loads(content.splitlines()[-1])["digest"])
    assert f"audit-chain.jsonl {' '.join(end)}" in page.text
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", "chain.jsonl", *end],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout[:7]) == (0, "intact:")


def test_a_broken_chain_is_said_on_both_pages(db: Db, audra: Browser) -> None:
    person = make.person()
    event = audit.record("person.profile_edited", person, actor_id=person.id)
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    change = sa.text("UPDATE audit_event SET rule = 'R1' WHERE number = :number")
    db.execute(change, {"number": event.number})
    db.execute(sa.text("SET LOCAL session_replication_role = DEFAULT"))
    db.commit()
    assert "The chain is broken on this page" in audra.open("/audit").text
    assert "The chain is broken" in audra.open("/audit/chain").text


def test_the_audit_is_for_auditors(db: Db, browser: Browser) -> None:
    email = make.person(roles=[Role.PROGRAMME_OFFICER]).email
    db.commit()
    browser.sign_in(email, make.PASSWORD)
    browser.open("/audit", status=404)
    assert taken(browser, "/audit.csv").status_code == 404
