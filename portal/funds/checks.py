"""Invariants of funds and calls, for `portal check`."""

from sqlalchemy import select

from portal.core.check import Check, CheckResult
from portal.core.db import session
from portal.core.i18n import _
from portal.funds.models import Call, ProfileVersion


def checks() -> list[Check]:
    """Return the invariants of this feature."""
    return [
        Check(_("Frozen fund profiles match their digests"), _profiles_match),
        Check(_("No call is above its fund's ceiling"), _ceilings_hold),
    ]


def _profiles_match() -> CheckResult:
    rows = list(session.scalars(select(ProfileVersion)))
    bad = [row.digest for row in rows if row.reread().digest() != row.digest]
    return CheckResult(len(rows), [f"profile {digest} was changed" for digest in bad])


def _ceilings_hold() -> CheckResult:
    calls = list(session.scalars(select(Call)))
    bad = [
        call.ref
        for call in calls
        if call.ceiling_usd is not None and call.ceiling_usd != call.ceiling
    ]
    return CheckResult(len(calls), [f"call {ref} has a ceiling above its fund's" for ref in bad])
