"""Donors, pledges, agreements and money received, with the triggers that hold them.

An agreement is confirmed by a second person who is a finance officer of the fund, its instalments
sum to it, and what settles it never exceeds it. Receipts are numbered through each fund and year
without a gap. Nothing that arrived is without its booking; nothing is edited or removed.

Revision ID: 0014_contributions
Revises: 0013_balances
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_contributions"
down_revision = "0013_balances"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

DONOR_STANDS = """
CREATE FUNCTION donor_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.merged_into_id IS NOT NULL THEN
        RAISE EXCEPTION 'a donor that was merged into another stands as it is'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.id, OLD.ref, OLD.created_at, OLD.created_by_id)
        IS DISTINCT FROM (NEW.id, NEW.ref, NEW.created_at, NEW.created_by_id)
    THEN
        RAISE EXCEPTION 'who recorded a donor, and when, stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.merged_into_id IS NOT NULL AND EXISTS (SELECT FROM donor
        WHERE id = NEW.merged_into_id AND merged_into_id IS NOT NULL)
    THEN
        RAISE EXCEPTION 'a donor is merged into one that stands for itself'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

EARMARK_STANDS = """
CREATE FUNCTION earmark_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.retired_at IS NOT NULL
        OR (to_jsonb(NEW) - 'retired_at') IS DISTINCT FROM (to_jsonb(OLD) - 'retired_at')
    THEN
        RAISE EXCEPTION 'what an earmark says stands; it can be retired, once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

MERGED = """
CREATE FUNCTION donor_moves_by_merging(was uuid, becomes uuid) RETURNS boolean LANGUAGE sql AS $$
    SELECT was = becomes OR EXISTS (SELECT FROM donor WHERE id = was AND merged_into_id = becomes)
$$
"""

PLEDGE_STANDS = """
CREATE FUNCTION pledge_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'donor_id', 'withdrawn_by_id', 'withdrawn_at',
        'remark'];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR NOT donor_moves_by_merging(OLD.donor_id, NEW.donor_id)
        OR NEW.status = OLD.status AND (to_jsonb(NEW) - ARRAY['version', 'donor_id'])
            IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['version', 'donor_id'])
    THEN
        RAISE EXCEPTION 'what was pledged stands: another amount is another pledge'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status <> 'announced' OR NEW.status = 'agreed'
        AND NOT EXISTS (SELECT FROM contribution_agreement
            WHERE pledge_id = NEW.id AND confirmed_at IS NOT NULL))
    THEN
        RAISE EXCEPTION 'a pledge cannot go from % to % now', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

BEGINS = """
CREATE FUNCTION contribution_agreement_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'draft' OR NEW.settled <> 0 THEN
        RAISE EXCEPTION 'an agreement begins as a draft'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

AGREEMENT_STANDS = """
CREATE FUNCTION contribution_agreement_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'donor_id', 'settled', 'cancelled',
        'confirmed_by_id', 'confirmed_at', 'cancelled_by_id', 'cancelled_at', 'remark'];
    today date := (NEW.confirmed_at AT TIME ZONE 'UTC')::date;
BEGIN
    IF NEW.ref <> OLD.ref OR NEW.fund_code <> OLD.fund_code THEN
        RAISE EXCEPTION 'an agreement keeps its reference and its fund'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'draft' AND NEW.status = 'draft' THEN
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR NOT donor_moves_by_merging(OLD.donor_id, NEW.donor_id)
        OR OLD.confirmed_at IS NOT NULL AND (OLD.confirmed_by_id, OLD.confirmed_at)
            IS DISTINCT FROM (NEW.confirmed_by_id, NEW.confirmed_at)
        OR OLD.status = 'cancelled' AND (to_jsonb(NEW) - ARRAY['version', 'donor_id'])
            IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['version', 'donor_id'])
    THEN
        RAISE EXCEPTION 'what was signed stands: another amount is another agreement'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('draft', 'in_force'),
        ('draft', 'cancelled'), ('in_force', 'fulfilled'), ('in_force', 'cancelled'),
        ('fulfilled', 'in_force'))
    THEN
        RAISE EXCEPTION 'an agreement cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'draft' AND NEW.status = 'in_force' AND NOT EXISTS (SELECT FROM role_grant
        WHERE person_id = NEW.confirmed_by_id AND role = 'finance_officer'
        AND COALESCE(fund_code, NEW.fund_code) = NEW.fund_code AND country IS NULL
        AND from_day <= today AND COALESCE(until_day, today) >= today AND ended_at IS NULL)
    THEN
        RAISE EXCEPTION 'a finance officer of the fund confirms an agreement'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

