"""Small cells stay hidden: nothing shown lets anybody compute one."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.publication.rules import SMALLEST, Shown, protected, protected_together

tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 12), min_size=width, max_size=width), min_size=1, max_size=4
    )
)


def solvable(shown: Shown) -> set[tuple[int, int]]:
    """Return the hidden cells that the shown ones determine, by solving the equations."""
    height, width = len(shown), len(shown[0])
    unknown = [(i, j) for i in range(height) for j in range(width) if shown[i][j] is None]
    lines = [[(i, j) for j in range(width)] for i in range(height)]
    lines += [[(i, j) for i in range(height)] for j in range(width)]
    rows = [
        [Fraction((-1 if cell == line[-1] else 1) if cell in line else 0) for cell in unknown]
        for line in lines
    ]
    reduced = reduce_rows(rows)
    alone = [row for row in reduced if sum(1 for value in row if value) == 1]
    return {cell for row in alone for cell, value in zip(unknown, row, strict=True) if value}


def reduce_rows(rows: list[list[Fraction]]) -> list[list[Fraction]]:
    """Return the reduced row echelon form."""
    done: list[list[Fraction]] = []
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        pivot = [value / pivot[column] for value in pivot]
        rows, done = (
            [[a - row[column] * b for a, b in zip(row, pivot, strict=True)] for row in part]
            for part in (rows, done)
        )
        done.append(pivot)
    return done


@given(tables)
@settings(max_examples=300, deadline=None)
def test_no_small_cell_is_shown_or_can_be_computed(table: list[list[int]]) -> None:
    shown = protected(table)
    for row, given_row in zip(shown, table, strict=False):
        for value, true in zip(row, given_row, strict=False):
            assert value in {None, true}
            assert value is None or value == 0 or value >= SMALLEST
    for i, j in solvable(shown):
        assert full(table)[i][j] == 0


@given(tables)
@settings(max_examples=200, deadline=None)
def test_hidden_parts_beside_a_shown_total_are_not_few(table: list[list[int]]) -> None:
    shown, true = protected(table), full(table)
    lines = [list(zip(a, b, strict=True)) for a, b in zip(shown, true, strict=True)]
    lines += [[line[j] for line in lines] for j in range(len(shown[0]))]
    for *parts, (total, _true) in lines:
        hidden = sum(value for seen, value in parts if seen is None)
        assert total is None or hidden == 0 or hidden >= SMALLEST


@given(tables, tables)
@settings(max_examples=100, deadline=None)
def test_tables_of_the_same_people_hide_the_same_totals(
    first: list[list[int]], second: list[list[int]]
) -> None:
    width = min(len(first[0]), len(second[0]))
    one = [row[:width] for row in first]
    two = [[sum(row[j] for row in one) for j in range(width)]]
    a, b = protected_together([one, two])
    assert [value is None for value in a[-1]] == [value is None for value in b[-1]]


def full(table: list[list[int]]) -> list[list[int]]:
    rows = [[*row, sum(row)] for row in table]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def test_large_cells_stand_as_they_are() -> None:
    table = [[20, 15], [12, 10], [50, 25]]
    assert protected(table) == full(table)


def test_one_small_cell_takes_others_with_it() -> None:
    shown = protected([[20, 3], [12, 10], [50, 25]])
    assert shown[0][1] is None
    assert sum(value is None for row in shown for value in row) == 4
    assert shown[-1][-1] == 120


def test_hardly_anything_is_said_of_very_few() -> None:
    assert protected([[1, 2]]) == [[None, None, None], [None, None, None]]
    assert protected([[0, 0]]) == [[0, 0, 0], [0, 0, 0]]
