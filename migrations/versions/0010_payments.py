"""Payments: bank details, orders, their three signatures, and what comes back.

One live order per instalment, three signatures by three people per order, and one set of bank
details that stands per award: unique indexes hold these. What triggers hold comes next.

Revision ID: 0010_payments
Revises: 0009_reports
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_payments"
down_revision = "0009_reports"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _id(table: str) -> tuple[sa.Column[object], sa.PrimaryKeyConstraint]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _points_at(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def _bank_details() -> None:
    op.create_table(
        "bank_details",
        *_id("bank_details"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_four", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("entered_by_id", sa.Uuid(), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("payable_from", MOMENT, nullable=False),
        sa.Column("checked_by_id", sa.Uuid(), nullable=True),
        sa.Column("checked_at", MOMENT, nullable=True),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        _points_at("bank_details", "award_id", "award"),
        _points_at("bank_details", "entered_by_id", "person"),
        _points_at("bank_details", "checked_by_id", "person"),
        sa.CheckConstraint(
            "checked_by_id <> entered_by_id", name="ck_bank_details_a_second_person_checks"
        ),
        sa.CheckConstraint(
            "(checked_by_id IS NULL) = (checked_at IS NULL)",
            name="ck_bank_details_checked_by_somebody",
        ),
        sa.CheckConstraint(
            "status <> 'verified' OR verified_at IS NOT NULL", name="ck_bank_details_verified_at"
        ),
        sa.CheckConstraint(
            "(verified_at IS NULL AND status <> 'rejected') OR checked_at IS NOT NULL",
            name="ck_bank_details_verified_by",
        ),
        sa.CheckConstraint(
            "status <> 'rejected' OR remark <> ''", name="ck_bank_details_rejected_has_a_remark"
        ),
        sa.CheckConstraint(
            "payable_from >= entered_at", name="ck_bank_details_payable_after_it_was_entered"
        ),
        sa.CheckConstraint(
            "fingerprint ~ '^[0-9a-f]{64}$' AND digest ~ '^[0-9a-f]{64}$'",
            name="ck_bank_details_digests",
        ),
    )
    op.create_index("ix_bank_details_award_id", "bank_details", ["award_id"])
    op.create_index("ix_bank_details_fingerprint", "bank_details", ["fingerprint"])
    op.create_index(
        "uq_bank_details_current_per_award",
        "bank_details",
        ["award_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('entered', 'verified')"),
    )


def _payment_order() -> None:
    op.create_table(
        "payment_order",
        *_id("payment_order"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("instalment_id", sa.Uuid(), nullable=False),
        sa.Column("bank_details_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rail", sa.String(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("prepared_by_id", sa.Uuid(), nullable=False),
        sa.Column("prepared_at", MOMENT, nullable=False),
        sa.Column("instruction_id", sa.Uuid(), nullable=True),
        sa.Column("agent_reference", sa.String(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("acknowledged_by_id", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_at", MOMENT, nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        _points_at("payment_order", "instalment_id", "instalment"),
        _points_at("payment_order", "bank_details_id", "bank_details"),
        _points_at("payment_order", "prepared_by_id", "person"),
        _points_at("payment_order", "instruction_id", "stored_file"),
        _points_at("payment_order", "confirmed_by_id", "person"),
        _points_at("payment_order", "acknowledged_by_id", "person"),
        sa.UniqueConstraint("ref", name="uq_payment_order_ref"),
        sa.UniqueConstraint(
            "instalment_id", "attempt", name="uq_payment_order_instalment_id_attempt"
        ),
        *_order_checks(),
    )
    op.create_index("ix_payment_order_status", "payment_order", ["status"])
    op.create_index(
        "uq_payment_order_live_per_instalment",
        "payment_order",
        ["instalment_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('rejected', 'returned', 'cancelled')"),
    )


def _order_checks() -> list[sa.CheckConstraint]:
    rules = {
        "amount_positive": "amount > 0 AND amount_usd > 0",
        "dollars_are_dollars": "currency <> 'USD' OR amount = amount_usd",
        "released_has_an_instruction": "status NOT IN ('released', 'confirmed', 'rejected', "
        "'returned') OR instruction_id IS NOT NULL",
        "confirmed_has_a_time": "(status IN ('confirmed', 'returned')) = "
        "(confirmed_at IS NOT NULL)",
        "confirmed_has_a_reference": "confirmed_at IS NULL OR (agent_reference <> '' "
        "AND agent_reference IS NOT NULL AND paid_on IS NOT NULL AND confirmed_by_id IS NOT NULL)",
        "acknowledged_by_somebody": "(acknowledged_at IS NULL) = (acknowledged_by_id IS NULL) "
        "AND (acknowledged_at IS NULL OR confirmed_at IS NOT NULL)",
        "returned_has_a_day": "(status = 'returned') = (returned_on IS NOT NULL)",
        "unpaid_has_a_remark": "status NOT IN ('rejected', 'returned') OR remark <> ''",
    }
    return [
        sa.CheckConstraint(rule, name=f"ck_payment_order_{name}") for name, rule in rules.items()
    ]


def _approvals_and_receivables() -> None:
    op.create_table(
        "payment_approval",
        *_id("payment_approval"),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _points_at("payment_approval", "order_id", "payment_order"),
        _points_at("payment_approval", "person_id", "person"),
        sa.UniqueConstraint("order_id", "step", name="uq_payment_approval_order_id_step"),
        sa.UniqueConstraint("order_id", "person_id", name="uq_payment_approval_order_id_person_id"),
    )
    op.create_table(
        "receivable",
        *_id("receivable"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.Column("bank_reference", sa.String(), nullable=False),
        _points_at("receivable", "award_id", "award"),
        _points_at("receivable", "settled_by_id", "person"),
        sa.UniqueConstraint("award_id", name="uq_receivable_award_id"),
        sa.CheckConstraint("amount_usd > 0", name="ck_receivable_amount_positive"),
        sa.CheckConstraint(
            "(status = 'settled') = (settled_on IS NOT NULL)", name="ck_receivable_settled_has_day"
        ),
        sa.CheckConstraint(
            "status <> 'settled' OR (settled_by_id IS NOT NULL AND bank_reference <> '')",
            name="ck_receivable_settled_by_somebody",
        ),
    )


TABLES = ("receivable", "payment_approval", "payment_order", "bank_details")


def upgrade() -> None:
    _bank_details()
    _payment_order()
    _approvals_and_receivables()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
