"""Pure decisions about a fund and its calls: the ceiling and the dates.

All amounts are US$ in minor units (cents); all moments are aware UTC datetimes.
"""

MICRO_GRANT_CEILING = 500_000
"""US$ 5,000 in cents: what a micro-grant may at most be. Fixed by the scheme's mission; a call may
lower it, and no profile, setting or role can raise it (R9)."""

WHOLE = 100
"""Per cent: what weights and instalments sum to."""
