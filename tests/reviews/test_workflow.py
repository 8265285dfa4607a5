"""Every status and action of a score sheet and a recommendation, by every person."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Person
from portal.core.workflow import Refused
from portal.reviews.models import (
    RecommendationAction,
    RecommendationStatus,
    SheetAction,
    SheetStatus,
)
from portal.reviews.workflow import RECOMMENDATION_WORKFLOW, SHEET_WORKFLOW
from tests.make.accounts import person, representative_of
from tests.make.applications import call as make_call
from tests.make.reviews import cast, in_review, recommended, reviewed, reviewer, score

Db = scoped_session[Session]
pytestmark = pytest.mark.usefixtures("app")

SHEET_ROWS = {
    (SheetStatus.DRAFT, SheetAction.SUBMIT),
    (SheetStatus.DRAFT, SheetAction.SET_ASIDE),
    (SheetStatus.SUBMITTED, SheetAction.SET_ASIDE),
}
LIST_ROWS = {
    (RecommendationStatus.DRAFT, RecommendationAction.MAKE): "recommender",
    (RecommendationStatus.MADE, RecommendationAction.APPROVE): "approver",
    (RecommendationStatus.MADE, RecommendationAction.SEND_BACK): "approver",
}


def test_a_sheet_moves_by_its_own_reviewer_and_nobody_else(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = in_review(call, people)
    sheet = score(made, people.reviewers[0], submit=False)
    others = {
        "reviewer": people.reviewers[0],
        "colleague": reviewer(call),
        "officer": people.officer,
        "approver": people.approver,
        "applicant": representative_of(made.organisation),
        "stranger": person(),
    }
    with db.no_autoflush:
        for status in SheetStatus:
            sheet.status = status
            for action in SheetAction:
                for name, who in others.items():
                    allowed = name == "reviewer" and (status, action) in SHEET_ROWS
                    assert _may(SHEET_WORKFLOW.check, sheet, action, who) is allowed


def test_a_list_moves_by_its_own_people_and_nobody_else(db: Db) -> None:
    call = make_call()
    people = cast(call)
    made = reviewed(call, people)
    list_ = recommended(call, people)
    others = {
        "recommender": people.recommender,
        "officer": people.officer,
        "approver": people.approver,
        "reviewer": reviewer(call),
        "applicant": representative_of(made.organisation),
        "stranger": person(),
    }
    with db.no_autoflush:
        for status in RecommendationStatus:
            list_.status = status
            for action in RecommendationAction:
                for name, who in others.items():
                    allowed = LIST_ROWS.get((status, action)) == name
                    assert _may(RECOMMENDATION_WORKFLOW.check, list_, action, who) is allowed


def _may(check: Callable[[Any, Any, Person], object], thing: Any, action: Any, who: Person) -> bool:
    try:
        check(thing, action, who)
    except Refused:
        return False
    return True
