"""What must always be true of contributions, asked of the rows themselves by `portal check`."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from sqlalchemy import select, text
from sqlalchemy.orm import joinedload

from portal.contributions.models import ContributionReceipt
from portal.core import clock, files
from portal.core.audit import untold
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _

BATCH = 200

AGREEMENTS = """
WITH booked AS (
    SELECT t.subject_ref AS ref, a.fund_code, e.currency, sum(e.amount) AS owed,
        sum(e.usd) FILTER (WHERE t.kind = 'contribution_agreed') AS agreed
    FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE a.kind = 'contributions_receivable' AND t.subject_ref IS NOT NULL
    GROUP BY t.subject_ref, a.fund_code, e.currency
)
SELECT c.ref || ': ' || coalesce(b.owed, 0) || ' ' || c.currency || ', '
    || coalesce(b.agreed, 0) || ' US cents'
FROM contribution_agreement c
LEFT JOIN booked b ON b.ref = c.ref AND b.fund_code = c.fund_code AND b.currency = c.currency
WHERE coalesce(b.owed, 0) <> CASE WHEN c.confirmed_at IS NULL THEN 0
        ELSE c.amount - c.settled - c.cancelled END
    OR coalesce(b.agreed, 0) <> CASE WHEN c.confirmed_at IS NULL THEN 0
        ELSE c.usd_at_signature END
ORDER BY c.ref
"""

SCHEDULES = """
SELECT c.ref FROM contribution_agreement c
WHERE c.amount <> (SELECT coalesce(sum(amount), 0) FROM agreement_instalment i
        WHERE i.agreement_id = c.id)
    OR c.settled <> (SELECT coalesce(sum(settles), 0) FROM contribution g
        WHERE g.agreement_id = c.id AND g.status <> 'annulled')
ORDER BY c.ref
"""

MOVED = r"""
WITH records AS (
    SELECT ref, fund_code, source_ref, 'contribution_received' AS kind, currency, amount,
        amount_usd AS usd, status = 'annulled' AS undone
    FROM contribution
    UNION ALL
    SELECT c.ref, c.fund_code, r.source_ref, 'contribution_refunded', c.currency, -r.amount,
        -r.amount_usd, r.taken_back_on IS NOT NULL
    FROM contribution_refund r JOIN contribution c ON c.id = r.contribution_id
    WHERE NOT r.annuls
    UNION ALL
    SELECT c.ref, c.fund_code, d.source_ref, 'contribution_disputed', c.currency, -d.amount,
        -d.amount_usd, d.status = 'won'
    FROM contribution_dispute d JOIN contribution c ON c.id = d.contribution_id
), booked AS (
    SELECT t.source_ref, t.kind, a.fund_code, e.currency, sum(e.amount) AS amount,
        sum(e.usd) AS usd, bool_or(m.id IS NOT NULL) AS undone
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account a ON a.id = e.account_id
    LEFT JOIN ledger_transaction m ON m.reverses_id = t.id
    WHERE t.kind IN ('contribution_received', 'contribution_refunded', 'contribution_disputed')
        AND t.source_ref LIKE 'contribution\:%'
        AND a.kind IN ('bank', 'card_clearing', 'suspense')
    GROUP BY t.source_ref, t.kind, a.fund_code, e.currency
)
SELECT coalesce(r.ref, b.source_ref)
FROM records r FULL JOIN booked b ON b.source_ref = 'contribution\:' || r.source_ref
WHERE r.ref IS NULL OR b.source_ref IS NULL
    OR (r.kind, r.fund_code, r.currency, r.amount, r.usd, r.undone)
    IS DISTINCT FROM (b.kind, b.fund_code, b.currency, b.amount, b.usd, b.undone)
ORDER BY 1
"""

STANDINGS = """
WITH went AS (
    SELECT c.id, c.ref, c.amount, c.status,
        (SELECT coalesce(sum(amount), 0) FROM contribution_refund r
            WHERE r.contribution_id = c.id AND r.taken_back_on IS NULL) AS back,
        (SELECT coalesce(bool_or(annuls), false) FROM contribution_refund r
            WHERE r.contribution_id = c.id) AS annulled,
        (SELECT coalesce(sum(amount), 0) FROM contribution_dispute d
            WHERE d.contribution_id = c.id AND d.status <> 'won') AS taken,
        (SELECT coalesce(bool_or(status = 'open'), false) FROM contribution_dispute d
            WHERE d.contribution_id = c.id) AS contested,
        (SELECT coalesce(bool_or(status = 'lost'), false) FROM contribution_dispute d
            WHERE d.contribution_id = c.id) AS lost
    FROM contribution c
)
SELECT ref FROM went
WHERE back + taken > amount OR status <> CASE WHEN annulled THEN 'annulled'
    WHEN contested THEN 'disputed' WHEN lost THEN 'lost' WHEN back = amount THEN 'refunded'
    WHEN back > 0 THEN 'partly_refunded' ELSE 'received' END
