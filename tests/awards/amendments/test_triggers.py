"""What the database itself refuses of amendments, past every page and verb."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, scoped_session

from portal.awards.amendments import service
from portal.awards.amendments.models import Amendment, AmendmentStatus
from portal.awards.checks import checks
from portal.core.db import session
from portal.core.web import Portal
from portal.core.workflow import Refused
from portal.payments import service as payments
from tests.make import amendments as make
from tests.make import awards as make_awards
from tests.make.accounts import person_with
from tests.make.payments import order, till

Db = scoped_session[Session]
Status = AmendmentStatus

GROWS = "UPDATE award SET amount_usd = amount_usd + 1000"
LONGER = "UPDATE award SET ends_on = ends_on + 1"
PLANS = "UPDATE instalment SET planned_usd = planned_usd + 800 WHERE number = 1"
LINES = "UPDATE award_budget_line SET amount_usd = amount_usd + 1000 WHERE position = 1"
FORGED = """
UPDATE amendment SET status = 'in_force', countersigned_at = now(),
    countersigned_by_id = (SELECT id FROM person WHERE id NOT IN (issued_by_id, signed_by_id)
        LIMIT 1)
"""
UNSIGNED = """
UPDATE amendment SET status = 'proposed', signed_at = NULL, signed_by_id = NULL, signed_name = NULL
"""
SIGNED_BY = """
UPDATE amendment SET status = 'in_force', countersigned_at = now(), countersigned_by_id = {}
"""
PROPOSE = r"""
INSERT INTO amendment (id, version, award_id, number, status, micro_grant, from_amount_usd,
    from_ends_on, amount_usd, ends_on, budget, instalments, asked_reason, reason, file_id, digest,
    issued_by_id, issued_at, remark, created_at)
SELECT gen_random_uuid(), 1, a.id, 1, 'proposed', true, a.amount_usd, a.ends_on, 1, a.ends_on,
    '[{"usd"\: 1}]', '[{"usd"\: 1}]', '', 'Why.', g.file_id, g.digest, g.issued_by_id, now(), '',
    now() FROM award a JOIN agreement g ON g.award_id = a.id
"""
ORDER = """
INSERT INTO payment_order SELECT (jsonb_populate_record(o, jsonb_build_object('id',
    gen_random_uuid(), 'status', 'prepared'))).* FROM payment_order o
