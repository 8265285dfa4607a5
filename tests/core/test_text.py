"""References that tell nothing, bytes that are always the same, and counts that are fair."""

import json
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.text import (
    REF_ALPHABET,
    ascii_digits,
    canonical_json,
    count_words,
    new_ref,
    normalise,
    personal_data_warnings,
    sha256_hex,
)

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet="abcdé", max_size=3), inner),
    max_leaves=12,
)


def test_references_are_random_and_have_no_look_alikes() -> None:
    refs = {new_ref() for _turn in range(2000)}
    assert len(refs) == 2000
    for ref in refs:
        left, dash, right = ref.partition("-")
        assert (len(left), dash, len(right)) == (4, "-", 4)
        assert set(left + right) <= set(REF_ALPHABET)
    assert not set("01OILUolu") & set(REF_ALPHABET)
    assert set("".join(refs)) == {*REF_ALPHABET, "-"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("  a  \n b \n\n", "a\n b"),
        ("a\x00\x07\x1bb\tc\x7f\ud800", "ab\tc"),
        ("e\u0301", "é"),
        ("e\x00\u0301", "é"),
        ("سلام\u200f", "سلام\u200f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩🏽‍🌾", "👩🏽‍🌾"),
        ("", ""),
    ],
)
def test_text_is_made_regular_and_keeps_what_can_be_seen(text: str, plain: str) -> None:
    assert normalise(text) == plain


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    once.encode()
    assert "\x00" not in once


def test_canonical_json_is_the_form_of_rfc_8785() -> None:
    value = {"b": [1, True, None], "a": 'é "q"\n\u000f/', "\U0001f600": "", "\uff5e": ""}
    written = '{"a":"é \\"q\\"\\n\\u000f/","b":[1,true,null],"\U0001f600":"","\uff5e":""}'
    assert canonical_json(value) == written.encode()


def test_canonical_json_is_the_same_however_it_was_typed() -> None:
    assert canonical_json({"x": "e\u0301", "y": (1,)}) == canonical_json({"y": [1], "x": "é"})


class Shade(StrEnum):
    """A code that is text."""

    DARK = "dark"


def test_codes_are_text() -> None:
    assert canonical_json({Shade.DARK: Shade.DARK}) == b'{"dark":"dark"}'


@given(documents)
def test_canonical_json_is_json_and_a_fixed_point(value: Any) -> None:
    written = canonical_json(value)
    assert canonical_json(json.loads(written)) == written


@pytest.mark.parametrize("value", [1.0, [float("nan")], {"a": 2.5}, {1: "a"}, {"a": {1}}, b"a"])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@pytest.mark.parametrize("value", [2**53 + 1, {"é": 1, "e\u0301": 2}, "\ud800"])
def test_what_would_not_read_back_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"exact|twice|surrogates"):
        canonical_json(value)


def test_a_digest_is_that_of_the_standard() -> None:
    assert sha256_hex(b"abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one", 1),
        ("  two\n\twords — no dash • counted ", 5),
        ("Twenty-five women’s groups, 4,800.00 a year", 6),
        ("نُدَرِّبُ النساء على حقوقهن", 4),
        ("Мы обучаем женщин их правам", 5),
        ("हम महिलाओं को प्रशिक्षण देते हैं", 6),
        ("ሰብአዊ፡መብት", 2),
        ("人权教育", 2),
        ("人权。", 1),
        ("我们在 3 个村庄开展 UPR 培训", 7),
        ("人権ワークショップ", 5),
        ("สิทธิมนุษยชน", 3),
        ("인권 교육", 2),
    ],
)
def test_words_are_counted_in_every_script(text: str, words: int) -> None:
    assert count_words(text) == words


@given(st.text(), st.text())
def test_joined_texts_hold_no_more_words_than_both(one: str, other: str) -> None:
    assert count_words(f"{one} {other}") <= count_words(one) + count_words(other)


def test_digits_of_all_scripts_are_read() -> None:
    assert ascii_digits("٤٢ ५ ４ x²") == "42 5 4 x²"


@pytest.mark.parametrize(
    "text",
    [
        "Write to fatou@example.org for more.",
        "courriel : fatou.d+act@exemple.sn.",
        "Call +221 77 123 45 67.",
        "Tel. (022) 917-9220",
        "au 0022177 123 45 67",
        "0779123456",
        "هاتف ٠٧٧٩١٢٣٤٥٦",
        "Ms. Diop told us",
        "thanks to Dr A. B. N’Diaye",
        "Mme Traoré a dit",
        "la Sra. Gómez",
        "г-жа Иванова",
        "السيدة فاطمة",
        "王女士说",
    ],
)
def test_personal_data_is_warned_of(text: str) -> None:
    (warning,) = personal_data_warnings(text)
    assert "“" in warning
    assert warning.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We reached 1 200 women and 1,350 men.",
        "From 2025-2026, on 2026-11-21 and 21.11.2026, in 2024 2025 2026.",
        "It cost 4 800 000 XOF, of 4 000 000 – 5 000 000 planned.",
        "Invoice 20261121 for US$ 4,800.00 (see page 12).",
        "Three people @ noon; a lady, 一位女士, 女士们先生们",
        "Ms teachers and Dr in training",
        "Resolution A/HRC/RES/51/30 and UPR recommendation 133.104",
    ],
)
def test_counts_and_dates_are_not_taken_for_people(text: str) -> None:
    assert personal_data_warnings(text) == []


def test_each_kind_is_named_once() -> None:
    text = "Mr Diop, mr.diop@example.org, +221 77 123 45 67, Mrs Diop"
    assert len(personal_data_warnings(text)) == 3
