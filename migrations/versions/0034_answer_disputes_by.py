"""By when a dispute has to be answered: as the card processor says it, until the dispute ends.

Revision ID: 0034_answer_disputes_by
Revises: 0033_late_outcomes
"""

import sqlalchemy as sa
from alembic import op

revision = "0034_answer_disputes_by"
down_revision = "0033_late_outcomes"
branch_labels = None
depends_on = None

TABLE = "contribution_dispute"

STANDS = """
CREATE OR REPLACE FUNCTION contribution_dispute_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := CASE WHEN NEW.status = 'open' THEN ARRAY['answer_by']
        ELSE ARRAY['status', 'ended_on'] END;
BEGIN
    IF OLD.status <> 'open' OR (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
    THEN
        RAISE EXCEPTION 'a dispute ends once; before, only by when to answer it changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

STOOD = """
CREATE OR REPLACE FUNCTION contribution_dispute_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'open' OR NEW.status = 'open'
        OR (to_jsonb(NEW) - ARRAY['status', 'ended_on'])
        IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['status', 'ended_on'])
    THEN
        RAISE EXCEPTION 'a dispute ends once, and nothing else of it changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))
    op.execute(STANDS)


def downgrade() -> None:
    op.execute(STOOD)
    op.drop_column(TABLE, "answer_by")
