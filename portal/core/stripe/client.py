"""The connection to the card processor: time limits, retries, its address, and plain JSON.

Every answer leaves here as dictionaries and lists. Every failure is one of three: `Unanswered`
(nobody knows whether something was done), `Declined` (nothing was done, and why), and
`NotFoundThere`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from portal.core.config import Settings

API_VERSION = "2026-05-27.dahlia"
"""The version of the processor's interface that is asked for, whatever the library's own is."""
CONNECT_SECONDS = 5
ANSWER_SECONDS = 20
RETRIES = 2
"""The library retries nothing unless told; its retries keep our key."""
PAGE = 100

Json = dict[str, Any]


class Unanswered(Exception):
    """No usable answer came. What was asked for may have been done, or not."""


class Declined(Exception):
    """The processor did not do it; `sentence` says why, in its words, `code` by its own code."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


class NotFoundThere(Declined):
    """The processor has no such object."""


@dataclass(frozen=True)
class _Connection:
    client: Any
    webhook_secret: str
    livemode: bool
    fees_fund: str = ""


_connected: list[_Connection] = []


def configure(settings: Settings, *, through: Any = None) -> None:
    """Take keys and address from `settings`; without a key giving by card is switched off.

    Requests leave `through` an HTTP client of the library, over the network unless one is given.
    """
    _connected.clear()
    key = settings.stripe_secret_key.get_secret_value()
    if not key:
        return
    import stripe

    client = stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": settings.stripe_api_base} if settings.stripe_api_base else None,
        max_network_retries=RETRIES,
        http_client=through or stripe.RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS)),
    )
    secret = settings.stripe_webhook_secret.get_secret_value()
    live = "_live_" in key
    _connected.append(_Connection(client, secret, live, settings.stripe_fees_fund))


def is_on() -> bool:
    """Say whether a card processor is configured."""
    return bool(_connected)


def fees_fund() -> str:
    """Return the code of the fund that bears the fees of our account there, empty for none."""
    return connection().fees_fund


def connection() -> _Connection:
    """Return the connection. Raises Unanswered where none is configured."""
    if not _connected:
        raise Unanswered("no card processor is configured")
    return _connected[-1]


def read(path: str, *, account: str = "", **params: Any) -> Json:
    """Return the object at `path` as it stands there now.

    Raises NotFoundThere, Declined, Unanswered.
    """
    return _request("get", path, params, account=account)


def listed(path: str, *, account: str = "", **params: Any) -> Iterator[Json]:
    """Go through the list at `path`, page by page. Raises Declined, Unanswered."""
    after: dict[str, str] = {}
    while True:
        page = _request("get", path, {**params, **after, "limit": PAGE}, account=account)
        rows = page.get("data")
        if not isinstance(rows, list):
            raise Unanswered(f"{path} answered no list")
        yield from rows
        if not page.get("has_more") or not rows:
            return
        after = {"starting_after": rows[-1]["id"]}


def act(path: str, params: Mapping[str, Any], *, key: str, account: str = "") -> Json:
    """Have something made, under our key: the same key again is the same thing.

    Raises Declined, Unanswered.
    """
    return _request("post", path, params, account=account, key=key)


def _request(
    method: str, path: str, params: Mapping[str, Any], *, account: str = "", key: str = ""
) -> Json:
    import stripe

    options: dict[str, Any] = {}
    if account:
        options["stripe_account"] = account
    if key:
        options["idempotency_key"] = key
    try:
        answer = connection().client.raw_request(method, path, **params, **options)
    except stripe.APIConnectionError as silent:
        raise Unanswered("the card processor did not answer") from silent
    except stripe.StripeError as error:
        raise _told(error) from error
    return _plain(answer.data)


def _told(error: Any) -> Exception:
    """Return what an error of the library means for us."""
    import stripe

    status = error.http_status
    if isinstance(error, stripe.APIError):  # no answer of the processor's own, whoever gave it
        return Unanswered(f"the card processor answered nothing that can be read ({status})")
    if status is None or status >= 500 or status in {409, 429}:  # noqa: PLR2004 — HTTP
        return Unanswered(f"the card processor answered HTTP {status}")
    sentence = error.user_message or error.code or "the card processor gave no reason"
    if isinstance(error, stripe.InvalidRequestError) and status == 404:  # noqa: PLR2004 — HTTP
        return NotFoundThere(sentence)
    return Declined(sentence, error.code or "")


def _plain(data: object) -> Json:
    if not isinstance(data, Mapping):
        raise Unanswered("the card processor answered no object")
    return cast("Json", data)
