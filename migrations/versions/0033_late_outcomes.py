"""What came back too late by card is a refund, is made anew, or stays with the fund.

Each is said by somebody with a reason and can be taken back; the latter two take a second person.

Revision ID: 0033_late_outcomes
Revises: 0032_cancelled_too
"""

import sqlalchemy as sa
from alembic import op

revision = "0033_late_outcomes"
down_revision = "0032_cancelled_too"
branch_labels = None
depends_on = None

LATE, TABLE = "late_return", "late_outcome"

LATE_STANDS = """
CREATE OR REPLACE FUNCTION late_return_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - '{version, settled_usd}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{version, settled_usd}'::text[])
    THEN
        RAISE EXCEPTION 'what came back too late stands: only what it is, is said of it'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

LATE_STOOD = """
CREATE OR REPLACE FUNCTION late_return_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'refunded_usd', 'reason', 'by_id'];
BEGIN
    IF NEW.refunded_usd < OLD.refunded_usd
        OR (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
    THEN
        RAISE EXCEPTION 'what came back too late stands: only more of it is said to be a refund'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

STANDS = """
CREATE FUNCTION late_outcome_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    confirming text[] := ARRAY['confirmed_by_id', 'confirmed_at', 'booking_ref', 'netted_usd'];
    undoing text[] := ARRAY['undone_by_id', 'undone_at', 'undone_reason'];
    moving text[] := CASE WHEN NEW.undone_at IS NULL THEN confirming ELSE undoing END;
BEGIN
    IF OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL AND OLD.confirmed_at IS NOT NULL
        OR (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
    THEN
        RAISE EXCEPTION 'what was said of money stands: it is confirmed once and undone once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

TRIGGERS = (
    ("stands", "BEFORE UPDATE", "ROW", "late_outcome_stands"),
    ("kept", "BEFORE DELETE", "ROW", "payment_is_kept"),
    ("not_emptied", "BEFORE TRUNCATE", "STATEMENT", "payment_is_kept"),
)

WITH_ITS_LINE = """EXISTS (SELECT FROM statement_allocation
        WHERE receivable_id = NEW.id AND undone_at IS NOT NULL
        AND amount_usd = OLD.paid_usd - NEW.paid_usd)"""
WITH_ITS_SOURCE = """EXISTS (SELECT FROM statement_allocation
        WHERE receivable_id = NEW.id AND undone_at IS NOT NULL
        AND amount_usd = OLD.paid_usd - NEW.paid_usd
        UNION ALL SELECT FROM late_outcome o JOIN late_return l ON l.id = o.late_id
        JOIN payment_order p ON p.id = l.order_id JOIN instalment i ON i.id = p.instalment_id
        WHERE i.award_id = NEW.award_id AND o.way = 'refund' AND o.undone_at IS NOT NULL
        AND o.amount_usd = OLD.paid_usd - NEW.paid_usd)"""
"""What allows that a refund is less than it was: it came by a line, or late by card."""

BODY = "SELECT pg_get_functiondef('receivable_stands'::regproc)"

SAID_SO_FAR = """
WITH booked AS (
    SELECT l.id AS late_id, l.order_id, l.reason, t.source_ref, x.usd,
        EXISTS (SELECT FROM ledger_transaction u WHERE u.reverses_id = t.id) AS is_reversed,
        row_number() OVER (PARTITION BY l.id ORDER BY t.created_at, t.source_ref) AS number
    FROM late_return l JOIN payment_order o ON o.id = l.order_id
    JOIN ledger_transaction t ON starts_with(t.source_ref, 'late:' || o.ref || ':')
        AND t.kind = 'refund_received'
    JOIN ledger_entry x ON x.transaction_id = t.id
    JOIN ledger_account a ON a.id = x.account_id AND a.kind = 'suspense'
), told AS (
    SELECT e.subject_id AS order_id, e.actor_id, e.at,
        row_number() OVER (PARTITION BY e.subject_id ORDER BY e.number) AS number
    FROM audit_event e WHERE e.action = 'payment_order.late_refund'
)
INSERT INTO late_outcome (id, late_id, number, way, amount_usd, reason, by_id, booking_ref,
    netted_usd, at, undone_reason)
SELECT gen_random_uuid(), b.late_id, b.number, 'refund', b.usd, b.reason, told.actor_id,
    b.source_ref, 0, told.at, ''
FROM booked b JOIN told ON told.order_id = b.order_id AND told.number = b.number
WHERE NOT b.is_reversed
"""
"""By whom and when, the audit chain tells; of several refunds, the last one's reason was kept.
After a way down, those that had been taken back are told of by the chain alone."""

SAID_LAST = """
UPDATE late_return l SET refunded_usd = l.settled_usd, by_id = last.by_id, reason = last.reason
FROM (SELECT DISTINCT ON (late_id) late_id, by_id, reason FROM late_outcome
    WHERE booking_ref <> '' AND undone_at IS NULL ORDER BY late_id, number DESC) AS last
WHERE last.late_id = l.id AND l.settled_usd > 0
"""


def upgrade() -> None:
    _create()
    op.execute(SAID_SO_FAR)
    for name in ("refunded_by_somebody", "refunded_of_it"):
        op.drop_constraint(op.f(f"ck_{LATE}_{name}"), LATE)
    op.drop_constraint(op.f(f"fk_{LATE}_by_id"), LATE)
    op.alter_column(LATE, "refunded_usd", new_column_name="settled_usd")
    op.execute(f"ALTER TABLE {LATE} DISABLE TRIGGER USER")
    op.execute(f"UPDATE {LATE} SET reason = ''")  # from here on it is what the processor said
    op.execute(f"ALTER TABLE {LATE} ENABLE TRIGGER USER")
    op.drop_column(LATE, "by_id")
    op.create_check_constraint(
        op.f(f"ck_{LATE}_settled_of_it"), LATE, "settled_usd BETWEEN 0 AND amount_usd"
    )
    op.execute(LATE_STANDS)
    op.execute(STANDS)
    for name, when, each, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {TABLE}_{name} {when} ON {TABLE} "
            f"FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
    _replace(WITH_ITS_LINE, WITH_ITS_SOURCE)


LOST = "SELECT count(*) FROM late_outcome WHERE way <> 'refund' AND booking_ref <> ''"


def downgrade() -> None:
    if op.get_bind().scalar(sa.text(LOST)):
        raise RuntimeError(
            "what was made anew or stays with a fund cannot be told without its table"
        )
    _replace(WITH_ITS_SOURCE, WITH_ITS_LINE)
    op.execute(LATE_STOOD)
    op.execute(f"ALTER TABLE {LATE} DISABLE TRIGGER USER")
    op.drop_constraint(op.f(f"ck_{LATE}_settled_of_it"), LATE)
    op.add_column(LATE, sa.Column("refunded_usd", sa.BigInteger(), server_default="0"))
    op.execute(f"UPDATE {LATE} SET reason = ''")
    op.add_column(LATE, sa.Column("by_id", sa.Uuid(), nullable=True))
    op.execute(SAID_LAST)
    op.alter_column(LATE, "refunded_usd", nullable=False, server_default=None)
    op.drop_column(LATE, "settled_usd")
    op.create_foreign_key(op.f(f"fk_{LATE}_by_id"), LATE, "person", ["by_id"], ["id"])
    op.create_check_constraint(
        op.f(f"ck_{LATE}_refunded_of_it"), LATE, "refunded_usd BETWEEN 0 AND amount_usd"
    )
    op.create_check_constraint(
        op.f(f"ck_{LATE}_refunded_by_somebody"),
        LATE,
        "(refunded_usd > 0) = (by_id IS NOT NULL) AND (refunded_usd > 0) = (reason <> '')",
    )
    op.execute(f"ALTER TABLE {LATE} ENABLE TRIGGER USER")
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION late_outcome_stands()")


def _create() -> None:
    people = ("by_id", "confirmed_by_id", "undone_by_id")
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("late_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("booking_ref", sa.String(), nullable=False),
        sa.Column("netted_usd", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("late_id", "number", name=op.f(f"uq_{TABLE}_late_id_number")),
        sa.ForeignKeyConstraint(["late_id"], [f"{LATE}.id"], name=op.f(f"fk_{TABLE}_late_id")),
        *(
            sa.ForeignKeyConstraint([name], ["person.id"], name=op.f(f"fk_{TABLE}_{name}"))
            for name in people
        ),
        sa.CheckConstraint("amount_usd > 0", name=op.f(f"ck_{TABLE}_amount_positive")),
        sa.CheckConstraint("reason <> ''", name=op.f(f"ck_{TABLE}_has_a_reason")),
        sa.CheckConstraint(
            "(booking_ref <> '') = (way = 'refund' OR confirmed_at IS NOT NULL)",
            name=op.f(f"ck_{TABLE}_booked_by_its_way"),
        ),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (confirmed_by_id IS NULL) "
            "AND (confirmed_at IS NULL OR way <> 'refund') AND confirmed_by_id <> by_id",
            name=op.f(f"ck_{TABLE}_confirmed_by_another"),
        ),
        sa.CheckConstraint(
            "netted_usd BETWEEN 0 AND amount_usd "
            "AND (netted_usd = 0 OR way = 'again' AND booking_ref <> '')",
            name=op.f(f"ck_{TABLE}_netted_by_what_is_made_anew"),
        ),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_by_id IS NULL) "
            "AND (undone_at IS NULL) = (undone_reason = '')",
            name=op.f(f"ck_{TABLE}_undone_by_somebody"),
        ),
    )
    op.create_index(
        op.f(f"uq_{TABLE}_open"),
        TABLE,
        ["late_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL AND booking_ref = ''"),
    )


def _replace(before: str, after: str) -> None:
    """Replace one condition of `receivable_stands`; the rest of the function stays as it is."""
    body = str(op.get_bind().scalar(sa.text(BODY)))
    if body.count(before) != 1:
        raise RuntimeError("receivable_stands is not as the migrations before left it")
    op.execute(body.replace(before, after))
