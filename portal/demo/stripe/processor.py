"""What the pretend card processor does: pay, decline, refund, dispute, pay out, pay grantees.

Amounts are as the processor writes them. Our account is kept in US$; a gift in another currency
is exchanged at a made-up rate.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask, current_app

from portal.core.config import Settings
from portal.core.money import to_usd
from portal.core.stripe import from_stripe
from portal.demo.stripe import shapes
from portal.demo.stripe.hooks import Mailbox
from portal.demo.stripe.store import Store, Turn

Json = dict[str, Any]

KEY = "sk_test_demonstration"
FILE = "pretend-card-processor.sqlite"
OURS = "usd"
PER_DOLLAR = {"usd": "1", "eur": "0.92", "chf": "0.88", "gbp": "0.79", "jpy": "151"}
OTHERWISE = "10"
"""Units of another currency for US$ 1 here."""
PERCENT, FIXED, DISPUTE_FEE = Decimal("0.029"), 30, 15_00


class NotNow(Exception):
    """An act that the processor refuses; `code` is its own."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


class Processor:
    """The processor: its memory, its key, and where its messages go."""

    def __init__(self, store: Store, mailbox: Mailbox, *, pages: str, key: str = KEY) -> None:
        self.store, self.mailbox, self.pages, self.key = store, mailbox, pages, key

    def tell(self, kind: str, thing: Json, account: str = "") -> None:
        """Tell of an object."""
        self.mailbox.tell(shapes.event(kind, thing, account))

    # what a donor does

    def pay(self, session_id: str, *, later: bool = False) -> Json:
        """Pay a page, now, or later through a bank. Again changes nothing."""
        with self.store.turn() as turn:
            page = turn.get("checkout.session", session_id)
            if page["status"] != "open":
                return page
            intent = shapes.intent(page["amount_total"], page["currency"], _metadata(turn, page))
            page |= {"status": "complete", "url": None, "payment_intent": intent["id"]}
            if later:
                intent["status"] = "processing"
                turn.put(intent)
            else:
                page["payment_status"] = "paid"
                self._charge(turn, intent)
            turn.put(page)
        self.tell("checkout.session.completed", page)
        return page

    def arrive(self, session_id: str, *, fail: bool = False) -> Json:
        """Let what was paid later arrive, or fail."""
        with self.store.turn() as turn:
            page = turn.get("checkout.session", session_id)
            intent = turn.get("payment_intent", str(page["payment_intent"]))
            if intent["status"] != "processing":
                return page
            if fail:
                intent |= {
                    "status": "requires_payment_method",
                    "last_payment_error": {
                        "type": "card_error",
                        "code": "payment_intent_payment_attempt_failed",
                    },
                }
                turn.put(intent)
            else:
                page["payment_status"] = "paid"
                self._charge(turn, intent)
                turn.put(page)
        how = "failed" if fail else "succeeded"
        self.tell(f"checkout.session.async_payment_{how}", page)
        return page

    def expire(self, session_id: str) -> Json:
        """Close a page that nobody paid."""
        with self.store.turn() as turn:
            page = turn.get("checkout.session", session_id)
            if page["status"] != "open":
                return page
            page |= {"status": "expired", "url": None}
            turn.put(page)
        self.tell("checkout.session.expired", page)
        return page

    def _charge(self, turn: Turn, intent: Json) -> Json:
        charge = shapes.charge(intent, "succeeded")
        gross, rate = _exchanged(intent["amount"], intent["currency"])
        fee = int(gross * PERCENT) + FIXED
        line = shapes.line("charge", charge["id"], gross, fee, OURS, rate, "charge")
        charge["balance_transaction"] = turn.put(line)["id"]
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
        }
        turn.put(intent)
        return turn.put(charge)

    # what the processor's own staff, or the donor's bank, does

    def refund(self, charge_id: str, amount: int | None, metadata: Json) -> Json:
        """Give back a part or all of a charge. Raises NotNow above what is left."""
        with self.store.turn() as turn:
            charge = turn.get("charge", charge_id)
            left = charge["amount"] - charge["amount_refunded"]
            wanted = left if amount is None else amount
            if _in_dispute(turn, charge_id):
                raise NotNow("This charge is in dispute.", "charge_disputed")
            if not 0 < wanted <= left:
                raise NotNow(
                    f"Refund amount ({wanted}) is greater than unrefunded amount ({left}).",
                    "charge_already_refunded" if not left else "",
                )
            gross, rate = _exchanged(wanted, charge["currency"])
            line = shapes.line("refund", "", -gross, 0, OURS, rate, "refund")
            made = shapes.refund(charge, wanted, metadata, line["id"])
            turn.put(line | {"source": made["id"]})
            charge["amount_refunded"] += wanted
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            turn.put(charge)
            turn.put(made)
        self.tell("refund.created", made)
        self.tell("charge.refunded", charge)
        return made

    def fail_refund(self, refund_id: str) -> Json:
        """Let a refund come back: the donor's bank did not take it."""
        with self.store.turn() as turn:
            made = turn.get("refund", refund_id)
            if made.get("failure_balance_transaction"):
                return made
            gone = turn.get("balance_transaction", made["balance_transaction"])
            line = shapes.line(
                "refund_failure", refund_id, -gone["amount"], 0, OURS, None, "refund_failure"
            )
            made |= {
                "status": "failed",
                "failure_reason": "lost_or_stolen_card",
                "failure_balance_transaction": turn.put(line)["id"],
            }
            charge = turn.get("charge", made["charge"])
            charge["amount_refunded"] -= made["amount"]
            turn.put(charge)
            turn.put(made)
        self.tell("refund.failed", made)
        return made

    def dispute(self, charge_id: str) -> Json:
        """Let the donor's bank take the money back."""
        with self.store.turn() as turn:
            charge = turn.get("charge", charge_id)
            left = charge["amount"] - charge["amount_refunded"]
            if charge["disputed"] or not left:
                raise NotNow("There is nothing to dispute.")
            gross, rate = _exchanged(left, charge["currency"])
            line = shapes.line("adjustment", charge_id, -gross, DISPUTE_FEE, OURS, rate, "dispute")
            made = shapes.dispute(charge, [turn.put(line)])
            charge["disputed"] = True
            turn.put(charge)
            turn.put(made)
        self.tell("charge.dispute.created", made)
        return made

    def answer_dispute(self, dispute_id: str) -> Json:
        """Take in what the fund has to say of a dispute; then the donor's bank decides."""
        with self.store.turn() as turn:
            made = turn.get("dispute", dispute_id)
            if made["status"] != "needs_response":
                return made
            made["status"] = "under_review"
            made["evidence_details"] |= {"has_evidence": True, "submission_count": 1}
            turn.put(made)
        self.tell("charge.dispute.updated", made)
        return made

    def end_dispute(self, dispute_id: str, *, won: bool) -> Json:
        """Decide a dispute; what was won comes back, with its fee."""
        with self.store.turn() as turn:
            made = turn.get("dispute", dispute_id)
            if made["status"] in {"won", "lost"}:
                return made
            made["status"] = "won" if won else "lost"
            if won:
                taken = made["balance_transactions"][0]
                line = shapes.line(
                    "adjustment",
                    made["charge"],
                    -taken["amount"],
                    -taken["fee"],
                    OURS,
                    None,
                    "dispute_reversal",
                )
                made["balance_transactions"].append(turn.put(line))
            turn.put(made)
        self.tell("charge.dispute.closed", made)
        return made

    def pay_out(self) -> Json:
        """Pay what lies in our account to our bank. Raises NotNow where nothing does."""
        with self.store.turn() as turn:
            lines = [each for each in turn.all("balance_transaction") if not _is_paid_out(each)]
            total = sum(each["net"] for each in lines)
            if total <= 0:
                raise NotNow("There is nothing to pay out.", "balance_insufficient")
            made = shapes.payout(total, OURS, {}, automatic=True)
            line = shapes.line("payout", made["id"], -total, 0, OURS, None, "payout")
            made |= {
                "status": "paid",
                "balance_transaction": line["id"],
                "trace_id": {"status": "supported", "value": made["id"][-10:].upper()},
            }
            for each in [turn.put(line), *lines]:
                turn.put(each | {"status": "available", "description": made["id"]})
            turn.put(made)
        self.tell("payout.paid", made)
        return made

    def fail_payout(self, payout_id: str, account: str = "") -> Json:
        """Let a bank refuse a payout, also after it had arrived; what it paid lies here again."""
        with self.store.turn() as turn:
            made = turn.get("payout", payout_id)
            if made["status"] == "failed":
                return made
            if not account:
                total = made["amount"]
                line = shapes.line(
                    "payout_failure", payout_id, total, 0, OURS, None, "payout_reversal"
                )
                made["failure_balance_transaction"] = turn.put(line)["id"]
            made |= {
                "status": "failed",
                "failure_code": "account_closed",
                "failure_message": "The bank account has been closed.",
            }
            turn.put(made, account)
        self.tell("payout.failed", made, account)
        return made

    def charge_fee(self, amount: int = 2_00) -> Json:
        """Take a fee of the account itself, for a month; below zero give one back."""
        with self.store.turn() as turn:
            line = shapes.line("stripe_fee", "", -amount, 0, OURS, None, "fee")
            return turn.put(line | {"source": None})

    def settle_payout(self, payout_id: str, account: str) -> Json:
        """Let a grantee's bank take a payout."""
        with self.store.turn() as turn:
            made = turn.get("payout", payout_id)
            if made["status"] != "pending":
                return made
            made["status"] = "paid"
            turn.put(made, account)
        self.tell("payout.paid", made, account)
        return made

    def reverse(self, transfer_id: str, amount: int | None, metadata: Json) -> Json:
        """Take a transfer back, what is left of it or a part. Raises NotNow above that."""
        with self.store.turn() as turn:
            moved = turn.get("transfer", transfer_id)
            left = moved["amount"] - moved["amount_reversed"]
            wanted = left if amount is None else amount
            if not 0 < wanted <= left:
                raise NotNow("This transfer has been taken back already.")
            line = shapes.line("transfer_refund", "", wanted, 0, OURS, None, "transfer_reversal")
            made = shapes.reversal(transfer_id, wanted, metadata, line["id"])
            turn.put(line | {"source": made["id"]})
            moved["amount_reversed"] += wanted
            moved["reversed"] = moved["amount_reversed"] == moved["amount"]
            turn.put(moved)
            turn.put(made)
        self.tell("transfer.reversed", moved)
        return made


