"""What must always be true of statements and write-offs, asked of the rows themselves.

Each check is one SQL statement that returns a sentence for each violation, and one that counts.
"""

from functools import partial

from sqlalchemy import func, select, text

from portal.core import clock
from portal.core.audit import untold
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.payments.models import PaymentOrder
from portal.payments.statements.models import ReturnProposal, StatementLine
from portal.payments.statements.overtaking import is_overtaken
from portal.payments.statements.queries.silence import UNBOOKED_AFTER

SUMS = """
SELECT s.statement_id || ': from ' || s.opening || ' by ' || coalesce(sum(l.amount), 0) || ' to '
    || s.closing || ' minor units, ' || count(l.id) || ' lines'
FROM statement s LEFT JOIN statement_line l ON l.statement_id = s.id
GROUP BY s.id HAVING s.opening + coalesce(sum(l.amount), 0) <> s.closing
    OR count(l.id) <> s.line_count ORDER BY 1
"""

CONTINUES = """
SELECT s.statement_id || ' begins with ' || s.opening || ', the one before it ended with '
    || coalesce(before.closing::text, 'nothing')
FROM statement s LEFT JOIN statement before ON before.id = s.previous_id
WHERE s.previous_id IS NOT NULL AND (before.closing IS DISTINCT FROM s.opening
    OR before.bank_account_id <> s.bank_account_id)
UNION ALL
SELECT min(s.statement_id) || ' is one of ' || count(*) || ' first statements of an account'
FROM statement s WHERE s.previous_id IS NULL GROUP BY s.bank_account_id HAVING count(*) > 1
ORDER BY 1
"""

ONCE = r"""
WITH lying AS (
    SELECT l.*, (SELECT coalesce(sum(a.amount), 0) FROM statement_allocation a
            WHERE a.line_id = l.id AND a.undone_at IS NULL AND a.purpose <> 'send_back')
            - l.amount AS unexplained,
        EXISTS (SELECT FROM payment_order o WHERE o.ref = l.end_to_end_id) AS is_named,
        EXISTS (SELECT FROM payment_file f WHERE f.message_id = l.batch_id) AS is_batch
    FROM statement_line l WHERE l.status <> 'booked' AND l.amount < 0 AND NOT l.is_return
), debit AS (
    SELECT o.id AS order_id, o.instalment_id, l.id AS line_id
    FROM lying l JOIN payment_order o ON o.amount <= l.unexplained AND o.rail = 'bank'
    LEFT JOIN payment_file f ON f.id = o.file_id
    WHERE CASE WHEN l.is_named THEN l.end_to_end_id = o.ref
        WHEN o.ref = ANY(l.named) THEN true
        WHEN l.is_batch THEN l.batch_id = f.message_id
        ELSE o.status IN ('rejected', 'returned') AND o.amount = -l.amount
            AND l.bank_account_id = f.bank_account_id END
), attempt AS (
    SELECT o.id, o.instalment_id, o.ref,
        (SELECT coalesce(-sum(a.amount), 0)::numeric FROM statement_allocation a
            WHERE a.order_id = o.id AND a.purpose = 'payment' AND a.undone_at IS NULL) / o.amount
        AS paid,
        (SELECT count(*) FROM ledger_transaction t
            WHERE t.source_ref IN (o.ref || '\:credited', o.ref || '\:after-all\:credited')
            AND NOT EXISTS (SELECT FROM ledger_transaction u WHERE u.reverses_id = t.id)) AS back
    FROM payment_order o WHERE o.rail = 'bank'
), instalment AS (
    SELECT instalment_id, string_agg(ref, ', ' ORDER BY ref) AS refs, sum(back) AS back,
        sum(paid) + (SELECT count(DISTINCT d.line_id) FROM debit d
            WHERE d.instalment_id = attempt.instalment_id) AS debits,
        max(paid - back + (SELECT count(*) FROM debit d WHERE d.order_id = attempt.id)) AS most
    FROM attempt GROUP BY instalment_id
)
SELECT refs || ': the bank debited ' || trim_scale(round(debits, 2))
    || ' times what is paid once, and ' || back || ' came back'
FROM instalment WHERE debits - back > 1 OR most > 1 ORDER BY 1
"""
"""Over all attempts to pay an instalment: what came back, or cancels out in suspense, is no
payment. A debit of a payment that the bank had refused counts as well, once as much of it as the
payment is not explained; a charge for the payment is less. Lines are asked as R22 asks them: a
debit under no name of ours counts where its amount is that of a payment given up."""

