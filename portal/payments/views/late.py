"""What came back too late by card: what waits, what people said it is, and taking that back."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from babel.support import LazyProxy
from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.applications import policy as applications
from portal.applications.queries import names
from portal.core.i18n import _, _l, locale
from portal.core.money import format_money
from portal.core.pages import done, go, page
from portal.core.web import Form
from portal.core.workflow import Refused
from portal.payments import policy
from portal.payments.forms import LateForm, RemarkForm
from portal.payments.late import late_return
from portal.payments.models import LateOutcome, LateReturn, LateWay, PaymentOrder
from portal.payments.service.closing import receivable_of
from portal.payments.service.late_outcomes import (
    confirm,
    falls_away,
    most,
    say_what_it_is,
    take_back,
)
from portal.payments.views.blueprint import blueprint, visible_order

TOLD: Mapping[str, LazyProxy] = {
    LateWay.REFUND: _l("Recorded as a refund. What the grantee owes is less by it."),
    LateWay.AGAIN: _l("Recorded. It is booked once a second person confirms it."),
    LateWay.KEPT: _l("Recorded. It is booked once a second person confirms it."),
}
"""What is told once somebody said what it is."""


CONFIRMED = {
    LateWay.AGAIN: _l("Confirmed, and booked as come back. A new attempt needs new signatures."),
    LateWay.KEPT: _l("Confirmed, and booked. The grant costs the fund as much less."),
}
"""What is told once somebody else confirmed it."""


@blueprint.get("/payments/<ref>/late")
@guard.members_only
def late(ref: str) -> ResponseReturnValue:
    """Show what came back, what waits of it, and everything that was said of it."""
    order, found = _found(ref)
    person = guard.signed_in()
    waits = found.open_outcome
    may_say = policy.can_say_late(person, order)
    people = (who for each in found.outcomes for who in _people(each))
    return page(
        "payments/late.html",
        Form(),
        **_facts(order),
        late=found,
        waits=waits,
        people=names(people),
        may_say=may_say,
        may_confirm=waits is not None and policy.can_confirm_late(person, waits),
    )


@blueprint.route("/payments/<ref>/late/say", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def say_late(ref: str) -> ResponseReturnValue:
    """Say what it is, with a reason."""
    order, found = _found(ref)
    person = guard.signed_in()
    if not policy.can_say_late(person, order):
        raise NotFound
    form = LateForm()
    possible, refused = _ways(found)
    form.offer(possible)
    said = form.way.data  # one of those that it can be, once the form is sound
    if done(
        form,
        lambda: say_what_it_is(order, LateWay(said), form.remark.data, by=person),
        str(TOLD.get(said, "")),
        "good" if said == LateWay.REFUND else "wait",
    ):
        return go(_page(order))
    if not form.errors and (found.open_outcome is not None or not found.left):
        return go(_page(order))
    return page("payments/say_late.html", form, late=found, refused=refused, **_facts(order))


def _ways(found: LateReturn) -> tuple[list[tuple[LateWay, str]], list[tuple[LateWay, str]]]:
    """Return what it can be, each with how much of it, and what it cannot be, each with why."""
    possible, refused = [], []
    owed = receivable_of(found.order.instalment.award)
    for way in LateWay:
        try:
            amount = format_money(most(found, way, owed), str(locale()))
        except Refused as why:
            refused.append((way, why.sentence))
        else:
            possible.append((way, _("%(what)s (%(amount)s)", what=way.label, amount=amount)))
    return possible, refused


@blueprint.route("/payments/<ref>/late/<int:number>/confirm", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def confirm_late(ref: str, number: int) -> ResponseReturnValue:
    """Confirm, as the second person, that it stays with the fund, or that it is made anew."""
    order, found = _found(ref)
    outcome = _outcome(found, number)
    person = guard.signed_in()
    form = Form()
    if done(form, lambda: confirm(outcome, by=person), str(CONFIRMED.get(outcome.way, ""))):
        return go(_page(order))
    if not form.errors and not policy.can_confirm_late(person, outcome):
        return go(_page(order))
    owed = receivable_of(order.instalment.award)
    return page(
        "payments/confirm_late.html",
        form,
        outcome=outcome,
        netted=falls_away(outcome.money, owed),
        people=names([outcome.by_id]),
        **_facts(order),
    )


@blueprint.route("/payments/<ref>/late/<int:number>/take-back", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def take_back_late(ref: str, number: int) -> ResponseReturnValue:
    """Take back what was said, with a reason."""
    order, found = _found(ref)
    outcome = _outcome(found, number)
    person = guard.signed_in()
    if not policy.can_say_late(person, order):
        raise NotFound
    form = RemarkForm()
    told = _("Taken back. The money waits in suspense as before.")
    if done(form, lambda: take_back(outcome, form.remark.data, by=person), told, "wait"):
        return go(_page(order))
    if not form.errors and not outcome.can_be_taken_back:
        return go(_page(order))
    return page("payments/take_back_late.html", form, outcome=outcome, **_facts(order))


def _found(ref: str) -> tuple[PaymentOrder, LateReturn]:
    """Return an order and what came back of it, for staff. Raises NotFound."""
    order = visible_order(ref)
    found = late_return(order)
    if found is None or applications.is_member(guard.signed_in(), policy.application_of(order)):
        raise NotFound
    return order, found


def _outcome(found: LateReturn, number: int) -> LateOutcome:
    for each in found.outcomes:
        if each.number == number:
            return each
    raise NotFound


def _facts(order: PaymentOrder) -> dict[str, object]:
    award = order.instalment.award
    return {"order": order, "award": award, "application": award.application}


def _people(outcome: LateOutcome) -> Iterator[UUID | None]:
    yield from (outcome.by_id, outcome.confirmed_by_id, outcome.undone_by_id)


def _page(order: PaymentOrder) -> str:
    return url_for("payments.late", ref=order.ref)
