"""The verbs of payments: bank details, orders and their three signatures, refunds, closing."""

from portal.payments.service.agent import acknowledge, confirm, reject_order, return_order
from portal.payments.service.bank import (
    Payee,
    enter_bank_details,
    payee,
    read_bank_details,
    reject_bank_details,
    same_account,
    verify_bank_details,
)
from portal.payments.service.closing import close_award, settle_account, settle_receivable
from portal.payments.service.orders import cancel_order, gates, prepare_order
from portal.payments.service.signing import approve, certify, read_instruction, release

__all__ = [
    "Payee",
    "acknowledge",
    "approve",
    "cancel_order",
    "certify",
    "close_award",
    "confirm",
    "enter_bank_details",
    "gates",
    "payee",
    "prepare_order",
    "read_bank_details",
    "read_instruction",
    "reject_bank_details",
    "reject_order",
    "release",
    "return_order",
    "same_account",
    "settle_account",
    "settle_receivable",
    "verify_bank_details",
]
