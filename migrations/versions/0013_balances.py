"""Balances of the books by year and day, kept by the entries themselves.

Revision ID: 0013_balances
Revises: 0012_audit_head
"""

revision = "0013_balances"
down_revision = "0012_audit_head"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
