"""What the bank sends: taken in whole and once, placed with our payments, the rest for a person."""

from portal.payments.service.bank_messages.placing import Received
from portal.payments.service.bank_messages.receiving import content_of_message, receive_file
from portal.payments.service.bank_messages.seeing import see_to
from portal.payments.service.bank_messages.statement import bring_statement

__all__ = ["Received", "bring_statement", "content_of_message", "receive_file", "see_to"]
