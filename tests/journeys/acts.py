"""Everything that people do to one grant, as acts that anybody may try at any moment.

An act is a function of a case and a person. It calls one verb of a service (or the few that make
one step of a page) and either does something or raises `Refused`: nothing else may ever come out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications import service as applications
from portal.applications.models import Application, Clarification, Sex
from portal.awards import service as awards
from portal.awards.models import Award, Instalment, InstalmentStatus, PayingAgent
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from portal.funds.models import Call
from portal.payments import service as payments
from portal.payments.models import (
    BankDetails,
    PaymentOrder,
    Receivable,
)
from portal.payments.service.refunds import receive_refund
from portal.reports import queries as reports_queries
from portal.reports import service as reports
from portal.reports.models import AgeBand, Report, ReviewSide
from portal.reviews import service as reviews
from portal.reviews.models import Finding, Recommendation, Verdict
from tests.make.applications import answer_to

T = TypeVar("T")

UNSETTLED = (InstalmentStatus.PLANNED, InstalmentStatus.ORDERED)


@dataclass
class Case:
    """One application on its way, and the figures that its people will choose.

    `part` is what is awarded of the request and `spent` what is spent of the award, in per cent.
    """

    application_id: UUID
    part: int = 100
    spent: int = 100
    accounts: list[str] = field(default_factory=lambda: ["1111222233", "4444555566", "7777888899"])

    @property
    def application(self) -> Application:
        """The application, as the database holds it."""
        return session.get_one(Application, self.application_id)

    @property
    def call(self) -> Call:
        """The call that it stands in."""
        return self.application.call

    @property
    def award(self) -> Award:
        """The award."""
        found = session.scalar(select(Award).where(Award.application_id == self.application_id))
        return _there(found, "award")

    @property
    def details(self) -> BankDetails:
        """The latest bank details."""
        rows = select(BankDetails).where(BankDetails.award_id == self.award.id)
        return _there(session.scalar(rows.order_by(BankDetails.entered_at.desc())), "details")

    @property
    def instalment(self) -> Instalment:
        """The first instalment that is not settled, or the last one."""
        left = [each for each in self.award.instalments if each.status in UNSETTLED]
        return (left or self.award.instalments[-1:])[0]

    @property
    def order(self) -> PaymentOrder:
        """The live order of the present instalment, or the latest of all."""
        rows = (
            select(PaymentOrder)
            .join(PaymentOrder.instalment)
            .where(Instalment.award_id == self.award.id)
            .order_by(Instalment.number.desc(), PaymentOrder.attempt.desc())
        )
        return _there(session.scalars(rows).first(), "order")

    @property
    def report(self) -> Report:
        """The report that the fund asks for."""
        rule = self.award.fund.reports[-1]
        return _there(reports_queries.report_of(self.award, rule.key), "report")

    @property
    def receivable(self) -> Receivable:
        """What the grantee owes."""
        rows = select(Receivable).where(Receivable.award_id == self.award.id)
        return _there(session.scalar(rows), "receivable")

    @property
    def recommendation(self) -> Recommendation:
        """The latest recommendation of the call."""
        rows = select(Recommendation).where(Recommendation.call_id == self.call.id)
        return _there(session.scalar(rows.order_by(Recommendation.round.desc())), "list")


Act = Callable[[Case, Person], object]


def _there(found: T | None, what: str) -> T:
    """Return what was found. Raises Refused for nothing, where a page would answer 404."""
    if found is None:
        raise Refused(f"there is no {what}")
    return found


def screen(case: Case, by: Person) -> None:
    """Find every item of the checklist met."""
    for item in reviews.prepare_checklist(case.application):
        reviews.record_finding(item, Finding.MET, "Seen on file.", by=by)


def ask(case: Case, by: Person) -> None:
    """Ask for a clarification."""
    due = clock.today() + timedelta(days=7)
    key = case.application.fund.form[0].key
    applications.ask_clarification(case.application, key, "Who leads the group?", due, by=by)


def answer(case: Case, by: Person) -> None:
    """Answer the open question."""
    rows = select(Clarification).where(
        Clarification.application_id == case.application_id, Clarification.answered_at.is_(None)
    )
    found = session.scalar(rows)
    if found is None:
        raise Refused("there is no question")
    applications.answer_clarification(found, "A coordinator does.", by=by)


def score(case: Case, by: Person) -> None:
    """Declare that there is no interest, and score every criterion."""
    application = case.application
    reviews.declare_no_conflict(application, by=by)
    points = {criterion.key: 4 for criterion in application.fund.criteria}
    words = {key: f"Because of {key}." for key in points}
    reviews.save_sheet(application, points, words, "", by=by)
    reviews.submit_sheet(application, by=by)


def recommend(case: Case, by: Person) -> None:
    """Draft the list, set each line, and put it before the approving authority."""
    draft = reviews.draft_recommendation(case.call, by=by)
    for line in draft.lines:
        amount = line.requested_usd * case.part // 100
        if line.application_id == case.application_id:
            reviews.set_line(line, Verdict.FUND, amount, "As the criteria say.", by=by)
        else:
            reviews.set_line(line, Verdict.RESERVE, 0, "Others come first.", by=by)
    reviews.make_recommendation(draft, by=by)


def recommend_too_much(case: Case, by: Person) -> None:
    """Try to recommend a dollar more than the ceiling; this may never work."""
    draft = reviews.draft_recommendation(case.call, by=by)
    for line in draft.lines:
        reviews.set_line(line, Verdict.FUND, (case.call.ceiling or 0) + 100, "More.", by=by)
        raise AssertionError("more than the ceiling was recommended")


def offer(case: Case, by: Person) -> None:
    """Make the award that was decided."""
    first = clock.today()
    awards.offer(
        case.application,
        starts_on=first,
        ends_on=first + timedelta(days=6),
        paying_agent=PayingAgent.UNDP,
        by=by,
    )


def revise(case: Case, by: Person) -> None:
    """Bring the budget to the award, all of the cut on the last lines."""
    award, amounts = case.award, {}
    left = award.amount_usd
    for line in award.budget:
        amounts[line.id] = min(line.amount_usd, left)
        left -= amounts[line.id]
    awards.revise_budget(award, amounts, by=by)


def revise_upwards(case: Case, by: Person) -> None:
    """Try to sign a budget above the award; this may never work."""
    award = case.award
    amounts = {line.id: line.requested_usd + 1 for line in award.budget}
    awards.revise_budget(award, amounts, by=by)
    raise AssertionError("a budget above the award was taken")


def enter_bank(case: Case, by: Person) -> None:
    """Enter bank details, each time of another account."""
    award = case.award
    account = case.accounts[0]
    payee = payments.Payee("Lakeside Circle", "Bank of the Lake", "KEN", account, "KCBLKENX")
    payments.enter_bank_details(award, payee, by=by)
    case.accounts.append(case.accounts.pop(0))


def confirm(case: Case, by: Person) -> None:
    """Record what the paying agent says that it paid."""
    order = case.order
    payments.confirm(order, reference=f"agent {order.ref}", paid_on=clock.today(), by=by)


def write_report(case: Case, by: Person) -> None:
    """Open the report and fill it in: `spent` per cent of each line."""
    award = case.award
    rule = award.fund.reports[-1]
    report = reports.open_report(award, rule.key, by=by)
    values = {question.key: answer_to(question) for question in rule.sections}
    reports.save_narrative(report, values, by=by)
    lines = [
        reports.Spending(line.id, usd(line.amount_usd * case.spent // 100), reason="Prices fell.")
        for line in award.budget
    ]
    reports.save_expenditure(report, lines, by=by)
    reports.save_people(report, [reports.Count(Sex.FEMALE, AgeBand.ADULTS, 40)], by=by)


def review(side: ReviewSide, *, accepted: bool) -> Act:
    """Return the act of giving one side's word on the report."""

    def act(case: Case, by: Person) -> None:
        report = case.report
        spent = reports_queries.spent_total(report)
        amount = spent if accepted and side is ReviewSide.FINANCE else None
        words = "" if accepted else "Tell us more."
        reports.review(report, side, accepted=accepted, comment=words, accepted_usd=amount, by=by)

    return act


