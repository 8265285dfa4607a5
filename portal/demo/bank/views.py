"""The page of the pretend bank: what is with it, and what it may do."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.db import session
from portal.core.i18n import _, _l, locale, ngettext
from portal.core.money import BadAmount, Money
from portal.core.pages import go, refuse
from portal.core.web import Form, choices, public, tell
from portal.core.workflow import Refused
from portal.demo.bank import acts
from portal.demo.views import demand_demonstration
from portal.payments.models import BankAccount, PaymentOrder
from portal.payments.service.bank_messages import Received

blueprint = Blueprint("pretend_bank", __name__)
blueprint.before_request(demand_demonstration)

CHARGE = 15_00
ACTS: dict[str, tuple[Callable[[Sequence[PaymentOrder]], list[Received]], Any]] = {
    "accept": (acts.accept, _l("Say that it will pay")),
    "settle": (acts.settle, _l("Pay, and send a statement")),
    "reject": (acts.reject, _l("Refuse: the account is closed")),
    "return": (acts.return_payments, _l("Give back: the account is closed")),
    "keep": (
        partial(acts.return_payments, kept=CHARGE),
        _l("Give back, and keep a charge of 15.00"),
    ),
    "debit": (acts.settle, _l("Pay it all the same")),
    "correct": (acts.correct, _l("Take such a debit back")),
}
UNPAID, PAID, REFUSED = ("accept", "settle", "reject"), ("return", "keep"), ("debit", "correct")


class CreditForm(Form):
    """Money that arrives on an account of a fund."""

    account = SelectField(_l("Account"), validators=[InputRequired(_l("Choose the account."))])
    amount = StringField(_l("Amount"), validators=[InputRequired(_l("Give the amount."))])
    payer = StringField(
        _l("Who pays"), validators=[InputRequired(_l("Say who pays.")), Length(max=140)]
    )
    text = StringField(
        _l("What they write"),
        description=_l("The reference of an agreement or of a refund is found; all else waits."),
        validators=[Length(max=140)],
    )


@blueprint.get("/demo/bank")
@public
def show() -> ResponseReturnValue:
    """Show what is with the pretend bank, and what it may do."""
    return _page(_credit_form(None))


def _page(form: CreditForm, status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "demo/bank.html",
            form=form,
            found=acts.in_hand(),
            unpaid_acts=[(act, ACTS[act][1]) for act in UNPAID],
            paid_acts=[(act, ACTS[act][1]) for act in PAID],
            refused_acts=[(act, ACTS[act][1]) for act in REFUSED],
            accounts=acts.open_accounts(),
        ),
        status,
    )


def _credit_form(formdata: Any) -> CreditForm:
    form = CreditForm(formdata=formdata)
    accounts = [_named(account) for account in acts.open_accounts()]
    form.account.choices = choices([("", _("Choose the account")), *accounts])
    return form


def _named(account: BankAccount) -> tuple[str, str]:
    return str(account.id), f"{account.fund_code.upper()}, {account.currency}, {account.account}"


@blueprint.post("/demo/bank/payments")
@public
def move() -> ResponseReturnValue:
    """Do one thing with the payments that are ticked."""
    act, _label = ACTS.get(request.form.get("act", ""), (None, None))
    ticked = set(request.form.getlist("order"))
    orders = [each for each in acts.in_hand() if each.ref in ticked]
    if act is None or not orders:
        flash(_("Tick at least one payment."), "stop")
        return go(url_for("pretend_bank.show"))
    try:
        told = act(orders)
    except Refused as refused:
        session.rollback()
        flash(refused.sentence, "stop")
    else:
        _say(told)
    return go(url_for("pretend_bank.show"))


@blueprint.post("/demo/bank/credit")
@public
def credit() -> ResponseReturnValue:
    """Let money arrive."""
    form = _credit_form(request.form)
    if not form.validate_on_submit():
        return _page(form, 422)
    account = next(each for each in acts.open_accounts() if str(each.id) == form.account.data)
    try:
        amount = Money.parse(form.amount.data, account.currency, str(locale()))
        told = acts.credit(account, amount, form.payer.data, form.text.data or "")
    except BadAmount as bad:
        form.amount.errors = [bad.sentence]
        return _page(form, 422)
    except Refused as refused:
        session.rollback()
        refuse(form, refused)
        return _page(form, 422)
    _say([told])
    return go(url_for("pretend_bank.show"))


def _say(told: Sequence[Received]) -> None:
    tell(ngettext("%(num)s file handed in.", "%(num)s files handed in.", len(told)))
    for each in told:
        for sentence in each.left:
            tell(sentence, "wait")
