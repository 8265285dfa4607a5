"""Taking in a file of statements: whole or not at all, and each file once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.orm import aliased

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.workflow import Refused
from portal.ledger.rules import Rate
from portal.payments.iso20022 import AccountId, read_statements
from portal.payments.iso20022 import Statement as Told
from portal.payments.models import BankAccount, BankAccountStatus
from portal.payments.service.booking import in_dollars
from portal.payments.statements import policy, rules
from portal.payments.statements.models import (
    LineStatus,
    Statement,
    StatementFile,
    StatementLine,
)
from portal.payments.statements.rules import Before, Said, Unsound
from portal.payments.statements.service.keeping import digest, keep, sealed
from portal.payments.statements.service.matching import match

CHUNK = 500
"""How many lines are in memory at a time."""

LATEST = timedelta(days=31)
"""How long before its statement a line may have been booked: a month that was closed late."""


@dataclass(frozen=True)
class Imported:
    """What became of one statement of a file. `is_new` is false where it was there already."""

    statement: Statement
    is_new: bool
    matched: int = 0

    @property
    def again(self) -> bool:
        """Whether it was imported before, so that nothing changed."""
        return not self.is_new

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.statement.line_count


@dataclass
class _Values:
    """US$ of amounts at the rate of their day, each rate asked for once."""

    currency: str
    rates: dict[date, Rate | None] = field(default_factory=dict)

    def of(self, said: Said) -> tuple[int, Rate | None]:
        money = Money(said.amount, self.currency)
        if said.booked_on not in self.rates:
            self.rates[said.booked_on] = in_dollars(money, said.booked_on)[1]
        rate = self.rates[said.booked_on]
        return (rate.in_usd(money).minor if rate else money.minor), rate


def import_statement(stream: BinaryIO, *, by: Person | None) -> list[Imported]:
    """Take in a file of statements (camt.053), match its lines, and return what it held.

    `stream` is read more than once. The same file again changes nothing and says so. Raises
    Unsound with the figures, or Refused: then nothing of the file is kept. Memory does not grow
    with the file. Lines are booked afterwards, see `book_lines`.
    """
    sha256, size = digest(stream)
    with session.begin_nested():
        audit.take_turn()
        before = _known(sha256)
        if before:
            return [Imported(each, is_new=False) for each in before]
        file = keep(stream, sha256, size, by)
        done = [_take(file, told, by) for told in read_statements(stream)]
        if not any(each.is_new for each in done):
            raise Refused(_("These statements were imported already, from another file."))
        return done


def _known(sha256: str) -> Sequence[Statement]:
    rows = select(Statement).join(Statement.file).where(StatementFile.sha256 == sha256)
    return session.scalars(rows.order_by(Statement.imported_at)).all()


def _take(file: StatementFile, told: Told, by: Person | None) -> Imported:
    """Take in one statement of a file. Raises Unsound, and Refused to whom it does not belong."""
    account = _account(told.account, told.currency)
    if by is not None and not policy.can_import(by, account):
        raise Refused(_("Statements are imported by treasury or finance of the fund."))
    session.refresh(account, ["status", "version"], with_for_update=True)
    before = _same(account, told)
    if before is not None:
        return Imported(before, is_new=False)
    last = _latest(account)
    rules.check_follows(told, _before(last))
    if told.to_on > clock.today() + timedelta(days=1):
        raise Unsound(_("Statement %(this)s is of a day to come.", this=told.statement_id))
    statement = Statement(
        bank_account=account,
        file=file,
        statement_id=told.statement_id,
        message_id=told.message_id,
        sequence=told.sequence,
        opening=told.opening.amount,
        closing=told.closing.amount,
        from_on=told.from_on,
        to_on=told.to_on,
        line_count=0,
        previous_id=last.id if last else None,
        imported_by_id=by.id if by else None,
    )
    session.add(statement)
    session.flush()
    count, moved = _enter(statement, told)
    _refuse_strange_days(statement)
    rules.check_sums(told, moved)
    session.execute(update(Statement).where(Statement.id == statement.id).values(line_count=count))
    session.refresh(statement)
    matched = match(statement)
    facts = {"lines": count, "matched": matched, "sha256": file.sha256}
    audit.record("statement.imported", statement, actor_id=by.id if by else None, facts=facts)
    return Imported(statement, is_new=True, matched=matched)


def _refuse_strange_days(statement: Statement) -> None:
    """Raise Unsound for a line of a day after its statement, or long before it. One statement."""
    rows = select(StatementLine.reference, StatementLine.booked_on).where(
        StatementLine.statement_id == statement.id,
        (StatementLine.booked_on > statement.to_on)
        | (StatementLine.booked_on < statement.from_on - LATEST),
    )
    found = session.execute(rows.order_by(StatementLine.number).limit(1)).first()
    if found is not None:
        raise Unsound(
            _(
                "Line %(reference)s of statement %(this)s is of another time than the statement.",
                reference=found.reference,
                this=statement.statement_id,
            ),
            (_("Day of the line"), found.booked_on.isoformat()),
            (_("Ends on"), statement.to_on.isoformat()),
        )


def _account(named: AccountId, currency: str) -> BankAccount:
    """Return the account of ours that a statement is of. Raises Unsound where there is none."""
    rows = select(BankAccount).where(
        BankAccount.account == named.value, BankAccount.status != BankAccountStatus.PROPOSED
    )
    found = session.scalars(rows.order_by(BankAccount.status.desc())).all()
    same = [each for each in found if each.currency == currency]
    if same:
        return same[0]
    ends = named.value[-4:]
    if found:
        raise Unsound(
            _(
                "The account ending with %(ends)s is kept in %(ours)s, the statement is in "
                "%(theirs)s.",
                ends=ends,
                ours=found[0].currency,
                theirs=currency,
            )
        )
    raise Unsound(
        _(
            "No fund has the account ending with %(ends)s. Enter and confirm it first, or import "
            "the file of the right account.",
            ends=ends,
        )
    )


def _same(account: BankAccount, told: Told) -> Statement | None:
    """Return the statement of that number if it is there and says the same. Raises Unsound."""
    rows = select(Statement).where(
        Statement.bank_account_id == account.id, Statement.statement_id == told.statement_id
    )
    found = session.scalar(rows)
    if found is None:
        return None
    if (found.opening, found.closing) == (told.opening.amount, told.closing.amount):
        return found
    raise Unsound(
        _("Statement %(this)s was imported before, with other balances.", this=found.statement_id),
        (_("Opening balance"), _money(told.opening.amount, told.currency)),
        (_("Closing balance"), _money(told.closing.amount, told.currency)),
        (_("Opening balance, as imported"), _money(found.opening, told.currency)),
        (_("Closing balance, as imported"), _money(found.closing, told.currency)),
    )


def _latest(account: BankAccount) -> Statement | None:
    """Return the statement of the account that none goes on from yet. One SQL statement."""
    later = aliased(Statement)
    goes_on = select(later.id).where(later.previous_id == Statement.id).exists()
    return session.scalar(
        select(Statement).where(Statement.bank_account_id == account.id, ~goes_on)
    )


def _before(last: Statement | None) -> Before | None:
    if last is None:
        return None
    return Before(last.statement_id, last.sequence, last.closing, last.to_on)


def _movements(told: Told) -> Iterator[Said]:
    for number, entry in enumerate(told.entries(), start=1):
        if entry.is_booked:
            yield from rules.said(told, entry, number)


def _enter(statement: Statement, told: Told) -> tuple[int, int]:
    """Enter the lines as they are read; return how many there are, and what they sum to."""
    count = moved = 0
    values = _Values(told.currency)
    movements = _movements(told)
    while chunk := list(islice(movements, CHUNK)):
        _refuse_known(statement, chunk)
        rows = [
            _row(statement, said, values, number) for number, said in enumerate(chunk, count + 1)
        ]
        session.execute(insert(StatementLine), rows)
        count += len(chunk)
        moved += sum(said.amount for said in chunk)
    return count, moved


def _row(statement: Statement, said: Said, values: _Values, number: int) -> dict[str, object]:
    line_id = uuid4()
    cents, rate = values.of(said)
    return {
        "id": line_id,
        "version": 1,
        "statement_id": statement.id,
        "bank_account_id": statement.bank_account_id,
        "number": number,
        "reference": said.reference,
        "part": said.part,
        "amount": said.amount,
        "currency": values.currency,
        "amount_usd": cents,
        "rate_id": rate.id if rate else None,
        "booked_on": said.booked_on,
        "value_on": said.value_on,
        "end_to_end_id": said.end_to_end_id,
        "batch_id": said.batch_id,
        "bank_code": said.bank_code,
        "is_return": said.is_return,
        "return_code": said.return_code,
        "named": said.named,
        "particulars": sealed(statement.file, line_id, said),
        "status": LineStatus.WAITING,
        "target_ref": "",
        "note": "",
    }


def _refuse_known(statement: Statement, chunk: Sequence[Said]) -> None:
    """Raise Unsound for a reference of the bank that stands twice. One SQL statement."""
    keys = Counter((said.reference, said.part) for said in chunk)
    rows = (
        select(StatementLine.reference, Statement.statement_id)
        .join(StatementLine.statement)
        .where(
            StatementLine.bank_account_id == statement.bank_account_id,
            tuple_(StatementLine.reference, StatementLine.part).in_(list(keys)),
        )
        .limit(1)
    )
    reference, other = session.execute(rows).first() or (None, statement.statement_id)
    if other != statement.statement_id:
        raise Unsound(
            _(
                "The bank's reference %(reference)s stands on statement %(other)s already: the "
                "same line would be booked twice.",
                reference=reference,
                other=other,
            )
        )
    twice = [key[0] for key, times in keys.items() if times > 1]
    if reference or twice:
        raise Unsound(
            _(
                "The bank's reference %(reference)s stands twice on statement %(this)s. Ask the "
                "bank for a sound file.",
                reference=reference or twice[0],
                this=statement.statement_id,
            )
        )


def _money(minor: int, currency: str) -> str:
    return format_money(Money(minor, currency), str(locale()))
