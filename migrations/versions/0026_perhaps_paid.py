"""What contradicts a payment that was given up is kept, whether a notice or an answer tells of it.

Revision ID: 0026_perhaps_paid
Revises: 0025_noticed_debits
"""

from alembic import op

revision = "0026_perhaps_paid"
down_revision = "0025_noticed_debits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_bank_message_debits_are_left"), "bank_message")
    op.alter_column("bank_message", "debits", new_column_name="perhaps_paid")
    op.create_check_constraint(
        op.f("ck_bank_message_perhaps_paid_is_left"),
        "bank_message",
        'cardinality(perhaps_paid) <= "left"',
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_bank_message_perhaps_paid_is_left"), "bank_message")
    op.alter_column("bank_message", "perhaps_paid", new_column_name="debits")
    op.create_check_constraint(
        op.f("ck_bank_message_debits_are_left"), "bank_message", 'cardinality(debits) <= "left"'
    )
