"""What stands behind a figure, and one booking whole: for those for whom its file exists.

Somebody for whom a grant's file does not exist (R16, or a country that is not theirs) still reads
that a sum of it is in the figure, or the total would not be the figure; but neither its reference
nor its currency, nor the booking itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import joinedload, selectinload

from portal.accounting import policy
from portal.accounting.figures import MEANINGS, Figure
from portal.accounts.models import Person
from portal.applications import policy as applications
from portal.applications.models import Application
from portal.awards.models import Award
from portal.contributions import policy as contributions
from portal.contributions.models import Contribution, ContributionAgreement
from portal.core.db import session
from portal.core.i18n import _, _l
from portal.core.labels import Labelled
from portal.core.money import Money, usd
from portal.ledger import queries as ledger
from portal.ledger.models import LedgerEntry, LedgerTransaction
from portal.ledger.queries.flows import movements
from portal.ledger.queries.periods import committed
from portal.payments.models import PaymentOrder

EXPORT_ROWS = 5_000
"""How many entries an export names one by one; older ones stand together in its last line."""


class Subject(Labelled):
    """What a booking is about."""

    GRANT = "grant", _l("Grant")
    AGREEMENT = "agreement", _l("Agreement with a donor")
    CONTRIBUTION = "contribution", _l("Contribution")


@dataclass(frozen=True)
class Row:
    """One entry behind a figure. `usd` counts on the figure's own side.

    `money` (in its own currency), `ref` (what caused it) and `booking_id` are None where the file
    that it belongs to does not exist for the reader; `file` is the case file that may be opened.
    """

    day: date
    what: str
    account: str
    usd: Money
    hidden: bool
    money: Money | None
    ref: str | None
    booking_id: UUID | None
    file: str | None


@dataclass(frozen=True)
class Behind:
    """What stands behind a figure: some rows, how many there are, and what all of them sum to."""

    rows: Sequence[Row]
    total: int
    usd: Money


def behind(
    person: Person, fund_code: str, figure: Figure, day: date, *, limit: int, offset: int = 0
) -> Behind:
    """Return the entries behind a figure at the end of `day`, newest first.

    At most six SQL statements, whatever the number of entries.
    """
    if figure is Figure.COMMITTED:
        return _set_aside(person, fund_code, day, limit, offset)
    meaning = MEANINGS[figure]
    page: dict[str, Any] = {"as_of": day, "limit": limit, "offset": offset}
    if meaning.cause is None:
        found = ledger.entries(fund_code, meaning.accounts, **page)
    else:
        [account] = meaning.accounts
        found = ledger.caused_entries(fund_code, account, meaning.cause, **page)
    refs = (each.transaction.subject_ref for each in found.rows)
    of = belonging(person, {ref for ref in refs if ref})
    rows = [_row(each, meaning.sign, of) for each in found.rows]
    return Behind(rows, found.total, usd(meaning.sign * found.usd.minor))


def _row(entry: LedgerEntry, sign: int, of: "Belonging") -> Row:
    booked = entry.transaction
    hidden = booked.subject_ref in of.hidden
    return Row(
        day=booked.booked_on,
        what=str(booked.kind.label),
        account=str(entry.account.kind.label),
        usd=usd(sign * entry.usd),
        hidden=hidden,
        money=None if hidden else Money(sign * entry.amount, entry.currency),
        ref=None if hidden else booked.source_ref,
        booking_id=None if hidden else booked.id,
        file=of.files.get(booked.subject_ref or ""),
    )


def _set_aside(person: Person, fund_code: str, day: date, limit: int, offset: int) -> Behind:
    """Return the movements of what is set aside; they are memo entries, each in US$."""
    found, total = movements(fund_code, day, limit=limit, offset=offset)
    of = belonging(person, {each.source_ref for each in found})
    rows = [
        Row(
            day=each.made_at.astimezone(UTC).date(),
            what=_("Set aside for a grant")
            if each.amount_usd_minor > 0
            else _("Used by a payment, or given back to the fund"),
            account=_("Commitments"),
            usd=usd(each.amount_usd_minor),
            hidden=each.source_ref in of.hidden,
            money=None,
            ref=None if each.source_ref in of.hidden else each.movement_ref,
            booking_id=None,
            file=of.files.get(each.source_ref),
        )
        for each in found
    ]
    return Behind(rows, total, usd(committed(day).get(fund_code, 0)))


@dataclass(frozen=True)
class Belonging:
    """To which grants some bookings belong: the files that the reader may open, and those not.

    `files` maps the reference of an award to that of its case file; `hidden` are the references of
    awards whose file does not exist for the reader.
    """

    files: Mapping[str, str]
    hidden: Collection[str]


def belonging(person: Person, refs: Collection[str]) -> Belonging:
    """Return which of `refs` are grants, and which of those the reader may open. Two statements."""
    visible = (
        applications.visible_to(person)
        .join(Award, Award.application_id == Application.id)
        .where(Award.ref.in_(refs))
        .with_only_columns(Award.ref, Application.ref)
        .order_by(None)
    )
    files = {award: file for award, file in session.execute(visible)}  # noqa: C416
    known = session.scalars(select(Award.ref).where(Award.ref.in_(refs)))
    return Belonging(files, set(known) - files.keys())


@dataclass(frozen=True)
class Booked:
    """One booking with what reverses it, and the file or payment that the reader may open.

    `kind` says what the subject of the booking is; `opens` whether the reader may open it, where
    it is a donor's.
    """

    booking: LedgerTransaction
    reversed_by: LedgerTransaction | None
    kind: Subject | None
    file: str | None
    order: str | None
    opens: bool


def booking(person: Person, booking_id: UUID) -> Booked | None:
    """Return a booking that exists for the person, or None. At most seven SQL statements.

    It has to be of a fund whose bookings the person reads, and of no file that is hidden.
    """
    found = session.scalar(
        select(LedgerTransaction)
        .where(LedgerTransaction.id == booking_id)
        .options(
            selectinload(LedgerTransaction.entries).joinedload(LedgerEntry.account),
            joinedload(LedgerTransaction.rate),
            joinedload(LedgerTransaction.reverses),
        )
    )
    if found is None or not _may_see(person, found):
        return None
    ref = found.subject_ref
    of = belonging(person, [ref] if ref else [])
    if of.hidden:
        return None
    file = of.files.get(ref or "")
    kind = Subject.GRANT if file else _given_under(ref)
    later = select(LedgerTransaction).where(LedgerTransaction.reverses_id == found.id)
    order = _order(found.source_ref) if file else None
    return Booked(found, session.scalar(later), kind, file, order, _reads_gifts(person, found))


def _may_see(person: Person, found: LedgerTransaction) -> bool:
    return all(policy.can_see_entries(person, code) for code in _funds(found))


def _reads_gifts(person: Person, found: LedgerTransaction) -> bool:
    return all(contributions.reads_fund(person, code) for code in _funds(found))


def _funds(found: LedgerTransaction) -> set[str]:
    return {entry.account.fund_code for entry in found.entries}


def _given_under(ref: str | None) -> Subject | None:
    """Return whether `ref` is an agreement or a contribution. One SQL statement."""
    rows = union_all(
        *(
            select(literal(subject.value)).where(model.ref == ref)
            for subject, model in (
                (Subject.AGREEMENT, ContributionAgreement),
                (Subject.CONTRIBUTION, Contribution),
            )
        )
    )
    found = session.scalar(rows.limit(1)) if ref else None
    return Subject(found) if found else None


def _order(source_ref: str) -> str | None:
    """Return the payment order that caused a booking, which bears its reference first."""
    ref = source_ref.partition(":")[0]
    return session.scalar(select(PaymentOrder.ref).where(PaymentOrder.ref == ref))
