"""The one queue of everybody who pays: what needs me today."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.core.i18n import _, translated
from portal.core.web import choices
from portal.payments import policy, queries
from portal.payments.forms import QueueForm
from portal.payments.views.blueprint import blueprint


@blueprint.get("/payments")
@guard.requires(policy.has_queue)
def queue() -> ResponseReturnValue:
    """Show what the reader can do about payments now, narrowed by what was chosen."""
    waiting = queries.queue(guard.signed_in())
    funds = {
        each.application.fund.code: translated(each.application.fund.short_name) for each in waiting
    }
    form = QueueForm(formdata=request.args, meta={"csrf": False})
    form.matter.choices = choices(
        [("", _("Everything")), *((each.value, each.label) for each in queries.Matter)]
    )
    form.fund.choices = choices([("", _("All funds")), *sorted(funds.items())])
    shown = [
        each
        for each in waiting
        if form.matter.data in {None, "", each.matter.value}
        and form.fund.data in {None, "", each.application.fund.code}
    ]
    return render_template(
        "payments/queue.html",
        filter=form,
        rows=shown,
        total=len(waiting),
        sentence=queries.count_sentence(len(waiting)),
    )
