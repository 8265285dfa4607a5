"""Taking money off an account at what it carries, and the difference that shows then."""

from collections.abc import Sequence

from portal.core.i18n import locale
from portal.core.money import Money, format_money, usd
from portal.core.workflow import Refused
from portal.ledger import queries
from portal.ledger.models import AccountKind
from portal.ledger.rules import DOLLAR, Line, carried


def taken_off(fund_code: str, account: AccountKind, part: Money, otherwise: int) -> Line:
    """Return the line that takes `part` (debit above zero) off an account of the fund.

    It goes at the US$ that the account carries for it; where the account does not hold as much on
    that side, at `otherwise`, in US cents.
    """
    if part.currency == DOLLAR:
        return Line(fund_code, account, -part, -part.minor)
    held = queries.holdings(fund_code).get((account, part.currency))
    cents = carried(held.money.minor, held.usd, part.minor) if held else None
    return Line(fund_code, account, -part, -(otherwise if cents is None else cents))


def evened(lines: Sequence[Line]) -> list[Line]:
    """Return `lines` of one fund with what they lack to zero as gain or loss on exchange."""
    rest = -sum(line.usd for line in lines)
    if not rest:
        return list(lines)
    return [*lines, Line(lines[0].fund, AccountKind.EXCHANGE_DIFFERENCE, usd(rest), rest)]


def refuse_above(most: Money, amount: Money, sentence: str, rule: str | None = None) -> None:
    """Raise Refused with `sentence`, its two amounts filled in, when `amount` is above `most`."""
    if amount > most:
        tag = str(locale())
        raise Refused(
            sentence % {"most": format_money(most, tag), "amount": format_money(amount, tag)},
            rule=rule,
        )
