"""Reading reports: the tab of a file, one report whole, its document, the queue of the staff."""

import io
from collections.abc import Sequence
from uuid import UUID

from flask import render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications.policy import is_member
from portal.core import templating
from portal.core.money import usd
from portal.core.paging import page_of, pager
from portal.core.web import attachment as as_download
from portal.reports import policy, queries, service
from portal.reports.models import Report, ReportReview, ReportStatus, ReviewSide
from portal.reports.views.blueprint import blueprint, file_of, frame, visible
from portal.reports.views.content import content


@blueprint.get("/files/<ref>/reports")
@guard.members_only
def reports_tab(ref: str) -> ResponseReturnValue:
    """Show what the grant owes, by when, and where each report stands."""
    application = file_of(ref)
    person = guard.signed_in()
    award = queries.award_of(application)
    return render_template(
        "reports/reports_tab.html",
        application=application,
        award=award,
        owed=queries.obligations(award) if award else [],
        member=is_member(person, application),
        in_force=award is not None and award.status in queries.IN_FORCE,
    )


@blueprint.get("/files/<ref>/reports/<key>")
@guard.members_only
def read(ref: str, key: str) -> ResponseReturnValue:
    """Show one report whole; sealed answers stay closed to staff until they ask."""
    report = visible(ref, key)
    return _read(report, with_sealed=policy.is_writer(guard.signed_in(), report))


@blueprint.post("/files/<ref>/reports/<key>/sealed")
@guard.members_only
def read_sealed(ref: str, key: str) -> ResponseReturnValue:
    """Show the sealed answers too. Reading them is an act of record."""
    report = visible(ref, key)
    service.read_sealed_answers(report, by=guard.signed_in())
    return _read(report, with_sealed=True)


def _read(report: Report, *, with_sealed: bool) -> ResponseReturnValue:
    person = guard.signed_in()
    readable = policy.can_read(person, report)
    words = queries.reviews(report)
    has_sealed = any(question.sealed for question in queries.rule_of(report).sections)
    return render_template(
        "reports/read.html",
        **frame(report, **(content(report, with_sealed=with_sealed) if readable else {})),
        readable=readable,
        reviews=words,
        accepted=None if report.accepted_usd is None else usd(report.accepted_usd),
        may_edit=policy.can_edit(person, report),
        may_review=bool(_open_sides(report, words, person.id) & policy.sides(person, report)),
        may_open=has_sealed and not with_sealed and policy.can_open_sealed(person, report),
    )


def _open_sides(report: Report, said: Sequence[ReportReview], person_id: UUID) -> set[ReviewSide]:
    """Return the sides that have not given their word on this round, for one person."""
    if report.status is not ReportStatus.SUBMITTED:
        return set()
    words = [word for word in said if word.round == report.round]
    if any(word.by_id == person_id for word in words):
        return set()
    return queries.sides_wanted(queries.rule_of(report)) - {word.side for word in words}


@blueprint.get("/files/<ref>/reports/<key>/report.pdf")
@guard.members_only
def document(ref: str, key: str) -> ResponseReturnValue:
    """Hand out the report as a document; sealed answers only to the grantee."""
    report = visible(ref, key)
    person = guard.signed_in()
    if not policy.can_read(person, report):
        raise NotFound
    made = templating.document(
        "report",
        **frame(report, **content(report, with_sealed=policy.is_writer(person, report))),
        reference=report.award.application.ref,
        dated=report.submitted_at.date() if report.submitted_at else None,
    )
    return as_download(
        send_file(
            io.BytesIO(made),
            mimetype="application/pdf",
            as_attachment=True,
            download_name=f"report-{report.award.application.ref}-{report.key}.pdf",
        )
    )


@blueprint.get("/reports")
@guard.requires(policy.reviews_somewhere)
def queue() -> ResponseReturnValue:
    """Show the staff which reports wait for their word, and which are late, page by page."""
    person = guard.signed_in()
    first = page_of(queries.waiting_for(person), request.args.get("page", 1, type=int))
    second = page_of(queries.overdue(person), request.args.get("late", 1, type=int))

    def at(page: int, late: int) -> str:
        return url_for("reports.queue", page=page, late=late)

    return render_template(
        "reports/queue.html",
        waiting=[(report, queries.rule_of(report), sorted(sides)) for report, sides in first.rows],
        overdue=second.rows,
        waiting_pager=pager(first, lambda number: at(number, second.number)),
        overdue_pager=pager(second, lambda number: at(first.number, number)),
    )
