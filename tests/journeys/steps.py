"""The steps of a grant, each through the pages and by the person whose step it is.

A `Journey` is one grant of one fund. What a step types is read from the fund's profile, so the
same steps carry any fund, also one that nobody thought of when they were written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal.accounts.models import OrganisationKind, Person, Role
from portal.cli.features import all_checks
from portal.core import clock
from portal.core.db import session
from portal.funds import queries as funds
from portal.funds import rules as fund_rules
from portal.funds import service
from portal.funds.profile import Profile, Question, Section
from tests.browser import Browser
from tests.make import accounts as make
from tests.make.applications import answer_to, pdf
from tests.make.reviews import money

NATIONALITIES = ("FRA", "BRA", "IND", "GHA", "POL")


@dataclass
class Journey:
    """One grant on its way, and who takes part: e-mail addresses by what people do."""

    app: Flask
    fund: str
    people: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    call: str = ""
    ref: str = ""
    organisation: str = ""
    prices: tuple[str, str] = ("600.00", "24.00")
    """Of four days of a workshop, and of one of a hundred booklets, in US$."""

    def be(self, who: str, path: str = "/home") -> Browser:
        """Return a browser in which `who` has just signed in and opened `path`."""
        browser = Browser(self.app)
        browser.sign_in(self.people[who], make.PASSWORD)
        browser.open(path, 200)
        return browser

    def file(self, tab: str = "") -> str:
        """Return the path of a page of the case file."""
        return f"/files/{self.ref}" + (f"/{tab}" if tab else "")

    @property
    def profile(self) -> Profile:
        """The fund as its file says it now."""
        found = funds.profile(self.fund)
        assert found is not None, f"no fund {self.fund!r} is loaded"
        return found


STAFF = {
    "officer": Role.PROGRAMME_OFFICER,
    "secretary": Role.BOARD_SECRETARY,
    "authority": Role.APPROVING_AUTHORITY,
    "finance": Role.FINANCE_OFFICER,
    "second finance": Role.FINANCE_OFFICER,
    "certifier": Role.CERTIFYING_OFFICER,
    "approver": Role.APPROVING_OFFICER,
    "treasurer": Role.TREASURY,
    "auditor": Role.AUDITOR,
    "donors": Role.DONOR_RELATIONS,
}


def assemble(
    app: Flask, fund: str, kind: OrganisationKind, country: str, *, funded: bool = True
) -> Journey:
    """Return a journey whose people exist: staff with their roles, reviewers, an applicant.

    The applicant's organisation has a legal representative and is old enough for any fund. The
    five funds are loaded unless a profile of this one is there. `funded` puts money into the books
    that no donor gave.
    """
    if funds.profile(fund) is None:
        service.load_profiles_into_database()
    journey = Journey(app, fund)
    for who, role in STAFF.items():
        _note(journey, who, make.person(roles=[(role, fund, None)], name=f"Sam {who.title()}"))
    process = journey.profile.process
    for number in range(process.reviewers_min):
        role = Role(process.reviewer_role or "")
        local = (
            process.reviewer_scope == "country" and number > 0
        )  # the first puts the list forward
        scope = country if local else None
        reader = make.person(roles=[(role, fund, scope)], name=f"Rosa Reader {number + 1}")
        reader.nationality = NATIONALITIES[number % len(NATIONALITIES)]
        _note(journey, f"reader {number + 1}", reader)
    signs = make.person(name="Amina Okello")
    _note(journey, "applicant", signs)
    where = make.organisation(kind, country, representative=signs)
    where.registered_on = date(2015, 5, 4)
    journey.organisation = where.name
    if funded:
        money(fund)
    session.commit()
    return journey


def _note(journey: Journey, who: str, person: Person) -> None:
    journey.people[who], journey.names[who] = person.email, person.name


def person(journey: Journey, who: str) -> Person:
    """Return the row of somebody who takes part."""
    return session.scalars(select(Person).where(Person.email == journey.people[who])).one()


def all_is_well() -> None:
    """Demand that `portal check` finds nothing."""
    broken = {check.name: check.run().violations for check in all_checks()}
    session.rollback()
    assert not any(broken.values()), broken


def reader_numbers(journey: Journey) -> Sequence[int]:
    """Return the numbers of the readers, from one."""
    return range(1, journey.profile.process.reviewers_min + 1)


# ------------------------------------------------------------------ the call


def open_call(journey: Journey, **more: str) -> None:
    """Let the officer prepare and publish a call that closes in thirty days."""
    today, profile = clock.today(), journey.profile
    browser = journey.be("officer", "/manage/calls")
    browser.follow("Prepare a call")
    given = {
        "Fund": journey.fund,
        "Title": f"Call of {profile.acronym}",
        "Opens on": today.isoformat(),
        "Deadline: day": (today + timedelta(days=30)).isoformat(),
        "Deadline: time": "18:00",
        "Reference date": today.isoformat(),
        "Money in the call": "100,000.00",
    }
    if profile.budget.ceiling_usd_minor is None:
        given["Ceiling of one grant"] = "30,000"
    if profile.process.nominee:
        given["Session"] = "Session 64"
    for label, value in (given | more).items():
        browser.fill(label, value)
    if fund_rules.names_countries(profile):
        browser.choose("Kenya")
        browser.choose("Nepal")
    browser.press("Save the draft", 200)
    journey.call = browser.page.path.rsplit("/", 1)[-1]
    browser.follow("Publish the call")
    browser.press("Publish the call", 200)
    assert "published" in browser.page.flashes[0]


# ------------------------------------------------------------------ the application


def apply(journey: Journey, **answers: Any) -> None:
    """Let the applicant start, answer everything soundly, attach what is asked and submit.

    `answers` go before the sound ones, by the key of the question.
    """
    submit(write(journey, **answers), journey)


def write(journey: Journey, *, without: str = "", **answers: Any) -> Browser:
    """Let the applicant start and fill in the whole form, `without` one document."""
    browser = journey.be("applicant", "/calls")
    assert journey.profile.acronym in browser.page.text
    browser.open(f"/calls/{journey.call}/apply", 200)
    browser.choose(journey.organisation)
    browser.press("Start the application", 200)
    journey.ref = browser.page.path.split("/")[2]
    for section in journey.profile.form:
        browser.open(journey.file(f"draft/{section.key}"), 200)
        if section.kind == "attachments":
            attach_all(browser, journey, without)
        else:
            fill_section(browser, journey, section, answers)
    return browser


def submit(browser: Browser, journey: Journey) -> None:
    """Check the answers and submit them; the receipt names the digest of what was sent."""
    browser.open(journey.file("check"), 200)
    browser.press("Submit application", 200)
    assert browser.page.path.endswith("/receipt")
    assert re.search(r"[0-9a-f]{8}", browser.page.text), "the receipt has no digest"


def fill_section(
    browser: Browser, journey: Journey, section: Section, answers: dict[str, Any]
) -> None:
    """Answer one page of the form and save it."""
    if section.kind == "budget":
        fill_budget(browser, journey)
    for question in section.questions:
        give(browser, question, answers.get(question.key, answer_to(question)))
    browser.press("Save and continue", 200)


def give(browser: Browser, question: Question, value: Any) -> None:
    """Give one answer in the way that its field wants it."""
    wanted = [value] if isinstance(value, str) else value
    labels = {each.value: each.label for each in question.choices}
    if question.kind == "yes_no":
        browser.choose({"yes": "Yes", "no": "No"}[value], group=question.label)
    elif question.kind == "choices":
        for each in wanted:
            browser.choose(labels[each], group=question.label)
    elif question.kind == "declaration":
        browser.choose(question.label)
    elif question.kind == "choice" and _stands_open(browser, question):
        browser.choose(labels[value], group=question.label)
    elif question.kind == "choice":
        browser.fill(question.label, labels[value])
    else:
        browser.fill(question.label, value.isoformat() if isinstance(value, date) else str(value))


def _stands_open(browser: Browser, question: Question) -> bool:
    """Say whether the choices stand open as radio buttons rather than in a list."""
    legends = browser.page.all("legend")
    return any(question.label in "".join(legend.itertext()) for legend in legends)


def fill_budget(browser: Browser, journey: Journey) -> None:
    """Ask for four workshop days and a hundred booklets: US$ 4,800 at the usual prices."""
    categories = journey.profile.budget.categories
    lines = (
        (categories[0].key, "Room and meals for a workshop", "4", journey.prices[0]),
        (
            categories[min(1, len(categories) - 1)].key,
            "Printing of booklets",
            "100",
            journey.prices[1],
        ),
    )
    for number, (category, what, many, price) in enumerate(lines):
        names = ("category", "description", "quantity", "unit_cost")
        typed = zip(names, (category, what, many, price), strict=True)
        browser.fill_all(**{f"lines__{number}__{name}": value for name, value in typed})


def attach_all(browser: Browser, journey: Journey, without: str = "") -> None:
    """Attach each document that this applicant has to hand in, `without` one of them."""
    here = browser.page.path
    for rule in journey.profile.attachments:
        label = f"File for “{rule.label}”"
        asked = any(label in browser.page.labels(control) for control in browser.page.controls)
        if rule.required and asked and rule.key != without:
            browser.attach(label, f"{rule.key}.pdf", pdf(rule.key).read())
            browser.press_beside(label, "Attach this file", 200)
            browser.open(here, 200)


# ------------------------------------------------------------------ screening, review, decision

TITLE = "Words about title"
"""What the sound answer to the question of the title is."""


def pick(browser: Browser, name: str, value: str) -> None:
    """Choose a radio button by its field's name, where many groups on a page look alike."""
    for control in browser.page.controls:
        if control.get("name") == name:
            control.attrib.pop("checked", None)
            if control.get("value") == value:
                control.set("checked", "")


