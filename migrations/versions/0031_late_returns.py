"""What comes back by card after something rests on it waits in suspense, until finance says more.

Revision ID: 0031_late_returns
Revises: 0030_after_all_in_several
"""

import sqlalchemy as sa
from alembic import op

revision = "0031_late_returns"
down_revision = "0030_after_all_in_several"
branch_labels = None
depends_on = None

TABLE = "late_return"
STANDS = """
CREATE FUNCTION late_return_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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
TRIGGERS = (
    ("stands", "BEFORE UPDATE", "ROW", "late_return_stands"),
    ("kept", "BEFORE DELETE", "ROW", "payment_is_kept"),
    ("not_emptied", "BEFORE TRUNCATE", "STATEMENT", "payment_is_kept"),
)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("came_on", sa.Date(), nullable=False),
        sa.Column("refunded_usd", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("order_id", name=op.f(f"uq_{TABLE}_order_id")),
        sa.UniqueConstraint("transaction_id", name=op.f(f"uq_{TABLE}_transaction_id")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["payment_order.id"], name=op.f(f"fk_{TABLE}_order_id")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f(f"fk_{TABLE}_by_id")),
        sa.CheckConstraint("amount_usd > 0", name=op.f(f"ck_{TABLE}_amount_positive")),
        sa.CheckConstraint(
            "refunded_usd BETWEEN 0 AND amount_usd", name=op.f(f"ck_{TABLE}_refunded_of_it")
        ),
        sa.CheckConstraint(
            "(refunded_usd > 0) = (by_id IS NOT NULL) AND (refunded_usd > 0) = (reason <> '')",
            name=op.f(f"ck_{TABLE}_refunded_by_somebody"),
        ),
    )
    op.execute(STANDS)
    for name, when, each, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {TABLE}_{name} {when} ON {TABLE} "
            f"FOR EACH {each} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION late_return_stands()")
