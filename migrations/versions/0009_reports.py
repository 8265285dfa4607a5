"""Reports: narrative, spending by budget line, people reached, evidence and both sides' reviews.

Triggers hold what a promise rests on: what was submitted stands still until it is returned, a word
on a report is never changed, and nothing is accepted without both sides or above the award.

Revision ID: 0009_reports
Revises: 0008_awards
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009_reports"
down_revision = "0008_awards"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PARTS = ("report_answer", "expenditure", "people_reached", "evidence")


def _id(table: str) -> tuple[sa.Column[object], sa.PrimaryKeyConstraint]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _points_at(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def _report() -> None:
    op.create_table(
        "report",
        *_id("report"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("spending_revision", sa.Integer(), nullable=False),
        sa.Column("people_revision", sa.Integer(), nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("submitted_by_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("accepted_usd", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", MOMENT, nullable=True),
        _points_at("report", "award_id", "award"),
        _points_at("report", "submitted_by_id", "person"),
        sa.UniqueConstraint("ref", name="uq_report_ref"),
        sa.UniqueConstraint("award_id", "key", name="uq_report_award_id_key"),
        sa.CheckConstraint(
            "(status = 'accepted') = (accepted_at IS NOT NULL)", name="ck_report_accepted_at"
        ),
        sa.CheckConstraint(
            "accepted_usd IS NULL OR status = 'accepted'", name="ck_report_accepted_amount"
        ),
        sa.CheckConstraint(
            "(round > 0) = (submitted_at IS NOT NULL)", name="ck_report_submitted_has_a_time"
        ),
        sa.CheckConstraint(
            "(submitted_at IS NULL) = (submitted_by_id IS NULL) "
            "AND (submitted_at IS NULL) = (digest IS NULL)",
            name="ck_report_submitted_by_somebody",
        ),
        sa.CheckConstraint("status = 'due' OR round > 0", name="ck_report_only_due_before_round_1"),
        sa.CheckConstraint("accepted_usd >= 0", name="ck_report_accepted_not_negative"),
    )


def _narrative() -> None:
    op.create_table(
        "report_answer",
        *_id("report_answer"),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", JSONB(none_as_null=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _points_at("report_answer", "report_id", "report"),
        _points_at("report_answer", "updated_by_id", "person"),
        sa.UniqueConstraint("report_id", "key", name="uq_report_answer_report_id_key"),
        sa.CheckConstraint(
            "value IS NULL OR sealed IS NULL", name="ck_report_answer_sealed_or_plain"
        ),
    )
    op.create_table(
        "evidence",
        *_id("evidence"),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("caption", sa.String(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        _points_at("evidence", "report_id", "report"),
        _points_at("evidence", "file_id", "stored_file"),
        _points_at("evidence", "added_by_id", "person"),
    )
    op.create_index("ix_evidence_report_id", "evidence", ["report_id"])


def _figures() -> None:
    op.create_table(
        "expenditure",
        *_id("expenditure"),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("rate", sa.Numeric(20, 8), nullable=False),
        sa.Column("official_rate", sa.Numeric(20, 8), nullable=True),
        sa.Column("rate_reason", sa.String(), nullable=False),
        sa.Column("spent_usd", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _points_at("expenditure", "report_id", "report"),
        _points_at("expenditure", "line_id", "award_budget_line"),
        sa.UniqueConstraint("report_id", "line_id", name="uq_expenditure_report_id_line_id"),
        sa.CheckConstraint(
            "spent >= 0 AND spent_usd >= 0 AND rate > 0", name="ck_expenditure_not_negative"
        ),
        sa.CheckConstraint(
            "rate_reason <> '' OR rate IS NOT DISTINCT FROM official_rate",
            name="ck_expenditure_own_rate_has_a_reason",
        ),
        sa.CheckConstraint(
            "currency <> 'USD' OR (rate = 1 AND spent = spent_usd)",
            name="ck_expenditure_dollars_are_dollars",
        ),
        sa.CheckConstraint("length(currency) = 3", name="ck_expenditure_currency_is_iso"),
    )
    op.create_table(
        "people_reached",
        *_id("people_reached"),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("sex", sa.String(40), nullable=False),
        sa.Column("age_band", sa.String(40), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        _points_at("people_reached", "report_id", "report"),
        sa.UniqueConstraint(
            "report_id",
            "sex",
            "age_band",
            "group",
            name="uq_people_reached_report_id_sex_age_band_group",
        ),
        sa.CheckConstraint("people >= 0", name="ck_people_reached_not_negative"),
    )


def _reviews() -> None:
    op.create_table(
        "report_review",
        *_id("report_review"),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(40), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("accepted_usd", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _points_at("report_review", "report_id", "report"),
        _points_at("report_review", "by_id", "person"),
        sa.UniqueConstraint(
            "report_id", "round", "side", name="uq_report_review_report_id_round_side"
        ),
        sa.UniqueConstraint(
            "report_id", "round", "by_id", name="uq_report_review_report_id_round_by_id"
        ),
        sa.CheckConstraint(
            "accepted OR comment <> ''", name="ck_report_review_return_has_a_comment"
        ),
        sa.CheckConstraint(
            "(accepted_usd IS NOT NULL) = (accepted AND side = 'finance')",
            name="ck_report_review_finance_accepts_an_amount",
        ),
        sa.CheckConstraint("accepted_usd >= 0", name="ck_report_review_amount_not_negative"),
    )


HOLD_REPORT = """
CREATE FUNCTION report_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    granted bigint;
    accepted_before bigint;
    sides text[];
    wanted text[] := ARRAY['programme'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'reports are kept' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.ref, OLD.award_id, OLD.key) IS DISTINCT FROM (NEW.ref, NEW.award_id, NEW.key) THEN
        RAISE EXCEPTION 'whose report it is, and which, is settled'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = OLD.status THEN
        IF (to_jsonb(NEW) - 'version' - 'due_on' - 'spending_revision' - 'people_revision')
            IS DISTINCT FROM
           (to_jsonb(OLD) - 'version' - 'due_on' - 'spending_revision' - 'people_revision')
        OR OLD.status IN ('submitted', 'accepted') AND
           (OLD.due_on, OLD.spending_revision, OLD.people_revision) IS DISTINCT FROM
           (NEW.due_on, NEW.spending_revision, NEW.people_revision)
        THEN
            RAISE EXCEPTION 'the report is %: it stands still', OLD.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('due', 'submitted'), ('returned', 'submitted'),
        ('submitted', 'returned'), ('submitted', 'accepted'))
    THEN
        RAISE EXCEPTION 'a report cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'submitted' THEN
        IF NEW.round <> OLD.round + 1 OR NEW.digest IS NULL OR NEW.digest !~ '^[0-9a-f]{64}$' THEN
            RAISE EXCEPTION 'each submission is a round with a digest of its own'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF (OLD.round, OLD.digest, OLD.submitted_at, OLD.submitted_by_id)
        IS DISTINCT FROM (NEW.round, NEW.digest, NEW.submitted_at, NEW.submitted_by_id)
    THEN
        RAISE EXCEPTION 'what was submitted, by whom and when, stands still'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'accepted' THEN
        SELECT array_agg(side ORDER BY side) INTO sides FROM report_review
            WHERE report_id = NEW.id AND round = NEW.round AND accepted;
        IF EXISTS (
            SELECT FROM award JOIN application ON application.id = award.application_id
            JOIN call ON call.id = application.call_id
            JOIN profile_version ON profile_version.id = call.profile_version_id
            WHERE award.id = NEW.award_id AND jsonb_path_exists(profile_version.content,
                '$.reports[*] ? (@.key == $key && @.financial == true)',
                jsonb_build_object('key', NEW.key)))
        THEN
            wanted := ARRAY['finance', 'programme'];
        END IF;
        IF sides IS NULL OR NOT sides @> wanted THEN
            RAISE EXCEPTION 'a report is accepted by programme and finance'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT amount_usd INTO granted FROM award WHERE id = NEW.award_id FOR SHARE;
        SELECT COALESCE(SUM(accepted_usd), 0) INTO accepted_before FROM report
            WHERE award_id = NEW.award_id AND id <> NEW.id;
        IF accepted_before + COALESCE(NEW.accepted_usd, 0) > granted THEN
            RAISE EXCEPTION 'no more is accepted as spent than was awarded'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

