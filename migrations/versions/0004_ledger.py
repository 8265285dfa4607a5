"""The books: accounts, transactions, entries, commitments, rates, and the triggers that hold them.

Revision ID: 0004_ledger
Revises: 0003_accounts
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_ledger"
down_revision = "0003_accounts"
branch_labels = None
depends_on = None

CODE = "~ '^[a-z0-9._:-]{1,120}$'"
REF = "~ '^[A-Za-z0-9._:/-]{1,200}$'"
CURRENCY = "~ '^[A-Z]{3}$'"

APPEND_ONLY = (
    "ledger_book",
    "ledger_account",
    "exchange_rate",
    "ledger_transaction",
    "ledger_entry",
    "commitment",
    "fund_percent",
)

REFUSE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the books are append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Correct a booking by reversing it.';
END $$
"""

STAMP = """
CREATE FUNCTION ledger_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xact := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$
"""

ENTER = """
CREATE FUNCTION ledger_enter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    SELECT xact INTO written FROM ledger_transaction WHERE id = NEW.transaction_id;
    IF written IS DISTINCT FROM pg_current_xact_id()::text::bigint THEN
        RAISE EXCEPTION 'an entry of % comes too late: that booking is closed', NEW.transaction_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

BALANCE = """
CREATE FUNCTION ledger_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    booking uuid;
    reversed uuid;
    entries bigint;
    uneven text;
