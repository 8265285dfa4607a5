"""Calls that make something at the card processor: stored first, sent under their own key.

The row and its content are committed before anything leaves. Within a day of that the same key
gives the same thing, so sending again is safe; later the processor may have forgotten the key, so
the thing is looked for, and nothing is sent. Every object carries its key in its metadata.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.core import clock
from portal.core.db import session
from portal.core.stripe import client
from portal.core.stripe.client import Declined, Json, Unanswered
from portal.core.stripe.models import CallState, StripeCall
from portal.core.text import canonical_json, sha256_hex

KEY_HOLDS = timedelta(hours=23)
"""The processor may forget a key after 24 hours; counted from before the first call."""
LOOK_BACK = timedelta(minutes=10)
"""How far its clock and ours may be apart."""
DIGEST = b"sha256:"
"""What stands before the digest of content that is sealed elsewhere."""
UNDATED = "/reversals"
"""Lists that cannot be asked for by date; they are short."""
MARK = "portal_call"
"""The metadata under which an object carries the key of its call."""


class ContentConflict(ValueError):
    """The same purpose was prepared with other content: a mistake of the caller."""


def prepare(
    key: str,
    path: str,
    params: Mapping[str, Any],
    *,
    account: str = "",
    sealed_elsewhere: bool = False,
) -> StripeCall:
    """Store the call `key` with its exact content; commit before `send`.

    Content that names a bank account is `sealed_elsewhere`: only its digest is stored here, and
    `send` is handed it again. The same again returns the stored call. Raises ContentConflict for
    the same key with other content.
    """
    content = _content(key, params)
    if sealed_elsewhere:
        content = _digest(content)
    known = session.scalar(select(StripeCall).where(StripeCall.key == key))
    if known is None:
        known = StripeCall(key=key, path=path, account=account, content=content)
        session.add(known)
        session.flush()
    elif (known.path, known.account, known.content) != (path, account, content):
        raise ContentConflict(f"{key} was prepared already, and otherwise")
    return known


def _content(key: str, params: Mapping[str, Any]) -> bytes:
    return canonical_json({**params, "metadata": {**params.get("metadata", {}), MARK: key}})


def _digest(content: bytes) -> bytes:
    return DIGEST + sha256_hex(content).encode()


def send(call: StripeCall, params: Mapping[str, Any] | None = None) -> Json:
    """Send a stored call, or find out what became of it, and return the object that it made.

    `params` is the content that is sealed elsewhere. An answered call is never sent again, and two
    who send one at once wait for each other: so nobody sends who has their turn at the audit chain.
    Raises Declined (nothing was made, and this call never will) and Unanswered (unknown: try
    again).
    """
    if call.state is CallState.READY:
        session.refresh(call, with_for_update=True)
    if call.state is CallState.ANSWERED:
        return client.read(f"{call.path}/{call.object_id}", account=call.account)
    if call.state is CallState.DECLINED:
        raise Declined(call.reason)
    if clock.now() - call.created_at > KEY_HOLDS:
        return _found_late(call)
    content = call.content if params is None else _content(call.key, params)
    if call.content not in {content, _digest(content)}:
        raise ContentConflict(f"{call.key} was prepared with other content")
    try:
        made = client.act(call.path, json.loads(content), key=call.key, account=call.account)
    except Declined as no:
        _decline(call, no.sentence)
        raise
    return _note(call, made)


def look_up(call: StripeCall) -> Json | None:
    """Return the object that carries the key of `call`, or None where the processor has none.

    Raises Unanswered, Declined.
    """
    since = {"created": {"gte": int((call.created_at - LOOK_BACK).timestamp())}}
    filters = {} if call.path.endswith(UNDATED) else since
    for made in client.listed(call.path, account=call.account, **filters):
        if (made.get("metadata") or {}).get(MARK) == call.key:
            return made
    return None


def _found_late(call: StripeCall) -> Json:
    made = look_up(call)
    if made is None:
        _decline(call, "the card processor never had it")
        raise Declined(call.reason)
    return _note(call, made)


def _note(call: StripeCall, made: Json) -> Json:
    found = made.get("id")
    if not isinstance(found, str):
        raise Unanswered(f"{call.path} answered without an identifier")
    call.state, call.object_id, call.answered_at = CallState.ANSWERED, found, clock.now()
    session.flush()
    return made


def _decline(call: StripeCall, sentence: str) -> None:
    call.state, call.reason, call.answered_at = CallState.DECLINED, sentence, clock.now()
    session.flush()