AS_NAMED = """
SELECT l.reference || ' names ' || l.end_to_end_id || ' and is booked as ' || a.target_ref
FROM statement_allocation a JOIN statement_line l ON l.id = a.line_id
JOIN payment_order named ON named.ref = l.end_to_end_id
WHERE a.purpose IN ('payment', 'return') AND a.undone_at IS NULL AND a.order_id <> named.id
ORDER BY 1
"""

SAME_SET = """
WITH told AS (
    SELECT b.fund_code, min(s.from_on) AS since, max(s.to_on) AS until
    FROM statement s JOIN bank_account b ON b.id = s.bank_account_id GROUP BY b.fund_code
), debited AS (
    SELECT DISTINCT a.order_id FROM statement_allocation a
    WHERE a.purpose = 'payment' AND a.undone_at IS NULL
)
SELECT o.ref || CASE WHEN d.order_id IS NULL THEN ' is paid, and no line of the bank says so'
    ELSE ' is ' || o.status || ', and the bank debited it' END
FROM payment_order o LEFT JOIN debited d ON d.order_id = o.id
LEFT JOIN payment_file f ON f.id = o.file_id
LEFT JOIN bank_account b ON b.id = f.bank_account_id
LEFT JOIN told t ON t.fund_code = b.fund_code
WHERE d.order_id IS NOT NULL AND o.status NOT IN ('confirmed', 'returned')
    OR d.order_id IS NULL AND o.rail = 'bank' AND o.status = 'confirmed'
    AND o.paid_on BETWEEN t.since AND t.until
ORDER BY 1
"""
"""A notice may come before its statement: what was paid after the latest one is not asked for."""

BOOKED_LINES = r"""
WITH part AS (
    SELECT a.line_id, a.amount, a.booking_ref, a.from_suspense, l.currency, b.fund_code,
        l.reference
    FROM statement_allocation a JOIN statement_line l ON l.id = a.line_id
    JOIN bank_account b ON b.id = l.bank_account_id
    WHERE a.undone_at IS NULL AND a.booking_ref <> ''
)
SELECT p.reference || ': ' || p.amount || ' by the line, ' || coalesce(booked.amount, 0)
    || ' in the books as ' || p.booking_ref
FROM part p LEFT JOIN LATERAL (
    SELECT sum(e.amount) AS amount FROM ledger_transaction t
    JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account c ON c.id = e.account_id
    WHERE t.source_ref IN (p.booking_ref, p.booking_ref || '\:above',
        p.booking_ref || '\:charge')
    AND c.fund_code = p.fund_code AND c.kind IN ('bank', 'suspense') AND e.currency = p.currency
    AND (c.kind = 'bank' OR p.from_suspense AND t.kind <> 'card_payout')
) AS booked ON true
WHERE booked.amount IS DISTINCT FROM p.amount
    AND NOT (p.from_suspense AND p.booking_ref ~ '\:(settled|credited)(\:[0-9]+)?$')
    AND NOT EXISTS (SELECT FROM ledger_transaction t WHERE t.source_ref = p.booking_ref
        AND t.kind = 'card_payout' AND p.from_suspense)
ORDER BY 1
"""

