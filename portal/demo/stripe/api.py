"""The interface of the pretend card processor: the paths, forms and answers of the real one.

Idempotency as documented: the same key with the same parameters gets the same answer, errors
included; the same key with other parameters gets an `idempotency_error`; what fails validation is
not kept. Keys are forgotten after a day.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import NotFound

from portal.core.text import sha256_hex
from portal.core.web import csrf, public
from portal.demo.stripe import shapes
from portal.demo.stripe.processor import OURS, NotNow, Processor, processor
from portal.demo.stripe.store import Turn

blueprint = Blueprint("pretend_api", __name__, url_prefix="/demo/stripe/v1")
csrf.exempt(blueprint)

Json = dict[str, Any]
Answer = tuple[int, Json]

KINDS = {
    "checkout/sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "balance_transactions": "balance_transaction",
    "refunds": "refund",
    "disputes": "dispute",
    "payouts": "payout",
    "accounts": "account",
    "transfers": "transfer",
}
LINKS = {
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
    "balance_transaction": "balance_transaction",
}
"""Fields that hold the name of another object, and can be expanded."""
REVERSALS = re.compile(r"transfers/(?P<of>[^/]+)/reversals(/(?P<name>[^/]+))?")
KEY_HOLDS_SECONDS = 24 * 3600
UNDER_WAY = 0
"""The status of a call that was not answered yet."""
MOST_ROWS = 100
INVALID = "invalid_request_error"


class Wrong(Exception):
    """A request that is answered with an error and never remembered."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer[1]["error"]["message"])
        self.answer = answer


@blueprint.before_request
def demand_demonstration() -> Response | None:
    """Exist in a demonstration only, and for whoever has the key."""
    if "pretend_processor" not in current_app.extensions:
        raise NotFound
    if request.headers.get("Authorization") != f"Bearer {processor().key}":
        return _reply(*shapes.error(401, INVALID, "Invalid API Key provided."))
    return None


@blueprint.get("/<path:path>")
@public
def read(path: str) -> Response:
    """Answer with an object, or with a list."""
    here = processor()
    kind, name = _named(path)
    account = request.headers.get("Stripe-Account", "")
    with here.store.turn() as turn:
        if name:
            found = turn.find(kind, name, account)
            if found is None:
                return _reply(*_missing(kind, name))
            return _reply(200, _expanded(turn, found, _expand()))
        return _reply(200, _list(turn, kind, account))


@blueprint.post("/<path:path>")
@public
def act(path: str) -> Response:
    """Make something, once for each idempotency key."""
    here = processor()
    kind, name = _named(path)
    if name or kind not in MAKERS:
        return _reply(*shapes.error(404, INVALID, f"Unrecognized request URL (POST: /v1/{path})."))
    asked = nested(request.form.items(multi=True))
    key = request.headers.get("Idempotency-Key", "")
    account = request.headers.get("Stripe-Account", "")
    said = sha256_hex(json.dumps([path, account, asked], sort_keys=True).encode())
    with here.store.turn() as turn:
        turn.forget(shapes.now() - KEY_HOLDS_SECONDS)
        before = turn.answered(key) if key else None
        if key and before is None:
            turn.remember(key, said, UNDER_WAY, {})
    if before is not None:
        return _again(before.asked == said, before.status, before.body)
    try:
        status, body = MAKERS[kind](here, asked, account)
    except Wrong as wrong:
        with here.store.turn() as turn:
            turn.drop(key)
        return _reply(*wrong.answer)
    if key:
        with here.store.turn() as turn:
            turn.remember(key, said, status, body)
    return _reply(status, body)


def _again(same: bool, status: int, body: Json) -> Response:  # noqa: FBT001 — a fact of one call
    if not same:
        return _reply(
            *shapes.error(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they "
                "were first used with.",
            )
        )
    if status == UNDER_WAY:
        sentence = "There is currently another in-progress request using this Idempotent Key."
        return _reply(*shapes.error(409, INVALID, sentence, code="idempotency_key_in_use"))
    reply = _reply(status, body)
    reply.headers["Idempotent-Replayed"] = "true"
    return reply


def _reply(status: int, body: Json) -> Response:
    reply = Response(json.dumps(body), status, mimetype="application/json")
    reply.headers["Request-Id"] = shapes.name("req")
    reply.headers["Stripe-Version"] = shapes.VERSION
    return reply


def _named(path: str) -> tuple[str, str]:
    """Return the kind that a path is about, and the identifier in it. Raises NotFound."""
    inside = REVERSALS.fullmatch(path)
    if inside:
        return "transfer_reversal", inside["name"] or ""
    for known, kind in KINDS.items():
        if path == known:
            return kind, ""
        if path.startswith(f"{known}/") and "/" not in path[len(known) + 1 :]:
            return kind, path[len(known) + 1 :]
    raise NotFound


def _missing(kind: str, name: str) -> Answer:
    return shapes.error(404, INVALID, f"No such {kind}: '{name}'", code="resource_missing")


def _expand() -> list[str]:
    return [value for name, value in request.args.items(multi=True) if name.startswith("expand[")]


def _expanded(turn: Turn, thing: Json, paths: list[str]) -> Json:
    """Return an object with other objects in the place of their names."""
    for path in paths:
        at = thing
        for step in path.split("."):
            inside = at.get(step)
            if isinstance(inside, str) and step in LINKS:
                inside = at[step] = turn.get(LINKS[step], inside)
            if not isinstance(inside, dict):
                break
            at = inside
    return thing


