"""What must be true of the books at any moment, asked of the rows themselves by `portal check`.

The triggers hold all of this; whoever goes around them leaves a trace that is found here. Each
check is one SQL statement that returns the offending rows, and one that counts what was looked at.
"""

from functools import partial

from sqlalchemy import text

from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _

UNEVEN_BOOKINGS = """
SELECT t.source_ref || ': ' || count(e.id) || ' entries, ' || coalesce(sum(e.usd), 0) || ' cents'
FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id
GROUP BY t.id HAVING count(e.id) < 2 OR sum(e.usd) <> 0 ORDER BY t.source_ref
"""

UNEVEN_FUNDS = """
SELECT a.fund_code || ' in ' || t.source_ref || ': ' || sum(e.usd) || ' cents'
FROM ledger_entry e
JOIN ledger_account a ON a.id = e.account_id
JOIN ledger_transaction t ON t.id = e.transaction_id
GROUP BY a.fund_code, t.id HAVING sum(e.usd) <> 0 ORDER BY a.fund_code, t.source_ref
"""

CROOKED_MIRRORS = """
SELECT DISTINCT t.source_ref
FROM ledger_transaction t
CROSS JOIN LATERAL (
    SELECT FROM (
        SELECT account_id, currency, amount, usd FROM ledger_entry
        WHERE transaction_id IN (t.id, t.reverses_id)
    ) AS both_ways
    GROUP BY account_id, currency, abs(amount), abs(usd)
    HAVING sum(sign(amount)) <> 0 OR sum(usd) <> 0
) AS crooked
WHERE t.reverses_id IS NOT NULL ORDER BY t.source_ref
"""

OVERDRAWN = """
SELECT fund_code || ' for ' || source_ref || ': ' || sum(amount_usd_minor) || ' cents'
FROM commitment GROUP BY fund_code, source_ref HAVING sum(amount_usd_minor) < 0
ORDER BY fund_code, source_ref
"""

UNCOVERED = r"""
SELECT t.source_ref
FROM ledger_transaction t
JOIN ledger_entry e ON e.transaction_id = t.id AND e.usd > 0
LEFT JOIN commitment used ON used.movement_ref = t.source_ref || '\:used'
LEFT JOIN commitment returned ON returned.movement_ref = t.source_ref || '\:returned'
LEFT JOIN ledger_transaction undone ON undone.reverses_id = t.id
WHERE t.kind = 'advance_paid'
GROUP BY t.id, used.id, returned.id, undone.id
HAVING coalesce(used.amount_usd_minor, 0) <> -sum(e.usd)
    OR coalesce(returned.amount_usd_minor, 0) <> CASE WHEN undone.id IS NULL THEN 0
        ELSE sum(e.usd) END
ORDER BY t.source_ref
"""

UNTOLD_BOOKINGS = """
WITH booked AS (
    SELECT t.id, t.kind, t.source_ref, t.subject_ref, t.booked_on,
        coalesce(sum(e.usd) FILTER (WHERE e.usd > 0), 0) AS usd,
        encode(sha256(convert_to(string_agg(said.line, chr(10) ORDER BY said.line COLLATE "C"),
            'UTF8')), 'hex') AS entries
    FROM ledger_transaction t
    LEFT JOIN ledger_entry e ON e.transaction_id = t.id
    LEFT JOIN ledger_account a ON a.id = e.account_id
    CROSS JOIN LATERAL (
        SELECT concat_ws(':', a.fund_code, a.kind, e.currency, e.amount, e.usd) AS line
    ) AS said
    GROUP BY t.id
)
SELECT coalesce(b.source_ref, told.facts ->> 'ref')
FROM booked b
FULL JOIN (SELECT * FROM audit_event WHERE subject_kind = 'ledger_transaction') AS told
    ON told.subject_id = b.id
WHERE b.id IS NULL OR told.subject_id IS NULL
    OR told.action <> 'ledger.' || b.kind
    OR told.facts ->> 'ref' IS DISTINCT FROM b.source_ref
    OR told.facts ->> 'subject' IS DISTINCT FROM b.subject_ref
    OR told.facts ->> 'on' IS DISTINCT FROM to_char(b.booked_on, 'YYYY-MM-DD')
    OR told.facts ->> 'usd' IS DISTINCT FROM b.usd::text
    OR told.facts ->> 'entries' <> b.entries
ORDER BY 1
"""
"""The digest of the entries is compared where the event has one: the first bookings had none."""

UNTOLD_COMMITMENTS = """
SELECT coalesce(c.movement_ref, told.facts ->> 'ref')
FROM commitment c
FULL JOIN (SELECT * FROM audit_event WHERE subject_kind = 'commitment') AS told
    ON told.subject_id = c.id
WHERE c.id IS NULL OR told.subject_id IS NULL
    OR told.facts ->> 'ref' IS DISTINCT FROM c.movement_ref
    OR told.facts ->> 'fund' IS DISTINCT FROM c.fund_code
    OR told.facts ->> 'award' IS DISTINCT FROM c.source_ref
    OR told.facts ->> 'usd' IS DISTINCT FROM c.amount_usd_minor::text
ORDER BY 1
"""

