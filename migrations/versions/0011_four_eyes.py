"""Payments held by the database: four eyes and the ceiling, where no page can be gone around.

An order is exactly what was signed; three people of the right roles sign in turn, none of them
works for the grantee or entered the account; what replaces verified bank details waits; what is
paid stays within the award and US$ 5,000; a file closes when nothing is left.

Revision ID: 0011_four_eyes
Revises: 0010_payments
"""

from alembic import op

revision = "0011_four_eyes"
down_revision = "0010_payments"
branch_labels = None
depends_on = None

BANK_ENTER = """
CREATE FUNCTION bank_details_enter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'entered' OR NEW.checked_at IS NOT NULL OR NEW.verified_at IS NOT NULL THEN
        RAISE EXCEPTION 'bank details begin unverified'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM FROM award WHERE id = NEW.award_id FOR UPDATE;
    IF NEW.payable_from < NEW.entered_at + interval '48 hours' AND EXISTS (
        SELECT FROM bank_details WHERE award_id = NEW.award_id AND verified_at IS NOT NULL)
    THEN
        RAISE EXCEPTION 'what replaces verified bank details is payable after 48 hours'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

BANK_STANDS = """
CREATE FUNCTION bank_details_stand() RETURNS trigger LANGUAGE plpgsql AS $$
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

ORDER_PREPARE = """
CREATE FUNCTION payment_order_prepare() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    granted award%ROWTYPE;
    planned bigint;
    details bank_details%ROWTYPE;
    ordered bigint;
    aside bigint;
BEGIN
    SELECT award.* INTO granted FROM award JOIN instalment ON instalment.award_id = award.id
        WHERE instalment.id = NEW.instalment_id FOR UPDATE OF award;
    SELECT planned_usd INTO planned FROM instalment WHERE id = NEW.instalment_id;
    SELECT * INTO details FROM bank_details WHERE id = NEW.bank_details_id FOR SHARE;
    IF NEW.status <> 'prepared' OR NEW.instruction_id IS NOT NULL THEN
        RAISE EXCEPTION 'a payment begins as prepared'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF granted.status <> 'active' THEN
        RAISE EXCEPTION 'award % is %: nothing is paid', granted.ref, granted.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF details.award_id <> granted.id OR details.status <> 'verified'
        OR details.payable_from > NEW.prepared_at
    THEN
        RAISE EXCEPTION 'only the award''s own verified bank details are paid to, after their pause'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.digest <> encode(sha256(convert_to(format(
        '{"amount":%s,"amount_usd":%s,"currency":"%s","order":"%s","payee":"%s","rail":"%s"}',
        NEW.amount, NEW.amount_usd, NEW.currency, NEW.ref, details.digest, NEW.rail),
        'UTF8')), 'hex')
    THEN
        RAISE EXCEPTION 'the digest is not that of the order'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT COALESCE(SUM(amount_usd), 0) + NEW.amount_usd INTO ordered
        FROM payment_order JOIN instalment ON instalment.id = payment_order.instalment_id
        WHERE instalment.award_id = granted.id
        AND payment_order.status NOT IN ('rejected', 'returned', 'cancelled');
    IF NEW.amount_usd > planned OR ordered > granted.amount_usd
        OR granted.micro_grant AND ordered > 500000
    THEN
        RAISE EXCEPTION 'payments of % US cents are above the award or its instalment', ordered
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT COALESCE(SUM(amount_usd_minor), 0) INTO aside FROM commitment
        WHERE source_ref = granted.ref;
    IF NEW.amount_usd > aside THEN
        RAISE EXCEPTION 'only % US cents are set aside for award %', aside, granted.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

ORDER_STANDS = """
CREATE FUNCTION payment_order_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text[] := CASE NEW.status WHEN 'certified' THEN ARRAY['certify']
        WHEN 'approved' THEN ARRAY['approve', 'certify']
        WHEN 'released' THEN ARRAY['approve', 'certify', 'release'] END;
    signed text[];
    moving text[] := ARRAY['version', 'status', 'instruction_id', 'agent_reference', 'paid_on',
        'confirmed_by_id', 'confirmed_at', 'acknowledged_by_id', 'acknowledged_at',
        'returned_on', 'remark'];
    acknowledging text[] := ARRAY['version', 'acknowledged_by_id', 'acknowledged_at'];
    granted award%ROWTYPE;
    paid bigint;
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) THEN
        RAISE EXCEPTION 'what was signed stands: another amount or payee is another order'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = OLD.status THEN
        IF (to_jsonb(NEW) - acknowledging) IS DISTINCT FROM (to_jsonb(OLD) - acknowledging)
            OR OLD.acknowledged_at IS NOT NULL AND (NEW.acknowledged_at, NEW.acknowledged_by_id)
            IS DISTINCT FROM (OLD.acknowledged_at, OLD.acknowledged_by_id)
        THEN
            RAISE EXCEPTION 'the order is %: it stands still', OLD.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('prepared', 'certified'), ('certified', 'approved'),
        ('approved', 'released'), ('released', 'confirmed'), ('released', 'rejected'),
        ('confirmed', 'returned'), ('prepared', 'cancelled'), ('certified', 'cancelled'),
        ('approved', 'cancelled'))
    THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT array_agg(step ORDER BY step) INTO signed FROM payment_approval
        WHERE order_id = NEW.id AND digest = NEW.digest;
    IF wanted IS NOT NULL AND signed IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'a signature is missing: an order is not % without it', NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.instruction_id IS DISTINCT FROM OLD.instruction_id AND NEW.status <> 'released')
        OR ((NEW.agent_reference, NEW.paid_on, NEW.confirmed_by_id, NEW.confirmed_at)
            IS DISTINCT FROM
            (OLD.agent_reference, OLD.paid_on, OLD.confirmed_by_id, OLD.confirmed_at)
            AND NEW.status <> 'confirmed')
    THEN
        RAISE EXCEPTION 'what became of an order stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'confirmed' THEN
        IF EXISTS (SELECT FROM payment_approval
            WHERE order_id = NEW.id AND person_id = NEW.confirmed_by_id)
        THEN
            RAISE EXCEPTION 'who signed a payment does not confirm it'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT award.* INTO granted FROM award JOIN instalment ON instalment.award_id = award.id
            WHERE instalment.id = NEW.instalment_id FOR UPDATE OF award;
        SELECT COALESCE(SUM(amount_usd), 0) + NEW.amount_usd INTO paid
            FROM payment_order JOIN instalment ON instalment.id = payment_order.instalment_id
            WHERE instalment.award_id = granted.id AND payment_order.status = 'confirmed';
        IF paid > granted.amount_usd OR granted.micro_grant AND paid > 500000 THEN
            RAISE EXCEPTION '% US cents paid are above the award', paid
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

