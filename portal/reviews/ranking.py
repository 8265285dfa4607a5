"""The ranking of a call as it is now: from submitted sheets, or from the priority order.

Only here does the portal compute who stands where; pages, drafts and `portal check` all ask it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.applications.models import Application, ApplicationStatus, Nominee, Sex
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import speaking
from portal.core.money import usd
from portal.funds.countries import country
from portal.funds.models import Call
from portal.ledger.queries import position
from portal.reviews import rules
from portal.reviews.models import Decision, EntitlementCheck, ScoreSheet, SheetStatus

IN_THE_BOOKS = ("active", "declined", "cancelled", "terminated", "closed")
"""States of an award after which a decision is no longer a promise beside the books."""


@dataclass(frozen=True)
class RankedLine:
    """One application in the ranking; `basis` is what a recommendation keeps of the reasons."""

    application: Application
    rank: int
    mean: Decimal | None
    spread: Decimal | None
    basis: dict[str, Any]


@dataclass(frozen=True)
class CallMoney:
    """What a call can still give, in US cents: its envelope, and what the fund can award (R19)."""

    envelope_left: int
    available: int

    @property
    def limit(self) -> int:
        """The lesser of both, never below zero."""
        return max(0, min(self.envelope_left, self.available))


def ranked(call: Call) -> list[RankedLine]:
    """Return the applications whose review is complete, in order. At most six statements."""
    if call.fund.process.selection == "priority":
        return _by_priority(call)
    needed = call.fund.process.reviewers_min
    sheets = submitted_sheets(call)
    return by_scores(call, {key: each for key, each in sheets.items() if len(each) >= needed})


def submitted_sheets(call: Call) -> dict[Application, list[ScoreSheet]]:
    """Return the sheets that count, of applications in review, by application. Two statements."""
    rows = (
        select(ScoreSheet, Application)
        .join(Application, Application.id == ScoreSheet.application_id)
        .where(
            Application.call_id == call.id,
            Application.status.in_((ApplicationStatus.IN_REVIEW, ApplicationStatus.RECOMMENDED)),
            ScoreSheet.status == SheetStatus.SUBMITTED,
        )
        .order_by(Application.submitted_at, Application.id, ScoreSheet.submitted_at)
    )
    found: dict[Application, list[ScoreSheet]] = {}
    for sheet, application in session.execute(rows):
        found.setdefault(application, []).append(sheet)
    return found


def score(call: Call, sheet: ScoreSheet) -> Fraction:
    """Return the score of a submitted sheet in percent, by the weights frozen in the call."""
    points = {each.criterion: each.points for each in sheet.scores if each.points is not None}
    return rules.weighted(points, call.fund.criteria)


def percent(call: Call, sheet: ScoreSheet) -> Decimal:
    """Return the score of a submitted sheet in percent, to two decimals."""
    return rules.to_percent(score(call, sheet))


def by_scores(call: Call, sheets: dict[Application, list[ScoreSheet]]) -> list[RankedLine]:
    """Return the ranking of the applications in `sheets`, as if there were no others."""
    scores = {
        application: [score(call, sheet) for sheet in each] for application, each in sheets.items()
    }
    return [
        RankedLine(
            application=row.key,
            rank=row.rank,
            mean=None if row.mean is None else rules.to_percent(row.mean),
            spread=row.spread,
            basis={
                "sheets": len(sheets[row.key]),
                "best": row.best,
                "worst": row.worst,
                "criteria": _criteria(call, sheets[row.key]),
            },
        )
        for row in rules.rank(scores)
    ]


def _criteria(call: Call, sheets: Sequence[ScoreSheet]) -> dict[str, dict[str, Any]]:
    """Return mean points and disagreement for each criterion."""
    found: dict[str, dict[str, Any]] = {}
    for criterion in call.fund.criteria:
        points = [
            each.points
            for sheet in sheets
            for each in sheet.scores
            if each.criterion == criterion.key and each.points is not None
        ]
        if points:
            found[criterion.key] = {
                "mean": str(rules.to_percent(Fraction(sum(points), len(points)))),
                "wide": rules.disagree(points, criterion.scale_max),
            }
    return found


def _by_priority(call: Call) -> list[RankedLine]:
    rows = (
        select(Application, Nominee.sex)
        .join(EntitlementCheck, EntitlementCheck.application_id == Application.id)
        .outerjoin(Nominee, Nominee.application_id == Application.id)
        .where(
            Application.call_id == call.id,
            Application.status.in_((ApplicationStatus.IN_REVIEW, ApplicationStatus.RECOMMENDED)),
        )
        .order_by(Application.submitted_at, Application.id)
    )
    found = {application.id: (application, sex) for application, sex in session.execute(rows)}
    earlier = awards_by_country(call.fund_code)
    requests = [
        rules.Request(
            key=application.id,
            country=country(application.country),
            earlier=earlier.get(application.country, 0),
            woman={Sex.FEMALE: True, Sex.MALE: False}.get(sex),
            received_at=application.submitted_at,
        )
        for application, sex in found.values()
        if application.submitted_at is not None
    ]
    with speaking("en"):  # what goes on record reads the same for everybody
        placed = rules.priority_order(
            requests, call.fund.priority, balance(call.fund_code, earlier), call.reference_day
        )
    return [
        RankedLine(
            application=found[each.key][0],
            rank=each.rank,
            mean=None,
            spread=None,
            basis={
                "steps": [list(reason) for reason in each.reasons],
                "decided_by": each.decided_by,
            },
        )
        for each in placed
    ]


def awards_by_country(fund_code: str) -> dict[str, int]:
    """Return how many requests of each State the fund has approved. One SQL statement."""
    rows = (
        select(Application.country, func.count())
        .join(Decision, Decision.application_id == Application.id)
        .join(Call, Call.id == Application.call_id)
        .where(Call.fund_code == fund_code, Decision.approved)
        .group_by(Application.country)
    )
    return {code: int(number) for code, number in session.execute(rows)}


def balance(fund_code: str, earlier: dict[str, int]) -> rules.Balance:
    """Return how the fund's approved awards are spread by sex and region. One SQL statement."""
    rows = (
        select(Nominee.sex, func.count())
        .join(Decision, Decision.application_id == Nominee.application_id)
        .join(Application, Application.id == Nominee.application_id)
        .join(Call, Call.id == Application.call_id)
        .where(Call.fund_code == fund_code, Decision.approved)
        .group_by(Nominee.sex)
    )
    by_sex = {sex: int(number) for sex, number in session.execute(rows)}
    regions: dict[str, int] = {}
    for code, number in earlier.items():
        region = rules.region_of(country(code))
        regions[region] = regions.get(region, 0) + number
    return rules.Balance(by_sex.get(Sex.FEMALE, 0), by_sex.get(Sex.MALE, 0), regions)


