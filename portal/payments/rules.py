"""Pure decisions about payments: the gates of an instalment, what is due, what is signed.

All amounts are in minor units of US$ (cents) unless a name says otherwise.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.support import LazyProxy

from portal.core.i18n import _l
from portal.core.text import canonical_json, sha256_hex

COOLING_OFF = timedelta(hours=48)
"""How long new bank details wait when they replace verified ones: time for a warning to be read."""


SILENT_AFTER = timedelta(days=3)
"""How long a bank may take over an answer before somebody has to ask it."""


LEAVES_WITHIN = timedelta(hours=1)
"""How long a payment file may take to leave by itself: the worker sends one within minutes."""


@dataclass(frozen=True)
class Gate:
    """One condition of an instalment (R21), open or closed, with the sentence that explains it.

    `note` says of an open one what its label does not.
    """

    rule: str
    label: LazyProxy
    is_open: bool
    sentence: LazyProxy
    note: LazyProxy | None = None


@dataclass(frozen=True)
class Facts:
    """What the gates of one instalment are decided on."""

    signed: bool
    bank_verified: bool
    bank_payable: bool
    committed: bool
    reports_accepted: bool
    something_due: bool
    earlier_paid: bool
    amount_stands: bool
    active: bool
    free: bool


@dataclass(frozen=True)
class Circumstances:
    """What the gates of one instalment say besides whether they are open.

    `doubt` is why a bank could not pay to the account that was verified once, in plain words,
    `awaits_report` whether the instalment waits for any report, `grant` where the grant stands.
    """

    doubt: str = ""
    awaits_report: bool = True
    grant: LazyProxy | None = None


def gates(facts: Facts, said: Circumstances) -> list[Gate]:
    """Return every gate of an instalment in the order in which people open them (R21)."""
    return [
        *conditions(facts, said),
        Gate(
            "R21",
            _l("No payment under way"),
            facts.free,
            _l("A payment of this instalment is under way or done."),
        ),
    ]


def conditions(facts: Facts, said: Circumstances) -> list[Gate]:
    """Return the gates that hold for a payment that is prepared too: all but that none is yet."""
    return [
        Gate(
            "R21",
            _l("Agreement signed by all"),
            facts.signed,
            _l("The agreement must be signed by all parties."),
        ),
        Gate(
            "R21",
            _l("Bank details verified"),
            facts.bank_verified,
            _verified_anew(said.doubt)
            if said.doubt
            else _l(
                "Bank details must be verified, and screened against sanctions lists, "
                "by a second person."
            ),
        ),
        Gate(
            "R21",
            _l("Bank details unchanged"),
            facts.bank_payable,
            _l("Bank details must stand unchanged: new ones are payable 48 hours after."),
        ),
        Gate(
            "R21",
            _l("Commitment recorded"),
            facts.committed,
            _l("The books must hold a commitment that covers the instalment."),
        ),
        Gate(
            "R30",
            _l("Report accepted"),
            facts.reports_accepted,
            _l("The report that it waits for must be accepted by programme and by finance."),
            None if said.awaits_report else _l("None needed."),
        ),
        Gate(
            "R22",
            _l("Something is due"),
            facts.something_due,
            _l("No more was accepted as spent than was paid already. Draw the balance."),
        ),
        Gate(
            "R22",
            _l("Earlier instalments paid"),
            facts.earlier_paid,
            _l("The instalment before it must be paid first."),
        ),
        Gate(
            "R26",
            _l("Amount settled"),
            facts.amount_stands,
            _l("An amendment of the amount is open: it is signed or ended first."),
        ),
        Gate(
            "R21",
            _l("Grant active"),
            facts.active,
            _l("The grant must be active. It is “%(status)s”.", status=said.grant),
        ),
    ]


def _verified_anew(doubt: str) -> LazyProxy:
    return _l(
        "The account could not be paid to. %(reason)s. The grantee enters other bank details, or "
        "finance verifies these again.",
        reason=doubt,
    )


def is_silent(waiting_since: datetime | None, now: datetime) -> bool:
    """Say whether the bank has kept silent for too long over what left at `waiting_since`."""
    return waiting_since is not None and now - waiting_since > SILENT_AFTER


def is_overdue(waiting_since: datetime | None, now: datetime) -> bool:
    """Say whether a payment file that waits since `waiting_since` should have left long ago."""
    return waiting_since is not None and now - waiting_since > LEAVES_WITHIN


def due(planned: int, *, capped: bool, accepted: int, paid: int) -> int:
    """Return what an instalment pays: as planned; once capped min(planned, accepted − paid).

    Never below zero (R22).
    """
    return max(0, min(planned, accepted - paid)) if capped else planned


def owed_back(*, accepted: int, paid: int) -> int:
    """Return what a grantee has to give back: paid and not accepted as spent (R25)."""
    return max(0, paid - accepted)


def order_digest(
    *, order_ref: str, payee: str, amount: int, currency: str, amount_usd: int, rail: str
) -> str:
    """Return the SHA-256, in hex, of what three people sign: payee, amount, currency, rail.

    `payee` is the digest of the bank details; `amount` is in minor units of `currency`. A trigger
    computes the same, so the fields and their names are part of the database's contract.
    """
    return sha256_hex(
        canonical_json(
            {
                "order": order_ref,
                "payee": payee,
                "amount": amount,
                "currency": currency,
                "amount_usd": amount_usd,
                "rail": rail,
            }
        )
    )
