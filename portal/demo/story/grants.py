"""The small grants: one file for each station of the journey, in three calls."""

from collections.abc import Callable, Sequence

from portal.applications import service as applications
from portal.demo import content
from portal.demo.story import choosing, filing, granting
from portal.demo.story.granting import Signing
from portal.demo.story.telling import Case, Story
from portal.payments.models import Receivable
from portal.reports.models import Report
from portal.reports.service import send_reminders
from portal.reviews import service as reviews
from portal.reviews.models import Finding, Recommendation, Verdict

OFFICER = "officer"
CHAIR = "kenya_1"

FIRST = ("olkesumet", "tejedoras", "riveraines", "rummana", "ccopa")
SECOND = ("wheels", "bakhoumba", "yanawaylla", "lantern", "conteurs", "ekidor", "zaafaran")

READERS = {
    "KEN": (CHAIR, "kenya_2", "kenya_3"),
    "SEN": (CHAIR, "senegal_2", "senegal_3"),
    "PER": (CHAIR, "peru_2", "peru_3"),
    "JOR": (CHAIR, "jordan_2", "jordan_3"),
}
"""Who scores what: the chair everything, so that the list of all countries can be put forward."""

POINTS: dict[str, Sequence[Sequence[int]]] = {
    "olkesumet": ((5, 5, 5, 4, 5), (5, 4, 4, 5, 5), (4, 5, 5, 4, 5)),
    "tejedoras": ((5, 5, 5, 4, 4), (5, 5, 4, 4, 5), (5, 4, 5, 3, 4)),
    "riveraines": ((5, 4, 4, 4, 4), (5, 5, 5, 4, 4), (4, 4, 4, 5, 5)),
    "rummana": ((4, 4, 5, 4, 4), (5, 4, 4, 4, 4), (4, 5, 4, 3, 5)),
    "ccopa": ((4, 4, 5, 3, 5), (5, 3, 4, 3, 5), (4, 4, 4, 4, 4)),
    "wheels": ((5, 5, 5, 5, 4), (5, 5, 4, 5, 4), (5, 4, 5, 4, 5)),
    "bakhoumba": ((5, 5, 5, 4, 4), (5, 4, 5, 5, 4), (5, 5, 4, 4, 3)),
    "yanawaylla": ((5, 5, 4, 4, 3), (4, 5, 4, 5, 3), (5, 4, 5, 4, 4)),
    "lantern": ((5, 4, 5, 3, 4), (4, 4, 4, 3, 5), (5, 5, 4, 2, 4)),
    "conteurs": ((3, 1, 3, 2, 3), (2, 2, 3, 2, 2), (3, 1, 4, 2, 2)),
    "zaafaran": ((5, 4, 5, 3, 4), (4, 5, 4, 4, 5), (4, 4, 5, 3, 4)),
}


def prepare(story: Story) -> None:
    """Plan the files of the small-grants programme."""
    cases = {
        key: Case(key, content.application(key), call)
        for call, keys in (
            ("act_1", FIRST),
            ("act_2", SECOND),
            ("act_3", ("mbirigo", "hakaya", "sinthiou", "illariy")),
        )
        for key in keys
    }
    _first_call(story, cases)
    _second_call(story, cases)
    _third_call(story, cases)
    for day in range(-150, -1, 6):
        story.on(day, send_reminders, hour=6)


def apply(story: Story, case: Case, begun: int, submitted: int) -> None:
    """Plan that an application is begun, written and submitted."""
    story.on(begun, lambda: filing.draft(story, case), hour=10)
    story.on(begun, lambda: filing.fill(story, case), hour=16)
    story.on(submitted, lambda: filing.submit(story, case), hour=17)


def choose(story: Story, case: Case, screened: int, scored: Sequence[int]) -> None:
    """Plan the screening of an application, and its scores by the readers of its country."""
    story.on(screened, lambda: choosing.screen(story, case, OFFICER), hour=9)
    readers = READERS[content.organisation(case.key).country]
    for number, (reader, points, day) in enumerate(
        zip(readers, POINTS[case.key], scored, strict=True)
    ):
        story.on(day, _scoring(story, case, reader, points, number), hour=13 + number)


