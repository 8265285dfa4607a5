"""Messages of the card processor, signed as it signs them."""

import json
import time
from typing import Any

from stripe import WebhookSignature

from portal.core.config import Settings


def message(kind: str, object_id: str, *, event_id: str = "evt_1", **more: Any) -> bytes:
    """Return the body of a message about an object."""
    return json.dumps(
        {
            "id": event_id,
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": {"id": object_id, "object": "thing"}},
            **more,
        }
    ).encode()


def signature(body: bytes, settings: Settings, *, age: int = 0, secret: str = "") -> str:
    """Return the header that signs `body`, made `age` seconds ago."""
    header: str = WebhookSignature.generate_signature_header(
        body.decode(errors="replace"),
        secret or settings.stripe_webhook_secret.get_secret_value(),
        int(time.time()) - age,
    )
    return header
