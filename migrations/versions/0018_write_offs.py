"""Refunds that come in parts, and write-offs with two approvals of their own (R25).

What is owed is paid back in one part or several, or written off: then three people of three roles
stand behind it, none of whom works for the grantee or is recused. Nothing is removed.

Revision ID: 0018_write_offs
Revises: 0017_statements
"""

import sqlalchemy as sa
from alembic import op

revision = "0018_write_offs"
down_revision = "0017_statements"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

CLOSING = """
CREATE OR REPLACE FUNCTION award_closes_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM instalment
            WHERE award_id = NEW.id AND status NOT IN ('paid', 'lapsed'))
        OR EXISTS (SELECT FROM receivable WHERE award_id = NEW.id
            AND status IN ({owed}))
        OR (SELECT COALESCE(SUM(amount_usd_minor), 0) FROM commitment
            WHERE source_ref = NEW.ref) <> 0
    THEN
        RAISE EXCEPTION 'award % is not settled: it cannot be closed', NEW.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

RECEIVABLE_STANDS = """
CREATE OR REPLACE FUNCTION receivable_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.award_id, OLD.amount_usd, OLD.due_on, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.award_id, NEW.amount_usd, NEW.due_on, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what a grantee owes is never changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'written_off' AND OLD IS DISTINCT FROM NEW THEN
        RAISE EXCEPTION 'what was written off stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status OR NEW.paid_usd <> OLD.paid_usd THEN
        IF EXISTS (SELECT FROM award WHERE id = NEW.award_id AND status = 'closed') THEN
            RAISE EXCEPTION 'the file is closed: what was paid back stands'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF (to_jsonb(NEW) - 'version') IS DISTINCT FROM (to_jsonb(OLD) - 'version') THEN
        RAISE EXCEPTION 'how it was paid back stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.paid_usd < OLD.paid_usd AND NOT EXISTS (SELECT FROM statement_allocation
        WHERE receivable_id = NEW.id AND undone_at IS NOT NULL
        AND amount_usd = OLD.paid_usd - NEW.paid_usd)
    THEN
        RAISE EXCEPTION 'what a grantee paid back is taken back only with its line'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'written_off' AND NOT EXISTS (SELECT FROM write_off
        WHERE receivable_id = NEW.id AND status = 'approved' AND amount_usd = NEW.written_off_usd)
    THEN
        RAISE EXCEPTION 'nothing is written off without its two approvals'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

RECEIVABLE_STOOD = """
CREATE OR REPLACE FUNCTION receivable_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'settled' OR NEW.status <> 'settled'
        OR (OLD.id, OLD.award_id, OLD.amount_usd, OLD.due_on, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.award_id, NEW.amount_usd, NEW.due_on, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what a grantee owes is settled once, and never changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

PROPOSE = """
CREATE FUNCTION write_off_propose() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owed receivable%ROWTYPE;
BEGIN
    SELECT * INTO owed FROM receivable WHERE id = NEW.receivable_id FOR UPDATE;
    IF NEW.status <> 'proposed' OR owed.status NOT IN ('open', 'partly_paid')
        OR NEW.amount_usd <> owed.amount_usd - owed.paid_usd
    THEN
        RAISE EXCEPTION 'a write-off begins as a proposal, over all that is left'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM write_off_signs(NEW.receivable_id, NEW.proposed_by_id, 'finance_officer',
        NEW.proposed_at);
    RETURN NEW;
END $$
"""

SIGNS = """
CREATE FUNCTION write_off_signs(about uuid, who uuid, wanted text, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    head uuid;
    whose uuid;
    fund text;
    place text;
    today date := (moment AT TIME ZONE 'UTC')::date;
BEGIN
    SELECT application.id, application.organisation_id, call.fund_code, application.country
        INTO head, whose, fund, place
        FROM receivable JOIN award ON award.id = receivable.award_id
        JOIN application ON application.id = award.application_id
        JOIN call ON call.id = application.call_id WHERE receivable.id = about;
    IF EXISTS (SELECT FROM membership
            WHERE person_id = who AND organisation_id = whose AND left_at IS NULL)
        OR EXISTS (SELECT FROM recusal WHERE person_id = who AND application_id = head)
    THEN
        RAISE EXCEPTION 'who works for the grantee, or is recused, writes nothing off'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM role_grant WHERE person_id = who AND role = wanted
        AND COALESCE(fund_code, fund) = fund AND COALESCE(country, place) = place
        AND from_day <= today AND COALESCE(until_day, today) >= today AND ended_at IS NULL)
    THEN
        RAISE EXCEPTION 'the person does not hold the role of this step'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$
"""

STANDS = """
CREATE FUNCTION write_off_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'approved_by_id', 'approved_at',
        'authorised_by_id', 'authorised_at', 'ended_by_id', 'ended_at', 'remark'];
    owed receivable%ROWTYPE;
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) THEN
        RAISE EXCEPTION 'what was proposed stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('proposed', 'approved_once'),
        ('approved_once', 'approved'), ('proposed', 'rejected'), ('approved_once', 'rejected'),
        ('proposed', 'withdrawn'), ('approved_once', 'withdrawn'))
    THEN
        RAISE EXCEPTION 'a write-off cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.approved_at IS NOT NULL AND (OLD.approved_by_id, OLD.approved_at)
        IS DISTINCT FROM (NEW.approved_by_id, NEW.approved_at)
    THEN
        RAISE EXCEPTION 'who approved stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'approved_once' THEN
        PERFORM write_off_signs(NEW.receivable_id, NEW.approved_by_id, 'approving_officer',
            NEW.approved_at);
    END IF;
    IF NEW.status = 'approved' THEN
        PERFORM write_off_signs(NEW.receivable_id, NEW.authorised_by_id, 'approving_authority',
            NEW.authorised_at);
        SELECT * INTO owed FROM receivable WHERE id = NEW.receivable_id FOR UPDATE;
        IF NEW.amount_usd <> owed.amount_usd - owed.paid_usd - owed.written_off_usd THEN
            RAISE EXCEPTION 'another amount is left than was proposed'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