UNEVEN_BALANCES = """
WITH counted AS (
    SELECT account_id, currency, grain, starts_on, sum(amount) AS amount, sum(usd) AS usd,
        count(*) AS entries
    FROM ledger_entry CROSS JOIN LATERAL (VALUES
        ('year', make_date(extract(year FROM booked_on)::int, 1, 1)), ('day', booked_on)
    ) AS period (grain, starts_on)
    GROUP BY account_id, currency, grain, starts_on
)
SELECT a.fund_code || ' ' || a.kind || ' in ' || currency || ', ' || grain || ' of ' || starts_on
    || ': ' || coalesce(kept.usd, 0) || ' cents in ' || coalesce(kept.entries, 0)
    || ' entries, by the entries ' || coalesce(counted.usd, 0) || ' in '
    || coalesce(counted.entries, 0)
FROM counted
FULL JOIN ledger_balance kept USING (account_id, currency, grain, starts_on)
LEFT JOIN ledger_account a ON a.id = account_id
WHERE (kept.amount, kept.usd, kept.entries)
    IS DISTINCT FROM (counted.amount, counted.usd, counted.entries)
ORDER BY 1
"""

UNEVEN_COMMITMENTS = """
WITH counted AS (
    SELECT fund_code, grain, starts_on, sum(amount_usd_minor) AS usd, count(*) AS movements
    FROM commitment
    CROSS JOIN LATERAL (SELECT (made_at AT TIME ZONE 'UTC')::date AS made_on) AS day
    CROSS JOIN LATERAL (VALUES
        ('year', make_date(extract(year FROM made_on)::int, 1, 1)), ('day', made_on)
    ) AS period (grain, starts_on)
    GROUP BY fund_code, grain, starts_on
)
SELECT fund_code || ', ' || grain || ' of ' || starts_on || ': ' || coalesce(kept.usd, 0)
    || ' cents, by the movements ' || coalesce(counted.usd, 0)
FROM counted
FULL JOIN commitment_balance kept USING (fund_code, grain, starts_on)
WHERE (kept.usd, kept.movements) IS DISTINCT FROM (counted.usd, counted.movements)
ORDER BY 1
"""

MISDATED = """
SELECT DISTINCT t.source_ref
FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
WHERE e.booked_on <> t.booked_on ORDER BY 1
"""

_BOOKINGS = "SELECT count(*) FROM ledger_transaction"
_FUNDS = "SELECT count(*) FROM ledger_book"
_REVERSALS = "SELECT count(*) FROM ledger_transaction WHERE reverses_id IS NOT NULL"
_COMMITMENTS = "SELECT count(DISTINCT (fund_code, source_ref)) FROM commitment"
_MOVEMENTS = "SELECT count(*) FROM commitment"
_ENTRIES = "SELECT count(*) FROM ledger_entry"
_BALANCES = "SELECT count(*) FROM ledger_balance"
_SET_ASIDE = "SELECT count(*) FROM commitment_balance"
_ADVANCES = "SELECT count(*) FROM ledger_transaction WHERE kind = 'advance_paid'"


def checks() -> list[Check]:
    """Return the checks of the books."""
    rows = (
        (_("Every booking has two entries or more and sums to zero"), UNEVEN_BOOKINGS, _BOOKINGS),
        (_("The books of each fund balance, booking by booking"), UNEVEN_FUNDS, _FUNDS),
        (_("Every reversal mirrors what it reverses"), CROOKED_MIRRORS, _REVERSALS),
        (_("No commitment is below zero"), OVERDRAWN, _COMMITMENTS),
        (_("Every advance took its part out of a commitment"), UNCOVERED, _ADVANCES),
        (_("Every booking is what the audit chain says of it"), UNTOLD_BOOKINGS, _BOOKINGS),
        (_("Every commitment is what the audit chain says of it"), UNTOLD_COMMITMENTS, _MOVEMENTS),
        (_("Every balance by year and day is the sum of its entries"), UNEVEN_BALANCES, _BALANCES),
        (
            _("What is set aside by year and day is the sum of its movements"),
            UNEVEN_COMMITMENTS,
            _SET_ASIDE,
        ),
        (_("Every entry bears the day of its booking"), MISDATED, _ENTRIES),
    )
    return [Check(name, partial(_run, offending, looked_at)) for name, offending, looked_at in rows]


def _run(offending: str, looked_at: str) -> CheckResult:
    found = [str(row) for row in session.scalars(text(offending))]
    return CheckResult(count=int(session.scalar(text(looked_at)) or 0), violations=found)
