"""What became of a donor's money: pledged, agreed, received, and traced to the grants under it.

The statement leaves the office, so no grantee is named in it. A grant counts by its country and
its theme; one whose file is sensitive by its region alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from uuid import UUID

from sqlalchemy import select

from portal.accounting import rules, tracing
from portal.accounting.queries.given import Gift, gifts
from portal.accounting.queries.yearly import named_themes, theme_label
from portal.accounting.tracing import (
    Givers,
    Pool,
    Traced,
    TracedGrant,
    by_theme,
    shares,
    together,
    trace,
    usable,
)
from portal.accounting.yearly import UNKNOWN
from portal.accounts.models import Person
from portal.applications.models import Answer, Application
from portal.awards.models import Award
from portal.contributions import policy
from portal.contributions.models import Donor
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, usd
from portal.funds import queries as funds
from portal.funds.countries import Region, country, display_name
from portal.funds.models import Call
from portal.funds.profile import Profile
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind, PercentKind, TransactionKind
from portal.ledger.queries.flows import GrantSums, grant_sums
from portal.ledger.queries.periods import by_account
from portal.ledger.queries.positions import position_of

NOT_ANY = GrantSums(0, 0, 0)


@dataclass(frozen=True)
class Line:
    """The donor's share of the grants of one place, or of one theme, in US$."""

    label: str
    committed: Money
    disbursed: Money
    reported: Money


@dataclass(frozen=True)
class Section:
    """What a donor gave to one fund for one purpose, and what became of it, in US$.

    `purposes` are the titles of the earmarks; none for whatever the fund does. `everybody` is what
    all donors gave for it. What was received goes to support costs, is committed, or is still to
    be committed.
    """

    fund: Profile
    purposes: Sequence[str]
    pledged: Money
    agreed: Money
    received: Money
    in_year: Money
    everybody: Money
    percent: Decimal
    support_costs: Money
    committed: Money
    to_commit: Money
    disbursed: Money
    reported: Money
    places: Sequence[Line]
    themes: Sequence[Line]


@dataclass(frozen=True)
class Statement:
    """What became of one donor's money until the end of a year, or until today."""

    donor: Donor
    year: int
    until: date
    is_final: bool
    sections: Sequence[Section]


def donor_by_ref(person: Person, ref: str) -> Donor | None:
    """Return a donor that exists for the person, or None. One SQL statement."""
    return session.scalar(policy.donors_visible_to(person).where(Donor.ref == ref))


def statement(person: Person, donor: Donor, year: int) -> Statement:
    """Return a donor's statement for the funds whose contributions the person reads.

    At most seven SQL statements.
    """
    today = clock.today()
    until = rules.account_ends_on(year, today=today)
    given = gifts(until)
    chosen = [
        fund
        for fund in funds.profiles()
        if policy.reads_fund(person, fund.code)
        and any(donor.id in by_donor for by_donor in given.get(fund.code, {}).values())
    ]
    sections: list[Section] = []
    if chosen:
        balances = by_account(until)
        gained = ledger.caused(
            AccountKind.EXCHANGE_DIFFERENCE, TransactionKind.CONTRIBUTION_RECEIVED, until
        )
        percents = ledger.percents(PercentKind.SUPPORT_COSTS, until)
        grants = _grants(chosen, until)
        for fund in chosen:
            percent = percents.get(fund.code, Decimal(0))
            booked = position_of(fund.code, balances.get(fund.code, {}), 0, None).received.minor
            receipts = booked - gained.get(fund.code, (0, 0))[1]
            pools = _pools(given[fund.code], receipts)
            traced = trace(grants[fund.code], pools, percent)
            sections += [
                _section(fund, gift, _share(donor, pool, pools, traced), percent)
                for pool, gift in _of(donor, given[fund.code])
            ]
    return Statement(donor, year, until, year < today.year, sections)


def _pools(given: Mapping[Pool, Mapping[UUID, Gift]], receipts: int) -> dict[Pool, Givers]:
    """Return what was received for each purpose, by donor.

    What of the `receipts` in the books, in US cents, is beyond the donors on record stands in the
    pool of the fund.
    """
    pools: dict[Pool, dict[UUID | None, int]] = {
        pool: {donor: gift.received for donor, gift in by_donor.items()}
        for pool, by_donor in given.items()
    }
    known = sum(cents for givers in pools.values() for cents in givers.values())
    if receipts > known:
        pools.setdefault(Pool(), {})[None] = receipts - known
    return dict(pools)


