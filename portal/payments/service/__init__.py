"""The verbs of payments: bank details, orders and their three signatures, refunds, closing."""

from portal.payments.payees import Payee
from portal.payments.service.agent import acknowledge, confirm, reject_order, return_order
from portal.payments.service.answers import (
    accept_by_bank,
    reject_by_bank,
    return_by_bank,
    settle_by_bank,
)
from portal.payments.service.bank import (
    enter_bank_details,
    payee,
    read_bank_details,
    reject_bank_details,
    same_account,
    verify_bank_details,
)
from portal.payments.service.closing import close_award, settle_account
from portal.payments.service.fund_accounts import (
    close_account,
    confirm_account,
    propose_account,
)
from portal.payments.service.orders import cancel_order, gates, prepare_order
from portal.payments.service.sending import hand_over, read_file, send_again
from portal.payments.service.signing import (
    approve,
    approve_again,
    certify,
    read_instruction,
    release,
)

__all__ = [
    "Payee",
    "accept_by_bank",
    "acknowledge",
    "approve",
    "approve_again",
    "cancel_order",
    "certify",
    "close_account",
    "close_award",
    "confirm",
    "confirm_account",
    "enter_bank_details",
    "gates",
    "hand_over",
    "payee",
    "prepare_order",
    "propose_account",
    "read_bank_details",
    "read_file",
    "read_instruction",
    "reject_bank_details",
    "reject_by_bank",
    "reject_order",
    "release",
    "return_by_bank",
    "return_order",
    "same_account",
    "send_again",
    "settle_account",
    "settle_by_bank",
    "verify_bank_details",
]
