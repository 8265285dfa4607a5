"""What must always be true of giving by card, asked of the rows and the books by `portal check`."""

from functools import partial

from sqlalchemy import text

from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _

GIFTS = """
SELECT g.ref || ': ' || g.status FROM card_gift g
LEFT JOIN contribution c ON c.id = g.contribution_id
WHERE g.status = 'paid' AND (c.amount, c.currency, c.fund_code, c.source_ref)
    IS DISTINCT FROM (g.amount, g.currency, g.fund_code, g.charge_id)
    OR (g.status = 'paid') <> EXISTS (SELECT FROM card_movement m
        WHERE m.gift_id = g.id AND m.kind = 'charge')
ORDER BY g.ref
"""

PAYOUTS = """
SELECT p.payout_id || ': ' || coalesce(sum(m.amount - m.fee), 0) || ', not ' || p.amount
FROM card_payout p LEFT JOIN card_movement m
    ON m.payout_id = p.id AND m.currency = p.currency
GROUP BY p.id HAVING coalesce(sum(m.amount - m.fee), 0) <> p.amount
    AND NOT (p.status IN ('failed', 'taken_back') AND count(m.id) = 0)
ORDER BY 1
"""
"""What came to nothing may have been paid over once more, by a later payout."""

CLEARING = """
WITH booked AS (
    SELECT a.fund_code, e.currency, sum(e.amount) AS amount
    FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    WHERE a.kind = 'card_clearing' GROUP BY a.fund_code, e.currency
), held AS (
    SELECT m.fund_code, m.currency, sum(m.amount - m.fee) AS amount
    FROM card_movement m LEFT JOIN card_payout p ON p.id = m.payout_id
    WHERE p.status IS NULL OR p.status NOT IN ('arrived', 'returning')
    GROUP BY m.fund_code, m.currency
)
SELECT coalesce(b.fund_code, h.fund_code) || ': ' || coalesce(b.amount, 0) || ' by the books, '
    || coalesce(h.amount, 0) || ' ' || coalesce(b.currency, h.currency) || ' not paid over'
FROM booked b FULL JOIN held h ON h.fund_code = b.fund_code AND h.currency = b.currency
WHERE coalesce(b.amount, 0) <> coalesce(h.amount, 0)
ORDER BY 1
"""

_GIFTS = "SELECT count(*) FROM card_gift"
_PAYOUTS = "SELECT count(*) FROM card_payout"
_MOVEMENTS = "SELECT count(*) FROM card_movement"


def checks() -> list[Check]:
    """Return the invariants of giving by card."""
    rows = (
        (_("Every gift that was paid by card is a contribution of that money"), GIFTS, _GIFTS),
        (_("Every payout of the card processor is its movements"), PAYOUTS, _PAYOUTS),
        (
            _("Card clearing holds what the card processor has not paid over"),
            CLEARING,
            _MOVEMENTS,
        ),
    )
    return [Check(name, partial(_run, wrong, looked_at)) for name, wrong, looked_at in rows]


def _run(offending: str, looked_at: str) -> CheckResult:
    found = [str(row) for row in session.scalars(text(offending))]
    return CheckResult(count=int(session.scalar(text(looked_at)) or 0), violations=found)