INSTALMENTS_STAND = """
CREATE FUNCTION agreement_instalments_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM contribution_agreement WHERE status <> 'draft'
        AND id = CASE TG_OP WHEN 'INSERT' THEN NEW.agreement_id ELSE OLD.agreement_id END)
    THEN
        RAISE EXCEPTION 'the schedule of a confirmed agreement stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""

ADDS_UP = """
CREATE FUNCTION agreement_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid;
    agreed contribution_agreement%ROWTYPE;
    planned bigint;
    arrived bigint;
BEGIN
    IF TG_TABLE_NAME = 'contribution_agreement' THEN
        whose := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        whose := OLD.agreement_id;
    ELSE
        whose := NEW.agreement_id;
    END IF;
    SELECT * INTO agreed FROM contribution_agreement WHERE id = whose;
    SELECT COALESCE(sum(amount), 0) INTO planned FROM agreement_instalment
        WHERE agreement_id = whose;
    SELECT COALESCE(sum(settles), 0) INTO arrived FROM contribution
        WHERE agreement_id = whose AND status <> 'annulled';
    IF agreed.amount <> planned THEN
        RAISE EXCEPTION 'the instalments of agreement % sum to %', agreed.ref, planned
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF agreed.settled <> arrived THEN
        RAISE EXCEPTION 'agreement % says % is settled, contributions say %', agreed.ref,
            agreed.settled, arrived USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF agreed.confirmed_at IS NOT NULL AND NOT EXISTS (SELECT FROM ledger_transaction
        WHERE source_ref = agreed.ref AND kind = 'contribution_agreed')
    THEN
        RAISE EXCEPTION 'agreement % is not in the books', agreed.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

RECEIVE = """
CREATE FUNCTION contribution_receive() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    agreed contribution_agreement%ROWTYPE;
    following integer;
BEGIN
    IF NEW.status <> 'received' OR NEW.edition <> 1 THEN
        RAISE EXCEPTION 'a contribution begins as received'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM FROM ledger_book WHERE fund_code = NEW.fund_code FOR UPDATE;
    SELECT COALESCE(max(receipt_number), 0) + 1 INTO following FROM contribution
        WHERE fund_code = NEW.fund_code AND receipt_year = NEW.receipt_year;
    IF NEW.receipt_number <> following THEN
        RAISE EXCEPTION 'the next receipt of % in % is number %', NEW.fund_code,
            NEW.receipt_year, following USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.agreement_id IS NOT NULL THEN
        SELECT * INTO agreed FROM contribution_agreement WHERE id = NEW.agreement_id FOR UPDATE;
        IF agreed.confirmed_at IS NULL OR agreed.fund_code <> NEW.fund_code
            OR agreed.donor_id <> NEW.donor_id
        THEN
            RAISE EXCEPTION 'money settles a confirmed agreement of its own fund and donor'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

CONTRIBUTION_STANDS = """
CREATE FUNCTION contribution_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'edition', 'donor_id'];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR NOT donor_moves_by_merging(OLD.donor_id, NEW.donor_id)
        OR NEW.edition NOT IN (OLD.edition, OLD.edition + 1)
    THEN
        RAISE EXCEPTION 'what arrived stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

