"""Reports that were begun, filled in, handed in and accepted, each step by its own person."""

import io

from PIL import Image

from portal.accounts.models import Person, Role
from portal.applications.models import Sex
from portal.awards.models import Award
from portal.core import clock
from portal.core.money import usd
from portal.ledger import service as ledger
from portal.reports import queries, service
from portal.reports.models import AgeBand, EvidenceKind, Group, Report, ReportStatus, ReviewSide
from portal.reports.service import Count, Spending
from tests.make.accounts import person
from tests.make.awards import award as make_award
from tests.make.awards import signatory

Status = ReportStatus


def finance(award: Award) -> Person:
    """Return a new finance officer of the award's fund."""
    fund = award.application.call.fund_code
    return person(roles=[(Role.FINANCE_OFFICER, fund, None)], name="Fiona Finance")


def programme(award: Award) -> Person:
    """Return a new programme officer of the award's fund."""
    fund = award.application.call.fund_code
    return person(roles=[(Role.PROGRAMME_OFFICER, fund, None)], name="Olga Programme")


def advance(award: Award) -> None:
    """Pay the first instalment in the books, as payments does."""
    planned = usd(award.instalments[0].planned_usd)
    ref = f"test-advance:{award.ref}"
    fund = award.application.call.fund_code
    ledger.advance_paid(
        fund, award.ref, planned, planned, ref, clock.today(), by=None, case_id=award.case_id
    )


def opened(award: Award | None = None, key: str | None = None) -> Report:
    """Return a report with nothing in it, of a grant that was paid its first instalment."""
    under = award
    if under is None:
        under = make_award()
        advance(under)
    return service.open_report(under, key or under.fund.reports[0].key, by=signatory(under))


def photograph() -> io.BytesIO:
    """Return a small JPEG with a place in its EXIF."""
    content = io.BytesIO()
    picture = Image.new("RGB", (40, 30), "teal")
    exif = Image.Exif()
    exif[0x010E] = "taken at the secret house"
    picture.save(content, "JPEG", exif=exif)
    content.seek(0)
    return content


def filled(report: Report, spent_usd: dict[int, int] | None = None) -> Report:
    """Answer everything soundly; each line was spent as budgeted unless `spent_usd` says (cents).

    `spent_usd` goes by the position of the line in the award's budget.
    """
    who = signatory(report.award)
    rule = queries.rule_of(report)
    told = {each.key: f"Words about {each.key}." for each in rule.sections}
    service.save_narrative(report, told, by=who)
    amounts = spent_usd or {}
    entries = [
        Spending(
            line.id,
            usd(amounts.get(number, line.amount_usd)),
            reason="Prices changed." if number in amounts else "",
        )
        for number, line in enumerate(report.award.budget)
    ]
    service.save_expenditure(report, entries, by=who)
    if rule.people_reached:
        counts = [Count(sex, band, 5) for sex in Sex for band in AgeBand]
        counts.append(Count(Sex.FEMALE, AgeBand.YOUTH, 2, Group.DISABILITY))
        service.save_people(report, counts, by=who)
    service.add_evidence(
        report, EvidenceKind.PHOTOGRAPH, photograph(), "day.jpg", "The workshop", by=who
    )
    return report


def submitted(award: Award | None = None, spent_usd: dict[int, int] | None = None) -> Report:
    """Return a report that was handed in."""
    made = filled(opened(award), spent_usd)
    return service.submit(made, by=signatory(made.award))


def accepted(report: Report, accepted_usd: int | None = None) -> Report:
    """Let programme and finance accept what was spent, or `accepted_usd` cents of it."""
    service.review(report, ReviewSide.PROGRAMME, accepted=True, by=programme(report.award))
    if ReviewSide.FINANCE in queries.sides_wanted(queries.rule_of(report)):
        most = min(queries.spent_total(report), report.award.amount_usd)
        amount = most if accepted_usd is None else accepted_usd
        service.review(
            report,
            ReviewSide.FINANCE,
            accepted=True,
            accepted_usd=amount,
            comment="Some receipts are missing." if amount < most else "",
            by=finance(report.award),
        )
    return report


def report(status: ReportStatus = ReportStatus.SUBMITTED, fund: str = "act") -> Report:
    """Return the first report of a new grant at `status`."""
    award = make_award(fund=fund)
    advance(award)
    if status is Status.DUE:
        return opened(award)
    made = submitted(award)
    if status is Status.RETURNED:
        service.review(
            made,
            ReviewSide.PROGRAMME,
            accepted=False,
            comment="Say more about the results.",
            by=programme(award),
        )
    elif status is Status.ACCEPTED:
        accepted(made)
    return made
