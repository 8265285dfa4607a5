"""The offer: an approved application becomes an award with a budget and planned instalments."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications import eligibility
from portal.applications import policy as applications
from portal.applications.models import Application, ApplicationStatus
from portal.applications.queries import budget as requested_budget
from portal.applications.queries import representatives
from portal.awards import rules
from portal.awards.models import (
    Award,
    AwardBudgetLine,
    AwardStatus,
    Instalment,
    PayingAgent,
)
from portal.awards.service.agreeing import issue_agreement
from portal.core import audit, clock, outbox
from portal.core.db import session
from portal.core.formats import format_day
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.reviews.models import Decision


def offer(
    application: Application,
    *,
    starts_on: date,
    ends_on: date,
    paying_agent: PayingAgent,
    by: Person,
) -> Award:
    """Make the award that was decided, and issue its document unless the budget must shrink first.

    The amount is the decision's, in US$. Raises Refused for anybody but the programme officer,
    before a decision, for a second award, above the ceiling, for days out of order, or for more
    months than the fund allows (R9).
    """
    if not applications.is_officer(by, application):
        raise Refused(_("Offers are made by the programme officer of the fund."))
    audit.take_turn()
    decision = _decision(application)
    _refuse_second(application)
    _refuse_above_ceiling(application, decision.amount_usd)
    _refuse_days(application, starts_on, ends_on)
    award = Award(
        application=application,
        micro_grant=application.fund.micro_grant,
        amount_usd=decision.amount_usd,
        starts_on=starts_on,
        ends_on=ends_on,
        paying_agent=paying_agent,
        decided_by_id=decision.decided_by_id,
    )
    session.add(award)
    _copy_budget(award)
    _plan_instalments(award)
    session.flush()
    audit.record(
        "award.offered",
        award,
        actor_id=by.id,
        case_id=award.case_id,
        to_status=AwardStatus.OFFERED.value,
        facts={"amount_usd": award.amount_usd, "decision": str(decision.id)},
    )
    if not award.needs_revised_budget:
        issue_agreement(award, by=by)
    _tell(award, "award_offered")
    return award


def revise_budget(award: Award, amounts_usd: Mapping[UUID, int], *, by: Person) -> None:
    """Bring the budget to exactly the award (R18), then issue the document to sign.

    `amounts_usd` holds the new amount of each line, in cents. No line grows by more than the free
    shift of the fund (R26): what was screened and scored stays what is paid for. Raises Refused
    otherwise.
    """
    if not applications.is_member(by, award.application):
        raise Refused(_("The budget is revised by the grantee."))
    audit.take_turn()
    session.refresh(award, ["status", "version"], with_for_update=True)
    if award.status is not AwardStatus.OFFERED or award.agreement is not None:
        raise Refused(_("The budget was settled when the document was issued."), rule="R18")
    fault = rules.revision_fault(
        {str(line.id): most.minor for line, most in highest(award)},
        {str(line): amount for line, amount in amounts_usd.items()},
        award.amount_usd,
    )
    if fault:
        raise Refused(_fault_sentence(award, fault), rule="R18")
    for line in award.budget:
        line.amount_usd = amounts_usd[line.id]
    session.flush()
    audit.record(
        "award.budget_revised",
        award,
        actor_id=by.id,
        case_id=award.case_id,
        rule="R18",
        facts={"lines": [line.amount_usd for line in award.budget]},
    )
    issue_agreement(award, by=by)


def highest(award: Award) -> list[tuple[AwardBudgetLine, Money]]:
    """Return the lines of an award's budget, each with the most that it may be (R18, R26)."""
    budget = award.fund.budget
    staff = {each.key for each in budget.categories if each.staff}
    return [
        (
            line,
            usd(
                rules.most_of_line(
                    line.requested_usd, budget.shift_percent, staff=line.category in staff
                )
            ),
        )
        for line in award.budget
    ]


def _refuse_days(application: Application, starts_on: date, ends_on: date) -> None:
    """Refuse days out of order, and more months than the fund allows (R9)."""
    latest = eligibility.latest_end(application.call, starts_on)
    fault = rules.days_fault(starts_on, ends_on, clock.today(), latest)
    if fault == "limit" and latest is not None:
        raise Refused(
            _(
                "Activities that begin on %(first)s end on %(latest)s at the latest: the fund "
                "sets how long they may last.",
                first=format_day(starts_on),
                latest=format_day(latest),
            ),
            rule="R9",
        )
    if fault:
        raise Refused(_day_sentence(fault))


