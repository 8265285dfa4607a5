"""Giving by card: the public pages of a gift, and those on which finance looks after gifts."""

from urllib.parse import urlsplit

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard, rules
from portal.accounts.service import throttle
from portal.contributions import policy
from portal.contributions.models.cards import STANDINGS, CardGift, GiftStatus
from portal.contributions.queries import cards as queries
from portal.contributions.queries.lookup import receipt_of
from portal.contributions.service import cards as service
from portal.contributions.views.card_forms import GivingForm
from portal.contributions.workflow import REFUND_WORKFLOW
from portal.core import stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.i18n import _, language
from portal.core.pages import UNPROCESSABLE, refuse
from portal.core.paging import pager, select_page
from portal.core.web import CONTENT_SECURITY_POLICY, Form, public, tell
from portal.core.workflow import Refused
from portal.funds import queries as funds
from portal.funds.profile import Profile

blueprint = Blueprint("giving", __name__)

CHECKOUT = "https://checkout.stripe.com"


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"takes_cards": stripe.is_on}


@blueprint.route("/funds/<code>/give", methods=["GET", "POST"])
@public
def give(code: str) -> ResponseReturnValue:
    """Ask what somebody wants to give, and keep it with the call that will ask for the payment."""
    fund = fund_or_404(code)
    if not stripe.is_on():
        return render_template("giving/switched_off.html", fund=fund)
    form = GivingForm(currency="USD")
    if form.validate_on_submit():
        gift = _begun(form, fund)
        if gift is not None:
            return redirect(url_for("giving.gift", ref=gift.ref), code=303)
    page = render_template("giving/give.html", fund=fund, form=form)
    return (page, UNPROCESSABLE) if form.errors else page


def _begun(form: GivingForm, fund: Profile) -> CardGift | None:
    """Return the gift that was typed, or None with the reason in the form."""
    amount = form.money()
    if amount is None:
        return None
    settings: Settings = current_app.config["SETTINGS"]
    try:
        throttle.demand_form_free(rules.network_of(request.remote_addr))
        return service.begin_gift(
            service.Giving(
                fund_code=fund.code,
                amount=amount,
                name=form.name.data,
                email=form.email.data,
                unnamed=form.unnamed.data,
                language=language(),
            ),
            title=_("Gift to %(fund)s", fund=fund.acronym),
            pages=f"{settings.base_url}/gifts",
        )
    except Refused as refused:
        session.rollback()
        refuse(form, refused)
        return None


@blueprint.get("/gifts/<ref>")
@public
def gift(ref: str) -> ResponseReturnValue:
    """Show where a gift stands, by the records alone, and what happens next."""
    found = _gift(ref)
    given = found.contribution
    return _lets_leave(
        render_template(
            "giving/gift.html",
            gift=found,
            fund=fund_or_404(found.fund_code),
            receipt=receipt_of(given) if given else None,
        )
    )


@blueprint.get("/gifts/<ref>/stopped")
@public
def stopped(ref: str) -> ResponseReturnValue:
    """Say that nothing was charged, to whoever came back without paying."""
    found = _gift(ref)
    if found.status is not GiftStatus.BEGUN:
        return redirect(url_for("giving.gift", ref=ref), code=303)
    return _lets_leave(
        render_template("giving/stopped.html", gift=found, fund=fund_or_404(found.fund_code))
    )


@blueprint.post("/gifts/<ref>/pay")
@public
def pay(ref: str) -> ResponseReturnValue:
    """Send the donor to the card processor's page."""
    found = _gift(ref)
    if not Form().validate_on_submit():
        return redirect(url_for("giving.gift", ref=ref), code=303)
    try:
        address = service.open_checkout(found)
    except Refused as refused:
        session.rollback()
        tell(refused.sentence, "stop")
        return redirect(url_for("giving.gift", ref=ref), code=303)
    return redirect(address, code=303)


@blueprint.post("/gifts/<ref>/look")
@public
def look(ref: str) -> ResponseReturnValue:
    """Ask the card processor at once, for whoever has paid and does not see it yet."""
    found = _gift(ref)
    if Form().validate_on_submit() and found.is_open and found.session_id:
        try:
            throttle.demand_form_free(rules.network_of(request.remote_addr))
        except Refused as often:
            session.rollback()
            tell(often.sentence, "wait")
        else:
            _look(found)
    return redirect(url_for("giving.gift", ref=ref), code=303)


def _look(found: CardGift) -> None:
    """Look at a gift; where that fails it counts all the same as one more of the network's."""
    try:
        with session.begin_nested():
            service.look_at(found)
    except (Refused, stripe.Later, stripe.Unanswered, stripe.Declined, stripe.NotOurs):
        tell(_("The card processor has not told us yet. Try again in some minutes."), "wait")


@blueprint.get("/card-gifts")
@guard.requires(policy.reads)
def gifts() -> ResponseReturnValue:
    """List the gifts by card of the reader's funds."""
    status = STANDINGS.get(request.args.get("status", ""))
    rows = queries.gifts_visible_to(guard.signed_in(), status)
    page = select_page(rows, request.args.get("page", 1, int))
    return render_template(
        "giving/gifts.html",
        gifts=page.rows,
        funds={fund.code: fund for fund in funds.profiles()},
        status=status,
        statuses=list(STANDINGS.values()),
        pager=pager(page, lambda number: url_for("giving.gifts", page=number, status=status)),
        is_on=stripe.is_on(),
    )


@blueprint.get("/card-gifts/<ref>")
@guard.requires(policy.reads)
def file(ref: str) -> ResponseReturnValue:
    """Show one gift to staff: its movements at the card processor, refunds, payouts."""
    found = seen(ref)
    person = guard.signed_in()
    contribution = found.contribution
    return render_template(
        "giving/file.html",
        gift=found,
        fund=fund_or_404(found.fund_code),
        left=service.refundable(found),
        may_refund=contribution is not None and policy.can_ask_refund(person, contribution),
        offers={
            each.id: REFUND_WORKFLOW.offers(person, each)
            for each in found.refunds
            if each.closed_at is None
        },
        people=queries.names_of(found.refunds),
    )


@blueprint.get("/card-payouts")
@guard.requires(policy.reads)
def payouts() -> ResponseReturnValue:
    """List the payouts of the card processor with money of the reader's funds."""
    page = select_page(
        queries.payouts_visible_to(guard.signed_in()), request.args.get("page", 1, int)
    )
    return render_template(
        "giving/payouts.html",
        payouts=page.rows,
        pager=pager(page, lambda number: url_for("giving.payouts", page=number)),
    )


def _lets_leave(page: str) -> ResponseReturnValue:
    """Return a page whose form may lead on to the card processor's own."""
    settings: Settings = current_app.config["SETTINGS"]
    parts = urlsplit(settings.stripe_api_base)
    place = f"{parts.scheme}://{parts.netloc}" if parts.netloc else CHECKOUT
    answer = make_response(page)
    answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", f"form-action 'self' {place}"
    )
    return answer


def _gift(ref: str) -> CardGift:
    found = queries.gift_by_ref(ref)
    if found is None:
        raise NotFound
    return found


def seen(ref: str) -> CardGift:
    """Return a gift that exists for the reader, with what belongs to it. Raises NotFound."""
    found = queries.gift_in_full(ref)
    if found is None or not policy.reads_fund(guard.signed_in(), found.fund_code):
        raise NotFound
    return found


def fund_or_404(code: str) -> Profile:
    """Return the fund of a code. Raises NotFound."""
    found = funds.profile(code)
    if found is None:
        raise NotFound
    return found
