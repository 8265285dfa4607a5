"""Causes of bookings are told in words; references that people know stay as they are."""

import pytest

from portal.accounting.words import cause_in_words


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            "revaluation:act:CHF:2026-09-30:b285f391-b67e-4222-98f1-b59572b46e57",
            "Revaluation of CHF, ACT, 30 September 2026",
        ),
        (
            "revaluation:upr-p:EUR:2026-11-01:b285f391-b67e-4222-98f1-b59572b46e57:2",
            "Revaluation of EUR, UPR-P, 1 November 2026",
        ),
        (
            "contribution:line:f0b9a715-d93c-4475-a3a1-9c137eb09efa:1",
            "Line of the bank’s statement",
        ),
        ("line:f0b9a715-d93c-4475-a3a1-9c137eb09efa", "Line of the bank’s statement"),
        ("contribution:hand:act:HAND-5", "By hand, the bank’s reference HAND-5"),
        ("contribution:hand:act:HAND-5:above", "By hand, the bank’s reference HAND-5"),
        ("contribution:hand:act:HAND-5:reversed", "By hand, the bank’s reference HAND-5"),
        ("contribution:hand:act:HAND-5:above:reversed", "By hand, the bank’s reference HAND-5"),
        ("contribution:hand:act:back:OUT:7", "By hand, the bank’s reference OUT:7"),
        ("contribution:ch_1", "Card processor, ch_1"),
        ("S689-FRFQ", ""),
        ("KXTN-T6RE:credited", ""),
    ],
)
def test_a_cause_is_told_in_words(cause: str, words: str) -> None:
    assert cause_in_words(cause) == words
