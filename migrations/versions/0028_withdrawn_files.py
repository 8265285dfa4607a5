"""A payment file that has not begun to leave can be withdrawn, and its payments enter another one.

Revision ID: 0028_withdrawn_files
Revises: 0027_two_say_it_came_back
"""

import sqlalchemy as sa
from alembic import op

revision = "0028_withdrawn_files"
down_revision = "0027_two_say_it_came_back"
branch_labels = None
depends_on = None

TABLE = "payment_file"

FILE_STANDS_BEFORE = """
CREATE OR REPLACE FUNCTION payment_file_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'sent_at', 'answered_at', 'answer'];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR OLD.status <> 'kept' AND NEW.status = 'kept'
        OR OLD.sent_at IS NOT NULL AND NEW.sent_at IS DISTINCT FROM OLD.sent_at
    THEN
        RAISE EXCEPTION 'a file of payments is what it was when it was written'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

FILE_STANDS = FILE_STANDS_BEFORE.replace("'status', 'sent_at'", "'status', 'leaving_at', 'sent_at'")
FILE_STANDS = FILE_STANDS.replace(
    """
    THEN""",
    """
        OR OLD.leaving_at IS NOT NULL AND NEW.leaving_at IS DISTINCT FROM OLD.leaving_at
        OR OLD.status = 'withdrawn' AND NEW.status <> 'withdrawn'
        OR NEW.status = 'withdrawn' AND OLD.status NOT IN ('kept', 'withdrawn')
    THEN""",
)

ORDER_STANDS_BEFORE = """
CREATE OR REPLACE FUNCTION payment_order_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    again text[] := CASE WHEN NEW.second_approval THEN ARRAY['approve_again'] END;
    wanted text[] := CASE NEW.status WHEN 'certified' THEN ARRAY['certify']
        WHEN 'approved_once' THEN ARRAY['approve', 'certify']
        WHEN 'approved' THEN again || ARRAY['approve', 'certify']
        WHEN 'released' THEN again || ARRAY['approve', 'certify', 'release'] END;
    signed text[];
    moving text[] := ARRAY['version', 'status', 'instruction_id', 'file_id', 'accepted_at',
        'agent_reference', 'paid_on',
        'confirmed_by_id', 'confirmed_at', 'acknowledged_by_id', 'acknowledged_at',
        'returned_on', 'remark', 'paid_after_all'];
    acknowledging text[] := ARRAY['version', 'acknowledged_by_id', 'acknowledged_at', 'file_id',
        'accepted_at'];
    granted award%ROWTYPE;
    paid bigint;
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) THEN
        RAISE EXCEPTION 'what was signed stands: another amount or payee is another order'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = OLD.status THEN
        IF (to_jsonb(NEW) - acknowledging) IS DISTINCT FROM (to_jsonb(OLD) - acknowledging)
            OR OLD.acknowledged_at IS NOT NULL AND (NEW.acknowledged_at, NEW.acknowledged_by_id)
            IS DISTINCT FROM (OLD.acknowledged_at, OLD.acknowledged_by_id)
            OR (NEW.file_id, NEW.accepted_at) IS DISTINCT FROM (OLD.file_id, OLD.accepted_at)
            AND (OLD.status <> 'released' OR NEW.file_id IS NULL
                OR OLD.file_id IS NOT NULL AND NEW.file_id <> OLD.file_id
                OR OLD.accepted_at IS NOT NULL)
        THEN
            RAISE EXCEPTION 'the order is %: it stands still', OLD.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('prepared', 'certified'), ('certified', 'approved'),
        ('certified', 'approved_once'), ('approved_once', 'approved'),
        ('approved_once', 'cancelled'), ('approved', 'released'),
        ('released', 'confirmed'), ('released', 'rejected'),
        ('confirmed', 'returned'), ('prepared', 'cancelled'), ('certified', 'cancelled'),
        ('approved', 'cancelled'), ('rejected', 'confirmed'), ('returned', 'confirmed'))
    THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.status IN ('rejected', 'returned')) <> (NEW.paid_after_all AND NOT OLD.paid_after_all)
        OR OLD.paid_after_all AND NOT NEW.paid_after_all
        OR OLD.status IN ('rejected', 'returned') AND NOT EXISTS (SELECT FROM statement_line l
            JOIN payment_file f ON f.id = NEW.file_id AND f.bank_account_id = l.bank_account_id
            WHERE l.status = 'suspense' AND l.amount <= -NEW.amount AND l.currency = NEW.currency)
    THEN
        RAISE EXCEPTION 'a payment that was given up is paid once, where the bank debited it'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.file_id, NEW.accepted_at) IS DISTINCT FROM (OLD.file_id, OLD.accepted_at) THEN
        RAISE EXCEPTION 'a payment that moves stays in its file'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'certified' AND NEW.status <> 'cancelled'
        AND NEW.second_approval <> (NEW.status = 'approved_once')
    THEN
        RAISE EXCEPTION 'this payment takes another number of approvals'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT array_agg(step ORDER BY step) INTO signed FROM payment_approval
        WHERE order_id = NEW.id AND digest = NEW.digest;
    IF wanted IS NOT NULL AND signed IS DISTINCT FROM
        (SELECT array_agg(step ORDER BY step) FROM unnest(wanted) AS step)
    THEN
        RAISE EXCEPTION 'a signature is missing: an order is not % without it', NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.instruction_id IS DISTINCT FROM OLD.instruction_id AND NEW.status <> 'released')
        OR ((NEW.agent_reference, NEW.paid_on, NEW.confirmed_by_id, NEW.confirmed_at)
            IS DISTINCT FROM
            (OLD.agent_reference, OLD.paid_on, OLD.confirmed_by_id, OLD.confirmed_at)
            AND NEW.status <> 'confirmed')
    THEN
        RAISE EXCEPTION 'what became of an order stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'confirmed' THEN
        IF EXISTS (SELECT FROM payment_approval
            WHERE order_id = NEW.id AND person_id = NEW.confirmed_by_id)
        THEN
            RAISE EXCEPTION 'who signed a payment does not confirm it'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT award.* INTO granted FROM award JOIN instalment ON instalment.award_id = award.id
            WHERE instalment.id = NEW.instalment_id FOR UPDATE OF award;
        SELECT COALESCE(SUM(amount_usd), 0) + NEW.amount_usd INTO paid
            FROM payment_order JOIN instalment ON instalment.id = payment_order.instalment_id
            WHERE instalment.award_id = granted.id AND payment_order.status = 'confirmed';
        IF paid > granted.amount_usd OR granted.micro_grant AND paid > 500000 THEN
            RAISE EXCEPTION '% US cents paid are above the award', paid
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

