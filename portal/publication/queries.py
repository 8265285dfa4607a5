"""Reads for the public: aggregates only, each a fixed number of SQL statements.

Nothing of a single application or award leaves this module; amounts are US$ in minor units.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from babel.support import LazyProxy
from sqlalchemy import ColumnElement, func, select

from portal.applications.models import Application, Nominee, NomineeKind, Sex
from portal.awards.models import Award, AwardStatus
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _l
from portal.core.money import Money, usd
from portal.funds.countries import Group, all_countries, country, has_flag
from portal.funds.models import Call
from portal.funds.profile import Profile
from portal.ledger.queries import Position, positions
from portal.publication import rules
from portal.reports.models import PeopleReached, Report, ReportStatus

MADE = (AwardStatus.ACTIVE, AwardStatus.SUSPENDED, AwardStatus.CLOSED)
"""A grant counts as made when the agreement or the travel letter is in force, or was."""


SEXES = {
    Sex.FEMALE: _l("Women"),
    Sex.MALE: _l("Men"),
    Sex.OTHER: _l("Other or not stated"),
}
PARTS = {NomineeKind.DELEGATE: _l("Delegates"), NomineeKind.FELLOW: _l("Fellows")}


@dataclass(frozen=True)
class FundRecord:
    """What one fund has done: grants, what they add up to, and money that came in (all US$)."""

    code: str
    grants: int
    awarded: Money
    received: Money


@dataclass(frozen=True)
class Record:
    """What all funds have done together.

    A fund with so few grants that its own page is silent counts for nothing here: its figures
    would be the difference between this total and those that the other funds show.
    """

    funds: Sequence[FundRecord]
    countries: int
    people: int

    @property
    def grants(self) -> int:
        """The number of grants."""
        return sum(fund.grants for fund in self.funds)

    @property
    def awarded(self) -> Money:
        """What the grants add up to."""
        return usd(sum(fund.awarded.minor for fund in self.funds))

    @property
    def received(self) -> Money:
        """What contributors have paid in."""
        return usd(sum(fund.received.minor for fund in self.funds))


@dataclass(frozen=True)
class Row:
    """A line of a table; None in a cell is held back."""

    label: str | LazyProxy
    cells: Sequence[int | None]


@dataclass(frozen=True)
class Figures:
    """The published statistics of one fund. Rows end with their total, tables with the totals.

    `reached` counts States with at least one grant, `eligible` those on the fund's list (None
    where there is no list). Where the grants are journeys of officials, their table by region
    would be the one of people again, and is left out.
    """

    grants: int | None
    awarded: Money | None
    grants_by_region: Sequence[Row]
    states_by_region: Sequence[Row]
    reached: int | None
    eligible: int | None
    sexes: Sequence[LazyProxy]
    people_by_region: Sequence[Row]
    people_by_part: Sequence[Row]


def _is_made(fund_code: str | None = None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Award.status.in_(MADE)]
    if fund_code is not None:
        found.append(Call.fund_code == fund_code)
    return found


def record(funds: Sequence[Profile]) -> Record:
    """Return what the funds have done, from awards, books and accepted reports.

    Six SQL statements.
    """
    made = {
        code: grants
        for code, grants in _grants().items()
        if rules.may_be_shown(sum(count for count, _total in grants.values()))
    }
    books = positions()
    people = session.scalar(
        select(func.sum(PeopleReached.people))
        .join(PeopleReached.report)
        .join(Report.award)
        .join(Award.application)
        .join(Application.call)
        .where(Report.status == ReportStatus.ACCEPTED, Call.fund_code.in_(made))
    )
    return Record(
        [_fund_record(fund.code, made.get(fund.code, {}), books.get(fund.code)) for fund in funds],
        len({iso3 for grants in made.values() for iso3 in grants}),
        people or 0,
    )


def _grants() -> dict[str, dict[str, tuple[int, int]]]:
    """Return grants by fund, then country: how many, and US cents in all. One SQL statement."""
    found: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for code, iso3, count, total in session.execute(
        select(Call.fund_code, Application.country, func.count(), func.sum(Award.amount_usd))
        .select_from(Award)
        .join(Award.application)
        .join(Application.call)
        .where(*_is_made())
        .group_by(Call.fund_code, Application.country)
    ):
        found[code][iso3] = (count, int(total))
    return found


def _fund_record(
    code: str, grants: Mapping[str, tuple[int, int]], position: Position | None
) -> FundRecord:
    count = sum(count for count, _total in grants.values())
    awarded = sum(total for _count, total in grants.values())
    return FundRecord(code, count, usd(awarded), position.received if position else usd(0))


def figures(fund: Profile) -> Figures:
    """Return the public statistics of one fund, small cells held back. Two SQL statements."""
    by_country = session.execute(
        select(Application.country, func.count(), func.sum(Award.amount_usd))
        .select_from(Award)
        .join(Award.application)
        .join(Application.call)
        .where(*_is_made(fund.code))
        .group_by(Application.country)
    ).all()
    people: Counter[tuple[Group | None, Sex, NomineeKind]] = Counter()
    if fund.process.nominee:
        for iso3, sex, kind, count in session.execute(
            select(Application.country, Nominee.sex, Nominee.kind, func.count())
            .select_from(Award)
            .join(Award.application)
            .join(Application.call)
            .join(Nominee, Nominee.application_id == Application.id)
            .where(*_is_made(fund.code))
            .group_by(Application.country, Nominee.sex, Nominee.kind)
        ):
            people[country(iso3).group, sex, kind] += count
    return _figures(fund, [(iso3, count, int(total)) for iso3, count, total in by_country], people)


def _figures(
    fund: Profile,
    by_country: Sequence[tuple[str, int, int]],
    people: Counter[tuple[Group | None, Sex, NomineeKind]],
) -> Figures:
    grants: Counter[Group | None] = Counter()
    states: Counter[Group | None] = Counter()
    for iso3, count, _amount in by_country:
        grants[country(iso3).group] += count
        states[country(iso3).group] += 1
    groups = [group for group in (*Group, None) if grants[group]]
    sexes = [sex for sex in Sex if any(key[1] is sex for key in people)]
    by_region, by_part = _people(groups, sexes, people)
    total = sum(grants.values())
    shown = rules.may_be_shown(total) and (not by_region or by_region[-1].cells[-1] is not None)
    return Figures(
        grants=total if shown else None,
        awarded=usd(sum(amount for _iso3, _count, amount in by_country)) if shown else None,
        grants_by_region=_column(grants, groups) if not people else [],
        states_by_region=_column(states, groups),
        reached=len(by_country) if rules.may_be_shown(len(by_country)) else None,
        eligible=len(eligible_states(fund)) or None,
        sexes=[SEXES[sex] for sex in sexes],
        people_by_region=by_region,
        people_by_part=by_part,
    )


def _column(counts: Counter[Group | None], groups: Sequence[Group | None]) -> list[Row]:
    """Return one protected figure for each group, and the total."""
    if not groups:
        return []
    shown = rules.protected([[counts[group]] for group in groups])
    return _rows([_name(group) for group in groups], [row[-1:] for row in shown])


def _people(
    groups: Sequence[Group | None],
    sexes: Sequence[Sex],
    people: Counter[tuple[Group | None, Sex, NomineeKind]],
) -> tuple[list[Row], list[Row]]:
    """Return delegates and fellows by region and sex, and by part and sex."""
    if not people:
        return [], []
    by_region = [
        [sum(people[group, sex, kind] for kind in NomineeKind) for sex in sexes] for group in groups
    ]
    parts = [kind for kind in NomineeKind if any(key[2] is kind for key in people)]
    by_part = [
        [sum(people[group, sex, kind] for group in groups) for sex in sexes] for kind in parts
    ]
    regions, kinds = rules.protected_together([by_region, by_part])
    return (
        _rows([_name(group) for group in groups], regions),
        _rows([PARTS[kind] for kind in parts], kinds),
    )


def _name(group: Group | None) -> LazyProxy:
    return group.label if group else _l("Observer States")


def _rows(labels: Sequence[LazyProxy], shown: rules.Shown) -> list[Row]:
    return [Row(label, cells) for label, cells in zip([*labels, _l("Total")], shown, strict=False)]


def eligible_states(fund: Profile) -> list[str]:
    """Return the States that a fund may support today, as ISO 3166 codes; none without a list.

    The fund's own list goes before the flags (R1, R2).
    """
    for rule in fund.eligibility:
        if rule.texts("countries"):
            return list(rule.texts("countries"))
    flags = [flag for rule in fund.eligibility for flag in rule.texts("flags")]
    today = clock.today()
    return [
        each.iso3 for each in all_countries() if any(has_flag(each, flag, today) for flag in flags)
    ]
