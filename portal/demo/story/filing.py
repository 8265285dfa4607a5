"""How an application is written and submitted in the story."""

from datetime import date
from io import BytesIO
from typing import Any

from portal.applications import service
from portal.applications.rules import Line
from portal.core.money import Money
from portal.demo import content
from portal.demo.story import papers
from portal.demo.story.opening import CALLS, settle_in
from portal.demo.story.telling import Case, Story
from portal.funds.profile import AttachmentRule, Question, Section

PICTURES = {"identity": "IDENTITY CARD", "passport": "PASSPORT"}


def draft(story: Story, case: Case) -> None:
    """Let the applicant register where it has not, and start its application."""
    settle_in(story, case.key)
    case.application = service.start(
        story.calls[case.call],
        story.organisations[case.key],
        by=story.people[case.key],
        language=case.words.language,
    )


def fill(story: Story, case: Case, *, sections: int | None = None) -> None:
    """Write the sections of the form, or the first so many of them only."""
    for section in case.application.fund.form[:sections]:
        _write(story, case, section)


def submit(story: Story, case: Case) -> None:
    """Let the legal representative submit."""
    service.submit(case.application, by=story.people[case.key])


def days(story: Story, case: Case) -> tuple[date, date]:
    """Return the first and the last day of the activities, as the applicant planned them."""
    closes = next(call.closes for call in CALLS if call.key == case.call)
    first = closes + case.words.starts_after
    return story.day(first), story.day(first + case.words.lasts)


def _write(story: Story, case: Case, section: Section) -> None:
    by = story.people[case.key]
    values = {
        question.key: answer
        for question in section.questions
        if (answer := _answer(story, case, question)) is not None
    }
    result = service.save_answers(case.application, section.key, values, by=by, locale="en")
    if result.errors:
        raise ValueError(f"{case.key}: {result.errors}")
    if section.kind == "budget":
        service.save_budget(
            case.application,
            [_line(cost, case.words.currency) for cost in case.words.budget],
            by=by,
            currency=case.words.currency,
        )
    if section.kind == "attachments":
        for rule in case.application.fund.attachments:
            _attach(story, case, rule)


def _answer(story: Story, case: Case, question: Question) -> Any:
    """Return what was written, or what goes without saying: dates, no risk, declarations."""
    written = case.words.answers.get(question.key)
    if written is not None:
        return written
    who = content.organisation(case.key)
    first, last = days(story, case)
    usual: dict[str, Any] = {
        "starts_on": first,
        "ends_on": last,
        "contact_name": who.person,
        "contact_details": who.email,
        "earlier_grant": "no",
        "other_funding": "no",
    }
    if question.key in usual:
        return usual[question.key]
    if question.kind == "declaration":
        return True
    if question.key.startswith("risk_") and question.kind == "choice":
        return "no"
    return None


def _line(cost: content.Cost, currency: str) -> Line:
    price = Money.parse(cost.price, currency)
    return Line(cost.category, cost.what, cost.quantity, price.minor)


def _attach(story: Story, case: Case, rule: AttachmentRule) -> None:
    where = story.organisations[case.key]
    if not (rule.required and rule.asked_of(where.kind.value)):
        return
    stream, name = paper(case, rule.key, where.registered_on or days(story, case)[0])
    service.attach(case.application, rule.key, stream, name, by=story.people[case.key])


def paper(case: Case, key: str, dated: date) -> tuple[BytesIO, str]:
    """Return a paper that the form asks for, with its file name: a PDF or a photograph."""
    who = content.organisation(case.key)
    if key in PICTURES:
        named = (
            f"{case.words.answers.get('nominee_given_names', '')} "
            f"{case.words.answers.get('nominee_family_name', '')}"
        ).strip()
        rows = [named or who.person, who.country, "No. 000000000"]
        return papers.picture(PICTURES[key], rows), f"{key}.jpg"
    rows = [who.number, who.address, f"{who.person}, {who.title}"]
    if key == "registration" and all(row.isascii() for row in (who.name, *rows)):
        return papers.picture("Certificate of registration", [who.name, *rows]), f"{key}.jpg"
    stream = papers.letter(key, case.words.language, who.name, rows, dated)
    return stream, f"{key.replace('_', '-')}.pdf"