def _scoring(
    story: Story, case: Case, reader: str, points: Sequence[int], number: int
) -> Callable[[], None]:
    return lambda: choosing.score(story, case, reader, points, own=number)


def decide(
    story: Story, call: str, lines: Sequence[choosing.Line], made: int, approved: int | None
) -> None:
    """Plan a round of a call: the recommendation, and its approval where there was one."""
    found: list[Recommendation] = []
    story.on(made, lambda: found.append(choosing.recommend(story, call, lines, CHAIR)), hour=11)
    if approved is not None:
        story.on(approved, lambda: choosing.approve(story, found[0]), hour=15)


def sign(story: Story, case: Case, offered: int, accepted: int, countersigned: int) -> None:
    """Plan that an award is offered, accepted and countersigned."""
    story.on(offered, lambda: granting.offer(story, case, OFFICER), hour=10)
    story.on(accepted, lambda: granting.accept(story, case), hour=18)
    story.on(countersigned, lambda: granting.countersign(story, case), hour=12)


def _first_call(story: Story, cases: dict[str, Case]) -> None:
    """Plan the first call: five grants, from closed to overdue."""
    for number, key in enumerate(FIRST):
        case = cases[key]
        apply(story, case, -252 + number, -240 + 2 * number)
        choose(story, case, -225, (-222, -219 + number % 2, -215 + number % 3))
        sign(story, case, -204 + number % 2, -200 + number, -194)
        granting.bank(story, case, -195 + number % 2, -191)
        paid = Signing(-190, -189, -188, -187, -185, -183 + number)
        granting.pay(story, case, 1, paid)
    fund = [(key, Verdict.FUND, None) for key in FIRST]
    decide(story, "act_1", fund, -211, -207)
    _closed(story, cases["olkesumet"])
    _closed_with_refund(story, cases["tejedoras"])
    _half_accepted(story, cases["riveraines"])
    _returned(story, cases["rummana"])


def _closed(story: Story, case: Case) -> None:
    """Plan a report, its acceptance, the second instalment and the closing."""
    found: list[Report] = []
    story.on(-104, lambda: found.append(granting.report(story, case)), hour=17)
    story.on(-97, lambda: granting.accept_narrative(story, found[0], OFFICER))
    story.on(-95, lambda: granting.accept_spending(story, found[0]))
    granting.pay(story, case, 2, Signing(-92, -91, -90, -89, -86, -83))
    story.on(-80, lambda: granting.balance(story, case), hour=11)
    story.on(-79, lambda: granting.close(story, case, OFFICER), hour=11)


def _closed_with_refund(story: Story, case: Case) -> None:
    """Plan a report that tells of less than was paid; the rest comes back, the file is closed."""
    found: list[Report] = []
    owed: list[Receivable] = []

    def draw() -> None:
        receivable = granting.balance(story, case)
        if receivable is not None:
            owed.append(receivable)

    story.on(-99, lambda: found.append(granting.report(story, case)), hour=20)
    story.on(-93, lambda: granting.accept_narrative(story, found[0], OFFICER), hour=10)
    story.on(-91, lambda: granting.accept_spending(story, found[0]), hour=10)
    story.on(-88, draw, hour=10)
    story.on(-62, lambda: granting.refund(owed[0]), hour=10)
    story.on(-60, lambda: granting.close(story, case, OFFICER), hour=10)


def _half_accepted(story: Story, case: Case) -> None:
    """Plan a report that programme has accepted, and finance has not looked at yet."""
    found: list[Report] = []
    story.on(-5, lambda: found.append(granting.report(story, case)), hour=19)
    story.on(-2, lambda: granting.accept_narrative(story, found[0], OFFICER), hour=9)


def _returned(story: Story, case: Case) -> None:
    """Plan a report that came back with comments."""
    found: list[Report] = []
    story.on(-13, lambda: found.append(granting.report(story, case)), hour=13)
    story.on(
        -6,
        lambda: granting.return_report(story, found[0], case.words.remark, OFFICER),
        hour=9,
    )


