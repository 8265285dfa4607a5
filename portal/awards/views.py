"""The pages of awards: the agreement tab, the offer, the budget, the signatures, what befalls."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Blueprint, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications.models import Application
from portal.applications.queries import names, open_answers
from portal.awards import document, policy, queries, rules, service
from portal.awards.forms import (
    AcceptForm,
    CountersignForm,
    OfferForm,
    ReasonForm,
    budget_form,
    category_name,
    line_name,
    typed_amounts,
)
from portal.awards.models import Agreement, Award, AwardAction, AwardStatus, PayingAgent
from portal.awards.workflow import WORKFLOW
from portal.core import i18n
from portal.core.files import open_stored
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.pdf import PdfUnavailable
from portal.core.templating import document as write
from portal.core.web import Form, attachment, tell
from portal.core.workflow import Refused

blueprint = Blueprint("awards", __name__)

UNPROCESSABLE = 422
PDF = "application/pdf"

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


def visible(ref: str) -> Application:
    """Return a file whose agreement tab the reader may open. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.can_open_tab)


def found(ref: str) -> Award:
    """Return the award of a file. Raises NotFound before the offer."""
    award = queries.award_of(visible(ref))
    if award is None:
        raise NotFound
    return award


def page(template: str, form: Form, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, **context)
    return (answer, UNPROCESSABLE) if form.errors or form.form_errors else answer


def back(application: Application) -> ResponseReturnValue:
    """Send the browser to the agreement tab with a GET."""
    return redirect(url_for("awards.agreement_tab", ref=application.ref), code=303)


def attempt(form: Form, act: Callable[[], object]) -> bool:
    """Do `act`; a refusal is shown at the top of the form, with all that was typed."""
    try:
        act()
    except Refused as refused:
        form.form_errors.append(refused.sentence)
        return False
    except PdfUnavailable as missing:
        form.form_errors.append(str(missing))
        return False
    return True


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
    return render_template(
        "awards/agreement_tab.html",
        application=application,
        award=award,
        acts=acts(person, award),
        next_step=next_step(person, award),
        signers=_signers(award),
        **_parts(award),
    )


