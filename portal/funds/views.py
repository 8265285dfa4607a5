"""Pages on which programme officers prepare, open and decide calls."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.core.i18n import _
from portal.core.pages import UNPROCESSABLE
from portal.core.web import tell
from portal.core.workflow import Refused
from portal.funds import policy, queries, service
from portal.funds.countries import Group, all_countries
from portal.funds.forms import CallForm, as_typed
from portal.funds.models import Call, CallAction, CallStatus
from portal.funds.workflow import WORKFLOW

blueprint = Blueprint("funds", __name__, url_prefix="/manage/calls")


@blueprint.get("")
@guard.requires(policy.reads_calls)
def calls() -> ResponseReturnValue:
    """List the calls of the person's funds."""
    chosen = {name: request.args.get(name, "") for name in ("fund_code", "status")}
    if chosen["status"] not in set(CallStatus):
        chosen["status"] = ""
    person = guard.signed_in()
    number = max(1, request.args.get("page", 1, type=int))
    return render_template(
        "funds/calls.html",
        page=queries.calls_page(person, number=number, **chosen),
        profiles=queries.profiles(),
        statuses=list(CallStatus),
        chosen=chosen,
        may_create=policy.runs_calls(person),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@guard.requires(policy.runs_calls)
def create_call() -> ResponseReturnValue:
    """Prepare a call as a draft."""
    form = _form()
    if form.validate_on_submit():
        try:
            call = service.create_call(form.fund.data, form.terms(), by=guard.signed_in())
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("The draft is saved. Nobody outside sees it until you publish it."))
            return _to(call)
    return _page("funds/edit_call.html", form, call=None)


@blueprint.get("/<ref>")
@guard.requires(policy.reads_calls)
def call(ref: str) -> ResponseReturnValue:
    """Show what a call says, and what can be done with it."""
    found = guard.get_or_404(Call, ref, policy.can_view)
    return render_template(
        "funds/call.html",
        call=found,
        offers={offer.action: offer for offer in WORKFLOW.offers(guard.signed_in(), found)},
        may_edit=found.status is CallStatus.DRAFT and policy.can_manage(guard.signed_in(), found),
    )


@blueprint.route("/<ref>/edit", methods=["GET", "POST"])
@guard.requires(policy.runs_calls)
def edit_call(ref: str) -> ResponseReturnValue:
    """Change a draft; a published call says so instead."""
    found = guard.get_or_404(Call, ref, policy.can_manage)
    if found.status is not CallStatus.DRAFT:
        raise Refused(_("The call is published: what it says cannot be changed any more."), "R17")
    form = _form(only=found.fund_code, data=as_typed(found))
    if form.validate_on_submit():
        try:
            service.edit_call(found, form.terms(), by=guard.signed_in())
        except Refused as refused:
            form.form_errors.append(refused.sentence)
        else:
            tell(_("The draft is saved."))
            return _to(found)
    return _page("funds/edit_call.html", form, call=found)


@blueprint.route("/<ref>/publish", methods=["GET", "POST"])
@guard.requires(policy.runs_calls)
def open_call(ref: str) -> ResponseReturnValue:
    """Ask before a call is published, then publish it."""
    found = guard.get_or_404(Call, ref, policy.can_manage)
    if request.method == "POST":
        service.open_call(found, by=guard.signed_in())
        tell(_("The call is published."))
        return _to(found)
    return _confirm("funds/open_call.html", found, CallAction.OPEN)


@blueprint.route("/<ref>/decided", methods=["GET", "POST"])
@guard.requires(policy.reads_calls)
def decide_call(ref: str) -> ResponseReturnValue:
    """Ask before a call is marked as decided, then mark it."""
    found = guard.get_or_404(Call, ref, policy.can_decide)
    if request.method == "POST":
        service.decide_call(found, by=guard.signed_in())
        tell(_("The call is marked as decided."))
        return _to(found)
    return _confirm("funds/decide_call.html", found, CallAction.DECIDE)


def _form(only: str | None = None, data: dict[str, Any] | None = None) -> CallForm:
    """Return the form with what the person may choose; `only` fixes the fund of a draft."""
    person = guard.signed_in()
    form = CallForm(data=data)
    form.offer(
        [
            profile
            for profile in queries.profiles()
            if policy.can_create(person, profile.code) and only in {None, profile.code}
        ]
    )
    return form


def _page(template: str, form: CallForm, **context: Any) -> ResponseReturnValue:
    """Show the form; with status 422 when it came back with errors."""
    groups: dict[str, list[Any]] = {}
    options = {option.data: option for option in form.countries}
    for each in all_countries():
        name = each.group.label if each.group else _("Observer States")
        groups.setdefault(str(name), []).append(options[each.iso3])
    order = [*(str(group.label) for group in Group), _("Observer States")]
    listed = [
        (name, sorted(groups[name], key=lambda option: str(option.label.text)))
        for name in order
        if name in groups
    ]
    answer = render_template(template, form=form, country_groups=listed, **context)
    return (answer, UNPROCESSABLE) if form.errors else answer


def _confirm(template: str, call: Call, action: CallAction) -> ResponseReturnValue:
    """Show the page that asks, or the sentence that refuses before anybody is asked."""
    WORKFLOW.check(call, action, guard.signed_in())
    return render_template(template, call=call)


def _to(call: Call) -> ResponseReturnValue:
    return redirect(url_for("funds.call", ref=call.ref), code=303)