MOVED = r"""
WITH said AS (
    SELECT b.fund_code, l.currency, sum(l.amount) AS amount FROM statement_line l
    JOIN bank_account b ON b.id = l.bank_account_id
    WHERE l.status <> 'waiting' GROUP BY b.fund_code, l.currency
), booked AS (
    SELECT c.fund_code, e.currency, sum(e.amount) AS amount FROM ledger_entry e
    JOIN ledger_account c ON c.id = e.account_id AND c.kind = 'bank'
    JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE t.source_ref LIKE 'line:%' OR t.source_ref LIKE 'contribution:line:%'
        OR t.source_ref IN (SELECT a.booking_ref || told.part FROM statement_allocation a
            CROSS JOIN (VALUES (''), ('\:charge')) AS told(part)
            WHERE a.order_id IS NOT NULL AND a.undone_at IS NULL)
    GROUP BY c.fund_code, e.currency
)
SELECT coalesce(s.fund_code, k.fund_code) || ' ' || coalesce(s.currency, k.currency) || ': '
    || coalesce(s.amount, 0) || ' by the lines, ' || coalesce(k.amount, 0) || ' in the books'
FROM said s FULL JOIN booked k ON k.fund_code = s.fund_code AND k.currency = s.currency
WHERE coalesce(s.amount, 0) <> coalesce(k.amount, 0) ORDER BY 1
"""
"""What the books moved in the account because of lines. Notices that come before their statement,
and payments by a paying agent, are of no line yet, or never."""

AGREES = r"""
WITH said AS (
    SELECT b.id, b.fund_code, b.currency, s.closing FROM statement s
    JOIN bank_account b ON b.id = s.bank_account_id
    WHERE NOT EXISTS (SELECT FROM statement later WHERE later.previous_id = s.id)
), closing AS (
    SELECT fund_code, currency, sum(closing - coalesce(unbooked.amount, 0)) AS amount FROM said
    LEFT JOIN LATERAL (SELECT sum(l.amount) AS amount FROM statement_line l
        WHERE l.bank_account_id = said.id AND l.status = 'waiting') AS unbooked ON true
    GROUP BY fund_code, currency
), booked AS (
    SELECT c.fund_code, e.currency, sum(e.amount) AS amount, coalesce(sum(e.amount) FILTER (
        WHERE t.source_ref ~ '\:(settled|credited)$' AND NOT EXISTS (
            SELECT FROM statement_allocation a
            WHERE a.booking_ref = t.source_ref AND a.undone_at IS NULL)
        AND NOT EXISTS (SELECT FROM ledger_transaction u WHERE u.reverses_id = t.id)), 0)
        AS noticed
    FROM ledger_entry e JOIN ledger_account c ON c.id = e.account_id AND c.kind = 'bank'
    JOIN ledger_transaction t ON t.id = e.transaction_id GROUP BY c.fund_code, e.currency
)
SELECT c.fund_code || ' ' || c.currency || ': ' || c.amount || ' by the latest statement, '
    || coalesce(k.amount - k.noticed, 0) || ' in the books without what only notices tell of'
FROM closing c LEFT JOIN booked k ON k.fund_code = c.fund_code AND k.currency = c.currency
WHERE c.amount <> coalesce(k.amount - k.noticed, 0) ORDER BY 1
"""
"""A notice may come before its statement; a line that is still to be booked is in no book."""

HELD = """
SELECT c.fund_code || ' ' || e.currency || ': ' || sum(e.amount)
    || ' in the books at the bank, and the fund has no account in that currency'
FROM ledger_entry e JOIN ledger_account c ON c.id = e.account_id AND c.kind = 'bank'
WHERE NOT EXISTS (SELECT FROM bank_account b WHERE b.fund_code = c.fund_code
    AND b.currency = e.currency AND b.confirmed_at IS NOT NULL)
AND EXISTS (SELECT FROM bank_account b
    WHERE b.fund_code = c.fund_code AND b.confirmed_at IS NOT NULL)
GROUP BY c.fund_code, e.currency HAVING sum(e.amount) <> 0 ORDER BY 1
"""
"""Of funds whose accounts are known: before the first is, there is nothing to compare with. An
account that is closed was one. What was booked by mistake and reversed is nothing."""

