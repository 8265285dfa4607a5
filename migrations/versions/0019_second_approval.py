"""The database's own hold on payments learns the second approval of large ones, and files.

An order in a file stays in that file; a large one takes two approving officers. The functions of
0011 are replaced, and put back by the way down.

Revision ID: 0019_second_approval
Revises: 0018_write_offs
"""

from alembic import op

revision = "0019_second_approval"
down_revision = "0018_write_offs"
branch_labels = None
depends_on = None

ORDER_STANDS = """
CREATE OR REPLACE FUNCTION payment_order_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    again text[] := CASE WHEN NEW.second_approval THEN ARRAY['approve_again'] END;
    wanted text[] := CASE NEW.status WHEN 'certified' THEN ARRAY['certify']
        WHEN 'approved_once' THEN ARRAY['approve', 'certify']
        WHEN 'approved' THEN again || ARRAY['approve', 'certify']
        WHEN 'released' THEN again || ARRAY['approve', 'certify', 'release'] END;
    signed text[];
    moving text[] := ARRAY['version', 'status', 'instruction_id', 'file_id', 'accepted_at',
        'agent_reference', 'paid_on',
        'confirmed_by_id', 'confirmed_at', 'acknowledged_by_id', 'acknowledged_at',
        'returned_on', 'remark'];
    acknowledging text[] := ARRAY['version', 'acknowledged_by_id', 'acknowledged_at', 'file_id',
        'accepted_at'];
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
            OR (NEW.file_id, NEW.accepted_at) IS DISTINCT FROM (OLD.file_id, OLD.accepted_at)
            AND (OLD.status <> 'released' OR NEW.file_id IS NULL
                OR OLD.file_id IS NOT NULL AND NEW.file_id <> OLD.file_id
                OR OLD.accepted_at IS NOT NULL)
        THEN
            RAISE EXCEPTION 'the order is %: it stands still', OLD.status
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('prepared', 'certified'), ('certified', 'approved'),
        ('certified', 'approved_once'), ('approved_once', 'approved'),
        ('approved_once', 'cancelled'), ('approved', 'released'),
        ('released', 'confirmed'), ('released', 'rejected'),
        ('confirmed', 'returned'), ('prepared', 'cancelled'), ('certified', 'cancelled'),
        ('approved', 'cancelled'))
    THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.file_id, NEW.accepted_at) IS DISTINCT FROM (OLD.file_id, OLD.accepted_at) THEN
        RAISE EXCEPTION 'a payment that moves stays in its file'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'certified' AND NEW.status <> 'cancelled'
        AND NEW.second_approval <> (NEW.status = 'approved_once')
    THEN
        RAISE EXCEPTION 'this payment takes another number of approvals'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT array_agg(step ORDER BY step) INTO signed FROM payment_approval
        WHERE order_id = NEW.id AND digest = NEW.digest;
    IF wanted IS NOT NULL AND signed IS DISTINCT FROM
        (SELECT array_agg(step ORDER BY step) FROM unnest(wanted) AS step)
    THEN
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
CREATE OR REPLACE FUNCTION payment_approval_sign() RETURNS trigger LANGUAGE plpgsql AS $$
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
        (('certify', 'prepared'), ('approve', 'certified'), ('approve_again', 'approved_once'),
        ('release', 'approved'))
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
            WHEN 'approve' THEN 'approving_officer'
            WHEN 'approve_again' THEN 'approving_officer' WHEN 'release' THEN 'treasury' END
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
CREATE OR REPLACE FUNCTION instalment_is_its_orders() RETURNS trigger LANGUAGE plpgsql AS $$
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
           COALESCE(bool_or(status IN
           ('prepared', 'certified', 'approved_once', 'approved', 'released')), false)
        INTO paid, under_way FROM payment_order WHERE instalment_id = planned.id;
    IF planned.paid_usd <> paid OR (planned.status = 'ordered') <> under_way THEN
        RAISE EXCEPTION 'instalment % is not what its orders say', planned.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

ORDER_STANDS_BEFORE = """
CREATE OR REPLACE FUNCTION payment_order_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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

APPROVAL_SIGN_BEFORE = """
CREATE OR REPLACE FUNCTION payment_approval_sign() RETURNS trigger LANGUAGE plpgsql AS $$
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

MATCHES_BEFORE = """
CREATE OR REPLACE FUNCTION instalment_is_its_orders() RETURNS trigger LANGUAGE plpgsql AS $$
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


def upgrade() -> None:
    for body in (ORDER_STANDS, APPROVAL_SIGN, MATCHES):
        op.execute(body)


def downgrade() -> None:
    for body in (ORDER_STANDS_BEFORE, APPROVAL_SIGN_BEFORE, MATCHES_BEFORE):
        op.execute(body)
