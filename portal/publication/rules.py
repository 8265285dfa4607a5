"""Figures in which nobody can be found: cells below five are held back, and what betrays them.

A table with totals gives a hidden cell away when everything else in its row or column stands
there. So further cells are held back until no hidden cell can be computed from what is shown, and
until no group of hidden cells has a sum below five that can be computed.
"""

from collections.abc import Collection, Sequence

SMALLEST = 5
"""The smallest count of people or grants that is published; nothing at all (0) may be said."""

Cell = tuple[int, int]
Grid = list[list[int]]
Shown = list[list[int | None]]


def may_be_shown(count: int) -> bool:
    """Tell whether a single count may be published."""
    return count == 0 or count >= SMALLEST


def protected(counts: Sequence[Sequence[int]], *, hidden_totals: Collection[int] = ()) -> Shown:
    """Return `counts` with a total at the end of each row and a row of totals; None is held back.

    `hidden_totals` names columns whose total another table holds back already.
    """
    grid = _with_totals(counts)
    last = len(grid) - 1
    hidden = {
        (i, j)
        for i, row in enumerate(grid)
        for j, value in enumerate(row)
        if not may_be_shown(value) or (i == last and j in hidden_totals)
    }
    while (betrayed := _betrayed(grid, hidden)) is not None:
        more = _next_to_hide(grid, hidden, betrayed)
        if more is None:
            break
        hidden.add(more)
    return [
        [None if (i, j) in hidden else value for j, value in enumerate(row)]
        for i, row in enumerate(grid)
    ]


def protected_together(tables: Sequence[Sequence[Sequence[int]]]) -> list[Shown]:
    """Return several tables of the same people by the same columns, as `protected` does.

    Their totals are the same figures: what one table holds back, no other one shows.
    """
    totals: set[int] = set()
    while True:
        shown = [protected(table, hidden_totals=totals) for table in tables]
        found = {j for table in shown for j, value in enumerate(table[-1]) if value is None}
        if found == totals:
            return shown
        totals = found


def _with_totals(counts: Sequence[Sequence[int]]) -> Grid:
    rows = [[*row, sum(row)] for row in counts]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]] if rows else [[0]]


def _betrayed(grid: Grid, hidden: set[Cell]) -> Cell | None:
    """Return a hidden cell that the shown ones give away, or None."""
    for cell in sorted(hidden):
        if grid[cell[0]][cell[1]] and not _is_in_a_circle(cell, hidden):
            return cell
    for line in _lines(grid):
        *parts, total = line
        unknown = [cell for cell in parts if cell in hidden]
        together = sum(grid[i][j] for i, j in unknown)
        if unknown and total not in hidden and 0 < together < SMALLEST:
            return unknown[0]
    return None


def _is_in_a_circle(cell: Cell, hidden: set[Cell]) -> bool:
    """Tell whether the cell's row and column are joined through other hidden cells.

    Each row and each column is one equation. A hidden cell can be solved for exactly when, in the
    graph that joins rows and columns by hidden cells, it lies on no circle.
    """
    others = hidden - {cell}
    rows, columns, grown = {cell[0]}, set[int](), True
    while grown:
        reached = {j for i, j in others if i in rows}
        rows_now = rows | {i for i, j in others if j in reached}
        grown = reached != columns or rows_now != rows
        rows, columns = rows_now, reached
    return cell[1] in columns


def _lines(grid: Grid) -> list[list[Cell]]:
    height, width = len(grid), len(grid[0])
    across = [[(i, j) for j in range(width)] for i in range(height)]
    down = [[(i, j) for i in range(height)] for j in range(width)]
    return across + down


def _next_to_hide(grid: Grid, hidden: set[Cell], betrayed: Cell) -> Cell | None:
    """Return what to hold back besides: in the same line, a part before a total, the smallest."""
    height, width = len(grid), len(grid[0])

    def order(cell: Cell) -> tuple[bool, bool, int, int, Cell]:
        i, j = cell
        elsewhere = i != betrayed[0] and j != betrayed[1]
        totals = (i == height - 1) + (j == width - 1)
        return elsewhere, grid[i][j] == 0, totals, grid[i][j], cell

    shown = [(i, j) for i in range(height) for j in range(width) if (i, j) not in hidden]
    return min(shown, key=order, default=None)