AS_BOOKED = """
CREATE FUNCTION contribution_is_as_booked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given contribution%ROWTYPE;
    back bigint;
    contested boolean;
    lost boolean;
    annulled boolean;
    taken bigint;
    stands text;
BEGIN
    IF TG_TABLE_NAME = 'contribution' THEN
        SELECT * INTO given FROM contribution WHERE id = NEW.id;
    ELSE
        SELECT * INTO given FROM contribution WHERE id = NEW.contribution_id;
    END IF;
    SELECT COALESCE(sum(amount), 0), COALESCE(bool_or(annuls), false) INTO back, annulled
        FROM contribution_refund WHERE contribution_id = given.id;
    SELECT COALESCE(sum(amount) FILTER (WHERE status <> 'won'), 0),
        COALESCE(bool_or(status = 'open'), false), COALESCE(bool_or(status = 'lost'), false)
        INTO taken, contested, lost FROM contribution_dispute WHERE contribution_id = given.id;
    stands := CASE WHEN annulled THEN 'annulled'
        WHEN contested THEN 'disputed' WHEN lost THEN 'lost'
        WHEN back = given.amount THEN 'refunded' WHEN back > 0 THEN 'partly_refunded'
        ELSE 'received' END;
    IF back + taken > given.amount THEN
        RAISE EXCEPTION 'more went back of contribution % than arrived', given.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF given.status <> stands THEN
        RAISE EXCEPTION 'contribution % is %, not %', given.ref, stands, given.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (
        SELECT 'contribution:' || given.source_ref UNION ALL
        SELECT 'contribution:' || source_ref FROM contribution_refund
            WHERE contribution_id = given.id UNION ALL
        SELECT 'contribution:' || source_ref FROM contribution_dispute
            WHERE contribution_id = given.id
        EXCEPT SELECT source_ref FROM ledger_transaction
    ) THEN
        RAISE EXCEPTION 'contribution % is not in the books', given.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

DISPUTE_STANDS = """
CREATE FUNCTION contribution_dispute_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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

