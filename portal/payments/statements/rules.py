"""Pure decisions about statements: does one go on where the last ended, what a line may be.

Amounts are signed minor units of the account's currency.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.text import REF_ALPHABET
from portal.core.workflow import Refused
from portal.payments.iso20022 import Entry, Statement, Transaction
from portal.payments.iso20022.values import shown

_HALF = f"[{REF_ALPHABET}]{{4}}"
_REFERENCE = re.compile(rf"(?=(?<![A-Z0-9])({_HALF})[ -]?({_HALF})(?![A-Z0-9]))")
"""A reference of ours as people copy it: with a hyphen, a space or neither, in any case."""

_PROCESSOR = re.compile(r"\bPO_?[A-Z0-9]{6,60}\b|STRIPE")
"""How a payout of the card processor is named: by its identifier, or by the processor's name."""

MOST_NAMED = 20
CHARGES = frozenset({"CHRG", "FEES", "COMM", "COME", "COMI", "COMT", "INTR"})
"""Sub-families of ISO 20022 bank transaction codes of what a bank takes for itself: charges,
commissions, interest."""


class Unsound(Refused):
    """A statement that cannot be taken. `figures` are the amounts that it rests on, named."""

    def __init__(self, sentence: str, *figures: tuple[str, str]) -> None:
        super().__init__(sentence)
        self.figures = figures


@dataclass(frozen=True)
class Before:
    """The last statement of an account, as far as the next one has to go on from it."""

    statement_id: str
    sequence: int | None
    closing: int
    to_on: date


@dataclass(frozen=True)
class Said:
    """What the bank said of one movement: `amount` is signed, `text` is all that names something.

    `reference` is the bank's own for the entry, `part` the place of the transaction in it.
    """

    reference: str
    part: int
    amount: int
    booked_on: date
    value_on: date | None
    end_to_end_id: str
    batch_id: str
    bank_code: str
    is_return: bool
    return_code: str
    counterparty: str
    counterparty_account: str
    remittance: str

    @property
    def named(self) -> list[str]:
        """The references of ours that stand in it, and the names of payouts by card."""
        text = f"{self.remittance}\n{self.end_to_end_id}"
        return [*references(text), *payouts(f"{text}\n{self.counterparty}")]


def references(text: str) -> list[str]:
    """Return what looks like a reference of ours in what somebody wrote, each once."""
    found = (f"{one}-{other}" for one, other in _REFERENCE.findall(text.upper()))
    return list(dict.fromkeys(found))[:MOST_NAMED]


def payouts(text: str) -> list[str]:
    """Return what names a payout of the card processor, without marks, each once."""
    found = (name.replace("_", "") for name in _PROCESSOR.findall(text.upper()))
    return list(dict.fromkeys(found))[:MOST_NAMED]


def named(identifier: str) -> str:
    """Return a bank's identifier as a sentence quotes it: on one line, cut where it is long.

    Marks that nobody sees are left out; some of them turn the text around them.
    """
    seen = (" " if mark.isspace() else mark for mark in identifier)
    kept = "".join(mark for mark in seen if not unicodedata.category(mark).startswith("C"))
    return shown(" ".join(kept.split()))


def check_follows(found: Statement, before: Before | None) -> None:
    """Raise Unsound unless `found` goes on where the statement before it ended."""
    if before is None:
        return
    if found.to_on < before.to_on:
        raise Unsound(
            _(
                "Statement %(this)s is older than the latest one, %(last)s. Import statements in "
                "the order of their days.",
                this=named(found.statement_id),
                last=named(before.statement_id),
            ),
            (_("Ends on"), found.to_on.isoformat()),
            (_("The latest one ends on"), before.to_on.isoformat()),
        )
    if _is_passed(found, before):
        raise Unsound(
            _(
                "Statement number %(this)s was taken in already, or is passed: the latest one is "
                "number %(last)s. If its lines are new, ask the bank for statements in one "
                "sequence.",
                this=found.sequence,
                last=before.sequence,
            ),
            (_("This statement"), named(found.statement_id)),
            (_("The latest one"), named(before.statement_id)),
        )
    if _leaves_a_gap(found, before):
        raise Unsound(
            _(
                "A statement is missing: after number %(last)s comes %(next)s, this one is "
                "number %(this)s. Get the missing one from the bank first.",
                last=before.sequence,
                next=(before.sequence or 0) + 1,
                this=found.sequence,
            ),
            (_("Number"), str(found.sequence)),
            (_("Number of the latest one"), str(before.sequence)),
        )
    if found.opening.amount != before.closing:
        raise Unsound(
            _(
                "Statement %(this)s does not begin with what the account held before: lines are "
                "missing between the two. Get the statement in between from the bank.",
                this=named(found.statement_id),
            ),
            (_("Opening balance"), _money(found.opening.amount, found.currency)),
            (_("Closing balance of the latest one"), _money(before.closing, found.currency)),
            (_("Difference"), _money(found.opening.amount - before.closing, found.currency)),
        )


