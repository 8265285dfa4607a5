"""Applications: answers, budget, attachments, nominee, submissions, clarifications, recusals.

Triggers hold what a promise rests on: a submission is never changed or removed, and what was
submitted stands still for as long as the application is not a draft.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006_applications"
down_revision = "0005_funds"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

FROZEN_PARTS = ("answer", "budget_line", "attachment", "nominee")


def _application() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sealing_key_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("requested", sa.BigInteger(), nullable=False),
        sa.Column("requested_usd", sa.BigInteger(), nullable=False),
        sa.Column("budget_revision", sa.Integer(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
        sa.UniqueConstraint("ref", name="uq_application_ref"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_application_call_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_application_organisation_id"
        ),
        sa.ForeignKeyConstraint(
            ["sealing_key_id"], ["sealing_key.id"], name="fk_application_sealing_key_id"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name="fk_application_created_by_id"
        ),
        sa.CheckConstraint(
            "submitted_at IS NOT NULL OR status IN ('draft', 'withdrawn')",
            name="ck_application_submitted_has_a_time",
        ),
        sa.CheckConstraint(
            "requested >= 0 AND requested_usd >= 0", name="ck_application_amounts_not_negative"
        ),
        sa.CheckConstraint("length(country) = 3", name="ck_application_country_is_iso3"),
        sa.CheckConstraint("length(currency) = 3", name="ck_application_currency_is_iso"),
    )
    op.create_index("ix_application_call_id", "application", ["call_id"])
    op.create_index("ix_application_organisation_id", "application", ["organisation_id"])
    op.create_index("ix_application_call_id_status", "application", ["call_id", "status"])
    op.create_index(
        "uq_application_one_per_call",
        "application",
        ["call_id", "organisation_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'withdrawn'"),
    )


def _belongs(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["application_id"], ["application.id"], name=f"fk_{table}_application_id"
    )


def _by(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["person.id"], name=f"fk_{table}_{column}")


def _content() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", JSONB(none_as_null=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answer"),
        sa.UniqueConstraint("application_id", "key", name="uq_answer_application_id_key"),
        _belongs("answer"),
        _by("answer", "updated_by_id"),
        sa.CheckConstraint("value IS NULL OR sealed IS NULL", name="ck_answer_sealed_or_plain"),
    )
    op.create_table(
        "budget_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_budget_line"),
        _belongs("budget_line"),
        sa.CheckConstraint("quantity > 0 AND unit_cost >= 0", name="ck_budget_line_not_negative"),
        sa.CheckConstraint("amount = quantity * unit_cost", name="ck_budget_line_arithmetic"),
    )
    op.create_index("ix_budget_line_application_id", "budget_line", ["application_id"])
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
        _belongs("attachment"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_attachment_file_id"),
        _by("attachment", "added_by_id"),
    )
    op.create_index("ix_attachment_application_id", "attachment", ["application_id"])
    op.create_table(
        "nominee",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("function", sa.String(), nullable=False),
        sa.Column("sex", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("travel_from", sa.Date(), nullable=False),
        sa.Column("travel_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nominee"),
        sa.UniqueConstraint("application_id", name="uq_nominee_application_id"),
        _belongs("nominee"),
        sa.CheckConstraint("travel_until >= travel_from", name="ck_nominee_travel_days_in_order"),
    )


def _acts() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.UniqueConstraint("application_id", "number", name="uq_submission_application_id_number"),
        _belongs("submission"),
        _by("submission", "by_id"),
        sa.CheckConstraint("number > 0", name="ck_submission_number_positive"),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="ck_submission_digest_is_sha256"),
    )
    op.create_table(
        "clarification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("sealed_question", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_clarification"),
        _belongs("clarification"),
        _by("clarification", "asked_by_id"),
        _by("clarification", "answered_by_id"),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answered_by_id IS NULL) "
            "AND (answered_at IS NULL) = (sealed_answer IS NULL)",
            name="ck_clarification_answered_by_somebody",
        ),
    )
    op.create_index("ix_clarification_application_id", "clarification", ["application_id"])
    op.create_table(
        "recusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("declared_at", MOMENT, nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recusal"),
        sa.UniqueConstraint(
            "person_id", "application_id", name="uq_recusal_person_id_application_id"
        ),
        _belongs("recusal"),
        _by("recusal", "person_id"),
    )
    op.create_table(
        "interest_declaration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("declared_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interest_declaration"),
        sa.UniqueConstraint(
            "person_id",
            "application_id",
            name="uq_interest_declaration_person_id_application_id",
        ),
        _belongs("interest_declaration"),
        _by("interest_declaration", "person_id"),
    )


def _triggers() -> None:
    op.execute(
        """
        CREATE FUNCTION submission_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what was submitted is final: % refused', TG_OP
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER submission_is_final BEFORE UPDATE OR DELETE ON submission "
        "FOR EACH ROW EXECUTE FUNCTION submission_is_final()"
    )
    op.execute(
        "CREATE TRIGGER submission_is_not_emptied BEFORE TRUNCATE ON submission "
        "FOR EACH STATEMENT EXECUTE FUNCTION submission_is_final()"
    )
    op.execute(
        """
        CREATE FUNCTION only_drafts_change() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            stands_at text;
            whose uuid;
        BEGIN
            FOR whose IN
                SELECT DISTINCT id FROM unnest(ARRAY[
                    CASE WHEN TG_OP <> 'INSERT' THEN OLD.application_id END,
                    CASE WHEN TG_OP <> 'DELETE' THEN NEW.application_id END
                ]) AS id WHERE id IS NOT NULL
            LOOP
                SELECT status INTO stands_at FROM application
                WHERE application.id = whose FOR SHARE;
                IF stands_at <> 'draft' THEN
                    RAISE EXCEPTION 'the application is %, its % stands still', stands_at,
                        TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
                END IF;
            END LOOP;
            IF TG_OP = 'DELETE' THEN
                RETURN OLD;
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table in FROZEN_PARTS:
        op.execute(
            f"CREATE TRIGGER {table}_only_in_drafts BEFORE INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION only_drafts_change()"
        )
    op.execute(
        """
        CREATE FUNCTION application_stands_still() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (OLD.ref, OLD.call_id, OLD.organisation_id, OLD.sealing_key_id, OLD.country,
                OLD.created_at, OLD.created_by_id)
                IS DISTINCT FROM (NEW.ref, NEW.call_id, NEW.organisation_id, NEW.sealing_key_id,
                NEW.country, NEW.created_at, NEW.created_by_id)
            THEN
                RAISE EXCEPTION 'whose application it is, and in which call, is settled'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            IF OLD.status <> 'draft' AND
                (OLD.title, OLD.language, OLD.currency, OLD.requested, OLD.requested_usd)
                IS DISTINCT FROM
                (NEW.title, NEW.language, NEW.currency, NEW.requested, NEW.requested_usd)
            THEN
                RAISE EXCEPTION 'the application is %, what it asks for stands still', OLD.status
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            IF NEW.status <> 'draft' AND NEW.submitted_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM submission WHERE application_id = NEW.id)
            THEN
                RAISE EXCEPTION 'nothing was submitted'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER application_stands_still BEFORE UPDATE ON application "
        "FOR EACH ROW EXECUTE FUNCTION application_stands_still()"
    )


def upgrade() -> None:
    _application()
    _content()
    _acts()
    _triggers()


def downgrade() -> None:
    for table in (
        "interest_declaration",
        "recusal",
        "clarification",
        "submission",
        "nominee",
        "attachment",
        "budget_line",
        "answer",
        "application",
    ):
        op.drop_table(table)
    for function in ("application_stands_still", "only_drafts_change", "submission_is_final"):
        op.execute(f"DROP FUNCTION {function}()")
