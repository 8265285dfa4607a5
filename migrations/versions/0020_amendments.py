"""Amendments: what an award in force becomes, and the only door by which it changes.

An amendment begins where the award stands, says the whole of what it becomes, and is signed by
three people. Once it is in force, and only to exactly what it says, the award, its budget and the
instalments that were not ordered change; the days of its open reports follow its end. While one
changes the amount nothing is ordered, and while something is ordered the amount stands.

Revision ID: 0020_amendments
Revises: 0019_second_approval
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020_amendments"
down_revision = "0019_second_approval"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PEOPLE = ("asked_by_id", "issued_by_id", "signed_by_id", "countersigned_by_id")
CHECKS = {
    "amount_positive": "amount_usd > 0",
    "micro_grant_ceiling": "NOT micro_grant OR amount_usd <= 500000",
    "digest_is_sha256": "digest ~ '^[0-9a-f]{64}$'",
    "asked_by_somebody": "(asked_at IS NULL) = (asked_by_id IS NULL) "
    "AND (asked_at IS NULL) = (asked_reason = '')",
    "issued_whole": "(issued_at IS NULL) = (issued_by_id IS NULL) "
    "AND (issued_at IS NULL) = (file_id IS NULL) "
    "AND (issued_at IS NULL) = (digest IS NULL) AND (issued_at IS NULL) = (reason = '')",
    "signed_by_somebody": "(signed_at IS NULL) = (signed_by_id IS NULL) "
    "AND (signed_at IS NULL) = (signed_name IS NULL)",
    "countersigned_by_somebody": "(countersigned_at IS NULL) = (countersigned_by_id IS NULL)",
    "as_far_as_its_signatures": "CASE status WHEN 'asked' THEN asked_at IS NOT NULL "
    "AND issued_at IS NULL WHEN 'proposed' THEN issued_at IS NOT NULL AND signed_at IS NULL "
    "WHEN 'accepted' THEN issued_at IS NOT NULL AND signed_at IS NOT NULL "
    "WHEN 'in_force' THEN signed_at IS NOT NULL AND countersigned_at IS NOT NULL "
    "ELSE remark <> '' END AND (status = 'in_force') = (countersigned_at IS NOT NULL) "
    "AND (signed_at IS NULL OR issued_at IS NOT NULL)",
    "three_people": "issued_by_id <> signed_by_id AND issued_by_id <> countersigned_by_id "
    "AND signed_by_id <> countersigned_by_id",
}


def _amendment() -> None:
    op.create_table(
        "amendment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("micro_grant", sa.Boolean(), nullable=False),
        sa.Column("from_amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("from_ends_on", sa.Date(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("budget", postgresql.JSONB(), nullable=False),
        sa.Column("instalments", postgresql.JSONB(), nullable=False),
        sa.Column("asked_reason", sa.String(), nullable=False),
        sa.Column("asked_ends_on", sa.Date(), nullable=True),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", MOMENT, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("issued_by_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", MOMENT, nullable=True),
        sa.Column("signed_name", sa.String(), nullable=True),
        sa.Column("signed_by_id", sa.Uuid(), nullable=True),
        sa.Column("signed_at", MOMENT, nullable=True),
        sa.Column("countersigned_by_id", sa.Uuid(), nullable=True),
        sa.Column("countersigned_at", MOMENT, nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_amendment"),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name="fk_amendment_award_id"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_amendment_file_id"),
        *(
            sa.ForeignKeyConstraint([who], ["person.id"], name=f"fk_amendment_{who}")
            for who in PEOPLE
        ),
        sa.UniqueConstraint("award_id", "number", name="uq_amendment_award_id_number"),
        *(sa.CheckConstraint(sql, name=f"ck_amendment_{name}") for name, sql in CHECKS.items()),
    )
    op.create_index(
        "uq_amendment_open",
        "amendment",
        ["award_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('asked', 'proposed', 'accepted')"),
    )


AWARD_HOLD = """
CREATE OR REPLACE FUNCTION award_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    profile jsonb;
    ceiling bigint;
    decided bigint;
{declared}BEGIN
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
{stands}    ELSIF NEW.status <> OLD.status THEN
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
"""The trigger of 0008, with what stands of an award in force left open."""