STAYS = "AND (OLD.status <> 'released' OR NEW.file_id IS NULL"
"""What a payment in a file could not do at all: leave it."""

COMES_OUT = """AND (OLD.status <> 'released' OR NEW.file_id IS NULL AND NOT EXISTS
                    (SELECT FROM payment_file WHERE id = OLD.file_id AND status = 'withdrawn')"""

ORDER_STANDS = ORDER_STANDS_BEFORE.replace(STAYS, COMES_OUT)


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("leaving_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("ALTER TABLE payment_file DISABLE TRIGGER payment_file_stands")
    op.execute("UPDATE payment_file SET leaving_at = coalesce(sent_at, made_at)")
    op.execute("ALTER TABLE payment_file ENABLE TRIGGER payment_file_stands")
    _constraints(
        sent="(status IN ('kept', 'withdrawn')) = (sent_at IS NULL)",
        answered="status IN ('kept', 'sent', 'withdrawn') OR answered_at IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_payment_file_what_left_was_leaving"),
        TABLE,
        "status = 'kept' OR (status = 'withdrawn') = (leaving_at IS NULL)",
    )
    op.execute(FILE_STANDS)
    op.execute(ORDER_STANDS)


def downgrade() -> None:
    op.execute(ORDER_STANDS_BEFORE)
    op.execute(FILE_STANDS_BEFORE)
    op.drop_constraint(op.f("ck_payment_file_what_left_was_leaving"), TABLE)
    op.execute("ALTER TABLE payment_file DISABLE TRIGGER payment_file_kept")
    op.execute("DELETE FROM payment_file WHERE status = 'withdrawn'")
    op.execute("ALTER TABLE payment_file ENABLE TRIGGER payment_file_kept")
    _constraints(
        sent="(status = 'kept') = (sent_at IS NULL)",
        answered="status IN ('kept', 'sent') OR answered_at IS NOT NULL",
    )
    op.drop_column(TABLE, "leaving_at")


def _constraints(*, sent: str, answered: str) -> None:
    for name, condition in (("sent_has_a_time", sent), ("answered_has_a_time", answered)):
        op.drop_constraint(op.f(f"ck_{TABLE}_{name}"), TABLE)
        op.create_check_constraint(op.f(f"ck_{TABLE}_{name}"), TABLE, condition)
