"""Invariants of awards, for `portal check`."""

from sqlalchemy import func, select

from portal.awards.amendments import checks as amendments
from portal.awards.amendments.models import Amendment, AmendmentStatus
from portal.awards.models import Agreement, Award, AwardBudgetLine, AwardStatus, Instalment
from portal.core import files
from portal.core.audit import untold
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.reviews.models import Decision

NOT_IN_FORCE = (AwardStatus.OFFERED, AwardStatus.DECLINED, AwardStatus.CANCELLED)

ACTS = """
SELECT w.id, w.ref, 'award.offered' AS act, NULL::uuid AS person_id, w.offered_at AS at,
    'amount_usd' AS fact, coalesce((SELECT m.from_amount_usd FROM amendment m
        WHERE m.award_id = w.id AND m.status = 'in_force' ORDER BY m.number LIMIT 1),
        w.amount_usd)::text AS value
FROM award w
UNION ALL
SELECT g.id, w.ref, 'agreement.issued', g.issued_by_id, g.issued_at, 'digest', g.digest
FROM agreement g JOIN award w ON w.id = g.award_id
UNION ALL
SELECT w.id, w.ref, 'offer.accepted', g.signed_by_id, g.signed_at, 'digest', g.digest
FROM agreement g JOIN award w ON w.id = g.award_id WHERE g.signed_at IS NOT NULL
UNION ALL
SELECT w.id, w.ref, 'agreement.signed', g.countersigned_by_id, g.countersigned_at, 'digest',
    g.digest
FROM agreement g JOIN award w ON w.id = g.award_id WHERE g.countersigned_at IS NOT NULL
"""
"""What an award and its agreement say was done: by whom, when, over what.

An award was offered for what it was before its first amendment.
"""


def checks() -> list[Check]:
    """Return the invariants of this feature."""
    return [
        Check(_("No award is above its ceiling or its decision"), _within_ceilings),
        Check(_("Budget and instalments of issued documents sum to the award"), _sums_hold),
        Check(_("Agreements are the files that were signed"), _files_match),
        Check(_("Awards in force carry the signatures of two people"), _signed),
        Check(_("Every award is offered and signed as the audit chain says"), _signed_as_told),
        *amendments.checks(),
    ]


def _within_ceilings() -> CheckResult:
    """Hold what was offered to the decision, and what is to the ceiling. One SQL statement."""
    grown = (
        select(func.coalesce(func.sum(Amendment.amount_usd - Amendment.from_amount_usd), 0))
        .where(Amendment.award_id == Award.id, Amendment.status == AmendmentStatus.IN_FORCE)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Award, Decision.amount_usd, grown).join(
            Decision, Decision.application_id == Award.application_id
        )
    ).all()
    bad = []
    for award, decided, by_amendments in rows:
        ceiling = award.application.call.ceiling
        offered = award.amount_usd - by_amendments
        if offered > decided or (ceiling is not None and award.amount_usd > ceiling):
            bad.append(f"award {award.ref} is {award.amount_usd} US cents")
    return CheckResult(len(rows), bad)


def _sums_hold() -> CheckResult:
    lines = (
        select(AwardBudgetLine.award_id, func.sum(AwardBudgetLine.amount_usd).label("total"))
        .group_by(AwardBudgetLine.award_id)
        .subquery()
    )
    parts = (
        select(Instalment.award_id, func.sum(Instalment.planned_usd).label("total"))
        .group_by(Instalment.award_id)
        .subquery()
    )
    rows = session.execute(
        select(Award.ref, Award.amount_usd, lines.c.total, parts.c.total)
        .join(Agreement, Agreement.award_id == Award.id)
        .outerjoin(lines, lines.c.award_id == Award.id)
        .outerjoin(parts, parts.c.award_id == Award.id)
    ).all()
    bad = [ref for ref, amount, *sums in rows if any(total != amount for total in sums)]
    return CheckResult(len(rows), [f"award {ref} does not add up" for ref in bad])


def _files_match() -> CheckResult:
    rows = list(session.scalars(select(Agreement)))
    lost = set(files.damaged(row.file for row in rows))
    bad = [row for row in rows if row.file_id in lost or row.file.sha256 != row.digest]
    return CheckResult(len(rows), [f"agreement {row.id} is not its file" for row in bad])


def _signed() -> CheckResult:
    awards = list(session.scalars(select(Award).where(Award.status.not_in(NOT_IN_FORCE))))
    return CheckResult(
        len(awards),
        [f"award {each.ref} is in force unsigned" for each in awards if not _is_signed(each)],
    )


def _is_signed(award: Award) -> bool:
    signed = award.agreement
    if signed is None or signed.signed_by_id is None:
        return False
    if award.status is AwardStatus.ACCEPTED or not award.fund.process.countersigned:
        return True
    return signed.countersigned_by_id not in {None, signed.signed_by_id}


def _signed_as_told() -> CheckResult:
    """Look for the event of each offer, document and signature. Two SQL statements."""
    count, denied = untold(ACTS, by_anybody=["award.offered"])
    wrong = [
        _("Award %(ref)s: the chain tells otherwise of %(act)s.", ref=ref, act=act)
        for ref, act in denied
    ]
    return CheckResult(count, wrong)
