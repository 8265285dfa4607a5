"""What must always be true of payments by card that came back too late.

Each check is one SQL statement that returns a sentence for each violation, and one that counts.
"""

from functools import partial

from sqlalchemy import text

from portal.core.audit import untold
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _

SETTLED = """
SELECT o.ref || ': ' || l.settled_usd || ' US cents are settled, and people said so of '
    || coalesce(said.cents, 0)
FROM late_return l JOIN payment_order o ON o.id = l.order_id
LEFT JOIN LATERAL (SELECT sum(amount_usd)::bigint AS cents FROM late_outcome
    WHERE late_id = l.id AND booking_ref <> '' AND undone_at IS NULL) AS said ON true
WHERE l.settled_usd <> coalesce(said.cents, 0) ORDER BY 1
"""

BOOKED = r"""
SELECT o.ref || ': ' || said.amount_usd || ' US cents by what was said, '
    || coalesce(booked.cents, 0) || ' in the books as ' || said.booking_ref
FROM late_outcome said JOIN late_return l ON l.id = said.late_id
JOIN payment_order o ON o.id = l.order_id
LEFT JOIN LATERAL (SELECT sum(e.usd)::bigint AS cents FROM ledger_transaction t
    JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account c ON c.id = e.account_id AND c.kind = 'suspense'
    WHERE t.source_ref = said.booking_ref OR t.reverses_id = (SELECT id FROM ledger_transaction
        WHERE source_ref = said.booking_ref)) AS booked ON true
WHERE said.booking_ref <> '' AND coalesce(booked.cents, 0) <>
    CASE WHEN said.undone_at IS NULL THEN said.amount_usd ELSE 0 END
UNION ALL
SELECT o.ref || ': ' || said.netted_usd || ' US cents of the debt fell away by what was said, '
    || coalesce(booked.cents, 0) || ' in the books'
FROM late_outcome said JOIN late_return l ON l.id = said.late_id
JOIN payment_order o ON o.id = l.order_id
LEFT JOIN LATERAL (SELECT sum(e.usd)::bigint AS cents FROM ledger_transaction t
    JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account c ON c.id = e.account_id AND c.kind = 'advances_to_grantees'
    WHERE t.source_ref = said.booking_ref || '\:owed') AS booked ON true
WHERE said.way = 'again' AND said.netted_usd <> coalesce(booked.cents, 0)
ORDER BY 1
"""
"""What was taken back is reversed: both bookings together are nothing."""

TWO = """
SELECT o.ref || ': what came back too late is settled by one person, or by a signatory'
FROM late_outcome s JOIN late_return l ON l.id = s.late_id
JOIN payment_order o ON o.id = l.order_id
WHERE s.way <> 'refund' AND s.booking_ref <> '' AND s.by_id IS NOT DISTINCT FROM s.confirmed_by_id
OR EXISTS (SELECT FROM payment_approval p JOIN payment_order attempt ON attempt.id = p.order_id
    WHERE attempt.instalment_id = o.instalment_id AND s.undone_at IS NULL
    AND p.person_id IN (s.by_id, s.confirmed_by_id)
    AND (attempt.attempt <= o.attempt OR s.way = 'again' AND s.booking_ref <> ''))
ORDER BY 1
"""

SIGNATURES = """
SELECT o.id, o.ref, 'payment_order.' || told.act AS act, told.person_id, told.at,
    'amount_usd' AS fact, s.amount_usd::text AS value
FROM late_outcome s JOIN late_return l ON l.id = s.late_id JOIN payment_order o ON o.id = l.order_id
CROSS JOIN LATERAL (VALUES
    (CASE s.way WHEN 'refund' THEN 'late_refund' ELSE 'late_said' END, s.by_id, s.at),
    ('late_confirmed', s.confirmed_by_id, s.confirmed_at),
    ('late_taken_back', s.undone_by_id, s.undone_at)) AS told(act, person_id, at)
WHERE told.person_id IS NOT NULL
"""

_RETURNS = "SELECT count(*) FROM late_return"
_OUTCOMES = "SELECT count(*) FROM late_outcome"


def checks() -> list[Check]:
    """Return the invariants of what came back too late by card."""
    rows = (
        (_("What came back too late by card is what people said it is"), SETTLED, _RETURNS),
        (_("What people said of it stands in the books"), BOOKED, _OUTCOMES),
        (_("Nobody alone says that it is made anew or stays with the fund"), TWO, _OUTCOMES),
    )
    return [
        *(Check(name, partial(_run, offending, looked_at)) for name, offending, looked_at in rows),
        Check(_("What was said of it is by whom the audit chain names"), _told),
    ]


def _run(offending: str, looked_at: str) -> CheckResult:
    found = [str(row) for row in session.scalars(text(offending))]
    return CheckResult(count=int(session.scalar(text(looked_at)) or 0), violations=found)


def _told() -> CheckResult:
    count, denied = untold(SIGNATURES)
    wrong = [
        _("%(ref)s: the chain names somebody else, or another time, for %(act)s.", ref=ref, act=act)
        for ref, act in denied
    ]
    return CheckResult(count, wrong)