"""


def refused(db: Db, statement: str, said: str = ".") -> None:
    """Demand that the database refuses a statement, at once or when the transaction ends."""

    def attempt() -> None:
        db.execute(sa.text(statement))
        db.commit()

    with pytest.raises(DBAPIError, match=said):
        attempt()
    db.rollback()


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("status", [None, *Status])
def test_nothing_but_an_amendment_in_force_changes_an_award(
    status: AmendmentStatus | None, db: Db
) -> None:
    award = make_awards.award()
    if status is not None:
        make.amendment(status, award)
    db.commit()
    for statement in (GROWS, LONGER, PLANS, LINES, "UPDATE award SET micro_grant = false"):
        refused(db, statement)
    refused(db, "UPDATE award SET starts_on = starts_on - 1")
    refused(db, "UPDATE award SET paying_agent = 'hq'")
    refused(db, "DELETE FROM instalment")
    refused(
        db,
        "INSERT INTO instalment SELECT gen_random_uuid(), 1, award_id, 9, 0, trigger, report_key,"
        " 1000, 'planned', 0 FROM instalment WHERE number = 1",
    )


@pytest.mark.usefixtures("app")
def test_an_amendment_that_was_is_not_played_again(db: Db) -> None:
    award = make_awards.award()
    make.in_force(award, 1_000)
    make.in_force(award, -1_000)
    db.commit()
    for statement in (GROWS, PLANS, LINES):
        refused(db, statement)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "statement",
    [
        FORGED,  # and nothing of the award follows
        f"{FORGED} ; {GROWS}",
        f"{FORGED} ; {GROWS} ; {LINES}",
        "UPDATE amendment SET amount_usd = amount_usd + 1",
        "UPDATE amendment SET amount_usd = 500001",
        "UPDATE amendment SET ends_on = ends_on + 1",
        "UPDATE amendment SET micro_grant = false",
        "UPDATE amendment SET digest = repeat('0', 64)",
        UNSIGNED,
        SIGNED_BY.format("signed_by_id"),
        SIGNED_BY.format("issued_by_id"),
        "UPDATE amendment SET status = 'in_force'",
        "UPDATE amendment SET status = 'asked'",
        "UPDATE amendment SET signed_name = 'Somebody Else'",
        "UPDATE amendment SET status = 'declined'",
        "UPDATE amendment SET budget = '[]', status = 'withdrawn', remark = 'x'",
        "DELETE FROM amendment",
        "TRUNCATE amendment",
    ],
)
def test_the_text_and_its_signatures_stand(statement: str, db: Db) -> None:
    make.accepted(make.proposed(make_awards.award(), 1_000))
    db.commit()
    refused(db, statement)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"amount_usd": 500_001}, "ceiling"),
        ({"amount_usd": 481_001}, "one"),
        ({"budget": []}, "one"),
        ({"instalments": []}, "one"),
        ({"from_amount_usd": 479_000}, "stands"),
        ({"micro_grant": False}, "stands"),
        ({"number": 7}, "next number"),
        ({"status": Status.ACCEPTED}, "unsigned"),
        ({"status": Status.IN_FORCE}, "unsigned"),
    ],
)
def test_no_other_amendment_reaches_the_database(
    changed: dict[str, object], said: str, db: Db
) -> None:
    award = make_awards.award()
    sound = make.proposed(award, 1_000)
    service.withdraw(sound, "Another one.", by=make_awards.officer(award))
    db.commit()
    columns = (
        "award micro_grant from_amount_usd from_ends_on amount_usd ends_on budget instalments "
        "reason file digest issued_by_id issued_at"
    )
    values = {name: getattr(sound, name) for name in columns.split()}
    made = Amendment(**({"number": 2, "status": Status.PROPOSED} | values | changed))  # type: ignore[arg-type]
    db.add(made)
    with pytest.raises(IntegrityError, match=said):
        db.flush()
    db.rollback()


@pytest.mark.usefixtures("app")
def test_an_order_and_an_amendment_of_the_amount_exclude_each_other(db: Db) -> None:
    award = make_awards.award()
    who = till()
    made = order(award=award, who=who)
    db.commit()
    refused(db, PROPOSE, "under way")
    payments.cancel_order(made, "Not now.", by=who.finance)
    make.proposed(award, 1_000)
    db.commit()
    refused(db, ORDER, "amendment of the amount is open")


CHANGES = [
    ("UPDATE award SET amount_usd = amount_usd - 1", "at first and its amendments"),
    ("UPDATE award SET ends_on = ends_on + 1", "at first and its amendments"),
    (PLANS, "at first and its amendments"),
    (LINES, "at first and its amendments"),
    ("UPDATE amendment SET amount_usd = amount_usd - 1", "whom the audit chain names"),
    ("UPDATE amendment SET ends_on = ends_on + 1", "whom the audit chain names"),
    ("UPDATE amendment SET issued_by_id = signed_by_id", "whom the audit chain names"),
    ("UPDATE amendment SET signed_by_id = issued_by_id", "whom the audit chain names"),
    ("UPDATE amendment SET countersigned_by_id = issued_by_id", "whom the audit chain names"),
    (
        "UPDATE amendment SET signed_at = signed_at - interval '1 day'",
        "whom the audit chain names",
    ),
    ("UPDATE amendment SET digest = repeat('0', 64)", "texts that were signed"),
]


@contextmanager
def past_the_triggers(db: Db) -> Iterator[None]:
    """Change rows as somebody does who can switch triggers and constraints off."""
    for check in ("three_people", "micro_grant_ceiling"):
        db.execute(sa.text(f"ALTER TABLE amendment DROP CONSTRAINT ck_amendment_{check}"))
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    yield
    db.execute(sa.text("SET LOCAL session_replication_role = DEFAULT"))
    db.expire_all()


@pytest.mark.usefixtures("app")
def test_whoever_changes_an_amendment_or_what_it_changed_is_found(db: Db) -> None:
    make.in_force(make_awards.award(), 1_000)
    db.commit()
    for statement, check in CHANGES:
        found = db.begin_nested()
        with past_the_triggers(db):
            db.execute(sa.text(statement))
        violations = {each.name: each.run().violations for each in checks()}
        assert any(check in name and wrong for name, wrong in violations.items()), statement
        found.rollback()
        db.expire_all()


def test_two_countersign_at_once_and_the_award_grows_once(
    application: Portal, fresh_database: str
) -> None:
    del application, fresh_database
    award = make_awards.award()
    made = make.accepted(make.proposed(award, 1_000))
    people = [make_awards.authority(award).email for _n in range(2)]
    amendment_id, award_ref = made.id, award.ref
    session.commit()
    ready, outcomes = threading.Barrier(2), []

    def sign(email: str) -> None:
        try:
            mine = session.get_one(Amendment, amendment_id)
            who = person_with(email)
            ready.wait()
            service.countersign(mine, mine.digest or "", by=who)
            session.commit()
            outcomes.append("signed")
        except Refused:
            session.rollback()
            outcomes.append("refused")
        finally:
            session.remove()

    threads = [threading.Thread(target=sign, args=(email,)) for email in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "signed"]
    set_aside = sa.text("SELECT sum(amount_usd_minor) FROM commitment WHERE source_ref = :ref")
    assert session.scalar(set_aside, {"ref": award_ref}) == 481_000
    assert session.get_one(Amendment, amendment_id).award.amount_usd == 481_000


def test_two_propose_at_once_and_there_is_one(application: Portal, fresh_database: str) -> None:
    del application, fresh_database
    award = make_awards.award()
    people = [make_awards.officer(award).email for _n in range(2)]
    award_id = award.id
    session.commit()
    ready, outcomes = threading.Barrier(2), []

    def propose(email: str) -> None:
        try:
            mine = session.get_one(type(award), award_id)
            who = person_with(email)
            wanted = make.terms(mine, 1_000)
            ready.wait()
            service.propose(mine, wanted, "Why.", by=who)
            session.commit()
            outcomes.append("proposed")
        except Refused:
            session.rollback()
            outcomes.append("refused")
        finally:
            session.remove()

    threads = [threading.Thread(target=propose, args=(email,)) for email in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["proposed", "refused"]
    assert session.scalar(sa.select(sa.func.count()).select_from(Amendment)) == 1
