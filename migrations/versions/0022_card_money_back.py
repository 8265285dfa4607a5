"""Money that comes back at the card processor: refunds by two people, and what fails afterwards.

A refund waits for a second person before it is sent; one that failed after it was booked is taken
back, reversed in the books. A payout may fail after it arrived, and is debited by the bank; what it
was made up of may be paid over by a later one. What the processor takes for the account itself is
a movement of its own.

Revision ID: 0022_card_money_back
Revises: 0021_paid_after_all
"""

import sqlalchemy as sa
from alembic import op

revision = "0022_card_money_back"
down_revision = "0021_paid_after_all"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

REFUND_TAKEN_BACK = """
CREATE FUNCTION contribution_refund_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.taken_back_on IS NOT NULL OR NEW.taken_back_on IS NULL
        OR (to_jsonb(NEW) - 'taken_back_on') IS DISTINCT FROM (to_jsonb(OLD) - 'taken_back_on')
    THEN
        RAISE EXCEPTION 'a refund is taken back once, and nothing else of it changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

REFUND_BEGINS = """
CREATE FUNCTION card_refund_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> (CASE WHEN NEW.asked_by_id IS NULL THEN 'asked' ELSE 'proposed' END)
        OR NEW.call_id IS NOT NULL OR NEW.confirmed_by_id IS NOT NULL OR NEW.closed_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'a refund begins by waiting for a second person'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

REFUND_STANDS = """
CREATE OR REPLACE FUNCTION card_refund_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['version', 'status', 'refund_id', 'remark', 'call_id',
        'confirmed_by_id', 'confirmed_at', 'closed_by_id', 'closed_at'];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR OLD.refund_id IS NOT NULL AND NEW.refund_id IS DISTINCT FROM OLD.refund_id
    THEN
        RAISE EXCEPTION 'what a row of card_refund says stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (('proposed', 'asked'),
        ('proposed', 'withdrawn'), ('asked', 'done'), ('asked', 'failed'), ('done', 'failed'))
    THEN
        RAISE EXCEPTION 'a refund cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.status, NEW.status) = ('proposed', 'asked') THEN
        IF NEW.confirmed_by_id IS NULL OR NEW.call_id IS NULL THEN
            RAISE EXCEPTION 'a second person confirms a refund before it is sent'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF (NEW.call_id, NEW.confirmed_by_id, NEW.confirmed_at)
        IS DISTINCT FROM (OLD.call_id, OLD.confirmed_by_id, OLD.confirmed_at)
    THEN
        RAISE EXCEPTION 'what was confirmed stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.closed_by_id, NEW.closed_at) IS DISTINCT FROM (OLD.closed_by_id, OLD.closed_at)
        AND (OLD.closed_at IS NOT NULL OR NEW.status = 'failed' AND OLD.status <> 'failed')
        OR OLD.status IN ('failed', 'withdrawn') AND (NEW.refund_id, NEW.remark)
            IS DISTINCT FROM (OLD.refund_id, OLD.remark)
    THEN
        RAISE EXCEPTION 'a refund that is over stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

PAYOUT_STANDS = """
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

MOVEMENT_STANDS = """
CREATE OR REPLACE FUNCTION card_movement_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'payout_id') IS DISTINCT FROM (to_jsonb(OLD) - 'payout_id')
        OR NEW.payout_id IS DISTINCT FROM OLD.payout_id AND (NEW.payout_id IS NULL
            OR EXISTS (SELECT FROM card_payout WHERE id = OLD.payout_id
                AND status NOT IN ('failed', 'taken_back')))
    THEN
        RAISE EXCEPTION 'what a row of card_movement says stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""

BEFORE = {
    "card_refund": ("'version', 'status', 'refund_id', 'remark'", "OLD.status = 'failed'"),
    "card_payout": (
        "'version', 'status', 'arrived_on', 'arrival_ref'",
        "OLD.status = 'arrived'",
    ),
    "card_movement": ("'payout_id'", "OLD.payout_id IS NOT NULL"),
}
"""What could change of each table before this revision, and when nothing could any more."""


def stood(table: str) -> str:
    moving, over = BEFORE[table]
    return f"""
