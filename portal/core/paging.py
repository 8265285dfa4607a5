"""Long lists, page by page, and what the macro `pager` shows of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select

from portal.core.db import session

PAGE_ROWS = 25

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list: its rows, its number (from 1), and how many rows the whole list has."""

    rows: Sequence[Row]
    number: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return _pages(self.total)


def _pages(total: int) -> int:
    return max(1, -(-total // PAGE_ROWS))


def _within(number: int, total: int) -> int:
    """Return the page that there is, nearest to the one that was asked for."""
    return min(max(1, number), _pages(total))


def page_of(rows: Sequence[Row], number: int) -> Page[Row]:
    """Return a page of a list that is read already. No SQL statement."""
    found = _within(number, len(rows))
    start = (found - 1) * PAGE_ROWS
    return Page(rows[start : start + PAGE_ROWS], found, len(rows))


def select_page(rows: Select[Row], number: int) -> Page[Row]:
    """Return a page of what a SELECT of one entity finds. Two SQL statements."""
    counted = select(func.count()).select_from(rows.order_by(None).subquery())
    total = session.scalar(counted) or 0
    found = _within(number, total)
    page = rows.limit(PAGE_ROWS).offset((found - 1) * PAGE_ROWS)
    return Page(session.scalars(page).all(), found, total)


def pager(page: Page[Any], at: Callable[[int], str]) -> dict[str, object]:
    """Return what the macro shows; `at` makes the address of the page with a number."""
    return {
        "number": page.number,
        "pages": page.pages,
        "total": page.total,
        "previous_href": at(page.number - 1) if page.number > 1 else None,
        "next_href": at(page.number + 1) if page.number < page.pages else None,
    }