def _parts(award: Award) -> dict[str, Any]:
    return {
        "budget": document.budget_rows(award),
        "lines": award.budget,
        "payments": list(zip(award.instalments, document.payment_rows(award), strict=True)),
        "reports": document.report_rows(award),
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


def _signers(award: Award) -> list[dict[str, Any]]:
    """Return who signed, as the macro of documents takes them. At most one SQL statement."""
    signed = award.agreement
    if signed is None:
        return []
    known = names([signed.countersigned_by_id])
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


@blueprint.route("/files/<ref>/offer", methods=["GET", "POST"])
@guard.members_only
def offer(ref: str) -> ResponseReturnValue:
    """Prepare the offer: days and paying office; the amount is the decision's."""
    application = visible(ref)
    person = guard.signed_in()
    if not policy.can_offer(person, application):
        raise NotFound
    if queries.award_of(application) is not None:
        return back(application)
    form = OfferForm(data=_proposed(application))
    if form.validate_on_submit() and attempt(
        form,
        lambda: service.offer(
            application,
            starts_on=form.starts_on.data,
            ends_on=form.ends_on.data,
            paying_agent=PayingAgent(form.paying_agent.data),
            by=person,
        ),
    ):
        tell(_("The offer is on its way to the grantee."))
        return back(application)
    return page(
        "awards/offer.html",
        form,
        application=application,
        decision=queries.decision_of(application),
    )


def _proposed(application: Application) -> dict[str, Any]:
    """Return the days that the application asks for, and the office that usually pays."""
    answers = open_answers(application)
    days = {key: rules.day_or_none(answers.get(key)) for key in ("starts_on", "ends_on")}
    travel = "travel" in application.fund.process.stages
    agent = PayingAgent.HEADQUARTERS if travel else PayingAgent.UNDP
    return days | {"paying_agent": agent.value}


@blueprint.route("/files/<ref>/agreement/budget", methods=["GET", "POST"])
@guard.members_only
def revise(ref: str) -> ResponseReturnValue:
    """Bring the budget down to the award, line by line (R18)."""
    award = found(ref)
    person = guard.signed_in()
    if not policy.can_revise(person, award):
        return back(award.application)
    form = budget_form(award)
    total = award.budgeted_usd
    if form.validate_on_submit():
        typed = typed_amounts(form, award)
        total = sum(typed.values())
        amounts = {line.id: typed.get(line.position, 0) for line in award.budget}
        if len(typed) == len(award.budget) and attempt(
            form, lambda: service.revise_budget(award, amounts, by=person)
        ):
            tell(_("The budget equals the award now, and the document has been made."))
            return back(award.application)
    rows = [
        (line, category_name(award, line.category), form[line_name(line.position)])
        for line in award.budget
    ]
    return page(
        "awards/revise.html",
        form,
        application=award.application,
        award=award,
        rows=rows,
        asked={line.position: usd(line.requested_usd) for line in award.budget},
        total=usd(total),
        requested=usd(sum(line.requested_usd for line in award.budget)),
    )


@blueprint.route("/files/<ref>/agreement/accept", methods=["GET", "POST"])
@guard.freshly(guard.anybody)
def accept(ref: str) -> ResponseReturnValue:
    """Accept the award by typing one's own name, the password freshly given."""
    award = found(ref)
    person = guard.signed_in()
    if not policy.can_sign(person, award):
        raise NotFound
    if award.status is not AwardStatus.OFFERED or award.agreement is None:
        return back(award.application)
    form = AcceptForm()
    if form.validate_on_submit() and attempt(
        form, lambda: service.accept(award, form.typed_name.data, by=person)
    ):
        tell(_("You have signed. Thank you."))
        return back(award.application)
    return page(
        "awards/accept.html",
        form,
        application=award.application,
        award=award,
        person=person,
        **_parts(award),
    )


@blueprint.route("/files/<ref>/agreement/countersign", methods=["GET", "POST"])
@guard.freshly(guard.anybody)
def countersign(ref: str) -> ResponseReturnValue:
    """Countersign for the fund; the money is set aside with it."""
    award = found(ref)
    person = guard.signed_in()
    if not policy.can_countersign(person, award):
        raise NotFound
    if award.status is not AwardStatus.ACCEPTED:
        return back(award.application)
    form = CountersignForm()
    if form.validate_on_submit() and attempt(form, lambda: service.countersign(award, by=person)):
        tell(_("The agreement is signed by both sides, and the money is set aside."))
        return back(award.application)
    return page(
        "awards/countersign.html",
        form,
        application=award.application,
        award=award,
        signers=_signers(award),
    )


@blueprint.route("/files/<ref>/agreement/<action>", methods=["GET", "POST"])
@guard.members_only
def move(ref: str, action: str) -> ResponseReturnValue:
    """Suspend, resume, terminate, cancel or decline, each with its reason."""
    award = found(ref)
    person = guard.signed_in()
    offers = {each.action: each for each in WORKFLOW.offers(person, award)}
    if action not in {each.value for each in REASONED} or action not in offers:
        raise NotFound
    chosen = AwardAction(action)
    form = ReasonForm()
    if form.validate_on_submit() and attempt(
        form, lambda: REASONED[chosen][0](award, form.reason.data, by=person)
    ):
        tell(_("Done. The other side is told."))
        return back(award.application)
    return page(
        "awards/move.html",
        form,
        application=award.application,
        award=award,
        action=chosen.value,
        label=offers[chosen].label,
        kind=REASONED[chosen][1],
    )


@blueprint.get("/files/<ref>/agreement/document.pdf")
@guard.members_only
def download(ref: str) -> ResponseReturnValue:
    """Hand out the document as it was issued, byte for byte."""
    signed = _issued(found(ref))
    return attachment(
        send_file(
            open_stored(signed.file),
            mimetype=PDF,
            as_attachment=True,
            download_name=signed.file.name,
        )
    )


@blueprint.get("/files/<ref>/agreement/signatures.pdf")
@guard.members_only
def signatures(ref: str) -> ResponseReturnValue:
    """Hand out the record of signatures on the document."""
    award = found(ref)
    signed = _issued(award)
    if signed.signed_at is None:
        raise NotFound
    with i18n.speaking(award.application.language):
        content = write(
            "signatures",
            award=award,
            agreement=signed,
            fund=award.fund,
            parties=_signers(award),
            reference=award.ref,
            dated=(signed.countersigned_at or signed.signed_at).date(),
        )
    return attachment(
        send_file(
            BytesIO(content),
            mimetype=PDF,
            as_attachment=True,
            download_name=f"signatures-{award.ref}.pdf",
        )
    )


def _issued(award: Award) -> Agreement:
    if award.agreement is None:
        raise NotFound
    return award.agreement
