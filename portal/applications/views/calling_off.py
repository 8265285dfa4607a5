"""The page on which a programme officer calls off a call."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications import service
from portal.applications.views.blueprint import blueprint
from portal.core.i18n import _
from portal.core.web import tell
from portal.funds import policy
from portal.funds.models import Call, CallAction
from portal.funds.workflow import WORKFLOW


@blueprint.route("/manage/calls/<ref>/cancel", methods=["GET", "POST"])
@guard.requires(policy.runs_calls)
def cancel_call(ref: str) -> ResponseReturnValue:
    """Ask before a call is cancelled, then cancel it and tell those who began to apply."""
    call = guard.get_or_404(Call, ref, policy.can_manage)
    if request.method == "POST":
        service.call_off(call, by=guard.signed_in())
        tell(_("The call is cancelled. Whoever had begun to apply is told."), "neutral")
        return redirect(url_for("funds.call", ref=call.ref), code=303)
    WORKFLOW.check(call, CallAction.CANCEL, guard.signed_in())
    return render_template("applications/cancel_call.html", call=call)
