"""A year of the donors in the story: what they promised, signed and gave, and what is overdue.

States sign agreements, foundations give for a call or a country, individuals give what they can.
What arrives adds up, fund by fund and day by day, to what the calls of the story have to give.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from portal.contributions import service
from portal.contributions.models import (
    Contribution,
    ContributionAgreement,
    Donor,
    DonorKind,
    Earmark,
    Pledge,
)
from portal.contributions.service import DonorFacts, Terms
from portal.core.db import session
from portal.core.money import Money, usd
from portal.demo import bank
from portal.demo.bank.messages import Movement
from portal.demo.story import papers
from portal.demo.story.telling import Story
from portal.payments.statements.models import Allocation, LineStatus, Purpose, StatementLine
from portal.payments.statements.service import Target, allocate
from portal.payments.ways import paying_account

MORNING, NOON = 11, 13


@dataclass(frozen=True)
class Giver:
    """A donor of the story. None of these people exist; the States did not give this."""

    key: str
    kind: DonorKind
    name: str
    country: str | None = None
    language: str = "en"
    unnamed: bool = False


GIVERS = (
    Giver("norway", DonorKind.STATE, "Kingdom of Norway", "NOR"),
    Giver("finland", DonorKind.STATE, "Republic of Finland", "FIN"),
    Giver("korea", DonorKind.STATE, "Republic of Korea", "KOR"),
    Giver("morocco", DonorKind.STATE, "Kingdom of Morocco", "MAR", "fr"),
    Giver("netherlands", DonorKind.STATE, "Kingdom of the Netherlands", "NLD"),
    Giver("sweden", DonorKind.STATE, "Kingdom of Sweden", "SWE"),
    Giver("switzerland", DonorKind.STATE, "Swiss Confederation", "CHE", "fr"),
    Giver("portugal", DonorKind.STATE, "Portuguese Republic", "PRT"),
    Giver("ireland", DonorKind.STATE, "Ireland", "IRL"),
    Giver("meridian", DonorKind.FOUNDATION, "Meridian Trust for Public Service", "GBR"),
    Giver("rives", DonorKind.FOUNDATION, "Fondation des Deux Rives", "FRA", "fr"),
    Giver("harbour", DonorKind.ORGANISATION, "Harbour Cooperative, collection of its staff", "NZL"),
    Giver("amara", DonorKind.INDIVIDUAL, "Amara Delacroix-Nwosu", None, "fr"),
    Giver("tomas", DonorKind.INDIVIDUAL, "Tomás Iriarte Quiroga", None, "es"),
    Giver("samira", DonorKind.INDIVIDUAL, "سميرة الحوراني", None, "ar", unnamed=True),
    Giver("lin", DonorKind.INDIVIDUAL, "Lin Xiaohe", None, "zh"),
    Giver("greta", DonorKind.INDIVIDUAL, "Greta Holmqvist-Ode"),
)


@dataclass(frozen=True)
class Signed:
    """An agreement of the story; days are counted from today, amounts are minor units.

    `pledged` is the day on which it was announced; `earmark` one of `EARMARKS`.
    """

    key: str
    giver: str
    fund: str
    signed: int
    schedule: tuple[tuple[int, int], ...]
    currency: str = "USD"
    pledged: int | None = None
    earmark: str = ""
    confirmed: bool = True


AGREEMENTS = (
    Signed(
        "norway", "norway", "vftc", -266, ((-255, 94_000_000), (-135, 41_500_000)), pledged=-268
    ),
    Signed("finland", "finland", "upr-i", -265, ((-250, 62_000_000),)),
    Signed("korea", "korea", "upr-i", -145, ((-130, 18_250_000), (9, 6_750_000)), pledged=-190),
    Signed("morocco", "morocco", "upr-p", -264, ((-250, 34_000_000),)),
    Signed("netherlands", "netherlands", "ldc-sids", -265, ((-255, 47_500_000),)),
    Signed("meridian", "meridian", "ldc-sids", -121, ((-110, 12_000_000),), earmark="delegates"),
    Signed("sweden", "sweden", "act", -264, ((-250, 18_000_000),)),
    Signed(
        "switzerland",
        "switzerland",
        "act",
        -160,
        ((-125, 6_000_000), (-16, 6_000_000)),
        currency="CHF",
        pledged=-200,
    ),
    Signed("rives", "rives", "act", -60, ((-45, 5_640_000),), earmark="senegal"),
    Signed("ireland", "ireland", "vftc", -5, ((30, 20_000_000),), confirmed=False),
)
"""What was signed. Switzerland is late with its second instalment; Ireland's waits for finance."""


