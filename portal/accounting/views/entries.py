"""What stands behind a figure, entry by entry, and one booking whole."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounting import policy, service
from portal.accounting.figures import MEANINGS, Figure
from portal.accounting.queries.entries import EXPORT_ROWS, Behind, behind, booking
from portal.accounting.views.blueprint import (
    asked_day,
    asked_day_or_404,
    blueprint,
    fund_or_404,
    page,
    written,
)
from portal.accounting.words import cause_in_words
from portal.accounts import guard
from portal.core import clock
from portal.core.downloads import csv_file
from portal.core.i18n import _, ngettext
from portal.core.money import Money, total, usd
from portal.core.paging import PAGE_ROWS, Page, pager
from portal.ledger.models import LedgerEntry
from portal.ledger.rules import DOLLAR


def in_own_currency(entry: LedgerEntry) -> Money:
    """Return an entry in its own currency, on the side where it stands, above zero."""
    return Money(abs(entry.amount), entry.currency)


blueprint.add_app_template_filter(in_own_currency)
blueprint.add_app_template_filter(cause_in_words)

LAST_PAGE = 10**9
"""Beyond it no address is taken at its word."""


def _figure(value: str) -> Figure:
    """Return the figure of an address. Raises NotFound."""
    try:
        return Figure(value)
    except ValueError:
        raise NotFound from None


def _asked_page(code: str, figure: Figure, day: date) -> tuple[Behind, int]:
    """Return the page of entries that is asked for, or the last one there is."""
    number = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    reader = guard.signed_in()
    found = behind(reader, code, figure, day, limit=PAGE_ROWS, offset=(number - 1) * PAGE_ROWS)
    if found.rows or not found.total:
        return found, number if found.total else 1
    last = Page(found.rows, number, found.total).pages
    offset = (last - 1) * PAGE_ROWS
    return behind(reader, code, figure, day, limit=PAGE_ROWS, offset=offset), last


@blueprint.get("/funds/<code>/entries/<figure>")
@guard.requires(policy.reads_entries)
def entries(code: str, figure: str) -> ResponseReturnValue:
    """Show the entries behind a figure at the end of a day, the newest first."""
    fund = fund_or_404(code, policy.can_see_entries)
    chosen = _figure(figure)
    day, wrong = asked_day()
    place: dict[str, Any] = {"code": code, "figure": figure, "on": written(day)}
    found, number = _asked_page(code, chosen, day)
    return page(
        "entries",
        wrong,
        fund=fund,
        figure=chosen,
        words=MEANINGS[chosen].words,
        day=day,
        today=clock.today(),
        on=written(day),
        found=found,
        pager=pager(
            Page(found.rows, number, found.total),
            lambda wanted: url_for("accounting.entries", page=wanted, **place),
        ),
        csv_href=url_for("accounting.entries_csv", **place),
    )


@blueprint.post("/funds/<code>/entries/<figure>.csv")
@guard.requires(policy.reads_entries)
def entries_csv(code: str, figure: str) -> ResponseReturnValue:
    """Hand out the entries behind a figure for a spreadsheet; they sum to the figure.

    That is an act of record.
    """
    fund_or_404(code, policy.can_see_entries)
    chosen, day = _figure(figure), asked_day_or_404()
    reader = guard.signed_in()
    found = behind(reader, code, chosen, day, limit=EXPORT_ROWS)
    service.record_entries_taken(code, chosen, day, len(found.rows), by=reader)
    heads = [
        _("Day"),
        _("What"),
        _("Account"),
        _("Reference"),
        _("File"),
        _("Currency"),
        _("Amount"),
        _("US$"),
    ]
    return csv_file(f"{code}-{chosen.value}-{day}.csv", heads, _cells(found))


def _cells(found: Behind) -> Iterator[list[str]]:
    """Yield the cells of an export, with what is older in its last line together."""
    for row in found.rows:
        yield [
            row.day.isoformat(),
            row.what,
            row.account,
            _("(withheld)") if row.hidden else row.ref or "",
            row.file or "",
            row.money.currency if row.money else "",
            str(row.money.amount) if row.money else "",
            str(row.usd.amount),
        ]
    older = found.total - len(found.rows)
    if older:
        rest = found.usd - total((row.usd for row in found.rows), DOLLAR)
        said = ngettext("%(num)d older entry", "%(num)d older entries together", older)
        yield ["", said, "", "", "", "", "", str(rest.amount)]


@blueprint.get("/bookings/<uuid:booking_id>")
@guard.requires(policy.reads_entries)
def one_booking(booking_id: UUID) -> ResponseReturnValue:
    """Show one booking: its entries in both currencies, its rate, and what belongs to it."""
    found = booking(guard.signed_in(), booking_id)
    if found is None:
        raise NotFound
    entries = sorted(found.booking.entries, key=lambda each: (each.usd < 0, each.account.kind))
    return page(
        "booking",
        found=found,
        booking=found.booking,
        entries=entries,
        funds=sorted({each.account.fund_code for each in entries}),
        debits=usd(sum(max(0, each.usd) for each in entries)),
        credits=usd(sum(max(0, -each.usd) for each in entries)),
    )
