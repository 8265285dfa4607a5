"""What must be true of the audit chain at any moment, asked of the rows by `portal check`."""

from sqlalchemy import func, select, text

from portal.admin import chain
from portal.core.audit import AuditEvent
from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _, _l

STATES = """
SELECT 'submission' AS kind, a.ref || ', ' || s.number AS ref, a.id AS subject_id,
    ARRAY['application.submitted'] AS acts, 'digest' AS fact, s.digest AS value
FROM submission s JOIN application a ON a.id = s.application_id
UNION ALL
SELECT 'decision', a.ref, a.id,
    ARRAY['decision.approved', 'decision.refused', 'screening.inadmissible'], 'decision', d.id::text
FROM decision d JOIN application a ON a.id = d.application_id
UNION ALL
SELECT 'signature', w.ref, w.id, ARRAY['offer.accepted'], 'digest', g.digest
FROM agreement g JOIN award w ON w.id = g.award_id WHERE g.signed_at IS NOT NULL
UNION ALL
SELECT 'countersignature', w.ref, w.id, ARRAY['agreement.signed'], 'digest',
    g.digest
FROM agreement g JOIN award w ON w.id = g.award_id WHERE g.countersigned_at IS NOT NULL
UNION ALL
SELECT 'release', o.ref, o.id, ARRAY['payment_order.release'], 'digest', o.digest
FROM payment_order o WHERE o.status IN ('released', 'confirmed', 'rejected', 'returned')
UNION ALL
SELECT 'payment', o.ref, o.id, ARRAY['instalment.paid:' || i.number], 'digest', o.digest
FROM payment_order o JOIN instalment i ON i.id = o.instalment_id
WHERE o.status IN ('confirmed', 'returned')
UNION ALL
SELECT 'report', r.ref, r.id, ARRAY['report.accepted:' || r.key], 'digest',
    r.digest
FROM report r WHERE r.status = 'accepted'
UNION ALL
SELECT 'closing', w.ref, w.id, ARRAY['award.closed'], NULL, NULL
FROM award w WHERE w.status = 'closed'
"""
"""Each state of record, the acts of which one must have led to it, and a fact that tells which."""

UNTOLD = f"""
SELECT state.kind, state.ref FROM ({STATES}) AS state
WHERE NOT EXISTS (
    SELECT FROM audit_event e
    WHERE e.subject_id = state.subject_id AND e.action = ANY (state.acts)
    AND (state.fact IS NULL OR e.facts ->> state.fact = state.value)
) ORDER BY state.kind, state.ref
"""  # noqa: S608 — made of the constant above

SAID = {
    "submission": _l("The submission of %(ref)s is not in the chain."),
    "decision": _l("The decision on %(ref)s is not in the chain."),
    "signature": _l("The grantee’s signature on award %(ref)s is not in the chain."),
    "countersignature": _l("The countersignature on award %(ref)s is not in the chain."),
    "release": _l("The release of order %(ref)s is not in the chain."),
    "payment": _l("The payment of order %(ref)s is not in the chain."),
    "report": _l("The acceptance of report %(ref)s is not in the chain."),
    "closing": _l("The closing of award %(ref)s is not in the chain."),
}


def checks() -> list[Check]:
    """Return the invariants of the chain; that of messages is the outbox's own."""
    return [
        Check(_("The audit chain is intact, to its head"), _intact),
        Check(_("Every state of record has its event in the audit chain"), _told),
    ]


def _intact() -> CheckResult:
    """Walk along the chain, a thousand events in memory. At most three SQL statements."""
    total = session.scalar(select(func.count()).select_from(AuditEvent)) or 0
    verdict, head = chain.verify_whole()
    if not verdict.intact:
        sentence = _(
            "Event %(number)s was changed, or does not follow from the one before.",
            number=verdict.broken_at,
        )
        return CheckResult(total, [sentence])
    if head is None:
        return CheckResult(total, [_("The head of the chain was removed.")])
    if not verdict.ends_at(head):
        sentence = _(
            "The chain has %(count)s events and ends with %(number)s, %(digest)s; by its head it "
            "has %(known)s and ends with %(last)s, %(end)s: some are missing, or were added.",
            count=verdict.count,
            number=verdict.number,
            digest=verdict.last,
            known=head.count,
            last=head.number,
            end=head.digest,
        )
        return CheckResult(total, [sentence])
    return CheckResult(total)


def _told() -> CheckResult:
    """Look for the event of each state. Two SQL statements."""
    total = session.scalar(text(f"SELECT count(*) FROM ({STATES}) AS state"))  # noqa: S608
    untold = session.execute(text(UNTOLD)).all()
    return CheckResult(total or 0, [str(SAID[kind]) % {"ref": ref} for kind, ref in untold])
