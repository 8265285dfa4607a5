"""Pure decisions of the books: what balances, what is available, which rate, what a percent is.

All amounts are integers in minor units; `usd` means US cents. A debit is positive.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from portal.core.i18n import _
from portal.core.money import Money, to_usd
from portal.core.text import sha256_hex
from portal.ledger.models import AccountKind

DOLLAR = "USD"
APPROXIMATE = "-approximate"
"""How the name of a source ends whose figures are not the UN's own."""
REVERSED = ":reversed"
"""How the cause of a booking ends that reverses another one."""
MOST_CHANGE_PERCENT = 20
"""By how much a rate may differ from the one before it until a person has to confirm it.

The UN's rates move by a few per cent a month, and by more where a State devalues: then somebody
looks. A slip of the comma or of the row is far above it.
"""
_FULL = 100


class Unbalanced(ValueError):
    """Lines that are no booking: a mistake of the caller, never of a person at a form."""


class PostingConflict(ValueError):
    """A source reference that is already booked, with something else in it."""


class UnknownFund(LookupError):
    """No book was opened for the fund's code."""


class NoRate(LookupError):
    """No rate of exchange holds for a currency on a day; `sentence` says so to a person."""

    def __init__(self, currency: str, day: date) -> None:
        self.sentence = _(
            "There is no UN operational rate of exchange for %(currency)s on %(day)s. "
            "Import the rates of that month first.",
            currency=currency,
            day=day.isoformat(),
        )
        super().__init__(self.sentence)


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a booking: `money` in its own currency and `usd` cents; debit positive."""

    fund: str
    account: AccountKind
    money: Money
    usd: int


def debit(fund: str, account: AccountKind, value: Money, local: Money | None = None) -> Line:
    """Return the debit of `value` (US$), paid or received as `local`."""
    return _line(fund, account, value, local, 1)


def credit(fund: str, account: AccountKind, value: Money, local: Money | None = None) -> Line:
    """Return the credit of `value` (US$), paid or received as `local`."""
    return _line(fund, account, value, local, -1)


def _line(fund: str, account: AccountKind, value: Money, local: Money | None, sign: int) -> Line:
    cents = dollars(value)
    own = local or value
    return Line(fund, account, Money(sign * own.minor, own.currency), sign * cents)


def dollars(value: Money) -> int:
    """Return `value` in US cents. Raises Unbalanced unless it is in US$."""
    if value.currency != DOLLAR:
        raise Unbalanced(f"{value} is not in US$")
    return value.minor


def above_zero(value: Money) -> int:
    """Return `value` in US cents. Raises Unbalanced unless it is in US$ and above zero."""
    cents = dollars(value)
    if cents <= 0:
        raise Unbalanced(f"{value} is not above zero")
    return cents


def check_lines(lines: Sequence[Line]) -> None:
    """Raise Unbalanced unless `lines` are at least two and sum to zero in US$ in each fund."""
    if len(lines) < 2:  # noqa: PLR2004 — double entry
        raise Unbalanced("a booking takes at least two entries")
    for line in lines:
        _check_line(line)
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.fund] += line.usd
    uneven = {fund: total for fund, total in sums.items() if total}
    if uneven:
        raise Unbalanced(f"the entries do not sum to zero in US cents: {uneven}")


def _check_line(line: Line) -> None:
    if line.money.minor == 0:
        raise Unbalanced("an entry has an amount")
    if line.money.currency == DOLLAR and line.money.minor != line.usd:
        raise Unbalanced(f"{line.money} is not {line.usd} US cents")
    if line.usd and (line.usd > 0) != (line.money.minor > 0):
        raise Unbalanced("an entry is a debit or a credit in both currencies")


def mirrored(lines: Iterable[Line]) -> list[Line]:
    """Return the lines that undo `lines`."""
    return [Line(line.fund, line.account, -line.money, -line.usd) for line in lines]


def lines_digest(lines: Iterable[Line]) -> str:
    """Return the SHA-256, in hex, of lines in whatever order: the chain keeps it of each booking.

    `portal check` computes the same in SQL from the entries.
    """
    said = sorted(
        f"{line.fund}:{line.account.value}:{line.money.currency}:{line.money.minor}:{line.usd}"
        for line in lines
    )
    return sha256_hex("\n".join(said).encode())


def carried(held: int, cents: int, part: int) -> int | None:
    """Return the US cents that `part` of `held` units carry, when all of them carry `cents`.

    Every unit of a currency in an account carries the same, so an account that becomes empty is
    empty in both. None where `part` is not within what is held. Rounded once, half to even.
    """
    within = held and part and (part > 0) == (held > 0) and abs(part) <= abs(held)
    if not within or (cents and (cents > 0) != (held > 0)):
        return None
    return round(Fraction(cents) * part / held)


def same_lines(one: Iterable[Line], other: Iterable[Line]) -> bool:
    """Whether both say the same, in whatever order."""
    return Counter(one) == Counter(other)


def available(received: int, committed: int, disbursed_beyond: int, support_costs: int) -> int:
    """Return what may still be awarded, in US cents (R19; may be below zero after a loss).

    `committed` is outstanding, each payment takes its own part out of it; so `disbursed_beyond`
    the commitments is everything that was paid out and has not come back. `support_costs` are
    those charged and those that the outstanding money will bring with it.
    """
    return received - committed - disbursed_beyond - support_costs


def share(cents: int, percent: Decimal) -> int:
    """Return `percent` of `cents`, in US cents, rounded once, half to even."""
    return round(Fraction(percent) * cents / _FULL)


def expected_support_costs(committed: int, advanced: int, percent: Decimal) -> int:
    """Return the support costs, in US cents, that open money will still bring, never below zero.

    Support costs are charged on accepted expenditure; money that is committed, or advanced and
    not yet accounted for, will become expenditure, so its share must not be awarded to others.
    """
    return share(max(0, committed + advanced), percent)


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate that holds: `units_per_usd` units of `currency` for US$ 1, from `effective_on`.

    `id` is the imported row to quote in a booking; US$ itself has none.
    """

    currency: str
    units_per_usd: Decimal
    effective_on: date
    source: str
    id: UUID | None

    @property
    def is_approximate(self) -> bool:
        """Whether the source says of itself that its figures are approximate."""
        return self.source.endswith(APPROXIMATE)

    def in_usd(self, money: Money) -> Money:
        """Return `money` in US$, rounded once, half to even. Raises Unbalanced elsewhere."""
        if money.currency != self.currency:
            raise Unbalanced(f"{money} is not in {self.currency}")
        return to_usd(money, self.units_per_usd)


