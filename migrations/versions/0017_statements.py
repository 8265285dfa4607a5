"""Bank statements, their lines, and what each was booked as.

What the bank said never changes; a statement goes on where the one before it ended, and its lines
sum to what it moved; a line is booked once, to the cent, and undone only by an act of record.

Revision ID: 0017_statements
Revises: 0016_bank
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017_statements"
down_revision = "0016_bank"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

CONTINUES = """
CREATE FUNCTION statement_continues() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before statement%ROWTYPE;
BEGIN
    NEW.xact := pg_current_xact_id()::text::bigint;
    PERFORM FROM bank_account WHERE id = NEW.bank_account_id FOR UPDATE;
    IF NEW.previous_id IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO before FROM statement WHERE id = NEW.previous_id;
    IF before.bank_account_id <> NEW.bank_account_id OR before.closing <> NEW.opening
        OR before.to_on > NEW.from_on
    THEN
        RAISE EXCEPTION 'statement % does not go on where the one before it ended', NEW.statement_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

SUMS = """
CREATE FUNCTION statement_sums() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whole statement%ROWTYPE;
    moved numeric;
    found bigint;
BEGIN
    SELECT * INTO whole FROM statement WHERE id = NEW.id;
    SELECT COALESCE(SUM(amount), 0), COUNT(*) INTO moved, found
        FROM statement_line WHERE statement_id = NEW.id;
    IF whole.opening + moved <> whole.closing OR found <> whole.line_count THEN
        RAISE EXCEPTION 'statement %: % lines of % do not lead from % to %', whole.statement_id,
            found, moved, whole.opening, whole.closing
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

UNCHANGED = """
CREATE FUNCTION statement_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'line_count') IS DISTINCT FROM (to_jsonb(OLD) - 'line_count')
        OR OLD.xact <> pg_current_xact_id()::text::bigint
    THEN
        RAISE EXCEPTION 'what the bank said stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

ENTERS = """
CREATE FUNCTION statement_lines_enter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM entered e JOIN statement s ON s.id = e.statement_id
        JOIN bank_account a ON a.id = s.bank_account_id
        WHERE s.xact <> pg_current_xact_id()::text::bigint OR e.status <> 'waiting'
        OR e.bank_account_id <> a.id OR e.currency <> a.currency)
    THEN
        RAISE EXCEPTION 'lines come with their statement, of its account, and are not booked yet'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

STANDS = """
CREATE FUNCTION statement_line_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found text[] := ARRAY['version', 'status', 'purpose', 'order_id', 'receivable_id',
        'target_ref', 'note'];
BEGIN
    IF (to_jsonb(NEW) - found) IS DISTINCT FROM (to_jsonb(OLD) - found) THEN
        RAISE EXCEPTION 'what the bank said stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('waiting', 'booked'),
        ('waiting', 'suspense'), ('suspense', 'booked'), ('booked', 'suspense'))
    THEN
        RAISE EXCEPTION 'a line cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

ALLOCATED = """
CREATE FUNCTION statement_allocation_enter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whole bigint;
    taken numeric;
BEGIN
    SELECT amount INTO whole FROM statement_line WHERE id = NEW.line_id FOR UPDATE;
    SELECT COALESCE(SUM(amount), 0) INTO taken FROM statement_allocation
        WHERE line_id = NEW.line_id AND undone_at IS NULL AND purpose <> 'send_back';
    IF NEW.undone_at IS NOT NULL OR sign(NEW.amount) <> sign(whole)
        OR NEW.purpose <> 'send_back' AND abs(taken + NEW.amount) > abs(whole)
    THEN
        RAISE EXCEPTION 'a line of % is booked once: % are taken, % more is too much', whole, taken,
            NEW.amount USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

KEPT_ALLOCATION = """
CREATE FUNCTION statement_allocation_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    undoing text[] := ARRAY['undone_by_id', 'undone_at', 'undone_reason'];
BEGIN
    IF OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL
        OR (to_jsonb(NEW) - undoing) IS DISTINCT FROM (to_jsonb(OLD) - undoing)
    THEN
        RAISE EXCEPTION 'what a line was booked as is undone once, never changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

