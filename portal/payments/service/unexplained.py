"""Debits that nobody has explained: until one is, its instalment is neither paid nor given up."""

from portal.awards.models import Instalment
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.payments import debited


def refuse_unexplained_debit(*instalments: Instalment) -> None:
    """Raise Refused where the bank debited an earlier payment of an instalment after all.

    A new attempt would pay twice. At most two SQL statements.
    """
    asked = [each.id for each in instalments]
    if debited.by_line(asked):
        raise Refused(
            _(
                "The bank debited an earlier payment of this instalment, or as much, and that "
                "debit is not explained yet: paying now would pay twice. Ask the grantee and the "
                "bank. Then finance says what the line is: paid after all, claimed back, or "
                "something else."
            ),
            rule="R22",
        )
    if debited.by_word(asked):
        raise Refused(
            _(
                "The bank says that it made an earlier payment of this instalment, or has it: "
                "paying now may pay twice. Take in the bank's statement and say what its line is, "
                "or say on the message's page, under “From the bank”, how it was seen to."
            ),
            rule="R22",
        )