ORDER BY ref
"""

GAPS = """
SELECT fund_code || ' ' || receipt_year || ': ' || count(*) || ' / ' || max(receipt_number)
FROM contribution GROUP BY fund_code, receipt_year
HAVING count(*) <> max(receipt_number) OR min(receipt_number) <> 1
    OR count(DISTINCT receipt_number) <> count(*)
ORDER BY 1
"""

FOUR_EYES = """
SELECT ref FROM contribution_agreement
WHERE confirmed_by_id = drafted_by_id
    OR confirmed_at IS NOT NULL AND paper_id IS NULL
    OR (status IN ('in_force', 'fulfilled')) AND confirmed_at IS NULL
ORDER BY ref
"""

CLAIMS = """
SELECT id, ref, 'pledge.announced' AS act, recorded_by_id AS person_id, recorded_at AS at,
    'amount' AS fact, amount::text AS value FROM pledge
UNION ALL
SELECT id, ref, 'pledge.withdraw', withdrawn_by_id, withdrawn_at, 'amount', amount::text
FROM pledge WHERE withdrawn_at IS NOT NULL
UNION ALL
SELECT id, ref, 'contribution_agreement.drafted', drafted_by_id, drafted_at, 'amount', amount::text
FROM contribution_agreement
UNION ALL
SELECT id, ref, 'contribution_agreement.confirm', confirmed_by_id, confirmed_at, 'usd',
    usd_at_signature::text
FROM contribution_agreement WHERE confirmed_at IS NOT NULL
UNION ALL
SELECT c.id, c.ref, 'contribution_agreement.confirm', c.confirmed_by_id, c.confirmed_at, 'paper',
    f.sha256
FROM contribution_agreement c JOIN stored_file f ON f.id = c.paper_id
WHERE c.confirmed_at IS NOT NULL
UNION ALL
SELECT c.id, c.ref, CASE WHEN c.confirmed_at IS NULL THEN 'contribution_agreement.discard'
    ELSE 'contribution_agreement.cancel' END, c.cancelled_by_id, c.cancelled_at,
    CASE WHEN c.confirmed_at IS NULL THEN 'amount' ELSE 'cancelled' END,
    CASE WHEN c.confirmed_at IS NULL THEN c.amount ELSE c.cancelled - coalesce(since.amount, 0)
    END::text
FROM contribution_agreement c LEFT JOIN LATERAL (
    SELECT sum(g.settles) AS amount FROM contribution g
    JOIN contribution_refund r ON r.contribution_id = g.id AND r.annuls
    WHERE g.agreement_id = c.id AND r.recorded_at >= c.cancelled_at
) AS since ON true
WHERE c.cancelled_at IS NOT NULL
UNION ALL
SELECT id, ref, 'contribution.received', recorded_by_id, recorded_at, 'amount', amount::text
FROM contribution WHERE recorded_by_id IS NOT NULL
UNION ALL
SELECT c.id, c.ref, CASE WHEN r.annuls THEN 'contribution.annulled'
    ELSE 'contribution.refunded' END, r.recorded_by_id, r.recorded_at, 'source',
    CASE WHEN r.annuls THEN c.source_ref ELSE r.source_ref END
FROM contribution_refund r JOIN contribution c ON c.id = r.contribution_id
WHERE r.recorded_by_id IS NOT NULL
UNION ALL
SELECT id, ref, 'donor.merged', merged_by_id, merged_at, NULL, NULL
FROM donor WHERE merged_at IS NOT NULL
"""
"""Whoever put their name to a promise or to money, when, and over how much. A transfer that is
taken back after the rest of its agreement was cancelled adds to what is cancelled."""

BY_THEMSELVES = """
SELECT id, ref, 'contribution.received' AS act, NULL::uuid AS person_id, recorded_at AS at,
    'source' AS fact, source_ref AS value FROM contribution
