"""The records of one case file, read together: one SQL statement for all of them, one for events.

The page has a dozen kinds of record, each a list of its own. Read one by one they would cost a
statement each; PostgreSQL hands them over as one JSON object instead. Sealed columns stay where
they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, literal, or_, select, union
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from portal.accounts.models import Person
from portal.applications.models import Application, Recusal, Submission
from portal.awards.amendments.models import Amendment
from portal.awards.models import Agreement, Award, Instalment
from portal.core.audit import FIRST, AuditEvent
from portal.core.db import Base, session
from portal.payments.models import BankDetails, PaymentApproval, PaymentOrder, Receivable
from portal.reports.models import Report, ReportReview
from portal.reviews.models import (
    Decision,
    EntitlementCheck,
    Recommendation,
    RecommendationLine,
    Score,
    ScoreSheet,
    ScreeningItem,
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of record: its columns, and the column by which it is in order."""

    model: type[Base]
    columns: str
    order: str
    where: ColumnElement[bool]


@dataclass(frozen=True)
class File:
    """The records by kind, the names of the people in them, and the events with what they follow.

    `whole_ranking`: whether the reader may know the place in the ranking (R16).
    """

    rows: Mapping[str, Sequence[Row]]
    names: Mapping[str, str]
    events: Sequence[tuple[AuditEvent, str]]
    whole_ranking: bool

    def of(self, kind: str) -> Sequence[Row]:
        """Return the records of a kind."""
        return self.rows[kind]

    def one(self, kind: str) -> Row:
        """Return the only record of a kind. IndexError where there is none."""
        return self.rows[kind][0]

    def name(self, person_id: str | None) -> str:
        """Return somebody's name; nothing for nobody."""
        return self.names.get(person_id, "") if person_id else ""


def moment(text: str | None) -> datetime | None:
    """Return a moment as PostgreSQL writes it in JSON."""
    return datetime.fromisoformat(text) if text else None


def day(text: str | None) -> date | None:
    """Return a day as PostgreSQL writes it in JSON."""
    return date.fromisoformat(text) if text else None


def _kinds(application: Application) -> dict[str, Kind]:
    here = application.id
    sheets = select(ScoreSheet.id).where(ScoreSheet.application_id == here)
    lines = select(RecommendationLine.recommendation_id).where(
        RecommendationLine.application_id == here
    )
    award = select(Award.id).where(Award.application_id == here)
    instalments = select(Instalment.id).where(Instalment.award_id.in_(award))
    orders = select(PaymentOrder.id).where(PaymentOrder.instalment_id.in_(instalments))
    reports = select(Report.id).where(Report.award_id.in_(award))
    return {
        "submissions": Kind(
            Submission, "id number at by_id digest", "number", Submission.application_id == here
        ),
        "screening": Kind(
            ScreeningItem,
            "key rule outcome finding note checked_by_id checked_at",
            "position",
            ScreeningItem.application_id == here,
        ),
        "entitlement": Kind(
            EntitlementCheck,
            "checked_by_id checked_at note facts",
            "checked_at",
            EntitlementCheck.application_id == here,
        ),
        "recusals": Kind(
            Recusal, "id person_id declared_at", "declared_at", Recusal.application_id == here
        ),
        "sheets": Kind(
            ScoreSheet,
            "id reviewer_id status comment submitted_at",
            "submitted_at",
            ScoreSheet.application_id == here,
        ),
        "scores": Kind(
            Score,
            "sheet_id criterion points justification",
            "criterion",
            Score.sheet_id.in_(sheets),
        ),
        "lines": Kind(
            RecommendationLine,
            "recommendation_id rank requested_usd recommended_usd verdict reasons",
            "rank",
            RecommendationLine.application_id == here,
        ),
        "recommendations": Kind(
            Recommendation,
            "id round status made_by_id made_at decided_by_id decided_at remarks",
            "round",
            Recommendation.id.in_(lines),
        ),
        "decisions": Kind(
            Decision,
            "id approved amount_usd reasons rule decided_by_id decided_at",
            "decided_at",
            Decision.application_id == here,
        ),
        "awards": Kind(
            Award,
            "ref status amount_usd starts_on ends_on paying_agent offered_at closed_at remark",
            "offered_at",
            Award.application_id == here,
        ),
        "agreements": Kind(
            Agreement,
            "id digest issued_by_id issued_at signed_name signed_by_id signed_at"
            " countersigned_by_id countersigned_at",
            "issued_at",
            Agreement.award_id.in_(award),
        ),
        "amendments": Kind(
            Amendment,
            "id number status from_amount_usd amount_usd from_ends_on ends_on budget instalments"
            " asked_reason asked_by_id asked_at reason issued_by_id issued_at digest signed_name"
            " signed_by_id signed_at countersigned_by_id countersigned_at remark",
            "number",
            Amendment.award_id.in_(award),
        ),
        "instalments": Kind(
            Instalment,
            "id number percent planned_usd paid_usd status",
            "number",
            Instalment.award_id.in_(award),
        ),
        "bank": Kind(
            BankDetails,
            "status entered_by_id entered_at checked_by_id checked_at remark",
            "entered_at",
            BankDetails.award_id.in_(award),
        ),
        "orders": Kind(
            PaymentOrder,
            "id ref instalment_id attempt status amount currency amount_usd digest prepared_by_id"
            " prepared_at agent_reference paid_on confirmed_by_id confirmed_at acknowledged_by_id"
            " acknowledged_at remark",
            "prepared_at",
            PaymentOrder.instalment_id.in_(instalments),
        ),
        "approvals": Kind(
            PaymentApproval,
            "order_id step person_id digest at",
            "at",
            PaymentApproval.order_id.in_(orders),
        ),
        "reports": Kind(
            Report,
            "id key due_on status round submitted_at submitted_by_id digest accepted_usd"
            " accepted_at",
            "due_on",
            Report.award_id.in_(award),
        ),
        "report_reviews": Kind(
            ReportReview,
            "report_id round side accepted accepted_usd comment by_id at",
            "at",
            ReportReview.report_id.in_(reports),
        ),
        "receivables": Kind(
            Receivable,
            "amount_usd due_on status created_at settled_on settled_by_id bank_reference",
            "created_at",
            Receivable.award_id.in_(award),
        ),
    }


