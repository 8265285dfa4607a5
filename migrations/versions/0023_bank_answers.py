"""What a bank answers is heard to the end: doubted bank details, and sentences left for a person.

Verified bank details to which a bank could not pay are doubted until a second person verifies them
again. What the bank said that fitted nothing is kept with its message until somebody saw to it; a
message knows its fund.

Revision ID: 0023_bank_answers
Revises: 0022_card_money_back
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023_bank_answers"
down_revision = "0022_card_money_back"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

DETAILS_STAND = """
CREATE OR REPLACE FUNCTION bank_details_stand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'checked_by_id', 'checked_at', 'verified_at',
        'remark', 'doubted_at'];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) THEN
        RAISE EXCEPTION 'bank details are replaced, never edited'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = OLD.status THEN
        IF (to_jsonb(NEW) - 'version') IS DISTINCT FROM (to_jsonb(OLD) - 'version') THEN
            RAISE EXCEPTION 'what a second person said of bank details stands'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('entered', 'verified'), ('entered', 'rejected'),
        ('entered', 'replaced'), ('verified', 'rejected'), ('verified', 'replaced'),
        ('verified', 'doubted'), ('doubted', 'verified'), ('doubted', 'rejected'),
        ('doubted', 'replaced'))
    THEN
        RAISE EXCEPTION 'bank details cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.verified_at IS DISTINCT FROM OLD.verified_at AND NEW.status <> 'verified'
        OR NEW.doubted_at IS DISTINCT FROM OLD.doubted_at AND NEW.status <> 'doubted'
    THEN
        RAISE EXCEPTION 'when bank details were verified, or doubted, stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'doubted' AND (NEW.checked_by_id, NEW.checked_at)
        IS DISTINCT FROM (OLD.checked_by_id, OLD.checked_at)
        OR OLD.status = 'doubted' AND NEW.status = 'verified'
        AND (NEW.checked_at = OLD.checked_at OR NEW.verified_at = OLD.verified_at)
    THEN
        RAISE EXCEPTION 'doubted bank details are verified again by somebody, and not else'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

DETAILS_STAND_BEFORE = """
CREATE OR REPLACE FUNCTION bank_details_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - ARRAY['version', 'status', 'checked_by_id', 'checked_at', 'verified_at',
        'remark']) IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['version', 'status', 'checked_by_id',
        'checked_at', 'verified_at', 'remark'])
    THEN
        RAISE EXCEPTION 'bank details are replaced, never edited'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = OLD.status THEN
        IF (to_jsonb(NEW) - 'version') IS DISTINCT FROM (to_jsonb(OLD) - 'version') THEN
            RAISE EXCEPTION 'what a second person said of bank details stands'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('entered', 'verified'), ('entered', 'rejected'),
        ('entered', 'replaced'), ('verified', 'rejected'), ('verified', 'replaced'))
    THEN
        RAISE EXCEPTION 'bank details cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.verified_at IS DISTINCT FROM OLD.verified_at AND NEW.status <> 'verified' THEN
        RAISE EXCEPTION 'when bank details were verified stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

MESSAGE_STANDS = """
CREATE FUNCTION bank_message_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['seen_at', 'seen_by_id', 'seen_note'];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR OLD.seen_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'a message of the bank is kept as it came, and seen to once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

STANDING = "uq_bank_details_current_per_award"
HAS_A_REASON = "ck_bank_details_doubted_has_a_reason"
SEEN = (
    ("left_is_counted", 'jsonb_array_length(sentences) <= "left"'),
    (
        "seen_to_by_somebody",
        "(seen_at IS NULL) = (seen_by_id IS NULL) AND (seen_at IS NULL) = (seen_note = '')",
    ),
)


def _one_stands(*statuses: str) -> None:
    op.drop_index(STANDING, "bank_details")
    op.create_index(
        STANDING,
        "bank_details",
        ["award_id"],
        unique=True,
        postgresql_where=sa.text(f"status IN ({', '.join(map(repr, statuses))})"),
    )


def _message_is(function: str) -> None:
    op.execute("DROP TRIGGER bank_message_stands ON bank_message")
    op.execute(
        "CREATE TRIGGER bank_message_stands BEFORE UPDATE ON bank_message "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    )


def upgrade() -> None:
    op.add_column("bank_details", sa.Column("doubted_at", MOMENT, nullable=True))
    op.create_check_constraint(
        op.f(HAS_A_REASON),
        "bank_details",
        "status <> 'doubted' OR (doubted_at IS NOT NULL AND remark <> '')",
    )
    _one_stands("entered", "verified", "doubted")
    op.execute(DETAILS_STAND)
    none = sa.text("'[]'::jsonb")
    for column in (
        sa.Column("fund_code", sa.String(), nullable=True),
        sa.Column("sentences", postgresql.JSONB(), nullable=False, server_default=none),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.Column("seen_by_id", sa.Uuid(), nullable=True),
        sa.Column("seen_note", sa.String(), nullable=False, server_default=""),
    ):
        op.add_column("bank_message", column)
    op.alter_column("bank_message", "sentences", server_default=None)
    op.alter_column("bank_message", "seen_note", server_default=None)
    op.create_foreign_key(
        "fk_bank_message_fund_code", "bank_message", "ledger_book", ["fund_code"], ["fund_code"]
    )
    op.create_foreign_key(
        "fk_bank_message_seen_by_id", "bank_message", "person", ["seen_by_id"], ["id"]
    )
    for name, condition in SEEN:
        op.create_check_constraint(op.f(f"ck_bank_message_{name}"), "bank_message", condition)
    op.execute(MESSAGE_STANDS)
    _message_is("bank_message_stands")


def downgrade() -> None:
    _message_is("payment_is_kept")
    op.execute("DROP FUNCTION bank_message_stands()")
    for name, _condition in SEEN:
        op.drop_constraint(op.f(f"ck_bank_message_{name}"), "bank_message")
    for column in ("fund_code", "sentences", "seen_at", "seen_by_id", "seen_note"):
        op.drop_column("bank_message", column)
    op.execute("UPDATE bank_details SET status = 'rejected' WHERE status = 'doubted'")
    op.execute(DETAILS_STAND_BEFORE)
    _one_stands("entered", "verified")
    op.drop_constraint(op.f(HAS_A_REASON), "bank_details")
    op.drop_column("bank_details", "doubted_at")