def _list(turn: Turn, kind: str, account: str) -> Json:
    rows = [each for each in turn.all(kind, account) if _wanted(each)]
    after = request.args.get("starting_after")
    if after:
        names = [each["id"] for each in rows]
        rows = rows[names.index(after) + 1 :] if after in names else []
    most = request.args.get("limit", 10, int)
    inside = [path.removeprefix("data.") for path in _expand()]
    page = [_expanded(turn, each, inside) for each in rows[: min(most, MOST_ROWS)]]
    path = request.path.removeprefix("/demo/stripe")
    return shapes.listed(page, path, more=len(rows) > len(page))


def _wanted(thing: Json) -> bool:
    """Whether a row fits the filters of the request."""
    since = request.args.get("created[gte]", 0, int)
    if thing["created"] < since:
        return False
    payout = request.args.get("payout")
    if payout is not None and thing["description"] != payout:
        return False
    inside = REVERSALS.search(request.path)
    if inside and thing["transfer"] != inside["of"]:
        return False
    named = {name: request.args.get(name) for name in ("charge", "transfer_group", "destination")}
    return all(thing.get(name) == value for name, value in named.items() if value is not None)


def nested(pairs: Any) -> Json:
    """Return a form such as `a[b][0]=c` as the object that it means."""
    root: Json = {}
    for name, value in pairs:
        steps = [part for part in re.split(r"[\[\]]+", name) if part != ""]
        at = root
        for step in steps[:-1]:
            at = at.setdefault(step, {})
        at[steps[-1]] = value
    listed: Json = _lists(root)
    return listed


def _lists(thing: Any) -> Any:
    if not isinstance(thing, dict):
        return thing
    inside = {name: _lists(value) for name, value in thing.items()}
    if inside and all(name.isdigit() for name in inside):
        return [inside[name] for name in sorted(inside, key=int)]
    return inside


def _demand(asked: Json, *names: str) -> None:
    for name in names:
        if not asked.get(name):
            sentence = f"Missing required param: {name}."
            raise Wrong(shapes.error(400, INVALID, sentence, param=name, code="parameter_missing"))


def _make_session(here: Processor, asked: Json, account: str) -> Answer:
    del account
    _demand(asked, "mode", "line_items", "success_url")
    amount = sum(
        int(item["quantity"]) * int(item["price_data"]["unit_amount"])
        for item in asked["line_items"]
    )
    if int(asked.get("expires_at", shapes.now() + 3600)) < shapes.now() + 30 * 60:
        sentence = "The `expires_at` timestamp must be at least 30 minutes from creation."
        raise Wrong(shapes.error(400, INVALID, sentence, param="expires_at"))
    made = shapes.session(asked, "", amount)
    made["url"] = f"{here.pages}/{made['id']}"
    kept = asked.get("payment_intent_data", {}).get("metadata", {})
    with here.store.turn() as turn:
        turn.put(made)
        turn.put({"id": f"kept_{made['id']}", "object": "pretend.kept", "metadata": kept})
    return 200, made


def _make_refund(here: Processor, asked: Json, account: str) -> Answer:
    del account
    _demand(asked, "charge")
    amount = int(asked["amount"]) if "amount" in asked else None
    try:
        return 200, here.refund(asked["charge"], amount, asked.get("metadata", {}))
    except KeyError:
        return _missing("charge", asked["charge"])
    except NotNow as no:
        return shapes.error(400, INVALID, no.sentence, **({"code": no.code} if no.code else {}))


def _make_account(here: Processor, asked: Json, account: str) -> Answer:
    del account
    _demand(asked, "country")
    made = shapes.account(asked)
    with here.store.turn() as turn:
        turn.put(made)
    return 200, made


def _make_transfer(here: Processor, asked: Json, account: str) -> Answer:
    del account
    _demand(asked, "amount", "currency", "destination")
    with here.store.turn() as turn:
        if turn.find("account", asked["destination"]) is None:
            return _missing("destination", asked["destination"])
        line = shapes.line("transfer", "", -int(asked["amount"]), 0, OURS, None, "transfer")
        made = shapes.transfer(asked, line["id"])
        turn.put(line | {"source": made["id"]})
        turn.put(made)
    here.tell("transfer.created", made)
    return 200, made


def _make_payout(here: Processor, asked: Json, account: str) -> Answer:
    _demand(asked, "amount", "currency")
    made = shapes.payout(
        int(asked["amount"]), asked["currency"], asked.get("metadata", {}), automatic=False
    )
    with here.store.turn() as turn:
        turn.put(made, account)
    here.tell("payout.created", made, account)
    return 200, made


def _make_reversal(here: Processor, asked: Json, account: str) -> Answer:
    del account
    inside = REVERSALS.search(request.path)
    amount = int(asked["amount"]) if "amount" in asked else None
    try:
        return 200, here.reverse(inside["of"] if inside else "", amount, asked.get("metadata", {}))
    except KeyError:
        return _missing("transfer", inside["of"] if inside else "")
    except NotNow as no:
        return shapes.error(400, INVALID, no.sentence)


MAKERS: dict[str, Callable[[Processor, Json, str], Answer]] = {
    "checkout.session": _make_session,
    "refund": _make_refund,
    "account": _make_account,
    "transfer": _make_transfer,
    "transfer_reversal": _make_reversal,
    "payout": _make_payout,
}