SUSPENSE = """
WITH lying AS (
    SELECT b.fund_code, l.currency, sum(l.amount - coalesce(taken.amount, 0)) AS amount
    FROM statement_line l JOIN bank_account b ON b.id = l.bank_account_id
    LEFT JOIN LATERAL (SELECT sum(a.amount) AS amount FROM statement_allocation a
        WHERE a.line_id = l.id AND a.undone_at IS NULL AND a.purpose <> 'send_back') AS taken
        ON true
    WHERE l.status = 'suspense' GROUP BY b.fund_code, l.currency
), paid_over AS (
    SELECT b.fund_code, l.currency, sum(a.amount) AS amount FROM statement_allocation a
    JOIN statement_line l ON l.id = a.line_id JOIN bank_account b ON b.id = l.bank_account_id
    WHERE a.purpose IN ('card_payout', 'card_payout_back') AND a.from_suspense
    AND a.undone_at IS NULL AND EXISTS (SELECT FROM card_payout p WHERE p.payout_id = a.target_ref)
    GROUP BY b.fund_code, l.currency
), sent_on AS (
    SELECT b.fund_code, l.currency, sum(a.amount) AS amount FROM statement_allocation a
    JOIN statement_line l ON l.id = a.line_id JOIN bank_account b ON b.id = l.bank_account_id
    WHERE a.purpose = 'transfer' AND a.undone_at IS NULL GROUP BY b.fund_code, l.currency
), came_late AS (
    SELECT c.fund_code, 'USD', sum(r.amount_usd - r.settled_usd) FROM late_return r
    JOIN payment_order o ON o.id = r.order_id JOIN instalment i ON i.id = o.instalment_id
    JOIN award w ON w.id = i.award_id JOIN application p ON p.id = w.application_id
    JOIN call c ON c.id = p.call_id GROUP BY c.fund_code
), booked AS (
    SELECT c.fund_code, e.currency, -sum(e.amount) AS amount FROM ledger_entry e
    JOIN ledger_account c ON c.id = e.account_id
    JOIN ledger_transaction t ON t.id = e.transaction_id
    LEFT JOIN card_payout p ON t.source_ref IN (p.arrival_ref, p.back_ref)
    WHERE c.kind = 'suspense' AND p.id IS NULL GROUP BY c.fund_code, e.currency
)
SELECT coalesce(k.fund_code, i.fund_code) || ' ' || coalesce(k.currency, i.currency) || ': '
    || coalesce(i.amount, 0) || ' in the books, ' || coalesce(k.amount, 0) || ' by the lines'
FROM (
    SELECT fund_code, currency, sum(amount) AS amount FROM (
        SELECT * FROM lying UNION ALL SELECT * FROM paid_over UNION ALL SELECT * FROM sent_on
        UNION ALL SELECT * FROM came_late
    ) AS kinds GROUP BY fund_code, currency
) AS k FULL JOIN booked i ON i.fund_code = k.fund_code AND i.currency = k.currency
WHERE coalesce(k.amount, 0) <> coalesce(i.amount, 0) ORDER BY 1
"""
"""A payout by card may lie in suspense between two funds: such entries are of no line, and lines
that send it on cancel them out. What came back too late by card is of no line either."""

STUCK = """
SELECT l.reference || ' of ' || l.booked_on || CASE l.note
    WHEN '' THEN ' waits to be booked for more than a day'
    ELSE ' cannot be booked: ' || l.note END
FROM statement_line l JOIN statement s ON s.id = l.statement_id
WHERE l.status = 'waiting' AND (l.note <> '' OR s.imported_at < :latest) ORDER BY 1
"""