STOOD = """
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
"""

STANDS = """
    ELSIF (OLD.ref, OLD.application_id, OLD.micro_grant, OLD.decided_by_id, OLD.offered_at)
        IS DISTINCT FROM (NEW.ref, NEW.application_id, NEW.micro_grant, NEW.decided_by_id,
           NEW.offered_at)
    THEN
        RAISE EXCEPTION 'whose award it is, is settled'
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF OLD.status <> 'offered' AND (OLD.starts_on, OLD.paying_agent)
        IS DISTINCT FROM (NEW.starts_on, NEW.paying_agent)
    THEN
        RAISE EXCEPTION 'the award is %: its days and its paying agent stand still', OLD.status
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF OLD.amount_usd <> NEW.amount_usd OR OLD.status <> 'offered' AND OLD.ends_on <> NEW.ends_on
    THEN
        SELECT * INTO amended FROM amendment WHERE award_id = NEW.id AND status = 'in_force'
            ORDER BY number DESC LIMIT 1;
        IF (amended.from_amount_usd, amended.from_ends_on, amended.amount_usd, amended.ends_on,
            'active', 'active') IS DISTINCT FROM
            (OLD.amount_usd, OLD.ends_on, NEW.amount_usd, NEW.ends_on, OLD.status, NEW.status)
        THEN
            RAISE EXCEPTION 'how much the award is, and until when, is settled'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
"""

PART_SETTLED = """
CREATE OR REPLACE FUNCTION award_part_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.award_id ELSE NEW.award_id END;
    said jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    stands_at text;
    issued boolean;
BEGIN
    SELECT status, EXISTS (SELECT FROM agreement WHERE award_id = award.id)
        INTO stands_at, issued FROM award WHERE award.id = whose FOR SHARE;
    IF (issued OR stands_at <> 'offered'){unless} THEN
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

UNLESS_AMENDED = """ AND NOT EXISTS (
        SELECT FROM (SELECT * FROM amendment WHERE award_id = whose AND status = 'in_force'
            ORDER BY number DESC LIMIT 1) AS amended
        CROSS JOIN jsonb_array_elements(CASE TG_TABLE_NAME
            WHEN 'instalment' THEN amended.instalments ELSE amended.budget END) AS term
        WHERE said @> CASE TG_TABLE_NAME WHEN 'instalment' THEN jsonb_build_object(
            'number', term->'number', 'planned_usd', term->'usd', 'paid_usd', 0,
            'status', 'planned') ELSE jsonb_build_object('position', term->'position', 'category',
            term->'category', 'description', term->'description', 'amount_usd', term->'usd') END)"""

INSTALMENT_STANDS = """
CREATE OR REPLACE FUNCTION instalment_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'status' - 'paid_usd' - 'version'{amount}) IS DISTINCT FROM
        (to_jsonb(OLD) - 'status' - 'paid_usd' - 'version'{amount})
    THEN
        RAISE EXCEPTION 'what was planned to be paid stands still'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;{unless}
    RETURN NEW;
END $$
"""

UNLESS_REPLANNED = """
    IF NEW.planned_usd <> OLD.planned_usd
        AND (OLD.status <> 'planned' OR NEW.status <> 'planned' OR NOT EXISTS (
            SELECT FROM (SELECT * FROM amendment WHERE award_id = NEW.award_id
                AND status = 'in_force' ORDER BY number DESC LIMIT 1) AS amended
            CROSS JOIN jsonb_array_elements(amended.instalments) AS term
            WHERE term @> jsonb_build_object('number', NEW.number, 'usd', NEW.planned_usd)))
    THEN
        RAISE EXCEPTION 'what was planned to be paid stands, unless it was amended'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;"""

HOLD = """
CREATE FUNCTION amendment_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    granted award%ROWTYPE;
    ceiling bigint;
    by_agreement boolean;
    signing text[] := ARRAY['version', 'status', 'signed_name', 'signed_by_id', 'signed_at',
        'countersigned_by_id', 'countersigned_at', 'remark'];
    asking text[] := signing || ARRAY['amount_usd', 'ends_on', 'budget', 'instalments', 'reason',
        'file_id', 'digest', 'issued_by_id', 'issued_at'];
