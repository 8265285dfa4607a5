"""The yearly account as a workbook: real numbers with formats, formulas for sums alone.

A formula carries its result with it, so that whoever reads the file without computing sees the
same cents as the books. Texts are written as texts, never as formulas.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from portal.accounting.queries.yearly import YearlyAccount
from portal.accounting.yearly import Pair, Row
from portal.core.formats import format_day
from portal.core.i18n import _, direction, translated
from portal.core.money import usd

MONEY = "#,##0.00;[Red]-#,##0.00"
FIRST_ROW = 4
"""Where the head of each table stands: above it title, fund and state of the account."""

A4 = 9
TAB_LENGTH = 31
LABEL_WIDTH = 46
AMOUNT_WIDTH = 18


@dataclass(frozen=True)
class Line:
    """One row of a sheet: its label, its amounts in US cents, and the rows above that it sums.

    `sums` counts rows back from this one: all from the first to the last. `adds` counts back the
    two rows alone that it is the sum of. A line with neither holds plain numbers.
    """

    label: str
    cents: Sequence[int]
    sums: tuple[int, int] | None = None
    adds: tuple[int, int] | None = None


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name on the tab, the heads of its columns, and its lines."""

    name: str
    heads: Sequence[str]
    lines: Sequence[Line]


def workbook(found: YearlyAccount) -> bytes:
    """Return the account as the bytes of an XLSX file."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": _title(found), "author": _("Voluntary Funds Portal")})
        styles = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "soft": book.add_format({"font_color": "#55606b"}),
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            "amount_head": book.add_format(
                {"bold": True, "bottom": 1, "text_wrap": True, "align": "right"}
            ),
            "amount": book.add_format({"num_format": MONEY}),
            "sum": book.add_format({"num_format": MONEY, "bold": True, "top": 1}),
            "sum_label": book.add_format({"bold": True, "top": 1}),
        }
        for each in sheets(found):
            _write(book, each, found, styles)
    return out.getvalue()


def sheets(found: YearlyAccount) -> list[Sheet]:
    """Return what stands on each sheet."""
    year = found.account.year
    years = [str(year), str(year - 1)]
    spent = [
        *(_("Disbursed %(year)s", year=each) for each in years),
        *(_("Spent %(year)s", year=each) for each in years),
    ]
    made = [
        Sheet(_("Account"), [_("In US$"), *years], _account_lines(found)),
        Sheet(_("Balance"), [_("In US$"), *years], _asset_lines(found)),
        Sheet(_("Receipts"), [_("In US$"), *years], _receipt_lines(found)),
        Sheet(_("Kinds of donors"), [_("Donors"), *years], _table(found.kinds)),
        Sheet(_("Donors"), [_("Donor"), *years], _table(found.givers)),
        Sheet(_("Regions"), [_("Region"), *spent], _table(found.regions)),
        Sheet(_("Countries"), [_("Country"), *spent], _table(found.countries)),
    ]
    if found.fund.theme:
        made.append(Sheet(_("Themes"), [_("Theme"), *spent], _table(found.themes)))
    return made


def _account_lines(found: YearlyAccount) -> list[Line]:
    account = found.account
    return [
        Line(_("Balance on 1 January"), _cents(account.opening)),
        Line(_("Contributions received"), _cents(account.contributions)),
        Line(_("Gain or loss on exchange"), _cents(account.exchange)),
        Line(_("Bank and card charges"), _cents(account.charges, -1)),
        Line(_("Grant expenditure"), _cents(account.expenditure, -1)),
        Line(_("Programme support costs"), _cents(account.support_costs, -1)),
        Line(_("Result of the year"), _cents(account.result), sums=(5, 1)),
        Line(
            _("Balance on %(day)s", day=format_day(account.until)),
            _cents(account.closing),
            adds=(7, 1),
        ),
    ]


def _receipt_lines(found: YearlyAccount) -> list[Line]:
    account = found.account
    return [
        Line(_("Contributions received"), _cents(account.contributions)),
        Line(_("Gain or loss on exchange until they arrived"), _cents(account.rate_gain)),
        Line(_("Contributions by their receipts"), _cents(account.receipts), sums=(2, 1)),
    ]


def _asset_lines(found: YearlyAccount) -> list[Line]:
    account = found.account
    lines = [Line(str(kind.label), _cents(pair)) for kind, pair in account.assets]
    return [*lines, Line(_("Balance"), _cents(account.closing), sums=(len(lines), 1))]


def _table(rows: Sequence[Row]) -> list[Line]:
    lines = [
        Line(str(row.label), [cents for pair in row.amounts for cents in _cents(pair)])
        for row in rows
    ]
    if not lines:
        return [Line(_("Nothing in these years"), [])]
    total = [sum(column) for column in zip(*(line.cents for line in lines), strict=True)]
    return [*lines, Line(_("Total"), total, sums=(len(lines), 1))]


def _cents(pair: Pair, sign: int = 1) -> list[int]:
    return [sign * pair.now, sign * pair.before]


def _tab(name: str) -> str:
    """Return a name as a tab may bear it: without the marks that spreadsheets forbid."""
    return re.sub(r"[\[\]:*?/\\]", " ", name).strip(" '")[:TAB_LENGTH]


def _title(found: YearlyAccount) -> str:
    return _("Account of %(year)s", year=found.account.year)


def _state(found: YearlyAccount) -> str:
    if found.account.is_final:
        return _("From the books of the fund, in US$")
    day = format_day(found.account.until)
    return _("Provisional: as of %(day)s, in US$", day=day)


def _write(book: Any, sheet: Sheet, found: YearlyAccount, styles: dict[str, Any]) -> None:
    page = book.add_worksheet(_tab(sheet.name))
    page.write_string(0, 0, _title(found), styles["title"])
    page.write_string(1, 0, translated(found.fund.name))
    page.write_string(2, 0, _state(found), styles["soft"])
    for column, head in enumerate(sheet.heads):
        page.write_string(FIRST_ROW, column, head, styles["amount_head" if column else "head"])
    for place, line in enumerate(sheet.lines, start=FIRST_ROW + 1):
        _write_line(page, place, line, styles)
    page.set_column(0, 0, LABEL_WIDTH)
    page.set_column(1, len(sheet.heads) - 1, AMOUNT_WIDTH)
    page.freeze_panes(FIRST_ROW + 1, 1)
    page.repeat_rows(FIRST_ROW)
    page.set_paper(A4)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_footer("&L&A&R&P / &N")
    page.set_margins(left=0.6, right=0.6, top=0.7, bottom=0.7)
    if direction() == "rtl":
        page.right_to_left()


def _write_line(page: Any, place: int, line: Line, styles: dict[str, Any]) -> None:
    above = line.sums or line.adds
    page.write_string(place, 0, line.label, styles["sum_label"] if above else None)
    for column, cents in enumerate(line.cents, start=1):
        amount = usd(cents).amount
        if above is None:
            page.write_number(place, column, amount, styles["amount"])
            continue
        joined = (":" if line.sums else ",").join(
            xl_rowcol_to_cell(place - back, column) for back in above
        )
        page.write_formula(place, column, f"=SUM({joined})", styles["sum"], amount)
