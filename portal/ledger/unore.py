"""The UN operational rates of exchange: reading the UN's own XML file, and keeping its history.

The file has the root `UN_OPERATIONAL_RATES_DATASET` and one `UN_OPERATIONAL_RATES` per country,
with `f_curr_code`, `rate` (units per US$ 1) and `eff_date` like `1 Nov 2026`. A currency repeats
once per country, rows may carry different dates. Nothing of a file is kept unless all of it is
sound; each fault is a sentence that names the row and the value.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError

from babel.core import get_global
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from sqlalchemy import select

from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.money import UnknownCurrency, exponent
from portal.core.text import plain
from portal.ledger.models import ExchangeRate
from portal.ledger.rate_changes import RateRow, large_changes, told
from portal.ledger.rules import DOLLAR, RateChange
from portal.ledger.service import revalue_all

SOURCE = "UNORE"
ROOT = "UN_OPERATIONAL_RATES_DATASET"
ROW = "UN_OPERATIONAL_RATES"
MAX_BYTES = 5_000_000
MAX_FAULTS = 20
AHEAD = timedelta(days=92)
EARLIEST = date(1946, 1, 1)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4})")
_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?")
_CODE = re.compile(r"[A-Z]{3}")
_SOURCE = re.compile(r"[A-Za-z0-9._:/-]{1,200}")
_SHOWN = 40


class BadRates(ValueError):
    """A file of rates that cannot be taken; `sentences` say what is wrong, row by row."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