BEGIN
    IF TG_TABLE_NAME = 'ledger_entry' THEN
        booking := NEW.transaction_id;
    ELSE
        booking := NEW.id;
    END IF;
    SELECT count(*) INTO entries FROM ledger_entry WHERE transaction_id = booking;
    IF entries < 2 THEN
        RAISE EXCEPTION 'booking % has % entries, it takes at least two', booking, entries
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT string_agg(fund_code || ' ' || total, ', ') INTO uneven FROM (
        SELECT a.fund_code, sum(e.usd) AS total
        FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        WHERE e.transaction_id = booking
        GROUP BY a.fund_code HAVING sum(e.usd) <> 0
    ) AS sums;
    IF uneven IS NOT NULL THEN
        RAISE EXCEPTION 'booking % does not balance in US cents: %', booking, uneven
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT reverses_id INTO reversed FROM ledger_transaction WHERE id = booking;
    IF reversed IS NOT NULL AND EXISTS (
        SELECT FROM (
            SELECT account_id, currency, amount, usd FROM ledger_entry
            WHERE transaction_id = booking
            UNION ALL
            SELECT account_id, currency, amount, usd FROM ledger_entry
            WHERE transaction_id = reversed
        ) AS both_ways
        GROUP BY account_id, currency, abs(amount), abs(usd)
        HAVING sum(sign(amount)) <> 0 OR sum(usd) <> 0
    ) THEN
        RAISE EXCEPTION 'booking % is not the mirror of %', booking, reversed
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF reversed IS NOT NULL AND EXISTS (
        SELECT FROM ledger_transaction WHERE id = reversed AND reverses_id IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'booking % reverses a reversal: book it anew', booking
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

QUEUE = """
CREATE FUNCTION commitment_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ledger_book WHERE fund_code = NEW.fund_code FOR UPDATE;
    RETURN NEW;
END $$
"""

COVER = """
CREATE FUNCTION commitment_cover() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    outstanding bigint;
BEGIN
    SELECT sum(amount_usd_minor) INTO outstanding FROM commitment
    WHERE fund_code = NEW.fund_code AND source_ref = NEW.source_ref;
    IF outstanding < 0 THEN
        RAISE EXCEPTION 'commitment for % would fall to % US cents', NEW.source_ref, outstanding
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

TRIGGERS = (
    ("ledger_transaction", "stamp", "TRIGGER", "BEFORE INSERT", "ledger_stamp"),
    ("ledger_entry", "enter", "TRIGGER", "BEFORE INSERT", "ledger_enter"),
    ("ledger_transaction", "balance", "CONSTRAINT TRIGGER", "AFTER INSERT", "ledger_balance"),
    ("ledger_entry", "balance", "CONSTRAINT TRIGGER", "AFTER INSERT", "ledger_balance"),
    ("commitment", "queue", "TRIGGER", "BEFORE INSERT", "commitment_queue"),
    ("commitment", "cover", "TRIGGER", "AFTER INSERT", "commitment_cover"),
)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _kind() -> sa.Column[object]:
    return sa.Column("kind", sa.String(40), nullable=False)


def _currency() -> sa.Column[object]:
    return sa.Column("currency", sa.String(3), nullable=False)


def _pk(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=f"pk_{table}")


def _fk(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _accounts() -> None:
    op.create_table(
        "ledger_book",
        _text("fund_code"),
        _moment("opened_at"),
        _pk("ledger_book", "fund_code"),
        _check("ledger_book", "fund_code_is_a_code", f"fund_code {CODE}"),
    )
    op.create_table(
        "ledger_account",
        _id(),
        _text("fund_code"),
        _kind(),
        _pk("ledger_account"),
        _fk("ledger_account", "fund_code", "ledger_book.fund_code"),
        _unique("ledger_account", "fund_code", "kind"),
    )
    op.create_table(
        "fund_percent",
        _id(),
        _text("fund_code"),
        _kind(),
        sa.Column("percent", sa.Numeric(5, 2), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        _moment("recorded_at"),
        _pk("fund_percent"),
        _fk("fund_percent", "fund_code", "ledger_book.fund_code"),
        _check("fund_percent", "percent_in_range", "percent BETWEEN 0 AND 100"),
    )
    op.create_index("ix_fund_percent_fund_code", "fund_percent", ["fund_code"])


def _rates() -> None:
    op.create_table(
        "exchange_rate",
        _id(),
        _currency(),
        sa.Column("units_per_usd", sa.Numeric(20, 8), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        _text("source"),
        _moment("imported_at"),
        _pk("exchange_rate"),
        _unique("exchange_rate", "currency", "effective_on", "source"),
        _check("exchange_rate", "currency_is_iso", f"currency {CURRENCY}"),
        _check("exchange_rate", "rate_is_positive", "units_per_usd > 0"),
        _check("exchange_rate", "dollar_is_one", "currency <> 'USD' OR units_per_usd = 1"),
        _check("exchange_rate", "source_is_a_code", f"source {REF}"),
    )


def _bookings() -> None:
    table = "ledger_transaction"
    op.create_table(
        table,
        _id(),
        _kind(),
        _text("source_ref"),
        _text("subject_ref", nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=False),
        _moment("created_at"),
        sa.Column("rate_id", sa.Uuid(), nullable=True),
        _text("narrative"),
        _whole("xact"),
        _pk(table),
        _fk(table, "reverses_id", "ledger_transaction.id"),
        _fk(table, "rate_id", "exchange_rate.id"),
        _unique(table, "source_ref"),
        _unique(table, "reverses_id"),
        _check(table, "source_ref_is_a_code", f"source_ref {REF}"),
        _check(table, "subject_ref_is_a_code", f"subject_ref {REF}"),
        _check(table, "narrative_is_a_code", f"narrative = '' OR narrative {CODE}"),
        _check(table, "reversal", "(kind = 'reversal') = (reverses_id IS NOT NULL)"),
    )
    op.create_index("ix_ledger_transaction_subject_ref", table, ["subject_ref"])
    op.create_index("ix_ledger_transaction_booked_on", table, ["booked_on"])
    table = "ledger_entry"
    op.create_table(
        table,
        _id(),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _currency(),
        _whole("amount"),
        _whole("usd"),
        _pk(table),
        _fk(table, "transaction_id", "ledger_transaction.id"),
        _fk(table, "account_id", "ledger_account.id"),
        _check(table, "amount_is_not_zero", "amount <> 0"),
        _check(table, "same_side_in_both", "sign(usd) IN (0, sign(amount))"),
        _check(table, "dollar_is_dollar", "currency <> 'USD' OR usd = amount"),
        _check(table, "currency_is_iso", f"currency {CURRENCY}"),
    )
    op.create_index("ix_ledger_entry_transaction_id", table, ["transaction_id"])
    op.create_index("ix_ledger_entry_account_id", table, ["account_id"])


def _commitments() -> None:
    table = "commitment"
    op.create_table(
        table,
        _id(),
        _text("fund_code"),
        _text("source_ref"),
        _text("movement_ref"),
        _whole("amount_usd_minor"),
        _moment("made_at"),
        _pk(table),
        _fk(table, "fund_code", "ledger_book.fund_code"),
        _unique(table, "movement_ref"),
        _check(table, "amount_is_not_zero", "amount_usd_minor <> 0"),
        _check(table, "source_ref_is_a_code", f"source_ref {REF}"),
        _check(table, "movement_ref_is_a_code", f"movement_ref {REF}"),
    )
    op.create_index("ix_commitment_fund_code_source_ref", table, ["fund_code", "source_ref"])


def _hold() -> None:
    """Create the triggers, firing always: not even a replication session goes around them."""
    for function in (REFUSE, STAMP, ENTER, BALANCE, QUEUE, COVER):
        op.execute(function)
    for table, name, what, when, function in TRIGGERS:
        late = "DEFERRABLE INITIALLY DEFERRED" if what.startswith("CONSTRAINT") else ""
        trigger = f"{table}_{name}"
        op.execute(
            f"CREATE {what} {trigger} {when} ON {table} {late} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    for table in APPEND_ONLY:
        for when, name in (("UPDATE OR DELETE", "append_only"), ("TRUNCATE", "no_truncate")):
            each = "STATEMENT" if when == "TRUNCATE" else "ROW"
            trigger = f"{table}_{name}"
            op.execute(
                f"CREATE TRIGGER {trigger} BEFORE {when} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION ledger_refuse()"
            )
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def upgrade() -> None:
    _accounts()
    _rates()
    _bookings()
    _commitments()
    _hold()


def downgrade() -> None:
    for table in ("commitment", "ledger_entry", "ledger_transaction", "exchange_rate"):
        op.drop_table(table)
    for table in ("fund_percent", "ledger_account", "ledger_book"):
        op.drop_table(table)
    for function in (
        "ledger_refuse",
        "ledger_stamp",
        "ledger_enter",
        "ledger_balance",
        "commitment_queue",
        "commitment_cover",
    ):
        op.execute(f"DROP FUNCTION {function}()")