def take_refund(case: Case, by: Person) -> None:
    """Say of a line of the bank that it is unspent money that came back."""
    owed = case.receivable
    receive_refund(
        owed, owed.left, ref=f"{owed.award.ref}:refund", reference="1", on=clock.today(), by=by
    )


ACTS: dict[str, Act] = {
    "reopen": lambda case, by: applications.reopen(case.application, by=by),
    "submit": lambda case, by: applications.submit(case.application, by=by),
    "screen": screen,
    "ask": ask,
    "answer": answer,
    "pass on": lambda case, by: reviews.complete_screening(case.application, by=by),
    "inadmissible": lambda case, by: reviews.declare_inadmissible(
        case.application, "R99", "No such rule.", by=by
    ),
    "recuse": lambda case, by: reviews.declare_conflict(case.application, "My cousin.", by=by),
    "score": score,
    "recommend": recommend,
    "recommend too much": recommend_too_much,
    "send back": lambda case, by: reviews.send_back(case.recommendation, "Look again.", by=by),
    "approve list": lambda case, by: reviews.approve(case.recommendation, by=by),
    "offer": offer,
    "revise": revise,
    "revise upwards": revise_upwards,
    "accept": lambda case, by: awards.accept(case.award, by.name, by=by),
    "countersign": lambda case, by: awards.countersign(case.award, by=by),
    "suspend": lambda case, by: awards.suspend(case.award, "A question is open.", by=by),
    "resume": lambda case, by: awards.resume(case.award, "It is answered.", by=by),
    "terminate": lambda case, by: awards.terminate(case.award, "A breach.", by=by),
    "enter bank": enter_bank,
    "verify bank": lambda case, by: payments.verify_bank_details(
        case.details, screened=True, by=by
    ),
    "reject bank": lambda case, by: payments.reject_bank_details(
        case.details, "Another name.", by=by
    ),
    "prepare": lambda case, by: payments.prepare_order(case.instalment, by=by),
    "certify": lambda case, by: payments.certify(case.order, by=by),
    "approve": lambda case, by: payments.approve(case.order, by=by),
    "release": lambda case, by: payments.release(case.order, by=by),
    "cancel order": lambda case, by: payments.cancel_order(case.order, "Not now.", by=by),
    "confirm": confirm,
    "reject order": lambda case, by: payments.reject_order(case.order, "Account closed.", by=by),
    "return order": lambda case, by: payments.return_order(
        case.order, "It came back.", on=clock.today(), by=by
    ),
    "acknowledge": lambda case, by: payments.acknowledge(case.order, by=by),
    "write report": write_report,
    "submit report": lambda case, by: reports.submit(case.report, by=by),
    "accept narrative": review(ReviewSide.PROGRAMME, accepted=True),
    "accept spending": review(ReviewSide.FINANCE, accepted=True),
    "return narrative": review(ReviewSide.PROGRAMME, accepted=False),
    "return spending": review(ReviewSide.FINANCE, accepted=False),
    "draw balance": lambda case, by: payments.settle_account(case.award, by=by),
    "take refund": take_refund,
    "close": lambda case, by: payments.close_award(case.award, by=by),
}
