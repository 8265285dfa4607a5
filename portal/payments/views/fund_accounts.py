"""The funds' own bank accounts: entered by treasury, confirmed by a second person."""

from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.core.i18n import _, translated
from portal.core.pages import done, go, page
from portal.core.web import Form, choices
from portal.funds.queries import profiles
from portal.payments import banking, policy, service
from portal.payments.forms import FundAccountForm
from portal.payments.models import BankAccount, BankAccountAction
from portal.payments.views.blueprint import blueprint
from portal.payments.workflow import ACCOUNT_WORKFLOW


def _list() -> str:
    return url_for("payments.fund_accounts")


@blueprint.get("/bank/accounts")
@guard.requires(policy.reads_bank)
def fund_accounts() -> ResponseReturnValue:
    """List the accounts of the funds, with what may be done with each."""
    person = guard.signed_in()
    rows = [
        (account, ACCOUNT_WORKFLOW.offers(person, account))
        for account in banking.fund_accounts(person)
    ]
    return page(
        "payments/fund_accounts.html",
        Form(),
        rows=rows,
        may_propose=bool(_own_funds()),
        names={each.code: translated(each.short_name) for each in profiles()},
    )


def _own_funds() -> list[tuple[str, str]]:
    person = guard.signed_in()
    return [
        (each.code, translated(each.short_name))
        for each in profiles()
        if policy.can_propose_account(person, each.code)
    ]


@blueprint.route("/bank/accounts/new", methods=["GET", "POST"])
@guard.freshly(policy.proposes_accounts)
def propose_account() -> ResponseReturnValue:
    """Let treasury enter an account of a fund."""
    form = FundAccountForm()
    form.fund.choices = choices([("", _("Choose the fund")), *_own_funds()])
    if done(
        form,
        lambda: service.propose_account(
            form.fund.data, form.currency.data, form.payee(), by=guard.signed_in()
        ),
        _("The account is entered. A second person confirms it before money moves through it."),
    ):
        return go(_list())
    return page("payments/propose_account.html", form)


@blueprint.route("/bank/accounts/<uuid:account_id>/<act>", methods=["GET", "POST"])
@guard.freshly(policy.reads_bank)
def move_account(account_id: UUID, act: str) -> ResponseReturnValue:
    """Confirm an account of a fund, or take it out of use."""
    account = guard.get_or_404(BankAccount, account_id, policy.can_see_account)
    person = guard.signed_in()
    form = Form()
    verbs = {
        BankAccountAction.CONFIRM.value: (
            service.confirm_account,
            _("Confirmed. From now on money moves through this account."),
        ),
        BankAccountAction.CLOSE.value: (
            service.close_account,
            _("Taken out of use. No payment leaves from this account any more."),
        ),
    }
    if act not in verbs:
        return go(_list())
    verb, told = verbs[act]
    if done(form, lambda: verb(account, by=person), told):
        return go(_list())
    row = ACCOUNT_WORKFLOW.find(account, BankAccountAction(act))
    if not form.errors and (row is None or not row.may(person, account)):
        return go(_list())
    return page(
        "payments/move_account.html",
        form,
        bank_account=account,
        label=str(row.label) if row else "",
        closes=act == BankAccountAction.CLOSE,
        unanswered=banking.unanswered(account),
    )
