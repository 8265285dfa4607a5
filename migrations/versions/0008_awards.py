"""Awards: offers, their budgets, agreements and planned instalments.

Triggers hold what a promise rests on: no award above its call's ceiling or beyond its decision, an
amount that nothing changes, a document that both sides signed as it stands, and no active grant
without the signatures that its fund demands.

Revision ID: 0008_awards
Revises: 0007_reviews
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_awards"
down_revision = "0007_reviews"
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


def _award() -> None:
    op.create_table(
        "award",
        *_id("award"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("micro_grant", sa.Boolean(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("paying_agent", sa.String(40), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        _points_at("award", "application_id", "application"),
        _points_at("award", "decided_by_id", "person"),
        sa.UniqueConstraint("ref", name="uq_award_ref"),
        sa.UniqueConstraint("application_id", name="uq_award_application_id"),
        sa.CheckConstraint("amount_usd > 0", name="ck_award_amount_positive"),
        sa.CheckConstraint(
            "NOT micro_grant OR amount_usd <= 500000", name="ck_award_micro_grant_ceiling"
        ),
        sa.CheckConstraint("ends_on >= starts_on", name="ck_award_days_in_order"),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL)", name="ck_award_closed_has_a_time"
        ),
    )
    op.create_index("ix_award_status_ends_on", "award", ["status", "ends_on"])


def _parts() -> None:
    op.create_table(
        "award_budget_line",
        *_id("award_budget_line"),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("requested_usd", sa.BigInteger(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        _points_at("award_budget_line", "award_id", "award"),
        sa.UniqueConstraint("award_id", "position", name="uq_award_budget_line_award_id_position"),
        sa.CheckConstraint(
            "amount_usd >= 0 AND requested_usd >= 0", name="ck_award_budget_line_not_negative"
        ),
    )
    op.create_table(
        "instalment",
        *_id("instalment"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("report_key", sa.String(), nullable=True),
        sa.Column("planned_usd", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("paid_usd", sa.BigInteger(), nullable=False),
        _points_at("instalment", "award_id", "award"),
        sa.UniqueConstraint("award_id", "number", name="uq_instalment_award_id_number"),
        sa.CheckConstraint(
            "paid_usd >= 0 AND paid_usd <= planned_usd", name="ck_instalment_within_plan"
        ),
        sa.CheckConstraint(
            "(status = 'paid') = (paid_usd > 0)", name="ck_instalment_paid_has_an_amount"
        ),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="ck_instalment_percent"),
    )


def _agreement() -> None:
    op.create_table(
        "agreement",
        *_id("agreement"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("issued_by_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("signed_name", sa.String(), nullable=True),
        sa.Column("signed_by_id", sa.Uuid(), nullable=True),
        sa.Column("signed_at", MOMENT, nullable=True),
        sa.Column("countersigned_by_id", sa.Uuid(), nullable=True),
        sa.Column("countersigned_at", MOMENT, nullable=True),
        _points_at("agreement", "award_id", "award"),
        _points_at("agreement", "file_id", "stored_file"),
        _points_at("agreement", "issued_by_id", "person"),
        _points_at("agreement", "signed_by_id", "person"),
        _points_at("agreement", "countersigned_by_id", "person"),
        sa.UniqueConstraint("award_id", name="uq_agreement_award_id"),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="ck_agreement_digest_is_sha256"),
        sa.CheckConstraint(
            "(signed_at IS NULL) = (signed_by_id IS NULL)", name="ck_agreement_signed_by_somebody"
        ),
        sa.CheckConstraint(
            "(signed_at IS NULL) = (signed_name IS NULL)", name="ck_agreement_signed_with_a_name"
        ),
        sa.CheckConstraint(
            "(countersigned_at IS NULL) = (countersigned_by_id IS NULL)",
            name="ck_agreement_countersigned_by_somebody",
        ),
        sa.CheckConstraint(
            "countersigned_at IS NULL OR signed_at IS NOT NULL", name="ck_agreement_grantee_first"
        ),
        sa.CheckConstraint(
            "countersigned_by_id <> signed_by_id", name="ck_agreement_two_people_sign"
        ),
    )


HOLD_AWARD = """
CREATE FUNCTION award_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    profile jsonb;
    ceiling bigint;
    decided bigint;
