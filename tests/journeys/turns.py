"""Whose turn it is: the act that takes a grant on from where it stands, and its person."""

from sqlalchemy import select

from portal.applications.models import Application, ApplicationStatus
from portal.awards.models import Award, AwardStatus, InstalmentStatus
from portal.core.db import session
from portal.payments import service as payments
from portal.payments.models import (
    BankDetails,
    BankStatus,
    OrderStatus,
    Receivable,
    ReceivableStatus,
)
from portal.payments.service.closing import open_matter
from portal.payments.standing import standing
from portal.reports import queries as reports_queries
from portal.reports import service as reports
from portal.reports.models import ReportStatus, ReviewSide
from portal.reviews import policy
from portal.reviews import queries as reviews_queries
from portal.reviews import service as reviews
from portal.reviews.models import Finding, SheetStatus
from tests.journeys.acts import Case

BEFORE = {
    ApplicationStatus.DRAFT: ("submit", "applicant"),
    ApplicationStatus.CLARIFICATION: ("answer", "applicant"),
    ApplicationStatus.RECOMMENDED: ("approve list", "authority"),
}
AFTER = {
    AwardStatus.ACCEPTED: ("countersign", "authority"),
    AwardStatus.SUSPENDED: ("resume", "authority"),
}
ORDERS = {
    OrderStatus.PREPARED: ("certify", "certifier"),
    OrderStatus.CERTIFIED: ("approve", "approver"),
    OrderStatus.APPROVED: ("release", "treasurer"),
    OrderStatus.RELEASED: ("confirm", "finance"),
}

READERS = ("reader 1", "reader 2", "reader 3", "reader 4", "reader 5")

Step = tuple[str, str]


def next_step(case: Case) -> Step | None:
    """Return the act that takes the grant on, and whose it is; None where it has ended."""
    application = case.application
    if application.status in BEFORE:
        return BEFORE[application.status]
    if application.status is ApplicationStatus.SUBMITTED:
        items = reviews.prepare_checklist(application)
        open_ones = [item for item in items if item.finding is Finding.OPEN]
        return ("screen" if open_ones else "pass on", "officer")
    if application.status is ApplicationStatus.IN_REVIEW:
        return _next_in_review(application)
    if application.status is ApplicationStatus.APPROVED:
        rows = select(Award.id).where(Award.application_id == application.id)
        return ("offer", "officer") if session.scalar(rows) is None else _next_of_award(case)
    return None


def _next_in_review(application: Application) -> Step | None:
    """Return the next reader's scoring, or the list by one who has scored every file of the call.

    None where too few are left who are not recused.
    """
    needed = application.fund.process.reviewers_min
    sheets = [
        sheet
        for sheet in reviews_queries.sheets(application)
        if sheet.status is SheetStatus.SUBMITTED
    ]
    if len(sheets) >= needed:
        body = [sheet.reviewer for sheet in sheets]
        able = [who.name for who in body if policy.recommends_in(who, application.call)]
        return ("recommend", able[0].lower()) if able else None
    out = {sheet.reviewer.name for sheet in sheets}
    out |= {recusal.person.name for recusal in reviews_queries.recusals(application)}
    left = [who for who in READERS if who.title() not in out]
    return ("score", left[0]) if left else None


def _next_of_award(case: Case) -> Step | None:
    award = case.award
    if award.status is AwardStatus.OFFERED:
        return ("revise" if award.needs_revised_budget else "accept", "applicant")
    if award.status in AFTER:
        return AFTER[award.status]
    if award.status is AwardStatus.ACTIVE:
        return _next_payment(case) or _next_report(case) or _next_end(case)
    return _next_end(case) if award.status is AwardStatus.TERMINATED else None


def _next_payment(case: Case) -> Step | None:
    """Return what has to happen before the present instalment can be paid, if it can."""
    instalment = case.instalment
    if instalment.status is InstalmentStatus.ORDERED:
        return ORDERS[case.order.status]
    closed = [gate.label for gate in payments.gates(instalment) if not gate.is_open]
    if "Bank details verified" in closed:
        rows = select(BankDetails).where(
            BankDetails.award_id == case.award.id, BankDetails.status == BankStatus.ENTERED
        )
        waits = session.scalar(rows) is not None
        return ("verify bank", "finance") if waits else ("enter bank", "applicant")
    if closed == ["Bank details unchanged"]:
        return "wait", "nobody"
    return None if closed else ("prepare", "finance")


def _next_report(case: Case) -> Step | None:
    rule = case.award.fund.reports[-1]
    report = reports_queries.report_of(case.award, rule.key)
    if report is None or (
        report.status in {ReportStatus.DUE, ReportStatus.RETURNED} and reports.missing(report)
    ):
        return "write report", "applicant"
    if report.status in {ReportStatus.DUE, ReportStatus.RETURNED}:
        return "submit report", "applicant"
    if report.status is ReportStatus.SUBMITTED:
        said = {word.side for word in reports_queries.reviews(report) if word.round == report.round}
        if ReviewSide.PROGRAMME not in said:
            return "accept narrative", "officer"
        return "accept spending", "finance"
    return None


def _next_end(case: Case) -> Step:
    if case.instalment.status is InstalmentStatus.ORDERED:
        step = ORDERS[case.order.status]
        return step if case.order.status is OrderStatus.RELEASED else ("cancel order", "finance")
    rows = select(Receivable).where(
        Receivable.award_id == case.award.id, Receivable.status == ReceivableStatus.OPEN
    )
    if session.scalar(rows) is not None:
        return "take refund", "finance"
    return ("close", "officer") if standing_is_drawn(case) else ("draw balance", "finance")


def standing_is_drawn(case: Case) -> bool:
    """Say whether nothing keeps the file open any more."""
    return open_matter(standing(case.award)) is None
