"""What people declare by each signature, for one payment and for several at once."""

from portal.core.i18n import _l
from portal.payments.models import OrderAction

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
