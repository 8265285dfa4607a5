"""A notice of a debit that fits nothing is known by its payment until somebody explains it.

Revision ID: 0025_noticed_debits
Revises: 0024_failed_and_arrived
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025_noticed_debits"
down_revision = "0024_failed_and_arrived"
branch_labels = None
depends_on = None

REFS = postgresql.ARRAY(sa.String())


def upgrade() -> None:
    none = sa.text("'{}'")
    op.add_column("bank_message", sa.Column("debits", REFS, nullable=False, server_default=none))
    op.alter_column("bank_message", "debits", server_default=None)
    op.create_check_constraint(
        op.f("ck_bank_message_debits_are_left"), "bank_message", 'cardinality(debits) <= "left"'
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_bank_message_debits_are_left"), "bank_message")
    op.drop_column("bank_message", "debits")
