"""A payout that failed may have arrived all the same, where the statement is read only later.

The processor says that it failed before the credit is taken in: the credit is its arrival, and
the bank will debit it. Not so once a later payout has paid over the same money: it is kept which.

Revision ID: 0024_failed_and_arrived
Revises: 0023_bank_answers
"""

import sqlalchemy as sa
from alembic import op

revision = "0024_failed_and_arrived"
down_revision = "0023_bank_answers"
branch_labels = None
depends_on = None

FOREIGN = "fk_card_payout_again_by_id"
OF_NOTHING = "again_by_of_what_came_to_nothing"

PAYOUT_STANDS = """
CREATE OR REPLACE FUNCTION card_payout_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    arriving boolean := (OLD.status, NEW.status) IN (('paid', 'arrived'), ('failed', 'returning'));
    going boolean := (OLD.status, NEW.status) = ('returning', 'taken_back');
    moving text[] := ARRAY['version', 'status'] || CASE
        WHEN arriving THEN ARRAY['arrived_on', 'arrival_ref']
        WHEN going THEN ARRAY['back_on', 'back_ref']
        WHEN NEW.status = OLD.status AND OLD.again_by_id IS NULL THEN ARRAY['again_by_id'] END;
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('paid', 'arrived'),
            ('paid', 'failed'), ('failed', 'returning'), ('arrived', 'returning'),
            ('returning', 'taken_back'))
    THEN
        RAISE EXCEPTION 'what a row of card_payout says stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

PAYOUT_STANDS_BEFORE = """
CREATE OR REPLACE FUNCTION card_payout_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    arriving boolean := (OLD.status, NEW.status) = ('paid', 'arrived');
    going boolean := (OLD.status, NEW.status) = ('returning', 'taken_back');
    moving text[] := ARRAY['version', 'status'] || CASE
        WHEN arriving THEN ARRAY['arrived_on', 'arrival_ref']
        WHEN going THEN ARRAY['back_on', 'back_ref'] END;
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('paid', 'arrived'),
            ('paid', 'failed'), ('arrived', 'returning'), ('returning', 'taken_back'))
    THEN
        RAISE EXCEPTION 'what a row of card_payout says stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.add_column("card_payout", sa.Column("again_by_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(FOREIGN, "card_payout", "card_payout", ["again_by_id"], ["id"])
    op.create_check_constraint(
        op.f(f"ck_card_payout_{OF_NOTHING}"),
        "card_payout",
        "again_by_id IS NULL OR status IN ('failed', 'taken_back')",
    )
    op.execute(PAYOUT_STANDS)


def downgrade() -> None:
    op.execute(PAYOUT_STANDS_BEFORE)
    op.drop_constraint(op.f(f"ck_card_payout_{OF_NOTHING}"), "card_payout")
    op.drop_column("card_payout", "again_by_id")
