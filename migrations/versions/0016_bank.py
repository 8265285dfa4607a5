"""The funds' bank accounts, files of payments, and what the bank answered.

An order by the bank leaves in one file, whose bytes are kept first.

Revision ID: 0016_bank
Revises: 0015_card_processor
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_bank"
down_revision = "0015_card_processor"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

ACCOUNT_STANDS = """
CREATE FUNCTION bank_account_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'confirmed_by_id', 'confirmed_at', 'closed_at'];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR (OLD.status, NEW.status) NOT IN (('proposed', 'in_use'), ('proposed', 'closed'),
            ('in_use', 'closed'))
        OR OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.confirmed_by_id)
            IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id)
    THEN
        RAISE EXCEPTION 'an account of a fund is replaced, never edited'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

FILE_STANDS = """
CREATE FUNCTION payment_file_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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

NEW_FUNCTIONS = {"bank_account_stands": ACCOUNT_STANDS, "payment_file_stands": FILE_STANDS}

TRIGGERS = (
    ("bank_account", "stands", "BEFORE UPDATE", "ROW", "bank_account_stands"),
    ("payment_file", "stands", "BEFORE UPDATE", "ROW", "payment_file_stands"),
    ("bank_message", "stands", "BEFORE UPDATE", "ROW", "payment_is_kept"),
    *(
        (table, name, event, level, "payment_is_kept")
        for table in ("bank_account", "payment_file", "bank_message")
        for name, event, level in (
            ("kept", "BEFORE DELETE", "ROW"),
            ("not_emptied", "BEFORE TRUNCATE", "STATEMENT"),
        )
    ),
)

INSTRUCTION = (
    "status NOT IN ('released', 'confirmed', 'rejected', 'returned') "
    "OR rail <> 'agent' OR instruction_id IS NOT NULL"
)
INSTRUCTION_BEFORE = INSTRUCTION.replace("OR rail <> 'agent' ", "")
REFERENCE = (
    "confirmed_at IS NULL OR (agent_reference <> '' AND agent_reference IS NOT NULL "
    "AND paid_on IS NOT NULL AND (confirmed_by_id IS NOT NULL OR rail <> 'agent'))"
)
REFERENCE_BEFORE = REFERENCE.replace(
    "(confirmed_by_id IS NOT NULL OR rail <> 'agent')", "confirmed_by_id IS NOT NULL"
)


def _key(table: str) -> tuple[sa.Column[object], sa.PrimaryKeyConstraint]:
    return sa.Column("id", sa.Uuid(), nullable=False), sa.PrimaryKeyConstraint(
        "id", name=f"pk_{table}"
    )


def _text(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _to(table: str, column: str, target: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.{key}"], name=f"fk_{table}_{column}")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _bank_account() -> None:
    table = "bank_account"
    op.create_table(
        table,
        *_key(table),
        sa.Column("version", sa.Integer(), nullable=False),
        *_text("fund_code", "currency", "holder", "account", "bic", "bank", "country", "town"),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        _to(table, "fund_code", "ledger_book", "fund_code"),
        _to(table, "proposed_by_id", "person"),
        _to(table, "confirmed_by_id", "person"),
        _check(table, "currency_is_iso", "currency ~ '^[A-Z]{3}$'"),
        _check(table, "country_is_iso", "country ~ '^[A-Z]{3}$'"),
        _check(table, "account_is_compact", "account ~ '^[A-Z0-9]{4,34}$'"),
        _check(table, "a_second_person_confirms", "confirmed_by_id <> proposed_by_id"),
        _check(
            table, "confirmed_by_somebody", "(confirmed_by_id IS NULL) = (confirmed_at IS NULL)"
        ),
        _check(table, "in_use_was_confirmed", "status <> 'in_use' OR confirmed_at IS NOT NULL"),
        _check(table, "closed_has_a_time", "(status = 'closed') = (closed_at IS NOT NULL)"),
    )
    for name, columns in (
        ("uq_bank_account_open_per_fund_and_currency", ["fund_code", "currency"]),
        ("uq_bank_account_open_per_account", ["account", "currency"]),
    ):
        op.create_index(
            name,
            table,
            columns,
            unique=True,
            postgresql_where=sa.text("status IN ('proposed', 'in_use')"),
        )


def _payment_file() -> None:
    table = "payment_file"
    op.create_table(
        table,
        *_key(table),
        sa.Column("version", sa.Integer(), nullable=False),
        *_text("message_id", "sha256", "answer"),
        *(
            sa.Column(name, sa.Uuid(), nullable=False)
            for name in ("bank_account_id", "sealing_key_id", "content_id")
        ),
        sa.Column("execute_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        _to(table, "bank_account_id", "bank_account"),
        _to(table, "sealing_key_id", "sealing_key"),
        _to(table, "content_id", "stored_file"),
        sa.UniqueConstraint("message_id", name=f"uq_{table}_message_id"),
        _check(table, "message_id_is_iso_20022", "message_id ~ '^[A-Z0-9-]{1,35}$'"),
        _check(table, "sha256_is_hex", "sha256 ~ '^[0-9a-f]{64}$'"),
        _check(table, "sent_has_a_time", "(status = 'kept') = (sent_at IS NULL)"),
        _check(
            table,
            "answered_has_a_time",
            "status IN ('kept', 'sent') OR answered_at IS NOT NULL",
        ),
    )
    op.create_index("ix_payment_file_status", table, ["status"])


def _bank_message() -> None:
    table = "bank_message"
    op.create_table(
        table,
        *_key(table),
        sa.Column("kind", sa.String(40), nullable=False),
        *_text("message_id", "sha256"),
        sa.Column("sealing_key_id", sa.Uuid(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("received_by_id", sa.Uuid(), nullable=True),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        _to(table, "sealing_key_id", "sealing_key"),
        _to(table, "content_id", "stored_file"),
        _to(table, "received_by_id", "person"),
        sa.UniqueConstraint("sha256", name=f"uq_{table}_sha256"),
        _check(table, "sha256_is_hex", "sha256 ~ '^[0-9a-f]{64}$'"),
    )


def _order_learns() -> None:
    table = "payment_order"
    op.add_column(
        table,
        sa.Column("second_approval", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column(table, "second_approval", server_default=None)
    op.add_column(table, sa.Column("file_id", sa.Uuid(), nullable=True))
    op.add_column(table, sa.Column("accepted_at", MOMENT, nullable=True))
    op.create_foreign_key(f"fk_{table}_file_id", table, "payment_file", ["file_id"], ["id"])
    op.create_index(f"ix_{table}_file_id", table, ["file_id"])
    op.create_check_constraint(
        op.f(f"ck_{table}_only_the_bank_takes_files"), table, "file_id IS NULL OR rail = 'bank'"
    )


def _replace_checks(instruction: str, reference: str) -> None:
    for name, condition in (
        ("released_has_an_instruction", instruction),
        ("confirmed_has_a_reference", reference),
    ):
        full = op.f(f"ck_payment_order_{name}")
        op.drop_constraint(full, "payment_order")
        op.create_check_constraint(full, "payment_order", condition)


def upgrade() -> None:
    _bank_account()
    _payment_file()
    _bank_message()
    _order_learns()
    _replace_checks(INSTRUCTION, REFERENCE)
    for body in NEW_FUNCTIONS.values():
        op.execute(body)
    for table, name, event, level, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    _replace_checks(INSTRUCTION_BEFORE, REFERENCE_BEFORE)
    op.drop_constraint(op.f("ck_payment_order_only_the_bank_takes_files"), "payment_order")
    for column in ("file_id", "accepted_at", "second_approval"):
        op.drop_column("payment_order", column)
    for table in ("bank_message", "payment_file", "bank_account"):
        op.drop_table(table)
    for name in NEW_FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
