"""What a message of the bank left for a person, until somebody says how it was seen to."""

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.reasons import words_or_refuse
from portal.core.workflow import Refused
from portal.payments import policy
from portal.payments.models import BankMessage
from portal.payments.service.signatories import refuse_signatory_of_attempts


def see_to(message: BankMessage, note: str, *, by: Person) -> None:
    """Record how somebody saw to all that the message left; it waits for nobody any more.

    The same again changes nothing. Raises Refused without a note, for others than treasury and
    finance of the fund, for who signed a payment that may have been made, where nothing was left,
    and where somebody saw to it before.
    """
    if not policy.can_see_to(by, message):
        raise Refused(_("Treasury or finance of the fund sees to what the bank said."))
    refuse_signatory_of_attempts(message.perhaps_paid, by)
    words = words_or_refuse(note, _("Say how it was seen to."))
    audit.take_turn()
    session.refresh(message, ["seen_at", "seen_by_id", "seen_note"], with_for_update=True)
    if (message.seen_by_id, message.seen_note) == (by.id, words):
        return
    if not message.waits:
        raise Refused(_("Nothing of this message waits any more."))
    with session.no_autoflush:  # the database wants person, moment and note at once
        message.seen_at, message.seen_by_id, message.seen_note = clock.now(), by.id, words
    audit.record("bank_message.seen_to", message, actor_id=by.id, facts={"left": message.left})
