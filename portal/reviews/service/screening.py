"""Screening: the checklist that the fund's rules produce, and how it ends (R13)."""

from sqlalchemy import select

from portal.accounts.models import Person, Role
from portal.applications import eligibility
from portal.applications import policy as applications
from portal.applications.models import (
    Application,
    ApplicationAction,
    ApplicationStatus,
    Recusal,
)
from portal.applications.service.locking import hold
from portal.applications.workflow import WORKFLOW
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, translated
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.reviews import policy
from portal.reviews.models import Decision, Finding, ScreeningItem
from portal.reviews.service.recusing import recuse
from portal.reviews.service.telling import holders, tell_applicant, tell_reviewers

SCREENED = (ApplicationStatus.SUBMITTED, ApplicationStatus.CLARIFICATION)
TEXT_LIMIT = 4000


def prepare_checklist(application: Application) -> list[ScreeningItem]:
    """Return the checklist, drawn up from the fund's rules where it is not yet, in their order.

    Doing it again brings up to date what the machine found on items that nobody has checked. What
    was checked before the applicant last submitted is open again: it was about another text.
    """
    audit.take_turn()
    known = {item.key: item for item in _items(application)}
    found = eligibility.evaluate(application)
    for position, check in enumerate(found, start=1):
        item = known.get(check.key)
        if item is None:
            item = ScreeningItem(
                application=application, position=position, key=check.key, rule=check.rule
            )
            session.add(item)
            known[check.key] = item
        if is_stale(item):
            item.finding, item.checked_by_id, item.checked_at = Finding.OPEN, None, None
        if item.finding is Finding.OPEN:
            item.position, item.outcome = position, check.outcome
    session.flush()
    return sorted(known.values(), key=lambda item: item.position)


def is_stale(item: ScreeningItem) -> bool:
    """Say whether an item was checked before the applicant last submitted."""
    submitted = item.application.submitted_at
    return bool(item.checked_at and submitted and item.checked_at < submitted)


def _items(application: Application) -> list[ScreeningItem]:
    rows = select(ScreeningItem).where(ScreeningItem.application_id == application.id)
    return list(session.scalars(rows.order_by(ScreeningItem.position)))


def record_finding(item: ScreeningItem, finding: Finding, note: str, *, by: Person) -> None:
    """Say what screening found on one item; the same again changes nothing.

    Raises Refused once screening is over, and where a note is missing: a waiver is explained, and
    so is whoever finds otherwise than the machine.
    """
    application = item.application
    _demand_screening(application, by)
    audit.take_turn()
    text = _bounded(note)
    if finding is Finding.WAIVED and not text:
        raise Refused(_("Say why this is waived."), item.rule)
    if finding is Finding.MET and item.outcome is False and not text:
        raise Refused(_("The portal found otherwise. Say why this is met all the same."), item.rule)
    if (item.finding, item.note) == (finding, text) and not is_stale(item):
        return
    changed = item.finding is not finding
    item.finding, item.note = finding, text
    opened = finding is Finding.OPEN
    item.checked_by_id = None if opened else by.id
    item.checked_at = None if opened else clock.now()
    session.flush()
    if changed:
        audit.record(
            "screening.item_checked",
            item,
            actor_id=by.id,
            case_id=application.id,
            rule=item.rule,
            facts={"key": item.key, "finding": finding.value},
        )


def complete_screening(application: Application, *, by: Person) -> None:
    """Pass the application on to review, or to the entitlement check.

    Raises Refused while an item is open or not met. Trustees who are nationals of the applicant's
    State are recused from here on, before they are told of it (R16).
    """
    hold(application, to_record=True)
    WORKFLOW.check(application, ApplicationAction.COMPLETE_SCREENING, by)
    for item in prepare_checklist(application):
        if item.finding is Finding.OPEN:
            raise Refused(
                _("Say of every item what you found; “%(key)s” is open.", key=_name(item)),
                item.rule,
            )
        if item.finding is Finding.NOT_MET:
            raise Refused(
                _(
                    "“%(key)s” is not met: waive it with a reason, ask the applicant, or declare "
                    "the application inadmissible.",
                    key=_name(item),
                ),
                item.rule,
            )
    WORKFLOW.perform(
        application,
        ApplicationAction.COMPLETE_SCREENING,
        by=by,
        event="screening.completed",
    )
    session.flush()
    _recuse_nationals(application)
    tell_reviewers(application)


def _name(item: ScreeningItem) -> str:
    """Return the sentence of the rule that an item stands for."""
    fund = item.application.fund
    for rule in fund.eligibility:
        suffix = f":{rule.params['key']}" if rule.check == "attachment" else ""
        if f"{rule.check}{suffix}" == item.key:
            return translated(rule.sentence)
    return item.rule


def _recuse_nationals(application: Application) -> None:
    """Recuse the trustees whose State applies, by itself and without their asking (R16)."""
    role = application.fund.process.reviewer_role
    if application.fund.process.body != "board" or role is None:
        return
    known = set(
        session.scalars(select(Recusal.person_id).where(Recusal.application_id == application.id))
    )
    for person in holders(Role(role), application.call.fund_code):
        if applications.is_national(person, application) and person.id not in known:
            recuse(application, person, "National of the applicant’s State (R16)", actor_id=None)


def declare_inadmissible(application: Application, rule: str, reasons: str, *, by: Person) -> None:
    """End the file: the applicant is told which rule and why (R20).

    Raises Refused for a rule that the fund does not have, for empty reasons, and as the workflow
    says.
    """
    hold(application, to_record=True)
    WORKFLOW.check(application, ApplicationAction.DECLARE_INADMISSIBLE, by)
    if rule not in {each.rule for each in application.fund.eligibility}:
        raise Refused(_("Choose the rule that the application does not meet."))
    text = _bounded(reasons)
    if not text:
        raise Refused(_("Write the reasons: the applicant reads them."), "R20")
    decision = Decision(
        application=application,
        approved=False,
        amount_usd=0,
        reasons=text,
        rule=rule,
        decided_by_id=by.id,
    )
    session.add(decision)
    WORKFLOW.perform(
        application,
        ApplicationAction.DECLARE_INADMISSIBLE,
        by=by,
        rule=rule,
        facts={"decision": str(decision.id), "reasons": decision.reasons_digest},
        event="screening.inadmissible",
    )
    session.flush()
    tell_applicant(application, decision.id)


def _demand_screening(application: Application, by: Person) -> None:
    if not policy.can_screen(by, application):
        raise Refused(_("Only a programme officer of this fund screens applications."))
    if application.status not in SCREENED:
        raise Refused(
            _(
                "Screening is over: the status is “%(status)s”.",
                status=application.status.label,
            ),
            "R13",
        )


def _bounded(text: str) -> str:
    """Return the text without stray characters. Raises Refused above the limit: nothing is cut."""
    clean = normalise(text)
    if len(clean) > TEXT_LIMIT:
        raise Refused(
            _(
                "Keep this to %(limit)s characters; it has %(number)s.",
                limit=TEXT_LIMIT,
                number=len(clean),
            )
        )
    return clean