def screen(journey: Journey) -> None:
    """Let the officer find every item of the checklist met, with a note on each."""
    browser = journey.be("officer")
    assert journey.ref in browser.page.html, "the home page says nothing of what came in"
    browser.open(journey.file("screening"), 200)
    names = {control.get("name", "") for control in browser.page.controls}
    for name in names:
        if name.startswith("finding_"):
            pick(browser, name, "met")
        elif name.startswith("note_"):
            browser.fill_all(**{name: "Seen on file."})
    for rule in journey.profile.eligibility:
        assert rule.sentence in browser.page.text
    browser.press("Save, and complete the screening", 200)


def review(journey: Journey, *points: int) -> None:
    """Let each reader declare, then score every criterion; nobody sees a sheet before their own."""
    for number in reader_numbers(journey):
        browser = journey.be(f"reader {number}", "/reviews")
        browser.open(f"/reviews/{journey.ref}", 200)
        assert browser.page.heading == "Declare your interests"
        assert "Words about need" not in browser.page.text
        browser.choose("Nothing ties me to this applicant")
        browser.press("Declare", 200)
        browser.open(f"/reviews/{journey.ref}", 200)
        assert "Rosa Reader" not in _without_own_name(browser, journey, number)
        given = str(points[number - 1] if points else 4)
        for criterion in journey.profile.criteria:
            pick(browser, f"points_{criterion.key}", given)
            browser.fill_all(**{f"reason_{criterion.key}": f"Reason {number}: {criterion.key}"})
        browser.press("Submit scores", 200)