KEPT = """
CREATE FUNCTION contribution_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'everything about contributions is kept: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

FUNCTIONS = (
    ("donor_stands()", DONOR_STANDS),
    ("earmark_stands()", EARMARK_STANDS),
    ("donor_moves_by_merging(uuid, uuid)", MERGED),
    ("pledge_stands()", PLEDGE_STANDS),
    ("contribution_agreement_begins()", BEGINS),
    ("contribution_agreement_stands()", AGREEMENT_STANDS),
    ("agreement_instalments_stand()", INSTALMENTS_STAND),
    ("agreement_adds_up()", ADDS_UP),
    ("contribution_receive()", RECEIVE),
    ("contribution_stands()", CONTRIBUTION_STANDS),
    ("contribution_is_as_booked()", AS_BOOKED),
    ("contribution_dispute_stands()", DISPUTE_STANDS),
    ("contribution_is_kept()", KEPT),
)

TABLES = (
    "contribution_receipt",
    "contribution_dispute",
    "contribution_refund",
    "contribution",
    "agreement_instalment",
    "contribution_agreement",
    "pledge",
    "earmark",
    "donor",
)

TRIGGERS = (
    ("donor", "stands", "BEFORE UPDATE", "ROW", "donor_stands"),
    ("earmark", "stands", "BEFORE UPDATE", "ROW", "earmark_stands"),
    ("pledge", "stands", "BEFORE UPDATE", "ROW", "pledge_stands"),
    ("contribution_agreement", "begins", "BEFORE INSERT", "ROW", "contribution_agreement_begins"),
    ("contribution_agreement", "stands", "BEFORE UPDATE", "ROW", "contribution_agreement_stands"),
    (
        "agreement_instalment",
        "stands",
        "BEFORE INSERT OR UPDATE OR DELETE",
        "ROW",
        "agreement_instalments_stand",
    ),
    ("contribution", "receive", "BEFORE INSERT", "ROW", "contribution_receive"),
    ("contribution", "stands", "BEFORE UPDATE", "ROW", "contribution_stands"),
    ("contribution_refund", "stands", "BEFORE UPDATE", "ROW", "contribution_is_kept"),
    ("contribution_dispute", "stands", "BEFORE UPDATE", "ROW", "contribution_dispute_stands"),
    ("contribution_receipt", "stands", "BEFORE UPDATE", "ROW", "contribution_is_kept"),
    *(
        (table, "kept", "BEFORE DELETE", "ROW", "contribution_is_kept")
        for table in TABLES
        if table != "agreement_instalment"
    ),
    *(
        (table, "not_emptied", "BEFORE TRUNCATE", "STATEMENT", "contribution_is_kept")
        for table in TABLES
    ),
)

DEFERRED = (
    ("contribution_agreement", "adds_up", "INSERT OR UPDATE", "agreement_adds_up"),
    ("agreement_instalment", "adds_up", "INSERT OR UPDATE OR DELETE", "agreement_adds_up"),
    ("contribution", "is_as_booked", "INSERT OR UPDATE", "contribution_is_as_booked"),
    ("contribution_refund", "is_as_booked", "INSERT", "contribution_is_as_booked"),
    ("contribution_dispute", "is_as_booked", "INSERT OR UPDATE", "contribution_is_as_booked"),
)


def _id(table: str) -> tuple[sa.Column[object], sa.PrimaryKeyConstraint]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def _points_at(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def _checks(table: str, **rules: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=f"ck_{table}_{name}") for name, rule in rules.items()]


def _donor() -> None:
    op.create_table(
        "donor",
        *_id("donor"),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("unnamed", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("merged_by_id", sa.Uuid(), nullable=True),
        sa.Column("merged_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _points_at("donor", "created_by_id", "person"),
        _points_at("donor", "merged_into_id", "donor"),
        _points_at("donor", "merged_by_id", "person"),
        sa.UniqueConstraint("ref", name="uq_donor_ref"),
        *_checks(
            "donor",
            email_length="length(email) <= 254",
            merged_by_somebody=(
                "(merged_into_id IS NULL) = (merged_at IS NULL) AND (merged_into_id IS NULL) "
                "= (merged_by_id IS NULL) AND (merged_into_id IS NULL OR merged_into_id <> "
                "id)"
            ),
            name_length="length(name) BETWEEN 1 AND 300",
            state_has_a_country="kind <> 'state' OR country IS NOT NULL",
            country_is_iso3="country ~ '^[A-Z]{3}$'",
        ),
    )
    op.create_index("ix_donor_merged_into_id", "donor", ["merged_into_id"])
    op.create_index(
        "uq_donor_state",
        "donor",
        ["country"],
        unique=True,
        postgresql_where=sa.text("kind = 'state' AND merged_into_id IS NULL"),
    )


def _earmark() -> None:
    op.create_table(
        "earmark",
        *_id("earmark"),
        sa.Column("fund_code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        _points_at("earmark", "call_id", "call"),
        _points_at("earmark", "created_by_id", "person"),
        *_checks(
            "earmark",
            title_length="length(title) BETWEEN 1 AND 200",
            country_is_iso3="country ~ '^[A-Z]{3}$'",
        ),
    )
    op.create_index(
        "uq_earmark_title",
        "earmark",
        ["fund_code", "title"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )


def _pledge() -> None:
    op.create_table(
        "pledge",
        *_id("pledge"),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("donor_id", sa.Uuid(), nullable=False),
        sa.Column("fund_code", sa.String(), nullable=False),
        sa.Column("earmark_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("announced_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _points_at("pledge", "donor_id", "donor"),
        _points_at("pledge", "earmark_id", "earmark"),
        _points_at("pledge", "recorded_by_id", "person"),
        _points_at("pledge", "withdrawn_by_id", "person"),
        sa.UniqueConstraint("ref", name="uq_pledge_ref"),
        *_checks(
            "pledge",
            amount_positive="amount > 0 AND amount_usd > 0",
            withdrawn_by_somebody=(
                "(status = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (withdrawn_at IS "
                "NULL) = (withdrawn_by_id IS NULL)"
            ),
            dollars_are_dollars="currency <> 'USD' OR amount = amount_usd",
            currency_is_iso="currency ~ '^[A-Z]{3}$'",
        ),
    )
    op.create_index("ix_pledge_donor_id", "pledge", ["donor_id"])
    op.create_index("ix_pledge_fund_code_status", "pledge", ["fund_code", "status"])


def _contribution_agreement() -> None:
    op.create_table(
        "contribution_agreement",
        *_id("contribution_agreement"),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("donor_id", sa.Uuid(), nullable=False),
        sa.Column("pledge_id", sa.Uuid(), nullable=True),
        sa.Column("fund_code", sa.String(), nullable=False),
        sa.Column("earmark_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("usd_at_signature", sa.BigInteger(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=False),
        sa.Column("drafted_at", MOMENT, nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("cancelled_by_id", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _points_at("contribution_agreement", "donor_id", "donor"),
        _points_at("contribution_agreement", "pledge_id", "pledge"),
        _points_at("contribution_agreement", "earmark_id", "earmark"),
        _points_at("contribution_agreement", "paper_id", "stored_file"),
        _points_at("contribution_agreement", "drafted_by_id", "person"),
        _points_at("contribution_agreement", "confirmed_by_id", "person"),
        _points_at("contribution_agreement", "cancelled_by_id", "person"),
        sa.UniqueConstraint("ref", name="uq_contribution_agreement_ref"),
        *_checks(
            "contribution_agreement",
            a_second_person_confirms="confirmed_by_id <> drafted_by_id",
            moved_by_somebody=(
                "(confirmed_by_id IS NULL) = (confirmed_at IS NULL) AND (cancelled_by_id IS "
                "NULL) = (cancelled_at IS NULL) AND (status = 'cancelled') = (cancelled_at IS "
                "NOT NULL)"
            ),
            amount_positive="amount > 0 AND usd_at_signature > 0",
            dollars_are_dollars="currency <> 'USD' OR amount = usd_at_signature",
            currency_is_iso="currency ~ '^[A-Z]{3}$'",
            status_follows_the_money=(
                "CASE status WHEN 'draft' THEN confirmed_at IS NULL AND settled = 0 AND "
                "cancelled = 0 WHEN 'in_force' THEN confirmed_at IS NOT NULL AND settled < "
                "amount AND cancelled = 0 WHEN 'fulfilled' THEN confirmed_at IS NOT NULL AND "
                "settled = amount ELSE cancelled = CASE WHEN confirmed_at IS NULL THEN 0 ELSE "
                "amount - settled END END"
            ),
            never_more_than_agreed=(
                "settled >= 0 AND cancelled >= 0 AND settled + cancelled <= amount"
            ),
            confirmed_on_signed_paper="confirmed_at IS NULL OR paper_id IS NOT NULL",
        ),
    )
    op.create_index("ix_contribution_agreement_donor_id", "contribution_agreement", ["donor_id"])
    op.create_index(
        "ix_contribution_agreement_fund_code_status",
        "contribution_agreement",
        ["fund_code", "status"],
    )
    op.create_index(
        "uq_contribution_agreement_live_per_pledge",
        "contribution_agreement",
        ["pledge_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'cancelled'"),
    )


def _agreement_instalment() -> None:
    op.create_table(
        "agreement_instalment",
        *_id("agreement_instalment"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _points_at("agreement_instalment", "agreement_id", "contribution_agreement"),
        sa.UniqueConstraint(
            "agreement_id", "number", name="uq_agreement_instalment_agreement_id_number"
        ),
        *_checks(
            "agreement_instalment",
            number_positive="number > 0",
            amount_positive="amount > 0",
        ),
    )


def _contribution() -> None:
    op.create_table(
        "contribution",
        *_id("contribution"),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("donor_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("settles", sa.BigInteger(), nullable=True),
        sa.Column("earmark_id", sa.Uuid(), nullable=True),
        sa.Column("fund_code", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("means", sa.String(40), nullable=False),
        sa.Column("source_ref", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("receipt_year", sa.Integer(), nullable=False),
        sa.Column("receipt_number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _points_at("contribution", "donor_id", "donor"),
        _points_at("contribution", "agreement_id", "contribution_agreement"),
        _points_at("contribution", "earmark_id", "earmark"),
        _points_at("contribution", "recorded_by_id", "person"),
        sa.UniqueConstraint("source_ref", name="uq_contribution_source_ref"),
        sa.UniqueConstraint(
            "fund_code",
            "receipt_year",
            "receipt_number",
            name="uq_contribution_fund_code_receipt_year_receipt_number",
        ),
        sa.UniqueConstraint("ref", name="uq_contribution_ref"),
        *_checks(
            "contribution",
            receipt_of_its_year=(
                "receipt_number > 0 AND receipt_year = extract(year FROM received_on)"
            ),
            edition_positive="edition > 0",
            currency_is_iso="currency ~ '^[A-Z]{3}$'",
            dollars_are_dollars="currency <> 'USD' OR amount = amount_usd",
            source_ref_is_a_code="source_ref ~ '^[A-Za-z0-9._:/-]{1,200}$'",
            settles_an_agreement=(
                "(agreement_id IS NULL) = (settles IS NULL) AND (settles IS NULL OR settles > 0)"
            ),
            amount_positive="amount > 0 AND amount_usd > 0",
        ),
    )
    op.create_index("ix_contribution_agreement_id", "contribution", ["agreement_id"])
    op.create_index("ix_contribution_donor_id", "contribution", ["donor_id"])
    op.create_index(
        "ix_contribution_fund_code_received_on", "contribution", ["fund_code", "received_on"]
    )


def _contribution_refund() -> None:
    op.create_table(
        "contribution_refund",
        *_id("contribution_refund"),
        sa.Column("contribution_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("refunded_on", sa.Date(), nullable=False),
        sa.Column("source_ref", sa.String(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("annuls", sa.Boolean(), nullable=False),
        _points_at("contribution_refund", "contribution_id", "contribution"),
        _points_at("contribution_refund", "recorded_by_id", "person"),
        sa.UniqueConstraint("source_ref", name="uq_contribution_refund_source_ref"),
        *_checks(
            "contribution_refund",
            source_ref_is_a_code="source_ref ~ '^[A-Za-z0-9._:/-]{1,200}$'",
            amount_positive="amount > 0 AND amount_usd > 0",
            annuls_for_a_reason="NOT annuls OR reason <> ''",
        ),
    )
    op.create_index(
        "ix_contribution_refund_contribution_id", "contribution_refund", ["contribution_id"]
    )


def _contribution_dispute() -> None:
    op.create_table(
        "contribution_dispute",
        *_id("contribution_dispute"),
        sa.Column("contribution_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_usd", sa.BigInteger(), nullable=False),
        sa.Column("disputed_on", sa.Date(), nullable=False),
        sa.Column("source_ref", sa.String(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        _points_at("contribution_dispute", "contribution_id", "contribution"),
        sa.UniqueConstraint("source_ref", name="uq_contribution_dispute_source_ref"),
        *_checks(
            "contribution_dispute",
            ended_on_a_day="(status = 'open') = (ended_on IS NULL)",
            source_ref_is_a_code="source_ref ~ '^[A-Za-z0-9._:/-]{1,200}$'",
            amount_positive="amount > 0 AND amount_usd > 0",
        ),
    )
    op.create_index(
        "ix_contribution_dispute_contribution_id", "contribution_dispute", ["contribution_id"]
    )
    op.create_index(
        "uq_contribution_dispute_open",
        "contribution_dispute",
        ["contribution_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )


def _contribution_receipt() -> None:
    op.create_table(
        "contribution_receipt",
        *_id("contribution_receipt"),
        sa.Column("contribution_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        _points_at("contribution_receipt", "contribution_id", "contribution"),
        _points_at("contribution_receipt", "document_id", "stored_file"),
        sa.UniqueConstraint(
            "contribution_id", "edition", name="uq_contribution_receipt_contribution_id_edition"
        ),
    )


def upgrade() -> None:
    _donor()
    _earmark()
    _pledge()
    _contribution_agreement()
    _agreement_instalment()
    _contribution()
    _contribution_refund()
    _contribution_dispute()
    _contribution_receipt()
    for _name, body in FUNCTIONS:
        op.execute(body)
    for table, name, event, level, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
    for table, name, event, function in DEFERRED:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_{name} AFTER {event} ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE CONSTRAINT TRIGGER contribution_adds_up AFTER INSERT OR UPDATE ON contribution "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.agreement_id IS NOT NULL) "
        "EXECUTE FUNCTION agreement_adds_up()"
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for name, _body in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