APPROVAL_SIGN = """
CREATE FUNCTION payment_approval_sign() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    signed payment_order%ROWTYPE;
    details bank_details%ROWTYPE;
    stands_at text;
    whose uuid;
    fund text;
    place text;
    today date := (NEW.at AT TIME ZONE 'UTC')::date;
BEGIN
    SELECT * INTO signed FROM payment_order WHERE id = NEW.order_id FOR UPDATE;
    SELECT * INTO details FROM bank_details WHERE id = signed.bank_details_id FOR SHARE;
    SELECT award.status, application.organisation_id, call.fund_code, application.country
        INTO stands_at, whose, fund, place
        FROM instalment JOIN award ON award.id = instalment.award_id
        JOIN application ON application.id = award.application_id
        JOIN call ON call.id = application.call_id
        WHERE instalment.id = signed.instalment_id;
    IF NEW.digest <> signed.digest THEN
        RAISE EXCEPTION 'this is not the digest of the order'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.step, signed.status) NOT IN
        (('certify', 'prepared'), ('approve', 'certified'), ('release', 'approved'))
    THEN
        RAISE EXCEPTION 'an order that is % is not for %', signed.status, NEW.step
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.person_id = details.entered_by_id OR EXISTS (SELECT FROM membership
        WHERE person_id = NEW.person_id AND organisation_id = whose AND left_at IS NULL)
    THEN
        RAISE EXCEPTION 'who entered the bank details, or works for the grantee, signs nothing'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF details.status <> 'verified' OR stands_at <> 'active' THEN
        RAISE EXCEPTION 'bank details are %, the award is %: nothing is signed',
            details.status, stands_at USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM role_grant WHERE person_id = NEW.person_id
        AND role = CASE NEW.step WHEN 'certify' THEN 'certifying_officer'
            WHEN 'approve' THEN 'approving_officer' WHEN 'release' THEN 'treasury' END
        AND COALESCE(fund_code, fund) = fund AND COALESCE(country, place) = place
        AND from_day <= today AND COALESCE(until_day, today) >= today AND ended_at IS NULL)
    THEN
        RAISE EXCEPTION 'the person does not hold the role of this step'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

MATCHES = """
CREATE FUNCTION instalment_is_its_orders() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    planned instalment%ROWTYPE;
    paid bigint;
    under_way boolean;
