"""Bank details: the grantee's form, and the page on which a second person checks them."""

from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications import policy as applications
from portal.core.i18n import _
from portal.core.pages import done, go, page
from portal.core.web import tell
from portal.payments import payees, policy, queries, reasons, service
from portal.payments.forms import BankForm, RefuseForm, VerifyForm
from portal.payments.models import STANDING, BankDetails, BankStatus
from portal.payments.views.blueprint import blueprint, case, tab


@blueprint.route("/files/<ref>/payments/bank", methods=["GET", "POST"])
@guard.freshly(guard.anybody)
def bank(ref: str) -> ResponseReturnValue:
    """Let the grantee enter bank details, or replace those that stand."""
    application, award = case(ref)
    person = guard.signed_in()
    if not applications.is_member(person, application):
        raise NotFound
    form = BankForm()
    if done(
        form,
        lambda: service.enter_bank_details(award, form.payee(), by=person),
        _("The bank details are kept, encrypted. Finance checks them next."),
    ):
        for doubt in payees.doubts(payees.cleaned(form.payee())):
            tell(doubt, "wait")
        return go(tab(ref))
    found = queries.account(award).standing.details
    return page("payments/bank.html", form, application=application, award=award, details=found)


@blueprint.route("/payments/bank/<uuid:details_id>", methods=["GET", "POST"])
@guard.freshly(policy.has_queue)
def check_bank(details_id: UUID) -> ResponseReturnValue:
    """Let a second person open the details, which is an act of record, and speak on them."""
    details = guard.get_or_404(BankDetails, details_id, policy.can_check)
    person = guard.signed_in()
    act = request.form.get("act", "")
    verify = VerifyForm(formdata=request.form if act == "verify" else None)
    reject = RefuseForm(formdata=request.form if act == "reject" else None)
    ref = details.award.application.ref
    if act == "verify" and done(
        verify,
        lambda: service.verify_bank_details(details, screened=verify.screened.data, by=person),
        _("The bank details are verified."),
    ):
        return go(url_for("payments.queue"))
    if act == "reject" and done(
        reject,
        lambda: service.reject_bank_details(details, reject.remark.data, by=person),
        _("The bank details are not accepted; the grantee is told."),
        "wait",
    ):
        return go(tab(ref))
    opened = bool(act) and details.status in STANDING
    payee = service.read_bank_details(details, by=person) if opened else None
    return page(
        "payments/check_bank.html",
        reject if act == "reject" else verify,
        application=details.award.application,
        award=details.award,
        details=details,
        doubt=reasons.in_words(details.remark) if details.status is BankStatus.DOUBTED else "",
        payee=payee,
        checks=payees.checks(payee) if payee else None,
        twins=service.same_account(details),
        verify=verify,
        reject=reject,
    )
