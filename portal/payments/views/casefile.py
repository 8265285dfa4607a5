"""The payments of one case file: details, instalments with their gates, orders, what comes back."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.core.i18n import _
from portal.core.pages import done, go, page
from portal.core.web import Form, tell
from portal.payments import attempts, policy, queries, service
from portal.payments.models import UNVERIFIED, BankDetails
from portal.payments.rules import COOLING_OFF
from portal.payments.views.blueprint import blueprint, case, order_page, tab
from portal.payments.ways import way_of


@blueprint.get("/files/<ref>/payments")
@guard.members_only
def payments_tab(ref: str) -> ResponseReturnValue:
    """Show what is paid, what is not, and why."""
    application = guard.get_or_404(Application, ref, policy.can_open_tab)
    person = guard.signed_in()
    award = queries.award_of(application)
    if award is None:
        return render_template("payments/no_award.html", application=application)
    found = queries.account(award)
    own = applications.is_member(person, application)
    details = found.standing.details
    return render_template(
        "payments/tab.html",
        application=application,
        award=award,
        found=found,
        details=details,
        refused=queries.last_refused(award) if own and details is None else None,
        own=own,
        came_back=attempts.last_lost(award, found.lost)
        if own and not found.standing.doubt
        else None,
        may_enter=own and award.status in queries.ENTERED_FOR,
        may_check=details is not None and _may_check(details),
        may_prepare=policy.can_prepare(person, application),
        may_draw=policy.can_prepare(person, application) and queries.balance_waits(found),
        may_close=queries.can_close(found, person),
        pause_hours=int(COOLING_OFF.total_seconds() // 3600),
    )


def _may_check(details: BankDetails) -> bool:
    return details.status in UNVERIFIED and policy.can_check(guard.signed_in(), details)


@blueprint.route("/files/<ref>/payments/<int:number>/prepare", methods=["GET", "POST"])
@guard.members_only
def prepare(ref: str, number: int) -> ResponseReturnValue:
    """Ask, then prepare the payment of an instalment."""
    application, award = case(ref)
    instalment = next((each for each in award.instalments if each.number == number), None)
    if instalment is None or not policy.can_prepare(guard.signed_in(), application):
        return go(tab(ref))
    form = Form()
    if form.validate_on_submit():
        order = service.prepare_order(instalment, by=guard.signed_in())
        tell(_("Prepared. Next: a certifying officer certifies the use of funds."))
        return go(order_page(order.ref))
    found = queries.account(award)
    gates = found.standing.gates(instalment)
    return page(
        "payments/prepare.html",
        form,
        application=application,
        award=award,
        instalment=instalment,
        gates=gates,
        ready=all(gate.is_open for gate in gates),
        due=found.standing.due_usd(instalment),
        attempts=found.lost.get(instalment.id, ()),
        details=found.standing.details,
        way=way_of(award),
    )


@blueprint.route("/files/<ref>/payments/balance", methods=["GET", "POST"])
@guard.members_only
def balance(ref: str) -> ResponseReturnValue:
    """Ask, then draw the balance: what lapses, what is given back, what comes back."""
    application, award = case(ref)
    if not policy.can_prepare(guard.signed_in(), application):
        return go(tab(ref))
    form = Form()
    if done(
        form,
        lambda: service.settle_account(award, by=guard.signed_in()),
        _("The balance is drawn."),
    ):
        return go(tab(ref))
    found = queries.account(award)
    return page(
        "payments/balance.html",
        form,
        application=application,
        award=award,
        standing=found.standing,
        lapsing=sum(1 for cents in found.standing.dues().values() if cents == 0),
        surplus=found.standing.committed - sum(found.standing.dues().values()),
        receivable=found.receivable,
    )
