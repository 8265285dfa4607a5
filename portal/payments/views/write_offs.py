"""What a grantee owes: how much came back, and writing off the rest with two approvals (R25)."""

from collections.abc import Callable, Iterable
from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.queries import names
from portal.core.i18n import _, _l
from portal.core.pages import done, go, page
from portal.core.web import Form
from portal.payments import policy as payments
from portal.payments.late import refunds_of
from portal.payments.models import Receivable
from portal.payments.service.closing import receivable_of
from portal.payments.statements import policy as statements
from portal.payments.statements.forms import ReasonForm
from portal.payments.views.blueprint import blueprint, case
from portal.payments.write_offs import policy, queries, service
from portal.payments.write_offs.models import (
    OPEN_WRITE_OFF,
    WriteOff,
    WriteOffAction,
    WriteOffStatus,
)
from portal.payments.write_offs.workflow import WRITE_OFF_WORKFLOW

PAGES = {
    WriteOffAction.APPROVE: "payments.approve_write_off",
    WriteOffAction.AUTHORISE: "payments.authorise_write_off",
    WriteOffAction.REJECT: "payments.reject_write_off",
    WriteOffAction.WITHDRAW: "payments.withdraw_write_off",
}
"""Where each step is taken."""

NEXT = {
    WriteOffStatus.PROPOSED: _l("An approving officer approves it, or does not."),
    WriteOffStatus.APPROVED_ONCE: _l("The approving authority approves it for good, or does not."),
    WriteOffStatus.APPROVED: _l("The programme officer closes the file."),
    WriteOffStatus.REJECTED: _l("The money is still owed: the grantee pays it back."),
    WriteOffStatus.WITHDRAWN: _l("The money is still owed: the grantee pays it back."),
}
"""What happens next, by where a proposal stands, while the file is not closed."""


@blueprint.get("/files/<ref>/payments/owed")
@guard.members_only
def receivable(ref: str) -> ResponseReturnValue:
    """Show what the grantee owes, what came back, and every proposal to write it off."""
    application, award = case(ref)
    owed = receivable_of(award)
    if owed is None:
        raise NotFound
    person = guard.signed_in()
    own = applications.is_member(person, application)
    proposals = queries.proposals(owed)
    return page(
        "payments/receivable.html",
        Form(),
        application=application,
        award=award,
        owed=owed,
        refunds=queries.refunds(owed),
        late_refunds=refunds_of(owed),
        reads_lines=not own and statements.reads_statements(person),
        own=own,
        proposals=[] if own else proposals,
        may_propose=_may_propose(person, owed, proposals),
        may_place=owed.is_owed and payments.can_settle(person, owed),
    )


def _may_propose(person: Person, owed: Receivable, before: Iterable[WriteOff]) -> bool:
    is_open = any(each.status in OPEN_WRITE_OFF for each in before)
    return owed.is_owed and not is_open and policy.can_propose(person, owed)


@blueprint.route("/files/<ref>/payments/owed/write-off", methods=["GET", "POST"])
@guard.requires(policy.writes_off)
def propose_write_off(ref: str) -> ResponseReturnValue:
    """Propose to write off all that is left."""
    application, award = case(ref)
    owed = receivable_of(award)
    person = guard.signed_in()
    if owed is None or not policy.can_propose(person, owed):
        raise NotFound
    form = ReasonForm()
    if done(
        form,
        lambda: service.propose_write_off(owed, form.reason.data, by=person),
        _("Proposed. Two others have to approve it."),
    ):
        return go(url_for("payments.receivable", ref=ref))
    if not form.errors and not _may_propose(person, owed, queries.proposals(owed)):
        return go(url_for("payments.receivable", ref=ref))
    return page(
        "payments/propose_write_off.html",
        form,
        application=application,
        award=award,
        owed=owed,
        unplaced=queries.unplaced(owed),
        reads_lines=statements.reads_statements(person),
    )


@blueprint.get("/payments/write-offs/<uuid:proposal_id>")
@guard.members_only
def write_off(proposal_id: UUID) -> ResponseReturnValue:
    """Show a proposal: how much, why, who approved, and what may be done with it."""
    found = _visible(proposal_id)
    offers = [
        (offer, PAGES[WriteOffAction(offer.action)])
        for offer in WRITE_OFF_WORKFLOW.offers(guard.signed_in(), found)
    ]
    over = found.receivable.award.closed_at is not None or _is_behind(found)
    return page(
        "payments/write_off.html",
        Form(),
        offers=offers,
        next_step=None if over else NEXT[found.status],
        **_facts(found),
    )


