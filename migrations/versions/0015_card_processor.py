"""What the card processor told, once each, and the gifts by card.

What was told, asked and moved stands: only its state goes on. A gift is what was typed; once it
is over it holds nobody's name.

Revision ID: 0015_card_processor
Revises: 0014_contributions
"""

import sqlalchemy as sa
from alembic import op

revision = "0015_card_processor"
down_revision = "0014_contributions"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

MOVES = {
    "stripe_event": "'state', 'attempts', 'next_attempt_at', 'finished_at', 'reason'",
    "stripe_call": "'state', 'object_id', 'answered_at', 'reason'",
    "card_gift": "'version', 'status', 'name', 'email', 'call_id', 'looked_at', 'ended_at', "
    "'session_id', 'payment_intent_id', 'charge_id', 'contribution_id', 'reason'",
    "card_refund": "'version', 'status', 'refund_id', 'remark'",
    "card_payout": "'version', 'status', 'arrived_on', 'arrival_ref'",
    "card_movement": "'payout_id'",
}
"""What of each table may change; everything else stands."""

STAYS = {
    "stripe_event": "OLD.state = 'done'",
    "stripe_call": "OLD.state = 'answered'",
    "card_gift": "OLD.status = 'paid'",
    "card_refund": "OLD.status = 'failed'",
    "card_payout": "OLD.status = 'arrived'",
    "card_movement": "OLD.payout_id IS NOT NULL",
}
"""When a row of each table has come to its end."""