@dataclass(frozen=True, slots=True)
class RateChange:
    """A rate of the `row`th row of a file beside another of its currency: `beside`, of `beside_on`.

    Both are None for the first rate of a currency: there is nothing to compare it with.
    """

    row: int
    currency: str
    on: date
    units_per_usd: Decimal
    beside_on: date | None = None
    beside: Decimal | None = None

    @property
    def percent(self) -> Decimal | None:
        """The change from the earlier to the later rate, in per cent of the earlier one.

        To one decimal, half to even; None for the first rate of a currency.
        """
        if self.beside is None:
            return None
        earlier, later = self._by_day(self.beside)
        return Decimal(round(Fraction(later - earlier) / Fraction(earlier) * _FULL * 10)).scaleb(-1)

    @property
    def factor(self) -> Fraction:
        """How many times the smaller rate goes into the larger: a slip of the comma is 10.

        At least 1; 0 for the first rate of a currency, which has no change.
        """
        if self.beside is None:
            return Fraction(0)
        smaller, larger = sorted((self.beside, self.units_per_usd))
        return Fraction(larger) / Fraction(smaller)

    @property
    def is_large(self) -> bool:
        """Whether a person has to confirm it: a first rate, or beyond MOST_CHANGE_PERCENT.

        Two rates are judged alike whichever of them was imported first.
        """
        if self.beside is None:
            return True
        earlier, later = self._by_day(self.beside)
        return abs(later - earlier) * _FULL > earlier * MOST_CHANGE_PERCENT

    def _by_day(self, beside: Decimal) -> tuple[Decimal, Decimal]:
        if self.beside_on and self.beside_on > self.on:
            return self.units_per_usd, beside
        return beside, self.units_per_usd


def dollar_rate(day: date) -> Rate:
    """Return the rate of US$, which is 1 on every day."""
    return Rate(DOLLAR, Decimal(1), day, DOLLAR, None)
