"""Matching: which order, agreement, refund or payout a line is about. One SQL statement for each.

Only what leaves no doubt is matched: the bank's reference is ours, and nothing else fits. Of a
payment, a file and a payout the amount is the one that is waited for; donors and grantees pay in
parts, so that of an agreement and a refund it may be any, and what is more than is open waits. A
line that names an agreement and an award waits as well. Everything else a person decides.
"""

from sqlalchemy import text

from portal.core.db import session
from portal.payments.statements import rules
from portal.payments.statements.models import Statement

ORDERS_PAID = """
UPDATE statement_line l SET purpose = 'payment', order_id = found.order_id, version = l.version + 1
FROM (
    SELECT DISTINCT ON (o.id) l.id, o.id AS order_id
    FROM statement_line l JOIN payment_order o ON o.ref = l.end_to_end_id
    JOIN payment_file f ON f.id = o.file_id AND f.bank_account_id = l.bank_account_id
    WHERE l.statement_id = :statement AND l.amount < 0 AND NOT l.is_return
    AND o.rail = 'bank' AND o.currency = l.currency AND o.amount = -l.amount
    AND o.status IN ('released', 'confirmed', 'returned')
    AND NOT EXISTS (SELECT FROM statement_line other WHERE other.order_id = o.id
        AND other.purpose = 'payment')
    ORDER BY o.id, l.number
) AS found WHERE found.id = l.id
"""

ORDERS_RETURNED = """
UPDATE statement_line l SET purpose = 'return', order_id = found.order_id, version = l.version + 1
FROM (
    SELECT DISTINCT ON (o.id) l.id, o.id AS order_id
    FROM statement_line l JOIN payment_order o ON o.ref = l.end_to_end_id
    JOIN payment_file f ON f.id = o.file_id AND f.bank_account_id = l.bank_account_id
    WHERE l.statement_id = :statement AND l.amount > 0 AND l.is_return
    AND o.rail = 'bank' AND o.currency = l.currency AND o.amount >= l.amount
    AND o.status IN ('released', 'confirmed', 'returned')
    AND NOT EXISTS (SELECT FROM statement_line other WHERE other.order_id = o.id
        AND other.purpose = 'return')
    AND NOT EXISTS (SELECT FROM statement_line claimed WHERE claimed.end_to_end_id = o.ref
        AND claimed.amount < 0 AND claimed.status = 'suspense')
    ORDER BY o.id, l.number
) AS found WHERE found.id = l.id
"""

FILES_PAID = """
UPDATE statement_line l SET purpose = 'payment', target_ref = found.message_id,
    version = l.version + 1
FROM (
    SELECT DISTINCT ON (f.id) l.id, f.message_id
    FROM statement_line l JOIN payment_file f ON f.message_id = l.batch_id
        AND f.bank_account_id = l.bank_account_id
    CROSS JOIN LATERAL (
        SELECT sum(o.amount) AS amount FROM payment_order o WHERE o.file_id = f.id
        AND o.currency = l.currency AND o.status IN ('released', 'confirmed')
    ) AS whole
    WHERE l.statement_id = :statement AND l.amount < 0 AND l.purpose IS NULL AND l.batch_id <> ''
    AND l.end_to_end_id = '' AND whole.amount = -l.amount
    AND NOT EXISTS (SELECT FROM statement_allocation a JOIN payment_order o ON o.id = a.order_id
        WHERE o.file_id = f.id AND a.purpose = 'payment' AND a.undone_at IS NULL)
    ORDER BY f.id, l.number
) AS found WHERE found.id = l.id
"""

AGREEMENTS = """
UPDATE statement_line l SET purpose = 'contribution', target_ref = found.ref,
    version = l.version + 1
FROM (
    SELECT l.id, min(c.ref) AS ref
    FROM statement_line l CROSS JOIN LATERAL unnest(l.named) AS name
    JOIN contribution_agreement c ON c.ref = name
    JOIN bank_account b ON b.id = l.bank_account_id AND b.fund_code = c.fund_code
    WHERE l.statement_id = :statement AND l.amount > 0 AND NOT l.is_return AND l.purpose IS NULL
    AND c.status = 'in_force'
    AND NOT EXISTS (SELECT FROM award w WHERE w.ref = ANY(l.named))
    GROUP BY l.id HAVING count(*) = 1
) AS found WHERE found.id = l.id
"""

REFUNDS = """
UPDATE statement_line l SET purpose = 'refund', receivable_id = found.receivable_id,
    version = l.version + 1
FROM (
    SELECT l.id, (array_agg(DISTINCT r.id))[1] AS receivable_id
    FROM statement_line l CROSS JOIN LATERAL unnest(l.named) AS name
    JOIN award w ON w.ref = name
    JOIN receivable r ON r.award_id = w.id AND r.status IN ('open', 'partly_paid')
    JOIN application ap ON ap.id = w.application_id JOIN call c ON c.id = ap.call_id
    JOIN bank_account b ON b.id = l.bank_account_id AND b.fund_code = c.fund_code
    WHERE l.statement_id = :statement AND l.amount > 0 AND NOT l.is_return AND l.purpose IS NULL
    AND l.currency = 'USD'
    AND NOT EXISTS (SELECT FROM contribution_agreement c WHERE c.ref = ANY(l.named))
    GROUP BY l.id HAVING count(DISTINCT r.id) = 1
) AS found WHERE found.id = l.id
"""

PAYOUTS = """
UPDATE statement_line l SET purpose = 'card_payout', target_ref = found.payout_id,
    version = l.version + 1
FROM (
    SELECT l.id, coalesce(min(p.payout_id) FILTER (WHERE name.is_its_own), min(p.payout_id))
        AS payout_id
    FROM statement_line l JOIN card_payout p ON p.amount = l.amount AND p.currency = l.currency
    CROSS JOIN LATERAL (
        SELECT upper(replace(p.payout_id, '_', '')) = ANY(l.named) AS is_its_own
    ) AS name
    WHERE l.statement_id = :statement AND l.amount > 0 AND NOT l.is_return AND l.purpose IS NULL
    AND p.status = 'paid' AND (name.is_its_own OR 'STRIPE' = ANY(l.named))
    GROUP BY l.id HAVING count(*) FILTER (WHERE name.is_its_own) = 1 OR count(*) = 1
) AS found WHERE found.id = l.id
"""

CHARGES = """
UPDATE statement_line SET purpose = 'bank_charge', version = version + 1
WHERE statement_id = :statement AND amount < 0 AND purpose IS NULL AND end_to_end_id = ''
AND string_to_array(bank_code, '/') && CAST(:charges AS text[])
"""

STEPS = (ORDERS_PAID, ORDERS_RETURNED, FILES_PAID, AGREEMENTS, REFUNDS, PAYOUTS, CHARGES)
MATCHED = """
SELECT count(*) FROM statement_line
WHERE statement_id = :statement AND purpose IS NOT NULL AND purpose <> 'bank_charge'
"""


def match(statement: Statement) -> int:
    """Match the lines of a statement, and return how many were matched. Eight SQL statements."""
    values: dict[str, object] = {"statement": statement.id, "charges": sorted(rules.CHARGES)}
    for step in STEPS:
        session.execute(text(step), values)
    return int(session.scalar(text(MATCHED), values) or 0)
