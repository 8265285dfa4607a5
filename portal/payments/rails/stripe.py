"""The rail of the card processor: a connected account, a transfer to it, a payout from it.

Only for countries that a setting switches on, and in US$. What three people signed becomes three
calls, one after the other; each is stored with a key derived from the order before it leaves, so
that an answer that is lost is asked for again and never made twice. Names of banks and accounts
stand in the sealed instruction only.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from portal.core import clock, stripe
from portal.core.config import Settings
from portal.core.db import session
from portal.core.i18n import _
from portal.core.stripe.models import CallState, StripeCall
from portal.core.text import Json, canonical_json, sha256_hex
from portal.core.workflow import Refused
from portal.funds import countries
from portal.payments import reasons
from portal.payments.models import TRANSFER
from portal.payments.rails.base import Answer, Leaving, Outcome, sound

ACCOUNTS, TRANSFERS, PAYOUTS = "/v1/accounts", "/v1/transfers", "/v1/payouts"
OURS = "usd"
REVERSAL = "reversal:"
"""What stands before an order in the key of the call that takes its transfer back."""

_switched_on: set[str] = set()


class Progress(StrEnum):
    """How far one step came."""

    FURTHER = "further"
    """Something was stored or answered: commit, then take the next step."""
    WAITING = "waiting"
    """Nothing can be done but wait: for an answer, or for the grantee's bank."""
    OVER = "over"
    """It is known what became of the payment."""


@dataclass(frozen=True)
class Step:
    """What a step found: how far it came, what is known, and the object that was just made."""

    progress: Progress
    answer: Answer | None = None
    transferred: stripe.Json | None = None
    reversed: stripe.Json | None = None


def configure(settings: Settings) -> None:
    """Pay only in the countries of `settings`, and nowhere without a card processor."""
    _switched_on.clear()
    if settings.takes_cards:
        _switched_on.update(settings.payout_countries)


