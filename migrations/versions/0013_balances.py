"""Balances of the books by year and day, kept by the entries themselves.

Beside them, each entry bears the day of its booking, so that the entries of an account can be read
by day from one index; and every book has accounts for the charges of bank and card processor, and
for what is due to paying agents.

Revision ID: 0013_balances
Revises: 0012_audit_head
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_balances"
down_revision = "0012_audit_head"
branch_labels = None
depends_on = None

OPEN_ACCOUNTS = """
INSERT INTO ledger_account (id, fund_code, kind)
SELECT gen_random_uuid(), fund_code, kind FROM ledger_book
CROSS JOIN (VALUES ('bank_charges'), ('paying_agents')) AS added (kind)
ON CONFLICT (fund_code, kind) DO NOTHING
"""

CLOSE_ACCOUNTS = """
DELETE FROM ledger_account a WHERE kind IN ('bank_charges', 'paying_agents')
AND NOT EXISTS (SELECT FROM ledger_entry WHERE account_id = a.id)
"""
"""An account that is in use stays: its entries are history."""

DATE_ENTRIES = """
UPDATE ledger_entry e SET booked_on = t.booked_on
FROM ledger_transaction t WHERE t.id = e.transaction_id
"""

ENTER_BEFORE = """
CREATE OR REPLACE FUNCTION ledger_enter() RETURNS trigger LANGUAGE plpgsql AS $$
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

ENTER = """
CREATE OR REPLACE FUNCTION ledger_enter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    SELECT xact, booked_on INTO written, NEW.booked_on
    FROM ledger_transaction WHERE id = NEW.transaction_id;
    IF written IS DISTINCT FROM pg_current_xact_id()::text::bigint THEN
        RAISE EXCEPTION 'an entry of % comes too late: that booking is closed', NEW.transaction_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

SUM_ENTRIES = """
INSERT INTO ledger_balance AS kept
    (account_id, currency, grain, starts_on, amount, usd, entries)
SELECT account_id, currency, grain, starts_on, sum(amount), sum(usd), count(*)
FROM {source} CROSS JOIN LATERAL (VALUES
    ('year', make_date(extract(year FROM booked_on)::int, 1, 1)), ('day', booked_on)
) AS period (grain, starts_on)
GROUP BY account_id, currency, grain, starts_on
ORDER BY account_id, currency, grain, starts_on
ON CONFLICT (account_id, currency, grain, starts_on) DO UPDATE SET
    amount = kept.amount + EXCLUDED.amount,
    usd = kept.usd + EXCLUDED.usd,
    entries = kept.entries + EXCLUDED.entries
"""

SUM_COMMITMENTS = """
INSERT INTO commitment_balance AS kept (fund_code, grain, starts_on, usd, movements)
SELECT fund_code, grain, starts_on, sum(amount_usd_minor), count(*)
FROM (
    SELECT fund_code, amount_usd_minor, (made_at AT TIME ZONE 'UTC')::date AS made_on FROM {source}
) AS made CROSS JOIN LATERAL (VALUES
    ('year', make_date(extract(year FROM made_on)::int, 1, 1)), ('day', made_on)
) AS period (grain, starts_on)
GROUP BY fund_code, grain, starts_on
ORDER BY fund_code, grain, starts_on
ON CONFLICT (fund_code, grain, starts_on) DO UPDATE SET
    usd = kept.usd + EXCLUDED.usd,
    movements = kept.movements + EXCLUDED.movements
"""

KEEP = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {statement};
    RETURN NULL;
END $$
"""

FOLLOW = """
CREATE FUNCTION balance_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') OR pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '% of % is refused: a balance follows what is booked', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
"""Depth 1 is a statement of somebody's own; what the entries' trigger writes comes at depth 2."""

BALANCES = ("ledger_balance", "commitment_balance")
KEEPERS = (
    ("ledger_entry", "ledger_keep_balance", SUM_ENTRIES),
    ("commitment", "commitment_keep_balance", SUM_COMMITMENTS),
)


def _whole(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _period() -> tuple[sa.Column[object], sa.Column[object]]:
    return (
        sa.Column("grain", sa.String(40), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
    )


def _period_check(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        "grain = 'day' OR (grain = 'year' AND extract(doy FROM starts_on) = 1)",
        name=op.f(f"ck_{table}_period"),
    )


def _tables() -> None:
    op.create_table(
        "ledger_balance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        *_period(),
        _whole("amount"),
        _whole("usd"),
        _whole("entries"),
        sa.PrimaryKeyConstraint(
            "account_id", "currency", "grain", "starts_on", name="pk_ledger_balance"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"], name="fk_ledger_balance_account_id"
        ),
        _period_check("ledger_balance"),
    )
    op.create_table(
        "commitment_balance",
        sa.Column("fund_code", sa.String(), nullable=False),
        *_period(),
        _whole("usd"),
        _whole("movements"),
        sa.PrimaryKeyConstraint("fund_code", "grain", "starts_on", name="pk_commitment_balance"),
        sa.ForeignKeyConstraint(
            ["fund_code"], ["ledger_book.fund_code"], name="fk_commitment_balance_fund_code"
        ),
        _period_check("commitment_balance"),
    )


def _date_entries() -> None:
    """Give each entry the day of its booking; from now on the trigger does."""
    op.add_column("ledger_entry", sa.Column("booked_on", sa.Date(), nullable=True))
    op.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only")
    op.execute(DATE_ENTRIES)
    op.execute("ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_append_only")
    op.alter_column("ledger_entry", "booked_on", nullable=False)
    op.execute(ENTER)
    op.drop_index("ix_ledger_entry_account_id", "ledger_entry")
    op.create_index(
        "ix_ledger_entry_account_id_booked_on_id", "ledger_entry", ["account_id", "booked_on", "id"]
    )


def _keep() -> None:
    """Sum up what is there, then let each statement add what it enters."""
    op.execute("LOCK TABLE ledger_entry, commitment IN SHARE ROW EXCLUSIVE MODE")
    for table, function, statement in KEEPERS:
        op.execute(statement.format(source=table))
        op.execute(KEEP.format(name=function, statement=statement.format(source="entered")))
        op.execute(
            f"CREATE TRIGGER {table}_keep_balance AFTER INSERT ON {table} "
            f"REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep_balance")
    op.execute(FOLLOW)
    for table in BALANCES:
        op.execute(
            f"CREATE TRIGGER {table}_follows BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION balance_follows()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_follows")


def upgrade() -> None:
    op.execute(OPEN_ACCOUNTS)
    _date_entries()
    _tables()
    _keep()


def downgrade() -> None:
    for table, function, _statement in KEEPERS:
        op.execute(f"DROP TRIGGER {table}_keep_balance ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    for table in BALANCES:
        op.drop_table(table)
    op.execute("DROP FUNCTION balance_follows()")
    op.execute(ENTER_BEFORE)
    op.drop_index("ix_ledger_entry_account_id_booked_on_id", "ledger_entry")
    op.create_index("ix_ledger_entry_account_id", "ledger_entry", ["account_id"])
    op.drop_column("ledger_entry", "booked_on")
    op.execute("ALTER TABLE ledger_account DISABLE TRIGGER ledger_account_append_only")
    op.execute(CLOSE_ACCOUNTS)
    op.execute("ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_account_append_only")
