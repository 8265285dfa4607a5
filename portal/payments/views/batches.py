"""Signing several payments at once: the same signatures, each over the digest of its own order."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from babel.support import LazyProxy
from flask import request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.accounts.models import Person
from portal.core.i18n import _, _l
from portal.core.money import Money
from portal.core.pages import done, go, page
from portal.core.web import Form
from portal.core.workflow import Refused
from portal.payments import attempts, banking, policy, service
from portal.payments.models import OrderAction, OrderStatus, PaymentOrder
from portal.payments.queries import SIGNING, Waiting
from portal.payments.views import declarations
from portal.payments.views.blueprint import blueprint
from portal.payments.workflow import ORDER_WORKFLOW


@dataclass(frozen=True)
class Step:
    """One signature, for many orders."""

    status: OrderStatus
    verb: Callable[..., None]
    title: LazyProxy
    sentence: LazyProxy


CERTIFY = Step(
    OrderStatus.PREPARED,
    service.certify,
    _l("Certify several payments"),
    declarations.OF_SEVERAL[OrderAction.CERTIFY],
)
APPROVE = Step(
    OrderStatus.CERTIFIED,
    service.approve,
    _l("Approve several payments"),
    declarations.OF_SEVERAL[OrderAction.APPROVE],
)
APPROVE_AGAIN = Step(
    OrderStatus.APPROVED_ONCE,
    service.approve_again,
    _l("Approve several large payments a second time"),
    declarations.OF_SEVERAL[OrderAction.APPROVE_AGAIN],
)
RELEASE = Step(
    OrderStatus.APPROVED,
    service.release,
    _l("Release several payments"),
    declarations.OF_SEVERAL[OrderAction.RELEASE],
)


SEVERAL = {
    OrderAction.CERTIFY: ("payments.certify_several", CERTIFY),
    OrderAction.APPROVE: ("payments.approve_several", APPROVE),
    OrderAction.APPROVE_AGAIN: ("payments.approve_several_again", APPROVE_AGAIN),
    OrderAction.RELEASE: ("payments.release_several", RELEASE),
}
"""Where several signatures of one kind are given at once."""

TOGETHER = 2
"""From how many payments on signing them together is worth a page."""


def together(waiting: Iterable[Waiting]) -> list[tuple[str, str]]:
    """Return title and address of each page on which several of `waiting` are signed at once."""
    counts = Counter(each.signs for each in waiting if each.signs in SEVERAL)
    return [
        (f"{step.title} ({counts[action]})", url_for(endpoint))
        for action, (endpoint, step) in SEVERAL.items()
        if counts[action] >= TOGETHER
    ]


@blueprint.route("/payments/several/certify", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def certify_several() -> ResponseReturnValue:
    """Certify the payments that are ticked."""
    return _several(CERTIFY)


@blueprint.route("/payments/several/approve", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def approve_several() -> ResponseReturnValue:
    """Approve the payments that are ticked."""
    return _several(APPROVE)


@blueprint.route("/payments/several/approve-again", methods=["GET", "POST"])
@guard.requires(policy.has_queue)
def approve_several_again() -> ResponseReturnValue:
    """Approve the large payments that are ticked, as the second."""
    return _several(APPROVE_AGAIN)


@blueprint.route("/payments/several/release", methods=["GET", "POST"])
@guard.freshly(policy.has_queue)
def release_several() -> ResponseReturnValue:
    """Release the payments that are ticked; asks for the password again."""
    return _several(RELEASE)


def _several(step: Step) -> ResponseReturnValue:
    """Show what waits for this signature; sign all that is ticked, or none of it."""
    person = guard.signed_in()
    orders = banking.signable(person, step.status)
    ticked = set(request.form.getlist("order"))
    chosen = [order for order in orders if order.ref in ticked]
    form = Form()
    if done(
        form,
        lambda: _sign_all(step, chosen, ticked, person),
        declarations.several_signed(_ends(step, chosen)),
    ):
        return go(url_for("payments.queue"))
    if form.errors:
        orders = banking.signable(person, step.status)
    return page(
        "payments/several.html",
        form,
        step=step,
        orders=orders,
        ticked=ticked,
        totals=_totals(orders),
        attempts=attempts.ended(order.instalment_id for order in orders),
    )


def _ends(step: Step, orders: Sequence[PaymentOrder]) -> Counter[StrEnum]:
    """Return how many of these orders stand where once they are signed."""
    rows = (ORDER_WORKFLOW.find(order, SIGNING[step.status][1]) for order in orders)
    return Counter(row.target for row in rows if row is not None)


def _sign_all(
    step: Step, orders: Sequence[PaymentOrder], ticked: Collection[str], person: Person
) -> None:
    """Sign `orders`, which are those `ticked`. Raises Refused where one of them is not."""
    if not ticked:
        raise Refused(_("Tick at least one payment."))
    if len(orders) != len(ticked):
        raise Refused(
            _("A payment that you ticked moved meanwhile, so none was signed. Look at them again.")
        )
    for order in orders:
        step.verb(order, by=person)


def _totals(orders: Sequence[PaymentOrder]) -> list[Money]:
    sums: Counter[str] = Counter()
    for order in orders:
        sums[order.currency] += order.amount
    return [Money(cents, currency) for currency, cents in sorted(sums.items())]
