"""Beginning a gift by card: what was typed is stored with the call, then the donor goes to pay."""

from dataclasses import dataclass
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email

from portal.contributions.models.cards import CardGift, GiftStatus
from portal.core import audit, clock, stripe
from portal.core.db import session
from portal.core.i18n import LANGUAGES, _, locale
from portal.core.money import Money, format_money, from_usd, usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger import queries as books
from portal.ledger.rules import DOLLAR, NoRate

SESSIONS = "/v1/checkout/sessions"
PAYABLE_FOR = timedelta(hours=2)
"""How long the processor's page stays open; it allows between 30 minutes and a day."""
OFFERED = ("USD", "EUR", "CHF", "GBP", "AUD", "CAD", "DKK", "JPY", "NOK", "SEK")
"""Currencies in which cards are asked for, where a rate of the UN holds."""
LEAST = usd(2_00)
"""Below this the processor keeps most of a gift."""
MOST = usd(10_000_00)
"""Above this a bank transfer costs the fund less."""
NAME_LIMIT = 200
ITS_LANGUAGES = frozenset({"en", "fr", "es", "ru", "zh"})
"""Those of ours that the processor's page speaks."""


@dataclass(frozen=True)
class Giving:
    """What somebody typed who wants to give."""

    fund_code: str
    amount: Money
    name: str
    email: str
    unnamed: bool = False
    language: str = "en"


def offered() -> list[str]:
    """Return the currencies that can be given today. One SQL statement."""
    known = {DOLLAR, *(rate.currency for rate in books.rates(clock.today()))}
    return [code for code in OFFERED if code in known]


def begin_gift(typed: Giving, *, title: str, pages: str) -> CardGift:
    """Store a gift and the call that asks for its payment; commit, then `open_checkout`.

    `title` is what the processor's page names, `pages` the address below which our gifts have
    their pages. Raises Refused for what cannot be given, and where cards are switched off.
    """
    if not stripe.is_on():
        raise Refused(_("Giving by card is switched off here. You can give by bank transfer."))
    _refuse_amount(typed.amount)
    gift = CardGift(
        fund_code=typed.fund_code,
        amount=typed.amount.minor,
        currency=typed.amount.currency,
        name=_name(typed.name),
        email=_address(typed.email),
        unnamed=typed.unnamed,
        language=typed.language if typed.language in LANGUAGES else "en",
    )
    session.add(gift)
    session.flush()
    gift.call = stripe.prepare(f"gift:{gift.id}", SESSIONS, _content(gift, title, pages))
    audit.record(
        "card_gift.begun",
        gift,
        actor_id=None,
        to_status=gift.status.value,
        facts={
            "gift": gift.ref,
            "fund": gift.fund_code,
            "amount": gift.amount,
            "currency": gift.currency,
        },
    )
    return gift


def _content(gift: CardGift, title: str, pages: str) -> dict[str, object]:
    """Return what the processor is asked for. It is told nothing of who gives."""
    ours = {"gift": gift.ref, "fund": gift.fund_code}
    return {
        "mode": "payment",
        "submit_type": "donate",
        "client_reference_id": gift.ref,
        "metadata": ours,
        "payment_intent_data": {"metadata": ours},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": gift.currency.lower(),
                    "unit_amount": stripe.to_stripe(gift.money),
                    "product_data": {"name": title},
                },
            }
        ],
        "success_url": f"{pages}/{gift.ref}",
        "cancel_url": f"{pages}/{gift.ref}/stopped",
        "expires_at": int((gift.begun_at + PAYABLE_FOR).timestamp()),
        "locale": gift.language if gift.language in ITS_LANGUAGES else "auto",
    }


def open_checkout(gift: CardGift) -> str:
    """Return the address of the processor's page on which the gift is paid.

    Again it is the same page. Raises Refused once the gift is over, or where the processor does
    not answer: then nothing was charged.
    """
    session.refresh(gift)
    if gift.status is not GiftStatus.BEGUN or gift.call is None:
        raise Refused(_over())
    try:
        made = stripe.send(gift.call)
    except stripe.Unanswered as silent:
        raise Refused(
            _("The card processor does not answer. Nothing was charged: try again in a minute.")
        ) from silent
    except stripe.Declined as no:
        raise Refused(
            _("The card processor refuses this gift: %(reason)s", reason=no.sentence)
        ) from no
    session.refresh(gift, with_for_update={"of": CardGift})
    if gift.status is not GiftStatus.BEGUN:
        raise Refused(_over())
    gift.session_id = made["id"]
    if not made.get("url"):
        raise Refused(_("The page on which you could pay is closed. Begin another gift."))
    return str(made["url"])


def _over() -> str:
    return _("This gift is over. Begin another one if you want to give again.")


def _refuse_amount(amount: Money) -> None:
    """Raise Refused for a currency that is not offered, or too little or too much."""
    if amount.currency not in OFFERED:
        raise Refused(_("Choose a currency from the list."))
    try:
        rate = books.rate_on(amount.currency, clock.today())
    except NoRate as missing:
        raise Refused(missing.sentence) from missing
    value, tag = rate.in_usd(amount), str(locale())
    if not LEAST <= value <= MOST:
        least, most = (
            from_usd(limit, amount.currency, rate.units_per_usd) for limit in (LEAST, MOST)
        )
        raise Refused(
            _(
                "A gift by card is between %(least)s and %(most)s. Larger ones come by bank "
                "transfer: the fund then keeps what cards cost.",
                least=format_money(least, tag),
                most=format_money(most, tag),
            )
        )


def _name(typed: str) -> str:
    name = " ".join(normalise(typed).split())
    if not 0 < len(name) <= NAME_LIMIT:
        raise Refused(
            _("Type your name, in 200 characters at most; the receipt is made out to it.")
        )
    return name


def _address(typed: str) -> str:
    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as wrong:
        raise Refused(_("Type an e-mail address such as name@example.org.")) from wrong
