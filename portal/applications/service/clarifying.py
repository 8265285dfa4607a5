"""A question of the programme officer about one section, and the applicant's answer to it."""

from datetime import UTC, date, datetime, time
from uuid import uuid4

from portal.accounts.models import Person
from portal.applications import queries
from portal.applications.models import (
    Application,
    ApplicationAction,
    ApplicationStatus,
    Clarification,
)
from portal.applications.rules.answers import TEXT_LIMIT
from portal.applications.service.locking import hold
from portal.applications.workflow import WORKFLOW
from portal.core import clock, crypto, outbox
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused

END_OF_DAY = time(23, 59, 59)


def ask_clarification(
    application: Application, section: str, question: str, due_on: date, *, by: Person
) -> Clarification:
    """Ask the applicant about one section of the form, to be answered on `due_on` at the latest.

    Raises Refused where it is not the officer's turn, or the question cannot be.
    """
    hold(application, to_record=True)
    WORKFLOW.check(application, ApplicationAction.ASK, by)
    text = _sound(question, _("Write the question."))
    if section not in {each.key for each in application.fund.form}:
        raise Refused(_("Choose the section that the question is about."))
    if due_on < clock.today():
        raise Refused(_("Give a day for the answer that is still to come."))
    clarification_id = uuid4()
    place = f"application:{application.id}:clarification:{clarification_id}"
    clarification = Clarification(
        id=clarification_id,
        application=application,
        section=section,
        sealed_question=crypto.seal(application.sealing_key, text, f"{place}:question"),
        asked_by_id=by.id,
        due_at=datetime.combine(due_on, END_OF_DAY, UTC),
    )
    session.add(clarification)
    session.flush()
    WORKFLOW.perform(
        application,
        ApplicationAction.ASK,
        by=by,
        facts={"clarification": str(clarification.id), "section": section},
        event="clarification.asked",
    )
    session.flush()
    for person in queries.members(application.organisation_id):
        outbox.queue(
            person.email,
            "clarification_asked",
            key=f"clarification:{clarification.id}:{person.id}",
            link=f"/files/{application.ref}/answer",
            locale=person.language,
            reference=application.ref,
        )
    return clarification


def answer_clarification(clarification: Clarification, answer: str, *, by: Person) -> None:
    """Answer a question; the application goes back to the officer.

    A second click changes nothing. Raises Refused for an empty answer or somebody else's question.
    A late answer is taken: whether it still counts is for the officer to say.
    """
    application = clarification.application
    hold(application, to_record=True)
    session.refresh(clarification, ["sealed_answer", "answered_at", "answered_by_id", "version"])
    text = _sound(answer, _("Write your answer."))
    if clarification.answered_at is not None and clarification.answer == text:
        return
    WORKFLOW.check(application, ApplicationAction.ANSWER, by)
    if clarification.answered_at is not None:
        raise Refused(_("This question has already been answered."))
    place = f"{clarification.place}:answer"
    clarification.sealed_answer = crypto.seal(application.sealing_key, text, place)
    clarification.answered_by_id = by.id
    clarification.answered_at = clock.now()
    session.flush()
    WORKFLOW.perform(
        application,
        ApplicationAction.ANSWER,
        by=by,
        facts={"clarification": str(clarification.id), "section": clarification.section},
        event="clarification.answered",
    )
    session.flush()
    asker = session.get(Person, clarification.asked_by_id)
    if asker is not None and application.status is ApplicationStatus.SUBMITTED:
        outbox.queue(
            asker.email,
            "clarification_answered",
            key=f"clarification-answered:{clarification.id}",
            link=f"/files/{application.ref}/application",
            locale=asker.language,
            reference=application.ref,
        )


def _sound(text: str, empty: str) -> str:
    clean = normalise(text)
    if not clean:
        raise Refused(empty)
    if len(clean) > TEXT_LIMIT:
        raise Refused(_("This text is too long to be kept. Shorten it."))
    return clean
