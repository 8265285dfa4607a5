"""What must always be true of applications, asked of the rows themselves by `portal check`."""

import json

from sqlalchemy import func, select

from portal.applications import queries
from portal.applications.models import Answer, Application, ApplicationStatus, Submission
from portal.core.check import Check, CheckResult
from portal.core.crypto import Unreadable
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import sha256_hex

BATCH = 200


def _digests() -> CheckResult:
    """Open every submission and compute its digest again; erased ones are counted and left."""
    count, wrong = 0, []
    rows = select(Submission).order_by(Submission.at).execution_options(yield_per=BATCH)
    for submission in session.scalars(rows):
        count += 1
        if submission.application.sealing_key.destroyed_at is not None:
            continue
        name = f"{submission.application.ref}, {submission.number}"
        try:
            body = queries.submitted_body(submission)
        except Unreadable:
            wrong.append(_("The submission %(name)s cannot be opened.", name=name))
            continue
        if sha256_hex(body) != submission.digest:
            wrong.append(_("The submission %(name)s does not match its digest.", name=name))
    return CheckResult(count, wrong)


def _stands_still() -> CheckResult:
    """Compare what stands in submitted applications with what was submitted last."""
    count, wrong = 0, []
    last = (
        select(func.max(Submission.number))
        .where(Submission.application_id == Application.id)
        .correlate(Application)
        .scalar_subquery()
    )
    rows = (
        select(Submission)
        .join(Submission.application)
        .where(Application.submitted_at.is_not(None), Submission.number == last)
    )
    for submission in session.scalars(rows):
        application = submission.application
        if application.sealing_key.destroyed_at is not None:
            continue
        count += 1
        try:
            body = json.loads(queries.submitted_body(submission))
        except Unreadable:
            continue
        frozen = queries.frozen_contents(submission)
        now = queries.contents(application)
        asked = body["budget"]["requested"], body["budget"]["requested_usd"]
        if (frozen.answers, frozen.lines, frozen.files) != (now.answers, now.lines, now.files) or (
            asked != (application.requested, application.requested_usd)
        ):
            wrong.append(_("%(ref)s holds something else than was submitted.", ref=application.ref))
    return CheckResult(count, wrong)


def _complete() -> CheckResult:
    """Find applications that count as submitted without anything submitted."""
    submitted = select(Application.ref).where(
        Application.status.not_in((ApplicationStatus.DRAFT, ApplicationStatus.WITHDRAWN))
    )
    total = session.scalar(select(func.count()).select_from(submitted.subquery())) or 0
    without = submitted.where(
        ~select(Submission.id).where(Submission.application_id == Application.id).exists()
    )
    return CheckResult(
        total,
        [_("%(ref)s was never submitted.", ref=ref) for ref in session.scalars(without)],
    )


def _sealed() -> CheckResult:
    """Find answers in clear to questions whose answers are kept encrypted."""
    count, wrong = 0, []
    rows = select(Answer).join(Answer.application).execution_options(yield_per=BATCH)
    for row in session.scalars(rows):
        count += 1
        sealed = {q.key for q in row.application.fund.questions() if q.sealed}
        if row.key in sealed and row.value is not None:
            wrong.append(
                _("%(ref)s: %(key)s is not encrypted.", ref=row.application.ref, key=row.key)
            )
    return CheckResult(count, wrong)


def checks() -> list[Check]:
    """Return the invariants of applications."""
    return [
        Check(_("Submissions match their digests"), _digests),
        Check(_("Submitted applications hold exactly what was submitted"), _stands_still),
        Check(_("Applications under way were submitted"), _complete),
        Check(_("Answers on contacts and risk are encrypted"), _sealed),
    ]