FUNCTIONS = {
    "write_off_signs(uuid, uuid, text, timestamptz)": SIGNS,
    "write_off_propose()": PROPOSE,
    "write_off_stands()": STANDS,
}

TRIGGERS = (
    ("propose", "BEFORE INSERT", "ROW", "write_off_propose"),
    ("stands", "BEFORE UPDATE", "ROW", "write_off_stands"),
    ("kept", "BEFORE DELETE", "ROW", "payment_is_kept"),
    ("not_emptied", "BEFORE TRUNCATE", "STATEMENT", "payment_is_kept"),
)

SETTLED_BY = "status <> 'settled' OR (settled_by_id IS NOT NULL AND bank_reference <> '')"
PAID = "status NOT IN ('settled', 'partly_paid') OR bank_reference <> ''"
SUMS = (
    "CASE status WHEN 'open' THEN paid_usd = 0 AND written_off_usd = 0 "
    "WHEN 'partly_paid' THEN paid_usd BETWEEN 1 AND amount_usd - 1 AND written_off_usd = 0 "
    "WHEN 'settled' THEN paid_usd = amount_usd AND written_off_usd = 0 "
    "ELSE paid_usd >= 0 AND written_off_usd > 0 AND paid_usd + written_off_usd = amount_usd END"
)
RULES = {
    "amount_positive": "amount_usd > 0",
    "has_a_reason": "reason <> ''",
    "three_people": "approved_by_id <> proposed_by_id AND authorised_by_id <> proposed_by_id "
    "AND authorised_by_id <> approved_by_id",
    "by_somebody_at_some_time": "(approved_by_id IS NULL) = (approved_at IS NULL) "
    "AND (authorised_by_id IS NULL) = (authorised_at IS NULL) "
    "AND (ended_by_id IS NULL) = (ended_at IS NULL)",
    "status_is_its_signatures": "CASE status WHEN 'proposed' THEN approved_at IS NULL "
    "AND authorised_at IS NULL WHEN 'approved_once' THEN approved_at IS NOT NULL "
    "AND authorised_at IS NULL WHEN 'approved' THEN approved_at IS NOT NULL "
    "AND authorised_at IS NOT NULL ELSE authorised_at IS NULL END",
    "ended_with_a_reason": "(status IN ('rejected', 'withdrawn')) = (ended_at IS NOT NULL) "
    "AND (status = 'rejected') = (remark <> '')",
}


def _receivable() -> None:
    for name in ("paid_usd", "written_off_usd"):
        op.add_column(
            "receivable", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        )
        op.alter_column("receivable", name, server_default=None)
    op.execute("ALTER TABLE receivable DISABLE TRIGGER receivable_stands")
    op.execute("UPDATE receivable SET paid_usd = amount_usd WHERE status = 'settled'")
    op.execute("ALTER TABLE receivable ENABLE TRIGGER receivable_stands")
    op.drop_constraint(op.f("ck_receivable_settled_by_somebody"), "receivable")
    for name, rule in (("paid_has_a_reference", PAID), ("status_is_its_sums", SUMS)):
        op.create_check_constraint(op.f(f"ck_receivable_{name}"), "receivable", rule)


def _write_off() -> None:
    table = "write_off"
    people = ("approved_by_id", "authorised_by_id", "ended_by_id")
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("receivable_id", sa.Uuid(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in people),
        *(
            sa.Column(name, MOMENT, nullable=True)
            for name in ("approved_at", "authorised_at", "ended_at")
        ),
        sa.Column("remark", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["receivable_id"], ["receivable.id"], name=f"fk_{table}_receivable_id"
        ),
        *(
            sa.ForeignKeyConstraint([name], ["person.id"], name=f"fk_{table}_{name}")
            for name in ("proposed_by_id", *people)
        ),
        *(sa.CheckConstraint(rule, name=f"ck_{table}_{name}") for name, rule in RULES.items()),
    )
    op.create_index(f"ix_{table}_receivable_id", table, ["receivable_id"])
    op.create_index(
        "uq_write_off_open_per_receivable",
        table,
        ["receivable_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('proposed', 'approved_once')"),
    )


def upgrade() -> None:
    _receivable()
    _write_off()
    op.execute(CLOSING.format(owed="'open', 'partly_paid'"))
    op.execute(RECEIVABLE_STANDS)
    for body in FUNCTIONS.values():
        op.execute(body)
    for name, event, level, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER write_off_{name} {event} ON write_off "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    op.execute(CLOSING.format(owed="'open'"))
    op.execute(RECEIVABLE_STOOD)
    op.drop_table("write_off")
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
    for name in ("paid_has_a_reference", "status_is_its_sums"):
        op.drop_constraint(op.f(f"ck_receivable_{name}"), "receivable")
    op.create_check_constraint(op.f("ck_receivable_settled_by_somebody"), "receivable", SETTLED_BY)
    for name in ("paid_usd", "written_off_usd"):
        op.drop_column("receivable", name)
