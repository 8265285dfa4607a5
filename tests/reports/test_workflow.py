"""Every status × action × person: who may move a report, and nobody else."""

from itertools import product

import pytest

from portal.accounts.models import Person, Role
from portal.reports.models import Report, ReportAction, ReportStatus
from portal.reports.policy import can_edit, can_read, can_view
from portal.reports.workflow import WORKFLOW
from tests.make import reports as make
from tests.make.accounts import member, person
from tests.make.awards import authority, signatory

pytestmark = pytest.mark.usefixtures("app")
Status = ReportStatus
Action = ReportAction

FUNDERS = {"programme", "finance", "authority", "auditor"}
ALLOWED: dict[tuple[ReportStatus, ReportAction], set[str]] = {
    (Status.DUE, Action.SUBMIT): {"representative"},
    (Status.RETURNED, Action.SUBMIT): {"representative"},
    (Status.SUBMITTED, Action.RETURN): {"programme", "finance"},
    (Status.SUBMITTED, Action.ACCEPT): {"programme", "finance"},
}


def cast(report: Report) -> dict[str, Person]:
    return {
        "representative": signatory(report.award),
        "editor": member(report.award.application.organisation),
        "programme": make.programme(report.award),
        "finance": make.finance(report.award),
        "authority": authority(report.award),
        "auditor": person(roles=[(Role.AUDITOR, None, None)]),
        "stranger": person(),
        "elsewhere": person(roles=[(Role.FINANCE_OFFICER, "vftc", None)]),
    }


@pytest.mark.parametrize("status", list(Status))
def test_who_may_do_what_and_see_what(status: ReportStatus) -> None:
    report = make.report(status)
    people = cast(report)
    for action, (name, who) in product(Action, people.items()):
        offered = action in {each.action for each in WORKFLOW.offers(who, report)}
        assert offered == (name in ALLOWED.get((status, action), set())), (status, action, name)
    grantee = {"representative", "editor"}
    seen = grantee | (FUNDERS if status is not Status.DUE else set())
    read = grantee | (FUNDERS if status in {Status.SUBMITTED, Status.ACCEPTED} else set())
    edit = grantee if status in {Status.DUE, Status.RETURNED} else set()
    assert {name for name, who in people.items() if can_view(who, report)} == seen
    assert {name for name, who in people.items() if can_read(who, report)} == read
    assert {name for name, who in people.items() if can_edit(who, report)} == edit
