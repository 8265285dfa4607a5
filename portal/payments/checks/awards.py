"""What must always be true of what awards are paid, and of their books."""

from typing import Any

from sqlalchemy import Row, func, select, text

from portal.awards.models import Award, Instalment
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.funds.rules import MICRO_GRANT_CEILING
from portal.payments.models import OrderStatus, PaymentOrder

BATCH = 200

AWARD_BOOKS = r"""
WITH booked AS (
    SELECT t.subject_ref AS ref, a.fund_code, sum(e.usd) FILTER (WHERE a.kind =
        'advances_to_grantees') AS advances, sum(e.usd) FILTER (WHERE a.kind =
        'grant_expenditure') AS accepted, sum(e.usd) FILTER (WHERE a.kind =
        'refunds_receivable') AS due
    FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    JOIN ledger_transaction t ON t.id = e.transaction_id GROUP BY t.subject_ref, a.fund_code
), aside AS (
    SELECT source_ref AS ref, fund_code, sum(amount_usd_minor) AS cents,
        sum(amount_usd_minor) FILTER (WHERE movement_ref = source_ref || '\:commit'
            OR starts_with(movement_ref, source_ref || '\:amendment\:')) AS first
    FROM commitment GROUP BY source_ref, fund_code
), paid AS (
    SELECT i.award_id, sum(o.amount_usd) AS cents FROM payment_order o
    JOIN instalment i ON i.id = o.instalment_id WHERE o.status = 'confirmed' GROUP BY i.award_id
), leaving AS (
    SELECT i.award_id, sum(o.amount_usd) AS cents FROM payment_order o
    JOIN instalment i ON i.id = o.instalment_id JOIN payment_file f ON f.id = o.file_id
    WHERE o.status = 'released' AND f.status <> 'kept' GROUP BY i.award_id
), planned AS (
    SELECT award_id, sum(paid_usd) AS cents FROM instalment GROUP BY award_id
), accepted AS (
    SELECT award_id, sum(accepted_usd) AS cents FROM report WHERE status = 'accepted'
    GROUP BY award_id
), recovered AS (
    SELECT receivable_id, sum(amount_usd) AS cents FROM statement_allocation
    WHERE purpose = 'recovery' AND undone_at IS NULL GROUP BY receivable_id
), late AS (
    SELECT i.award_id, sum(s.amount_usd) FILTER (WHERE s.way = 'kept') AS kept,
        sum(s.netted_usd) AS netted FROM late_outcome s
    JOIN late_return l ON l.id = s.late_id JOIN payment_order o ON o.id = l.order_id
    JOIN instalment i ON i.id = o.instalment_id
    WHERE s.booking_ref <> '' AND s.undone_at IS NULL GROUP BY i.award_id
)
SELECT w.ref, w.amount_usd AS awarded, w.status,
    coalesce(aside.first, 0) AS committed, coalesce(aside.cents, 0) AS outstanding,
    coalesce(paid.cents, 0) AS paid, coalesce(leaving.cents, 0) AS on_the_way,
    coalesce(planned.cents, 0) AS instalments,
    coalesce(accepted.cents, 0) AS accepted, coalesce(r.amount_usd, 0) AS refund,
    coalesce(r.amount_usd - r.paid_usd - r.written_off_usd, 0) AS due,
    coalesce(r.written_off_usd - coalesce(recovered.cents, 0), 0) AS written_off,
    coalesce(late.kept, 0) AS kept, coalesce(late.netted, 0) AS netted,
    coalesce(booked.advances, 0) AS booked_advances,
    coalesce(booked.accepted, 0) AS booked_accepted, coalesce(booked.due, 0) AS booked_due
FROM award w JOIN application ON application.id = w.application_id
JOIN call ON call.id = application.call_id
LEFT JOIN booked ON booked.ref = w.ref AND booked.fund_code = call.fund_code
LEFT JOIN aside ON aside.ref = w.ref AND aside.fund_code = call.fund_code
LEFT JOIN paid ON paid.award_id = w.id
LEFT JOIN leaving ON leaving.award_id = w.id
LEFT JOIN planned ON planned.award_id = w.id
LEFT JOIN accepted ON accepted.award_id = w.id
LEFT JOIN receivable r ON r.award_id = w.id
LEFT JOIN late ON late.award_id = w.id
LEFT JOIN recovered ON recovered.receivable_id = r.id
ORDER BY w.ref
"""
"""What the records say of each award, and beside it what the books of its fund say. US cents."""

IN_FORCE = ("active", "suspended", "terminated", "closed")


def checks() -> list[Check]:
    """Return the invariants of what awards are paid."""
    return [
        Check(_("No grant is paid above its award or its ceiling"), _within_award),
        Check(_("The books of each award are its payments, reports and refunds"), _award_books),
    ]


def _within_award() -> CheckResult:
    paid = (
        select(Instalment.award_id, func.sum(PaymentOrder.amount_usd).label("cents"))
        .join(PaymentOrder.instalment)
        .where(PaymentOrder.status == OrderStatus.CONFIRMED)
        .group_by(Instalment.award_id)
        .subquery()
    )
    rows = session.execute(
        select(Award.ref, Award.amount_usd, Award.micro_grant, paid.c.cents).join(
            paid, paid.c.award_id == Award.id
        )
    ).all()
    wrong = [
        f"award {ref} of {granted} US cents was paid {cents}"
        for ref, granted, micro, cents in rows
        if cents > granted or (micro and cents > MICRO_GRANT_CEILING)
    ]
    return CheckResult(len(rows), wrong)


def _award_books() -> CheckResult:
    """Compare award by award what was committed, paid, accepted and owed. One SQL statement."""
    count, wrong = 0, []
    for row in session.execute(text(AWARD_BOOKS).execution_options(yield_per=BATCH)):
        count += 1
        said = {
            _("committed"): (row.committed, row.awarded if row.status in IN_FORCE else 0),
            _("paid by instalments"): (row.instalments, row.paid),
            _("advanced"): (
                row.booked_advances,
                row.paid + row.on_the_way - row.accepted - row.refund + row.netted,
            ),
            _("accepted or written off"): (
                row.booked_accepted,
                row.accepted + row.written_off - row.kept,
            ),
            _("to come back"): (row.booked_due, row.due),
            _("outstanding"): (row.outstanding, _outstanding(row)),
        }
        wrong += [
            _(
                "Award %(ref)s, %(what)s: %(books)s US cents in the books, %(records)s by the "
                "records.",
                ref=row.ref,
                what=what,
                books=books,
                records=records,
            )
            for what, (books, records) in said.items()
            if books != records
        ]
    return CheckResult(count, wrong)


def _outstanding(row: Row[Any]) -> int:
    """Return what may still be set aside: at most what was not paid, and nothing after the end."""
    if row.status not in IN_FORCE or row.status == "closed":
        return 0
    return int(min(row.outstanding, row.awarded - row.paid - row.on_the_way))
