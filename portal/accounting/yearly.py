"""The yearly account of a fund as pure arithmetic over what the books moved (R31).

It is the account of one calendar year beside the year before: what came in, what it cost, and the
balance on 31 December. All amounts are US cents; income and balances are above zero.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.support import LazyProxy

from portal.accounting.figures import MEANINGS, Figure
from portal.accounting.rules import divided
from portal.core.i18n import _l
from portal.ledger.models import AccountKind
from portal.ledger.queries.flows import Flow

Balances = Mapping[AccountKind, int]


@dataclass(frozen=True)
class Pair:
    """One amount of the year, and the same of the year before."""

    now: int
    before: int

    @property
    def change(self) -> int:
        """What the year has more than the one before."""
        return self.now - self.before

    def __bool__(self) -> bool:
        return bool(self.now or self.before)


@dataclass(frozen=True)
class Row:
    """One line of a table: what it is, and its amounts."""

    label: str | LazyProxy
    amounts: tuple[Pair, ...]


@dataclass(frozen=True)
class Grant:
    """Where a grant counts in the account: its country, and the themes that it names."""

    ref: str
    country: str
    themes: tuple[str, ...]


@dataclass(frozen=True)
class Giver:
    """From whom what was booked under a reference came: the kind of donor, and its name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Account:
    """The account of one fund and one year.

    `until` is the last day that it covers; `is_final` from 1 January of the next year on.
    """

    year: int
    until: date
    is_final: bool
    opening: Pair
    contributions: Pair
    exchange: Pair
    charges: Pair
    expenditure: Pair
    support_costs: Pair
    closing: Pair
    assets: Sequence[tuple[AccountKind, Pair]]
    disbursed: Pair
    receivable: Pair
    rate_gain: Pair
    committed: Pair
    received_by: Mapping[Giver | None, Pair]
    spent_by_grant: Mapping[str | None, Pair]
    disbursed_by_grant: Mapping[str | None, Pair]

    @property
    def receipts(self) -> Pair:
        """What donors gave by their receipts: at the rate of the day on which it arrived."""
        return Pair(
            self.contributions.now + self.rate_gain.now,
            self.contributions.before + self.rate_gain.before,
        )

    @property
    def result(self) -> Pair:
        """What the year added to the balance, or took from it."""
        return Pair(self.closing.now - self.opening.now, self.closing.before - self.opening.before)


REVENUE = (AccountKind.CONTRIBUTION_REVENUE, AccountKind.CONTRIBUTIONS_RECEIVABLE)
"""What was received is what was given less what of it is still owed."""

GRANTED = (
    AccountKind.ADVANCES_TO_GRANTEES,
    AccountKind.GRANT_EXPENDITURE,
    AccountKind.REFUNDS_RECEIVABLE,
)

RESULT = (
    *REVENUE,
    AccountKind.EXCHANGE_DIFFERENCE,
    AccountKind.BANK_CHARGES,
    AccountKind.GRANT_EXPENDITURE,
    AccountKind.SUPPORT_COSTS,
)
"""What makes a fund richer or poorer. What donors still owe is no part of its balance."""

ASSETS = tuple(kind for kind in AccountKind if kind not in RESULT)
"""Of what the balance of a fund consists: what it has, and what it owes."""


@dataclass(frozen=True)
class Books:
    """What the account of `year` is made of: balances at the end of year − 2, and what moved since.

    `committed` is outstanding at the end of the year and of the year before; `givers` says from
    whom what was booked under a reference came.
    """

    year: int
    until: date
    is_final: bool
    opening: Balances
    flows: Sequence[Flow]
    committed: Pair
    givers: Mapping[str, Giver]