@dataclass(frozen=True)
class Arrival:
    """Money that came: under an agreement, or from a giver by itself; US cents."""

    fund: str
    day: int
    giver: str
    cents: int
    agreement: str = ""
    settles: Money | None = None
    sent_back: int = 0


ARRIVALS = (
    Arrival("vftc", -262, "norway", 94_000_000, "norway"),
    Arrival("vftc", -140, "norway", 41_500_000, "norway"),
    Arrival("upr-i", -262, "finland", 62_000_000, "finland"),
    Arrival("upr-i", -133, "korea", 18_250_000, "korea"),
    Arrival("upr-p", -261, "morocco", 34_000_000, "morocco"),
    Arrival("ldc-sids", -261, "netherlands", 47_500_000, "netherlands"),
    Arrival("ldc-sids", -120, "meridian", 12_000_000, "meridian"),
    Arrival("act", -260, "sweden", 18_000_000, "sweden"),
    Arrival("act", -128, "switzerland", 7_390_000, "switzerland", Money(6_000_000, "CHF")),
    Arrival("act", -128, "harbour", 2_073_000),
    Arrival("act", -128, "amara", 25_000),
    Arrival("act", -128, "tomas", 12_000),
    Arrival("act", -46, "rives", 5_640_000, "rives"),
    Arrival("act", -46, "samira", 250_000),
    Arrival("act", -46, "lin", 80_000, sent_back=40_000),
    Arrival("act", -46, "greta", 70_000),
)
"""What came. One giver sent the same transfer twice and got one of them back."""

PLEDGED_ONLY = ("portugal", "upr-p", -31, Money(5_500_000, "EUR"))


STRAY = ("vftc", -4, 150_000, "Bazar de la paroisse", "Merci pour tout")
"""Money that names nothing: it waits in suspense for finance."""


@dataclass
class Told:
    """What the steps of this year have made so far, by key."""

    donors: dict[str, Donor]
    pledges: dict[str, Pledge]
    agreements: dict[str, ContributionAgreement]


def prepare(story: Story, first_day: int) -> None:
    """Plan the year of the donors; `first_day` is when the story begins."""
    told = Told({}, {}, {})
    story.on(first_day, lambda: _recorded(story, told), hour=12)
    for signed in AGREEMENTS:
        if signed.pledged is not None:
            story.on(signed.pledged, _announcing(story, told, signed), hour=MORNING)
        story.on(signed.signed, _signing(story, told, signed), hour=MORNING)
        if signed.confirmed:
            story.on(signed.signed + 1, _confirming(story, told, signed), hour=MORNING)
    for arrival in ARRIVALS:
        story.on(arrival.day, _arriving(story, told, arrival), hour=NOON)
    story.on(PLEDGED_ONLY[2], lambda: _pledged_only(story, told), hour=MORNING)
    story.on(STRAY[1], _stray, hour=NOON)


def _recorded(story: Story, told: Told) -> None:
    for each in GIVERS:
        told.donors[each.key] = service.record_donor(
            DonorFacts(
                each.kind,
                each.name,
                each.country,
                f"{each.key}@giving.example",
                each.language,
                each.unnamed,
            ),
            by=story.people["donors"],
        )


