"""Applications that were screened, scored, recommended and decided, each step by its own person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from portal.accounts.models import Person, Role
from portal.applications.models import Application, ApplicationStatus
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.funds.models import Call
from portal.ledger import service as ledger
from portal.ledger.models import Book
from portal.reviews import service
from portal.reviews.models import Decision, Finding, Recommendation, ScoreSheet, Verdict
from tests.make.accounts import person
from tests.make.applications import application as make_application
from tests.make.applications import call as make_call
from tests.make.applications import officer as make_officer

Status = ApplicationStatus


def money(fund: str, cents: int = 50_000_000) -> None:
    """Open the books of a fund, where they are not, with a contribution that has arrived."""
    if session.scalar(select(Book).where(Book.fund_code == fund)) is None:
        ledger.open_book(fund)
    ref = f"wire:{fund}:{clock.now().timestamp()}"
    ledger.contribution_received(fund, usd(cents), ref, clock.today(), by=None)


@dataclass
class Cast:
    """Who does what in a call: nobody plays two parts."""

    fund: str
    officer: Person
    reviewers: list[Person]
    recommender: Person
    approver: Person
    made: list[Person] = field(default_factory=list)


def reviewer(call: Call, nationality: str | None = None, name: str = "Rosa Reader") -> Person:
    """Return a member of the body that scores in a call, and may put its list forward."""
    role = Role(call.fund.process.reviewer_role or Role.TASK_FORCE.value)
    process = call.fund.process
    local = process.reviewer_scope == "country" and not process.body_recommends
    country = call.countries[0] if local else None
    found = person(roles=[(role, call.fund_code, country)], name=name)
    found.nationality = nationality
    session.flush()
    return found


def cast(call: Call) -> Cast:
    """Return the people that a call needs, and money in its fund."""
    fund = call.fund_code
    process = call.fund.process
    money(fund)
    officer = make_officer(fund)
    recommends = Role(process.recommends_role)
    readers = [reviewer(call, name=f"Reader {n + 1}") for n in range(process.reviewers_min)]
    if process.body_recommends:
        recommender = readers[0]
    elif recommends is Role.PROGRAMME_OFFICER:
        recommender = officer
    else:
        recommender = person(roles=[(recommends, fund, None)], name="Sela Secretary")
    return Cast(
        fund=fund,
        officer=officer,
        reviewers=readers,
        recommender=recommender,
        approver=person(roles=[(Role(process.approving_role), fund, None)], name="Alma Approver"),
    )


def screen(application: Application, by: Person) -> Application:
    """Find every item met, and complete the screening."""
    for item in service.prepare_checklist(application):
        service.record_finding(item, Finding.MET, "Seen on file.", by=by)
    service.complete_screening(application, by=by)
    return application


def score(
    application: Application,
    by: Person,
    points: int | Mapping[str, int] = 4,
    *,
    submit: bool = True,
) -> ScoreSheet:
    """Declare no interest and score every criterion, alike unless `points` tells them apart."""
    criteria = application.fund.criteria
    given = {each.key: points if isinstance(points, int) else points[each.key] for each in criteria}
    service.declare_no_conflict(application, by=by)
    sheet = service.save_sheet(
        application, given, {key: f"Because of {key}." for key in given}, "", by=by
    )
    return service.submit_sheet(application, by=by) if submit else sheet


def in_review(call: Call, people: Cast, answers: Mapping[str, object] | None = None) -> Application:
    """Return an application of a call that passed screening."""
    return screen(make_application(of=call, answers=answers), people.officer)


def reviewed(call: Call, people: Cast, points: int | Sequence[int] = 4) -> Application:
    """Return an application with as many sheets as it needs, or with its entitlement checked."""
    made = in_review(call, people)
    if call.fund.process.selection == "priority":
        service.check_entitlement(made, by=people.officer)
    for index, reader in enumerate(people.reviewers):
        score(made, reader, points if isinstance(points, int) else points[index])
    return made


def recommended(call: Call, people: Cast) -> Recommendation:
    """Return the recommendation on all that was reviewed, before the approving authority."""
    draft = service.draft_recommendation(call, by=people.recommender)
    for line in draft.lines:
        if line.verdict is not Verdict.FUND:
            reasons = "Others come first by the published criteria."
            service.set_line(line, line.verdict, 0, reasons, by=people.recommender)
    service.make_recommendation(draft, by=people.recommender)
    return draft


def decided(
    fund: str = "act",
    *,
    of: Call | None = None,
    people: Cast | None = None,
    verdict: Verdict = Verdict.FUND,
    amount_usd: int | None = None,
) -> Decision:
    """Return the decision on one new application, all the way from its draft.

    `amount_usd` (cents) is what is awarded; without it, what was asked for.
    """
    call = of or make_call(fund)
    who = people or cast(call)
    made = reviewed(call, who)
    draft = service.draft_recommendation(call, by=who.recommender)
    for line in draft.lines:
        if line.application_id == made.id:
            wanted = amount_usd or line.requested_usd
            service.set_line(line, verdict, wanted, "As the criteria say.", by=who.recommender)
        elif line.verdict is not Verdict.FUND:
            service.set_line(line, line.verdict, 0, "Others come first.", by=who.recommender)
    service.make_recommendation(draft, by=who.recommender)
    decisions = service.approve(draft, by=who.approver)
    return next(each for each in decisions if each.application_id == made.id)


def approved(fund: str = "act", amount_usd: int | None = None) -> Application:
    """Return an application that was approved, for what it asked or for `amount_usd` (cents)."""
    return decided(fund, amount_usd=amount_usd).application