def _is_behind(found: WriteOff) -> bool:
    """Say whether a proposal came to nothing, and what was owed has been settled since."""
    dropped = found.status in {WriteOffStatus.REJECTED, WriteOffStatus.WITHDRAWN}
    return dropped and not found.receivable.is_owed


def _facts(found: WriteOff) -> dict[str, object]:
    people = (
        found.proposed_by_id,
        found.approved_by_id,
        found.authorised_by_id,
        found.ended_by_id,
    )
    award = found.receivable.award
    return {
        "proposal": found,
        "owed": found.receivable,
        "award": award,
        "application": award.application,
        "people": names(people),
        "unplaced": queries.unplaced(found.receivable) if found.status in OPEN_WRITE_OFF else [],
        "reads_lines": statements.reads_statements(guard.signed_in()),
    }


def _step(
    proposal_id: UUID,
    action: WriteOffAction,
    form: Form,
    verb: Callable[[WriteOff, Person], None],
    told: str,
) -> ResponseReturnValue:
    """Show what is decided on, then decide; what was decided already is only shown."""
    found = _visible(proposal_id)
    person = guard.signed_in()
    back = url_for("payments.write_off", proposal_id=proposal_id)
    if done(form, lambda: verb(found, person), told):
        return go(back)
    row = WRITE_OFF_WORKFLOW.find(found, action)
    if not form.errors and (row is None or not row.may(person, found)):
        return go(back)
    label = row.label if row else ""
    return page("payments/move_write_off.html", form, label=label, action=action, **_facts(found))


@blueprint.route("/payments/write-offs/<uuid:proposal_id>/approve", methods=["GET", "POST"])
@guard.requires(policy.writes_off)
def approve_write_off(proposal_id: UUID) -> ResponseReturnValue:
    """Approve as the first of two."""
    return _step(
        proposal_id,
        WriteOffAction.APPROVE,
        Form(),
        lambda found, person: service.approve_write_off(found, by=person),
        _("Approved. The approving authority decides next."),
    )


@blueprint.route("/payments/write-offs/<uuid:proposal_id>/authorise", methods=["GET", "POST"])
@guard.freshly(policy.writes_off)
def authorise_write_off(proposal_id: UUID) -> ResponseReturnValue:
    """Approve for good; asks for the password again."""
    return _step(
        proposal_id,
        WriteOffAction.AUTHORISE,
        Form(),
        lambda found, person: service.authorise_write_off(found, by=person),
        _("Written off, and booked. Nothing was removed."),
    )


@blueprint.route("/payments/write-offs/<uuid:proposal_id>/reject", methods=["GET", "POST"])
@guard.requires(policy.writes_off)
def reject_write_off(proposal_id: UUID) -> ResponseReturnValue:
    """Do not approve, with a reason."""
    form = ReasonForm()
    return _step(
        proposal_id,
        WriteOffAction.REJECT,
        form,
        lambda found, person: service.reject_write_off(found, form.reason.data, by=person),
        _("Recorded. The money is still owed."),
    )


@blueprint.route("/payments/write-offs/<uuid:proposal_id>/withdraw", methods=["GET", "POST"])
@guard.requires(policy.writes_off)
def withdraw_write_off(proposal_id: UUID) -> ResponseReturnValue:
    """Take the proposal back."""
    return _step(
        proposal_id,
        WriteOffAction.WITHDRAW,
        Form(),
        lambda found, person: service.withdraw_write_off(found, by=person),
        _("Withdrawn. The money is still owed."),
    )


def _visible(proposal_id: UUID) -> WriteOff:
    """Return a proposal in a file that the reader sees, and is not the grantee. NotFound."""
    found = queries.proposal_by_id(proposal_id)
    person = guard.signed_in()
    if found is None:
        raise NotFound
    application = policy.application_of(found)
    if applications.is_member(person, application):
        raise NotFound
    if not payments.can_open_tab(person, application):
        raise NotFound
    return found
