"""Where funds stand at the end of a day: figures from the books only, and the operating reserve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from portal.accounting import rules
from portal.accounting.figures import MEANINGS, Figure
from portal.contributions.models import Pledge, PledgeStatus
from portal.core.db import session
from portal.core.money import Money, total, usd
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind, PercentKind, TransactionKind
from portal.ledger.queries import Position
from portal.ledger.queries.periods import Sums, by_account, committed
from portal.ledger.queries.positions import position_of
from portal.ledger.rules import DOLLAR

HELD = (Figure.BANK, Figure.TRANSIT, Figure.CARD, Figure.SUSPENSE)
"""Where money lies that came in and has not gone out."""

OWED = (Figure.SUPPORT_OWED, Figure.AGENTS)
"""What the fund owes of it."""


@dataclass(frozen=True)
class Standing:
    """Where one fund stands: its position, each figure that can be opened, and its reserve.

    `pledged` is a note beside the books: what was announced and not signed, at the rate of the day
    of its announcement. `reserve_base` is the expenditure planned for the year, as far as the
    books know it: see `rules.reserve_base`.
    """

    position: Position
    figures: Mapping[Figure, Money]
    pledged: Money
    reserve_percent: Decimal
    reserve_base: Money

    @property
    def reserve(self) -> Money:
        """What the fund keeps as its operating reserve."""
        return usd(rules.share(self.reserve_base.minor, self.reserve_percent))

    @property
    def receipts(self) -> Money:
        """What donors gave by their receipts: at the rate of the day on which it arrived."""
        return self.figures[Figure.RECEIVED] + self.figures[Figure.RATE_GAIN]

    @property
    def cash(self) -> Money:
        """What the fund has at hand: in the bank, on its way, with the processor, unmatched.

        What it owes is taken off: support costs not yet paid over, and what agents paid for it.
        It is what was received, with exchange, less charges, disbursements and support costs.
        """
        held = total((self.figures[each] for each in HELD), DOLLAR)
        return held - total((self.figures[each] for each in OWED), DOLLAR)

    @property
    def free(self) -> Money:
        """What is available beyond the reserve; below zero where the reserve is not whole."""
        return self.position.available - self.reserve


def standing(fund_code: str, day: date) -> Standing:
    """Return where one fund stands at the end of `day`. Seven SQL statements."""
    return standings([fund_code], day)[fund_code]


def standings(fund_codes: Sequence[str], day: date) -> dict[str, Standing]:
    """Return where these funds stand at the end of `day`. Seven SQL statements."""
    balances = by_account(day)
    before = by_account(date(day.year, 1, 1) - timedelta(days=1))
    set_aside = committed(day)
    support = ledger.percents(PercentKind.SUPPORT_COSTS, day)
    reserve = ledger.percents(PercentKind.OPERATING_RESERVE, day)
    pledged = _pledged(day)
    gained = ledger.caused(AccountKind.EXCHANGE_DIFFERENCE, _RECEIPT, day)
    found = {}
    for code in fund_codes:
        own = balances.get(code, {})
        position = position_of(code, own, set_aside.get(code, 0), support.get(code))
        spent = own.get(_SPENT, 0) - before.get(code, {}).get(_SPENT, 0)
        planned = rules.reserve_base(spent, position.advanced.minor, position.committed.minor)
        found[code] = Standing(
            position=position,
            figures=figures(position, own, gained.get(code, (0, 0))[1]),
            pledged=usd(pledged.get(code, 0)),
            reserve_percent=reserve.get(code, Decimal(0)),
            reserve_base=usd(planned),
        )
    return found


_SPENT = AccountKind.GRANT_EXPENDITURE
_RECEIPT = TransactionKind.CONTRIBUTION_RECEIVED


def figures(position: Position, balances: Sums, gained: int) -> dict[Figure, Money]:
    """Return each figure of a position from the balances of its accounts.

    `gained` is what contributions moved on the account of exchange differences, in US cents.
    """
    found = {
        figure: usd(each.sign * sum(balances.get(kind, 0) for kind in each.accounts))
        for figure, each in MEANINGS.items()
    }
    gain = usd(MEANINGS[Figure.RATE_GAIN].sign * gained)
    return found | {Figure.COMMITTED: position.committed, Figure.RATE_GAIN: gain}


def _pledged(day: date) -> dict[str, int]:
    """Return what was announced by `day` and is not signed, in US cents. One SQL statement.

    A pledge that was signed or withdrawn since is left out of earlier days too: the note is kept
    beside the books, and says what is promised now.
    """
    rows = (
        select(Pledge.fund_code, func.sum(Pledge.amount_usd))
        .where(Pledge.status == PledgeStatus.ANNOUNCED, Pledge.announced_on <= day)
        .group_by(Pledge.fund_code)
    )
    return {code: int(total) for code, total in session.execute(rows)}
