"""How applications are screened, scored, recommended and decided in the story."""

from collections.abc import Mapping, Sequence

from portal.demo import content
from portal.demo.story.telling import Case, Story
from portal.reviews import service
from portal.reviews.models import Finding, Recommendation, Verdict

Line = tuple[str, Verdict, int | None]
"""The key of a case, the verdict, and an amount in cents where it is not what was asked."""


def screen(story: Story, case: Case, officer: str) -> None:
    """Find every item of the checklist met, and complete the screening."""
    by = story.people[officer]
    notes = content.sentences()["screening"]
    for item in service.prepare_checklist(case.application):
        note = notes.get(item.key.split(":")[0], "") if item.outcome is None else ""
        service.record_finding(item, Finding.MET, note, by=by)
    service.complete_screening(case.application, by=by)


def score(story: Story, case: Case, reader: str, points: Sequence[int], *, own: int = 0) -> None:
    """Let a reader declare no interest, score and submit.

    `own` is the number of the criterion (from 1) on which this reader has a sentence of their own.
    """
    sheet(story, case, reader, points, own=own)
    service.submit_sheet(case.application, by=story.people[reader])


def sheet(
    story: Story, case: Case, reader: str, points: Sequence[int | None], *, own: int = 0
) -> None:
    """Let a reader declare no interest and begin a sheet; None is not scored yet."""
    by = story.people[reader]
    criteria = [each.key for each in case.application.fund.criteria]
    given = dict(zip(criteria, points, strict=True))
    service.declare_no_conflict(case.application, by=by)
    service.save_sheet(
        case.application, given, _justified(case, by.language, given, own), "", by=by
    )


def _justified(
    case: Case, language: str, given: Mapping[str, int | None], own: int
) -> dict[str, str]:
    spoken = content.sentences()["readers"]
    shelf = spoken.get(language, spoken["en"])
    found = {}
    for number, (criterion, points) in enumerate(given.items(), start=1):
        if points is None:
            continue
        particular = case.words.readers[number - 1 : number] if number % 3 == own % 3 else ()
        usual = shelf.get(criterion) or shelf["any"]
        found[criterion] = particular[0] if particular else str(usual[str(points)])
    return found


def recommend(
    story: Story, call: str, lines: Sequence[Line], by: str, *, lay: bool = True
) -> Recommendation:
    """Draw up the list of a call, say the last word on each line, and lay it before the authority.

    Every application that is ready is on it.
    """
    who = story.people[by]
    draft = service.draft_recommendation(story.calls[call], by=who)
    said = {key: (verdict, cents) for key, verdict, cents in lines}
    for line in draft.lines:
        key = _key_of(story, line.application.organisation_id)
        verdict, cents = said[key]
        amount = line.requested_usd if cents is None else cents
        reasons = content.application(key).reasons
        service.set_line(line, verdict, amount, reasons, by=who)
    if lay:
        service.make_recommendation(draft, by=who)
    return draft


def _key_of(story: Story, organisation_id: object) -> str:
    return next(key for key, each in story.organisations.items() if each.id == organisation_id)


def approve(story: Story, recommendation: Recommendation) -> None:
    """Let the approving authority approve the list as it stands."""
    service.approve(recommendation, by=story.people["authority"])
