"""A payment that was given up is paid after all also where the bank debited it by several lines.

Revision ID: 0030_after_all_in_several
Revises: 0029_withdrawn_proposals
"""

import sqlalchemy as sa
from alembic import op

revision = "0030_after_all_in_several"
down_revision = "0029_withdrawn_proposals"
branch_labels = None
depends_on = None

BODY = "SELECT pg_get_functiondef('payment_order_stands'::regproc)"

BY_ONE = (
    """NOT EXISTS (SELECT FROM statement_line l
            JOIN payment_file f ON f.id = NEW.file_id AND f.bank_account_id = l.bank_account_id
            WHERE l.status = 'suspense' """
    "AND l.amount <= -NEW.amount "
    "AND l.currency = NEW.currency)"
)

TOGETHER = """NEW.amount > (
            SELECT coalesce(sum(-l.amount) FILTER (WHERE l.names_it), 0)
                + coalesce(max(-l.amount) FILTER (WHERE NOT l.names_it), 0)
            FROM (SELECT amount, currency, bank_account_id, status,
                end_to_end_id = NEW.ref OR NEW.ref = ANY(named) AS names_it
                FROM statement_line) l
            JOIN payment_file f ON f.id = NEW.file_id AND f.bank_account_id = l.bank_account_id
            WHERE l.status = 'suspense' AND l.amount < 0 AND l.currency = NEW.currency)"""
"""Lines that name the payment count together; beside them one that a person says to be it."""


def upgrade() -> None:
    _replace(BY_ONE, TOGETHER)


def downgrade() -> None:
    _replace(TOGETHER, BY_ONE)


def _replace(before: str, after: str) -> None:
    """Replace one condition; the rest of the function stays as it is."""
    body = str(op.get_bind().scalar(sa.text(BODY)))
    if body.count(before) != 1:
        raise RuntimeError("payment_order_stands is not as the migrations before left it")
    op.execute(body.replace(before, after))
