"""Signatures on the document, its downloads, and what befalls a grant with its reason."""

from io import BytesIO

from flask import send_file
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.awards import policy, service
from portal.awards.forms import (
    AcceptForm,
    CountersignForm,
    ReasonForm,
)
from portal.awards.models import Agreement, Award, AwardAction, AwardStatus
from portal.awards.views.blueprint import PDF, attempt, back, blueprint, found
from portal.awards.views.tab import REASONED, parts, signers
from portal.awards.workflow import WORKFLOW
from portal.core import i18n
from portal.core.i18n import _
from portal.core.pages import page
from portal.core.templating import document as write
from portal.core.web import attachment, hand_out, tell


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
        **parts(award),
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
        signers=signers(award),
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
    return hand_out(_issued(found(ref)).file)


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
            parties=signers(award),
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
