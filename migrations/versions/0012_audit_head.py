"""The head of the audit chain: how many events there are, and the digest of the last.

Deleting the end of the chain leaves a shorter chain that fits; the head says where it ended.

Revision ID: 0012_audit_head
Revises: 0011_four_eyes
"""

import sqlalchemy as sa
from alembic import op

revision = "0012_audit_head"
down_revision = "0011_four_eyes"
branch_labels = None
depends_on = None

MOVES = """
CREATE FUNCTION audit_head_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE audit_head SET count = count + 1, number = NEW.number, digest = NEW.digest;
    RETURN NULL;
END $$
"""

FOLLOWS = """
CREATE FUNCTION audit_head_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 OR NEW.count <> OLD.count + 1 OR NEW.number <= OLD.number
        OR NOT EXISTS (SELECT FROM audit_event WHERE number = NEW.number AND digest = NEW.digest)
    THEN
        RAISE EXCEPTION 'the head of the audit chain moves with the next event only'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

TRIGGERS = (
    ("audit_head", "follows", "BEFORE UPDATE", "ROW", "audit_head_follows"),
    ("audit_head", "never_changes", "BEFORE INSERT OR DELETE", "ROW", "core_never_changes"),
    ("audit_head", "never_emptied", "BEFORE TRUNCATE", "STATEMENT", "core_never_changes"),
    ("audit_event", "moves_head", "AFTER INSERT", "ROW", "audit_head_moves"),
)
"""They run for a replica too, so that they are not switched off in passing."""


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_audit_head"),
        sa.CheckConstraint("one", name="ck_audit_head_one_row"),
    )
    op.execute("LOCK TABLE audit_event IN SHARE ROW EXCLUSIVE MODE")
    op.execute(
        "INSERT INTO audit_head (one, count, number, digest) SELECT true, count(*), "
        "coalesce(max(number), 0), coalesce((SELECT digest FROM audit_event "
        "ORDER BY number DESC LIMIT 1), repeat('0', 64)) FROM audit_event"
    )
    op.execute(MOVES)
    op.execute(FOLLOWS)
    for table, name, event, level, function in TRIGGERS:
        trigger = f"{table}_{name}"
        op.execute(
            f"CREATE TRIGGER {trigger} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_event_moves_head ON audit_event")
    op.drop_table("audit_head")
    op.execute("DROP FUNCTION audit_head_moves()")
    op.execute("DROP FUNCTION audit_head_follows()")