def _metadata(turn: Turn, page: Json) -> Json:
    """Return what the charge of a page carries: what was asked for with it."""
    kept = turn.find("pretend.kept", f"kept_{page['id']}") or {}
    metadata: Json = kept.get("metadata", {})
    return metadata


def _in_dispute(turn: Turn, charge_id: str) -> bool:
    """Say whether a charge is disputed, or was lost; its mark stays even once it is won."""
    return any(
        each["charge"] == charge_id and each["status"] != "won" for each in turn.all("dispute")
    )


def _is_paid_out(line: Json) -> bool:
    return str(line["description"] or "").startswith("po_")


def _exchanged(amount: int, currency: str) -> tuple[int, str | None]:
    """Return an amount in US cents, and the rate that it was exchanged at."""
    if currency == OURS:
        return amount, None
    per_dollar = Decimal(PER_DOLLAR.get(currency, OTHERWISE))
    return to_usd(from_stripe(amount, currency), per_dollar).minor, f"{1 / per_dollar:.6f}"


def init_processor(app: Flask, settings: Settings) -> None:
    """Let `app` play the processor that its own settings lead to."""
    app.extensions["pretend_processor"] = at(
        settings.data_dir / FILE,
        Mailbox(
            f"{settings.base_url}/webhooks/stripe",
            settings.stripe_webhook_secret.get_secret_value(),
        ),
        pages=f"{settings.base_url}/demo/stripe/pay",
    )


def at(path: Path, mailbox: Mailbox, *, pages: str) -> Processor:
    """Return a processor that remembers in the file `path`."""
    return Processor(Store(path), mailbox, pages=pages)


def processor() -> Processor:
    """Return the processor that this application plays."""
    found: Processor = current_app.extensions["pretend_processor"]
    return found