def _second_call(story: Story, cases: dict[str, Case]) -> None:
    """Plan the second call: in review, recommended, refused, on offer, accepted, being paid."""
    for number, key in enumerate(SECOND):
        apply(story, cases[key], -112 + number, -101 + 2 * number)
    scored = ("wheels", "bakhoumba", "yanawaylla", "lantern", "conteurs")
    for number, key in enumerate(scored):
        choose(story, cases[key], -80, (-77, -74 + number % 3, -69 + number % 2))
    first_round = [
        ("wheels", Verdict.FUND, None),
        ("bakhoumba", Verdict.FUND, None),
        ("yanawaylla", Verdict.FUND, None),
        ("lantern", Verdict.FUND, 297_400),
        ("conteurs", Verdict.DECLINE, None),
    ]
    decide(story, "act_2", first_round, -63, -59)
    _recommended(story, cases["zaafaran"])
    _in_review(story, cases["ekidor"])
    _waiting_for_signatures(story, cases)
    _in_the_payment_queue(story, cases)


def _recommended(story: Story, case: Case) -> None:
    """Plan a second list, before the approving authority: a third reader came late."""
    choose(story, case, -79, (-75, -71, -24))
    decide(story, "act_2", [("zaafaran", Verdict.FUND, None)], -9, None)


def _in_review(story: Story, case: Case) -> None:
    """Plan a review: two sheets are in, one is half written, one reader has stepped aside."""
    story.on(-79, lambda: choosing.screen(story, case, OFFICER), hour=9)
    story.on(
        -40,
        lambda: reviews.declare_conflict(
            case.application, case.words.remark, by=story.people["kenya_4"]
        ),
        hour=8,
    )
    story.on(-66, lambda: choosing.score(story, case, CHAIR, (5, 3, 5, 4, 5), own=1))
    story.on(-21, lambda: choosing.score(story, case, "kenya_3", (4, 2, 4, 4, 5), own=2))
    story.on(-4, lambda: choosing.sheet(story, case, "kenya_2", (5, 3, None, None, None)))


def _waiting_for_signatures(story: Story, cases: dict[str, Case]) -> None:
    """Plan two awards: one waits for a revised budget, one for the countersignature."""
    lantern, yanawaylla = cases["lantern"], cases["yanawaylla"]
    story.on(-12, lambda: granting.offer(story, lantern, OFFICER), hour=10)
    story.on(-18, lambda: granting.offer(story, yanawaylla, OFFICER), hour=10)
    story.on(-3, lambda: granting.accept(story, yanawaylla), hour=22)


def _in_the_payment_queue(story: Story, cases: dict[str, Case]) -> None:
    """Plan two payments: one is with the paying office, one waits for its second signature."""
    wheels, bakhoumba = cases["wheels"], cases["bakhoumba"]
    sign(story, wheels, -55, -49, -45)
    granting.bank(story, wheels, -44, -40)
    granting.pay(story, wheels, 1, Signing(-12, -9, -6, -4))
    sign(story, bakhoumba, -54, -47, -43)
    granting.bank(story, bakhoumba, -9, -7)
    granting.pay(story, bakhoumba, 1, Signing(-5, -2))


def _third_call(story: Story, cases: dict[str, Case]) -> None:
    """Plan the open call: a draft, a submission, a question, one that cannot be considered."""
    draft = cases["illariy"]
    story.on(-6, lambda: filing.draft(story, draft), hour=20)
    story.on(-3, lambda: filing.fill(story, draft, sections=4), hour=21)
    apply(story, cases["sinthiou"], -14, -4)
    apply(story, cases["hakaya"], -24, -15)
    story.on(-5, lambda: _ask(story, cases["hakaya"]), hour=14)
    apply(story, cases["mbirigo"], -33, -29)
    story.on(-20, lambda: _find_inadmissible(story, cases["mbirigo"]), hour=14)


def _ask(story: Story, case: Case) -> None:
    applications.ask_clarification(
        case.application,
        "budget",
        case.words.question,
        story.day(9),
        by=story.people[OFFICER],
    )


def _find_inadmissible(story: Story, case: Case) -> None:
    """Find on the certificate that the applicant is an organ of the administration (R3)."""
    by = story.people[OFFICER]
    for item in reviews.prepare_checklist(case.application):
        met = item.rule != "R3"
        note = "" if met else "The certificate names an organ of the ward administration."
        reviews.record_finding(item, Finding.MET if met else Finding.NOT_MET, note, by=by)
    reviews.declare_inadmissible(case.application, "R3", case.words.reasons, by=by)
