"""A credit that names no payment is one that came back only where two people say so.

What the first of them said stands; the second books it.

Revision ID: 0027_two_say_it_came_back
Revises: 0026_perhaps_paid
"""

import sqlalchemy as sa
from alembic import op

revision = "0027_two_say_it_came_back"
down_revision = "0026_perhaps_paid"
branch_labels = None
depends_on = None

TABLE = "return_proposal"
KEPT = (
    ("unchanged", "BEFORE UPDATE", "ROW"),
    ("kept", "BEFORE DELETE", "ROW"),
    ("not_emptied", "BEFORE TRUNCATE", "STATEMENT"),
)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sa.ForeignKeyConstraint(["line_id"], ["statement_line.id"], name=f"fk_{TABLE}_line_id"),
        sa.ForeignKeyConstraint(["order_id"], ["payment_order.id"], name=f"fk_{TABLE}_order_id"),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=f"fk_{TABLE}_by_id"),
        sa.UniqueConstraint(
            "line_id",
            "order_id",
            "amount",
            "by_id",
            name=f"uq_{TABLE}_line_id_order_id_amount_by_id",
        ),
        sa.CheckConstraint("amount > 0", name=f"ck_{TABLE}_amount_positive"),
        sa.CheckConstraint("reason <> ''", name=f"ck_{TABLE}_has_a_reason"),
    )
    for name, event, level in KEPT:
        op.execute(
            f"CREATE TRIGGER {TABLE}_{name} {event} ON {TABLE} "
            f"FOR EACH {level} EXECUTE FUNCTION payment_is_kept()"
        )


def downgrade() -> None:
    op.drop_table(TABLE)
