"""Reasons that people give: kept as text, never empty, never without end."""

import pytest

from portal.core.reasons import MOST_WORDS, words_or_refuse
from portal.core.workflow import Refused


def test_a_reason_is_kept_without_what_nobody_sees() -> None:
    assert words_or_refuse("  Not\r\nnow.\x00 ", "Say why.") == "Not\nnow."
    longest = "x" * MOST_WORDS
    assert words_or_refuse(f"{longest}\n", "Say why.") == longest


@pytest.mark.parametrize("typed", ["", " \n", "\x00"])
def test_no_reason_is_refused_with_the_sentence_given(typed: str) -> None:
    with pytest.raises(Refused, match="Say why") as refused:
        words_or_refuse(typed, "Say why.", rule="R25")
    assert refused.value.rule == "R25"


@pytest.mark.parametrize(("length", "most"), [(MOST_WORDS + 1, MOST_WORDS), (4, 3)])
def test_too_long_a_reason_is_refused(length: int, most: int) -> None:
    with pytest.raises(Refused, match="fewer words"):
        words_or_refuse("x" * length, "Say why.", most=most)