@dataclass(frozen=True)
class StripeRail:
    """The card processor pays the grantee out of what lies in our account there."""

    name: str = "stripe"
    leaving: Leaving = Leaving.BY_THE_WORKER

    @property
    def label(self) -> str:
        """The way of payment, as a page names it."""
        return _("Card processor")

    def serves(self, country: str) -> bool:
        """Say whether grantees of the country (ISO 3166 alpha-3) are paid this way."""
        return country in _switched_on

    def prepare(self, context: Mapping[str, Any]) -> bytes:
        """Return the contents of all calls of one order, in the one way of writing them.

        Raises Refused for another currency than US$.
        """
        order, payee = context["order"], context["payee"]
        if order.currency != "USD":
            raise Refused(_("The card processor pays in US$ only."))
        country = countries.country(payee.country).iso2
        entered = int(order.bank_details.entered_at.timestamp())
        account: dict[str, Json] = {
            "country": country,
            "business_type": "non_profit",
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "application",
                "stripe_dashboard": {"type": "none"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "tos_acceptance": {"service_agreement": "recipient", "date": entered},
            "bank_account": {
                "object": "bank_account",
                "country": country,
                "currency": OURS,
                "account_holder_name": payee.holder,
                "account_number": payee.account,
                **({"routing_number": payee.bic} if payee.bic else {}),
            },
        }
        money: dict[str, Json] = {"amount": stripe.to_stripe(order.money), "currency": OURS}
        named: dict[str, Json] = {"metadata": {"order": order.ref}}
        return canonical_json(
            {
                "payee": order.bank_details.digest,
                "account": account,
                "transfer": {**money, **named, "transfer_group": order.ref},
                "payout": {**money, **named},
            }
        )

    def submit(self, reference: str, content: bytes) -> None:
        """Take one step of the order `reference` that sets no money aside, as often as tried."""
        self.step(reference, content, sets_aside=lambda: False)

    def step(self, reference: str, content: bytes, *, sets_aside: Callable[[], bool]) -> Step:
        """Take the next step of an order and say how far it came; commit after each.

        `sets_aside` is asked once, in the step that keeps the transfer's call and before it: where
        it says no, the order waits. Raises Unanswered where nobody knows what became of a call:
        the same step again finds out.
        """
        said: dict[str, Any] = json.loads(content)
        key = f"payee:{sha256_hex(str(said['payee']).encode())[:40]}"
        account = _call(key)
        if account is None:
            stripe.prepare(key, ACCOUNTS, said["account"], sealed_elsewhere=True)
            return Step(Progress.FURTHER)
        if account.state is not CallState.ANSWERED:
            return self._made(account, said["account"])
        transfer = _call(TRANSFER + reference)
        if transfer is not None:
            return self._move(reference, said, str(account.object_id), transfer)
        if not sets_aside():
            return Step(Progress.WAITING)
        params = {**said["transfer"], "destination": str(account.object_id)}
        stripe.prepare(TRANSFER + reference, TRANSFERS, params)
        return Step(Progress.FURTHER)

    def _move(
        self, reference: str, said: Mapping[str, Any], account: str, transfer: StripeCall
    ) -> Step:
        """Take the next step once the money was set aside."""
        if transfer.state is not CallState.ANSWERED:
            return self._made(transfer, None, is_transfer=True)
        payout = _call(f"payout:{reference}")
        if payout is None:
            stripe.prepare(f"payout:{reference}", PAYOUTS, said["payout"], account=account)
            return Step(Progress.FURTHER)
        if payout.state is CallState.READY:
            return self._paid_out(payout)
        return self._outcome(reference, transfer, payout)

    def _made(
        self, call: StripeCall, params: Mapping[str, Any] | None, *, is_transfer: bool = False
    ) -> Step:
        """Send a call before which no money has moved: declined, the payment is rejected."""
        try:
            made = stripe.send(call, params)
        except stripe.Declined as no:
            return Step(Progress.OVER, _refused(reasons.coded(no.code, no.sentence)))
        return Step(Progress.FURTHER, transferred=made if is_transfer else None)

    def _paid_out(self, call: StripeCall) -> Step:
        """Send the payout. Declined, the transfer is taken back next."""
        with suppress(stripe.Declined):
            stripe.send(call)
        return Step(Progress.FURTHER)

    def _outcome(self, reference: str, transfer: StripeCall, payout: StripeCall) -> Step:
        """Return what became of the payout; where it failed, take the transfer back."""
        why = payout.reason
        if payout.state is CallState.ANSWERED:
            there = stripe.send(payout)
            if there["status"] == "paid":
                on = datetime.fromtimestamp(there["arrival_date"], UTC).date()
                answer = Answer(Outcome.SETTLED, on, reference=there["id"])
                return Step(Progress.OVER, answer)
            if there["status"] not in {"failed", "canceled"}:
                return Step(Progress.WAITING)
            said = str(there.get("failure_message") or there["status"])
            why = reasons.coded(str(there.get("failure_code") or ""), said)
        key = REVERSAL + reference
        back = _call(key)
        if back is None:
            stripe.prepare(key, f"{TRANSFERS}/{transfer.object_id}/reversals", {})
            return Step(Progress.FURTHER)
        try:
            made = stripe.send(back)
        except stripe.Declined as no:
            raise Refused(no.sentence) from no
        on = datetime.fromtimestamp(made["created"], UTC).date()
        answer = Answer(Outcome.RETURNED, on, reference=made["id"], remark=why)
        return Step(Progress.OVER, answer, reversed=made)

    def ingest(self, said: Answer, *, released_on: date) -> Answer:
        """Return what a person learned from the processor in writing, cleaned. Raises Refused."""
        return sound(said, released_on=released_on)


def _call(key: str) -> StripeCall | None:
    return session.scalar(select(StripeCall).where(StripeCall.key == key))


def _refused(why: str) -> Answer:
    return Answer(Outcome.REJECTED, clock.today(), remark=why)


def order_of(thing: stripe.Json) -> str:
    """Return the reference of the order that an object at the processor was made for."""
    return str((thing.get("metadata") or {}).get("order") or "")


STRIPE = StripeRail()
