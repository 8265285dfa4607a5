"""Statements of the bank: brought in, listed, read and printed line by line."""

from itertools import pairwise
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications.queries import names
from portal.core.db import session
from portal.core.downloads import csv_file, download
from portal.core.i18n import _, ngettext
from portal.core.pages import go, page, refuse
from portal.core.paging import pager
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.payments.models import BankAccount
from portal.payments.service.bank_messages import bring_statement
from portal.payments.statements import policy, queries, service
from portal.payments.statements.forms import StatementForm
from portal.payments.statements.models import Statement
from portal.payments.statements.rules import Unsound
from portal.payments.views.blueprint import blueprint

BOOKED_AT_ONCE = 50
"""Lines that are booked while the reader waits; the rest follows by itself."""


@blueprint.route("/bank/statements/new", methods=["GET", "POST"])
@guard.requires(policy.imports_statements)
def import_statement() -> ResponseReturnValue:
    """Take in a file of statements; what cannot be taken is said with its figures."""
    form = StatementForm()
    figures: tuple[tuple[str, str], ...] = ()
    if form.validate_on_submit():
        try:
            done = bring_statement(form.file.data.stream, by=guard.signed_in())
        except Refused as refused:
            session.rollback()
            refuse(form, refused)
            figures = refused.figures if isinstance(refused, Unsound) else ()
        else:
            _book(done)
            last = done[-1].statement
            return go(url_for("payments.statement", statement_id=last.id))
    return page("payments/import_statement.html", form, figures=figures)


def _book(done: list[service.Imported]) -> None:
    """Book the first lines at once, and say what became of the file."""
    new = [each for each in done if each.is_new]
    for each in new:
        service.book_lines(BOOKED_AT_ONCE, of=each.statement)
    if not new:
        tell(_("This file was imported already: nothing changed."), "neutral")
        return
    count, matched = sum(each.lines for each in new), sum(each.matched for each in new)
    tell(ngettext("%(num)s line is imported.", "%(num)s lines are imported.", count))
    tell(ngettext("%(num)s line was matched.", "%(num)s lines were matched.", matched), "neutral")


@blueprint.get("/bank/accounts/<uuid:account_id>/statements")
@guard.requires(policy.reads_statements)
def statements(account_id: UUID) -> ResponseReturnValue:
    """List the statements of an account, with the days that none of them covers."""
    account = guard.get_or_404(BankAccount, account_id, policy.can_view)
    found = queries.statements(account, request.args.get("page", 1, type=int))
    gaps = {later.id: queries.gap_before(later, earlier) for later, earlier in pairwise(found.rows)}
    return page(
        "payments/statements.html",
        Form(),
        bank_account=account,
        rows=found.rows,
        gaps=gaps,
        may_import=policy.can_import(guard.signed_in(), account),
        pager=pager(
            found,
            lambda to: url_for("payments.statements", account_id=account.id, page=to),
        ),
    )


@blueprint.get("/bank/statements/<uuid:statement_id>")
@guard.requires(policy.reads_statements)
def statement(statement_id: UUID) -> ResponseReturnValue:
    """Show a statement line by line, and what each was booked as."""
    found = _visible(statement_id)
    person = guard.signed_in()
    number = request.args.get("page", 1, type=int)
    lines = queries.lines(found, queries.Wanted(), number, person)
    return page(
        "payments/statement.html",
        Form(),
        statement=found,
        rows=lines.rows,
        waiting=service.waiting(found),
        people=names([found.imported_by_id]),
        pager=pager(
            lines, lambda to: url_for("payments.statement", statement_id=found.id, page=to)
        ),
    )


@blueprint.post("/bank/statements/<uuid:statement_id>.csv")
@guard.requires(policy.reads_statements)
def statement_csv(statement_id: UUID) -> ResponseReturnValue:
    """Hand out the lines of a statement for a spreadsheet; that is an act of record."""
    found, person = _visible(statement_id), guard.signed_in()
    service.record_lines_taken(found, by=person)
    name = f"statement-{found.to_on.isoformat()}.csv"
    return csv_file(name, *queries.as_table(found, person))


@blueprint.post("/bank/statements/<uuid:statement_id>/file")
@guard.freshly(policy.reads_statements)
def statement_file(statement_id: UUID) -> ResponseReturnValue:
    """Hand out the file as it came. It names people and accounts, so that is an act of record."""
    found = _visible(statement_id)
    pieces = service.original(found, by=guard.signed_in())
    name = f"statement-{found.to_on.isoformat()}.xml"
    return download(b"".join(pieces), "application/xml", name)


def _visible(statement_id: UUID) -> Statement:
    """Return a statement that exists for the reader. Raises NotFound."""
    found = queries.statement_by_id(statement_id)
    if found is None or not policy.can_view(guard.signed_in(), found.bank_account):
        raise NotFound
    return found
