"""The scene of the journey: the call, its people, and what anybody may read before it begins."""

from dataclasses import dataclass, field

from portal.accounts.models import Role
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from portal.funds.profile import Profile, load_profiles
from portal.ledger import service as ledger
from tests.journeys.reader import OpenReader, Reader
from tests.make import applications as make_applications
from tests.make.accounts import PASSWORD, person

TITLE = "Evening law school for market women"
REPORT = "final"
AWARD = "3,500.00"
BUDGET = (
    ("materials", "Printed lessons, two hundred copies", "200", "4.00"),
    ("travel", "Bus fares for forty learners, ten evenings", "400", "3.00"),
    ("fees", "Two teachers, ten evenings", "20", "90.00"),
)


@dataclass
class Cast:
    """Who plays in the journey: addresses by part. Everybody has the same password."""

    officer: str
    readers: list[str]
    authority: str
    finance: str
    certifying: str
    approving: str
    treasury: str
    auditor: str


@dataclass
class Journey:
    """One micro-grant under way."""

    new_reader: OpenReader
    call_ref: str
    fund: Profile
    cast: Cast
    ref: str = ""
    open_readers: dict[str, Reader] = field(default_factory=dict)

    def as_(self, email: str) -> Reader:
        """Return the reader who is signed in as `email`."""
        if email not in self.open_readers:
            reader = self.new_reader()
            reader.sign_in(email, PASSWORD)
            self.open_readers[email] = reader
        return self.open_readers[email]

    def file(self, email: str, tab: str = "") -> Reader:
        """Return the reader `email`, who opened a tab of the case file."""
        reader = self.as_(email)
        reader.open(f"/files/{self.ref}" + (f"/{tab}" if tab else ""), 200)
        return reader


def begin(new_reader: OpenReader) -> Journey:
    """Set the scene: a call of the fund, its people, and money in its books."""

    def somebody(role: Role, country: str | None = None) -> str:
        return person(roles=[(role, "act", country)], name=f"Kim {role.label}").email

    call = make_applications.call("act")
    cast = Cast(
        officer=somebody(Role.PROGRAMME_OFFICER),
        readers=[somebody(Role.TASK_FORCE), *(somebody(Role.TASK_FORCE, "KEN") for _n in range(3))],
        authority=somebody(Role.APPROVING_AUTHORITY),
        finance=somebody(Role.FINANCE_OFFICER),
        certifying=somebody(Role.CERTIFYING_OFFICER),
        approving=somebody(Role.APPROVING_OFFICER),
        treasury=somebody(Role.TREASURY),
        auditor=somebody(Role.AUDITOR),
    )
    make_applications.rate("KES", "130")
    ledger.open_book("act")
    ledger.contribution_received("act", usd(5_000_000), "journey", clock.today(), by=None)
    journey = Journey(new_reader, call.ref, call.fund, cast)
    session.commit()
    return journey


def read_the_public_site(journey: Journey) -> None:
    """Read funds, calls and the whole form before registering, as anybody may."""
    reader = journey.new_reader()
    front = reader.open("/", 200)
    for profile in load_profiles().values():
        assert profile.short_name in front.text
    page = reader.open(f"/calls/{journey.call_ref}", 200)
    assert "UTC" in page.text
    assert "US$ 5,000" in page.text
    form = reader.follow("Read the whole form", 200)
    for question in journey.fund.questions():
        assert question.label in form.text
    weights = {f"{criterion.weight_percent}" for criterion in journey.fund.criteria}
    assert all(weight in page.text for weight in weights)