def stands(table: str) -> str:
    return f"""
CREATE FUNCTION {table}_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY[{MOVES[table]}];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) OR ({STAYS[table]}
        AND (to_jsonb(NEW) - ARRAY['version', 'looked_at'])
            IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['version', 'looked_at']))
    THEN
        RAISE EXCEPTION 'what a row of {table} says stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    processor()
    gifts()
    movements()
    for table in MOVES:
        op.execute(stands(table))
        for name, event, level, function in (
            ("stands", "BEFORE UPDATE", "ROW", f"{table}_stands"),
            ("never_removed", "BEFORE DELETE", "ROW", "core_never_changes"),
            ("never_emptied", "BEFORE TRUNCATE", "STATEMENT", "core_never_changes"),
        ):
            op.execute(
                f"CREATE TRIGGER {table}_{name} {event} ON {table} "
                f"FOR EACH {level} EXECUTE FUNCTION {function}()"
            )
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


def downgrade() -> None:
    for table in reversed(MOVES):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_stands()")


def processor() -> None:
    op.create_table(
        "stripe_event",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("attempts >= 0", name="ck_stripe_event_attempts"),
        sa.CheckConstraint(
            "event_id ~ '^[A-Za-z0-9_]{1,255}$'", name="ck_stripe_event_event_id_is_a_code"
        ),
        sa.CheckConstraint(
            "state <> 'failed' OR reason <> ''", name="ck_stripe_event_failed_has_a_reason"
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'ignored')) = (finished_at IS NOT NULL)",
            name="ck_stripe_event_finished_when_done",
        ),
        sa.CheckConstraint(
            "object_id ~ '^[A-Za-z0-9_]{1,255}$'", name="ck_stripe_event_object_id_is_a_code"
        ),
        sa.CheckConstraint("type ~ '^[a-z0-9_.]{1,255}$'", name="ck_stripe_event_type_is_a_code"),
        sa.PrimaryKeyConstraint("id", name="pk_stripe_event"),
        sa.UniqueConstraint("event_id", name="uq_stripe_event_event_id"),
    )
    op.create_index("ix_stripe_event_object_id", "stripe_event", ["object_id"])
    op.create_index(
        "ix_stripe_event_state_next_attempt_at", "stripe_event", ["state", "next_attempt_at"]
    )
    op.create_table(
        "stripe_call",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'ready') = (answered_at IS NULL)", name="ck_stripe_call_answered_at"
        ),
        sa.CheckConstraint(
            "(state = 'answered') = (object_id IS NOT NULL)", name="ck_stripe_call_answered_object"
        ),
        sa.CheckConstraint(
            "state <> 'declined' OR reason <> ''", name="ck_stripe_call_declined_has_a_reason"
        ),
        sa.CheckConstraint("key ~ '^[A-Za-z0-9:_-]{1,200}$'", name="ck_stripe_call_key_is_a_code"),
        sa.CheckConstraint(
            "path ~ '^/v1/[A-Za-z0-9_/]{1,200}$'", name="ck_stripe_call_path_is_a_path"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_stripe_call"),
        sa.UniqueConstraint("key", name="uq_stripe_call_key"),
        sa.UniqueConstraint("object_id", name="uq_stripe_call_object_id"),
    )


def gifts() -> None:
    op.create_table(
        "card_gift",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("fund_code", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("unnamed", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("payment_intent_id", sa.String(), nullable=True),
        sa.Column("charge_id", sa.String(), nullable=True),
        sa.Column("contribution_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_card_gift_amount_positive"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="ck_card_gift_currency_is_iso"),
        sa.CheckConstraint(
            "(status IN ('begun', 'pending')) = (ended_at IS NULL)",
            name="ck_card_gift_ended_when_over",
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR (name = '' AND email = '')",
            name="ck_card_gift_nobody_once_it_is_over",
        ),
        sa.CheckConstraint(
            "(status = 'paid') = (contribution_id IS NOT NULL) "
            "AND (contribution_id IS NULL OR charge_id IS NOT NULL)",
            name="ck_card_gift_paid_is_a_contribution",
        ),
        sa.ForeignKeyConstraint(["call_id"], ["stripe_call.id"], name="fk_card_gift_call_id"),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name="fk_card_gift_contribution_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_card_gift"),
        sa.UniqueConstraint("call_id", name="uq_card_gift_call_id"),
        sa.UniqueConstraint("charge_id", name="uq_card_gift_charge_id"),
        sa.UniqueConstraint("contribution_id", name="uq_card_gift_contribution_id"),
        sa.UniqueConstraint("payment_intent_id", name="uq_card_gift_payment_intent_id"),
        sa.UniqueConstraint("ref", name="uq_card_gift_ref"),
        sa.UniqueConstraint("session_id", name="uq_card_gift_session_id"),
    )
    op.create_index("ix_card_gift_fund_code_begun_at", "card_gift", ["fund_code", "begun_at"])
    op.create_index("ix_card_gift_status_looked_at", "card_gift", ["status", "looked_at"])
    op.create_table(
        "card_refund",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("gift_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.String(), nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_card_refund_amount_positive"),
        sa.CheckConstraint(
            "asked_by_id IS NULL OR call_id IS NOT NULL", name="ck_card_refund_asked_by_a_call"
        ),
        sa.CheckConstraint(
            "status <> 'done' OR refund_id IS NOT NULL", name="ck_card_refund_done_is_known_there"
        ),
        sa.CheckConstraint(
            "status <> 'failed' OR remark <> ''", name="ck_card_refund_failed_has_a_remark"
        ),
        sa.CheckConstraint("reason <> ''", name="ck_card_refund_has_a_reason"),
        sa.ForeignKeyConstraint(["asked_by_id"], ["person.id"], name="fk_card_refund_asked_by_id"),
        sa.ForeignKeyConstraint(["call_id"], ["stripe_call.id"], name="fk_card_refund_call_id"),
        sa.ForeignKeyConstraint(["gift_id"], ["card_gift.id"], name="fk_card_refund_gift_id"),
        sa.PrimaryKeyConstraint("id", name="pk_card_refund"),
        sa.UniqueConstraint("call_id", name="uq_card_refund_call_id"),
        sa.UniqueConstraint("ref", name="uq_card_refund_ref"),
        sa.UniqueConstraint("refund_id", name="uq_card_refund_refund_id"),
    )
    op.create_index("ix_card_refund_gift_id", "card_refund", ["gift_id"])


def movements() -> None:
    op.create_table(
        "card_payout",
        sa.Column("payout_id", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("trace", sa.String(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("arrived_on", sa.Date(), nullable=True),
        sa.Column("arrival_ref", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_card_payout_amount_positive"),
        sa.CheckConstraint(
            "(status = 'arrived') = (arrival_ref IS NOT NULL) "
            "AND (arrival_ref IS NULL) = (arrived_on IS NULL)",
            name="ck_card_payout_arrived_by_a_line",
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="ck_card_payout_currency_is_iso"),
        sa.PrimaryKeyConstraint("id", name="pk_card_payout"),
        sa.UniqueConstraint("arrival_ref", name="uq_card_payout_arrival_ref"),
        sa.UniqueConstraint("payout_id", name="uq_card_payout_payout_id"),
    )
    op.create_table(
        "card_movement",
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("gift_id", sa.Uuid(), nullable=True),
        sa.Column("fund_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("fee_usd", sa.BigInteger(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("booked_at", MOMENT, nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount <> 0", name="ck_card_movement_amount_is_not_zero"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="ck_card_movement_currency_is_iso"),
        sa.CheckConstraint(
            "currency <> 'USD' OR (amount = amount_usd AND fee = fee_usd)",
            name="ck_card_movement_dollars_are_dollars",
        ),
        sa.CheckConstraint(
            "(kind IN ('charge', 'refund_failed', 'dispute_won', 'grant_returned')) = (amount > 0)",
            name="ck_card_movement_in_or_out",
        ),
        sa.CheckConstraint(
            "(kind IN ('grant_paid', 'grant_returned')) = (gift_id IS NULL)",
            name="ck_card_movement_of_a_gift_or_a_grant",
        ),
        sa.ForeignKeyConstraint(["gift_id"], ["card_gift.id"], name="fk_card_movement_gift_id"),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["card_payout.id"], name="fk_card_movement_payout_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_card_movement"),
        sa.UniqueConstraint("transaction_id", name="uq_card_movement_transaction_id"),
    )
    op.create_index("ix_card_movement_gift_id", "card_movement", ["gift_id"])
    op.create_index("ix_card_movement_object_id", "card_movement", ["object_id"])
    op.create_index("ix_card_movement_payout_id", "card_movement", ["payout_id"])