RECEIVABLES = """
SELECT w.ref || ': ' || r.paid_usd || ' US cents paid back, ' || coalesce(-sum(e.usd) FILTER (
    WHERE t.kind = 'refund_received' OR undone.kind = 'refund_received'), 0) || ' in the books; '
    || r.written_off_usd || ' written off, ' || coalesce(-sum(e.usd) FILTER (
    WHERE t.kind = 'refund_written_off'), 0) || ' in the books'
FROM receivable r JOIN award w ON w.id = r.award_id
LEFT JOIN ledger_transaction t ON t.subject_ref = w.ref
LEFT JOIN ledger_transaction undone ON undone.id = t.reverses_id
LEFT JOIN (ledger_entry e JOIN ledger_account c ON c.id = e.account_id
    AND c.kind = 'refunds_receivable') ON e.transaction_id = t.id
GROUP BY r.id, w.ref HAVING r.paid_usd <> coalesce(-sum(e.usd) FILTER (
    WHERE t.kind = 'refund_received' OR undone.kind = 'refund_received'), 0)
    OR r.written_off_usd <> coalesce(-sum(e.usd) FILTER (
    WHERE t.kind = 'refund_written_off'), 0)
ORDER BY 1
"""

THREE = """
SELECT w.ref || ': written off without three people' FROM receivable r
JOIN award w ON w.id = r.award_id
WHERE r.written_off_usd > 0 AND NOT EXISTS (SELECT FROM write_off o WHERE o.receivable_id = r.id
    AND o.status = 'approved' AND o.amount_usd = r.written_off_usd
    AND o.proposed_by_id <> o.approved_by_id AND o.approved_by_id <> o.authorised_by_id
    AND o.proposed_by_id <> o.authorised_by_id)
ORDER BY 1
"""

TWO = r"""
SELECT l.reference || ' is said to be payment ' || o.ref || ' that came back, by one person'
FROM statement_allocation a JOIN statement_line l ON l.id = a.line_id
JOIN payment_order o ON o.id = a.order_id
WHERE a.purpose = 'return' AND a.by_id IS NOT NULL AND a.undone_at IS NULL
AND l.end_to_end_id <> o.ref AND NOT o.ref = ANY(l.named)
AND EXISTS (SELECT FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account c ON c.id = e.account_id AND c.kind = 'suspense'
    WHERE t.source_ref = a.booking_ref)
AND NOT EXISTS (SELECT FROM return_proposal p WHERE p.line_id = a.line_id
    AND p.order_id = a.order_id AND p.amount = a.amount AND p.by_id <> a.by_id
    AND p.withdrawn_at IS NULL
    AND NOT EXISTS (SELECT FROM payment_approval s WHERE s.order_id = o.id
        AND s.person_id IN (p.by_id, a.by_id)))
ORDER BY 1
"""
"""Neither of them signed the payment. Where a notice told of the return, it is in the books without
the line: that takes one person."""

SIGNATURES = """
SELECT o.id, w.ref, said.act, said.person_id, said.at, NULL AS fact, NULL AS value
FROM write_off o JOIN receivable r ON r.id = o.receivable_id JOIN award w ON w.id = r.award_id
CROSS JOIN LATERAL (VALUES ('write_off.proposed', o.proposed_by_id, o.proposed_at),
    ('write_off.approve', o.approved_by_id, o.approved_at),
    ('write_off.authorise', o.authorised_by_id, o.authorised_at),
    (CASE o.status WHEN 'rejected' THEN 'write_off.reject' ELSE 'write_off.withdraw' END,
        o.ended_by_id, o.ended_at)) AS said(act, person_id, at)
WHERE said.person_id IS NOT NULL
UNION ALL
SELECT l.id, l.reference, CASE WHEN a.by_id IS NULL THEN 'statement_line.booked'
    ELSE 'statement_line.allocated' END, a.by_id, a.at, 'number', a.number::text
FROM statement_allocation a JOIN statement_line l ON l.id = a.line_id WHERE a.by_id IS NOT NULL
UNION ALL
SELECT l.id, l.reference, 'statement_line.said_returned', p.by_id, p.at, 'amount', p.amount::text
FROM return_proposal p JOIN statement_line l ON l.id = p.line_id
UNION ALL
SELECT l.id, l.reference, 'statement_line.return_withdrawn', p.withdrawn_by_id, p.withdrawn_at,
    'amount', p.amount::text
FROM return_proposal p JOIN statement_line l ON l.id = p.line_id
WHERE p.withdrawn_by_id IS NOT NULL
UNION ALL
SELECT l.id, l.reference, 'statement_line.undone', a.undone_by_id, a.undone_at, 'number',
    a.number::text
FROM statement_allocation a JOIN statement_line l ON l.id = a.line_id
WHERE a.undone_by_id IS NOT NULL
"""

