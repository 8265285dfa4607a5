"""One payment order: its digest and signatures, and each step on a page of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from babel.support import LazyProxy
from flask import make_response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.queries import names
from portal.core.i18n import _
from portal.core.pages import done, go, page
from portal.core.web import Form, attachment, tell
from portal.core.workflow import Offer
from portal.payments import attempts, policy, service
from portal.payments.account import standing_of
from portal.payments.forms import ConfirmForm, RemarkForm, ReturnForm
from portal.payments.holding import held_back_at_all
from portal.payments.late import late_return
from portal.payments.models import OrderAction, OrderStatus, PaymentOrder
from portal.payments.rails import AGENT, STRIPE
from portal.payments.rules import Gate
from portal.payments.service.signing import expected_digest
from portal.payments.unmade import barred, somebody_signs
from portal.payments.views import declarations
from portal.payments.views.blueprint import blueprint, order_page, visible_order
from portal.payments.workflow import ORDER_WORKFLOW

PAGES = {
    OrderAction.CERTIFY: "payments.certify",
    OrderAction.APPROVE: "payments.approve",
    OrderAction.APPROVE_AGAIN: "payments.approve_again",
    OrderAction.RELEASE: "payments.release",
    OrderAction.CONFIRM: "payments.confirm",
    OrderAction.REJECT: "payments.reject",
    OrderAction.RETURN: "payments.give_back",
    OrderAction.CANCEL: "payments.cancel",
}
"""Where each step is taken."""


def facts(found: PaymentOrder) -> dict[str, Any]:
    """Return what every page of an order shows."""
    people = (
        found.prepared_by_id,
        found.confirmed_by_id,
        found.acknowledged_by_id,
        found.bank_details.entered_by_id,
        found.bank_details.checked_by_id,
        *(approval.person_id for approval in found.approvals),
    )
    award = found.instalment.award
    before, ended = attempts.up_to(found)
    return {
        "order": found,
        "award": award,
        "application": award.application,
        "details": found.bank_details,
        "people": names(people),
        "sound": found.digest == expected_digest(found),
        "attempts": before,
        "ended": ended,
    }


@blueprint.get("/payments/<ref>")
@guard.members_only
def order(ref: str) -> ResponseReturnValue:
    """Show an order: what is paid, who signed it, what became of it."""
    found = visible_order(ref)
    person = guard.signed_in()
    own = applications.is_member(person, policy.application_of(found))
    offers = [offer for offer in _offers(found, person) if not _is_heard(found, offer)]
    return page(
        "payments/order.html",
        Form(),
        offers=[(offer, PAGES[OrderAction(offer.action)]) for offer in offers],
        own=own,
        next_signature=_next_signature(found, offers),
        lacks=None if own else _lacks(found, offers),
        held=None if own else held_back_at_all(found),
        late=late_return(found) if found.rail == STRIPE.name and not own else None,
        may_read=found.instruction_id is not None and policy.can_read_instruction(person, found),
        may_acknowledge=own
        and found.status is OrderStatus.CONFIRMED
        and found.acknowledged_at is None,
        **(_without_staff(facts(found), found) if own else facts(found)),
    )


def _offers(found: PaymentOrder, person: Person) -> list[Offer]:
    """Return what the person may do; to sign waits for somebody else where they are barred."""
    offers = ORDER_WORKFLOW.offers(person, found)
    why = barred(person, [found]).get(found.id)
    if why is None:
        return offers
    return [
        replace(offer, refusal=why) if offer.action in declarations.OF_ONE else offer
        for offer in offers
    ]


def _is_heard(found: PaymentOrder, offer: Offer) -> bool:
    """Say whether nobody ever takes a step of this order by hand: the other side tells of it."""
    if offer.refusal is None or found.rail == AGENT.name:
        return False
    heard = {OrderAction.CONFIRM, OrderAction.RETURN}
    if found.rail == STRIPE.name:
        heard.add(OrderAction.REJECT)
    return offer.action in heard


def _signs(offers: Sequence[Offer]) -> bool:
    return any(offer.action in declarations.OF_ONE and offer.refusal is None for offer in offers)


def _next_signature(found: PaymentOrder, offers: Sequence[Offer]) -> LazyProxy | None:
    """Return who signs next in words, for whoever does not; None where nobody signs any more."""
    return None if _signs(offers) else declarations.NEXT.get(found.status)


def _lacks(found: PaymentOrder, offers: Sequence[Offer]) -> LazyProxy | None:
    """Return the role in which nobody may set the signature that an order waits for, or None."""
    if found.status not in policy.AWAITS or _signs(offers):
        return None
    return None if somebody_signs(found) else policy.SIGNS[policy.AWAITS[found.status]].label


def _without_staff(shown: dict[str, Any], found: PaymentOrder) -> dict[str, Any]:
    """Return `facts` for the grantee, who reads in no history who acted on the funds' side."""
    own = {found.bank_details.entered_by_id, found.acknowledged_by_id}
    return shown | {"people": {who: name for who, name in shown["people"].items() if who in own}}


Verb = Callable[[PaymentOrder, Person], None]