COVERED = """
CREATE FUNCTION statement_line_is_covered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line statement_line%ROWTYPE;
    taken numeric;
    live bigint;
BEGIN
    IF TG_TABLE_NAME = 'statement_line' THEN
        SELECT * INTO line FROM statement_line WHERE id = NEW.id;
    ELSE
        SELECT * INTO line FROM statement_line WHERE id = NEW.line_id;
    END IF;
    SELECT COALESCE(SUM(amount) FILTER (WHERE purpose <> 'send_back'), 0), COUNT(*)
        INTO taken, live FROM statement_allocation
        WHERE line_id = line.id AND undone_at IS NULL;
    IF (line.status = 'booked') <> (taken = line.amount) OR line.status = 'waiting' AND live > 0
    THEN
        RAISE EXCEPTION 'line % of % is %, but % of it is booked', line.reference, line.amount,
            line.status, taken USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

FUNCTIONS = {
    "statement_continues": CONTINUES,
    "statement_sums": SUMS,
    "statement_stands": UNCHANGED,
    "statement_lines_enter": ENTERS,
    "statement_line_stands": STANDS,
    "statement_allocation_enter": ALLOCATED,
    "statement_allocation_stands": KEPT_ALLOCATION,
    "statement_line_is_covered": COVERED,
}

TABLES = (
    "statement_allocation",
    "statement_line",
    "statement",
    "statement_file_part",
    "statement_file",
)

TRIGGERS = (
    ("statement", "continues", "BEFORE INSERT", "ROW", "statement_continues"),
    ("statement", "stands", "BEFORE UPDATE", "ROW", "statement_stands"),
    ("statement_line", "stands", "BEFORE UPDATE", "ROW", "statement_line_stands"),
    ("statement_allocation", "enter", "BEFORE INSERT", "ROW", "statement_allocation_enter"),
    ("statement_allocation", "stands", "BEFORE UPDATE", "ROW", "statement_allocation_stands"),
    *(
        (table, "unchanged", "BEFORE UPDATE", "ROW", "payment_is_kept")
        for table in ("statement_file", "statement_file_part")
    ),
    *((table, "kept", "BEFORE DELETE", "ROW", "payment_is_kept") for table in TABLES),
    *(
        (table, "not_emptied", "BEFORE TRUNCATE", "STATEMENT", "payment_is_kept")
        for table in TABLES
    ),
)

DEFERRED = (
    ("statement", "sums", "INSERT", "statement_sums"),
    ("statement_line", "is_covered", "UPDATE OF status", "statement_line_is_covered"),
    ("statement_allocation", "is_covered", "INSERT OR UPDATE", "statement_line_is_covered"),
)


def _id(table: str) -> tuple[sa.Column[object], sa.PrimaryKeyConstraint]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _points_at(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=f"ck_{table}_{name}")


def _columns(
    kind: sa.types.TypeEngine[object], *names: str, optional: bool = False
) -> list[object]:
    return [sa.Column(name, kind, nullable=optional) for name in names]


def _files() -> None:
    table = "statement_file"
    op.create_table(
        table,
        *_id(table),
        *_columns(sa.String(), "sha256"),
        *_columns(sa.BigInteger(), "size_bytes"),
        *_columns(sa.Uuid(), "sealing_key_id"),
        *_columns(MOMENT, "imported_at"),
        *_columns(sa.Uuid(), "imported_by_id", optional=True),
        _points_at(table, "sealing_key_id", "sealing_key"),
        _points_at(table, "imported_by_id", "person"),
        sa.UniqueConstraint("sha256", name=f"uq_{table}_sha256"),
        _check(table, "sha256_is_hex", "sha256 ~ '^[0-9a-f]{64}$'"),
        _check(table, "not_empty", "size_bytes > 0"),
    )
    table = "statement_file_part"
    op.create_table(
        table,
        *_columns(sa.Uuid(), "file_id"),
        *_columns(sa.Integer(), "number"),
        *_columns(sa.LargeBinary(), "sealed"),
        sa.PrimaryKeyConstraint("file_id", "number", name=f"pk_{table}"),
        _points_at(table, "file_id", "statement_file"),
    )


def _statement() -> None:
    table = "statement"
    op.create_table(
        table,
        *_id(table),
        *_columns(sa.Uuid(), "bank_account_id", "file_id"),
        *_columns(sa.String(), "statement_id", "message_id"),
        *_columns(sa.Integer(), "sequence", optional=True),
        *_columns(sa.BigInteger(), "opening", "closing"),
        *_columns(sa.Date(), "from_on", "to_on"),
        *_columns(sa.Integer(), "line_count"),
        *_columns(sa.Uuid(), "previous_id", optional=True),
        *_columns(MOMENT, "imported_at"),
        *_columns(sa.Uuid(), "imported_by_id", optional=True),
        *_columns(sa.BigInteger(), "xact"),
        _points_at(table, "bank_account_id", "bank_account"),
        _points_at(table, "file_id", "statement_file"),
        _points_at(table, "previous_id", "statement"),
        _points_at(table, "imported_by_id", "person"),
        sa.UniqueConstraint(
            "bank_account_id", "statement_id", name=f"uq_{table}_bank_account_id_statement_id"
        ),
        sa.UniqueConstraint("previous_id", name=f"uq_{table}_previous_id"),
        _check(table, "days_in_order", "to_on >= from_on"),
        _check(table, "count_not_negative", "line_count >= 0"),
    )
    op.create_index("ix_statement_file_id", table, ["file_id"])
    op.create_index("ix_statement_bank_account_id_to_on", table, ["bank_account_id", "to_on"])
    op.create_index(
        "uq_statement_first_per_account",
        table,
        ["bank_account_id"],
        unique=True,
        postgresql_where=sa.text("previous_id IS NULL"),
    )


def _line() -> None:
    table = "statement_line"
    op.create_table(
        table,
        *_id(table),
        *_columns(sa.Integer(), "version", "number", "part"),
        *_columns(sa.Uuid(), "statement_id", "bank_account_id"),
        *_columns(sa.Uuid(), "rate_id", "order_id", "receivable_id", optional=True),
        *_columns(sa.BigInteger(), "amount", "amount_usd"),
        *_columns(sa.String(3), "currency"),
        *_columns(sa.Date(), "booked_on"),
        *_columns(sa.Date(), "value_on", optional=True),
        *_columns(sa.String(), "reference", "end_to_end_id", "batch_id", "bank_code"),
        *_columns(sa.String(), "return_code", "target_ref", "note"),
        *_columns(sa.Boolean(), "is_return"),
        *_columns(postgresql.ARRAY(sa.String()), "named"),
        *_columns(sa.LargeBinary(), "particulars"),
        *_columns(sa.String(40), "status"),
        *_columns(sa.String(40), "purpose", optional=True),
        _points_at(table, "statement_id", "statement"),
        _points_at(table, "bank_account_id", "bank_account"),
        _points_at(table, "rate_id", "exchange_rate"),
        _points_at(table, "order_id", "payment_order"),
        _points_at(table, "receivable_id", "receivable"),
        sa.UniqueConstraint(
            "bank_account_id",
            "reference",
            "part",
            name=f"uq_{table}_bank_account_id_reference_part",
        ),
        sa.UniqueConstraint("statement_id", "number", name=f"uq_{table}_statement_id_number"),
        _check(table, "amount_not_zero", "amount <> 0"),
        _check(table, "same_side_in_dollars", "sign(amount_usd) IN (0, sign(amount))"),
        _check(table, "dollars_are_dollars", "currency <> 'USD' OR amount_usd = amount"),
        _check(table, "has_a_reference", "reference <> ''"),
        _check(table, "counted_from_one", "number > 0 AND part >= 0"),
    )
    op.create_index(
        "ix_statement_line_open",
        table,
        ["status", "bank_account_id"],
        postgresql_where=sa.text("status <> 'booked'"),
    )
    op.create_index(
        "ix_statement_line_end_to_end_id",
        table,
        ["end_to_end_id"],
        postgresql_where=sa.text("end_to_end_id <> ''"),
    )
    op.create_index("ix_statement_line_order_id", table, ["order_id"])


def _allocation() -> None:
    table = "statement_allocation"
    rules = {
        "amount_not_zero": "amount <> 0",
        "orders_are_paid": "(purpose IN ('payment', 'return')) = (order_id IS NOT NULL)",
        "receivables_are_refunded": "(purpose = 'refund') = (receivable_id IS NOT NULL)",
        "sent_back_is_a_pair": "(purpose = 'sent_back') = (counterpart_id IS NOT NULL)",
        "contributions_are_named": "purpose NOT IN ('contribution', 'donor_refund') "
        "OR target_ref <> ''",
        "people_give_a_reason": "by_id IS NULL OR reason <> ''",
        "undone_by_somebody": "(undone_at IS NULL) = (undone_by_id IS NULL) "
        "AND (undone_at IS NULL) = (undone_reason = '')",
    }
    op.create_table(
        table,
        *_id(table),
        *_columns(sa.Uuid(), "line_id"),
        *_columns(sa.Integer(), "number"),
        *_columns(sa.String(40), "purpose"),
        *_columns(sa.BigInteger(), "amount", "amount_usd"),
        *_columns(sa.String(), "booking_ref", "reason", "target_ref", "undone_reason"),
        *_columns(sa.Boolean(), "from_suspense"),
        *_columns(
            sa.Uuid(),
            "by_id",
            "order_id",
            "receivable_id",
            "counterpart_id",
            "undone_by_id",
            optional=True,
        ),
        *_columns(MOMENT, "at"),
        *_columns(MOMENT, "undone_at", optional=True),
        _points_at(table, "line_id", "statement_line"),
        _points_at(table, "by_id", "person"),
        _points_at(table, "order_id", "payment_order"),
        _points_at(table, "receivable_id", "receivable"),
        _points_at(table, "counterpart_id", "statement_line"),
        _points_at(table, "undone_by_id", "person"),
        sa.UniqueConstraint("line_id", "number", name=f"uq_{table}_line_id_number"),
        *(_check(table, name, rule) for name, rule in rules.items()),
    )
    for name, purpose in (("paid", "payment"), ("returned", "return")):
        op.create_index(
            f"uq_{table}_order_{name}_once",
            table,
            ["order_id"],
            unique=True,
            postgresql_where=sa.text(f"purpose = '{purpose}' AND undone_at IS NULL"),
        )
    op.create_index(f"ix_{table}_receivable_id", table, ["receivable_id"])


def upgrade() -> None:
    _files()
    _statement()
    _line()
    _allocation()
    for body in FUNCTIONS.values():
        op.execute(body)
    for table, name, event, level, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER statement_line_enter AFTER INSERT ON statement_line "
        "REFERENCING NEW TABLE AS entered "
        "FOR EACH STATEMENT EXECUTE FUNCTION statement_lines_enter()"
    )
    for table, name, event, function in DEFERRED:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_{name} AFTER {event} ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
