"""Opening books, posting and reversing: the only place that writes bookings."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused
from portal.ledger import queries
from portal.ledger.models import (
    AccountKind,
    Book,
    ExchangeRate,
    FundPercent,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    PercentKind,
    TransactionKind,
)
from portal.ledger.rules import (
    REVERSED,
    Line,
    PostingConflict,
    Rate,
    UnknownFund,
    check_lines,
    lines_digest,
    mirrored,
    same_lines,
)


def open_book(fund_code: str) -> None:
    """Open the books of a fund with every account of the chart; doing it again adds nothing."""
    now = clock.now()
    session.execute(
        insert(Book).values(fund_code=fund_code, opened_at=now).on_conflict_do_nothing()
    )
    accounts = [{"id": uuid4(), "fund_code": fund_code, "kind": kind} for kind in AccountKind]
    session.execute(insert(LedgerAccount).values(accounts).on_conflict_do_nothing())


def set_percent(
    fund_code: str, kind: PercentKind, percent: Decimal, from_date: date, *, by: UUID | None
) -> FundPercent:
    """Set a percentage of a fund from `from_date` on; what held before stays as history.

    Setting what already holds from that day changes nothing. Raises Refused outside 0 to 100 or
    with more than two decimals.
    """
    exponent = percent.as_tuple().exponent
    if not percent.is_finite() or not 0 <= percent <= 100 or int(exponent) < -2:  # noqa: PLR2004
        raise Refused(_("Type a percentage from 0 to 100 with at most two decimals."))
    hold([fund_code])
    latest = (
        select(FundPercent)
        .where(FundPercent.fund_code == fund_code, FundPercent.kind == kind)
        .where(FundPercent.from_date == from_date)
        .order_by(FundPercent.recorded_at.desc(), FundPercent.id)
        .limit(1)
    )
    before = session.scalar(latest)
    if before is not None and before.percent == percent:
        return before
    row = FundPercent(
        fund_code=fund_code,
        kind=kind,
        percent=percent,
        from_date=from_date,
        recorded_at=clock.now(),
    )
    session.add(row)
    facts = {"fund": fund_code, "kind": str(kind), "percent": str(percent)}
    audit.record("ledger.percent_set", row, actor_id=by, facts=facts)
    return row


def hold(fund_codes: Collection[str]) -> None:
    """Lock the books of these funds until the transaction ends, always in the same order.

    Whoever books or commits waits here, so two can never spend the same dollar. Raises
    UnknownFund when one of them has no book.
    """
    audit.take_turn()
    codes = sorted(set(fund_codes))
    rows = (
        select(Book.fund_code)
        .where(Book.fund_code.in_(codes))
        .order_by(Book.fund_code)
        .with_for_update()
    )
    missing = set(codes) - set(session.scalars(rows))
    if missing:
        raise UnknownFund(", ".join(sorted(missing)))


def post(
    kind: TransactionKind,
    source_ref: str,
    lines: Sequence[Line],
    *,
    on: date,
    by: UUID | None,
    subject_ref: str | None = None,
    case_id: UUID | None = None,
    rate: Rate | None = None,
    narrative: str = "",
    reverses: LedgerTransaction | None = None,
    guard: Callable[[], None] | None = None,
) -> LedgerTransaction:
    """Book `lines` for the cause `source_ref` on the day `on`, once.

    The same cause again returns the first booking when it says the same, and raises
    PostingConflict when it does not. `guard` is asked, with the books locked, before anything new
    is booked, and raises Refused. `narrative` is a code, never a sentence. Raises Unbalanced,
    UnknownFund, and Refused for a day in the future.
    """
    check_lines(lines)
    hold({line.fund for line in lines})
    before = queries.find(source_ref)
    if before is not None:
        same = (
            before.kind == kind
            and before.booked_on == on
            and before.subject_ref == subject_ref
            and before.reverses_id == (reverses.id if reverses else None)
            and same_lines(queries.lines_of(before), lines)
        )
        if same:
            return before
        raise PostingConflict(f"{source_ref} is booked already, and otherwise")
    _refuse_future(on)
    if guard is not None:
        guard()
    booking = LedgerTransaction(
        kind=kind,
        source_ref=source_ref,
        subject_ref=subject_ref,
        reverses=reverses,
        booked_on=on,
        created_at=clock.now(),
        rate=session.get(ExchangeRate, rate.id) if rate and rate.id else None,
        narrative=narrative,
    )
    _enter(booking, lines)
    audit.record(
        f"ledger.{kind}", booking, actor_id=by, case_id=case_id, facts=_facts(booking, lines)
    )
    return booking


def booked_before(
    kind: TransactionKind,
    source_ref: str,
    given: Line,
    *,
    on: date,
    subject_ref: str | None,
    at_any_worth: bool = False,
) -> LedgerTransaction | None:
    """Lock the book, and return what was booked for `source_ref`, if anything was.

    For verbs whose other lines follow from the state of the books: `given` is what the caller
    said, and `at_any_worth` that its US$ follow too. Raises PostingConflict where the same cause
    was told otherwise.
    """
    hold([given.fund])
    before = queries.find(source_ref)
    if before is None:
        return None
    said = (before.kind, before.booked_on, before.subject_ref) == (kind, on, subject_ref)
    lines = queries.lines_of(before)
    if at_any_worth:
        lines = [replace(line, usd=given.usd) for line in lines]
    if not said or given not in lines:
        raise PostingConflict(f"{source_ref} is booked already, and otherwise")
    return before


def _refuse_future(on: date) -> None:
    """Refuse a day that has begun nowhere: east of Greenwich it may be tomorrow already."""
    if on > clock.today() + timedelta(days=1):
        raise Refused(_("Nothing can be booked in the future. Check the date."))


def _enter(booking: LedgerTransaction, lines: Sequence[Line]) -> None:
    rows = select(LedgerAccount).where(LedgerAccount.fund_code.in_({line.fund for line in lines}))
    accounts = {(account.fund_code, account.kind): account for account in session.scalars(rows)}
    booking.entries = [
        LedgerEntry(
            account=accounts[line.fund, line.account],
            currency=line.money.currency,
            amount=line.money.minor,
            usd=line.usd,
        )
        for line in lines
    ]
    session.add(booking)
    session.flush()


def _facts(booking: LedgerTransaction, lines: Sequence[Line]) -> dict[str, object]:
    facts: dict[str, object] = {
        "ref": booking.source_ref,
        "on": booking.booked_on.isoformat(),
        "funds": sorted({line.fund for line in lines}),
        "usd": sum(line.usd for line in lines if line.usd > 0),
        "entries": lines_digest(lines),
    }
    if booking.subject_ref is not None:
        facts["subject"] = booking.subject_ref
    return facts


def reverse(
    booking: LedgerTransaction, *, on: date, by: UUID | None, case_id: UUID | None = None
) -> LedgerTransaction:
    """Book the mirror of `booking`; the only way to correct one. Again: returns the first mirror.

    Commitments that the booking used do not come back by this alone. Raises Refused for a
    reversal: what was undone by mistake is booked anew.
    """
    if booking.reverses_id is not None:
        raise Refused(_("A reversal cannot be reversed. Book what is right anew."))
    hold({entry.account.fund_code for entry in booking.entries})
    before = queries.reversal_of(booking)
    if before is not None:
        return before
    return post(
        TransactionKind.REVERSAL,
        booking.source_ref + REVERSED,
        mirrored(queries.lines_of(booking)),
        on=on,
        by=by,
        subject_ref=booking.subject_ref,
        case_id=case_id,
        reverses=booking,
    )