def read(application: Application, reader: Person) -> File:
    """Return the records of a case file. Two SQL statements."""
    kinds = _kinds(application)
    wanted = [_as_json(kind).label(name) for name, kind in kinds.items()]
    row = session.execute(
        select(*wanted, _names(application).label("people"), _is_party(application, reader))
    ).one()
    found = row._mapping  # noqa: SLF001 — SQLAlchemy's documented name for it
    return File(
        rows={name: found[name] for name in kinds},
        names={person["id"]: person["name"] for person in found["people"]},
        events=_events(application),
        whole_ranking=not row[-1],
    )


def _as_json(kind: Kind) -> ScalarSelect[Any]:
    """Return the rows of a kind as one JSON array, in order."""
    columns = kind.model.__table__.c
    pairs = [part for name in kind.columns.split() for part in (literal(name), columns[name])]
    row = func.jsonb_build_object(*pairs, type_=JSONB)
    rows = func.jsonb_agg(aggregate_order_by(row, columns[kind.order]), type_=JSONB)
    return (
        select(func.coalesce(rows, func.jsonb_build_array(type_=JSONB), type_=JSONB))
        .where(kind.where)
        .scalar_subquery()
    )


def _names(application: Application) -> ScalarSelect[Any]:
    """Return the names of whoever acted in the file, stepped aside, recommended or decided."""
    here = application.id
    lists = select(RecommendationLine.recommendation_id).where(
        RecommendationLine.application_id == here
    )
    people: Any = union(
        select(AuditEvent.actor_id).where(AuditEvent.case_id == here),
        select(Recusal.person_id).where(Recusal.application_id == here),
        select(Recommendation.made_by_id).where(Recommendation.id.in_(lists)),
        select(Recommendation.decided_by_id).where(Recommendation.id.in_(lists)),
    )
    return _as_json(Kind(Person, "id name", "name", Person.id.in_(people)))


def _is_party(application: Application, reader: Person) -> ColumnElement[bool]:
    """Return the condition that the reader stands apart from another file of the call (R16)."""
    recused = exists().where(
        Recusal.application_id == Application.id, Recusal.person_id == reader.id
    )
    return exists().where(
        Application.call_id == application.call_id,
        or_(recused, Application.organisation_id.in_(reader.organisation_ids())),
    )


def _events(application: Application) -> list[tuple[AuditEvent, str]]:
    """Return the events of the file, each with the digest before it. One SQL statement."""
    before = AuditEvent.__table__.alias("before")
    digest = (
        select(before.c.digest)
        .where(before.c.number < AuditEvent.number)
        .order_by(before.c.number.desc())
        .limit(1)
        .correlate(AuditEvent)
        .scalar_subquery()
    )
    rows = (
        select(AuditEvent, func.coalesce(digest, FIRST))
        .where(AuditEvent.case_id == application.id)
        .order_by(AuditEvent.number)
        .execution_options(populate_existing=True)
    )
    return [(event, last) for event, last in session.execute(rows)]