def _announcing(story: Story, told: Told, signed: Signed) -> Callable[[], None]:
    def announce() -> None:
        told.pledges[signed.key] = service.announce_pledge(
            told.donors[signed.giver],
            signed.fund,
            _whole(signed),
            story.day(signed.pledged or signed.signed),
            by=story.people["donors"],
            remark="Said at the pledging conference.",
        )

    return announce


def _whole(signed: Signed) -> Money:
    return Money(sum(minor for _day, minor in signed.schedule), signed.currency)


def _signing(story: Story, told: Told, signed: Signed) -> Callable[[], None]:
    def sign() -> None:
        by, donor = story.people["donors"], told.donors[signed.giver]
        day, whole = story.day(signed.signed), _whole(signed)
        terms = Terms(
            whole,
            day,
            [(story.day(due), Money(minor, whole.currency)) for due, minor in signed.schedule],
            _earmark(story, signed),
        )
        pledge = told.pledges.get(signed.key)
        made = service.draft_agreement(donor, signed.fund, terms, by=by, pledge=pledge)
        rows = [str(whole), *(f"{due.isoformat()}: {part}" for due, part in terms.schedule)]
        paper = papers.letter("contribution_agreement", "en", donor.name, rows, day)
        service.add_paper(made, paper, f"agreement-{made.ref}.pdf", by=by)
        told.agreements[signed.key] = made

    return sign


def _earmark(story: Story, signed: Signed) -> Earmark | None:
    by = story.people["donors"]
    if signed.earmark == "delegates":
        call = story.calls["delegates"]
        return service.make_earmark(signed.fund, "Delegates of the autumn", by=by, call=call)
    if signed.earmark == "senegal":
        return service.make_earmark(signed.fund, "Communities in Senegal", by=by, country="SEN")
    return None


def _confirming(story: Story, told: Told, signed: Signed) -> Callable[[], None]:
    def confirm() -> None:
        found = told.agreements[signed.key]
        service.confirm_agreement(found, service.terms_digest(found), by=story.people["finance"])

    return confirm


def _arriving(story: Story, told: Told, arrival: Arrival) -> Callable[[], None]:
    def arrive() -> None:
        donor = told.donors[arrival.giver]
        agreement = told.agreements.get(arrival.agreement)
        account = paying_account(arrival.fund)
        if account is None:
            return
        text = f"Agreement {agreement.ref}" if agreement else "For human rights"
        bank.credit(account, usd(arrival.cents), donor.name, text)
        target = Target(
            Purpose.CONTRIBUTION, agreement=agreement, donor=donor, settles=arrival.settles
        )
        came = _allocated(story, target, "The letter of the donor names the transfer.")
        if arrival.sent_back and came is not None:
            back = Movement(
                usd(arrival.sent_back),
                is_credit=False,
                reference=f"PB-{came.ref}",
                counterparty=donor.name,
            )
            bank.open_statement(account, [back])
            target = Target(Purpose.DONOR_REFUND, contribution=came)
            _allocated(story, target, "The donor sent the same transfer twice.")
        service.issue_due_receipts()

    return arrive


def _allocated(story: Story, target: Target, reason: str) -> Contribution | None:
    """Let finance say what the line is that waits in suspense; none does where it was clear."""
    waits = session.scalar(
        select(StatementLine.id).where(StatementLine.status == LineStatus.SUSPENSE)
    )
    if waits is None:
        return None
    made = allocate(waits, target, reason, by=story.people["finance"])
    if not isinstance(made, Allocation):
        return None
    return session.scalar(select(Contribution).where(Contribution.ref == made.target_ref))


def _stray() -> None:
    fund, _day, cents, payer, text = STRAY
    account = paying_account(fund)
    if account is not None:
        bank.credit(account, usd(cents), payer, text)


def _pledged_only(story: Story, told: Told) -> None:
    giver, fund, day, amount = PLEDGED_ONLY
    service.announce_pledge(
        told.donors[giver],
        fund,
        amount,
        story.day(day),
        by=story.people["donors"],
        remark="Announced in the plenary; the ministry prepares the agreement.",
    )