def _without_own_name(browser: Browser, journey: Journey, number: int) -> str:
    return browser.page.text.replace(journey.names[f"reader {number}"], "")


def confirm_entitlement(journey: Journey) -> None:
    """Let the officer confirm what the State is entitled to (R15)."""
    browser = journey.be("officer", journey.file("entitlement"))
    browser.press("Confirm the entitlement", 200)


def recommend(journey: Journey, amount: str) -> None:
    """Let whoever recommends in this fund draw up the list and put it before the authority."""
    who = "officer"
    if journey.profile.process.recommends_role == Role.BOARD_SECRETARY.value:
        who = "secretary"
    elif journey.profile.process.body_recommends:
        who = "reader 1"
    browser = journey.be(who, f"/reviews/calls/{journey.call}/recommendation")
    browser.press("Draw up the list", 200)
    browser.fill_all(**{f"amount_{journey.ref.replace('-', '_')}": amount})
    browser.press("Save the list", 200)
    assert amount in browser.page.text
    browser.follow("Put before the approving authority", 200)
    browser.press("Put before the approving authority", 200)


def decide(journey: Journey) -> None:
    """Let the approving authority approve the list; the applicant reads the decision."""
    browser = journey.be("authority")
    browser.follow("Decide on a recommendation", 200)
    browser.follow("Approve the list", 200)
    browser.press("Approve the list", 200)
    told = make.messages(journey.people["applicant"], "decision_made")
    assert told, "the applicant was not told (R20)"
    journey.be("applicant", journey.file("decision"))


def to_the_decision(journey: Journey, amount: str = "4,800.00") -> None:
    """Take a new journey to the approval of `amount`, by the fund's own process."""
    open_call(journey)
    apply(journey)
    screen(journey)
    if journey.profile.process.selection == "scores":
        review(journey)
    else:
        confirm_entitlement(journey)
    recommend(journey, amount)
    decide(journey)
