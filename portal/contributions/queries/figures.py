"""Totals: what was pledged, agreed, received and refunded, and what is due and overdue."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import selectinload

from portal.accounts.models import Person
from portal.contributions import policy, rules
from portal.contributions.models import (
    OPEN_AGREEMENT,
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    ContributionDispute,
    ContributionRefund,
    ContributionStatus,
    DisputeStatus,
    Donor,
    Earmark,
    Pledge,
    PledgeStatus,
)
from portal.contributions.rules import Due
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd

NOTHING = usd(0)


@dataclass(frozen=True)
class FundLine:
    """Where the money of one fund's donors stands, in US$.

    `pledged` is not signed yet; `agreed` is in all; `open` is still to come of it and, of that,
    `due` comes within `rules.DUE_SOON_DAYS` and `overdue` should have; what is open is at the rates
    of the days of signature. `refunded` is what went back or was lost of `received`.
    """

    fund_code: str
    pledged: Money = NOTHING
    agreed: Money = NOTHING
    open: Money = NOTHING
    due: Money = NOTHING
    overdue: Money = NOTHING
    received: Money = NOTHING
    refunded: Money = NOTHING


@dataclass(frozen=True)
class DonorLine:
    """One donor and earmark (None: for whatever the fund does) of one fund, in US$.

    `pledged` is what was announced and not withdrawn, signed or not; `agreed` what was signed, less
    what was cancelled; `received` what arrived, `refunded` what of it went back or was lost.
    """

    donor: Donor
    earmark: Earmark | None
    pledged: Money = NOTHING
    agreed: Money = NOTHING
    received: Money = NOTHING
    refunded: Money = NOTHING


@dataclass(frozen=True)
class Receivable:
    """One instalment that is still to come."""

    agreement: ContributionAgreement
    due: Due


def cancelled_usd() -> ColumnElement[Decimal]:
    """Return what was cancelled of an agreement in US cents, to the cent as it was booked."""
    agreed = ContributionAgreement
    kept = proportion_in_sql(agreed.usd_at_signature, agreed.settled, agreed.amount)
    booked = func.greatest(1, agreed.usd_at_signature - kept)
    return case((agreed.cancelled == 0, 0), else_=booked)


def proportion_in_sql(whole_usd: Any, part: Any, whole: Any) -> ColumnElement[Decimal]:
    """Return `rules.proportion` as SQL: exact, for amounts of any size, rounded half to even."""
    product = cast(whole_usd, Numeric) * part
    down = func.div(product, whole)
    twice = 2 * (product - down * whole)
    rounds_up = or_(twice > whole, and_(twice == whole, func.mod(down, 2) == 1))
    return down + case((rounds_up, 1), else_=0)


def _kinds(key: tuple[str, ...]) -> list[Select[Any]]:
    """Return one SELECT for each kind of figure: what it is, the columns `key`, US cents."""

    def of(model: Any, what: str, cents: Any) -> Select[Any]:
        return select(
            literal(what).label("what"),
            *(getattr(model, name) for name in key),
            cents.label("cents"),
        )

    back = of(Contribution, "refunded", ContributionRefund.amount_usd).join(
        ContributionRefund, ContributionRefund.contribution_id == Contribution.id
    )
    taken = of(Contribution, "refunded", ContributionDispute.amount_usd).join(
        ContributionDispute, ContributionDispute.contribution_id == Contribution.id
    )
    confirmed = ContributionAgreement.confirmed_at.is_not(None)
    signed = ContributionAgreement.usd_at_signature - cancelled_usd()
    arrived = Contribution.status != ContributionStatus.ANNULLED
    return [
        of(Pledge, "announced", Pledge.amount_usd).where(Pledge.status == PledgeStatus.ANNOUNCED),
        of(Pledge, "agreed_pledge", Pledge.amount_usd).where(Pledge.status == PledgeStatus.AGREED),
        of(ContributionAgreement, "agreed", signed).where(confirmed),
        of(Contribution, "received", Contribution.amount_usd).where(arrived),
        back.where(arrived, ContributionRefund.taken_back_on.is_(None)),
        taken.where(ContributionDispute.status != DisputeStatus.WON),
    ]


def _sums(key: tuple[str, ...], fund_code: str | None) -> list[tuple[Any, ...]]:
    """Return the figures summed by what they are and by `key`. One SQL statement."""
    rows = union_all(*_kinds(key)).subquery()
    by = [rows.c.what, *(rows.c[name] for name in key)]
    found = select(*by, func.sum(rows.c.cents)).group_by(*by)
    if fund_code is not None:
        found = found.where(rows.c.fund_code == fund_code)
    return [tuple(row) for row in session.execute(found)]


def by_fund(person: Person, fund_codes: Iterable[str]) -> list[FundLine]:
    """Return a line for each of the funds that the person sees. Three SQL statements."""
    lines = {code: FundLine(code) for code in fund_codes if policy.reads_fund(person, code)}
    sums: dict[str, dict[str, int]] = defaultdict(dict)
    for what, code, cents in _sums(("fund_code",), None):
        sums[code][what] = int(cents)
    soon = clock.today() + timedelta(days=rules.DUE_SOON_DAYS)
    awaited: dict[str, list[Receivable]] = defaultdict(list)
    for each in receivables(person):
        awaited[each.agreement.fund_code].append(each)
    return [
        replace(
            _awaited(line, awaited[code], soon),
            pledged=usd(sums[code].get("announced", 0)),
            agreed=usd(sums[code].get("agreed", 0)),
            received=usd(sums[code].get("received", 0)),
            refunded=usd(sums[code].get("refunded", 0)),
        )
        for code, line in lines.items()
    ]


def _awaited(line: FundLine, found: list[Receivable], soon: date) -> FundLine:
    """Return the line with what is still to come, and what of it is due or overdue."""

    def of(chosen: list[Receivable]) -> Money:
        return usd(sum(in_usd(each).minor for each in chosen))

    overdue = [each for each in found if each.due.is_overdue]
    due = [each for each in found if not each.due.is_overdue and each.due.due_on <= soon]
    return replace(line, open=of(found), due=of(due), overdue=of(overdue))


def in_usd(receivable: Receivable) -> Money:
    """Return what is open of an instalment, in US$ at the rate of the day of the signature."""
    agreement = receivable.agreement
    return usd(
        rules.proportion(agreement.usd_at_signature, receivable.due.open.minor, agreement.amount)
    )


def received_by_earmark(fund_code: str) -> list[DonorLine]:
    """Return what each donor pledged, agreed, gave and got back of one fund, by earmark.

    By name of donor, money for whatever the fund does first. Three SQL statements.
    """
    sums: dict[tuple[UUID, UUID | None], dict[str, int]] = defaultdict(dict)
    for what, donor_id, earmark_id, _fund, cents in _sums(
        ("donor_id", "earmark_id", "fund_code"), fund_code
    ):
        sums[donor_id, earmark_id][what] = int(cents)
    donors = {
        each.id: each
        for each in session.scalars(
            select(Donor).where(Donor.id.in_({donor_id for donor_id, _earmark in sums}))
        )
    }
    meant = {
        each.id: each
        for each in session.scalars(select(Earmark).where(Earmark.fund_code == fund_code))
    }
    lines = [
        DonorLine(
            donors[donor_id],
            meant[earmark_id] if earmark_id else None,
            pledged=usd(found.get("announced", 0) + found.get("agreed_pledge", 0)),
            agreed=usd(found.get("agreed", 0)),
            received=usd(found.get("received", 0)),
            refunded=usd(found.get("refunded", 0)),
        )
        for (donor_id, earmark_id), found in sums.items()
    ]
    return sorted(
        lines,
        key=lambda line: (
            line.donor.name,
            line.donor.ref,
            line.earmark.title if line.earmark else "",
        ),
    )


def receivables(person: Person, fund_code: str = "") -> list[Receivable]:
    """Return the instalments still to come that the person sees, by day. Two SQL statements."""
    rows = (
        policy.visible_to(person, ContributionAgreement)
        .where(ContributionAgreement.status == OPEN_AGREEMENT)
        .options(selectinload(ContributionAgreement.instalments))
    )
    if fund_code:
        rows = rows.where(ContributionAgreement.fund_code == fund_code)
    today = clock.today()
    found = [
        Receivable(agreement, due)
        for agreement in session.scalars(rows.order_by(ContributionAgreement.ref))
        if agreement.status is AgreementStatus.IN_FORCE
        for due in rules.dues(agreement.instalments, agreement.settled, agreement.currency, today)
        if due.open
    ]
    return sorted(found, key=lambda each: (each.due.due_on, each.agreement.ref))
