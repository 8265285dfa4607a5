"""The pages of the pretend card processor: where a donor pays, and where its staff is played."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.core.i18n import _
from portal.core.stripe import from_stripe
from portal.core.web import Form, public, tell
from portal.demo.stripe.processor import NotNow, Processor, processor

blueprint = Blueprint("pretend", __name__, url_prefix="/demo/stripe")

SHOWN = 50


@blueprint.before_request
def demand_demonstration() -> None:
    """Raise NotFound outside of a demonstration, whoever registered these pages."""
    if "pretend_processor" not in current_app.extensions:
        raise NotFound


@blueprint.route("/pay/<session_id>", methods=["GET", "POST"])
@public
def pay(session_id: str) -> ResponseReturnValue:
    """Show the page on which a donor pays, and do what the pressed button says."""
    here = processor()
    with here.store.turn() as turn:
        page = turn.find("checkout.session", session_id)
    if page is None:
        raise NotFound
    if Form().validate_on_submit():
        act = request.form.get("act", "")
        if act == "decline":
            tell(_("The card was declined. Try another one, or go back."), "stop")
            return redirect(url_for("pretend.pay", session_id=session_id), code=303)
        if act == "abandon":
            return redirect(_path(page["cancel_url"]), code=303)
        if act in {"pay", "later"}:
            here.pay(session_id, later=act == "later")
            return redirect(_path(page["success_url"]), code=303)
    amount = from_stripe(page["amount_total"], page["currency"])
    return render_template("demo/stripe/pay.html", page=page, amount=amount)


def _path(address: str) -> str:
    """Return where our own pages are: the demonstration leads back into itself."""
    return urlsplit(address).path


def _of_grantee(name: str) -> tuple[str, str]:
    """Return a payout and the grantee's account that it leaves, as the page names them."""
    payout, _slash, account = name.partition("/")
    return payout, account


ACTS: dict[str, Callable[[Processor, str], object]] = {
    "refund": lambda here, name: here.refund(name, None, {}),
    "dispute": lambda here, name: here.dispute(name),
    "answer": lambda here, name: here.answer_dispute(name),
    "win": lambda here, name: here.end_dispute(name, won=True),
    "lose": lambda here, name: here.end_dispute(name, won=False),
    "arrive": lambda here, name: here.arrive(name),
    "bounce": lambda here, name: here.arrive(name, fail=True),
    "expire": lambda here, name: here.expire(name),
    "fail_refund": lambda here, name: here.fail_refund(name),
    "fail_payout": lambda here, name: here.fail_payout(name),
    "take_grant": lambda here, name: here.settle_payout(*_of_grantee(name)),
    "refuse_grant": lambda here, name: here.fail_payout(*_of_grantee(name)),
    "charge_fee": lambda here, _name: here.charge_fee(),
    "pay_out": lambda here, _name: here.pay_out(),
}


@blueprint.route("/staff", methods=["GET", "POST"])
@public
def staff() -> ResponseReturnValue:
    """Show what the processor holds, and do what its staff, or a donor's bank, would do."""
    here = processor()
    act = ACTS.get(request.form.get("act", ""))
    if act is not None and Form().validate_on_submit():
        try:
            act(here, request.form.get("name", ""))
        except NotNow as no:
            tell(no.sentence, "stop")
        except KeyError:
            raise NotFound from None
        else:
            tell(_("Done. The portal is told of it in a moment."))
        return redirect(url_for("pretend.staff"), code=303)
    with here.store.turn() as turn:
        kinds = ("checkout.session", "charge", "refund", "dispute", "payout")
        held = {kind.rpartition(".")[2]: turn.all(kind)[:SHOWN] for kind in kinds}
        grants = [
            (each, account["id"])
            for account in turn.all("account")
            for each in turn.all("payout", account["id"])
        ][:SHOWN]
    return render_template("demo/stripe/staff.html", held=held, grants=grants, money=from_stripe)
