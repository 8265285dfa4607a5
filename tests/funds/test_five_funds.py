"""The five funds say what their rules say."""

import pytest

from portal.funds.countries import country
from portal.funds.profile import Profile, human_texts, load_profiles
from portal.funds.rules import MICRO_GRANT_CEILING

FUNDS = load_profiles()
ACT = FUNDS["act"]


def test_there_are_five_in_the_order_of_lists() -> None:
    assert list(FUNDS) == ["vftc", "upr-i", "upr-p", "ldc-sids", "act"]


def test_act_is_at_most_5000_us_dollars_paid_80_and_20() -> None:
    assert ACT.micro_grant
    assert ACT.budget.ceiling_usd_minor == MICRO_GRANT_CEILING == 500_000
    assert [(part.percent, part.trigger, part.report) for part in ACT.instalments] == [
        (80, "agreement_signed", None),
        (20, "report_accepted", "final"),
    ]


def test_act_is_for_civil_society_only() -> None:
    assert set(ACT.process.applicant_kinds) == {"ngo", "association", "academic", "individual"}
    assert ACT.process.body == "task_force"
    assert ACT.process.reviewer_scope == "country"
    assert ACT.process.body_recommends
    assert ACT.process.recommends_role == "task_force_member"


@pytest.mark.parametrize("code", ["vftc", "upr-i"])
def test_a_board_recommends_in_the_project_funds(code: str) -> None:
    process = FUNDS[code].process
    assert (process.body, process.reviewer_role) == ("board", "trustee")
    assert process.recommends_role == "board_secretary"
    assert process.state_consent == (code == "upr-i")


@pytest.mark.parametrize("code", ["upr-p", "ldc-sids"])
def test_travel_funds_have_no_board_and_one_official_for_each_state(code: str) -> None:
    fund = FUNDS[code]
    assert fund.process.body is None
    assert not fund.has_stage("review")
    assert fund.has_stage("entitlement")
    assert fund.process.nominee
    assert fund.process.max_awards_per_state_and_session == 1
    assert [part.trigger for part in fund.instalments] == ["travel_approved", "travel_settled"]
    assert fund.quote("R15").sentence.startswith("This fund has no board")


def test_upr_i_asks_for_consent_and_recommendations() -> None:
    fund = FUNDS["upr-i"]
    assert fund.attachment("consent_letter").required
    assert fund.attachment("consent_letter").asked_of("government")
    assert fund.question("recommendations").kind == "recommendations"


def test_the_list_of_ldc_sids_has_the_73_states_that_the_fund_counts() -> None:
    rule = next(each for each in FUNDS["ldc-sids"].eligibility if each.check == "country_list")
    states = [country(iso3) for iso3 in rule.texts("countries")]
    groups = [state.group.value for state in states if state.group]
    assert len(set(states)) == len(groups) == 73
    assert {name: groups.count(name) for name in set(groups)} == {
        "african": 36,
        "asia_pacific": 21,
        "grulac": 16,
    }
    assert rule.source.mark == "T"


def test_ldc_sids_puts_states_without_a_mission_first() -> None:
    assert [step.key for step in FUNDS["ldc-sids"].priority] == [
        "no_geneva_mission",
        "never_or_least_benefited",
        "gender_balance",
        "regional_balance",
    ]


@pytest.mark.parametrize("fund", FUNDS.values(), ids=FUNDS)
def test_every_application_asks_about_risk_and_seals_the_answers(fund: Profile) -> None:
    asked = {question.key: question for question in fund.section("risk").questions}
    for key in ("contact", "funding", "publication", "transfer", "messages"):
        question = asked[f"risk_{key}"]
        assert question.sealed
        assert question.sensitive_if == ("yes", "unsure")


@pytest.mark.parametrize("fund", FUNDS.values(), ids=FUNDS)
def test_contacts_are_sealed(fund: Profile) -> None:
    for question in fund.questions():
        if "contact_" in question.key or question.key in {"nominee_contact", "nominee_family_name"}:
            assert question.sealed, question.key


@pytest.mark.parametrize("fund", FUNDS.values(), ids=FUNDS)
def test_whatever_is_refused_can_be_quoted(fund: Profile) -> None:
    asked_of_all = [4, 7, 8, 9, 10, *range(12, 15), *range(16, 31)]
    for number in asked_of_all:
        assert fund.quote(f"R{number}").sentence


@pytest.mark.parametrize("fund", FUNDS.values(), ids=FUNDS)
def test_texts_are_plain_sentences(fund: Profile) -> None:
    for text in human_texts(fund):
        assert "%" not in text, f"translators' tools take it for a placeholder: {text}"
        assert "{" not in text
        assert text == " ".join(text.split())