_STATEMENTS = "SELECT count(*) FROM statement"
_ACCOUNTS = "SELECT count(DISTINCT bank_account_id) FROM statement"
_BANKS = "SELECT count(*) FROM ledger_account WHERE kind = 'bank'"
_LINES = "SELECT count(*) FROM statement_line"
_PARTS = "SELECT count(*) FROM statement_allocation"
_OWED = "SELECT count(*) FROM receivable"
_SUSPENDED = "SELECT count(*) FROM statement_line WHERE status = 'suspense'"
_DEBITS = "SELECT count(*) FROM payment_order WHERE rail = 'bank'"


def checks() -> list[Check]:
    """Return the invariants of statements and write-offs."""
    rows = (
        (_("The lines of every statement lead to its closing balance"), SUMS, _STATEMENTS),
        (_("Every statement goes on where the one before it ended"), CONTINUES, _STATEMENTS),
        (_("The bank debited no payment, and no instalment, twice"), ONCE, _LINES),
        (_("A line that names a payment is booked as no other"), AS_NAMED, _PARTS),
        (_("The payments that the bank debited are those that are paid"), SAME_SET, _DEBITS),
        (_("Every line stands in the books as it was booked"), BOOKED_LINES, _PARTS),
        (_("What the bank moved is what its lines moved in the books"), MOVED, _LINES),
        (_("What the books hold at the bank is what its latest statement says"), AGREES, _ACCOUNTS),
        (_("No money is in the books at a bank where the fund has no account"), HELD, _BANKS),
        (_("What lies in suspense are the lines that wait there"), SUSPENSE, _SUSPENDED),
        (
            _("What grantees paid back, or was written off, is in the books"),
            RECEIVABLES,
            _OWED,
        ),
        (_("Nothing is written off but by three people"), THREE, _OWED),
        (_("No payment came back by the word of one person alone"), TWO, _PARTS),
    )
    return [
        *(Check(name, partial(_run, offending, looked_at)) for name, offending, looked_at in rows),
        Check(_("No line is left that cannot be booked"), _stuck),
        Check(_("What one person said of a line, and was overtaken, is withdrawn"), _overtaken),
        Check(
            _("Write-offs and what people said of lines are by whom the audit chain names"), _told
        ),
    ]


def _run(offending: str, looked_at: str) -> CheckResult:
    found = [str(row) for row in session.scalars(text(offending))]
    return CheckResult(count=int(session.scalar(text(looked_at)) or 0), violations=found)


def _stuck() -> CheckResult:
    found = session.scalars(text(STUCK), {"latest": clock.now() - UNBOOKED_AFTER})
    return CheckResult(int(session.scalar(text(_LINES)) or 0), [str(row) for row in found])


def _overtaken() -> CheckResult:
    rows = (
        select(StatementLine.reference + ": what one said of payment " + PaymentOrder.ref)
        .select_from(ReturnProposal)
        .join(ReturnProposal.line)
        .join(ReturnProposal.order)
        .where(ReturnProposal.withdrawn_at.is_(None), is_overtaken())
        .order_by(StatementLine.reference, PaymentOrder.ref)
    )
    looked_at = session.scalar(select(func.count()).select_from(ReturnProposal)) or 0
    return CheckResult(looked_at, list(session.scalars(rows)))


def _told() -> CheckResult:
    count, denied = untold(SIGNATURES)
    wrong = [
        _("%(ref)s: the chain names somebody else, or another time, for %(act)s.", ref=ref, act=act)
        for ref, act in denied
    ]
    return CheckResult(count, wrong)