BEGIN
    IF TG_TABLE_NAME = 'instalment' THEN
        SELECT * INTO planned FROM instalment WHERE id = NEW.id;
    ELSE
        SELECT * INTO planned FROM instalment WHERE id = NEW.instalment_id;
    END IF;
    SELECT COALESCE(SUM(amount_usd) FILTER (WHERE status = 'confirmed'), 0),
           COALESCE(bool_or(status IN ('prepared', 'certified', 'approved', 'released')), false)
        INTO paid, under_way FROM payment_order WHERE instalment_id = planned.id;
    IF planned.paid_usd <> paid OR (planned.status = 'ordered') <> under_way THEN
        RAISE EXCEPTION 'instalment % is not what its orders say', planned.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

CLOSING = """
CREATE FUNCTION award_closes_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM instalment
            WHERE award_id = NEW.id AND status NOT IN ('paid', 'lapsed'))
        OR EXISTS (SELECT FROM receivable WHERE award_id = NEW.id AND status = 'open')
        OR (SELECT COALESCE(SUM(amount_usd_minor), 0) FROM commitment
            WHERE source_ref = NEW.ref) <> 0
    THEN
        RAISE EXCEPTION 'award % is not settled: it cannot be closed', NEW.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

RECEIVABLE_STANDS = """
CREATE FUNCTION receivable_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'settled' OR NEW.status <> 'settled'
        OR (OLD.id, OLD.award_id, OLD.amount_usd, OLD.due_on, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.award_id, NEW.amount_usd, NEW.due_on, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what a grantee owes is settled once, and never changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

KEPT = """
CREATE FUNCTION payment_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'everything about payments is kept: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

FUNCTIONS = {
    "bank_details_enter": BANK_ENTER,
    "bank_details_stand": BANK_STANDS,
    "payment_order_prepare": ORDER_PREPARE,
    "payment_order_stands": ORDER_STANDS,
    "payment_approval_sign": APPROVAL_SIGN,
    "instalment_is_its_orders": MATCHES,
    "award_closes_settled": CLOSING,
    "receivable_stands": RECEIVABLE_STANDS,
    "payment_is_kept": KEPT,
}

TABLES = ("receivable", "payment_approval", "payment_order", "bank_details")

TRIGGERS = (
    ("bank_details", "enter", "BEFORE INSERT", "ROW", "bank_details_enter"),
    ("bank_details", "stand", "BEFORE UPDATE", "ROW", "bank_details_stand"),
    ("payment_order", "prepare", "BEFORE INSERT", "ROW", "payment_order_prepare"),
    ("payment_order", "stands", "BEFORE UPDATE", "ROW", "payment_order_stands"),
    ("payment_approval", "sign", "BEFORE INSERT", "ROW", "payment_approval_sign"),
    ("payment_approval", "stands", "BEFORE UPDATE", "ROW", "payment_is_kept"),
    ("receivable", "stands", "BEFORE UPDATE", "ROW", "receivable_stands"),
    *((table, "kept", "BEFORE DELETE", "ROW", "payment_is_kept") for table in TABLES),
    *(
        (table, "not_emptied", "BEFORE TRUNCATE", "STATEMENT", "payment_is_kept")
        for table in TABLES
    ),
)


def upgrade() -> None:
    for body in FUNCTIONS.values():
        op.execute(body)
    for table, name, event, level, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_{name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
    for table, event in (("instalment", "UPDATE"), ("payment_order", "INSERT OR UPDATE")):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_is_its_orders AFTER {event} ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION instalment_is_its_orders()"
        )
    op.execute(
        "CREATE TRIGGER award_closes_settled BEFORE UPDATE ON award FOR EACH ROW "
        "WHEN (NEW.status = 'closed' AND OLD.status <> 'closed') "
        "EXECUTE FUNCTION award_closes_settled()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER award_closes_settled ON award")
    for table in ("instalment", "payment_order"):
        op.execute(f"DROP TRIGGER {table}_is_its_orders ON {table}")
    for table, name, *_ in TRIGGERS:
        op.execute(f"DROP TRIGGER {table}_{name} ON {table}")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
