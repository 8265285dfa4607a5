"""What each person has to do about contributions, for the home page."""

from datetime import timedelta

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import policy, rules
from portal.contributions.models import AgreementStatus, ContributionAgreement
from portal.contributions.queries.card_todos import card_todos
from portal.contributions.queries.figures import Receivable, receivables
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.todo import Todo


def todos(person: Person) -> list[Todo]:
    """Return what waits for the person: drafts, money due, cards. Five SQL statements at most."""
    found = []
    if policy.records(person) or policy.writes(person):
        found += _drafts(person)
        found += card_todos(person)
    if policy.writes(person):
        found += _due(person)
    return found


def _drafts(person: Person) -> list[Todo]:
    """Return the drafts that the person confirms, or has to add the signed paper to."""
    rows = (
        select(ContributionAgreement)
        .where(
            policy.scope(
                person, ContributionAgreement.fund_code, (*policy.WRITERS, *policy.KEEPERS)
            ),
            ContributionAgreement.status == AgreementStatus.DRAFT,
        )
        .order_by(ContributionAgreement.drafted_at)
    )
    tasks = []
    for each in session.scalars(rows):
        if each.paper is not None and policy.can_confirm(person, each):
            title = _("Confirm the agreement with a donor")
        elif each.paper is None and policy.can_draft(person, each):
            title = _("Add the signed paper to the draft of an agreement")
        else:
            continue
        values = {"ref": each.ref}
        tasks.append(
            Todo(
                title,
                "contributions.agreement",
                values,
                note=each.donor.name,
                since=each.drafted_at,
            )
        )
    return tasks


def _due(person: Person) -> list[Todo]:
    """Return one task for what is overdue, and one for what is due soon."""
    soon = clock.today() + timedelta(days=rules.DUE_SOON_DAYS)
    own = [
        each for each in receivables(person) if policy.can_write(person, each.agreement.fund_code)
    ]
    overdue = [each for each in own if each.due.is_overdue]
    coming = [each for each in own if not each.due.is_overdue and each.due.due_on <= soon]
    tasks = []
    if overdue:
        title = ngettext(
            "Ask a donor for %(num)s instalment that is overdue",
            "Ask donors for %(num)s instalments that are overdue",
            len(overdue),
        )
        tasks.append(_first(title, overdue))
    if coming:
        title = ngettext(
            "%(num)s instalment of a donor is due soon",
            "%(num)s instalments of donors are due soon",
            len(coming),
        )
        tasks.append(_first(title, coming))
    return tasks


def _first(title: str, found: list[Receivable]) -> Todo:
    """Return one task for several instalments, with the day of the earliest."""
    return Todo(
        title,
        "contributions.receivables",
        due=found[0].due.due_on,
        note=found[0].agreement.donor.name,
    )
