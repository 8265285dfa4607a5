"""Donors, pledges, agreements and money received.

Revision ID: 0014_contributions
Revises: 0013_balances
"""

revision = "0014_contributions"
down_revision = "0013_balances"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
