"""People, organisations, memberships, roles, one-time links, sessions and sign-in attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0003_accounts"
down_revision = "0002_core"
branch_labels = None
depends_on = None

TABLES = (
    "sign_in_attempt",
    "web_session",
    "one_time_link",
    "membership",
    "role_grant",
    "organisation",
    "person",
)

STAYS_ENDED = """
CREATE FUNCTION accounts_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % that has ended does not begin again', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def upgrade() -> None:
    people()
    organisations()
    roles()
    links()
    sessions()
    op.execute(STAYS_ENDED)
    stays_ended("web_session", "ended_at")
    stays_ended("one_time_link", "used_at")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION accounts_stays_ended()")


def stays_ended(table: str, column: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_stays_ended BEFORE UPDATE ON {table} FOR EACH ROW "
        f"WHEN (OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column}) "
        "EXECUTE FUNCTION accounts_stays_ended()"
    )


def moment(name: str, *, empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=empty)


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


def people() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("nationality", sa.String(), nullable=True),
        moment("email_confirmed_at", empty=True),
        moment("deactivated_at", empty=True),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("email", name="uq_person_email"),
        sa.CheckConstraint("email = lower(email)", name="ck_person_email_lower"),
    )


def organisations() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("registration_number", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.CheckConstraint("length(country) = 3", name="ck_organisation_country_is_iso3"),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        moment("joined_at"),
        moment("left_at", empty=True),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        refers("membership", "person_id", "person"),
        refers("membership", "organisation_id", "organisation"),
        sa.UniqueConstraint(
            "person_id", "organisation_id", name="uq_membership_person_id_organisation_id"
        ),
    )
    op.create_index("ix_membership_person_id", "membership", ["person_id"])
    op.create_index("ix_membership_organisation_id", "membership", ["organisation_id"])


def roles() -> None:
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("fund_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("granted_by_id", sa.Uuid(), nullable=True),
        moment("ended_at", empty=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
        refers("role_grant", "person_id", "person"),
        refers("role_grant", "granted_by_id", "person"),
        refers("role_grant", "ended_by_id", "person"),
        sa.CheckConstraint(
            "until_day IS NULL OR until_day >= from_day", name="ck_role_grant_days_in_order"
        ),
        sa.CheckConstraint(
            "granted_by_id IS NULL OR granted_by_id <> person_id", name="ck_role_grant_not_to_self"
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by_id IS NULL)", name="ck_role_grant_ended_by_somebody"
        ),
        sa.CheckConstraint(
            "ended_by_id IS NULL OR ended_by_id <> person_id",
            name="ck_role_grant_not_ended_by_self",
        ),
    )
    op.create_index("ix_role_grant_person_id", "role_grant", ["person_id"])


def links() -> None:
    op.create_table(
        "one_time_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        moment("expires_at"),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("member_role", sa.String(length=40), nullable=True),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        moment("used_at", empty=True),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_link"),
        sa.UniqueConstraint("digest", name="uq_one_time_link_digest"),
        refers("one_time_link", "organisation_id", "organisation"),
        refers("one_time_link", "made_by_id", "person"),
    )


def sessions() -> None:
    op.create_table(
        "web_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        moment("created_at"),
        moment("seen_at"),
        moment("fresh_at"),
        moment("ended_at", empty=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
        sa.UniqueConstraint("digest", name="uq_web_session_digest"),
        refers("web_session", "person_id", "person"),
    )
    op.create_index("ix_web_session_person_id", "web_session", ["person_id"])
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        moment("at"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempt"),
    )
    op.create_index("ix_sign_in_attempt_key_at", "sign_in_attempt", ["key", "at"])