class LargeChanges(BadRates):
    """A sound file with rates far from others, or the first of a currency: a person confirms it.

    `changes` are those rates, the largest change first.
    """

    def __init__(self, changes: list[RateChange]) -> None:
        super().__init__(_shortened(told(changes)))
        self.changes = changes


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rates that are new, and rates that were there already."""

    added: int
    unchanged: int


def parse(content: bytes) -> list[RateRow]:
    """Read a file of rates: one row per currency and date, in the order of the file.

    Raises BadRates for anything but a whole, plain and consistent file.
    """
    dataset = _dataset(content)
    faults: list[str] = []
    rows: list[RateRow] = []
    for number, element in enumerate(dataset, start=1):
        try:
            rows.append(_row(number, element))
        except BadRates as problem:
            faults += problem.sentences
    if not faults and not rows:
        faults.append(_("The file has no rates. Download it again and import the new copy."))
    faults += _contradictions(rows)
    if faults:
        raise BadRates(_shortened(faults))
    return _once(rows)


def import_rates(
    content: bytes, *, by: UUID | None, source: str = SOURCE, confirmed: bool = False
) -> Imported:
    """Keep the rates of a file under the name `source` (`UNORE`, or `UNORE-approximate`).

    Importing a file again adds nothing. A rate that differs from one kept for the same currency,
    date and source is refused: history is not rewritten, a correction is imported under a source
    of its own, such as `UNORE-revised`, and then holds. A rate far from those it comes between, or
    the first of its currency once any are kept, is kept only if the changes were `confirmed`.
    What the funds hold in foreign currency is brought to the new rates. Raises BadRates, and
    LargeChanges.
    """
    if not _SOURCE.fullmatch(source):
        raise BadRates([_("Name the source in letters, digits and hyphens, like UNORE.")])
    rows = parse(content)
    audit.take_turn()
    kept = _kept(rows, source)
    faults = [_rewritten(row, before) for row in rows if (before := _differs(row, kept))]
    if faults:
        raise BadRates(_shortened(faults))
    new = [row for row in rows if (row.currency, row.effective_on) not in kept]
    large = large_changes(new)
    if large and not confirmed:
        raise LargeChanges(large)
    rates = [
        ExchangeRate(
            currency=row.currency,
            units_per_usd=row.units_per_usd,
            effective_on=row.effective_on,
            source=source,
            imported_at=clock.now(),
        )
        for row in new
    ]
    session.add_all(rates)
    session.flush()
    if rates:
        facts = {"source": source, "added": len(rates), "unchanged": len(rows) - len(rates)}
        if large:
            facts["changes_confirmed"] = len(large)
        audit.record("rates.imported", rates[0], actor_id=by, facts=facts)
        revalue_all(clock.today(), by=by)
    return Imported(len(rates), len(rows) - len(rates))


def _kept(rows: Iterable[RateRow], source: str) -> dict[tuple[str, date], Decimal]:
    """Return the rates of `source` that are kept for the dates of `rows`. One SQL statement."""
    found = select(ExchangeRate).where(
        ExchangeRate.source == source,
        ExchangeRate.effective_on.in_({row.effective_on for row in rows}),
    )
    return {
        (rate.currency, rate.effective_on): rate.units_per_usd for rate in session.scalars(found)
    }


def _differs(row: RateRow, kept: dict[tuple[str, date], Decimal]) -> Decimal | None:
    before = kept.get((row.currency, row.effective_on))
    return before if before is not None and before != row.units_per_usd else None


def _rewritten(row: RateRow, before: Decimal) -> str:
    return _(
        "Row %(row)s: %(currency)s on %(day)s is %(rate)s, but %(before)s was imported before. "
        "Import a correction under a source of its own.",
        row=row.number,
        currency=row.currency,
        day=row.effective_on.isoformat(),
        rate=plain(row.units_per_usd),
        before=plain(before),
    )


def _dataset(content: bytes) -> Element:
    if len(content) > MAX_BYTES:
        raise BadRates([_("The file is larger than 5 MB; a month of rates is far smaller.")])
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise BadRates(
            [_("The file declares entities or a document type, which rates never need.")]
        ) from None
    except (ParseError, ValueError, LookupError):
        raise BadRates(
            [
                _(
                    "The file is not complete, or is not XML. Download it again and import the "
                    "new copy."
                )
            ]
        ) from None
    if root.tag != ROOT:
        raise BadRates(
            [
                _(
                    "The file begins with “%(tag)s”, not with “%(root)s”: it is another file.",
                    tag=_short(root.tag),
                    root=ROOT,
                )
            ]
        )
    return root


def _row(number: int, element: Element) -> RateRow:
    if element.tag != ROW:
        raise BadRates(
            [
                _(
                    "Row %(row)s is “%(tag)s”, not “%(expected)s”.",
                    row=number,
                    tag=_short(element.tag),
                    expected=ROW,
                )
            ]
        )
    currency = _value(number, element, "f_curr_code")
    rate = _value(number, element, "rate")
    day = _value(number, element, "eff_date")
    if not _CODE.fullmatch(currency):
        raise _fault(
            number,
            currency,
            _("Row %(row)s: “%(value)s” is not a currency code of three capital letters."),
        )
    if not _is_currency(currency):
        raise _fault(
            number,
            currency,
            _("Row %(row)s: “%(value)s” is not the code of a currency. Correct it, like EUR."),
        )
    units = _units(number, rate)
    if currency == DOLLAR and units != 1:
        raise _fault(number, rate, _("Row %(row)s: “%(value)s” is not 1, the rate of USD."))
    return RateRow(number, currency, units, _day(number, day))


@cache
def _is_currency(code: str) -> bool:
    """Whether `code` is a currency that people are paid in, by ISO 4217.

    One that was money of a country once counts as well: the UN's older files have its rates.
    Codes for tests, for metals and for nothing (XTS, XAU, XXX) do not.
    """
    try:
        exponent(code)
    except UnknownCurrency:
        return code in _tenders()
    return True


@cache
def _tenders() -> frozenset[str]:
    """Return the codes of all that is or was legal tender somewhere, by the CLDR of Babel."""
    return frozenset(
        code
        for spans in get_global("territory_currencies").values()
        for code, _since, _until, is_tender in spans
        if is_tender
    )


def _value(number: int, element: Element, name: str) -> str:
    found = element.findall(name)
    text = (found[0].text or "").strip() if found else ""
    if len(found) != 1 or not text:
        raise BadRates(
            [
                _(
                    "Row %(row)s: “%(name)s” is missing, empty or there more than once.",
                    row=number,
                    name=name,
                )
            ]
        )
    return text


def _units(number: int, text: str) -> Decimal:
    if not _RATE.fullmatch(text):
        raise _fault(
            number,
            text,
            _("Row %(row)s: “%(value)s” is no rate: digits, and a point with up to 8 decimals."),
        )
    units = Decimal(text)
    if units <= 0:
        raise _fault(number, text, _("Row %(row)s: “%(value)s” is not above zero."))
    return units


def _day(number: int, text: str) -> date:
    found = _DATE.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        raise _fault(number, text, _("Row %(row)s: “%(value)s” is not a date like 1 Nov 2026."))
    try:
        day = date(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    except ValueError:
        raise _fault(
            number, text, _("Row %(row)s: “%(value)s” is not a day of the calendar.")
        ) from None
    if not EARLIEST <= day <= clock.today() + AHEAD:
        raise _fault(
            number,
            text,
            _("Row %(row)s: “%(value)s” is too far from today to be the date of a rate."),
        )
    return day


def _once(rows: Iterable[RateRow]) -> list[RateRow]:
    first: dict[tuple[str, date], RateRow] = {}
    for row in rows:
        first.setdefault((row.currency, row.effective_on), row)
    return list(first.values())


def _contradictions(rows: Iterable[RateRow]) -> list[str]:
    first: dict[tuple[str, date], RateRow] = {}
    faults = []
    for row in rows:
        before = first.setdefault((row.currency, row.effective_on), row)
        if before.units_per_usd != row.units_per_usd:
            faults.append(
                _(
                    "Rows %(one)s and %(two)s contradict each other: %(currency)s on %(day)s is "
                    "%(first)s and %(second)s.",
                    one=before.number,
                    two=row.number,
                    currency=row.currency,
                    day=row.effective_on.isoformat(),
                    first=plain(before.units_per_usd),
                    second=plain(row.units_per_usd),
                )
            )
    return faults


def _fault(number: int, value: str, sentence: str) -> BadRates:
    return BadRates([sentence % {"row": number, "value": _short(value)}])


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "…"


def _shortened(faults: list[str]) -> list[str]:
    more = len(faults) - MAX_FAULTS
    if more <= 0:
        return faults
    return [
        *faults[:MAX_FAULTS],
        ngettext("And %(num)d more row.", "And %(num)d more rows.", more),
    ]
