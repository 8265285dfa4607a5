"""The budget: lines as typed, lines as kept, and their sum. Arithmetic is the server's (R10)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.core.i18n import _
from portal.core.money import MAX_MINOR, BadAmount, Money
from portal.core.text import ascii_digits, normalise
from portal.funds.profile import Profile

MOST_UNITS = 100_000
DESCRIPTION_LIMIT = 300
_UNITS = re.compile(r"0{0,9}[1-9]\d{0,5}", re.ASCII)


@dataclass(frozen=True)
class Line:
    """One cost: `quantity` times `unit_cost`, in minor units of the application's currency."""

    category: str
    description: str
    quantity: int
    unit_cost: int

    @property
    def amount(self) -> int:
        """Quantity times unit cost, in minor units."""
        return self.quantity * self.unit_cost


@dataclass(frozen=True)
class TypedLine:
    """One row of the budget page exactly as it was typed."""

    category: str = ""
    description: str = ""
    quantity: str = ""
    unit_cost: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether the row says nothing: emptying a row removes it."""
        return not (self.description.strip() or self.quantity.strip() or self.unit_cost.strip())


class BadLine(ValueError):
    """A row that cannot be kept; `sentences` go by field."""

    def __init__(self, sentences: dict[str, str]) -> None:
        super().__init__("; ".join(sentences.values()))
        self.sentences = sentences


def total(lines: Iterable[Line]) -> int:
    """Return the sum of the lines, in minor units."""
    return sum(line.amount for line in lines)


def read_line(typed: TypedLine, fund: Profile, currency: str, locale: str = "en") -> Line:
    """Return the line that a row says. Raises BadLine with a sentence for each wrong field."""
    wrong: dict[str, str] = {}
    allowed = {category.key for category in fund.budget.categories}
    if typed.category not in allowed:
        wrong["category"] = _("Choose the category that the cost belongs to.")
    description = " ".join(normalise(typed.description).split())
    if not description:
        wrong["description"] = _("Say what the cost is for.")
    elif len(description) > DESCRIPTION_LIMIT:
        wrong["description"] = _(
            "Say it in %(limit)s characters; this has %(count)s.",
            limit=DESCRIPTION_LIMIT,
            count=len(description),
        )
    quantity = _read_quantity(typed.quantity, wrong)
    cost = _read_cost(typed.unit_cost, currency, locale, wrong)
    if not wrong and quantity * cost > MAX_MINOR:
        wrong["unit_cost"] = _("This line is too large. Look at the digits again.")
    if wrong:
        raise BadLine(wrong)
    return Line(typed.category, description, quantity, cost)


def _read_quantity(text: str, wrong: dict[str, str]) -> int:
    plain = ascii_digits(text).strip()
    if _UNITS.fullmatch(plain) and int(plain) <= MOST_UNITS:
        return int(plain)
    wrong["quantity"] = _(
        "Give a whole number from 1 to %(most)s, in digits. For half a day, make it one day at "
        "half the price.",
        most=MOST_UNITS,
    )
    return 0


def _read_cost(text: str, currency: str, locale: str, wrong: dict[str, str]) -> int:
    try:
        money = Money.parse(text, currency, locale)
    except BadAmount as bad:
        wrong["unit_cost"] = bad.sentence
        return 0
    if money.minor <= 0:
        wrong["unit_cost"] = _("Give a price above zero.")
    return money.minor


def read_lines(
    rows: Sequence[TypedLine], fund: Profile, currency: str, locale: str = "en"
) -> tuple[list[Line], dict[int, dict[str, str]]]:
    """Return the lines that the rows say, and what is wrong by row number (from 0) and field."""
    lines: list[Line] = []
    wrong: dict[int, dict[str, str]] = {}
    for number, row in enumerate(rows):
        if row.is_blank:
            continue
        try:
            lines.append(read_line(row, fund, currency, locale))
        except BadLine as bad:
            wrong[number] = bad.sentences
    return lines, wrong
