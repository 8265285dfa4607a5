"""How the story begins: rates, people and their roles, money in the books, calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import MemberRole, OrganisationKind, Person, Role
from portal.core.db import session
from portal.core.outbox import Message
from portal.demo import content
from portal.demo.personas import PASSWORD
from portal.demo.story import contributing
from portal.demo.story.telling import Story
from portal.funds import service as funds
from portal.funds.profile import load_profiles
from portal.ledger import service as ledger
from portal.ledger import unore
from portal.ledger.models import PercentKind
from portal.payments import service as payments
from portal.payments.service import Payee

NETWORK = "192.0.2.10"
RATES_SOURCE = "UNORE-approximate"
SUPPORT_COSTS = Decimal(13)
OPERATING_RESERVE = Decimal(15)
FIRST_DAY = -270
RATES_DAY = -20

COUNTRIES = ("KEN", "SEN", "PER", "JOR")


ACCOUNTS = {
    "vftc": "CH1800999000000007701",
    "upr-i": "CH5900999000000015402",
    "upr-p": "CH0300999000000023103",
    "ldc-sids": "CH4400999000000030804",
    "act": "CH8500999000000038505",
}
"""The account of each fund in US$, at a bank that does not exist."""


@dataclass(frozen=True)
class Planned:
    """A call of the story; days are counted from today, amounts are US cents."""

    key: str
    fund: str
    officer: str
    title: str
    opens: int
    closes: int
    envelope: int
    ceiling: int | None = None
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en", "fr", "es")
    session_label: str = ""
    zone: str = "Europe/Zurich"
    summary: str = ""


ACT_SUMMARY = (
    "Small grants of up to US$ 5,000 for human-rights education in local communities: workshops, "
    "theatre, radio, school clubs, materials in local languages. Activities last up to six months."
)

CALLS = (
    Planned(
        "act_1",
        "act",
        "officer",
        "Human rights where we live: first call",
        -258,
        -228,
        9_000_000,
        countries=COUNTRIES,
        languages=("en", "fr", "es", "ar"),
        summary=ACT_SUMMARY,
    ),
    Planned(
        "act_2",
        "act",
        "officer",
        "Human rights where we live: second call",
        -118,
        -84,
        9_000_000,
        countries=COUNTRIES,
        languages=("en", "fr", "es", "ar"),
        summary=ACT_SUMMARY,
    ),
    Planned(
        "act_3",
        "act",
        "officer",
        "Human rights where we live: third call",
        -37,
        24,
        8_000_000,
        countries=("GTM", "JOR", "KEN", "NPL", "PER", "SEN"),
        languages=("en", "fr", "es", "ar"),
        summary=ACT_SUMMARY,
    ),
    Planned(
        "vftc",
        "vftc",
        "officer",
        "National institutions and access to justice",
        -150,
        -104,
        60_000_000,
        ceiling=20_000_000,
        languages=("en", "fr", "es", "ar", "ru"),
        summary="Requests of Governments for projects that anchor international standards in law, "
        "institutions and practice.",
    ),
    Planned(
        "upr_i",
        "upr-i",
        "officer_upr",
        "From recommendation to change: implementing the review",
        -212,
        -170,
        45_000_000,
        ceiling=12_000_000,
        languages=("en", "fr", "es"),
        summary="Projects that implement supported recommendations, with the consent of the State.",
    ),
    Planned(
        "upr_p",
        "upr-p",
        "officer_upr",
        "Participation in the review: next session of the Working Group",
        -70,
        20,
        12_000_000,
        ceiling=900_000,
        session_label="Working Group, next session",
        summary="One official of each State that is reviewed: return ticket and daily subsistence.",
    ),
    Planned(
        "fellows",
        "ldc-sids",
        "officer_upr",
        "Fellowships in Geneva, first half of the year",
        -255,
        -232,
        20_000_000,
        ceiling=2_400_000,
        session_label="Fellowships, first half",
        summary="Three months with the Council's work, for officials of LDCs and SIDS.",
    ),
    Planned(
        "delegates",
        "ldc-sids",
        "officer_upr",
        "Delegates to the autumn session of the Council",
        -122,
        -96,
        15_000_000,
        ceiling=1_200_000,
        session_label="Autumn session",
        summary="One delegate of each State: economy return ticket and daily subsistence.",
    ),
    Planned(
        "next_delegates",
        "ldc-sids",
        "officer_upr",
        "Delegates to the spring session of the Council",
        -30,
        27,
        15_000_000,
        ceiling=1_200_000,
        session_label="Spring session",
        summary="One delegate of each State: economy return ticket and daily subsistence.",
    ),
)


def prepare(story: Story) -> None:
    """Plan everything that has to be there before anybody applies."""
    story.on(FIRST_DAY, funds.load_profiles_into_database, hour=7)
    story.on(FIRST_DAY, lambda: _administrator(story), hour=8)
    for each in content.people():
        if each.roles:
            story.on(FIRST_DAY, _hiring(story, each), hour=8, minute=30)
    story.on(FIRST_DAY, lambda: _open_books(story), hour=10)
    story.on(FIRST_DAY, lambda: _open_accounts(story), hour=10, minute=30)
    story.on(FIRST_DAY, lambda: _import_rates(story, "rates-2026-01"), hour=11)
    story.on(RATES_DAY, lambda: _import_rates(story, "rates-2026-11"), hour=7)
    contributing.prepare(story, FIRST_DAY)
    for planned in CALLS:
        story.on(planned.opens, _opening(story, planned), hour=8)


def _administrator(story: Story) -> None:
    who = content.person("administrator")
    token = accounts.make_admin_link(who.email).rsplit("/", 1)[-1]
    entry = accounts.join_by_link(token, name=who.name, password=PASSWORD)
    accounts.end_session(entry.web_session)
    story.people[who.key] = entry.web_session.person


def signed_up(name: str, email: str, language: str, zone: str, nationality: str = "") -> Person:
    """Return somebody who registered, confirmed the address and completed the profile."""
    accounts.register(email=email, name=name, password=PASSWORD, language=language)
    token = last_token(email, "confirm_address")
    entry = accounts.confirm(token, PASSWORD, network=NETWORK)
    accounts.end_session(entry.web_session)
    person = entry.web_session.person
    accounts.edit_profile(
        person, name=name, language=language, time_zone=zone, nationality=nationality or None
    )
    return person


def last_token(email: str, template: str) -> str:
    """Return the token in the latest message of a kind to an address."""
    found = (
        select(Message.link)
        .where(Message.recipient == email, Message.template == template)
        .order_by(Message.created_at.desc())
        .limit(1)
    )
    return session.scalars(found).one().rsplit("/", 1)[-1]


def _hiring(story: Story, who: content.Person) -> Callable[[], None]:
    def hire() -> None:
        person = signed_up(who.name, who.email, who.language, who.time_zone, who.nationality)
        for each in who.roles:
            role, fund, country = each.split()
            accounts.grant_role(
                person,
                Role(role),
                fund=None if fund == "-" else fund,
                country=None if country == "-" else country,
                by=story.people["administrator"],
            )
        story.people[who.key] = person

    return hire


def settle_in(story: Story, key: str) -> None:
    """Let an applicant register and enter its organisation, once; a colleague joins it."""
    if key in story.organisations:
        return
    who = content.organisation(key)
    person = signed_up(who.person, who.email, who.language, who.time_zone)
    where = accounts.create_organisation(
        by=person,
        name=who.name,
        kind=OrganisationKind(who.kind),
        country=who.country,
        registered_on=who.registered_on,
        registration_number=who.number,
        address=who.address,
        title=who.title,
    )
    story.people[key], story.organisations[key] = person, where
    if who.colleague:
        accounts.invite(where, email=who.colleague_email, role=MemberRole.EDITOR, by=person)
        colleague = signed_up(who.colleague, who.colleague_email, who.language, who.time_zone)
        accounts.accept_invite(last_token(colleague.email, "invitation"), by=colleague)


def _open_books(story: Story) -> None:
    by = story.people["finance"].id
    for code in load_profiles():
        ledger.open_book(code)
        for kind, percent in (
            (PercentKind.SUPPORT_COSTS, SUPPORT_COSTS),
            (PercentKind.OPERATING_RESERVE, OPERATING_RESERVE),
        ):
            ledger.set_percent(code, kind, percent, story.day(FIRST_DAY), by=by)


def _open_accounts(story: Story) -> None:
    """Let treasury enter the account of each fund, and finance confirm it."""
    for code, number in ACCOUNTS.items():
        typed = Payee(
            holder="Voluntary Funds",
            bank="Pretend Bank",
            country="CHE",
            account=number,
            bic="VFPBCHGG",
            town="Geneva",
        )
        account = payments.propose_account(code, "USD", typed, by=story.people["treasury"])
        payments.confirm_account(account, by=story.people["finance"])


def _import_rates(story: Story, name: str) -> None:
    unore.import_rates(content.rates(name), by=story.people["finance"].id, source=RATES_SOURCE)


def _opening(story: Story, planned: Planned) -> Callable[[], None]:
    def publish() -> None:
        by = story.people[planned.officer]
        opens = story.moment(planned.opens, 8)
        call = funds.create_call(
            planned.fund,
            funds.CallTerms(
                title=planned.title,
                opens_at=opens,
                closes_at=story.moment(planned.closes, 22) + timedelta(minutes=59),
                reference_day=opens.date(),
                envelope_usd=planned.envelope,
                ceiling_usd=planned.ceiling,
                countries=planned.countries,
                languages=planned.languages,
                session_label=planned.session_label,
                time_zone=planned.zone,
                summary=planned.summary,
            ),
            by=by,
        )
        funds.open_call(call, by=by)
        story.calls[planned.key] = call

    return publish
