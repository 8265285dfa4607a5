"""The one queue of everybody who pays: what needs me today."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.core.i18n import _, translated
from portal.core.paging import page_of, pager
from portal.core.web import choices
from portal.payments import policy, queries
from portal.payments.forms import QueueForm
from portal.payments.views.batches import together
from portal.payments.views.blueprint import blueprint
from portal.payments.write_offs import queries as write_offs


@blueprint.get("/payments")
@guard.requires(policy.has_queue)
def queue() -> ResponseReturnValue:
    """Show what the reader can do about payments now, narrowed, and page by page."""
    person = guard.signed_in()
    waiting = queries.in_turn([*queries.queue(person), *write_offs.waiting(person)])
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
    page = page_of(shown, request.args.get("page", 1, type=int))
    chosen = {"matter": form.matter.data or None, "fund": form.fund.data or None}
    return render_template(
        "payments/queue.html",
        filter=form,
        rows=page.rows,
        pager=pager(page, lambda number: url_for("payments.queue", page=number, **chosen)),
        total=len(waiting),
        sentence=queries.count_sentence(len(waiting)),
        together=together(waiting),
    )
