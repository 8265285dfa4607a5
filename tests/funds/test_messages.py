"""The text of profiles reaches translators."""

import io

import pytest
from babel.messages.extract import extract
from pydantic import ValidationError

from portal.funds.profile import PROFILES, extract_messages, human_texts, load_profile
from portal.funds.profile.files import RULEBOOK


def test_every_text_of_a_fund_is_extracted_with_its_line() -> None:
    path = PROFILES / "act.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    with path.open("rb") as file:
        found = list(extract("portal.funds.profile:extract_messages", file))
    assert len(found) > 200
    for line, message, _comments, _context in found:
        assert isinstance(message, str)
        assert message[:40] in lines[line - 1]


def test_each_kind_of_text_is_found() -> None:
    with (PROFILES / "act.toml").open("rb") as file:
        found = {message for _line, _name, message, _comments in extract_messages(file, {}, [], {})}
    act = load_profile(PROFILES / "act.toml")
    assert {
        act.name,
        act.legal_basis[0].text,
        act.eligibility[0].sentence,
        act.form[0].questions[0].hint,
        act.question("groups").choices[0].label,
        act.attachments[0].label,
        act.budget.ineligible[0],
        act.criteria[0].anchors[0],
        act.instalments[0].label,
        act.reports[0].sections[0].label,
        act.stations[0].actor,
    } <= found
    assert not found & {act.code, act.acronym, "long_text", "ngo", "S", ""}


def test_the_rule_book_is_extracted_as_well() -> None:
    with RULEBOOK.open("rb") as file:
        found = {message for _line, _name, message, _comments in extract_messages(file, {}, [], {})}
    funds_own = set(human_texts(load_profile(PROFILES / "act.toml")))
    assert found
    assert found <= funds_own, "what the rule book says, each loaded fund says"


def test_a_broken_profile_stops_the_extraction() -> None:
    with pytest.raises(ValidationError):
        list(extract_messages(io.BytesIO(b'code = "act"'), {}, [], {}))
