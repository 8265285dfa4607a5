"""Donors, pledges, agreements and money that arrived, each step by the person whose step it is."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import count

from PIL import Image
from sqlalchemy import select

from portal.accounts.models import Person, Role
from portal.contributions import service
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    Donor,
    DonorKind,
    Earmark,
    Pledge,
    PledgeStatus,
)
from portal.contributions.service import DonorFacts, Terms
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.funds.service import load_profiles_into_database
from portal.ledger import service as ledger
from portal.ledger.models import ExchangeRate
from tests.make.accounts import person

FUND = "act"

_numbers = count(1)


@dataclass(frozen=True)
class Desk:
    """Who does what with the contributions of a fund: nobody plays two parts."""

    officer: Person
    finance: Person


def desk(fund: str = FUND) -> Desk:
    """Return new people, one for each part, with the profile and the books of the fund there."""
    load_profiles_into_database()
    ledger.open_book(fund)
    return Desk(
        officer=person(roles=[(Role.DONOR_RELATIONS, fund, None)], name="Dora Donors"),
        finance=person(roles=[(Role.FINANCE_OFFICER, fund, None)], name="Fiona Finance"),
    )


def rate(currency: str = "CHF", units: str = "0.8", on: date | None = None) -> None:
    """Import a rate of exchange, once."""
    day = on or clock.today() - timedelta(days=400)
    known = select(ExchangeRate.id).where(
        ExchangeRate.currency == currency, ExchangeRate.effective_on == day
    )
    if session.scalar(known) is None:
        session.add(
            ExchangeRate(
                currency=currency,
                units_per_usd=Decimal(units),
                effective_on=day,
                source="test",
                imported_at=clock.now(),
            )
        )
        session.flush()


def donor(who: Desk, kind: DonorKind = DonorKind.FOUNDATION, **changes: object) -> Donor:
    """Return a donor that the officer recorded."""
    number = next(_numbers)
    facts: dict[str, object] = {
        "kind": kind,
        "name": f"Harbour Foundation {number}",
        "country": "CHE" if kind is DonorKind.STATE else None,
        "email": f"giving{number}@harbour.example",
    }
    return service.record_donor(DonorFacts(**facts | changes), by=who.officer)  # type: ignore[arg-type]


def earmark(who: Desk, title: str = "Schools in Kenya", fund: str = FUND) -> Earmark:
    """Return an earmark that the officer made."""
    return service.make_earmark(fund, title, by=who.officer, country="KEN")


def pledge(
    who: Desk,
    status: PledgeStatus = PledgeStatus.ANNOUNCED,
    amount: Money | None = None,
    of: Donor | None = None,
) -> Pledge:
    """Return a pledge at `status`, by the verbs alone."""
    giving = of or donor(who)
    made = service.announce_pledge(
        giving, FUND, amount or usd(500_000), clock.today(), by=who.officer
    )
    if status is PledgeStatus.WITHDRAWN:
        service.withdraw_pledge(made, "Another budget.", by=who.officer)
    elif status is PledgeStatus.AGREED:
        agreement(who, AgreementStatus.IN_FORCE, amount=made.money, of=giving, on=made)
    assert made.status is status
    return made


def paper() -> BytesIO:
    """Return a picture of a signed page."""
    content = BytesIO()
    Image.new("RGB", (60, 80), (250, 250, 245)).save(content, "PNG")
    content.seek(0)
    return content


def terms(
    amount: Money | None = None, *days: int, signed: int = -60, meant: Earmark | None = None
) -> Terms:
    """Return terms in equal instalments due so many days from today (the last takes the rest)."""
    whole = amount or usd(1_000_000)
    due = days or (-30, 30)
    part = whole.minor // len(due)
    parts = [part] * (len(due) - 1) + [whole.minor - part * (len(due) - 1)]
    today = clock.today()
    return Terms(
        amount=whole,
        signed_on=today + timedelta(days=signed),
        schedule=[
            (today + timedelta(days=day), Money(minor, whole.currency))
            for day, minor in zip(due, parts, strict=True)
        ],
        earmark=meant,
    )


def agreement(
    who: Desk,
    status: AgreementStatus = AgreementStatus.IN_FORCE,
    *,
    amount: Money | None = None,
    of: Donor | None = None,
    on: Pledge | None = None,
    meant: Earmark | None = None,
) -> ContributionAgreement:
    """Return an agreement at `status`, by the verbs alone."""
    made = service.draft_agreement(
        of or donor(who), FUND, terms(amount, meant=meant), by=who.officer, pledge=on
    )
    service.add_paper(made, paper(), "signed.png", by=who.officer)
    if status is AgreementStatus.DRAFT:
        return made
    service.confirm_agreement(made, service.terms_digest(made), by=who.finance)
    if status is AgreementStatus.FULFILLED:
        wire(who, made.money, made)
    elif status is AgreementStatus.CANCELLED:
        service.cancel_agreement(made, "It will not come.", clock.today(), by=who.finance)
    assert made.status is status
    return made


def wire(
    who: Desk,
    amount: Money,
    under: ContributionAgreement | None = None,
    *,
    of: Donor | None = None,
    ref: str | None = None,
    settles: Money | None = None,
) -> Contribution:
    """Return money that finance recorded by hand."""
    return service.receive_wire(
        fund_code=FUND,
        amount=amount,
        amount_usd=service.worth(amount, clock.today()),
        on=clock.today(),
        source_ref=ref or f"wire:test:{next(_numbers)}",
        agreement=under,
        donor=of or (None if under else donor(who)),
        by=who.finance,
        settles=settles,
    )


def card(
    amount: Money | None = None, ref: str | None = None, name: str = "A. Giver"
) -> Contribution:
    """Return a gift by card, as the processor says it."""
    gift = amount or usd(5_000)
    return service.receive_card(
        fund_code=FUND,
        amount=gift,
        amount_usd=service.worth(gift, clock.today()),
        on=clock.today(),
        source_ref=ref or f"card:test:{next(_numbers)}",
        donor=service.giver(name, "a.giver@example.org"),
    )
