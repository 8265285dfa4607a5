"""Giving a gift by card back: one person asks for it, another one confirms it."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.contributions import policy
from portal.contributions.models.cards import CardGift, CardRefund, RefundAction, RefundStatus
from portal.contributions.queries import cards as queries
from portal.contributions.service import cards as service
from portal.contributions.views.card_forms import RefundForm
from portal.contributions.views.cards import blueprint, fund_or_404, seen
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import format_amount
from portal.core.pages import UNPROCESSABLE, refuse
from portal.core.web import Form, tell
from portal.core.workflow import Refused

CLOSING = {each.value: each for each in (RefundAction.WITHDRAW, RefundAction.NOTE)}


@blueprint.route("/card-gifts/<ref>/refund", methods=["GET", "POST"])
@guard.freshly(policy.asks_refunds)
def refund(ref: str) -> ResponseReturnValue:
    """Ask that a gift goes back, a part or all of it."""
    found = seen(ref)
    person = guard.signed_in()
    if found.contribution is None or not policy.can_ask_refund(person, found.contribution):
        raise NotFound
    left = service.refundable(found)
    form = RefundForm(amount=format_amount(left))
    amount = form.money(found.currency) if form.validate_on_submit() else None
    if amount is not None:
        try:
            service.ask_refund(found, amount, form.reason.data, by=person)
        except Refused as refused:
            session.rollback()
            refuse(form, refused)
        else:
            tell(_("The refund waits for a second person: finance of the fund confirms it."))
            return _back(ref)
    page = render_template(
        "giving/refund.html", gift=found, fund=fund_or_404(found.fund_code), left=left, form=form
    )
    return (page, UNPROCESSABLE) if form.errors else page


@blueprint.route("/card-gifts/<ref>/refunds/<refund_ref>/confirm", methods=["GET", "POST"])
@guard.freshly(policy.records)
def confirm_refund(ref: str, refund_ref: str) -> ResponseReturnValue:
    """Ask the second person, then send the refund."""
    gift = seen(ref)
    found = _refund(gift, refund_ref)
    person = guard.signed_in()
    if not policy.can_confirm_refund(person, found):
        raise NotFound
    if found.status is not RefundStatus.PROPOSED:
        return _back(ref)
    form = Form()
    if form.validate_on_submit():
        try:
            service.confirm_refund(found, by=person)
        except Refused as refused:
            session.rollback()
            refuse(form, refused)
        else:
            tell(_("The refund is on its way to the card processor."), "wait")
            return _back(ref)
    page = render_template(
        "giving/confirm_refund.html",
        gift=gift,
        refund=found,
        fund=fund_or_404(gift.fund_code),
        people=queries.names_of([found]),
        left=service.confirmable(found),
        form=form,
    )
    return (page, UNPROCESSABLE) if form.errors else page


@blueprint.post("/card-gifts/<ref>/refunds/<refund_ref>/<act>")
@guard.requires(policy.asks_refunds)
def close_refund(ref: str, refund_ref: str, act: str) -> ResponseReturnValue:
    """Withdraw a refund, or note that one that failed was seen to."""
    found = _refund(seen(ref), refund_ref)
    action = CLOSING.get(act)
    if action is None:
        raise NotFound
    if Form().validate_on_submit():
        try:
            service.close_refund(found, action, by=guard.signed_in())
        except Refused as refused:
            session.rollback()
            tell(refused.sentence, "stop")
    return _back(ref)


def _refund(gift: CardGift, refund_ref: str) -> CardRefund:
    """Return a refund of a gift. Raises NotFound."""
    found = next((each for each in gift.refunds if each.ref == refund_ref), None)
    if found is None:
        raise NotFound
    return found


def _back(ref: str) -> ResponseReturnValue:
    return redirect(url_for("giving.file", ref=ref), code=303)
