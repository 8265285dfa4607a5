"""The requests of States: one or two files for each of the other four funds."""

from collections.abc import Callable, Sequence

from portal.awards.models import PayingAgent
from portal.demo import content
from portal.demo.story import choosing, filing, granting
from portal.demo.story.granting import Signing
from portal.demo.story.telling import Case, Story
from portal.reports.models import Report
from portal.reviews import service as reviews
from portal.reviews.models import Recommendation, Verdict

BOARD, STATES = "officer", "officer_upr"
"""The programme officers: of technical cooperation, and of the funds for States."""

TRUSTEES = ("trustee_africa", "trustee_asia", "trustee_east", "trustee_latin", "trustee_west")


def prepare(story: Story) -> None:
    """Plan the files of the funds for States."""
    cases = {
        key: Case(key, content.application(key), call)
        for key, call in (
            ("togo", "vftc"),
            ("nepal", "vftc"),
            ("cabo_verde", "upr_i"),
            ("lesotho", "upr_p"),
            ("bhutan", "upr_p"),
            ("sierra_leone", "fellows"),
            ("malawi", "delegates"),
            ("kiribati", "next_delegates"),
        )
    }
    _technical_cooperation(story, cases["togo"], cases["nepal"])
    _implementation(story, cases["cabo_verde"])
    _participation(story, cases["lesotho"], cases["bhutan"])
    _fellow(story, cases["sierra_leone"])
    _delegate(story, cases["malawi"])
    _next_delegate(story, cases["kiribati"])


def _apply(story: Story, case: Case, begun: int, submitted: int) -> None:
    story.on(begun, lambda: filing.draft(story, case), hour=11)
    story.on(submitted, lambda: filing.fill(story, case), hour=10)
    story.on(submitted, lambda: filing.submit(story, case), hour=15)


def _score(story: Story, case: Case, sheets: dict[str, tuple[int, Sequence[int]]]) -> None:
    """Plan that trustees score, each on a day."""
    for number, (trustee, (day, points)) in enumerate(sheets.items()):
        story.on(day, _scoring(story, case, trustee, points, number), hour=10 + number)


def _scoring(
    story: Story, case: Case, reader: str, points: Sequence[int], number: int
) -> Callable[[], None]:
    return lambda: choosing.score(story, case, reader, points, own=number)


def _decide(
    story: Story, call: str, lines: Sequence[choosing.Line], by: str, *, made: int, approved: int
) -> None:
    found: list[Recommendation] = []
    story.on(made, lambda: found.append(choosing.recommend(story, call, lines, by)), hour=11)
    story.on(approved, lambda: choosing.approve(story, found[0]), hour=15)


def _technical_cooperation(story: Story, togo: Case, nepal: Case) -> None:
    """Plan two Governments' requests: one in review, one granted and about to be paid."""
    _apply(story, nepal, -140, -121)
    _apply(story, togo, -133, -111)
    for case in (nepal, togo):
        story.on(-99, _screening(story, case, BOARD), hour=10)
    _score(
        story,
        nepal,
        {
            "trustee_africa": (-84, (5, 4, 5, 4, 4, 4, 4)),
            "trustee_east": (-82, (4, 5, 4, 4, 4, 5, 3)),
            "trustee_latin": (-80, (5, 5, 5, 4, 5, 4, 4)),
            "trustee_west": (-76, (5, 4, 4, 5, 4, 4, 4)),
        },
    )
    _score(
        story,
        togo,
        {
            "trustee_asia": (-44, (4, 4, 5, 4, 4, 4, 3)),
            "trustee_latin": (-28, (5, 4, 4, 5, 4, 4, 3)),
        },
    )
    _decide(story, "vftc", [("nepal", Verdict.FUND, None)], "secretary", made=-66, approved=-61)
    _sign(story, nepal, BOARD, (-57, -51, -48))
    granting.bank(story, nepal, -46, -40)
    granting.pay(story, nepal, 1, Signing(-10, -7, -3))


def _screening(story: Story, case: Case, officer: str) -> Callable[[], None]:
    return lambda: choosing.screen(story, case, officer)


def _sign(story: Story, case: Case, officer: str, days: tuple[int, int, int]) -> None:
    agent = PayingAgent.HEADQUARTERS
    offered, accepted, countersigned = days
    story.on(offered, lambda: granting.offer(story, case, officer, agent), hour=10)
    story.on(accepted, lambda: granting.accept(story, case), hour=14)
    story.on(countersigned, lambda: granting.countersign(story, case), hour=12)


