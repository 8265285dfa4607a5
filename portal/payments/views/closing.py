"""The end of a grant: a refund that arrived, and the file that closes."""

from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.awards import policy as awards
from portal.core.i18n import _
from portal.core.pages import done, go, page
from portal.core.web import Form
from portal.payments import policy, queries, service
from portal.payments.forms import RefundForm
from portal.payments.service.closing import bank_tells, open_matter, receivable_of
from portal.payments.views.blueprint import blueprint, case, tab


@blueprint.route("/files/<ref>/payments/refund", methods=["GET", "POST"])
@guard.members_only
def refund(ref: str) -> ResponseReturnValue:
    """Record that a refund arrived."""
    application, award = case(ref)
    person = guard.signed_in()
    owed = receivable_of(award)
    if owed is None or not policy.can_settle(person, owed):
        raise NotFound
    form = RefundForm()
    if not form.is_submitted() and bank_tells(owed):
        return go(url_for("payments.receivable", ref=ref))
    if done(
        form,
        lambda: service.settle_receivable(
            owed, reference=form.reference.data, on=form.on.data, by=person
        ),
        _("The refund is recorded and booked."),
    ):
        return go(tab(ref))
    if not owed.is_owed:
        return go(tab(ref))
    return page("payments/refund.html", form, application=application, award=award, owed=owed)


@blueprint.route("/files/<ref>/payments/close", methods=["GET", "POST"])
@guard.members_only
def close(ref: str) -> ResponseReturnValue:
    """Ask, then close the file; or say what is still open."""
    application, award = case(ref)
    person = guard.signed_in()
    if not awards.can_manage(person, award):
        raise NotFound
    form = Form()
    if done(form, lambda: service.close_award(award, by=person), _("The file is closed.")):
        return go(url_for("applications.overview", ref=ref))
    found = queries.account(award)
    return page(
        "payments/close.html",
        form,
        application=application,
        award=award,
        standing=found.standing,
        still_open=open_matter(found.standing),
    )
