"""Books of any content, told as plain rows, so that what pages say can be summed anew by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from portal.core import clock
from portal.core.money import usd
from portal.ledger import service
from portal.ledger.models import AccountKind, TransactionKind
from portal.ledger.rules import credit, debit
from portal.ledger.service.commitments import move

MOMENT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FUNDS = count(1)

DAYS = st.sampled_from(
    [
        date(2024, 12, 31),
        date(2025, 1, 1),
        date(2025, 6, 15),
        date(2025, 12, 30),
        date(2025, 12, 31),
        date(2026, 1, 1),
        date(2026, 1, 2),
        date(2026, 11, 20),
        date(2026, 11, 21),
    ]
)


@dataclass(frozen=True)
class Posting:
    """One booking of two entries: a debit and a credit of the same US cents."""

    day: date
    debit: AccountKind
    credit: AccountKind
    cents: int
    subject: str


@dataclass(frozen=True)
class Movement:
    """One movement of a commitment, so many seconds before (below zero) or after midnight UTC."""

    day: date
    seconds: int
    cents: int

    @property
    def at(self) -> datetime:
        """When it was made."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) + timedelta(
            seconds=self.seconds
        )


KINDS = st.sampled_from(list(AccountKind))
POSTINGS = st.lists(
    st.builds(
        Posting,
        day=DAYS,
        debit=KINDS,
        credit=KINDS,
        cents=st.integers(1, 10**9),
        subject=st.sampled_from(["", "AAAA-2222", "BBBB-3333"]),
    ),
    max_size=14,
)
MOVEMENTS = st.lists(
    st.builds(
        Movement,
        day=DAYS.filter(lambda day: day < MOMENT.date()),
        seconds=st.integers(-2, 2),
        cents=st.integers(1, 10**6),
    ),
    max_size=4,
)


def tell(postings: Sequence[Posting], movements: Sequence[Movement] = ()) -> str:
    """Book all of it in a new fund, whose code is returned."""
    fund = f"fund-{next(FUNDS)}"
    service.open_book(fund)
    with clock.at(MOMENT):
        for number, each in enumerate(postings):
            amount = usd(each.cents)
            service.post(
                TransactionKind.CONTRIBUTION_RECEIVED,
                f"{fund}:{number}",
                [debit(fund, each.debit, amount), credit(fund, each.credit, amount)],
                on=each.day,
                by=None,
                subject_ref=each.subject or None,
            )
    for number, moved in enumerate(movements):
        with clock.at(moved.at):
            move(f"{fund}:m{number}", fund, "AAAA-2222", moved.cents, by=None, case_id=None)
    return fund


def balance(postings: Sequence[Posting], kinds: Sequence[AccountKind], day: date) -> int:
    """Return what some accounts hold at the end of `day`, debit above zero, in US cents."""
    return sum(
        each.cents * ((each.debit in kinds) - (each.credit in kinds))
        for each in postings
        if each.day <= day
    )
