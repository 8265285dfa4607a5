"""Reconciliation: the bank beside the books, lines beside payments, and what waits in suspense."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.core.i18n import translated
from portal.core.pages import page
from portal.core.paging import pager
from portal.core.web import Form
from portal.funds.queries import profiles
from portal.payments.models import BankAccount
from portal.payments.rules import SILENT_AFTER
from portal.payments.statements import policy, queries
from portal.payments.statements.forms import LinesForm
from portal.payments.views.blueprint import blueprint
from portal.payments.views.lines import readable


@blueprint.get("/bank/reconciliation")
@guard.requires(policy.reads_statements)
def reconciliation() -> ResponseReturnValue:
    """Show each account: what the bank says, what the books say, and why they differ."""
    return page(
        "payments/reconciliation.html",
        Form(),
        standings=queries.standings(guard.signed_in()),
        names={each.code: translated(each.short_name) for each in profiles()},
        may_import=policy.imports_statements(guard.signed_in()),
    )


@blueprint.get("/bank/reconciliation/<uuid:account_id>")
@guard.requires(policy.reads_statements)
def account_lines(account_id: UUID) -> ResponseReturnValue:
    """Show the lines of an account beside the payments that were sent from it."""
    account = guard.get_or_404(BankAccount, account_id, policy.can_view)
    person = guard.signed_in()
    form = LinesForm(formdata=request.args, meta={"csrf": False})
    form.offer()
    wanted = queries.Wanted(status=form.status.data or "", text=form.text.data or "")
    found = queries.lines(account, wanted, request.args.get("page", 1, type=int), person)
    sent = queries.unlined(account, person, request.args.get("sent", 1, type=int))
    kept: dict[str, Any] = {
        "account_id": account.id,
        "status": wanted.status or None,
        "text": wanted.text or None,
    }
    return page(
        "payments/account_lines.html",
        Form(),
        filter=form,
        standing=queries.standing(account),
        bank_account=account,
        rows=found.rows,
        orders=sent.rows,
        silent=queries.silent(sent.rows),
        after=SILENT_AFTER.days,
        pager=pager(found, lambda to: url_for("payments.account_lines", page=to, **kept)),
        sent_pager=pager(sent, lambda to: url_for("payments.account_lines", sent=to, **kept)),
    )


@blueprint.get("/bank/suspense")
@guard.requires(policy.reads_statements)
def suspense() -> ResponseReturnValue:
    """List what waits in suspense, the oldest first, with its age."""
    found = queries.suspense(guard.signed_in(), request.args.get("page", 1, type=int))
    return page(
        "payments/suspense.html",
        Form(),
        rows=found.rows,
        total=found.total,
        told={row.line.id: readable(row.line) for row in found.rows if not row.hidden},
        seconds=queries.waiting_for_second([row.line.id for row in found.rows]),
        names={each.code: translated(each.short_name) for each in profiles()},
        pager=pager(found, lambda to: url_for("payments.suspense", page=to)),
    )
