"""What a mistaken transfer had settled of an agreement is cancelled with the rest of it.

Revision ID: 0032_cancelled_too
Revises: 0031_late_returns
"""

from alembic import op

revision = "0032_cancelled_too"
down_revision = "0031_late_returns"
branch_labels = None
depends_on = None

STANDS = """
CREATE OR REPLACE FUNCTION contribution_agreement_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'donor_id', 'settled', 'cancelled',
        'confirmed_by_id', 'confirmed_at', 'cancelled_by_id', 'cancelled_at', 'remark'];
    still text[] := ARRAY['version', 'donor_id', 'settled', 'cancelled'];
    today date := (NEW.confirmed_at AT TIME ZONE 'UTC')::date;
BEGIN
    IF NEW.ref <> OLD.ref OR NEW.fund_code <> OLD.fund_code THEN
        RAISE EXCEPTION 'an agreement keeps its reference and its fund'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'draft' AND NEW.status = 'draft' THEN
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR NOT donor_moves_by_merging(OLD.donor_id, NEW.donor_id)
        OR OLD.confirmed_at IS NOT NULL AND (OLD.confirmed_by_id, OLD.confirmed_at)
            IS DISTINCT FROM (NEW.confirmed_by_id, NEW.confirmed_at)
        OR OLD.status = 'cancelled' AND ((to_jsonb(NEW) - still) IS DISTINCT FROM
            (to_jsonb(OLD) - still) OR NEW.settled > OLD.settled
            OR NEW.settled + NEW.cancelled <> OLD.settled + OLD.cancelled)
    THEN
        RAISE EXCEPTION 'what was signed stands: another amount is another agreement'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('draft', 'in_force'),
        ('draft', 'cancelled'), ('in_force', 'fulfilled'), ('in_force', 'cancelled'),
        ('fulfilled', 'in_force'))
    THEN
        RAISE EXCEPTION 'an agreement cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'draft' AND NEW.status = 'in_force' AND NOT EXISTS (SELECT FROM role_grant
        WHERE person_id = NEW.confirmed_by_id AND role = 'finance_officer'
        AND COALESCE(fund_code, NEW.fund_code) = NEW.fund_code AND country IS NULL
        AND from_day <= today AND COALESCE(until_day, today) >= today AND ended_at IS NULL)
    THEN
        RAISE EXCEPTION 'a finance officer of the fund confirms an agreement'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

STOOD = """
CREATE OR REPLACE FUNCTION contribution_agreement_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'donor_id', 'settled', 'cancelled',
        'confirmed_by_id', 'confirmed_at', 'cancelled_by_id', 'cancelled_at', 'remark'];
    today date := (NEW.confirmed_at AT TIME ZONE 'UTC')::date;
BEGIN
    IF NEW.ref <> OLD.ref OR NEW.fund_code <> OLD.fund_code THEN
        RAISE EXCEPTION 'an agreement keeps its reference and its fund'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'draft' AND NEW.status = 'draft' THEN
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR NOT donor_moves_by_merging(OLD.donor_id, NEW.donor_id)
        OR OLD.confirmed_at IS NOT NULL AND (OLD.confirmed_by_id, OLD.confirmed_at)
            IS DISTINCT FROM (NEW.confirmed_by_id, NEW.confirmed_at)
        OR OLD.status = 'cancelled' AND (to_jsonb(NEW) - ARRAY['version', 'donor_id'])
            IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['version', 'donor_id'])
    THEN
        RAISE EXCEPTION 'what was signed stands: another amount is another agreement'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('draft', 'in_force'),
        ('draft', 'cancelled'), ('in_force', 'fulfilled'), ('in_force', 'cancelled'),
        ('fulfilled', 'in_force'))
    THEN
        RAISE EXCEPTION 'an agreement cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'draft' AND NEW.status = 'in_force' AND NOT EXISTS (SELECT FROM role_grant
        WHERE person_id = NEW.confirmed_by_id AND role = 'finance_officer'
        AND COALESCE(fund_code, NEW.fund_code) = NEW.fund_code AND country IS NULL
        AND from_day <= today AND COALESCE(until_day, today) >= today AND ended_at IS NULL)
    THEN
        RAISE EXCEPTION 'a finance officer of the fund confirms an agreement'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.execute(STANDS)


def downgrade() -> None:
    op.execute(STOOD)
