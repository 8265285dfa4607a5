"""Invariants of amendments, for `portal check`."""

from typing import Any

from sqlalchemy import func, select, text

from portal.awards.amendments.models import Amendment
from portal.core import files
from portal.core.audit import untold
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _

ACTS = """
SELECT m.id, w.ref, 'amendment.asked' AS act, m.asked_by_id AS person_id, m.asked_at AS at,
    'number' AS fact, m.number::text AS value
FROM amendment m JOIN award w ON w.id = m.award_id WHERE m.asked_at IS NOT NULL
UNION ALL
SELECT m.id, w.ref, 'amendment.proposed', m.issued_by_id, m.issued_at, 'digest', m.digest
FROM amendment m JOIN award w ON w.id = m.award_id WHERE m.issued_at IS NOT NULL
UNION ALL
SELECT m.id, w.ref, 'amendment.proposed', m.issued_by_id, m.issued_at, 'amount_usd',
    m.amount_usd::text
FROM amendment m JOIN award w ON w.id = m.award_id WHERE m.issued_at IS NOT NULL
UNION ALL
SELECT m.id, w.ref, 'amendment.proposed', m.issued_by_id, m.issued_at, 'ends_on',
    to_char(m.ends_on, 'YYYY-MM-DD')
FROM amendment m JOIN award w ON w.id = m.award_id WHERE m.issued_at IS NOT NULL
UNION ALL
SELECT m.id, w.ref, 'amendment.accepted', m.signed_by_id, m.signed_at, 'digest', m.digest
FROM amendment m JOIN award w ON w.id = m.award_id WHERE m.signed_at IS NOT NULL
UNION ALL
SELECT m.id, w.ref, 'amendment.signed', m.countersigned_by_id, m.countersigned_at, 'digest',
    m.digest
FROM amendment m JOIN award w ON w.id = m.award_id WHERE m.countersigned_at IS NOT NULL
"""
"""What an amendment says was done: by whom, when, over which text."""

FOLLOWED = r"""
WITH in_force AS (
    SELECT *, lag(amount_usd) OVER (PARTITION BY award_id ORDER BY number) AS amount_before,
        lag(ends_on) OVER (PARTITION BY award_id ORDER BY number) AS ends_before,
        row_number() OVER (PARTITION BY award_id ORDER BY number DESC) = 1 AS is_last
    FROM amendment WHERE status = 'in_force'
)
SELECT w.ref, m.number,
    m.from_amount_usd <> coalesce(m.amount_before, m.from_amount_usd)
        OR m.from_ends_on <> coalesce(m.ends_before, m.from_ends_on)
        OR m.is_last AND (m.amount_usd, m.ends_on) IS DISTINCT FROM (w.amount_usd, w.ends_on)
        AS award_is_another,
    m.is_last AND (EXISTS (SELECT FROM jsonb_array_elements(m.budget) AS term
            FULL JOIN (SELECT * FROM award_budget_line b WHERE b.award_id = w.id) AS line
            ON line.position = (term->>'position')::integer
            WHERE line.amount_usd IS DISTINCT FROM (term->>'usd')::bigint)
        OR EXISTS (SELECT FROM jsonb_array_elements(m.instalments) AS term
            FULL JOIN (SELECT * FROM instalment i WHERE i.award_id = w.id) AS part
            ON part.number = (term->>'number')::integer
            WHERE part.planned_usd IS DISTINCT FROM (term->>'usd')::bigint)) AS parts_are_others,
    coalesce((SELECT sum(c.amount_usd_minor) FROM commitment c
        WHERE c.movement_ref = w.ref || '\:amendment\:' || m.number), 0)
        <> m.amount_usd - m.from_amount_usd AS commitment_is_another
FROM in_force m JOIN award w ON w.id = m.award_id ORDER BY w.ref, m.number
"""
"""Whether each amendment in force is what its award became, one after the other."""


def checks() -> list[Check]:
    """Return the invariants of amendments."""
    return [
        Check(_("Every award is what it was at first and its amendments in force"), _followed),
        Check(_("Amendments are the texts that were signed"), _files_match),
        Check(_("Every amendment is signed by whom the audit chain names"), _signed_as_told),
    ]


def _followed() -> CheckResult:
    """Compare awards, budgets, instalments and commitments. One SQL statement."""
    rows = session.execute(text(FOLLOWED)).all()
    wrong = [sentence for row in rows for sentence in _wrong(row)]
    return CheckResult(len(rows), wrong)


def _wrong(row: Any) -> list[str]:
    said = {
        _("the award is another"): row.award_is_another,
        _("budget or instalments are others"): row.parts_are_others,
        _("the commitment did not follow"): row.commitment_is_another,
    }
    return [
        _(
            "Amendment %(number)s of award %(ref)s: %(what)s.",
            number=row.number,
            ref=row.ref,
            what=what,
        )
        for what, is_wrong in said.items()
        if is_wrong
    ]


def _files_match() -> CheckResult:
    rows = list(session.scalars(select(Amendment).where(Amendment.file_id.is_not(None))))
    kept = [row.file for row in rows if row.file is not None]
    lost = set(files.damaged(kept))
    wrong = [
        _(
            "Amendment %(number)s of award %(ref)s is not its file.",
            number=row.number,
            ref=row.award.ref,
        )
        for row in rows
        if row.file is None or row.file_id in lost or row.file.sha256 != row.digest
    ]
    return CheckResult(len(rows), wrong)


def _signed_as_told() -> CheckResult:
    """Look for the event of each act on an amendment. Three SQL statements."""
    _claims, denied = untold(ACTS)
    wrong = [
        _("Award %(ref)s: the chain tells otherwise of %(act)s.", ref=ref, act=act)
        for ref, act in denied
    ]
    count = session.scalar(select(func.count()).select_from(Amendment))
    return CheckResult(count or 0, wrong)