CREATE OR REPLACE FUNCTION {table}_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY[{moving}];
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) OR ({over}
        AND (to_jsonb(NEW) - ARRAY['version', 'looked_at'])
            IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['version', 'looked_at']))
    THEN
        RAISE EXCEPTION 'what a row of {table} says stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def as_booked(standing: str, reversed_too: str) -> str:
    """Return what holds a contribution to its refunds, disputes and the books.

    `standing` narrows the refunds that count, `reversed_too` adds bookings that have to be there.
    """
    return f"""
CREATE OR REPLACE FUNCTION contribution_is_as_booked() RETURNS trigger LANGUAGE plpgsql AS $$
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
        FROM contribution_refund WHERE contribution_id = given.id{standing};
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
            WHERE contribution_id = given.id UNION ALL{reversed_too}
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


TAKEN_BACK = r"""
        SELECT 'contribution:' || source_ref || '\:reversed' FROM contribution_refund
            WHERE contribution_id = given.id AND taken_back_on IS NOT NULL UNION ALL"""

CHECKS = {
    "contribution_refund": {
        "only_payments_come_back": ("NOT annuls OR taken_back_on IS NULL", None),
    },
    "card_refund": {
        "asked_by_a_call": (
            "asked_by_id IS NULL OR status IN ('proposed', 'withdrawn') OR call_id IS NOT NULL",
            "asked_by_id IS NULL OR call_id IS NOT NULL",
        ),
        "two_people": ("confirmed_by_id <> asked_by_id", None),
        "confirmed_by_somebody": ("(confirmed_at IS NULL) = (confirmed_by_id IS NULL)", None),
        "closed_by_somebody": (
            (
                "(closed_at IS NULL) = (closed_by_id IS NULL) "
                "AND (status <> 'withdrawn' OR closed_at IS NOT NULL) "
                "AND (closed_at IS NULL OR status IN ('withdrawn', 'failed'))"
            ),
            None,
        ),
    },
    "card_payout": {
        "arrived_by_a_line": (
            (
                "(status IN ('arrived', 'returning', 'taken_back')) = (arrival_ref IS NOT NULL) "
                "AND (arrival_ref IS NULL) = (arrived_on IS NULL)"
            ),
            (
                "(status = 'arrived') = (arrival_ref IS NOT NULL) "
                "AND (arrival_ref IS NULL) = (arrived_on IS NULL)"
            ),
        ),
        "taken_back_by_a_line": (
            (
                "(status = 'taken_back') = (back_ref IS NOT NULL) "
                "AND (back_ref IS NULL) = (back_on IS NULL)"
            ),
            None,
        ),
    },
    "card_movement": {
        "in_or_out": (
            (
                "kind = 'account_fee' OR (amount > 0) = "
                "(kind IN ('charge', 'refund_failed', 'dispute_won', 'grant_returned'))"
            ),
            "(kind IN ('charge', 'refund_failed', 'dispute_won', 'grant_returned')) = (amount > 0)",
        ),
        "of_a_gift_or_a_grant": (
            "(kind IN ('grant_paid', 'grant_returned', 'account_fee')) = (gift_id IS NULL)",
            "(kind IN ('grant_paid', 'grant_returned')) = (gift_id IS NULL)",
        ),
    },
}
"""What each row has to be, by table and name: from this revision on, and before it (or None)."""


def upgrade() -> None:
    op.add_column("contribution_refund", sa.Column("taken_back_on", sa.Date(), nullable=True))
    for person, moment in (("confirmed_by_id", "confirmed_at"), ("closed_by_id", "closed_at")):
        op.add_column("card_refund", sa.Column(person, sa.Uuid(), nullable=True))
        op.add_column("card_refund", sa.Column(moment, MOMENT, nullable=True))
        op.create_foreign_key(f"fk_card_refund_{person}", "card_refund", "person", [person], ["id"])
    op.add_column("card_payout", sa.Column("back_on", sa.Date(), nullable=True))
    op.add_column("card_payout", sa.Column("back_ref", sa.String(), nullable=True))
    op.create_unique_constraint("uq_card_payout_back_ref", "card_payout", ["back_ref"])
    hold(now=True)
    for body in (
        REFUND_TAKEN_BACK,
        REFUND_BEGINS,
        REFUND_STANDS,
        PAYOUT_STANDS,
        MOVEMENT_STANDS,
        as_booked(" AND taken_back_on IS NULL", TAKEN_BACK),
    ):
        op.execute(body)
    ask_of_refunds("contribution_refund_stands", "INSERT OR UPDATE")
    op.execute(
        "CREATE TRIGGER card_refund_begins BEFORE INSERT ON card_refund "
        "FOR EACH ROW EXECUTE FUNCTION card_refund_begins()"
    )
    op.execute("ALTER TABLE card_refund ENABLE ALWAYS TRIGGER card_refund_begins")


def downgrade() -> None:
    op.execute("DROP TRIGGER card_refund_begins ON card_refund")
    ask_of_refunds("contribution_is_kept", "INSERT")
    for table in BEFORE:
        op.execute(stood(table))
    op.execute(as_booked("", ""))
    op.execute("DROP FUNCTION contribution_refund_stands()")
    op.execute("DROP FUNCTION card_refund_begins()")
    hold(now=False)
    op.drop_column("contribution_refund", "taken_back_on")
    for column in ("confirmed_by_id", "confirmed_at", "closed_by_id", "closed_at"):
        op.drop_column("card_refund", column)
    for column in ("back_on", "back_ref"):
        op.drop_column("card_payout", column)


def hold(*, now: bool) -> None:
    """Have rows held to the checks of this revision, or to those before it."""
    for table, checks in CHECKS.items():
        for name, (since, before) in checks.items():
            there, wanted = (before, since) if now else (since, before)
            if there is not None:
                op.drop_constraint(f"ck_{table}_{name}", table, type_="check")
            if wanted is not None:
                op.create_check_constraint(f"ck_{table}_{name}", table, wanted)


def ask_of_refunds(stands: str, asked_on: str) -> None:
    """Set what holds a refund of a contribution still, and when its contribution is looked at."""
    table = "contribution_refund"
    op.execute(f"DROP TRIGGER {table}_stands ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_stands BEFORE UPDATE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {stands}()"
    )
    op.execute(f"DROP TRIGGER {table}_is_as_booked ON {table}")
    op.execute(
        f"CREATE CONSTRAINT TRIGGER {table}_is_as_booked AFTER {asked_on} ON {table} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION contribution_is_as_booked()"
    )
