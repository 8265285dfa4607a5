"""One line of a statement: what the bank says, what it may be, and what it was booked as."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications.queries import names
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import BadAmount, Money, format_money
from portal.core.pages import done, go, page, refuse
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.payments import policy as payments
from portal.payments.statements import policy, queries, service
from portal.payments.statements.forms import AllocateForm, ReasonForm
from portal.payments.statements.models import (
    Allocation,
    LineStatus,
    Purpose,
    ReturnProposal,
    StatementLine,
)
from portal.payments.statements.queries import Candidate
from portal.payments.statements.service.allocating import is_final
from portal.payments.statements.service.seconding import is_overtaken
from portal.payments.views.blueprint import blueprint


@blueprint.get("/bank/lines/<uuid:line_id>")
@guard.requires(policy.reads_statements)
def line(line_id: UUID) -> ResponseReturnValue:
    """Show a line: who the other side is, what it was booked as, what was taken back."""
    found = _visible(line_id)
    person = guard.signed_in()
    said = queries.said_of(found)
    own = queries.signed(person, said.waiting)
    people = {
        *(each.by_id for each in said.overtaken),
        *(each.by_id for each in said.waiting),
        *(each.by_id for each in found.allocations),
        *(each.undone_by_id for each in found.allocations),
    }
    return page(
        "payments/line.html",
        Form(),
        line=found,
        particulars=readable(found),
        may_allocate=found.status is LineStatus.SUSPENSE and policy.can_allocate(person, found),
        may_undo=policy.can_allocate(person, found),
        final={each.number for each in found.live if is_final(each)},
        people=names(people),
        proposals=[
            (
                each,
                each.id not in own and policy.can_confirm(person, each),
                policy.can_withdraw(person, each),
            )
            for each in said.waiting
            if payments.can_view(person, each.order)
        ],
        overtaken=[
            (each, policy.can_withdraw(person, each, overtaken=True))
            for each in said.overtaken
            if payments.can_view(person, each.order)
        ],
        leads=[each for each in map(_leads_to, found.live) if each is not None],
    )


def _leads_to(part: Allocation) -> tuple[str, str, str] | None:
    """Return what a part is, of what, and the address of its page; None where it has none."""
    if part.order_id is not None:
        address = url_for("payments.order", ref=part.target_ref)
    elif part.receivable is not None:
        address = url_for("payments.receivable", ref=part.receivable.award.application.ref)
    elif part.purpose in {Purpose.CONTRIBUTION, Purpose.DONOR_REFUND}:
        address = url_for("contributions.contribution", ref=part.target_ref)
    elif part.counterpart_id is not None:
        address = url_for("payments.line", line_id=part.counterpart_id)
    else:
        return None
    return str(part.purpose.label), part.target_ref, address


@blueprint.route("/bank/lines/<uuid:line_id>/allocate", methods=["GET", "POST"])
@guard.requires(policy.allocates_lines)
def allocate(line_id: UUID) -> ResponseReturnValue:
    """Say what a line in suspense is, or a part of it."""
    found = _visible(line_id)
    person = guard.signed_in()
    if not policy.can_allocate(person, found):
        raise NotFound
    if found.status is not LineStatus.SUSPENSE:
        return go(_page_of(found))
    form = AllocateForm()
    likely = queries.candidates(found, person)
    form.offer([(each, _words(each)) for each in likely], is_credit=found.is_credit)
    if form.validate_on_submit():
        try:
            target = _target(form, found)
            made = service.allocate(found.id, target, form.reason.data, by=person)
        except Refused as refused:
            session.rollback()
            refuse(form, refused)
        else:
            _say(made, found)
            return go(_page_of(found))
    return page("payments/allocate.html", form, line=found, particulars=readable(found))


def _say(made: Allocation | ReturnProposal, found: StatementLine) -> None:
    if isinstance(made, ReturnProposal):
        tell(_("Recorded. It is booked once a second person confirms it."), "wait")
    elif made.purpose is not Purpose.SEND_BACK:
        tell(_("Recorded, and booked."))
    elif found.is_credit:
        tell(
            _("Recorded. It waits until the bank shows that it went back: ask it to send it back."),
            "wait",
        )
    else:
        tell(
            _("Recorded. It waits until the bank shows that it came back: ask it to claim it."),
            "wait",
        )


@blueprint.route("/bank/lines/<uuid:line_id>/came-back/<uuid:proposal_id>", methods=["GET", "POST"])
@guard.requires(policy.imports_statements)
def confirm_return(line_id: UUID, proposal_id: UUID) -> ResponseReturnValue:
    """Confirm, as the second person, that a credit is a payment that came back."""
    found = _visible(line_id)
    proposal = queries.proposal_by_id(proposal_id)
    person = guard.signed_in()
    if proposal is None or proposal.line_id != found.id:
        raise NotFound
    if proposal.withdrawn_at is not None:
        return go(_page_of(found))
    if not policy.can_confirm(person, proposal):
        raise NotFound
    form = Form()
    if done(
        form,
        lambda: service.confirm_return(proposal, by=person),
        _("Confirmed, and booked. The instalment can be paid anew."),
    ):
        return go(_page_of(found))
    if not form.errors and is_overtaken(proposal):
        return go(_page_of(found))
    return page(
        "payments/confirm_return.html",
        form,
        line=found,
        particulars=readable(found),
        proposal=proposal,
        people=names([proposal.by_id]),
    )


@blueprint.route(
    "/bank/lines/<uuid:line_id>/came-back/<uuid:proposal_id>/withdraw", methods=["GET", "POST"]
)
@guard.requires(policy.allocates_lines)
def withdraw_return(line_id: UUID, proposal_id: UUID) -> ResponseReturnValue:
    """Withdraw what oneself said to be a payment that came back, with a reason."""
    found = _visible(line_id)
    proposal = queries.proposal_by_id(proposal_id)
    person = guard.signed_in()
    if proposal is None or proposal.line_id != found.id:
        raise NotFound
    overtaken = is_overtaken(proposal)
    if not overtaken and proposal.by_id != person.id:
        raise NotFound
    if not policy.can_withdraw(person, proposal, overtaken=overtaken):
        return go(_page_of(found))
    return _taken_back(
        found,
        lambda reason: service.withdraw_return(proposal, reason, by=person),
        _("Withdrawn. The line waits in suspense as before."),
        "payments/withdraw_return.html",
        proposal=proposal,
    )


def _target(form: AllocateForm, found: StatementLine) -> service.Target:
    try:
        part = form.part(found.currency, str(locale()))
        purpose, ref = form.chosen()
        signed = None if part is None else part if found.is_credit else -part
        target = queries.target_of(found, purpose, ref, signed, guard.signed_in())
        if not form.settles.data or target.agreement is None:
            return target
        said = Money.parse(form.settles.data, target.agreement.currency, str(locale()))
    except BadAmount as bad:
        raise Refused(bad.sentence) from bad
    return replace(target, settles=said)


@blueprint.route("/bank/lines/<uuid:line_id>/undo/<int:number>", methods=["GET", "POST"])
@guard.requires(policy.allocates_lines)
def undo_allocation(line_id: UUID, number: int) -> ResponseReturnValue:
    """Take back what a line was booked as, with a reason."""
    found = _visible(line_id)
    person = guard.signed_in()
    part: Allocation | None = next((one for one in found.live if one.number == number), None)
    if not policy.can_allocate(person, found):
        raise NotFound
    if part is None:
        return go(_page_of(found))
    return _taken_back(
        found,
        lambda reason: service.undo_allocation(part, reason, by=person),
        _("Taken back. The line waits in suspense again."),
        "payments/undo_allocation.html",
        part=part,
    )


def _taken_back(
    found: StatementLine,
    take_back: Callable[[str], None],
    told: str,
    template: str,
    **shown: Any,
) -> ResponseReturnValue:
    """Ask for a reason, take back what was said of a line, and go back to it."""
    form = ReasonForm()
    if done(form, lambda: take_back(form.reason.data), told, "wait"):
        return go(_page_of(found))
    return page(template, form, line=found, **shown)


def _words(candidate: Candidate) -> str:
    """Return a candidate in words: what, whose, how much."""
    amount = candidate.amount and format_money(candidate.amount, str(locale()))
    parts = [str(candidate.purpose.label), candidate.ref, candidate.about, amount]
    words = " · ".join(part for part in parts if part)
    return _("%(what)s (named in the line)", what=words) if candidate.is_named else words


def readable(found: StatementLine) -> service.Particulars | None:
    """Return who the other side is, or None once that was erased."""
    try:
        return service.particulars(found)
    except Refused:
        return None


def _page_of(found: StatementLine) -> str:
    return url_for("payments.line", line_id=found.id)


def _visible(line_id: UUID) -> StatementLine:
    """Return a line that exists for the reader, and leads to no file that does not. NotFound."""
    found = queries.line_by_id(line_id)
    person = guard.signed_in()
    if found is None or not policy.can_view(person, found.statement.bank_account):
        raise NotFound
    if queries.is_hidden(found, person):
        raise NotFound
    return found
