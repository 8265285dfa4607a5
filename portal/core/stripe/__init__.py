"""The card processor: what leaves to it, what it tells, and amounts as it writes them.

Knows no feature. Three traps of the processor's own library are kept in here: the library retries
nothing unless told, so it is told; a retry without our key would be another payment, so the key
comes from a row of ours and is stored with the exact content before the first call; an answer is
no dictionary in the library, so it leaves as plain JSON. What the processor says on its own is
believed for its identifier only: the object is read again from it.
"""

from portal.core.stripe.amounts import Unconvertible, from_stripe, stripe_exponent, to_stripe
from portal.core.stripe.calls import look_up, prepare, send
from portal.core.stripe.client import (
    Declined,
    Json,
    NotFoundThere,
    Unanswered,
    configure,
    fees_fund,
    is_on,
    listed,
    read,
)
from portal.core.stripe.events import BadSignature, Later, NotOurs, handles, take
from portal.core.stripe.models import CallState, EventState, StripeCall, StripeEvent

__all__ = [
    "BadSignature",
    "CallState",
    "Declined",
    "EventState",
    "Json",
    "Later",
    "NotFoundThere",
    "NotOurs",
    "StripeCall",
    "StripeEvent",
    "Unanswered",
    "Unconvertible",
    "configure",
    "fees_fund",
    "from_stripe",
    "handles",
    "is_on",
    "listed",
    "look_up",
    "prepare",
    "read",
    "send",
    "stripe_exponent",
    "take",
    "to_stripe",
]