def _implementation(story: Story, case: Case) -> None:
    """Plan a project that implements recommendations: paid once, its report to come."""
    _apply(story, case, -200, -178)
    story.on(-166, _screening(story, case, STATES), hour=10)
    _score(
        story,
        case,
        {
            "trustee_africa": (-158, (5, 5, 5, 4, 4, 4, 4)),
            "trustee_asia": (-157, (5, 4, 4, 5, 4, 4, 4)),
            "trustee_west": (-155, (4, 5, 5, 4, 5, 3, 4)),
        },
    )
    _decide(
        story, "upr_i", [("cabo_verde", Verdict.FUND, None)], "secretary", made=-148, approved=-145
    )
    _sign(story, case, STATES, (-143, -138, -135))
    granting.bank(story, case, -134, -131)
    granting.pay(story, case, 1, Signing(-128, -127, -126, -125, -122, -119))


def _entitle(story: Story, case: Case, screened: int, entitled: int) -> None:
    """Plan the screening of a request, and the check of its entitlement."""
    story.on(screened, _screening(story, case, STATES), hour=9)
    story.on(
        entitled,
        lambda: reviews.check_entitlement(
            case.application,
            "Confirmed by the table of countries and the fund's own list.",
            by=story.people[STATES],
        ),
        hour=13,
    )


def _let_travel(story: Story, case: Case, offered: int, accepted: int) -> None:
    agent = PayingAgent.HEADQUARTERS
    story.on(offered, lambda: granting.offer(story, case, STATES, agent), hour=10)
    story.on(accepted, lambda: granting.accept(story, case), hour=14)


def _participation(story: Story, lesotho: Case, bhutan: Case) -> None:
    """Plan two officials who travel to their review: bank details to verify, advance to certify."""
    for case, begun in ((lesotho, -63), (bhutan, -61)):
        _apply(story, case, begun, begun + 3)
        _entitle(story, case, begun + 9, begun + 12)
    lines = [("lesotho", Verdict.FUND, None), ("bhutan", Verdict.FUND, None)]
    _decide(story, "upr_p", lines, STATES, made=-45, approved=-41)
    _let_travel(story, lesotho, -37, -8)
    granting.bank(story, lesotho, -2)
    _let_travel(story, bhutan, -36, -32)
    granting.bank(story, bhutan, -30, -26)
    granting.pay(story, bhutan, 1, Signing(-3))


def _fellow(story: Story, case: Case) -> None:
    """Plan a fellowship from request to closed file."""
    _apply(story, case, -249, -243)
    _entitle(story, case, -230, -227)
    _decide(
        story, "fellows", [("sierra_leone", Verdict.FUND, None)], STATES, made=-224, approved=-221
    )
    _let_travel(story, case, -218, -214)
    granting.bank(story, case, -213, -210)
    granting.pay(story, case, 1, Signing(-208, -207, -206, -205, -203, -202))
    found: list[Report] = []
    story.on(-98, lambda: found.append(granting.report(story, case, "mission")), hour=15)
    story.on(-94, lambda: granting.accept_narrative(story, found[0], STATES))
    story.on(-93, lambda: granting.accept_spending(story, found[0]))
    granting.pay(story, case, 2, Signing(-90, -89, -88, -87, -85, -82))
    story.on(-78, lambda: granting.balance(story, case), hour=11)
    story.on(-77, lambda: granting.close(story, case, STATES), hour=11)


def _delegate(story: Story, case: Case) -> None:
    """Plan a delegate who has just come back: the mission report is next."""
    _apply(story, case, -116, -107)
    _entitle(story, case, -94, -92)
    _decide(story, "delegates", [("malawi", Verdict.FUND, None)], STATES, made=-90, approved=-87)
    _let_travel(story, case, -85, -81)
    granting.bank(story, case, -80, -77)
    granting.pay(story, case, 1, Signing(-75, -74, -73, -72, -70, -68))


def _next_delegate(story: Story, case: Case) -> None:
    """Plan a request that passed screening; its entitlement is to be checked."""
    _apply(story, case, -16, -11)
    story.on(-4, _screening(story, case, STATES), hour=9)
