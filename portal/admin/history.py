"""The history of a case file: what happened, who did it and in what part, when, by which rule."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Membership, Person, RoleGrant
from portal.admin import words
from portal.admin.policy import Lens
from portal.applications.models import Application
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.i18n import _, translated

TONES = {
    "screening.inadmissible": "stop",
    "decision.refused": "stop",
    "interest.conflict": "stop",
    "sheet.set_aside": "stop",
    "award.decline": "stop",
    "award.suspend": "stop",
    "award.terminate": "stop",
    "award.cancel": "stop",
    "bank_details.reject": "stop",
    "bank_details.doubt": "stop",
    "payment_order.reject": "stop",
    "payment_order.return": "stop",
    "report.return": "stop",
    "report.returned": "stop",
    "clarification.asked": "wait",
    "decision.reserved": "wait",
    "receivable.due": "wait",
    "application.submitted": "good",
    "screening.completed": "good",
    "decision.approved": "good",
    "agreement.signed": "good",
    "amendment.decline": "stop",
    "amendment.proposed": "wait",
    "amendment.signed": "good",
    "instalment.paid": "good",
    "report.accepted": "good",
    "award.closed": "good",
}


@dataclass(frozen=True)
class Actors:
    """Who acted in a case file: names, the days of their roles, and who works for the applicant."""

    names: Mapping[UUID, str]
    grants: Mapping[UUID, Sequence[RoleGrant]]
    applicants: frozenset[UUID]
    fund: str

    def part(self, actor: UUID, at: datetime) -> str:
        """Return in what part somebody acted at a moment, in words."""
        if actor in self.applicants:
            return _("for the applicant")
        held = {
            str(grant.role.label)
            for grant in self.grants.get(actor, ())
            if _held(grant, at) and grant.covers(self.fund, None)
        }
        return ", ".join(sorted(held))

    def said(self, actor: UUID, at: datetime) -> str:
        """Return the name of somebody and their part."""
        name, part = self.names.get(actor, _("somebody")), self.part(actor, at)
        return _("%(name)s, %(part)s", name=name, part=part) if part else name


def _held(grant: RoleGrant, at: datetime) -> bool:
    """Say whether a role was held at a moment: one that was ended held until that moment."""
    day = at.astimezone(UTC).date()
    if grant.ended_at is not None and grant.ended_at < at:
        return False
    return grant.from_day <= day and (grant.until_day is None or day <= grant.until_day)


@dataclass(frozen=True)
class Entry:
    """One line of the timeline, as the macro takes it."""

    at: datetime
    title: str
    by: str
    detail: str
    rule: str
    tone: str


def events(application: Application) -> list[AuditEvent]:
    """Return the events of a case file, oldest first. One SQL statement."""
    rows = select(AuditEvent).where(AuditEvent.case_id == application.id)
    return list(session.scalars(rows.order_by(AuditEvent.number)))


def actors(application: Application, ids: Iterable[UUID | None]) -> Actors:
    """Return who the people are that acted in a case file. One SQL statement."""
    wanted = {each for each in ids if each is not None}
    people = (
        select(Person.id, Person.name, Membership.id.label("membership"), RoleGrant)
        .outerjoin(
            Membership,
            (Membership.person_id == Person.id)
            & (Membership.organisation_id == application.organisation_id),
        )
        .outerjoin(RoleGrant, RoleGrant.person_id == Person.id)
        .where(Person.id.in_(wanted))
    )
    found = session.execute(people).all()
    grants: dict[UUID, list[RoleGrant]] = defaultdict(list)
    for row in found:
        if row.RoleGrant is not None:
            grants[row.id].append(row.RoleGrant)
    return Actors(
        names={row.id: row.name for row in found},
        grants=grants,
        applicants=frozenset(row.id for row in found if row.membership is not None),
        fund=application.call.fund_code,
    )


def titles(application: Application) -> dict[str, str]:
    """Return the titles of what stands behind the colon in the name of an act."""
    return {report.key: translated(report.title) for report in application.fund.reports}


def timeline(application: Application, lens: Lens) -> list[Entry]:
    """Return the history of a case file through `lens`, the latest first. Two SQL statements."""
    shown = [event for event in events(application) if lens.shows(event.action)]
    who = actors(application, (each for event in shown for each in _people(event)))
    keys = titles(application)
    quoted = {rule: quote(application, rule) for rule in {event.rule for event in shown} if rule}
    found = [_entry(event, who, keys, quoted, lens) for event in shown]
    found.reverse()
    return found


def _people(event: AuditEvent) -> list[UUID | None]:
    """Return who acted, and whom the act was about where its facts name somebody."""
    about = event.facts.get("person")
    return [event.actor_id, UUID(about) if about else None]


def quote(application: Application, rule: str) -> str:
    """Return a rule by its number and the sentence of the fund, where the fund has one."""
    try:
        sentence = translated(application.fund.quote(rule).sentence)
    except KeyError:
        return rule
    return _("%(rule)s: %(sentence)s", rule=rule, sentence=sentence)


def _entry(
    event: AuditEvent,
    who: Actors,
    keys: Mapping[str, str],
    quoted: Mapping[str, str],
    lens: Lens,
) -> Entry:
    name = event.action.partition(":")[0]
    return Entry(
        at=event.at,
        title=words.in_words(event.action, keys),
        by=_by(event, who, lens),
        detail=_detail(event, who, lens),
        rule=quoted.get(event.rule or "", ""),
        tone=TONES.get(name, "neutral"),
    )


def _detail(event: AuditEvent, who: Actors, lens: Lens) -> str:
    """Return the amount of an act, or whom it was about where that is not who acted."""
    name = event.action.partition(":")[0]
    if not lens.names:
        return words.amount(event.facts) if name in AMOUNTS_TOLD else ""
    about = _people(event)[1]
    if about is not None and about != event.actor_id:
        return who.names.get(about, "")
    return words.amount(event.facts)


AMOUNTS_TOLD = frozenset(
    {
        "application.submitted",
        "decision.approved",
        "award.offered",
        "agreement.issued",
        "agreement.signed",
        "amendment.proposed",
        "amendment.signed",
        "instalment.paid",
        "payment_order.acknowledged",
        "receivable.due",
        "receivable.paid",
        "receivable.payment_undone",
        "report.accepted",
    }
)
"""Acts whose amount an applicant knows anyway."""


def _by(event: AuditEvent, who: Actors, lens: Lens) -> str:
    """Return who acted; to an applicant, people on the funds' side are the fund."""
    if event.actor_id is None:
        return _("the portal, by its rules")
    if not lens.names and event.actor_id not in who.applicants:
        return _("the fund")
    return who.said(event.actor_id, event.at)
