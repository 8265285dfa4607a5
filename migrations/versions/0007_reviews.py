"""Reviews: checklists, score sheets, recommendations and decisions.

Triggers hold what a promise rests on: a submitted sheet stands still, whoever is recused has no
sheet that counts, a recommendation that was made is not edited, a decision is never changed.

Revision ID: 0007_reviews
Revises: 0006_applications
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007_reviews"
down_revision = "0006_applications"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _id(table: str) -> tuple[sa.Column[object], sa.PrimaryKeyConstraint]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _points_at(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def _screening() -> None:
    op.create_table(
        "screening_item",
        *_id("screening_item"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("outcome", sa.Boolean(), nullable=True),
        sa.Column("finding", sa.String(40), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("checked_by_id", sa.Uuid(), nullable=True),
        sa.Column("checked_at", MOMENT, nullable=True),
        _points_at("screening_item", "application_id", "application"),
        _points_at("screening_item", "checked_by_id", "person"),
        sa.UniqueConstraint("application_id", "key", name="uq_screening_item_application_id_key"),
        sa.CheckConstraint(
            "(finding = 'open') = (checked_by_id IS NULL) "
            "AND (checked_by_id IS NULL) = (checked_at IS NULL)",
            name="ck_screening_item_checked_by_somebody",
        ),
        sa.CheckConstraint(
            "finding <> 'waived' OR note <> ''", name="ck_screening_item_waiver_has_a_reason"
        ),
    )
    op.create_table(
        "entitlement_check",
        *_id("entitlement_check"),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("checked_by_id", sa.Uuid(), nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        _points_at("entitlement_check", "application_id", "application"),
        _points_at("entitlement_check", "checked_by_id", "person"),
        sa.UniqueConstraint("application_id", name="uq_entitlement_check_application_id"),
    )


def _scores() -> None:
    op.create_table(
        "score_sheet",
        *_id("score_sheet"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        _points_at("score_sheet", "application_id", "application"),
        _points_at("score_sheet", "reviewer_id", "person"),
        sa.UniqueConstraint(
            "application_id", "reviewer_id", name="uq_score_sheet_application_id_reviewer_id"
        ),
        sa.CheckConstraint(
            "CASE status WHEN 'submitted' THEN submitted_at IS NOT NULL "
            "WHEN 'draft' THEN submitted_at IS NULL ELSE true END",
            name="ck_score_sheet_submitted_has_a_time",
        ),
    )
    op.create_table(
        "score",
        *_id("score"),
        sa.Column("sheet_id", sa.Uuid(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("justification", sa.String(), nullable=False),
        _points_at("score", "sheet_id", "score_sheet"),
        sa.UniqueConstraint("sheet_id", "criterion", name="uq_score_sheet_id_criterion"),
        sa.CheckConstraint("points >= 0", name="ck_score_points_not_negative"),
    )


def _recommendations() -> None:
    op.create_table(
        "recommendation",
        *_id("recommendation"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("remarks", sa.String(), nullable=False),
        _points_at("recommendation", "call_id", "call"),
        _points_at("recommendation", "made_by_id", "person"),
        _points_at("recommendation", "decided_by_id", "person"),
        sa.UniqueConstraint("call_id", "round", name="uq_recommendation_call_id_round"),
        sa.CheckConstraint(
            "decided_by_id <> made_by_id", name="ck_recommendation_another_person_decides"
        ),
        sa.CheckConstraint(
            "(made_by_id IS NULL) = (made_at IS NULL) "
            "AND (status = 'draft') = (made_by_id IS NULL)",
            name="ck_recommendation_made_by_somebody",
        ),
        sa.CheckConstraint(
            "(decided_by_id IS NULL) = (decided_at IS NULL) "
            "AND (status IN ('draft', 'made')) = (decided_by_id IS NULL)",
            name="ck_recommendation_decided_by_somebody",
        ),
        sa.CheckConstraint(
            "status <> 'returned' OR remarks <> ''",
            name="ck_recommendation_returned_with_remarks",
        ),
    )
    op.create_index(
        "uq_recommendation_live_per_call",
        "recommendation",
        ["call_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('draft', 'made')"),
    )
    op.create_table(
        "recommendation_line",
        *_id("recommendation_line"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recommendation_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Numeric(5, 2), nullable=True),
        sa.Column("spread", sa.Numeric(5, 2), nullable=True),
        sa.Column("basis", JSONB(), nullable=False),
        sa.Column("requested_usd", sa.BigInteger(), nullable=False),
        sa.Column("recommended_usd", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        _points_at("recommendation_line", "recommendation_id", "recommendation"),
        _points_at("recommendation_line", "application_id", "application"),
        sa.UniqueConstraint(
            "recommendation_id",
            "application_id",
            name="uq_recommendation_line_recommendation_id_application_id",
        ),
        sa.CheckConstraint("recommended_usd >= 0", name="ck_recommendation_line_not_negative"),
        sa.CheckConstraint(
            "recommended_usd <= requested_usd", name="ck_recommendation_line_not_above_request"
        ),
        sa.CheckConstraint(
            "(verdict = 'fund') = (recommended_usd > 0)",
            name="ck_recommendation_line_funded_has_an_amount",
        ),
        sa.CheckConstraint("rank > 0", name="ck_recommendation_line_rank_positive"),
    )


def _decisions() -> None:
    op.create_table(
        "decision",
        *_id("decision"),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("recommendation_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        _points_at("decision", "application_id", "application"),
        _points_at("decision", "recommendation_id", "recommendation"),
        _points_at("decision", "decided_by_id", "person"),
        sa.UniqueConstraint("application_id", name="uq_decision_application_id"),
        sa.CheckConstraint(
            "approved = (amount_usd > 0)", name="ck_decision_approved_has_an_amount"
        ),
        sa.CheckConstraint("reasons <> ''", name="ck_decision_has_reasons"),
        sa.CheckConstraint(
            "recommendation_id IS NOT NULL OR rule <> ''", name="ck_decision_rests_on_something"
        ),
    )


SHEET_STANDS_STILL = """
CREATE FUNCTION score_sheet_stands_still() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status <> 'draft' THEN
            RAISE EXCEPTION 'a score sheet that was submitted is kept'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.status <> 'draft' AND (
        (to_jsonb(NEW) - 'status' - 'version') IS DISTINCT FROM
        (to_jsonb(OLD) - 'status' - 'version')
        OR (NEW.status <> OLD.status AND NEW.status <> 'set_aside')
    ) THEN
        RAISE EXCEPTION 'the score sheet is %: it stands still', OLD.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> 'set_aside' AND EXISTS (
        SELECT FROM recusal
        WHERE application_id = NEW.application_id AND person_id = NEW.reviewer_id)
    THEN
        RAISE EXCEPTION 'whoever is recused does not score'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

