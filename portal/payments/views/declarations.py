"""What people declare by each signature, and what is told after it: who is next."""

from collections.abc import Mapping
from enum import StrEnum

from babel.support import LazyProxy

from portal.core.i18n import _l, ngettext
from portal.payments.models import OrderAction, OrderStatus

_USED_AS_GRANTED = _l(
    "You certify that the money is used for what was granted, and that all conditions hold."
)

OF_ONE = {
    OrderAction.CERTIFY: _USED_AS_GRANTED,
    OrderAction.APPROVE: _l(
        "You approve the entry in the books: this payee, this amount, this grant."
    ),
    OrderAction.APPROVE_AGAIN: _l(
        "You approve the entry as the second: this payee, this amount, this grant."
    ),
    OrderAction.RELEASE: _l(
        "You release the payment: what tells the other side to pay is written and leaves."
    ),
}

OF_SEVERAL = {
    OrderAction.CERTIFY: _USED_AS_GRANTED,
    OrderAction.APPROVE: _l(
        "You approve the entries in the books: these payees, these amounts, these grants."
    ),
    OrderAction.APPROVE_AGAIN: _l(
        "You approve the entries in the books as the second: these payees, amounts and grants."
    ),
    OrderAction.RELEASE: _l("You release these payments: each leaves on its way."),
}

SIGNED: Mapping[StrEnum, LazyProxy] = {
    OrderStatus.CERTIFIED: _l("Certified. Next: an approving officer approves it."),
    OrderStatus.APPROVED_ONCE: _l(
        "Approved. Next: a second approving officer approves it too, since the amount is large."
    ),
    OrderStatus.APPROVED: _l("Approved. Next: treasury releases it."),
    OrderStatus.RELEASED: _l("Released. The order says what happens next."),
}
"""What is told once somebody signed, by where the order stands then."""

NEXT: Mapping[StrEnum, LazyProxy] = {
    OrderStatus.PREPARED: _l("A certifying officer certifies the use of funds."),
    OrderStatus.CERTIFIED: _l("An approving officer approves it."),
    OrderStatus.APPROVED_ONCE: _l(
        "A second approving officer approves it too, since the amount is large."
    ),
    OrderStatus.APPROVED: _l("Treasury releases it."),
}
"""Who signs next, by where an order stands, for all who read it and do not sign themselves."""


def several_signed(counts: Mapping[StrEnum, int]) -> str:
    """Return what is told once several orders were signed: how many, by where they stand then."""
    said = {
        OrderStatus.CERTIFIED: ngettext(
            "%(num)s payment certified. Next: an approving officer approves it.",
            "%(num)s payments certified. Next: an approving officer approves them.",
            counts.get(OrderStatus.CERTIFIED, 0),
        ),
        OrderStatus.APPROVED_ONCE: ngettext(
            "%(num)s large payment approved. Next: a second approving officer approves it too.",
            "%(num)s large payments approved. Next: a second approving officer approves them too.",
            counts.get(OrderStatus.APPROVED_ONCE, 0),
        ),
        OrderStatus.APPROVED: ngettext(
            "%(num)s payment approved. Next: treasury releases it.",
            "%(num)s payments approved. Next: treasury releases them.",
            counts.get(OrderStatus.APPROVED, 0),
        ),
        OrderStatus.RELEASED: ngettext(
            "%(num)s payment released. Its page says what happens next.",
            "%(num)s payments released. The page of each says what happens next.",
            counts.get(OrderStatus.RELEASED, 0),
        ),
    }
    return " ".join(sentence for status, sentence in said.items() if counts.get(status))
