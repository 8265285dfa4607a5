"""What the card processor told, once each, and the gifts by card.

Revision ID: 0015_card_processor
Revises: 0014_contributions
"""

revision = "0015_card_processor"
down_revision = "0014_contributions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