SCORE_ONLY_IN_DRAFTS = """
CREATE FUNCTION score_only_in_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stands_at text;
    whose uuid;
BEGIN
    FOR whose IN
        SELECT DISTINCT id FROM unnest(ARRAY[
            CASE WHEN TG_OP <> 'INSERT' THEN OLD.sheet_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.sheet_id END
        ]) AS id WHERE id IS NOT NULL
    LOOP
        SELECT status INTO stands_at FROM score_sheet WHERE score_sheet.id = whose FOR SHARE;
        IF stands_at <> 'draft' THEN
            RAISE EXCEPTION 'the score sheet is %: its scores stand still', stands_at
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$
"""

RECUSAL_LEAVES_NO_SHEET = """
CREATE FUNCTION recusal_leaves_no_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM score_sheet
        WHERE application_id = NEW.application_id AND reviewer_id = NEW.person_id
        AND status <> 'set_aside')
    THEN
        RAISE EXCEPTION 'the score sheet of whoever is recused is set aside first'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

RECOMMENDATION_STANDS_STILL = """
CREATE FUNCTION recommendation_stands_still() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'recommendations are kept'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.call_id, OLD.round) IS DISTINCT FROM (NEW.call_id, NEW.round)
        OR OLD.status IN ('approved', 'returned')
        OR (OLD.status = 'made' AND (OLD.made_by_id, OLD.made_at)
            IS DISTINCT FROM (NEW.made_by_id, NEW.made_at))
        OR (NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
            ('draft', 'made'), ('made', 'approved'), ('made', 'returned')))
    THEN
        RAISE EXCEPTION 'the recommendation is %: it stands still', OLD.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

LINE_ONLY_IN_DRAFTS = """
CREATE FUNCTION recommendation_line_only_in_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stands_at text;
    whose uuid;
BEGIN
    FOR whose IN
        SELECT DISTINCT id FROM unnest(ARRAY[
            CASE WHEN TG_OP <> 'INSERT' THEN OLD.recommendation_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.recommendation_id END
        ]) AS id WHERE id IS NOT NULL
    LOOP
        SELECT status INTO stands_at FROM recommendation
        WHERE recommendation.id = whose FOR SHARE;
        IF stands_at <> 'draft' THEN
            RAISE EXCEPTION 'the recommendation is %: its lines stand still', stands_at
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$
"""

DECISION_IS_FINAL = """
CREATE FUNCTION decision_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a decision is final: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

FUNCTIONS = {
    "score_sheet_stands_still": (
        SHEET_STANDS_STILL,
        "BEFORE INSERT OR UPDATE OR DELETE ON score_sheet",
    ),
    "score_only_in_drafts": (
        SCORE_ONLY_IN_DRAFTS,
        "BEFORE INSERT OR UPDATE OR DELETE ON score",
    ),
    "recusal_leaves_no_sheet": (RECUSAL_LEAVES_NO_SHEET, "BEFORE INSERT ON recusal"),
    "recommendation_stands_still": (
        RECOMMENDATION_STANDS_STILL,
        "BEFORE UPDATE OR DELETE ON recommendation",
    ),
    "recommendation_line_only_in_drafts": (
        LINE_ONLY_IN_DRAFTS,
        "BEFORE INSERT OR UPDATE OR DELETE ON recommendation_line",
    ),
    "decision_is_final": (DECISION_IS_FINAL, "BEFORE UPDATE OR DELETE ON decision"),
}


def upgrade() -> None:
    _screening()
    _scores()
    _recommendations()
    _decisions()
    for name, (body, event) in FUNCTIONS.items():
        op.execute(body)
        op.execute(f"CREATE TRIGGER {name} {event} FOR EACH ROW EXECUTE FUNCTION {name}()")
    op.execute(
        "CREATE TRIGGER decision_is_not_emptied BEFORE TRUNCATE ON decision "
        "FOR EACH STATEMENT EXECUTE FUNCTION decision_is_final()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER recusal_leaves_no_sheet ON recusal")
    for table in (
        "decision",
        "recommendation_line",
        "recommendation",
        "score",
        "score_sheet",
        "entitlement_check",
        "screening_item",
    ):
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