PART_STANDS = """
CREATE FUNCTION report_part_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stands_at text;
    whose uuid;
BEGIN
    FOR whose IN
        SELECT DISTINCT id FROM unnest(ARRAY[
            CASE WHEN TG_OP <> 'INSERT' THEN OLD.report_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.report_id END
        ]) AS id WHERE id IS NOT NULL
    LOOP
        SELECT status INTO stands_at FROM report WHERE report.id = whose FOR SHARE;
        IF stands_at NOT IN ('due', 'returned') THEN
            RAISE EXCEPTION 'the report is %, its % stands still', stands_at, TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$
"""

OWN_LINE = """
CREATE FUNCTION expenditure_own_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM report JOIN award_budget_line ON award_budget_line.award_id = report.award_id
        WHERE report.id = NEW.report_id AND award_budget_line.id = NEW.line_id)
    THEN
        RAISE EXCEPTION 'spending is reported on the lines of the report''s own award'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

REVIEW_IS_FINAL = """
CREATE FUNCTION report_review_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'a word on a report is final: % refused', TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM report WHERE id = NEW.report_id AND status = 'submitted'
        AND round = NEW.round)
    THEN
        RAISE EXCEPTION 'only the round that was submitted is reviewed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

FUNCTIONS = {
    "report_hold": HOLD_REPORT,
    "report_part_stands": PART_STANDS,
    "expenditure_own_line": OWN_LINE,
    "report_review_is_final": REVIEW_IS_FINAL,
}

TRIGGERS = (
    ("report", "hold", "BEFORE UPDATE OR DELETE", "ROW", "report_hold"),
    ("expenditure", "own_line", "BEFORE INSERT OR UPDATE", "ROW", "expenditure_own_line"),
    (
        "report_review",
        "final",
        "BEFORE INSERT OR UPDATE OR DELETE",
        "ROW",
        "report_review_is_final",
    ),
    ("report_review", "not_emptied", "BEFORE TRUNCATE", "STATEMENT", "report_review_is_final"),
    *(
        (table, "stands", "BEFORE INSERT OR UPDATE OR DELETE", "ROW", "report_part_stands")
        for table in PARTS
    ),
)


def upgrade() -> None:
    _report()
    _narrative()
    _figures()
    _reviews()
    for body in FUNCTIONS.values():
        op.execute(body)
    for table, name, event, level, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    for table in ("report_review", *reversed(PARTS), "report"):
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
