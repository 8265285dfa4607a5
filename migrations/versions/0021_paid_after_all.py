"""A payment that the bank refused, or gave back, and debited after all.

It is paid once more, by the signatures that it has, and only where a debit of the bank waits for an
explanation. Each of its two bookings is told by a line of a statement of its own. A line may also
be a debt that was written off.

Revision ID: 0021_paid_after_all
Revises: 0020_amendments
"""

import sqlalchemy as sa
from alembic import op

revision = "0021_paid_after_all"
down_revision = "0020_amendments"
branch_labels = None
depends_on = None

ORDER_STANDS = """
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
        'returned_on', 'remark'];
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
        ('approved', 'cancelled'))
    THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status
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

NAME = "ck_payment_order_only_the_bank_debits_after_all"
TOLD_ONCE = (("paid", "payment"), ("returned", "return"))


def _index(*columns: str) -> None:
    """Let each line that tells of a payment, or of its return, be the only one to tell of it."""
    table = "statement_allocation"
    for name, purpose in TOLD_ONCE:
        op.drop_index(f"uq_{table}_order_{name}_once", table)
        op.create_index(
            f"uq_{table}_order_{name}_once",
            table,
            columns,
            unique=True,
            postgresql_where=sa.text(f"purpose = '{purpose}' AND undone_at IS NULL"),
        )


def _receivables(*purposes: str) -> None:
    """Let lines of these purposes, and no others, be of a grantee's debt."""
    name, table = op.f("ck_statement_allocation_receivables_are_refunded"), "statement_allocation"
    listed = ", ".join(f"'{purpose}'" for purpose in purposes)
    op.drop_constraint(name, table)
    rule = f"(purpose IN ({listed})) = (receivable_id IS NOT NULL)"
    op.create_check_constraint(name, table, rule)


def upgrade() -> None:
    paid = sa.Column("paid_after_all", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("payment_order", paid)
    op.alter_column("payment_order", "paid_after_all", server_default=None)
    op.create_check_constraint(
        op.f(NAME),
        "payment_order",
        "NOT paid_after_all OR rail = 'bank' AND status IN ('confirmed', 'returned')",
    )
    _index("order_id", "booking_ref")
    _receivables("refund", "recovery")
    op.execute(ORDER_STANDS)


def downgrade() -> None:
    op.execute(ORDER_STANDS_BEFORE)
    _receivables("refund")
    _index("order_id")
    op.drop_constraint(op.f(NAME), "payment_order")
    op.drop_column("payment_order", "paid_after_all")