def money(call: Call, envelope_usd: int | None = None) -> CallMoney:
    """Return what the call can still give. Five SQL statements.

    `envelope_usd` asks what would be if the call had another envelope. What the fund can award is
    its available balance less what was decided and is not in the books yet, such that the support
    costs that come with it are covered too (R19).
    """
    given, promised = _decided(call)
    books = position(call.fund_code)
    envelope = (call.envelope_usd if envelope_usd is None else envelope_usd) - given

    def fits(cents: int) -> bool:
        return books.available_after(usd(promised + cents)).minor >= 0

    available = rules.most_that_fits(fits, max(0, books.available.minor))
    return CallMoney(envelope_left=envelope, available=available)


def _decided(call: Call) -> tuple[int, int]:
    """Return what was granted in this call, and what the fund promised beside the books."""
    of = aliased(Call)
    in_the_books = (
        select(AuditEvent.number)
        .where(
            AuditEvent.case_id == Decision.application_id,
            AuditEvent.subject_kind == "award",
            AuditEvent.to_status.in_(IN_THE_BOOKS),
        )
        .exists()
    )
    rows = (
        select(
            func.coalesce(func.sum(Decision.amount_usd).filter(of.id == call.id), 0),
            func.coalesce(func.sum(Decision.amount_usd).filter(~in_the_books), 0),
        )
        .join(Application, Application.id == Decision.application_id)
        .join(of, of.id == Application.call_id)
        .where(of.fund_code == call.fund_code, Decision.approved)
    )
    given, promised = session.execute(rows).one()
    return int(given), int(promised)
