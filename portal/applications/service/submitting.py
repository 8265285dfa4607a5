"""Submission: what is missing, the frozen body and its digest, taking back, withdrawing."""

from datetime import date
from typing import Any

from portal.accounts.models import Person
from portal.applications import eligibility, policy, queries, rules
from portal.applications.models import (
    Application,
    ApplicationAction,
    ApplicationStatus,
    Nominee,
    NomineeKind,
    Sex,
    Submission,
)
from portal.applications.service.drafts import dollars_or_zero
from portal.applications.service.locking import hold
from portal.applications.workflow import WORKFLOW
from portal.core import clock, crypto, outbox
from portal.core.db import session
from portal.core.i18n import ngettext, translated
from portal.core.text import canonical_json, plain, sha256_hex
from portal.core.workflow import Refused
from portal.ledger.rules import NoRate

BODY_FORM = 1
"""The form of the submitted JSON; it grows when the form changes."""

ON_A_PAGE = ("attachment", "declarations")
"""Checks whose sentence already stands on a page of the form."""

OF_OTHERS = ("one_official_per_state",)
"""Checks whose detail names other applicants' files, which do not exist for this one."""

SECTION_OF_CHECK = {
    "ceiling": "budget",
    "audit_line": "budget",
    "budget_categories": "budget",
}


def missing(
    application: Application, contents: queries.Contents | None = None
) -> list[rules.Missing]:
    """Return everything that stands between the draft and its submission, in order.

    Without `contents` they are read: at most five SQL statements, and those of the reports owed.
    """
    inside = contents or queries.contents(application)
    attached = frozenset(each.key for each in inside.files)
    content = rules.Content(
        fund=application.fund,
        applicant_kind=application.organisation.kind.value,
        answers=inside.answers,
        lines=inside.lines,
        attached=attached,
        today=clock.today(),
    )
    facts = eligibility.Facts(
        application.call,
        application.organisation,
        application,
        inside.answers,
        inside.lines,
        attached,
    )
    found = rules.missing_from(content)
    for check in eligibility.blocking(facts):
        if not check.key.startswith(ON_A_PAGE):
            found.append(_as_missing(application, check))
    return found


def _as_missing(application: Application, check: eligibility.Check) -> rules.Missing:
    section = ""
    kind = SECTION_OF_CHECK.get(check.key)
    for each in application.fund.form:
        keys = {question.key for question in each.questions}
        if each.kind == kind or (check.key == "duration" and "ends_on" in keys):
            section = each.key
    sentence = translated(check.sentence)
    detail = "" if check.key.startswith(OF_OTHERS) else check.detail
    full = f"{sentence} ({detail})" if detail else sentence
    return rules.Missing(section, check.key, full, check.rule)


def submit(application: Application, *, by: Person) -> Submission:
    """Submit the draft as it stands and return what is now frozen.

    Only the legal representative may. A second click finds the first one's submission and returns
    it. Raises Refused while something is missing, and after the deadline (R7).
    """
    hold(application, to_record=True)
    standing = _already(application, by)
    if standing is not None:
        return standing
    WORKFLOW.check(application, ApplicationAction.SUBMIT, by)
    application.requested_usd = dollars_or_zero(application)
    open_points = missing(application)
    if open_points:
        raise Refused(
            ngettext(
                "%(num)s point is still open: %(first)s",
                "%(num)s points are still open. The first is: %(first)s",
                len(open_points),
                first=open_points[0].sentence,
            ),
            open_points[0].rule,
        )
    application.submitted_at = clock.now()
    _project_nominee(application)
    submission = _freeze(application, by)
    WORKFLOW.perform(
        application,
        ApplicationAction.SUBMIT,
        by=by,
        facts={
            "submission": submission.number,
            "digest": submission.digest,
            "requested": application.requested,
            "currency": application.currency,
            "requested_usd": application.requested_usd,
        },
        event="application.submitted",
    )
    session.flush()
    _tell_applicant(application, submission)
    return submission


def _already(application: Application, by: Person) -> Submission | None:
    if application.status is not ApplicationStatus.SUBMITTED:
        return None
    return queries.last_submission(application) if policy.is_member(by, application) else None


