"""Fund profiles as loaded, calls for applications, and the triggers that freeze what is published.

Revision ID: 0005_funds
Revises: 0004_ledger
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0005_funds"
down_revision = "0004_ledger"
branch_labels = None
depends_on = None

MICRO_GRANT_HAS_ITS_CEILING = (
    "content->'micro_grant' IS DISTINCT FROM 'true'::jsonb "
    "OR COALESCE((content#>>'{budget,ceiling_usd_minor}')::bigint, 500001) <= 500000"
)
PUBLISHED_HAS_A_TIME = (
    "CASE status WHEN 'draft' THEN published_at IS NULL "
    "WHEN 'cancelled' THEN true ELSE published_at IS NOT NULL END"
)

FREEZE_PROFILE = """
CREATE FUNCTION profile_version_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'the profiles of funds are kept'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (to_jsonb(NEW) - 'current') IS DISTINCT FROM (to_jsonb(OLD) - 'current') THEN
        RAISE EXCEPTION 'a profile is never edited: a changed file becomes a new row'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

FREEZE_CALL = """
CREATE FUNCTION call_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.published_at IS NOT NULL THEN
            RAISE EXCEPTION 'a published call is kept'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.status <> 'draft' AND (to_jsonb(NEW) - 'status' - 'version')
            IS DISTINCT FROM (to_jsonb(OLD) - 'status' - 'version') THEN
        RAISE EXCEPTION 'call % is published: all that it says is frozen', OLD.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND NOT (
        (OLD.status = 'draft' AND NEW.status IN ('open', 'cancelled'))
        OR (OLD.status = 'open' AND NEW.status IN ('decided', 'cancelled'))
    ) THEN
        RAISE EXCEPTION 'call % cannot go from % to %', OLD.ref, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

HOLD_CALL = """
CREATE FUNCTION call_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    frozen profile_version%ROWTYPE;
    own bigint;
BEGIN
    SELECT * INTO frozen FROM profile_version WHERE id = NEW.profile_version_id;
    own := (frozen.content#>>'{budget,ceiling_usd_minor}')::bigint;
    IF frozen.content->'micro_grant' = 'true'::jsonb THEN
        own := LEAST(own, 500000);
    END IF;
    IF NEW.ceiling_usd > own THEN
        RAISE EXCEPTION 'a ceiling of % US cents is above its fund''s, %', NEW.ceiling_usd, own
            USING ERRCODE = 'integrity_constraint_violation',
                  HINT = 'A call may lower the ceiling of its fund; nothing may raise it.';
    END IF;
    IF NEW.fund_code <> frozen.fund_code OR NEW.reviewer_role
            IS DISTINCT FROM (frozen.content#>>'{process,reviewer_role}') THEN
        RAISE EXCEPTION 'call % does not repeat what its profile says', NEW.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

TRIGGERS = (
    ("profile_version", "freeze", "BEFORE UPDATE OR DELETE", "ROW", "profile_version_freeze"),
    ("profile_version", "keep", "BEFORE TRUNCATE", "STATEMENT", "profile_version_freeze"),
    ("call", "freeze", "BEFORE UPDATE OR DELETE", "ROW", "call_freeze"),
    ("call", "hold", "BEFORE INSERT OR UPDATE", "ROW", "call_hold"),
)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _profiles() -> None:
    op.create_table(
        "profile_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("fund_code"),
        _text("digest"),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        _moment("loaded_at"),
        sa.PrimaryKeyConstraint("id", name="pk_profile_version"),
        sa.UniqueConstraint("fund_code", "digest", name="uq_profile_version_fund_code_digest"),
        sa.CheckConstraint(
            MICRO_GRANT_HAS_ITS_CEILING, name=op.f("ck_profile_version_micro_grant_ceiling")
        ),
    )
    op.create_index(
        "uq_profile_version_current",
        "profile_version",
        ["fund_code"],
        unique=True,
        postgresql_where=sa.text("current"),
    )


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("ref"),
        _text("title"),
        sa.Column("profile_version_id", sa.Uuid(), nullable=False),
        _text("fund_code"),
        _text("reviewer_role", nullable=True),
        sa.Column("status", sa.String(40), nullable=False),
        _moment("opens_at"),
        _moment("closes_at"),
        _text("time_zone"),
        sa.Column("reference_day", sa.Date(), nullable=False),
        sa.Column("envelope_usd", sa.BigInteger(), nullable=False),
        sa.Column("ceiling_usd", sa.BigInteger(), nullable=True),
        sa.Column("countries", ARRAY(sa.String(3)), nullable=False),
        sa.Column("languages", ARRAY(sa.String(8)), nullable=False),
        _text("session_label"),
        _text("summary"),
        _moment("created_at"),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        _moment("published_at", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
        sa.UniqueConstraint("ref", name="uq_call_ref"),
        sa.ForeignKeyConstraint(
            ["profile_version_id"], ["profile_version.id"], name="fk_call_profile_version_id"
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name="fk_call_created_by_id"),
        sa.CheckConstraint(PUBLISHED_HAS_A_TIME, name=op.f("ck_call_published_has_a_time")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_call_closes_after_it_opens")),
        sa.CheckConstraint("envelope_usd >= 0", name=op.f("ck_call_envelope_not_negative")),
        sa.CheckConstraint(
            "ceiling_usd IS NULL OR ceiling_usd > 0", name=op.f("ck_call_ceiling_positive")
        ),
    )
    op.create_index("ix_call_status_closes_at", "call", ["status", "closes_at"])


def upgrade() -> None:
    _profiles()
    _calls()
    op.execute(FREEZE_PROFILE)
    op.execute(FREEZE_CALL)
    op.execute(HOLD_CALL)
    for table, name, when, each, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} {when} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    op.drop_table("call")
    op.drop_table("profile_version")
    for function in ("call_hold", "call_freeze", "profile_version_freeze"):
        op.execute(f"DROP FUNCTION {function}()")
