"""What a bank's codes mean, in plain words, and which of them tell of the grantee's account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.i18n import speaking
from portal.payments import reasons
from portal.payments.reasons import answer_in_words, coded, in_words, of_the_account, together


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("AC04", "The account is closed (AC04)"),
        ("AC04 Konto erloschen", "The account is closed (AC04): “Konto erloschen”"),
        ("AM04", "There is not enough money on the fund's account (AM04)"),
        ("account_closed Gone.", "The account is closed (account_closed): “Gone.”"),
        (
            "AC04; TM01",
            "The account is closed (AC04); It came after the bank's closing hour (TM01)",
        ),
        ("ZZ99 Nobody knows", "ZZ99 Nobody knows"),
        ("The account is closed.", "The account is closed."),
        ("declined at the counter", "declined at the counter"),
        ("", ""),
    ],
)
def test_a_code_is_told_in_plain_words_with_the_code_beside_it(kept: str, words: str) -> None:
    assert in_words(kept) == words


@pytest.mark.parametrize(
    "code",
    [
        "AC01",
        "AC03",
        "AC04",
        "AC06",
        "BE01",
        "BE04",
        "BE06",
        "RC01",
        "RC04",
        "AG01",
        "MD07",
        "account_closed",
        "no_account",
    ],
)
def test_these_tell_of_the_account(code: str) -> None:
    assert of_the_account(coded(code, "")) == code
    assert of_the_account(together(["AM04", coded(code, "as it is"), "XX11"])) == f"{code} as it is"


@pytest.mark.parametrize(
    "kept",
    [
        "AM04",
        "FF01",
        "DUPL",
        "AC02",
        "AC13",
        "RC03",
        "BE05",
        "MS03",
        "insufficient_funds",
        "The account is closed.",
        "",
        "AC044 no",
    ],
)
def test_these_do_not(kept: str) -> None:
    assert of_the_account(kept) == ""


def test_no_code_is_both_and_every_one_has_words() -> None:
    assert not set(reasons._PAYEE) & set(reasons._OTHER)
    for code in (*reasons._PAYEE, *reasons._OTHER):
        assert in_words(code).endswith(f" ({code})"), code
        assert not in_words(code).startswith(code)


def test_an_answer_to_a_file_is_told_with_its_status() -> None:
    assert answer_in_words("RJCT AM04") == (
        "Refused (RJCT); There is not enough money on the fund's account (AM04)"
    )
    assert answer_in_words("ACCP ZZ99") == "Accepted (ACCP); ZZ99"


def test_words_come_in_the_reader_s_language() -> None:
    with speaking("en-XA"):
        assert in_words("AC04") == "[Thé áççóúñt íš çlóšéd] (AC04)"


@given(st.text(max_size=60))
def test_whatever_a_person_typed_is_never_lost(typed: str) -> None:
    shown = in_words(typed)
    for piece in typed.split("; "):
        assert piece in shown or piece.split(" ", 1)[-1] in shown
