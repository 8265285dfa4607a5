"""What a yearly account is made of, read from the books, the grants and the contributions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.support import LazyProxy
from sqlalchemy import select, union_all

from portal.accounting import rules, yearly
from portal.accounting.yearly import UNKNOWN, WITHOUT, Account, Books, Giver, Grant, Pair, Row
from portal.applications.models import Answer, Application
from portal.awards.models import Award
from portal.contributions.models import Contribution, ContributionAgreement, Donor, DonorKind
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _, _l, locale, translated
from portal.funds.countries import Region, country, display_name
from portal.funds.models import Call
from portal.funds.profile import Profile
from portal.ledger import queries as ledger
from portal.ledger.queries.flows import committed_at, flows

GIVERS: Mapping[str, LazyProxy] = {
    DonorKind.STATE: _l("States"),
    DonorKind.FOUNDATION: _l("Foundations"),
    DonorKind.ORGANISATION: _l("Organisations"),
    DonorKind.INDIVIDUAL: _l("Individuals"),
}
"""The kinds of donors, in the plural."""


@dataclass(frozen=True)
class YearlyAccount:
    """The account of a fund and year, with its tables, as page, document and workbook show it."""

    fund: Profile
    account: Account
    givers: Sequence[Row]
    kinds: Sequence[Row]
    countries: Sequence[Row]
    regions: Sequence[Row]
    themes: Sequence[Row]
    theme_question: str


def yearly_account(fund: Profile, year: int) -> YearlyAccount:
    """Return the account of a fund and year. A fixed number of SQL statements."""
    today = clock.today()
    until = rules.account_ends_on(year, today=today)
    found = yearly.account(_books(fund.code, year, until, is_final=year < today.year))
    grants = _grants(fund)
    amounts = [found.disbursed_by_grant, found.spent_by_grant]

    def by(key_of: Callable[[Grant], Sequence[str]], label: Callable[[str], str]) -> list[Row]:
        def keys_of(ref: str | None) -> Sequence[str]:
            grant = grants.get(ref or "")
            return (grant and key_of(grant)) or [UNKNOWN]

        return yearly.grouped(amounts, keys_of, lambda key: label(key) if key else str(WITHOUT))

    return YearlyAccount(
        fund=fund,
        account=found,
        givers=_givers(found),
        kinds=_kinds(found),
        countries=by(lambda grant: [grant.country], lambda iso3: display_name(iso3, locale())),
        regions=by(
            lambda grant: [country(grant.country).region.value],
            lambda code: str(Region(code).label),
        ),
        themes=by(lambda grant: grant.themes, lambda value: theme_label(fund, value))
        if fund.theme
        else [],
        theme_question=translated(fund.question(fund.theme).label) if fund.theme else "",
    )


def _books(fund_code: str, year: int, until: date, *, is_final: bool) -> Books:
    first = date(year - 1, 1, 1)
    opening = {
        row.kind: (row.debit - row.credit).minor
        for row in ledger.trial_balance(fund_code, first - timedelta(days=1))
    }
    now, before = committed_at(fund_code, [until, date(year - 1, 12, 31)])
    return Books(
        year=year,
        until=until,
        is_final=is_final,
        opening=opening,
        flows=flows(fund_code, first, until),
        committed=Pair(now, before),
        givers=_givers_by_ref(fund_code),
    )


def _givers_by_ref(fund_code: str) -> dict[str, Giver]:
    """Return from whom what is booked under a reference came. One SQL statement.

    Individuals, and donors who wish to stay unnamed, are named by their kind alone.
    """
    named = (Donor.kind, Donor.name, Donor.country, Donor.unnamed)
    agreed = (
        select(ContributionAgreement.ref, *named)
        .join(ContributionAgreement.donor)
        .where(ContributionAgreement.fund_code == fund_code)
    )
    given = (
        select(Contribution.ref, *named)
        .join(Contribution.donor)
        .where(Contribution.fund_code == fund_code)
    )
    return {
        ref: Giver(kind, "" if unnamed else donor_name(kind, name, iso3))
        for ref, kind, name, iso3, unnamed in session.execute(union_all(agreed, given))
    }


def donor_name(kind: DonorKind, name: str, iso3: str | None) -> str:
    """Return a donor's name for accounts: a State's as the UN writes it, no individual's."""
    if kind is DonorKind.STATE and iso3:
        return display_name(iso3, locale())
    return "" if kind is DonorKind.INDIVIDUAL else name


def _kind(giver: Giver | None) -> str:
    return str(GIVERS[giver.kind]) if giver else _("Not traced to a donor")


def _givers(found: Account) -> list[Row]:
    """Return what was received, by donor; those without a name together, by their kind."""
    rows = [
        Row(giver.name if giver and giver.name else _kind(giver), (pair,))
        for giver, pair in found.received_by.items()
        if pair
    ]
    return sorted(rows, key=lambda row: (-row.amounts[0].now, str(row.label)))


def _kinds(found: Account) -> list[Row]:
    """Return what was received, by kind of donor."""
    sums: dict[str, Pair] = {}
    for giver, pair in found.received_by.items():
        label = _kind(giver)
        so_far = sums.get(label, Pair(0, 0))
        sums[label] = Pair(so_far.now + pair.now, so_far.before + pair.before)
    rows = [Row(label, (pair,)) for label, pair in sums.items() if pair]
    return sorted(rows, key=lambda row: (-row.amounts[0].now, str(row.label)))


def _grants(fund: Profile) -> dict[str, Grant]:
    """Return the grants of a fund by reference, with country and themes. One SQL statement."""
    rows = (
        select(Award.ref, Application.country, Answer.value)
        .select_from(Award)
        .join(Award.application)
        .join(Application.call)
        .outerjoin(
            Answer, (Answer.application_id == Application.id) & (Answer.key == (fund.theme or ""))
        )
        .where(Call.fund_code == fund.code)
    )
    return {
        ref: Grant(ref, iso3, named_themes(value)) for ref, iso3, value in session.execute(rows)
    }


def named_themes(value: object) -> tuple[str, ...]:
    """Return the themes that an answer names: one choice, or several."""
    if isinstance(value, str) and value:
        return (value,)
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def theme_label(fund: Profile, value: str) -> str:
    """Return a theme in words; an older call may have offered one that is gone."""
    for choice in fund.question(fund.theme or "").choices:
        if choice.value == value:
            return translated(choice.label)
    return value
