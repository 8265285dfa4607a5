"""Bank statements, their lines, and what each was matched to.

Revision ID: 0017_statements
Revises: 0016_bank
"""

revision = "0017_statements"
down_revision = "0016_bank"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
