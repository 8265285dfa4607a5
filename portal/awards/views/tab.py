"""The agreement tab of a file: the award, its document, signatures and the next step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications.queries import names
from portal.awards import document, policy, queries, service
from portal.awards.models import Award, AwardAction, AwardStatus
from portal.awards.views import amending
from portal.awards.views.blueprint import blueprint, visible
from portal.awards.workflow import WORKFLOW
from portal.core.i18n import _

REASONED: dict[AwardAction, tuple[Callable[..., None], str]] = {
    AwardAction.SUSPEND: (service.suspend, "secondary"),
    AwardAction.RESUME: (service.resume, "primary"),
    AwardAction.TERMINATE: (service.terminate, "stop"),
    AwardAction.CANCEL: (service.cancel, "stop"),
    AwardAction.DECLINE: (service.decline, "stop"),
}
"""Acts that need nothing but their reason."""

SIGNED = {
    AwardAction.ACCEPT: "awards.accept",
    AwardAction.COUNTERSIGN: "awards.countersign",
}


@dataclass(frozen=True)
class Act:
    """Something the reader may do with the award, or the reason why it has to wait."""

    label: str
    href: str
    refusal: str | None
    kind: str


@blueprint.get("/files/<ref>/agreement")
@guard.members_only
def agreement_tab(ref: str) -> ResponseReturnValue:
    """Show the award, its document and signatures, and the next step."""
    application = visible(ref)
    person = guard.signed_in()
    award = queries.award_of(application)
    if award is None:
        return render_template(
            "awards/before.html",
            application=application,
            decision=queries.decision_of(application),
            may_offer=policy.can_offer(person, application),
        )
    amendments = amending.listed(person, award)
    return render_template(
        "awards/agreement_tab.html",
        application=application,
        award=award,
        acts=acts(person, award),
        next_step=next_step(person, award),
        signers=signers(award, amendments["people"]),
        **amendments,
        **parts(award),
    )


def parts(award: Award) -> dict[str, Any]:
    """Return budget, instalments and reports of the award, as its tables show them."""
    return {
        "budget": document.budget_rows(award),
        "lines": award.budget,
        "payments": list(zip(award.instalments, document.payment_rows(award), strict=True)),
        "reports": document.report_rows(award, queries.agreed_on(award)),
    }


def acts(person: Person, award: Award) -> list[Act]:
    """Return what the person may do with the award now."""
    ref = award.application.ref
    listed = []
    if policy.can_revise(person, award):
        href = url_for("awards.revise", ref=ref)
        listed.append(Act(_("Bring the budget to the amount awarded"), href, None, "primary"))
    for offer_made in WORKFLOW.offers(person, award):
        action = AwardAction(offer_made.action)
        if action in SIGNED:
            href, kind = url_for(SIGNED[action], ref=ref), "primary"
        elif action in REASONED:
            href, kind = url_for("awards.move", ref=ref, action=action.value), REASONED[action][1]
        else:
            continue
        listed.append(Act(str(offer_made.label), href, offer_made.refusal, kind))
    return listed


def next_step(person: Person, award: Award) -> str:
    """Say in one sentence what happens next, and whose turn it is."""
    member = person.organisation_ids() & {award.application.organisation_id}
    waits = {
        AwardStatus.ACCEPTED: _("The approving authority of the fund countersigns next."),
        AwardStatus.ACTIVE: _("The grant is in force. Payments and reports come next."),
        AwardStatus.SUSPENDED: _("Nothing is paid until the suspension is lifted."),
        AwardStatus.TERMINATED: _("The grant has ended early. Its account is settled next."),
        AwardStatus.DECLINED: _("The offer was declined. Nothing follows."),
        AwardStatus.CANCELLED: _("The award was cancelled. Nothing follows."),
        AwardStatus.CLOSED: _("The grant is closed. Nothing is left to do."),
    }
    if award.status is not AwardStatus.OFFERED:
        return waits[award.status]
    if award.agreement is None:
        if member:
            return _("Less was awarded than you asked for: bring your budget to the award first.")
        return _("The grantee brings its budget to the amount awarded; then the document is made.")
    if policy.can_sign(person, award):
        return _("Read the document, then accept it or decline it.")
    return _("The legal representative of the grantee reads the document and answers.")


def signers(award: Award, people: Mapping[UUID, str] | None = None) -> list[dict[str, Any]]:
    """Return who signed, as the macro of documents takes them. At most one SQL statement.

    `people` are names that were read already.
    """
    signed = award.agreement
    if signed is None:
        return []
    known = names([signed.countersigned_by_id]) if people is None else people
    parties = [
        {
            "party": award.application.organisation.name,
            "name": signed.signed_name or "",
            "capacity": _("Legal representative"),
            "at": signed.signed_at,
            "digest": signed.digest if signed.signed_at else None,
        }
    ]
    if award.fund.process.countersigned:
        countersigned = signed.countersigned_by_id
        parties.append(
            {
                "party": _("the fund"),
                "name": known.get(countersigned, "") if countersigned else "",
                "capacity": _("Approving authority"),
                "at": signed.countersigned_at,
                "digest": signed.digest if signed.countersigned_at else None,
            }
        )
    return parties