def _is_passed(found: Statement, before: Before) -> bool:
    """Say whether the number was passed already."""
    if found.sequence is None or before.sequence is None or _begins_anew(found, before):
        return False
    return found.sequence <= before.sequence


def _leaves_a_gap(found: Statement, before: Before) -> bool:
    """Say whether a number is missing."""
    if found.sequence is None or before.sequence is None or _begins_anew(found, before):
        return False
    return found.sequence != before.sequence + 1


def _begins_anew(found: Statement, before: Before) -> bool:
    """Say whether the bank counts from 1 again, in a new year."""
    return found.sequence == 1 and found.to_on.year > before.to_on.year


def check_sums(found: Statement, moved: int) -> None:
    """Raise Unsound unless the lines lead from the opening to the closing balance."""
    led_to = found.opening.amount + moved
    if led_to == found.closing.amount:
        return
    raise Unsound(
        _(
            "The lines of statement %(this)s do not lead to its closing balance: a line is missing "
            "or wrong. Ask the bank for the whole statement.",
            this=named(found.statement_id),
        ),
        (_("Opening balance"), _money(found.opening.amount, found.currency)),
        (_("Sum of the lines"), _money(moved, found.currency)),
        (_("Closing balance"), _money(found.closing.amount, found.currency)),
        (_("Difference"), _money(found.closing.amount - led_to, found.currency)),
    )


def said(statement: Statement, entry: Entry, number: int) -> Iterator[Said]:
    """Return the movements of an entry, the `number`th of its statement.

    Raises Unsound where its transactions do not add up to it.
    """
    reference = entry.reference or entry.entry_reference or f"{statement.statement_id}/{number}"
    if not entry.transactions:
        yield _movement(entry, None, reference, 0)
        return
    moved = sum(_signed(each.amount, is_credit=each.is_credit) for each in entry.transactions)
    if moved != _signed(entry.amount, is_credit=entry.is_credit):
        raise Unsound(
            _(
                "The transactions of entry %(reference)s do not add up to it. Ask the bank for "
                "the whole statement.",
                reference=named(reference),
            ),
            (
                _("Entry"),
                _money(_signed(entry.amount, is_credit=entry.is_credit), statement.currency),
            ),
            (_("Sum of its transactions"), _money(moved, statement.currency)),
        )
    for part, each in enumerate(entry.transactions):
        if each.amount.minor:
            yield _movement(entry, each, reference, part)


def _movement(entry: Entry, one: Transaction | None, reference: str, part: int) -> Said:
    reason = one.return_reason if one else None
    text = (one.remittance, one.creditor_reference) if one else ()
    return Said(
        reference=reference,
        part=part,
        amount=_signed((one or entry).amount, is_credit=(one or entry).is_credit),
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        end_to_end_id=one.end_to_end_id if one else "",
        batch_id=entry.batch_id,
        bank_code=entry.bank_code,
        is_return=entry.is_return or reason is not None,
        return_code=reason.code if reason else "",
        counterparty=one.counterparty if one else "",
        counterparty_account=one.counterparty_account if one else "",
        remittance="\n".join(part for part in (*text, entry.information) if part),
    )


def _signed(money: Money, *, is_credit: bool) -> int:
    return money.minor if is_credit else -money.minor


def _money(minor: int, currency: str) -> str:
    return format_money(Money(minor, currency), str(locale()))