def _day_sentence(fault: str) -> str:
    return {
        "order": _("The last day of the activities is before the first."),
        "over": _("The last day of the activities has passed. Give days that are still to come."),
        "long": _("The activities would last more than five years. Look at the years again."),
    }[fault]


def _fault_sentence(award: Award, fault: rules.Fault) -> str:
    if fault.kind == "above":
        return _above_sentence(award, fault.line)
    if fault.kind != "sum":
        return _("Give an amount of zero or more for each line of the budget.")
    values = {
        "amount": format_money(award.amount, str(locale())),
        "difference": format_money(usd(abs(fault.cents)), str(locale())),
    }
    if fault.cents > 0:
        return _(
            "The lines must add up to the award of %(amount)s; they are %(difference)s above it.",
            **values,
        )
    return _(
        "The lines must add up to the award of %(amount)s; they are %(difference)s below it.",
        **values,
    )


def _above_sentence(award: Award, above: str) -> str:
    """Return the sentence that names the line that grew too much, and the most it may be."""
    line, most = next(each for each in highest(award) if str(each[0].id) == above)
    values = {
        "line": line.description,
        "asked": format_money(usd(line.requested_usd), str(locale())),
        "most": format_money(most, str(locale())),
    }
    if most.minor == line.requested_usd:
        return _(
            "“%(line)s” can be %(most)s at most: that was asked for it, and this line may not "
            "grow (R26).",
            **values,
        )
    return _(
        "“%(line)s” can be %(most)s at most: %(asked)s was asked for it, and a line may grow by "
        "%(percent)s %% of that (R26).",
        percent=award.fund.budget.shift_percent,
        **values,
    )


def _decision(application: Application) -> Decision:
    decision = session.scalar(select(Decision).where(Decision.application_id == application.id))
    approved = application.status is ApplicationStatus.APPROVED
    if decision is None or not decision.approved or not approved:
        raise Refused(_("Only an approved application can be offered an award."), rule="R14")
    return decision


def _refuse_second(application: Application) -> None:
    """Refuse a second award on the application, or in the call for its organisation (R5).

    An award that was declined or cancelled was the application's one award all the same.
    """
    over = Award.status.in_([AwardStatus.DECLINED, AwardStatus.CANCELLED])
    other = (
        select(Award.id)
        .join(Award.application)
        .where(
            Application.call_id == application.call_id,
            Application.organisation_id == application.organisation_id,
            (Award.application_id == application.id) | ~over,
        )
    )
    if session.scalar(other.limit(1)) is not None:
        raise Refused(
            _("This organisation already holds an award of this call; there is one per call."),
            rule="R5",
        )


def _refuse_above_ceiling(application: Application, amount_usd: int) -> None:
    ceiling = application.call.ceiling
    if ceiling is not None and amount_usd > ceiling:
        raise Refused(
            _(
                "The award is above the ceiling of this call, %(ceiling)s.",
                ceiling=format_money(usd(ceiling), str(locale())),
            ),
            rule="R9",
        )


def _copy_budget(award: Award) -> None:
    """Take over the requested budget, in US$ at the rate of the call's reference day (R9)."""
    application = award.application
    lines = requested_budget(application)
    asked = [Money(line.amount, application.currency) for line in lines]
    amounts = rules.dollars(asked, usd(application.requested_usd))
    session.add_all(
        AwardBudgetLine(
            award=award,
            position=line.position,
            category=line.category,
            description=normalise(line.description),
            requested_usd=cents,
            amount_usd=cents,
        )
        for line, cents in zip(lines, amounts, strict=True)
    )


def _plan_instalments(award: Award) -> None:
    scheme = award.fund.instalments
    amounts = rules.plan(award.amount_usd, [rule.percent for rule in scheme])
    session.add_all(
        Instalment(
            award=award,
            number=number,
            percent=rule.percent,
            trigger=rule.trigger,
            report_key=rule.report,
            planned_usd=cents,
        )
        for number, (rule, cents) in enumerate(zip(scheme, amounts, strict=True), start=1)
    )


def _tell(award: Award, template: str) -> None:
    for person in representatives(award.application.organisation_id):
        outbox.queue(
            person.email,
            template,
            key=f"{template}:{award.id}:{person.id}",
            link=f"/files/{award.application.ref}/agreement",
            locale=person.language,
            person_id=person.id,
            reference=award.application.ref,
        )
