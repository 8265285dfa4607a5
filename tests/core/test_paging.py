"""Pages of long lists."""

import pytest

from portal.core.paging import PAGE_ROWS, Page, page_of, pager


@pytest.mark.parametrize(
    ("total", "asked", "number", "rows"),
    [
        (0, 1, 1, 0),
        (1, 1, 1, 1),
        (PAGE_ROWS, 1, 1, PAGE_ROWS),
        (PAGE_ROWS, 2, 1, PAGE_ROWS),
        (PAGE_ROWS + 1, 2, 2, 1),
        (PAGE_ROWS + 1, 10**30, 2, 1),
        (PAGE_ROWS + 1, -5, 1, PAGE_ROWS),
    ],
)
def test_a_page_is_always_one_that_there_is(total: int, asked: int, number: int, rows: int) -> None:
    page = page_of(range(total), asked)
    assert (page.number, len(page.rows), page.total) == (number, rows, total)


def test_pages_follow_upon_each_other_and_leave_nothing_out() -> None:
    total = 3 * PAGE_ROWS + 1
    seen: list[int] = []
    number: int | None = 1
    while number is not None:
        page: Page[int] = page_of(range(total), number)
        seen.extend(page.rows)
        shown = pager(page, str)
        assert shown["previous_href"] == (str(page.number - 1) if page.number > 1 else None)
        following = shown["next_href"]
        number = int(str(following)) if following else None
    assert seen == list(range(total))
