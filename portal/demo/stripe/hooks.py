"""Messages of the pretend card processor, signed as the real one signs, delivered over HTTP."""

import json
import logging
import threading
import time
from typing import Any

Json = dict[str, Any]

ATTEMPTS = 5
SECONDS = 5

log = logging.getLogger(__name__)


class Mailbox:
    """Where messages go: `address`, signed with `secret`. Without an address they are only kept."""

    def __init__(self, address: str, secret: str) -> None:
        self.address, self.secret = address, secret
        self.told: list[Json] = []

    def tell(self, event: Json) -> None:
        """Deliver a message, after the answer that caused it has left."""
        self.told.append(event)
        if self.address:
            threading.Thread(target=self._deliver, args=(event,), daemon=True).start()

    def _deliver(self, event: Json) -> None:
        """Try a few times; what is lost is found by whoever looks."""
        import requests

        for attempt in range(ATTEMPTS):
            time.sleep(0.1 * 2**attempt)
            body = json.dumps(event)
            try:
                reply = requests.post(
                    self.address,
                    data=body.encode(),
                    headers={
                        "Content-Type": "application/json; charset=utf-8",
                        "Stripe-Signature": self.sign(body),
                    },
                    timeout=SECONDS,
                )
            except requests.RequestException:
                log.info("message %s was not delivered", event["id"])
                continue
            if reply.ok:
                return
            log.info("message %s was answered %s", event["id"], reply.status_code)

    def sign(self, body: str) -> str:
        """Return the header that says who sent `body`, and when."""
        from stripe import WebhookSignature

        header: str = WebhookSignature.generate_signature_header(body, self.secret)
        return header
