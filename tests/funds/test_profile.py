"""The schema of a profile: each rule between its parts refuses what breaks it."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from portal.funds.profile import PROFILES, BadProfile, Profile, load_profile, load_profiles

Content = dict[str, Any]


def content(code: str = "act") -> Content:
    """Return the raw content of a profile file, to be spoiled."""
    return tomllib.loads((PROFILES / f"{code}.toml").read_text(encoding="utf-8"))


def _weights(act: Content) -> None:
    act["criteria"][0]["weight_percent"] += 1


def _higher_ceiling(act: Content) -> None:
    act["budget"]["ceiling_usd_minor"] = 500_001


def _no_ceiling(act: Content) -> None:
    del act["budget"]["ceiling_usd_minor"]


def _instalments(act: Content) -> None:
    act["instalments"][0]["percent"] = 81


def _unknown_report(act: Content) -> None:
    act["instalments"][1]["report"] = "midterm"


def _no_time_to_decide(act: Content) -> None:
    act["process"]["terms"]["decision"] = 0


def _unsigned_agreement(act: dict[str, Any]) -> None:
    act["process"]["countersigned"] = False


def _no_body(act: Content) -> None:
    del act["process"]["body"]
    del act["process"]["reviewer_role"]


def _wrong_reviewers(act: Content) -> None:
    act["process"]["reviewer_role"] = "trustee"


def _no_review_stage(act: Content) -> None:
    act["process"]["stages"].remove("review")


def _stage_of_another_process(act: Content) -> None:
    act["process"]["stages"].insert(-2, "travel")


def _stages_out_of_order(act: Content) -> None:
    act["process"]["stages"].reverse()


def _same_question_twice(act: Content) -> None:
    act["form"][1]["questions"].append(act["form"][0]["questions"][0])


def _no_title(act: Content) -> None:
    act["form"][1]["questions"] = act["form"][1]["questions"][1:]


def _choice_without_choices(act: Content) -> None:
    del act["form"][5]["questions"][0]["choices"]


def _impossible_sensitive_answer(act: Content) -> None:
    act["form"][5]["questions"][0]["sensitive_if"] = ["perhaps"]


def _unknown_attachment(act: Content) -> None:
    act["eligibility"][5]["params"]["key"] = "letter"


def _unknown_flag(act: Content) -> None:
    act["eligibility"][0].update(check="country_flag", params={"flags": ["rich"]})


def _param_of_another_check(act: Content) -> None:
    act["eligibility"][4]["params"] = {"months": 1}


def _text_for_a_number(act: Content) -> None:
    act["eligibility"][4]["params"] = {"years": "1"}


def _no_rule_on_applicants(act: Content) -> None:
    del act["eligibility"][1]


def _unknown_rule(act: Content) -> None:
    act["eligibility"][0]["rule"] = "R32"


def _unknown_key(act: Content) -> None:
    act["colour"] = "blue"


def _anchor_missing(act: Content) -> None:
    act["criteria"][0]["anchors"].pop()


def _station_without_instalment(act: Content) -> None:
    act["stations"][6]["completed_by"] = ["instalment.paid:3"]


def _two_budgets(act: Content) -> None:
    act["form"].append({"key": "again", "title": "Again", "kind": "budget"})


def _audit_line_without_category(act: Content) -> None:
    act["eligibility"][9]["check"] = "audit_line"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_weights, "must sum to 100"),
        (_higher_ceiling, "at most US\\$ 5,000"),
        (_no_ceiling, "at most US\\$ 5,000"),
        (_instalments, "sum to 100 per cent"),
        (_unknown_report, "waits for no known report"),
        (_no_body, "goes with selection by scores"),
        (_no_time_to_decide, "greater than or equal to 1"),
        (_unsigned_agreement, "an agreement is countersigned"),
        (_wrong_reviewers, "have the role 'task_force_member'"),
        (_no_review_stage, "'review' is missing"),
        (_stage_of_another_process, "'travel' does not belong"),
        (_stages_out_of_order, "in the order"),
        (_same_question_twice, "'mission' is used twice"),
        (_no_title, "must ask 'title'"),
        (_choice_without_choices, "choices go with kind choice"),
        (_impossible_sensitive_answer, "no possible answer: 'perhaps'"),
        (_unknown_attachment, "no known attachment: 'letter'"),
        (_unknown_flag, "unknown flag 'rich'"),
        (_param_of_another_check, "does not take months"),
        (_text_for_a_number, "does not take years"),
        (_no_rule_on_applicants, "which kinds of applicant"),
        (_unknown_rule, "String should match pattern"),
        (_unknown_key, "Extra inputs"),
        (_anchor_missing, "each point from 0 to 5"),
        (_station_without_instalment, "waits for nothing known: 'instalment.paid:3'"),
        (_two_budgets, "one section 'budget'"),
        (_audit_line_without_category, "go together"),
    ],
)
def test_a_spoiled_profile_is_refused(spoil: Callable[[Content], None], sentence: str) -> None:
    act = content()
    spoil(act)
    with pytest.raises(ValidationError, match=sentence):
        Profile.model_validate(act)


def test_statistics_need_the_answers_that_they_count() -> None:
    fund = content("ldc-sids")
    nominee = next(section for section in fund["form"] if section["key"] == "nominee")
    part = next(each for each in nominee["questions"] if each["key"] == "nominee_part")
    part["choices"].pop()
    with pytest.raises(ValidationError, match="nominee_part offers exactly"):
        Profile.model_validate(fund)


@pytest.mark.parametrize("setting", ["ceiling_usd_minor", "shift_percent"])
def test_a_profile_cannot_be_changed_once_read(setting: str) -> None:
    act = load_profiles()["act"]
    with pytest.raises(ValidationError, match="frozen"):
        setattr(act.budget, setting, 10_000_000)


@pytest.mark.parametrize("code", ["vftc", "upr-i", "upr-p", "ldc-sids", "act"])
def test_a_profile_survives_the_trip_through_json(code: str) -> None:
    fund = load_profiles()[code]
    back = Profile.model_validate(json.loads(fund.model_dump_json()))
    assert back == fund
    assert back.digest() == fund.digest()


def test_the_digest_tells_two_profiles_apart() -> None:
    act = content()
    before = Profile.model_validate(act).digest()
    act["form"][0]["questions"][0]["hint"] += " Please."
    assert Profile.model_validate(act).digest() != before


def _copy(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_named_after_its_fund(tmp_path: Path) -> None:
    text = (PROFILES / "act.toml").read_text(encoding="utf-8")
    with pytest.raises(BadProfile, match=r"is in act\.toml"):
        load_profile(_copy(tmp_path, "other.toml", text))


def test_a_broken_file_is_named_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match=r"act\.toml is not valid TOML"):
        load_profile(_copy(tmp_path, "act.toml", "code = act"))


def test_a_wrong_setting_is_named_with_its_place(tmp_path: Path) -> None:
    text = (PROFILES / "act.toml").read_text(encoding="utf-8")
    wrong = text.replace("weight_percent = 25", "weight_percent = 0", 1)
    with pytest.raises(BadProfile, match=r"act\.toml: criteria\.0\.weight_percent"):
        load_profile(_copy(tmp_path, "act.toml", wrong))


def test_a_sixth_fund_is_a_sixth_file(tmp_path: Path) -> None:
    for path in PROFILES.glob("*.toml"):
        _copy(tmp_path, path.name, path.read_text(encoding="utf-8"))
    text = (PROFILES / "act.toml").read_text(encoding="utf-8")
    sixth = text.replace('code = "act"', 'code = "sixth"').replace("position = 50", "position = 5")
    _copy(tmp_path, "sixth.toml", sixth)
    assert list(load_profiles(tmp_path)) == ["sixth", "vftc", "upr-i", "upr-p", "ldc-sids", "act"]


def test_a_fund_may_word_a_shared_rule_itself(tmp_path: Path) -> None:
    text = (PROFILES / "act.toml").read_text(encoding="utf-8")
    own = """
[[reference_rules]]
rule = "R22"
sentence = "The last fifth waits for the report."
source = { text = "Call", mark = "T" }
"""
    fund = load_profile(_copy(tmp_path, "act.toml", text + own))
    assert fund.quote("R22").sentence == "The last fifth waits for the report."
    assert fund.quote("R23").sentence.startswith("Certifying, approving and releasing")
    with pytest.raises(KeyError):
        fund.quote("R15")