UNION ALL
SELECT c.id, c.ref, 'contribution.refunded', NULL, r.recorded_at, 'source', r.source_ref
FROM contribution_refund r JOIN contribution c ON c.id = r.contribution_id WHERE NOT r.annuls
UNION ALL
SELECT c.id, c.ref, 'contribution.disputed', NULL, d.recorded_at, 'source', d.source_ref
FROM contribution_dispute d JOIN contribution c ON c.id = d.contribution_id
UNION ALL
SELECT c.id, c.ref, 'contribution.receipt_issued', NULL, r.issued_at, 'digest', f.sha256
FROM contribution_receipt r JOIN contribution c ON c.id = r.contribution_id
JOIN stored_file f ON f.id = r.document_id
"""
"""What a statement or the card processor says happened, and the receipts that followed."""

ACTS = (
    "contribution.received",
    "contribution.refunded",
    "contribution.disputed",
    "contribution.receipt_issued",
)

_AGREEMENTS = "SELECT count(*) FROM contribution_agreement"
_CONTRIBUTIONS = "SELECT count(*) FROM contribution"
LATE = """
SELECT c.ref FROM contribution c
WHERE NOT EXISTS (SELECT FROM contribution_receipt r
    WHERE r.contribution_id = c.id AND r.edition = c.edition)
AND c.recorded_at < :since AND NOT EXISTS (SELECT FROM audit_event e WHERE e.at >= :since
    AND (e.subject_id = c.id
        OR e.subject_id IN (SELECT id FROM contribution_refund WHERE contribution_id = c.id)
        OR e.subject_id IN (SELECT id FROM contribution_dispute WHERE contribution_id = c.id)))
ORDER BY c.ref
"""
"""Money for which no receipt of how it stands was made, though nothing happened to it lately."""

RECEIPTED_WITHIN = timedelta(days=1)

_MOVEMENTS = """
SELECT (SELECT count(*) FROM contribution) + (SELECT count(*) FROM contribution_refund)
    + (SELECT count(*) FROM contribution_dispute)
"""


def checks() -> list[Check]:
    """Return the invariants of contributions."""
    rows = (
        (_("The books of each agreement with a donor are its records"), AGREEMENTS, _AGREEMENTS),
        (_("The schedule of each agreement with a donor adds up"), SCHEDULES, _AGREEMENTS),
        (_("A second person confirmed each agreement, on signed paper"), FOUR_EYES, _AGREEMENTS),
        (_("Money of donors is booked once, as it came and went"), MOVED, _MOVEMENTS),
        (_("Each contribution is what its refunds and disputes say"), STANDINGS, _CONTRIBUTIONS),
        (_("Receipts are numbered without a gap"), GAPS, _CONTRIBUTIONS),
    )
    return [
        *(Check(name, partial(_run, wrong, looked_at)) for name, wrong, looked_at in rows),
        Check(_("Whoever promised, confirmed and recorded is whom the audit chain names"), _told),
        Check(_("Every receipt is there as it was issued"), _receipts),
        Check(_("No receipt is due for longer than a day"), _none_late),
    ]


def _run(offending: str, looked_at: str) -> CheckResult:
    found = [str(row) for row in session.scalars(text(offending))]
    return CheckResult(count=int(session.scalar(text(looked_at)) or 0), violations=found)


def _told() -> CheckResult:
    """Look for the event of each claim. Four SQL statements."""
    named, denied = untold(CLAIMS)
    others, lost = untold(BY_THEMSELVES, by_anybody=ACTS)
    return CheckResult(named + others, list(_sentences([*denied, *lost])))


def _sentences(denied: Iterable[tuple[str, str]]) -> Iterable[str]:
    for ref, act in denied:
        yield _(
            "%(ref)s: the chain names somebody else, or another time, for %(act)s.",
            ref=ref,
            act=act,
        )


def _receipts() -> CheckResult:
    """Read every receipt. One SQL statement."""
    count, wrong = 0, []
    rows = select(ContributionReceipt).options(
        joinedload(ContributionReceipt.contribution).lazyload("*")
    )
    for receipt in session.scalars(rows.execution_options(yield_per=BATCH)):
        count += 1
        if files.damaged([receipt.document]):
            wrong.append(
                _(
                    "Receipt %(number)s is gone, or is not what was issued.",
                    number=receipt.contribution.receipt_no,
                )
            )
    return CheckResult(count, wrong)


def _none_late() -> CheckResult:
    """Look for receipts that the worker should have made long ago. Two SQL statements."""
    late = session.scalars(text(LATE), {"since": clock.now() - RECEIPTED_WITHIN})
    wrong = [_("%(ref)s has no receipt yet: does the worker run?", ref=ref) for ref in late]
    return CheckResult(int(session.scalar(text(_CONTRIBUTIONS)) or 0), wrong)
