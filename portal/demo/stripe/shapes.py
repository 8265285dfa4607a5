"""The objects of the card processor as its own description shapes them."""

import json
import secrets
from typing import Any

from portal.core import clock

Json = dict[str, Any]

LIVE = False
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
VERSION = "2026-05-27.dahlia"


def name(prefix: str) -> str:
    """Return a new identifier."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _i in range(24))}"


def now() -> int:
    """Return the present moment as the processor writes it."""
    return int(clock.now().timestamp())


def listed(rows: list[Json], url: str, *, more: bool = False) -> Json:
    """Return a list."""
    return {"object": "list", "data": rows, "has_more": more, "url": url}


def session(asked: Json, url: str, amount: int) -> Json:
    """Return a page on which somebody pays."""
    item = asked["line_items"][0]
    return {
        "id": name("cs_test"),
        "object": "checkout.session",
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": asked.get("cancel_url"),
        "client_reference_id": asked.get("client_reference_id"),
        "created": now(),
        "currency": item["price_data"]["currency"],
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "expires_at": int(asked.get("expires_at", now() + 24 * 3600)),
        "livemode": LIVE,
        "locale": asked.get("locale"),
        "metadata": asked.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "submit_type": asked.get("submit_type"),
        "success_url": asked.get("success_url"),
        "ui_mode": "hosted_page",
        "url": url,
    }


def intent(amount: int, currency: str, metadata: Json) -> Json:
    """Return the intent to pay."""
    return {
        "id": name("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "created": now(),
        "currency": currency,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": LIVE,
        "metadata": metadata,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def charge(paid: Json, status: str) -> Json:
    """Return the charge of an intent."""
    done = status == "succeeded"
    return {
        "id": name("ch"),
        "object": "charge",
        "amount": paid["amount"],
        "amount_captured": paid["amount"] if done else 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {
            "address": None,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "captured": done,
        "created": now(),
        "currency": paid["currency"],
        "disputed": False,
        "failure_code": None,
        "livemode": LIVE,
        "metadata": paid["metadata"],
        "paid": done,
        "payment_intent": paid["id"],
        "refunded": False,
        "status": status,
    }


def line(  # noqa: PLR0917 — the columns of an account
    kind: str, source: str, amount: int, fee: int, currency: str, rate: str | None, category: str
) -> Json:
    """Return a line of our account at the processor."""
    return {
        "id": name("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now(),
        "balance_type": "payments",
        "created": now(),
        "currency": currency,
        "description": None,
        "exchange_rate": None if rate is None else _number(rate),
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Processing fee",
                "type": "stripe_fee",
            }
        ]
        if fee
        else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "available",
        "type": kind,
    }


def _number(text: str) -> Any:
    """Return a rate as JSON writes it: it is information there, and nothing is computed with it."""
    return json.loads(text)


def refund(charged: Json, amount: int, metadata: Json, line_id: str) -> Json:
    """Return a refund."""
    return {
        "id": name("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": line_id,
        "charge": charged["id"],
        "created": now(),
        "currency": charged["currency"],
        "metadata": metadata,
        "payment_intent": charged["payment_intent"],
        "reason": "requested_by_customer",
        "receipt_number": None,
        "status": "succeeded",
    }


def dispute(charged: Json, lines: list[Json]) -> Json:
    """Return a dispute."""
    return {
        "id": name("dp"),
        "object": "dispute",
        "amount": charged["amount"] - charged["amount_refunded"],
        "balance_transactions": lines,
        "charge": charged["id"],
        "created": now(),
        "currency": charged["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now() + 7 * 24 * 3600,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": LIVE,
        "metadata": {},
        "payment_intent": charged["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }


def payout(amount: int, currency: str, metadata: Json, *, automatic: bool) -> Json:
    """Return a payout to a bank account."""
    return {
        "id": name("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": now(),
        "automatic": automatic,
        "balance_transaction": None,
        "created": now(),
        "currency": currency,
        "description": None,
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": LIVE,
        "metadata": metadata,
        "method": "standard",
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }


def account(asked: Json) -> Json:
    """Return a connected account."""
    return {
        "id": name("acct"),
        "object": "account",
        "charges_enabled": False,
        "country": asked["country"],
        "created": now(),
        "default_currency": asked.get("default_currency", "usd"),
        "details_submitted": True,
        "metadata": asked.get("metadata", {}),
        "payouts_enabled": True,
        "type": "none",
    }


def transfer(asked: Json, line_id: str) -> Json:
    """Return a transfer from our account to a connected one."""
    made = name("tr")
    return {
        "id": made,
        "object": "transfer",
        "amount": int(asked["amount"]),
        "amount_reversed": 0,
        "balance_transaction": line_id,
        "created": now(),
        "currency": asked["currency"],
        "description": None,
        "destination": asked["destination"],
        "livemode": LIVE,
        "metadata": asked.get("metadata", {}),
        "reversals": listed([], f"/v1/transfers/{made}/reversals"),
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": asked.get("transfer_group"),
    }


def reversal(transfer_id: str, amount: int, metadata: Json, line_id: str) -> Json:
    """Return the taking back of a transfer."""
    return {
        "id": name("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": line_id,
        "created": now(),
        "currency": "usd",
        "destination_payment_refund": None,
        "metadata": metadata,
        "source_refund": None,
        "transfer": transfer_id,
    }


def event(kind: str, thing: Json, account_id: str) -> Json:
    """Return a message about an object."""
    told = {
        "id": name("evt"),
        "object": "event",
        "api_version": VERSION,
        "created": now(),
        "data": {"object": thing},
        "livemode": LIVE,
        "pending_webhooks": 1,
        "request": None,
        "type": kind,
    }
    return told | ({"account": account_id} if account_id else {})


def error(status: int, kind: str, sentence: str, **more: Any) -> tuple[int, Json]:
    """Return an error as the processor answers it, after its HTTP status."""
    return status, {"error": {"type": kind, "message": sentence, **more}}
