"""What payments write into the books, whichever way they left."""

from datetime import date

from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Person
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, to_usd, usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.ledger.rules import DOLLAR, NoRate, PostingConflict, Rate
from portal.ledger.service import advance_paid, commit_funds
from portal.payments.models import PaymentOrder

UNBOOKABLE = (Refused, PostingConflict, IntegrityError)
"""How the books, and the rows beside them, refuse what a bank says: it is left for a person."""

MOST_KEPT_USD = 100_00
"""What a bank may keep of a payment that it gives back, in US cents: above it, somebody asks."""


def fund_of(order: PaymentOrder) -> str:
    """Return the code of the fund that pays."""
    return order.instalment.award.application.call.fund_code


def book_advance(order: PaymentOrder, on: date, *, through: AccountKind, by: Person | None) -> None:
    """Book the advance once. What was given back as the grant ended is set aside again."""
    award = order.instalment.award
    fund, who = fund_of(order), by.id if by else None
    if ledger.find(order.booking_ref) is not None:
        return
    missing = order.amount_usd - ledger.outstanding(fund, award.ref).minor
    if missing > 0:
        commit_funds(
            fund,
            award.ref,
            usd(missing),
            by=who,
            case_id=order.case_id,
            movement_ref=f"{order.booking_ref}:again",
        )
    advance_paid(
        fund,
        award.ref,
        usd(order.amount_usd),
        order.money,
        order.booking_ref,
        on,
        by=who,
        case_id=order.case_id,
        rate=None if order.currency == DOLLAR else rate_on(order.currency, on),
        through=through,
    )


def rate_on(currency: str, day: date) -> Rate:
    """Return the UN rate that holds on `day`. Raises Refused where none was imported."""
    try:
        return ledger.rate_on(currency, day)
    except NoRate as missing:
        raise Refused(missing.sentence) from missing


def refuse_much_kept(whole: Money, came: Money, on: date) -> None:
    """Raise Refused where more lacks of what a bank gave back than a charge of a bank can be."""
    kept = whole - came
    if kept.minor <= 0 or in_dollars(kept, on)[0].minor <= MOST_KEPT_USD:
        return
    tag = str(locale())
    raise Refused(
        _(
            "%(came)s came back of %(whole)s: what lacks is more than a bank's charge. Ask the "
            "bank for the rest.",
            came=format_money(came, tag),
            whole=format_money(whole, tag),
        ),
        rule="R24",
    )


def in_dollars(money: Money, on: date) -> tuple[Money, Rate | None]:
    """Return `money` in US$ at the UN rate of the day, and that rate; US$ as they are."""
    if money.currency == DOLLAR:
        return money, None
    rate = rate_on(money.currency, on)
    return to_usd(money, rate.units_per_usd), rate
