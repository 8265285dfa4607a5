"""The verbs of funds and calls, on a real database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.workflow import Refused
from portal.funds import policy, queries, service
from portal.funds.models import Call, CallStatus, ProfileVersion
from portal.funds.profile import Profile
from tests import make

Db = scoped_session[Session]

pytestmark = pytest.mark.usefixtures("db")


def changed_act() -> dict[str, Profile]:
    act = make.profiles()["act"]
    return {**make.profiles(), "act": act.model_copy(update={"tagline": "Another tagline"})}


def test_profiles_are_loaded_once_in_display_order() -> None:
    loaded = service.load_profiles_into_database(make.profiles())
    again = service.load_profiles_into_database(make.profiles())
    assert [row.id for row in again] == [row.id for row in loaded]
    assert [row.fund_code for row in loaded] == list(make.profiles())
    assert [profile.code for profile in queries.profiles()] == list(make.profiles())
    assert all(row.reread().digest() == row.digest for row in loaded)


def test_a_changed_file_becomes_a_new_row_and_going_back_finds_the_old_one(db: Db) -> None:
    service.load_profiles_into_database(make.profiles())
    first = service.current_version("act").id
    service.load_profiles_into_database(changed_act())
    second = service.current_version("act")
    assert second.id != first
    assert second.profile.tagline == "Another tagline"
    service.load_profiles_into_database(make.profiles())
    assert service.current_version("act").id == first
    rows = db.scalars(select(ProfileVersion).where(ProfileVersion.fund_code == "act")).all()
    assert sorted(row.current for row in rows) == [False, True]


def test_a_fund_whose_file_is_gone_is_no_longer_current() -> None:
    service.load_profiles_into_database(make.profiles())
    service.load_profiles_into_database({"act": make.profiles()["act"]})
    assert [profile.code for profile in queries.profiles()] == ["act"]
    with pytest.raises(Refused):
        service.current_version("vftc")


@pytest.mark.parametrize("fund", list(make.profiles()))
def test_each_fund_opens_a_call(db: Db, fund: str) -> None:
    call = make.call(fund)
    assert call.status is CallStatus.OPEN
    assert call.takes_applications
    assert call.fund == make.profiles()[fund]
    assert call.reviewer_role == make.profiles()[fund].process.reviewer_role
    db.commit()
    found = queries.published_call(call.ref)
    assert found is not None
    assert found.id == call.id


def test_a_draft_keeps_up_with_its_file_and_a_published_call_does_not() -> None:
    olga = make.officer("act")
    draft = make.draft_call(by=olga)
    published = make.call(by=olga)
    service.load_profiles_into_database(changed_act())
    service.open_call(draft, by=olga)
    assert draft.fund.tagline == "Another tagline"
    assert published.fund.tagline == make.profiles()["act"].tagline


def test_opening_is_recorded_with_the_profile_and_the_ceiling(db: Db) -> None:
    call = make.call()
    event = db.scalars(select(AuditEvent).where(AuditEvent.subject_id == call.id)).all()[-1]
    assert event.action == "call.open"
    assert (event.from_status, event.to_status, event.rule) == ("draft", "open", "R17")
    assert event.facts["profile"] == make.profiles()["act"].digest()
    assert event.facts["ceiling_usd"] == 500_000


def test_only_an_officer_of_the_fund_prepares_and_opens() -> None:
    service.load_profiles_into_database(make.profiles())
    other = make.officer("vftc")
    auditor = make.person(roles=[Role.AUDITOR])
    for person in (other, auditor, make.person()):
        with pytest.raises(Refused):
            service.create_call("act", make.terms(), by=person)
    draft = make.draft_call()
    for person in (other, auditor):
        with pytest.raises(Refused):
            service.open_call(draft, by=person)
        with pytest.raises(Refused):
            service.edit_call(draft, make.terms(), by=person)
        with pytest.raises(Refused):
            service.cancel_call(draft, by=person)
    assert policy.can_view(auditor, draft)
    assert not policy.can_view(other, draft)
    assert not policy.can_view(make.person(), draft)


@pytest.mark.parametrize(
    ("fund", "changes", "word"),
    [
        ("act", {"countries": []}, "Name the countries"),
        ("vftc", {"countries": ["KEN"]}, "Leave the countries out"),
        ("act", {"languages": []}, "language"),
        ("act", {"languages": ["tlh"]}, "from the list"),
        ("act", {"envelope_usd": 0}, "nothing to give"),
        ("vftc", {"ceiling_usd": None}, "the call must set one"),
        ("upr-p", {"session_label": " "}, "session"),
    ],
)
def test_a_call_that_lacks_something_stays_a_draft(
    fund: str, changes: dict[str, object], word: str
) -> None:
    olga = make.officer(fund)
    draft = make.draft_call(fund, by=olga, **changes)
    with pytest.raises(Refused, match=word):
        service.open_call(draft, by=olga)
    assert draft.status is CallStatus.DRAFT
    assert draft.published_at is None


def test_dates_are_asked_for() -> None:
    now = clock.now()
    olga = make.officer("act")
    past = make.draft_call(
        by=olga, opens_at=now - timedelta(days=9), closes_at=now - timedelta(days=1)
    )
    with pytest.raises(Refused, match="deadline has passed"):
        service.open_call(past, by=olga)
    late = make.draft_call(by=olga, reference_day=(now + timedelta(days=60)).date())
    with pytest.raises(Refused, match="reference date"):
        service.open_call(late, by=olga)
    with pytest.raises(Refused, match="after the opening"):
        make.draft_call(by=olga, opens_at=now, closes_at=now)
    with pytest.raises(ValueError, match="time zone"):
        make.draft_call(by=olga, opens_at=now.replace(tzinfo=None))
    with pytest.raises(Refused, match="time zone"):
        make.draft_call(by=olga, time_zone="Moon/Tranquillity")


@pytest.mark.parametrize("ceiling", [500_001, 10**12])
def test_no_call_raises_the_ceiling(ceiling: int) -> None:
    olga = make.officer("act")
    with pytest.raises(Refused, match="never higher") as refused:
        make.draft_call(by=olga, ceiling_usd=ceiling)
    assert refused.value.rule == "R9"
    draft = make.draft_call(by=olga, ceiling_usd=300_000)
    assert draft.ceiling == 300_000
    with pytest.raises(Refused, match="never higher"):
        service.edit_call(draft, make.terms(ceiling_usd=ceiling), by=olga)
    assert draft.ceiling == 300_000


@pytest.mark.parametrize("ceiling", [0, -1])
def test_a_ceiling_is_more_than_nothing(ceiling: int) -> None:
    with pytest.raises(Refused):
        make.draft_call(ceiling_usd=ceiling)


def test_a_published_call_is_not_edited() -> None:
    olga = make.officer("act")
    call = make.call(by=olga)
    with pytest.raises(Refused, match="published") as refused:
        service.edit_call(call, replace(make.terms(), title="Another title"), by=olga)
    assert refused.value.rule == "R17"


def test_cancelling_and_deciding_end_a_call() -> None:
    olga = make.officer("act")
    cancelled, decided = make.call(by=olga), make.call(by=olga)
    service.cancel_call(cancelled, by=olga)
    assert not cancelled.takes_applications
    with pytest.raises(Refused):
        service.open_call(cancelled, by=olga)
    with pytest.raises(Refused, match="after its deadline"):
        service.decide_call(decided, by=olga)
    authority = make.person(roles=[(Role.APPROVING_AUTHORITY, "act", None)])
    with clock.at(decided.closes_at):
        assert not decided.takes_applications
        service.decide_call(decided, by=authority)
    assert decided.status is CallStatus.DECIDED
    with pytest.raises(Refused):
        service.cancel_call(decided, by=olga)


def test_the_deadline_itself_is_late() -> None:
    call = make.call()
    with clock.at(call.closes_at - timedelta(microseconds=1)):
        assert call.takes_applications
        assert call in queries.open_calls()
    with clock.at(call.closes_at):
        assert not call.takes_applications
        assert call not in queries.open_calls()
        assert call in queries.past_calls("act")


def test_drafts_are_in_no_public_list() -> None:
    draft = make.draft_call()
    service.cancel_call(draft, by=make.officer())
    other = make.draft_call()
    assert queries.open_calls() == []
    assert queries.past_calls() == []
    assert queries.published_call(draft.ref) is None
    assert queries.published_call(other.ref) is None


def test_staff_see_the_calls_of_their_funds() -> None:
    act, vftc = make.draft_call("act"), make.draft_call("vftc")
    seen = queries.calls_page(make.officer("act"))
    assert [call.ref for call in seen.calls] == [act.ref]
    assert {call.ref for call in queries.calls_page(make.officer()).calls} == {act.ref, vftc.ref}
    assert queries.calls_page(make.person()).total == 0
    assert queries.calls_page(make.officer(), fund_code="vftc").total == 1
    assert queries.calls_page(make.officer(), status="open").total == 0


def test_references_are_random(db: Db) -> None:
    olga = make.officer("act")
    refs = [make.draft_call(by=olga).ref for _ in range(3)]
    assert len(set(refs)) == 3
    assert db.scalar(select(Call.id).where(Call.ref == refs[0])) is not None


def test_a_draft_waits_for_whoever_began_it() -> None:
    olga = make.officer("act")
    draft = make.draft_call(by=olga)
    make.call(by=olga)
    (todo,) = queries.todos(olga)
    assert (todo.endpoint, todo.values, todo.due) == (
        "funds.call",
        {"ref": draft.ref},
        draft.opens_at,
    )
    assert queries.todos(make.officer("act")) == []
    assert queries.todos(make.person()) == []
