"""What every feature stands on: the audit chain, sealing keys, stored files, messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_core"
down_revision = "0001_jobs"
branch_labels = None
depends_on = None

NEVER_CHANGES = """
CREATE FUNCTION core_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def upgrade() -> None:
    op.execute(NEVER_CHANGES)
    audit_event()
    sealing_key()
    stored_file()
    outbox_message()


def downgrade() -> None:
    for table in ("outbox_message", "stored_file", "sealing_key", "audit_event"):
        op.drop_table(table)
    op.execute("DROP FUNCTION core_never_changes()")


def moment(name: str, *, empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=empty)


def never_changes(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION core_never_changes()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION core_never_changes()"
    )


def audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        moment("at"),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("from_status", sa.String(), nullable=True),
        sa.Column("to_status", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_event"),
        sa.UniqueConstraint("digest", name="uq_audit_event_digest"),
    )
    op.create_index("ix_audit_event_case_id_number", "audit_event", ["case_id", "number"])
    op.create_index("ix_audit_event_subject_id_number", "audit_event", ["subject_id", "number"])
    never_changes("audit_event")


def sealing_key() -> None:
    op.create_table(
        "sealing_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        moment("created_at"),
        moment("destroyed_at", empty=True),
        sa.PrimaryKeyConstraint("id", name="pk_sealing_key"),
        sa.CheckConstraint(
            "(wrapped IS NULL) = (destroyed_at IS NOT NULL)",
            name="ck_sealing_key_gone_when_destroyed",
        ),
    )


def stored_file() -> None:
    op.create_table(
        "stored_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        moment("created_at"),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_stored_file"),
        sa.CheckConstraint("size_bytes > 0", name="ck_stored_file_not_empty"),
    )
    op.create_index("ix_stored_file_case_id", "stored_file", ["case_id"])


def outbox_message() -> None:
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        moment("created_at"),
        moment("next_attempt_at"),
        moment("sent_at", empty=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_message"),
        sa.UniqueConstraint("key", name="uq_outbox_message_key"),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'kept', 'failed')", name="ck_outbox_message_state"
        ),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)", name="ck_outbox_message_sent_when_sent"
        ),
        sa.CheckConstraint("attempts >= 0", name="ck_outbox_message_attempts"),
    )
    op.create_index(
        "ix_outbox_message_state_next_attempt_at", "outbox_message", ["state", "next_attempt_at"]
    )
