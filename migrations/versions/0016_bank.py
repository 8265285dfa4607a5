"""Bank accounts of the funds, payment files and what the bank answered.

Revision ID: 0016_bank
Revises: 0015_card_processor
"""

revision = "0016_bank"
down_revision = "0015_card_processor"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