BEGIN
    SELECT profile_version.content,
           LEAST(call.ceiling_usd, (profile_version.content#>>'{budget,ceiling_usd_minor}')::bigint)
        INTO profile, ceiling
        FROM application JOIN call ON call.id = application.call_id
        JOIN profile_version ON profile_version.id = call.profile_version_id
        WHERE application.id = NEW.application_id;
    IF NEW.micro_grant <> (COALESCE(profile->'micro_grant', 'false'::jsonb) = 'true'::jsonb) THEN
        RAISE EXCEPTION 'award % does not repeat what its profile says', NEW.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.amount_usd > ceiling THEN
        RAISE EXCEPTION 'an award of % US cents is above its call''s ceiling, %',
            NEW.amount_usd, ceiling
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT amount_usd INTO decided FROM decision
            WHERE application_id = NEW.application_id AND approved;
        IF decided IS DISTINCT FROM NEW.amount_usd THEN
            RAISE EXCEPTION 'award % is not what was decided', NEW.ref
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF (OLD.ref, OLD.application_id, OLD.micro_grant, OLD.amount_usd, OLD.decided_by_id,
           OLD.offered_at)
        IS DISTINCT FROM (NEW.ref, NEW.application_id, NEW.micro_grant, NEW.amount_usd,
           NEW.decided_by_id, NEW.offered_at)
    THEN
        RAISE EXCEPTION 'whose award it is, and how much, is settled'
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF OLD.status <> 'offered' AND (OLD.starts_on, OLD.ends_on, OLD.paying_agent)
        IS DISTINCT FROM (NEW.starts_on, NEW.ends_on, NEW.paying_agent)
    THEN
        RAISE EXCEPTION 'the award is %: its days and its paying agent stand still', OLD.status
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF NEW.status <> OLD.status THEN
        IF (OLD.status, NEW.status) NOT IN (
            ('offered', 'accepted'), ('offered', 'active'), ('offered', 'declined'),
            ('offered', 'cancelled'), ('accepted', 'active'), ('accepted', 'cancelled'),
            ('active', 'suspended'), ('active', 'terminated'), ('active', 'closed'),
            ('suspended', 'active'), ('suspended', 'terminated'), ('terminated', 'closed'))
        THEN
            RAISE EXCEPTION 'an award cannot go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.status IN ('accepted', 'active') AND NOT EXISTS (
            SELECT FROM agreement WHERE award_id = NEW.id AND signed_at IS NOT NULL
            AND (NEW.status = 'accepted' OR countersigned_at IS NOT NULL
                 OR profile#>'{process,countersigned}' = 'false'::jsonb))
        THEN
            RAISE EXCEPTION 'the agreement of award % is not signed', NEW.ref
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

SETTLED = """
CREATE FUNCTION award_part_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.award_id ELSE NEW.award_id END;
    stands_at text;
    issued boolean;
BEGIN
    SELECT status, EXISTS (SELECT FROM agreement WHERE award_id = award.id)
        INTO stands_at, issued FROM award WHERE award.id = whose FOR SHARE;
    IF issued OR stands_at <> 'offered' THEN
        RAISE EXCEPTION 'the document was issued: % stands still', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) - 'amount_usd') IS DISTINCT FROM
        (to_jsonb(OLD) - 'amount_usd')
    THEN
        RAISE EXCEPTION 'of a % only the amount can be revised', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

INSTALMENT_STANDS = """
CREATE FUNCTION instalment_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'status' - 'paid_usd' - 'version') IS DISTINCT FROM
        (to_jsonb(OLD) - 'status' - 'paid_usd' - 'version')
    THEN
        RAISE EXCEPTION 'what was planned to be paid stands still'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

ISSUE_AGREEMENT = """
CREATE FUNCTION agreement_issue() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    granted bigint;
    stands_at text;
    budgeted bigint;
    planned bigint;
BEGIN
    SELECT amount_usd, status INTO granted, stands_at FROM award
        WHERE award.id = NEW.award_id FOR SHARE;
    SELECT COALESCE(SUM(amount_usd), 0) INTO budgeted FROM award_budget_line
        WHERE award_id = NEW.award_id;
    SELECT COALESCE(SUM(planned_usd), 0) INTO planned FROM instalment
        WHERE award_id = NEW.award_id;
    IF budgeted <> granted OR planned <> granted THEN
        RAISE EXCEPTION 'award %, budget % and instalments % are not one amount',
            granted, budgeted, planned USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF stands_at <> 'offered' OR NEW.signed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a document is issued unsigned, with an offer'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.digest IS DISTINCT FROM (SELECT sha256 FROM stored_file WHERE id = NEW.file_id) THEN
        RAISE EXCEPTION 'the digest is not that of the document'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

AGREEMENT_STANDS = """
CREATE FUNCTION agreement_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.award_id, OLD.file_id, OLD.digest, OLD.issued_by_id, OLD.issued_at)
        IS DISTINCT FROM
        (NEW.id, NEW.award_id, NEW.file_id, NEW.digest, NEW.issued_by_id, NEW.issued_at)
    THEN
        RAISE EXCEPTION 'the document stands as it was issued'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.signed_at IS NOT NULL AND (OLD.signed_name, OLD.signed_by_id, OLD.signed_at)
        IS DISTINCT FROM (NEW.signed_name, NEW.signed_by_id, NEW.signed_at)
    OR OLD.countersigned_at IS NOT NULL AND (OLD.countersigned_by_id, OLD.countersigned_at)
        IS DISTINCT FROM (NEW.countersigned_by_id, NEW.countersigned_at)
    THEN
        RAISE EXCEPTION 'a signature is never changed or taken back'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

KEPT = """
CREATE FUNCTION award_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'awards and their documents are kept: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

FUNCTIONS = {
    "award_hold": HOLD_AWARD,
    "award_part_is_settled": SETTLED,
    "instalment_stands": INSTALMENT_STANDS,
    "agreement_issue": ISSUE_AGREEMENT,
    "agreement_stands": AGREEMENT_STANDS,
    "award_is_kept": KEPT,
}

TRIGGERS = (
    ("award", "hold", "BEFORE INSERT OR UPDATE", "ROW", "award_hold"),
    ("award", "kept", "BEFORE DELETE", "ROW", "award_is_kept"),
    ("award", "not_emptied", "BEFORE TRUNCATE", "STATEMENT", "award_is_kept"),
    (
        "award_budget_line",
        "settled",
        "BEFORE INSERT OR UPDATE OR DELETE",
        "ROW",
        "award_part_is_settled",
    ),
    ("instalment", "settled", "BEFORE INSERT OR DELETE", "ROW", "award_part_is_settled"),
    ("instalment", "stands", "BEFORE UPDATE", "ROW", "instalment_stands"),
    ("agreement", "issue", "BEFORE INSERT", "ROW", "agreement_issue"),
    ("agreement", "stands", "BEFORE UPDATE", "ROW", "agreement_stands"),
    ("agreement", "kept", "BEFORE DELETE", "ROW", "award_is_kept"),
    ("agreement", "not_emptied", "BEFORE TRUNCATE", "STATEMENT", "award_is_kept"),
)


def upgrade() -> None:
    _award()
    _parts()
    _agreement()
    for body in FUNCTIONS.values():
        op.execute(body)
    for table, name, event, level, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    for table in ("agreement", "instalment", "award_budget_line", "award"):
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
