"""Write-offs with two approvals of their own.

Revision ID: 0018_write_offs
Revises: 0017_statements
"""

revision = "0018_write_offs"
down_revision = "0017_statements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