def _sign(ref: str, action: OrderAction, verb: Verb) -> ResponseReturnValue:
    """Show exactly what is signed, then sign it. What was signed already is only shown."""
    found = visible_order(ref)
    person = guard.signed_in()
    form = Form()
    row = ORDER_WORKFLOW.find(found, action)
    # a second click, where the answer to the first was lost, hears what the first one did
    stands = row.target if row else found.status
    told = declarations.SIGNED.get(stands) or _("It was signed already.")
    if done(form, lambda: verb(found, person), str(told)):
        return go(order_page(ref))
    if not form.errors and not any(
        offer.action == action and offer.refusal is None for offer in _offers(found, person)
    ):
        return go(order_page(ref))
    return page(
        "payments/sign.html",
        form,
        sentence=str(declarations.OF_ONE[action]),
        label=str(row.label) if row else "",
        gates=_conditions(found) if action is OrderAction.CERTIFY else (),
        **facts(found),
    )


def _conditions(found: PaymentOrder) -> list[Gate]:
    """Return what whoever certifies says to hold. One SQL statement."""
    standing, _owed = standing_of(found.instalment.award)
    return standing.conditions(found.instalment)


def _offered(found: PaymentOrder, action: OrderAction, person: Person) -> bool:
    row = ORDER_WORKFLOW.find(found, action)
    return row is not None and row.may(person, found)


@blueprint.route("/payments/<ref>/certify", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def certify(ref: str) -> ResponseReturnValue:
    """Certify the use of funds."""
    return _sign(ref, OrderAction.CERTIFY, lambda found, person: service.certify(found, by=person))


@blueprint.route("/payments/<ref>/approve", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def approve(ref: str) -> ResponseReturnValue:
    """Approve the entry."""
    return _sign(ref, OrderAction.APPROVE, lambda found, person: service.approve(found, by=person))


@blueprint.route("/payments/<ref>/approve-again", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def approve_again(ref: str) -> ResponseReturnValue:
    """Approve the entry of a large payment as the second approving officer."""
    return _sign(
        ref,
        OrderAction.APPROVE_AGAIN,
        lambda found, person: service.approve_again(found, by=person),
    )


@blueprint.route("/payments/<ref>/release", methods=["GET", "POST"])
@guard.freshly(policy.has_queue)
def release(ref: str) -> ResponseReturnValue:
    """Release the payment; asks for the password again."""
    return _sign(ref, OrderAction.RELEASE, lambda found, person: service.release(found, by=person))


@blueprint.post("/payments/<ref>/instruction")
@guard.freshly(policy.has_queue)
def instruction(ref: str) -> ResponseReturnValue:
    """Hand out the instruction. It names the account, so that is an act of record."""
    found = visible_order(ref)
    content = service.read_instruction(found, by=guard.signed_in())
    answer = make_response(content)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="instruction-{found.ref}.pdf"'
    return attachment(answer)


def _finish(
    ref: str, action: OrderAction, form: Form, verb: Verb, *, told: str, tone: str = "good"
) -> ResponseReturnValue:
    found = visible_order(ref)
    person = guard.signed_in()
    if done(form, lambda: verb(found, person), told, tone):
        return go(order_page(ref))
    if not form.errors and not _offered(found, action, person):
        return go(order_page(ref))
    return page(f"payments/{action}.html", form, **facts(found))


@blueprint.route("/payments/<ref>/confirm", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def confirm(ref: str) -> ResponseReturnValue:
    """Record that the paying agent paid."""
    form = ConfirmForm()
    return _finish(
        ref,
        OrderAction.CONFIRM,
        form,
        lambda found, person: service.confirm(
            found, reference=form.reference.data, paid_on=form.on.data, by=person
        ),
        told=_("The payment is recorded and booked; the grantee is told."),
    )


@blueprint.route("/payments/<ref>/reject", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def reject(ref: str) -> ResponseReturnValue:
    """Record that the paying agent did not pay."""
    form = RemarkForm()
    return _finish(
        ref,
        OrderAction.REJECT,
        form,
        lambda found, person: service.reject_order(found, form.remark.data, by=person),
        told=_("Recorded. A new attempt needs new signatures."),
        tone="wait",
    )


@blueprint.route("/payments/<ref>/came-back", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def give_back(ref: str) -> ResponseReturnValue:
    """Record that a confirmed payment came back."""
    form = ReturnForm()
    return _finish(
        ref,
        OrderAction.RETURN,
        form,
        lambda found, person: service.return_order(
            found, form.remark.data, on=form.on.data, by=person
        ),
        told=_("Recorded, and taken back in the books. A new attempt needs new signatures."),
        tone="wait",
    )


@blueprint.route("/payments/<ref>/cancel", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def cancel(ref: str) -> ResponseReturnValue:
    """Stop an order that was not released."""
    form = RemarkForm()
    return _finish(
        ref,
        OrderAction.CANCEL,
        form,
        lambda found, person: service.cancel_order(found, form.remark.data, by=person),
        told=_("The order is cancelled."),
        tone="neutral",
    )


@blueprint.route("/payments/<ref>/arrived", methods=["GET", "POST"])
@guard.members_only
def acknowledge(ref: str) -> ResponseReturnValue:
    """Let the grantee say that the money arrived."""
    found = visible_order(ref)
    person = guard.signed_in()
    if not applications.is_member(person, policy.application_of(found)):
        raise NotFound
    form = Form()
    if form.validate_on_submit():
        service.acknowledge(found, by=person)
        tell(_("Thank you. It is recorded that the money arrived."))
        return go(order_page(ref))
    if found.status is not OrderStatus.CONFIRMED or found.acknowledged_at is not None:
        return go(order_page(ref))
    return page("payments/acknowledge.html", form, **facts(found))
