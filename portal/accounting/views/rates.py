"""The rates of exchange that hold on a day, the history of a currency, and the monthly import."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal, get_currency_name
from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounting import policy
from portal.accounting.forms import RatesForm
from portal.accounting.queries import rates as found
from portal.accounting.views.blueprint import (
    asked,
    asked_day,
    asked_day_or_404,
    blueprint,
    page,
    written,
)
from portal.accounting.views.held_file import packed, unpacked
from portal.accounts import guard
from portal.core import clock
from portal.core.db import session
from portal.core.downloads import csv_file
from portal.core.i18n import _, locale, ngettext
from portal.core.paging import page_of, pager
from portal.core.text import sha256_hex
from portal.core.web import tell
from portal.ledger import queries as ledger
from portal.ledger.models import ExchangeRate
from portal.ledger.rules import DOLLAR, MOST_CHANGE_PERCENT, RateChange
from portal.ledger.unore import MAX_BYTES, BadRates, LargeChanges
from portal.ledger.unore import import_rates as keep_rates

MOST_SHOWN = 30
"""Changes on one page, the largest first: what a person compares, and within 30 KB."""

_CODE = re.compile("[A-Z]{3}")


def currency_name(code: str) -> str:
    """Return the name of a currency in the reader's language; its code where it has none."""
    name: str = get_currency_name(code, locale=locale())
    return name


def format_rate(units: Decimal) -> str:
    """Return the units for US$ 1 with as many decimals as they have."""
    text: str = format_decimal(units.normalize(), format="#,##0.########", locale=locale())
    return text


blueprint.add_app_template_filter(currency_name)


def format_change(percent: Decimal) -> str:
    """Return a change in per cent with its sign, in the reader's language."""
    text: str = format_decimal(percent, format="+#,##0.0;-#,##0.0", locale=locale())
    return _("%(number)s %%", number=text.replace("-", "\N{MINUS SIGN}"))


blueprint.add_app_template_filter(format_rate)
blueprint.add_app_template_filter(format_change)


def _narrowed(rates: Sequence[ExchangeRate], text: str) -> list[ExchangeRate]:
    """Return the rates of currencies in whose code or name `text` stands."""
    sought = text.casefold()
    return [
        rate
        for rate in rates
        if sought in f"{rate.currency} {currency_name(rate.currency)}".casefold()
    ]


@blueprint.get("/rates")
@guard.requires(policy.reads_positions)
def rates() -> ResponseReturnValue:
    """Show the rates that hold on a day, and the currencies in use that want one."""
    day, wrong = asked_day()
    text = asked("currency").strip()
    today = clock.today()
    holding = ledger.rates(day)
    wanting = found.missing(today) if day == today else []
    chosen: dict[str, Any] = {"on": written(day), "currency": text or None}
    one = page_of(_narrowed(holding, text), request.args.get("page", 1, type=int))
    return page(
        "rates",
        wrong,
        day=day,
        today=today,
        text=text,
        one=one,
        wanting=wanting,
        month=found.month_name(today),
        may_import=policy.can_import_rates(guard.signed_in()),
        pager=pager(one, lambda number: url_for("accounting.rates", page=number, **chosen)),
        csv_href=url_for("accounting.rates_csv", **chosen),
    )


@blueprint.get("/rates.csv")
@guard.requires(policy.reads_positions)
def rates_csv() -> ResponseReturnValue:
    """Hand out the rates that hold on a day for a spreadsheet."""
    day = asked_day_or_404()
    heads = [_("Currency"), _("Units for US$ 1"), _("From"), _("Source")]
    return csv_file(
        f"rates-{day}.csv",
        heads,
        (
            [rate.currency, f"{rate.units_per_usd:f}", str(rate.effective_on), rate.source]
            for rate in _narrowed(ledger.rates(day), asked("currency").strip())
        ),
    )


@blueprint.get("/rates/<currency>")
@guard.requires(policy.reads_positions)
def rate_history(currency: str) -> ResponseReturnValue:
    """Show every rate of one currency, the newest first."""
    rows = ledger.rate_history(currency) if _CODE.fullmatch(currency) else []
    if not rows or currency == DOLLAR:
        raise NotFound
    one = page_of(rows, request.args.get("page", 1, type=int))
    return page(
        "rate_history",
        currency=currency,
        one=one,
        pager=pager(
            one,
            lambda number: url_for("accounting.rate_history", currency=currency, page=number),
        ),
    )


@blueprint.route("/rates/import", methods=["GET", "POST"])
@guard.requires(policy.can_import_rates)
def import_rates() -> ResponseReturnValue:
    """Take the UN's file of rates, or say row by row why not; then nothing of it is kept.

    Rates far from the ones around them, and first rates of a currency, are shown, and taken once
    somebody says they are right.
    """
    form = RatesForm()
    faults: list[str] = []
    changes: list[RateChange] = []
    if form.validate_on_submit():
        content = b""
        try:
            content = _content(form)
            return _taken(form, content)
        except LargeChanges as large:
            session.rollback()
            changes = large.changes
            faults = _unconfirmed(form, content)
        except BadRates as bad:
            session.rollback()
            faults = bad.sentences
    return page(
        "import_rates",
        [*faults, *form.errors],
        form=form,
        faults=faults,
        changes=changes,
        most=MOST_CHANGE_PERCENT,
        most_shown=MOST_SHOWN,
    )


def _content(form: RatesForm) -> bytes:
    """Return the file that was chosen, or else the one that the page held. Raises BadRates."""
    upload = form.file.data
    if upload and upload.filename:
        content: bytes = upload.stream.read(MAX_BYTES + 1)
        return content
    held = unpacked(form.held.data or "", MAX_BYTES + 1)
    if not held:
        raise BadRates([_("Choose the file first.")])
    return held


def _unconfirmed(form: RatesForm, content: bytes) -> list[str]:
    """Let the page hold the file, and return what it asks for."""
    digest = sha256_hex(content)
    again = form.shown.data == digest
    form.held.data, form.shown.data, form.confirm.data = packed(content), digest, False
    asked = [
        _(
            "Some rates differ much from the ones before or after them, or are the first of their "
            "currency. Compare them with the UN’s own page, then tick below."
        )
    ]
    if again:
        asked = [_("Tick that you compared the rates below, or go back without importing.")]
    if not form.held.data:
        asked.append(_("This file is large: choose it once more with the tick."))
    return asked


def _taken(form: RatesForm, content: bytes) -> ResponseReturnValue:
    """Import the file. Raises BadRates, and LargeChanges until they were shown and confirmed."""
    done = keep_rates(
        content,
        by=guard.signed_in().id,
        source=form.source.data,
        confirmed=form.confirm.data and form.shown.data == sha256_hex(content),
    )
    tell(
        " ".join(
            (
                ngettext("%(num)d rate is new.", "%(num)d rates are new.", done.added),
                ngettext(
                    "%(num)d was there already.", "%(num)d were there already.", done.unchanged
                ),
            )
        )
    )
    return redirect(url_for("accounting.rates"), code=303)
