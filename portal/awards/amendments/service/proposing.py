"""Proposing an amendment: its terms are weighed, its text is written and kept with its digest."""

from portal.accounts.models import Person
from portal.awards import policy as awards
from portal.awards.amendments import document
from portal.awards.amendments.models import (
    Amendment,
    AmendmentStatus,
    BudgetTerm,
    InstalmentTerm,
)
from portal.awards.amendments.rules import Terms
from portal.awards.amendments.service.holding import (
    hold_award,
    next_number,
    open_one,
    refuse_unamendable,
    tell,
    words_of,
)
from portal.awards.amendments.service.terms import refuse_terms
from portal.awards.models import Award
from portal.core import audit, clock, files, i18n, templating
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise, sha256_hex
from portal.core.workflow import Refused


def propose(award: Award, terms: Terms, reason: str, *, by: Person) -> Amendment:
    """Propose to the grantee what the award becomes; what it asked for turns into the proposal.

    Raises Refused for anybody but the programme officer, for an award that takes no amendments,
    while another is open, and for terms that no rule allows.
    """
    words = words_of(reason, _("Give the reason; the grantee reads it."))
    hold_award(award)
    refuse_unamendable(award)
    if not awards.can_manage(by, award):
        raise Refused(_("Amendments are proposed by the programme officer of the fund."))
    asked = open_one(award)
    if asked is not None and asked.status is not AmendmentStatus.ASKED:
        raise Refused(_("An amendment is open already: there is one at a time."), rule="R26")
    since = asked.asked_at if asked else None
    plan = refuse_terms(award, terms, asked_on=since.date() if since else clock.today())
    before = asked.status.value if asked else None
    draft = _draft(award, terms, plan)
    draft.number = asked.number if asked else draft.number
    draft.reason, draft.issued_by_id, draft.issued_at = words, by.id, clock.now()
    _write(draft, by)
    amendment = draft if asked is None else _turned(asked, draft)
    session.add(amendment)
    session.flush()
    audit.record(
        "amendment.proposed",
        amendment,
        actor_id=by.id,
        case_id=amendment.case_id,
        from_status=before,
        to_status=AmendmentStatus.PROPOSED.value,
        rule="R26",
        facts={
            "digest": amendment.digest,
            "number": amendment.number,
            "amount_usd": amendment.amount_usd,
            "from_usd": amendment.from_amount_usd,
            "ends_on": amendment.ends_on.isoformat(),
        },
    )
    tell(amendment, "amendment_proposed", "proposed")
    return amendment


def _draft(award: Award, terms: Terms, plan: dict[int, int]) -> Amendment:
    """Return the proposal, of which the database knows nothing yet."""
    return Amendment(
        award=award,
        number=next_number(award),
        status=AmendmentStatus.PROPOSED,
        micro_grant=award.micro_grant,
        from_amount_usd=award.amount_usd,
        from_ends_on=award.ends_on,
        amount_usd=terms.amount_usd,
        ends_on=terms.ends_on,
        budget=_budget(award, terms),
        instalments=_plan(award, plan),
    )


def _turned(asked: Amendment, draft: Amendment) -> Amendment:
    """Let what was asked for become the proposal."""
    with session.no_autoflush:  # the database wants terms, text and status at once
        asked.status = draft.status
        asked.amount_usd, asked.ends_on = draft.amount_usd, draft.ends_on
        asked.budget, asked.instalments = draft.budget, draft.instalments
        asked.reason, asked.file, asked.digest = draft.reason, draft.file, draft.digest
        asked.issued_by_id, asked.issued_at = draft.issued_by_id, draft.issued_at
    return asked


def _budget(award: Award, terms: Terms) -> list[BudgetTerm]:
    """Return the whole budget: the lines that there are, then the new ones."""
    amounts = {line.position: line.amount_usd for line in terms.lines}
    found = [
        BudgetTerm(
            position=line.position,
            category=line.category,
            description=line.description,
            before=line.amount_usd,
            usd=amounts[line.position],
        )
        for line in award.budget
    ]
    after = max((line.position for line in award.budget), default=0)
    new = [line for line in terms.lines if line.position is None]
    return found + [
        BudgetTerm(
            position=after + number,
            category=line.category,
            description=normalise(line.description).strip(),
            before=0,
            usd=line.amount_usd,
        )
        for number, line in enumerate(new, start=1)
    ]


def _plan(award: Award, plan: dict[int, int]) -> list[InstalmentTerm]:
    before = {each.number: each.planned_usd for each in award.instalments}
    return [
        InstalmentTerm(number=number, before=before.get(number, 0), usd=cents)
        for number, cents in sorted(plan.items())
    ]


def _write(amendment: Amendment, by: Person) -> None:
    """Write the text as PDF in the language of the application, and keep it with its digest."""
    application = amendment.award.application
    with i18n.speaking(application.language):
        content = templating.document("amendment", **document.context(amendment))
    name = f"{application.ref}-{amendment.award.ref}-{amendment.number}.pdf"
    amendment.file = files.keep_document(content, name, by.id, case_id=application.id)
    amendment.digest = sha256_hex(content)
