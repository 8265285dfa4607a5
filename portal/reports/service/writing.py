"""Writing a report: opened, told in words by several people at once, with its evidence."""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications import rules as answering
from portal.applications.queries import names
from portal.applications.service import Conflict, SaveResult
from portal.awards.models import Award
from portal.awards.rules import report_due_on
from portal.core import audit, clock, crypto, files
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.funds.profile import Question
from portal.reports import policy, queries
from portal.reports.models import Evidence, EvidenceKind, Report, ReportAnswer

FILES_PER_REPORT = 40
CAPTION_LIMIT = 300

CHANGING = ("version", "status", "round", "spending_revision", "people_revision")


def hold(report: Report, *, to_record: bool = False) -> None:
    """Lock the report until the transaction ends, and read it anew.

    Whoever will append to the audit chain queues for that first (`to_record`).
    """
    session.flush()
    if to_record:
        audit.take_turn()
    session.execute(select(Report.id).where(Report.id == report.id).with_for_update())
    session.refresh(report, CHANGING)


def demand_writer(report: Report, by: Person) -> None:
    """Raise Refused unless `by` may write in the report now."""
    if not applications.is_member(by, report.award.application):
        raise Refused(_("Only people of the grantee can change its report."))
    if not policy.can_edit(by, report):
        raise Refused(
            _(
                "This report was handed in, so it was not changed. Its status is “%(status)s”.",
                status=report.status.label,
            ),
            "R30",
        )


def open_report(award: Award, key: str, *, by: Person) -> Report:
    """Begin the report `key` of an award, or return the one that was begun.

    Raises Refused for anybody but the grantee, and while nothing is owed; KeyError for a report
    that the fund does not ask for.
    """
    rule = award.fund.report(key)
    if not applications.is_member(by, award.application):
        raise Refused(_("Reports are written by the grantee."))
    audit.take_turn()
    session.refresh(award, ["status"])
    standing = queries.report_of(award, key)
    if standing is not None:
        return standing
    due_on = report_due_on(rule, award.ends_on, queries.agreed_on(award))
    if award.status not in queries.IN_FORCE or due_on is None:
        raise Refused(
            _("No report is owed now: the grant is “%(status)s”.", status=award.status.label), "R27"
        )
    report = Report(award=award, key=key, due_on=due_on)
    session.add(report)
    session.flush()
    audit.record(
        "report.opened",
        report,
        actor_id=by.id,
        case_id=report.case_id,
        to_status=report.status.value,
        facts={"report": key, "due_on": due_on.isoformat()},
    )
    return report


def save_narrative(
    report: Report,
    values: Mapping[str, Any],
    revisions: Mapping[str, int] | None = None,
    *,
    by: Person,
    locale: str = "en",
) -> SaveResult:
    """Keep answers of the narrative; incomplete is fine, only what is given is touched.

    As in applications: an answer that somebody else changed since the writer saw it is reported
    as a conflict and stays as it is. Raises Refused once the report was handed in, KeyError for a
    question that it does not ask.
    """
    asked = {question.key: question for question in queries.rule_of(report).sections}
    unknown = values.keys() - asked.keys()
    if unknown:
        raise KeyError(f"the report does not ask {sorted(unknown)}")
    hold(report)
    demand_writer(report, by)
    rows = queries.answer_rows(report)
    result = SaveResult(clock.now(), {})
    clashing: list[tuple[str, Any, ReportAnswer]] = []
    for key, typed in values.items():
        try:
            value = answering.read_answer(
                asked[key], typed, currency=report.award.application.currency, locale=locale
            )
        except answering.BadAnswer as bad:
            result.errors[key] = bad.sentence
            continue
        row = rows.get(key)
        stands = queries.opened(report, row) if row else None
        present = row.revision if row else 0
        seen = present if revisions is None else revisions.get(key, 0)
        if value != stands and row is not None and seen != present:
            clashing.append((key, value, row))
        elif value != stands:
            present = _keep(report, asked[key], row, value, by)
        result.revisions[key] = present
    result.conflicts.extend(_conflicts(report, clashing))
    session.flush()
    return result


def _conflicts(report: Report, clashing: list[tuple[str, Any, ReportAnswer]]) -> list[Conflict]:
    people = names(row.updated_by_id for _key, _value, row in clashing)
    return [
        Conflict(
            key,
            value,
            queries.opened(report, row),
            row.revision,
            people.get(row.updated_by_id, ""),
            row.updated_at,
        )
        for key, value, row in clashing
    ]


def _keep(
    report: Report, question: Question, row: ReportAnswer | None, value: Any, by: Person
) -> int:
    if row is None:
        row = ReportAnswer(report=report, key=question.key, revision=0, updated_by_id=by.id)
        session.add(row)
    if question.sealed and value is not None:
        text = json.dumps(value, ensure_ascii=False)
        key = report.award.application.sealing_key
        row.value, row.sealed = None, crypto.seal(key, text, queries.sealed_place(report, row.key))
    else:
        row.value, row.sealed = value, None
    row.revision += 1
    row.updated_by_id = by.id
    row.updated_at = clock.now()
    return row.revision


def add_evidence(
    report: Report,
    kind: EvidenceKind,
    stream: BinaryIO,
    filename: str,
    caption: str = "",
    *,
    by: Person,
) -> Evidence:
    """Keep a photograph, a receipt or a document with the report; photographs lose their EXIF.

    Raises BadFile for what is not what its name says, Refused once the report was handed in.
    """
    words = normalise(caption).strip()
    if len(words) > CAPTION_LIMIT:
        raise Refused(_("Keep the caption to %(limit)s characters.", limit=CAPTION_LIMIT))
    hold(report)
    demand_writer(report, by)
    present = select(func.count()).where(
        Evidence.report_id == report.id, Evidence.removed_at.is_(None)
    )
    if (session.scalar(present) or 0) >= FILES_PER_REPORT:
        raise Refused(
            _(
                "A report holds %(limit)s files. Put receipts together in one.",
                limit=FILES_PER_REPORT,
            )
        )
    allowed = ("jpeg", "png") if kind is EvidenceKind.PHOTOGRAPH else tuple(files.FORMATS)
    found = Evidence(
        report=report,
        kind=kind,
        caption=words,
        file=files.store(stream, filename, by.id, allowed, case_id=report.case_id),
        added_by_id=by.id,
    )
    session.add(found)
    session.flush()
    return found


def remove_evidence(evidence: Evidence, *, by: Person) -> None:
    """Take a file out of the report. Raises Refused once the report was handed in."""
    hold(evidence.report)
    demand_writer(evidence.report, by)
    if evidence.removed_at is None:
        evidence.removed_at = clock.now()
    session.flush()


def read_sealed_answers(report: Report, *, by: Person) -> dict[str, Any]:
    """Return the sealed answers by key. Reading them is an act of record, except by the grantee.

    Raises Refused for whoever may not open them.
    """
    if not policy.can_open_sealed(by, report):
        raise Refused(_("These answers are kept encrypted and are not for your role."))
    if not applications.is_member(by, report.award.application):
        audit.record(
            "report.sealed_answers_read",
            report,
            actor_id=by.id,
            case_id=report.case_id,
            facts={"report": report.key},
        )
    rows = queries.answer_rows(report)
    return {key: queries.opened(report, row) for key, row in rows.items() if row.sealed is not None}