def _grants(chosen: Sequence[Profile], until: date) -> dict[str, list[TracedGrant]]:
    """Return the grants of some funds with what the books say of each. Two SQL statements."""
    sums = grant_sums([fund.code for fund in chosen], until)
    by_code = {fund.code: fund for fund in chosen}
    themes = {fund.theme for fund in chosen if fund.theme}
    rows = (
        select(
            Call.fund_code,
            Award.ref,
            Application.call_id,
            Application.country,
            Application.sensitive,
            Answer.key,
            Answer.value,
        )
        .select_from(Award)
        .join(Award.application)
        .join(Application.call)
        .outerjoin(Answer, (Answer.application_id == Application.id) & Answer.key.in_(themes))
        .where(Call.fund_code.in_(by_code))
    )
    found: dict[str, dict[str, TracedGrant]] = {code: {} for code in by_code}
    for code, ref, call_id, iso3, sensitive, key, value in session.execute(rows):
        own = key == by_code[code].theme
        if ref in found[code] and not own:
            continue
        found[code][ref] = TracedGrant(
            call_id=str(call_id),
            country=iso3,
            place=f"region:{country(iso3).region.value}" if sensitive else iso3,
            themes=(not sensitive and own and named_themes(value)) or (UNKNOWN,),
            sums=sums.get(ref, NOT_ANY),
        )
    return {code: list(grants.values()) for code, grants in found.items()}


def _of(donor: Donor, given: Mapping[Pool, Mapping[UUID, Gift]]) -> list[tuple[Pool, Gift]]:
    """Return what the donor gave to one fund, the closest purpose first."""
    return [
        (pool, given[pool][donor.id])
        for pool in sorted(given, reverse=True)
        if donor.id in given[pool]
    ]


@dataclass(frozen=True)
class Share:
    """What one donor paid out of one pool, by place and by theme, of what everybody gave to it."""

    everybody: int
    places: Mapping[str, tracing.Sums]
    themes: Mapping[str, tracing.Sums]
    together: tracing.Sums


def _share(donor: Donor, pool: Pool, pools: Mapping[Pool, Givers], traced: Traced) -> Share:
    own = shares(traced, pools, donor.id)
    places = {place: sums for (of, place), sums in own.items() if of == pool}
    whole = together(places.values())
    everybody = sum(max(0, cents) for cents in pools[pool].values())
    return Share(everybody, places, by_theme(traced, pool, whole), whole)


def _section(fund: Profile, gift: Gift, share: Share, percent: Decimal) -> Section:
    """Return what a donor gave for one purpose, and what became of it."""
    committed, disbursed, reported = share.together
    received = max(0, gift.received)
    to_commit = max(0, usable(received, percent) - committed)
    return Section(
        fund=fund,
        purposes=sorted(gift.titles),
        pledged=usd(gift.pledged),
        agreed=usd(gift.agreed),
        received=usd(gift.received),
        in_year=usd(gift.in_year),
        everybody=usd(share.everybody),
        percent=percent,
        support_costs=usd(received - committed - to_commit),
        committed=usd(committed),
        to_commit=usd(to_commit),
        disbursed=usd(disbursed),
        reported=usd(reported),
        places=_lines(share.places, _place),
        themes=_lines(share.themes, partial(_theme, fund)) if fund.theme else [],
    )


def _lines(all_sums: Mapping[str, tracing.Sums], label: Callable[[str], str]) -> list[Line]:
    """Return lines with something in them, the largest first."""
    lines = [
        Line(label(key), *(usd(cents) for cents in sums))
        for key, sums in all_sums.items()
        if any(sums)
    ]
    return sorted(lines, key=lambda line: (-line.committed.minor, line.label))


def _place(place: str) -> str:
    kind, _colon, code = place.rpartition(":")
    if kind:
        return str(Region(code).label)
    return display_name(code, locale())


def _theme(fund: Profile, theme: str) -> str:
    return theme_label(fund, theme) if theme else _("Not stated")
