"""Bank details held to registries and national standards; each fault at its field."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as another
from stdnum.iso7064 import mod_97_10

from portal.payments import payees
from portal.payments.iso20022 import AccountId, Party
from portal.payments.payees import KnownBank, Payee, Unpayable, cleaned, doubts, faults

GERMAN = Payee(
    holder="Lakeside Circle",
    bank="Bank of the Lake",
    country="DEU",
    account="DE89370400440532013000",
    bic="COBADEFF",
    town="Cologne",
)


def payee(**changes: str) -> Payee:
    return cleaned(replace(GERMAN, **changes))


def number(country: str = "KEN", account: str = "0123456789", **changes: str) -> Payee:
    """Return an account number, with no bank named but by `changes`."""
    return payee(**{"country": country, "account": account, "bic": "", **changes})


def test_sound_details_have_no_fault() -> None:
    assert faults(GERMAN) == {}
    assert doubts(GERMAN) == []


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        (payee(account="DE88370400440532013000"), "account", "check digits do not fit"),
        (payee(account="DE8937040044053201300"), "account", "DE has 22 letters and digits, this"),
        (payee(account="DE89370400440532O13000"), "account", "typing mistake"),
        (payee(country="KEN", bic=""), "account", r"another country \(Germany\) than the bank's"),
        (payee(account="DE12"), "account", "typing mistake"),
        (payee(account="12"), "account", "between 4 and 34"),
        (payee(account="1" * 35), "account", "between 4 and 34"),
        (payee(account="12/34567"), "account", "letters A to Z"),
        (payee(account="٠١٢٣٤٥٦٧"), "account", "letters A to Z"),
        (payee(account=" "), "account", "Give the account"),
        (payee(bic="COBADEF"), "bic", "8 or 11"),
        (payee(bic="COBADEFFX"), "bic", "8 or 11"),
        (payee(bic="ＣＯＢＡＤＥＦＦ"), "bic", "8 or 11"),
        (payee(bic="KCBLKENX"), "bic", r"another country \(Kenya\)"),
        (payee(bic="COBAXXFF"), "bic", "8 or 11"),
        (number(), "bic", "does not say at which bank"),
        (number("USA", clearing_code="021000022"), "clearing_code", "do not fit each other"),
        (number("USA", clearing_code="21000021"), "clearing_code", "do not fit each other"),
        (number(clearing_code="1"), "clearing_code", "whole code"),
        (number(clearing_code="01_100"), "clearing_code", "digits only"),
        (number("NZL", "01-0242-0100195-00", bic="ANZBNZ22"), "account", "do not fit each other"),
        (number("ARG", "2810590940090418135201", bic="NACNARBA"), "account", "do not fit"),
        (payee(intermediary_bic="CITIUS3"), "intermediary_bic", "8 or 11"),
        (payee(intermediary_bic="COBADEFFXXX"), "intermediary_bic", "bank of the account itself"),
        (payee(intermediary_account="998877"), "intermediary_bic", "or neither"),
        (
            payee(intermediary_bic="CITIUS33", intermediary_account="99/88"),
            "intermediary_account",
            "digits only",
        ),
        (payee(holder="…"), "holder", "in letters"),
        (payee(bank="x" * 141), "bank", "at most 140"),
        (payee(town="x" * 141), "town", "at most 140"),
        (payee(country="DE"), "country", "from the list"),
    ],
)
def test_a_fault_stands_at_its_field(typed: Payee, field: str, said: str) -> None:
    found = faults(typed)
    assert found.keys() == {field}
    with pytest.raises(Unpayable, match=said) as refused:
        payees.checked(typed)
    assert refused.value.faults == found


def test_every_fault_is_told_at_once() -> None:
    typed = payee(holder="", account="12", bic="?", intermediary_account="1")
    assert list(faults(typed)) == ["holder", "account", "bic", "intermediary_bic"]


@pytest.mark.parametrize(
    "typed",
    [
        number(bic="KCBLKENX"),
        number(clearing_code="01-100"),
        number("USA", clearing_code="021000021"),
        number("NZL", "01-0242-0100194-00", bic="ANZBNZ22"),
        number("ARG", "2850590940090418135201", bic="NACNARBA"),
        number("KEN", "KE12", bic="KCBLKENX"),
        payee(bic="", account="de89 3704-0044.0532–0130 00"),
        payee(country="GBR", account="GB29NWBK60161331926819", bic=""),
        payee(intermediary_bic="CITIUS33XXX", intermediary_account="998877"),
    ],
)
def test_what_the_standards_allow_is_taken(typed: Payee) -> None:
    assert faults(typed) == {}


@given(st.integers(0, 10**18 - 1), st.integers(0, 17), st.integers(1, 9))
def test_one_mistyped_digit_of_an_iban_never_passes(digits: int, at: int, other: int) -> None:
    bban = f"{digits:018}"
    sound = f"DE{mod_97_10.calc_check_digits(bban + 'DE')}{bban}"
    assert another.validate(sound, check_country=False) == sound
    assert faults(payee(account=sound)) == {}
    place = 4 + at
    wrong = sound[:place] + str((int(sound[place]) + other) % 10) + sound[place + 1 :]
    assert faults(payee(account=wrong)).keys() == {"account"}


@given(st.builds(Payee, **{name: st.text(max_size=40) for name in asdict(GERMAN)}))
def test_whatever_is_typed_is_answered_with_sentences(typed: Payee) -> None:
    found = faults(cleaned(typed))
    assert all(found.values())
    assert found.keys() <= asdict(typed).keys()


@given(
    st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=36),
    st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=12),
    st.sampled_from(["DEU", "GBR", "ESP", "NOR", "NZL", "ARG", "USA", "KEN", "SEN", "BRA", "TUN"]),
)
def test_whatever_passes_can_be_fingerprinted_shown_and_paid(
    account: str, code: str, country: str
) -> None:
    typed = number(country, account, clearing_code=code)
    if not faults(typed):
        assert payees.same_account(typed).startswith(f"{country}:")
        assert payees.party(typed).account.value == account
        payees.checks(typed)


@pytest.mark.parametrize(
    ("as_iban", "as_number"),
    [
        (payee(bic=""), number("DEU", "0532013000", clearing_code="370 400 44")),
        (payee(bic=""), number("DEU", "532013000", clearing_code="37040044")),
        (payee(bic=""), number("DEU", "370400440532013000", bic="COBADEFF")),
        (
            payee(country="GBR", account="GB29NWBK60161331926819", bic=""),
            number("GBR", "31926819", clearing_code="60-16-13", bic="NWBKGB2L"),
        ),
        (
            payee(country="NOR", account="NO9386011117947", bic=""),
            number("NOR", "8601 11 17947", bic="DNBANOKK"),
        ),
        (
            payee(country="ESP", account="ES2121000418450200051331", bic=""),
            number("ESP", "2100 0418 45 0200051331", clearing_code="2100"),
        ),
        (
            number("NZL", "01-0242-0100194-000", bic="ANZBNZ22"),
            number("NZL", "01-0242-0100194-00", clearing_code="010242"),
        ),
        (number(bic="KCBLKENX"), number(clearing_code="01100")),
    ],
)
def test_an_account_is_known_again_however_it_was_written(as_iban: Payee, as_number: Payee) -> None:
    assert payees.same_account(as_iban) == payees.same_account(as_number)


def test_other_accounts_are_not_taken_for_the_same() -> None:
    one = number("DEU", "0532013000", clearing_code="37040044")
    assert payees.same_account(one) != payees.same_account(replace(one, clearing_code="37040048"))
    assert payees.same_account(one) != payees.same_account(replace(one, account="0532013001"))


def test_an_account_is_fingerprinted_as_before_there_were_more_fields() -> None:
    assert payees.same_account(GERMAN) == "DEU:DE89370400440532013000"
    assert payees.same_account(number()) == "KEN:0123456789"


def test_what_was_sealed_before_there_were_more_fields_has_the_same_text() -> None:
    before = (
        '{"account":"DE89370400440532013000","bank":"Bank of the Lake","bic":"COBADEFF",'
        '"country":"DEU","holder":"Lakeside Circle","town":"Cologne"}'
    )
    assert payees.body(GERMAN) == before
    assert Payee(**json.loads(before)) == GERMAN
    more = replace(GERMAN, intermediary_bic="CITIUS33")
    assert Payee(**json.loads(payees.body(more))) == more


def test_a_country_with_ibans_is_asked_for_one_and_a_bic_compared() -> None:
    (said,) = doubts(number("DEU", "0532013000", clearing_code="37040044"))
    assert "IBAN, which begins with DE" in said
    (said,) = doubts(payee(bic="DEUTDEFF"))
    assert "COBADEFFXXX, but the BIC given is DEUTDEFF" in said
    assert doubts(number(bic="KCBLKENX")) == []


def test_ibans_that_banks_do_not_register_are_numbers_to_them() -> None:
    senegal = number("SEN", "SN08SN0100152000048500003035", bic="CBAOSNDA")
    assert faults(senegal) == {}
    assert doubts(senegal) == []
    assert payees.party(senegal).account == AccountId(senegal.account, is_iban=False)
    assert faults(replace(senegal, bic="")).keys() == {"bic"}
    assert faults(replace(senegal, account="SN09SN0100152000048500003035")).keys() == {"account"}


def test_the_registries_say_what_they_know_of_the_bank() -> None:
    commerzbank = KnownBank("Commerzbank", "Germany", "COBADEFFXXX")
    assert payees.known_bank(GERMAN) == commerzbank
    assert payees.known_bank(number("DEU", bic="COBADEFF")) == replace(commerzbank, bic="COBADEFF")
    assert payees.known_bank(number(clearing_code="01100")) is None
    assert payees.known_bank(number("NLD", bic="MOCKNL2A")) is None


def test_a_name_in_another_script_is_shown_as_payment_files_write_it() -> None:
    assert payees.checks(GERMAN).written == ""
    assert payees.checks(payee(holder="مركز")).written == "mrkz"


def test_a_payee_becomes_a_party_of_a_payment_file() -> None:
    typed = number(
        "USA", clearing_code="021000021", intermediary_bic="CITIUS33", intermediary_account="9988"
    )
    assert payees.party(typed) == Party(
        name="Lakeside Circle",
        account=AccountId("0123456789", is_iban=False),
        bic="",
        clearing_code="021000021",
        bank_name="Bank of the Lake",
        country="US",
        town="Cologne",
        intermediary_bic="CITIUS33",
        intermediary_account="9988",
    )
    assert payees.party(GERMAN).account == AccountId("DE89370400440532013000", is_iban=True)


def test_spaces_and_dashes_do_not_matter() -> None:
    typed: dict[str, Any] = {"account": " de89 3704-0044.0532–0130 00 "}
    assert payee(**typed).account == "DE89370400440532013000"


def test_the_registry_is_not_loaded_before_somebody_needs_it() -> None:
    program = "import sys, portal.payments.payees; print('schwifty' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
