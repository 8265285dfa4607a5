"""Answers, amounts and what is missing, as plain values."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.applications.eligibility import months_later
from portal.applications.rules import (
    BadAnswer,
    BadLine,
    Content,
    Line,
    TypedLine,
    missing_from,
    read_answer,
    read_line,
    read_lines,
    total,
    what_is_wrong,
)
from portal.core.money import MAX_MINOR, usd
from portal.funds.profile import Question, load_profiles

ACT = load_profiles()["act"]
TODAY = date(2026, 11, 21)


def ask(kind: str, **more: object) -> Question:
    return Question.model_validate({"key": "asked", "label": "Asked", "kind": kind, **more})


CHOICES = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]


@pytest.mark.parametrize(
    ("question", "typed", "kept"),
    [
        (ask("text"), "  one \n two ", "one two"),
        (ask("long_text"), "one\r\n\r\ntwo ", "one\n\ntwo"),
        (ask("long_text"), " \r\n ", None),
        (ask("integer"), "1,200", 1200),
        (ask("integer"), "1 200", 1200),
        (ask("integer"), "١٢٠", 120),
        (ask("integer"), "-3", -3),
        (ask("integer"), 0, 0),
        (ask("date"), "2027-3-5", "2027-03-05"),
        (ask("date"), date(2027, 3, 5), "2027-03-05"),
        (ask("choice", choices=CHOICES), "b", "b"),
        (ask("choices", choices=CHOICES), ["b", "a", "a"], ["a", "b"]),
        (ask("choices", choices=CHOICES), [], None),
        (ask("yes_no"), "yes", "yes"),
        (ask("declaration"), "on", True),
        (ask("declaration"), False, None),
        (ask("money"), "1,250.50", {"minor": 125050, "currency": "USD"}),
        (ask("money"), usd(7), {"minor": 7, "currency": "USD"}),
        (ask("country"), "KEN", "KEN"),
        (ask("text"), "a\x00b", "ab"),
    ],
)
def test_what_is_typed_is_kept_in_one_form(question: Question, typed: object, kept: object) -> None:
    assert read_answer(question, typed, currency="USD") == kept


@pytest.mark.parametrize(
    ("question", "typed"),
    [
        (ask("integer"), "1.5"),
        (ask("integer"), "1e4"),
        (ask("integer"), "12,00"),
        (ask("integer"), "9" * 20),
        (ask("date"), "31/12/2027"),
        (ask("date"), "2027-02-29"),
        (ask("date"), "0001-01-01"),
        (ask("choice", choices=CHOICES), "c"),
        (ask("choices", choices=CHOICES), ["a", "c"]),
        (ask("yes_no"), "maybe"),
        (ask("money"), "5,000.004"),
        (ask("money"), "-1"),
        (ask("money"), "1e4"),
        (ask("country"), "Kenya"),
        (ask("long_text"), "x" * 50_000),
    ],
)
def test_what_is_no_answer_has_a_sentence(question: Question, typed: object) -> None:
    with pytest.raises(BadAnswer) as bad:
        read_answer(question, typed, currency="USD")
    assert bad.value.sentence.endswith((".", "2027-03-15."))


@pytest.mark.parametrize(
    ("question", "value", "said"),
    [
        (ask("long_text", max_words=3), "one two three", None),
        (ask("long_text", max_words=3), "one two three four", "4 words; up to 3"),
        (ask("text", max_chars=3), "four", "4 characters; up to 3"),
        (ask("integer", minimum=1), 0, "not below 1"),
        (ask("integer", maximum=9), 10, "not above 9"),
        (ask("date", must_be_future=True), "2026-11-21", "has passed or is today"),
        (ask("date", must_be_future=True), "2026-11-22", None),
        (ask("date", ends_after="first"), "2026-11-20", "has passed"),
        (ask("date", ends_after="first"), "2026-12-09", "before the first one"),
        (ask("date", ends_after="first"), "2026-12-10", None),
        (ask("text", max_chars=3), None, None),
    ],
)
def test_what_is_wrong_is_said(question: Question, value: object, said: str | None) -> None:
    sentence = what_is_wrong(question, value, {"first": "2026-12-10"}, today=TODAY)
    assert (sentence is None) == (said is None)
    assert said is None or said in str(sentence)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (TypedLine("none", "Room", "1", "5"), "category"),
        (TypedLine("", "Room", "1", "5"), "category"),
        (TypedLine("training", " ", "1", "5"), "description"),
        (TypedLine("training", "x" * 301, "1", "5"), "description"),
        *(
            (TypedLine("training", "Room", many, "5"), "quantity")
            for many in ("", "0", "-1", "1.5", "1e4", "100001", "٠", "one", "9" * 30)
        ),
        *(
            (TypedLine("training", "Room", "1", price), "unit_cost")
            for price in (
                "",
                "0",
                "-1",
                "1e4",
                "5,000.004",
                "NaN",
                "Infinity",
                "0x10",
                "1_000",
                "5.0.0",
                "US$",
                "½",
                "10000000000000000",
            )
        ),
        (TypedLine("training", "Room", "100000", "1000000000"), "unit_cost"),
    ],
)
def test_a_bad_row_says_which_field(row: TypedLine, field: str) -> None:
    with pytest.raises(BadLine) as bad:
        read_line(row, ACT, "USD")
    assert list(bad.value.sentences) == [field]
    assert bad.value.sentences[field].endswith(".")


def test_rows_are_read_and_blank_ones_left_out() -> None:
    rows = [TypedLine("training", "Room", "2", "12.50"), TypedLine("training"), TypedLine("x", "y")]
    lines, wrong = read_lines(rows, ACT, "USD")
    assert lines == [Line("training", "Room", 2, 1250)]
    assert (total(lines), set(wrong)) == (2500, {2})


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_typed_row_does_anything_but_be_read_or_refused(quantity: str, price: str) -> None:
    try:
        line = read_line(TypedLine("training", "Room", quantity, price), ACT, "USD")
    except BadLine:
        return
    assert 0 < line.amount <= MAX_MINOR


def test_nothing_is_missing_from_a_whole_application_and_all_from_an_empty_one() -> None:
    empty = missing_from(Content(ACT, "ngo", {}, [], (), TODAY))
    required = {question.key for question in ACT.questions() if question.required}
    assert {point.key for point in empty} == required | {"budget", "registration"}
    assert all(point.rule for point in empty)
    person = missing_from(Content(ACT, "individual", {}, [], (), TODAY))
    assert "identity" in {point.key for point in person}
    assert "registration" not in {point.key for point in person}


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2027, 11, 30), 1, date(2027, 12, 30)),
        (date(2027, 3, 15), 12, date(2028, 3, 15)),
    ],
)
def test_months_end_with_the_month(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later
