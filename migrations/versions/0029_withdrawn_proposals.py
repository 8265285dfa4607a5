"""What a first person said to be a payment that came back can be withdrawn, and be said anew.

Revision ID: 0029_withdrawn_proposals
Revises: 0028_withdrawn_files
"""

import sqlalchemy as sa
from alembic import op

revision = "0029_withdrawn_proposals"
down_revision = "0028_withdrawn_files"
branch_labels = None
depends_on = None

TABLE = "return_proposal"
STANDS = """
CREATE FUNCTION return_proposal_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    withdrawing text[] := ARRAY['withdrawn_by_id', 'withdrawn_at', 'withdrawn_reason'];
BEGIN
    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
        OR (to_jsonb(NEW) - withdrawing) IS DISTINCT FROM (to_jsonb(OLD) - withdrawing)
    THEN
        RAISE EXCEPTION 'what somebody said of a line stands: it is withdrawn once, never changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""
SAID = ("line_id", "order_id", "amount", "by_id")
ONCE = f"uq_{TABLE}_{'_'.join(SAID)}"
WITHDRAWN = f"ck_{TABLE}_withdrawn_by_somebody"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True))
    op.add_column(TABLE, sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        TABLE, sa.Column("withdrawn_reason", sa.String(), nullable=False, server_default="")
    )
    op.alter_column(TABLE, "withdrawn_reason", server_default=None)
    op.create_foreign_key(
        op.f(f"fk_{TABLE}_withdrawn_by_id"), TABLE, "person", ["withdrawn_by_id"], ["id"]
    )
    op.create_check_constraint(
        op.f(WITHDRAWN),
        TABLE,
        "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL) "
        "AND (withdrawn_at IS NULL) = (withdrawn_reason = '')",
    )
    op.drop_constraint(op.f(ONCE), TABLE)
    op.create_index(
        op.f(ONCE), TABLE, SAID, unique=True, postgresql_where=sa.text("withdrawn_at IS NULL")
    )
    op.execute(f"DROP TRIGGER {TABLE}_unchanged ON {TABLE}")
    op.execute(STANDS)
    op.execute(
        f"CREATE TRIGGER {TABLE}_stands BEFORE UPDATE ON {TABLE} "
        f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_stands()"
    )


def downgrade() -> None:
    op.execute(f"DROP TRIGGER {TABLE}_stands ON {TABLE}")
    op.execute(f"DROP FUNCTION {TABLE}_stands()")
    op.execute(
        f"CREATE TRIGGER {TABLE}_unchanged BEFORE UPDATE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION payment_is_kept()"
    )
    op.drop_index(op.f(ONCE), TABLE)
    op.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
    op.execute(f"DELETE FROM {TABLE} WHERE withdrawn_at IS NOT NULL")  # else they count again
    op.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER USER")
    op.create_unique_constraint(op.f(ONCE), TABLE, SAID)
    op.drop_constraint(op.f(WITHDRAWN), TABLE)
    op.drop_column(TABLE, "withdrawn_reason")
    op.drop_column(TABLE, "withdrawn_at")
    op.drop_column(TABLE, "withdrawn_by_id")
