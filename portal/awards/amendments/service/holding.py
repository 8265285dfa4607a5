"""What the verbs share: the locks, the state of the award, and the messages."""

from collections.abc import Iterable

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.applications.queries import representatives
from portal.awards.amendments import policy, rules
from portal.awards.amendments.models import OPEN, Amendment, BudgetTerm, InstalmentTerm
from portal.awards.models import Award, AwardBudgetLine, Instalment, InstalmentStatus
from portal.core import audit, outbox
from portal.core.db import session
from portal.core.i18n import _
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused

MOST_WORDS = 4_000


def hold_award(award: Award) -> None:
    """Take the turn, lock the award until the transaction ends, and read it anew."""
    session.flush()
    audit.take_turn()
    columns = ["status", "version", "amount_usd", "ends_on"]
    session.refresh(award, columns, with_for_update=True)
    session.refresh(award, ["budget", "instalments"])
    parts: Iterable[AwardBudgetLine | Instalment] = [*award.budget, *award.instalments]
    for part in parts:
        session.refresh(part)


def hold(amendment: Amendment) -> None:
    """Lock the award and its amendment, and read both anew."""
    hold_award(amendment.award)
    session.refresh(amendment, ["status", "version"], with_for_update=True)


def refuse_unamendable(award: Award) -> None:
    """Refuse for what is not in force, and where there is no agreement to amend."""
    if not award.fund.process.countersigned:
        raise Refused(_("A travel letter is not amended: the fund has no agreement."), rule="R26")
    if not policy.takes_amendments(award):
        raise Refused(
            _("The grant is “%(status)s”: it is not amended.", status=award.status.label),
            rule="R26",
        )


def open_one(award: Award) -> Amendment | None:
    """Return the amendment that waits for somebody, if there is one. One SQL statement."""
    rows = select(Amendment).where(Amendment.award_id == award.id, Amendment.status.in_(OPEN))
    return session.scalar(rows.execution_options(populate_existing=True))


def next_number(award: Award) -> int:
    """Return the number of the next amendment of an award. One SQL statement."""
    rows = select(func.coalesce(func.max(Amendment.number), 0) + 1)
    return int(session.scalar(rows.where(Amendment.award_id == award.id)) or 1)


def parts_of(award: Award) -> list[rules.Part]:
    """Return the instalments as the rules want them."""
    return [
        rules.Part(
            each.number, each.percent, each.planned_usd, each.status is InstalmentStatus.PLANNED
        )
        for each in award.instalments
    ]


def budget_as_it_is(award: Award) -> list[BudgetTerm]:
    """Return the budget as the terms of an amendment that changes nothing in it."""
    return [
        BudgetTerm(
            position=line.position,
            category=line.category,
            description=line.description,
            before=line.amount_usd,
            usd=line.amount_usd,
        )
        for line in award.budget
    ]


def plan_as_it_is(award: Award) -> list[InstalmentTerm]:
    """Return the instalments as the terms of an amendment that changes none of them."""
    return [
        InstalmentTerm(number=each.number, before=each.planned_usd, usd=each.planned_usd)
        for each in award.instalments
    ]


def words_of(typed: str, missing: str) -> str:
    """Return a reason as it is kept. Raises Refused with `missing` for none, and for too much."""
    return words_or_refuse(typed, missing, most=MOST_WORDS)


def tell(amendment: Amendment, template: str, step: str) -> None:
    """Queue a message to those who sign for the grantee, once for each step."""
    application = amendment.award.application
    people: list[Person] = representatives(application.organisation_id)
    for person in people:
        outbox.queue(
            person.email,
            template,
            key=f"amendment-{step}:{amendment.id}:{person.id}",
            link=f"/files/{application.ref}/agreement",
            locale=person.language,
            person_id=person.id,
            reference=application.ref,
        )