def body_of(application: Application, number: int, by: Person) -> dict[str, Any]:
    """Return what is submitted, as it goes into canonical JSON: values only, nothing computed."""
    organisation = application.organisation
    rate = eligibility.rate_for(application.call, application.currency)
    return {
        "form": BODY_FORM,
        "reference": application.ref,
        "submission": number,
        "submitted_at": str(application.submitted_at and application.submitted_at.isoformat()),
        "submitted_by": str(by.id),
        "fund": application.call.fund_code,
        "profile": application.call.profile_version.digest,
        "call": application.call.ref,
        "organisation": {
            "id": str(organisation.id),
            "name": organisation.name,
            "kind": organisation.kind.value,
            "country": organisation.country,
            "registered_on": organisation.registered_on and organisation.registered_on.isoformat(),
            "registration_number": organisation.registration_number,
            "address": organisation.address,
        },
        "language": application.language,
        "answers": queries.answers(application),
        "budget": {
            "currency": application.currency,
            "lines": [
                {
                    "category": line.category,
                    "description": line.description,
                    "quantity": line.quantity,
                    "unit_cost": line.unit_cost,
                    "amount": line.amount,
                }
                for line in queries.budget_values(application)
            ],
            "requested": application.requested,
            "requested_usd": application.requested_usd,
            "units_per_usd": plain(rate.units_per_usd),
            "rate_of": rate.effective_on.isoformat(),
        },
        "attachments": [
            {
                "id": str(each.id),
                "key": each.key,
                "name": each.file.name,
                "size": each.file.size_bytes,
                "sha256": each.file.sha256,
            }
            for each in queries.attachments(application)
        ],
    }


def _freeze(application: Application, by: Person) -> Submission:
    last = queries.last_submission(application)
    number = last.number + 1 if last else 1
    try:
        body = canonical_json(body_of(application, number, by))
    except NoRate as none:
        raise Refused(none.sentence, "R9") from none
    submission = Submission(
        application=application,
        number=number,
        at=application.submitted_at or clock.now(),
        by_id=by.id,
        sealed_body=b"",
        digest=sha256_hex(body),
    )
    submission.application_id = application.id
    place = queries.submission_place(submission)
    submission.sealed_body = crypto.seal(application.sealing_key, body.decode(), place)
    session.add(submission)
    session.flush()
    return submission


def _project_nominee(application: Application) -> None:
    """Keep the official of a travel request as a row of its own, for the fund's statistics."""
    if not application.fund.process.nominee:
        return
    given = queries.answers(application)
    standing = queries.nominee(application)
    if standing is not None:
        session.delete(standing)
        session.flush()
    name = f"{given.get('nominee_given_names') or ''} {given.get('nominee_family_name') or ''}"
    place = f"application:{application.id}:nominee"
    nominee = Nominee(
        application=application,
        sealed_name=crypto.seal(application.sealing_key, name.strip(), place),
        function=str(given.get("nominee_function") or ""),
        sex=_sex(given.get("nominee_sex")),
        kind=NomineeKind.FELLOW
        if given.get("nominee_part") == NomineeKind.FELLOW.value
        else NomineeKind.DELEGATE,
        travel_from=date.fromisoformat(given["starts_on"]),
        travel_until=date.fromisoformat(given["ends_on"]),
    )
    session.add(nominee)
    session.flush()


def _sex(answer: rules.Value) -> Sex:
    return Sex(answer) if answer in {Sex.FEMALE.value, Sex.MALE.value} else Sex.OTHER


def _tell_applicant(application: Application, submission: Submission) -> None:
    people = {person.id: person for person in queries.representatives(application.organisation_id)}
    for person in people.values():
        outbox.queue(
            person.email,
            "application_received",
            key=f"submission:{submission.id}:{person.id}",
            link=f"/files/{application.ref}/receipt",
            locale=person.language,
            reference=application.ref,
            digest=submission.digest,
            number=submission.number,
            at=submission.at,
            time_zone=person.time_zone,
        )


def reopen(application: Application, *, by: Person) -> None:
    """Take a submitted application back to change it, until the deadline. Raises Refused.

    The funds no longer see it; what was submitted stays on record.
    """
    hold(application, to_record=True)
    WORKFLOW.perform(application, ApplicationAction.REOPEN, by=by, event="application.reopened")
    application.submitted_at = None
    session.flush()


def withdraw(application: Application, *, by: Person) -> None:
    """Withdraw for good. Another application may be started while the call is open."""
    hold(application, to_record=True)
    if application.status is ApplicationStatus.WITHDRAWN and policy.is_member(by, application):
        return
    WORKFLOW.perform(application, ApplicationAction.WITHDRAW, by=by, event="application.withdrawn")
    session.flush()
