"""Rows of a ranked list as the macro `matrix` takes them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from flask import url_for

from portal.applications.models import Application
from portal.core.i18n import locale
from portal.core.money import Money
from portal.funds.profile import Profile

Ranked = tuple[Application, int, Decimal | None, Decimal | None, dict[str, Any], Money | None]


def ranked_rows(lines: Sequence[Ranked], fund: Profile, ends_at: int | None = None) -> list[Any]:
    """Return the rows; those from the number `ends_at` on (from 0) stand below the money."""
    return [
        _row(line, fund, below=ends_at is not None and index >= ends_at)
        for index, line in enumerate(lines)
    ]


def _row(line: Ranked, fund: Profile, *, below: bool) -> dict[str, Any]:
    application, rank, mean, spread, basis, recommended = line
    best, worst = basis.get("best"), basis.get("worst")
    return {
        "rank": rank,
        "interval": f"{best}–{worst}" if best != worst else "",
        "ref": application.ref,
        "href": url_for("reviews.review_tab", ref=application.ref),
        "name": application.organisation.name,
        "title": application.title,
        "cells": [
            _cell(basis.get("criteria", {}).get(criterion.key)) for criterion in fund.criteria
        ],
        "mean": None if mean is None else _hundredths(mean),
        "spread": None if spread is None else _hundredths(spread),
        "requested": application.requested_dollars,
        "recommended": recommended,
        "below": below,
        "steps": basis.get("steps", []),
        "decided_by": basis.get("decided_by"),
    }


def _cell(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        return {"value": None, "wide": False}
    return {"value": _hundredths(Decimal(found["mean"])), "wide": found["wide"]}


def _hundredths(value: Decimal) -> str:
    """Return the number with two decimals always, so that a column of them can be compared."""
    return format_decimal(value, "#,##0.00", locale=locale())
