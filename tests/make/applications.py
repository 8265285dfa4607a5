"""Calls and applications that get where they are by real verbs."""

import io
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pikepdf
from sqlalchemy import select

from portal.accounts.models import Organisation, OrganisationKind, Person, Role
from portal.applications import queries, service
from portal.applications.models import Application, ApplicationStatus
from portal.applications.rules import Line
from portal.core import clock
from portal.core.db import session
from portal.funds import service as funds
from portal.funds.models import Call
from portal.funds.profile import AttachmentRule, Question
from portal.ledger.models import ExchangeRate
from tests.make.accounts import organisation as make_organisation
from tests.make.accounts import person, representative_of

OFFICER = (Role.PROGRAMME_OFFICER, None, None)


def officer(fund: str | None = None) -> Person:
    """Return a programme officer, of one fund or of all."""
    return person(roles=[(Role.PROGRAMME_OFFICER, fund, None)], name="Piotr Officer")


def rate(currency: str, units: str, on: date | None = None) -> None:
    """Import one UN operational rate, effective long ago unless told."""
    session.add(
        ExchangeRate(
            currency=currency,
            units_per_usd=Decimal(units),
            effective_on=on or date(2026, 1, 1),
            source=f"test-{uuid4().hex[:8]}",
            imported_at=clock.now(),
        )
    )
    session.flush()


def call(fund: str = "act", by: Person | None = None, **terms: Any) -> Call:
    """Return a published call of a fund, open for thirty days, in Kenya and Nepal."""
    funds.load_profiles_into_database()
    runs = by or officer(fund)
    now = clock.now()
    wanted: dict[str, Any] = {
        "title": "Call of the season",
        "opens_at": now - timedelta(days=1),
        "closes_at": now + timedelta(days=30),
        "reference_day": clock.today(),
        "envelope_usd": 10_000_000,
        "languages": ("en", "fr"),
        "session_label": "Session 64",
    }
    version = funds.current_version(fund)
    names_countries = any(
        rule.check == "country_list" and not rule.texts("countries")
        for rule in version.profile.eligibility
    )
    if names_countries:
        wanted["countries"] = ("KEN", "NPL")
    if version.profile.budget.ceiling_usd_minor is None:
        wanted["ceiling_usd"] = 20_000_000
    made = funds.create_call(fund, funds.CallTerms(**(wanted | terms)), by=runs)
    funds.open_call(made, by=runs)
    return made


def pdf(words: str = "certificate") -> io.BytesIO:
    """Return a small PDF."""
    document = pikepdf.new()
    document.add_blank_page()
    document.docinfo["/Title"] = words
    content = io.BytesIO()
    document.save(content)
    content.seek(0)
    return content


def answer_to(question: Question) -> Any:
    """Return a sound answer to any question of a profile."""
    if question.key in {"starts_on", "ends_on"}:
        return clock.today() + timedelta(days=120 if question.key == "starts_on" else 150)
    if question.kind == "choice":
        harmless = [
            each.value for each in question.choices if each.value not in question.sensitive_if
        ]
        return harmless[0]
    if question.kind == "choices":
        return [question.choices[0].value]
    return {
        "yes_no": "no",
        "date": clock.today() + timedelta(days=130),
        "integer": question.minimum or 1,
        "money": "100",
        "country": "KEN",
        "declaration": True,
    }.get(question.kind, f"Words about {question.key.replace('_', ' ')}")


def draft(
    of: Call | None = None, where: Organisation | None = None, by: Person | None = None
) -> Application:
    """Return a draft with nothing in it."""
    under = of or call()
    applicant = where or applicant_for(under)
    return service.start(under, applicant, by=by or representative_of(applicant))


def applicant_for(under: Call) -> Organisation:
    """Return an organisation that may apply under a call."""
    kind = OrganisationKind(under.fund.process.applicant_kinds[0])
    country = under.countries[0] if under.countries else "NPL"
    for rule in under.fund.eligibility:
        if rule.check == "country_list" and rule.texts("countries"):
            country = rule.texts("countries")[0]
    made = make_organisation(kind, country)
    made.registered_on = date(2015, 5, 4)
    session.flush()
    return made


def fill(application: Application, by: Person | None = None, **answers: Any) -> Application:
    """Answer everything soundly, with a budget of US$ 4,800; `answers` go before."""
    writer = by or representative_of(application.organisation)
    for section in application.fund.form:
        values = {question.key: answer_to(question) for question in section.questions}
        values |= {key: answers[key] for key in values.keys() & answers.keys()}
        service.save_answers(application, section.key, values, by=writer)
    service.save_budget(application, budget_lines(application), by=writer)
    for rule in application.fund.attachments:
        attach(application, rule, writer)
    return application


def attach(application: Application, rule: AttachmentRule, by: Person) -> None:
    """Attach a document where it is asked for and not there yet."""
    present = {each.key for each in queries.attachments(application)}
    asked = rule.required and rule.asked_of(application.organisation.kind.value)
    if asked and rule.key not in present:
        service.attach(application, rule.key, pdf(rule.key), f"{rule.key}.pdf", by=by)


def budget_lines(application: Application) -> list[Line]:
    """Return two lines in the fund's first categories, together 4,800.00."""
    categories = application.fund.budget.categories
    return [
        Line(categories[0].key, "Room and meals for a workshop", 4, 60_000),
        Line(categories[min(1, len(categories) - 1)].key, "Printing of booklets", 100, 2_400),
    ]


def application(
    status: ApplicationStatus = ApplicationStatus.SUBMITTED,
    *,
    of: Call | None = None,
    where: Organisation | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Application:
    """Return an application at `status`, as far as this feature's own verbs lead."""
    made = fill(draft(of, where), **(answers or {}))
    signs = representative_of(made.organisation)
    if status is ApplicationStatus.DRAFT:
        return made
    service.submit(made, by=signs)
    if status is ApplicationStatus.CLARIFICATION:
        due = clock.today() + timedelta(days=7)
        section = made.fund.form[0].key
        service.ask_clarification(
            made, section, "Who leads the group?", due, by=officer(made.call.fund_code)
        )
    elif status is ApplicationStatus.WITHDRAWN:
        service.withdraw(made, by=signs)
    elif status is not ApplicationStatus.SUBMITTED:
        raise ValueError(f"{status} is made by a higher feature")
    session.flush()
    return made


def by_ref(ref: str) -> Application:
    """Return an application by its reference, read anew."""
    return session.scalars(select(Application).where(Application.ref == ref)).one()