def account(books: Books) -> Account:
    """Return the account of a year."""
    year = books.year
    moved: dict[tuple[int, AccountKind], int] = defaultdict(int)
    for flow in books.flows:
        moved[flow.year, flow.kind] += flow.usd

    def of(kinds: Iterable[AccountKind], sign: int = 1) -> Pair:
        chosen = list(kinds)
        return Pair(
            *(sign * sum(moved[when, kind] for kind in chosen) for when in (year, year - 1))
        )

    def at_end(kinds: Iterable[AccountKind]) -> Pair:
        chosen = list(kinds)
        first = sum(books.opening.get(kind, 0) for kind in chosen)
        return Pair(first + sum(_both(of(chosen))), first + of(chosen).before)

    closing = at_end(ASSETS)
    first = sum(books.opening.get(kind, 0) for kind in ASSETS)
    return Account(
        year=year,
        until=books.until,
        is_final=books.is_final,
        opening=Pair(closing.before, first),
        contributions=of(REVENUE, -1),
        exchange=of([AccountKind.EXCHANGE_DIFFERENCE], -1),
        charges=of([AccountKind.BANK_CHARGES]),
        expenditure=of([AccountKind.GRANT_EXPENDITURE]),
        support_costs=of([AccountKind.SUPPORT_COSTS]),
        closing=closing,
        assets=[(kind, at_end([kind])) for kind in ASSETS],
        disbursed=of(GRANTED),
        receivable=at_end([AccountKind.CONTRIBUTIONS_RECEIVABLE]),
        rate_gain=_rate_gain(books),
        committed=books.committed,
        received_by=_received_by(books),
        spent_by_grant=_by_subject(books, [AccountKind.GRANT_EXPENDITURE]),
        disbursed_by_grant=_by_subject(books, GRANTED),
    )


def _both(pair: Pair) -> tuple[int, int]:
    return pair.now, pair.before


def _by_subject(books: Books, kinds: Iterable[AccountKind]) -> dict[str | None, Pair]:
    """Return what moved on some accounts, by the subject of the bookings."""
    chosen = set(kinds)
    sums: Counter[tuple[str | None, int]] = Counter()
    for flow in books.flows:
        if flow.kind in chosen:
            sums[flow.subject_ref, flow.year] += flow.usd
    refs = {ref for ref, _year in sums}
    return {
        ref: Pair(sums[ref, books.year], sums[ref, books.year - 1])
        for ref in refs
        if sums[ref, books.year] or sums[ref, books.year - 1]
    }


def _rate_gain(books: Books) -> Pair:
    """Return what rates brought between an agreement and the day on which its money arrived.

    What they moved when it went back, or at the card processor, is in no receipt.
    """
    gain = MEANINGS[Figure.RATE_GAIN]
    moved = Counter[int]()
    for flow in books.flows:
        if flow.kind in gain.accounts and flow.cause is gain.cause:
            moved[flow.year] += gain.sign * flow.usd
    return Pair(moved[books.year], moved[books.year - 1])


def _received_by(books: Books) -> dict[Giver | None, Pair]:
    """Return what was received, by giver; None is what stands under no donor."""
    found: dict[Giver | None, Pair] = {}
    for ref, pair in _by_subject(books, REVENUE).items():
        giver = books.givers.get(ref) if ref is not None else None
        so_far = found.get(giver, Pair(0, 0))
        found[giver] = Pair(so_far.now - pair.now, so_far.before - pair.before)
    return found


def grouped(
    amounts: Sequence[Mapping[str | None, Pair]],
    keys_of: Callable[[str | None], Sequence[str]],
    label_of: Callable[[str], str | LazyProxy],
) -> list[Row]:
    """Return amounts by grant as rows by what `keys_of` says of the grant, the largest first.

    A grant with several keys is divided equally among them, exact to the cent, so that the rows
    always sum to the total.
    """
    sums: dict[str, list[list[int]]] = {}
    for column, by_ref in enumerate(amounts):
        for ref, pair in by_ref.items():
            keys = keys_of(ref)
            parts = [divided(value, [1] * len(keys)) for value in (pair.now, pair.before)]
            for place, key in enumerate(keys):
                cells = sums.setdefault(key, [[0, 0] for _each in amounts])[column]
                cells[0] += parts[0][place]
                cells[1] += parts[1][place]
    rows = [
        (key, Row(label_of(key), tuple(Pair(now, before) for now, before in cells)))
        for key, cells in sums.items()
    ]
    rows.sort(key=lambda pair: (-pair[1].amounts[0].now, pair[0]))
    return [row for _key, row in rows]


def totals(rows: Sequence[Row], columns: int) -> tuple[Pair, ...]:
    """Return the sum of each column."""
    return tuple(
        Pair(
            sum(row.amounts[column].now for row in rows),
            sum(row.amounts[column].before for row in rows),
        )
        for column in range(columns)
    )


UNKNOWN = ""
"""The key of what belongs to no grant, or to one of which the portal does not know the theme."""

WITHOUT = _l("Not recorded")