BEGIN
    SELECT * INTO granted FROM award WHERE id = NEW.award_id FOR UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('asked', 'proposed') OR NEW.number <> (
            SELECT COALESCE(MAX(number), 0) + 1 FROM amendment WHERE award_id = NEW.award_id)
        THEN
            RAISE EXCEPTION 'an amendment begins unsigned, under the next number'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSE
        IF (OLD.status, NEW.status) NOT IN (('asked', 'proposed'), ('proposed', 'accepted'),
            ('accepted', 'in_force'), ('asked', 'declined'), ('proposed', 'declined'),
            ('accepted', 'declined'), ('asked', 'withdrawn'), ('proposed', 'withdrawn'),
            ('accepted', 'withdrawn'))
        THEN
            RAISE EXCEPTION 'an amendment cannot go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF (NEW.status = 'proposed' AND (to_jsonb(NEW) - asking) IS DISTINCT FROM
                (to_jsonb(OLD) - asking))
            OR (NEW.status <> 'proposed' AND (to_jsonb(NEW) - signing) IS DISTINCT FROM
                (to_jsonb(OLD) - signing))
            OR OLD.signed_at IS NOT NULL AND (OLD.signed_name, OLD.signed_by_id, OLD.signed_at)
            IS DISTINCT FROM (NEW.signed_name, NEW.signed_by_id, NEW.signed_at)
            OR NEW.status <> 'accepted' AND OLD.signed_at IS NULL AND NEW.signed_at IS NOT NULL
        THEN
            RAISE EXCEPTION 'the text stands as it was issued, and so does each signature'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    IF NEW.status IN ('declined', 'withdrawn') THEN
        RETURN NEW;
    END IF;
    SELECT LEAST(call.ceiling_usd,
            (profile_version.content#>>'{budget,ceiling_usd_minor}')::bigint),
           profile_version.content#>'{process,countersigned}' = 'true'::jsonb
        INTO ceiling, by_agreement
        FROM application JOIN call ON call.id = application.call_id
        JOIN profile_version ON profile_version.id = call.profile_version_id
        WHERE application.id = granted.application_id;
    IF granted.status <> 'active' OR by_agreement IS NOT TRUE
        OR (NEW.micro_grant, NEW.from_amount_usd, NEW.from_ends_on) IS DISTINCT FROM
        (granted.micro_grant, granted.amount_usd, granted.ends_on)
    THEN
        RAISE EXCEPTION 'an amendment begins where an award in force stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.amount_usd > ceiling OR NEW.ends_on < granted.starts_on THEN
        RAISE EXCEPTION 'award % is amended within its ceiling and its days', granted.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'asked' THEN
        RETURN NEW;
    END IF;
    IF NEW.amount_usd IS DISTINCT FROM (SELECT SUM((term->>'usd')::bigint)
            FROM jsonb_array_elements(NEW.budget) AS term)
        OR NEW.amount_usd IS DISTINCT FROM (SELECT SUM((term->>'usd')::bigint)
            FROM jsonb_array_elements(NEW.instalments) AS term)
        OR NEW.digest IS DISTINCT FROM (SELECT sha256 FROM stored_file WHERE id = NEW.file_id)
    THEN
        RAISE EXCEPTION 'amount, budget, instalments and text of an amendment are one'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.amount_usd <> NEW.from_amount_usd AND EXISTS (
        SELECT FROM instalment WHERE award_id = NEW.award_id AND status = 'ordered')
    THEN
        RAISE EXCEPTION 'a payment of award % is under way: its amount stands', granted.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

APPLIED = """
CREATE FUNCTION amendment_is_applied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM amendment WHERE award_id = NEW.award_id AND status = 'in_force'
        AND number > NEW.number)
    THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM award WHERE id = NEW.award_id
            AND amount_usd = NEW.amount_usd AND ends_on = NEW.ends_on)
        OR EXISTS (SELECT FROM jsonb_array_elements(NEW.budget) AS term
            FULL JOIN (SELECT * FROM award_budget_line WHERE award_id = NEW.award_id) AS line
            ON line.position = (term->>'position')::integer
            WHERE line.amount_usd IS DISTINCT FROM (term->>'usd')::bigint)
        OR EXISTS (SELECT FROM jsonb_array_elements(NEW.instalments) AS term
            FULL JOIN (SELECT * FROM instalment WHERE award_id = NEW.award_id) AS part
            ON part.number = (term->>'number')::integer
            WHERE part.planned_usd IS DISTINCT FROM (term->>'usd')::bigint)
    THEN
        RAISE EXCEPTION 'an amendment in force is what its award became'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

ORDER_WAITS = """
CREATE FUNCTION payment_order_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM amendment JOIN instalment ON instalment.award_id = amendment.award_id
        WHERE instalment.id = NEW.instalment_id AND amendment.status IN ('proposed', 'accepted')
        AND amendment.amount_usd <> amendment.from_amount_usd)
    THEN
        RAISE EXCEPTION 'an amendment of the amount is open: nothing is ordered'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

DAYS_FOLLOW = """
CREATE FUNCTION report_days_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE report SET due_on = due_on + (NEW.ends_on - OLD.ends_on)
        WHERE award_id = NEW.id AND status IN ('due', 'returned') AND EXISTS (
            SELECT FROM application JOIN call ON call.id = application.call_id
            JOIN profile_version ON profile_version.id = call.profile_version_id
            WHERE application.id = NEW.application_id AND jsonb_path_exists(profile_version.content,
                '$.reports[*] ? (@.key == $key && @.due_from != "agreement")',
                jsonb_build_object('key', report.key)));
    RETURN NULL;
END $$
"""

FUNCTIONS = {
    "amendment_hold": HOLD,
    "amendment_is_applied": APPLIED,
    "payment_order_waits": ORDER_WAITS,
    "report_days_follow": DAYS_FOLLOW,
}

TRIGGERS = (
    ("amendment_hold BEFORE INSERT OR UPDATE ON amendment", "ROW", "amendment_hold"),
    ("amendment_kept BEFORE DELETE ON amendment", "ROW", "award_is_kept"),
    ("amendment_not_emptied BEFORE TRUNCATE ON amendment", "STATEMENT", "award_is_kept"),
    ("payment_order_waits BEFORE INSERT ON payment_order", "ROW", "payment_order_waits"),
    ("award_report_days AFTER UPDATE OF ends_on ON award", "ROW", "report_days_follow"),
)


def _stand(*, amended: bool) -> None:
    """Hold awards, their budgets and instalments, with the door for amendments or without."""
    declared = "    amended amendment%ROWTYPE;\n" if amended else ""
    hold = AWARD_HOLD.replace("{declared}", declared)
    op.execute(hold.replace("{stands}", STANDS if amended else STOOD))
    op.execute(PART_SETTLED.replace("{unless}", UNLESS_AMENDED if amended else ""))
    op.execute(
        INSTALMENT_STANDS.replace("{amount}", " - 'planned_usd'" if amended else "").replace(
            "{unless}", UNLESS_REPLANNED if amended else ""
        )
    )


def upgrade() -> None:
    _amendment()
    _stand(amended=True)
    for body in FUNCTIONS.values():
        op.execute(body)
    for trigger, level, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger} FOR EACH {level} EXECUTE FUNCTION {function}()")
    op.execute(
        "CREATE CONSTRAINT TRIGGER amendment_is_applied AFTER UPDATE ON amendment "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'in_force') "
        "EXECUTE FUNCTION amendment_is_applied()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER award_report_days ON award")
    op.execute("DROP TRIGGER payment_order_waits ON payment_order")
    op.drop_table("amendment")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
    _stand(amended=False)
