"""Pure decisions about amendments, tried on whatever hypothesis thinks of."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from portal.awards.amendments import rules
from portal.awards.amendments.rules import Line, Part, Terms
from tests.make.funds import profiles

parts = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 500_000), st.booleans()), min_size=1, max_size=6
).map(lambda rows: [Part(n, *row) for n, row in enumerate(rows, start=1)])


@given(parts, st.integers(1, 3_000_000))
def test_instalments_sum_to_the_award_and_what_is_settled_stands(
    given_parts: list[Part], amount: int
) -> None:
    plan = rules.replan(given_parts, amount)
    total, settled = sum(each.planned for each in given_parts), rules.settled(given_parts)
    left = [each for each in given_parts if each.is_open]
    if plan is None:
        assert amount < settled or (not left and amount <= settled)
        return
    assert sum(plan.values()) == amount
    assert min(plan.values()) >= 0
    fixed = given_parts if amount == total else [each for each in given_parts if not each.is_open]
    assert all(plan[each.number] == each.planned for each in fixed)
    more = set(plan) - {each.number for each in given_parts}
    assert more == ({len(given_parts) + 1} if not left and amount > total else set())


def test_the_remainder_goes_to_the_last_and_shares_of_nothing_are_even() -> None:
    thirds = [Part(n, 33, 0, is_open=True) for n in (1, 2, 3)]
    assert rules.replan(thirds, 100) == {1: 33, 2: 33, 3: 34}
    added = [Part(1, 100, 50, is_open=False), Part(2, 0, 10, is_open=True)]
    assert rules.replan(added, 90) == {1: 50, 2: 40}


def terms(*lines: Line) -> Terms:
    return Terms(sum(line.amount_usd for line in lines), date(2027, 1, 1), lines)


def test_lines_are_those_of_the_fund() -> None:
    budget = profiles()["vftc"].budget
    before = {0: 100}
    old, new = Line(0, "staff", "Pay", 100), Line(None, "audit", "An audit", 5)
    assert rules.lines_fault(before, terms(old, new), budget) is None
    assert rules.lines_fault(before, terms(new), budget) == "lines"
    assert rules.lines_fault(before, terms(old, old), budget) == "lines"
    many = [new] * budget.lines_max
    assert rules.lines_fault(before, terms(old, *many), budget) == "many"
    above = Line(0, "staff", "Pay", budget.audit_line_above_usd_minor + 1)
    assert rules.lines_fault(before, terms(above), budget) == "audit"
    at_most = Line(0, "staff", "Pay", budget.audit_line_above_usd_minor)
    assert rules.lines_fault(before, terms(at_most), budget) is None


def test_new_lines_and_staff_are_never_a_free_shift() -> None:
    budget = profiles()["vftc"].budget
    other = next(each.key for each in budget.categories if not each.staff)
    before = {0: 1_000}
    assert not rules.is_beyond_shift(before, terms(Line(0, other, "Rent", 1_150)), budget)
    assert rules.is_beyond_shift(before, terms(Line(0, other, "Rent", 1_151)), budget)
    assert rules.is_beyond_shift(before, terms(Line(0, "staff", "Pay", 1_001)), budget)
    assert rules.is_beyond_shift(before, terms(Line(None, other, "More", 1)), budget)
