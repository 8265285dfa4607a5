"""Money that went back to a donor: refunds, and card gifts that a donor's bank disputes."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import policy, rules
from portal.contributions.models import (
    Contribution,
    ContributionDispute,
    ContributionRefund,
    ContributionStatus,
    DisputeStatus,
    Means,
)
from portal.contributions.service.promising import foreign
from portal.contributions.service.receiving import BOOKED, BY_HAND, bank_tells
from portal.contributions.service.unsettling import unsettle
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger import queries as books
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind
from portal.ledger.rules import PostingConflict

CHANGING = ("status", "edition", "version", "refunds", "disputes")
"""What others change of a contribution; read again by whoever has their turn at the chain."""

LINE = "line:"
"""How the cause of a contribution begins that a line of a statement brought."""


def refund_wire(
    contribution: Contribution,
    amount: Money,
    on: date,
    *,
    source_ref: str,
    reason: str,
    by: Person | None,
    amount_usd: Money | None = None,
    out_of: AccountKind = AccountKind.BANK,
) -> ContributionRefund:
    """Book that a part or all of a bank transfer was sent back, once for each `source_ref`.

    `by` is whoever recorded it, None where the bank's statement did. Raises Refused above what is
    left of it, without a reason, for card money, for who may not, and by hand (`BY_HAND`) where
    the bank's statements tell of it.
    """
    if by is not None and not policy.can_refund(by, contribution):
        raise Refused(_("This step belongs to somebody else."))
    if contribution.means is not Means.WIRE:
        raise Refused(_("Money that came by card goes back by card."))
    if not normalise(reason):
        raise Refused(_("Give the reason."))
    return _refunded(
        contribution,
        amount,
        amount_usd,
        on,
        source_ref,
        reason=normalise(reason),
        out_of=out_of,
        by=by,
    )


def refund_card(
    contribution: Contribution,
    amount: Money,
    on: date,
    *,
    source_ref: str,
    amount_usd: Money | None = None,
    reason: str = "",
    by: Person | None = None,
    out_of: AccountKind = AccountKind.CARD_CLEARING,
) -> ContributionRefund:
    """Book that card money went back as the processor says, once for each `source_ref`."""
    return _refunded(
        contribution,
        amount,
        amount_usd,
        on,
        source_ref,
        reason=normalise(reason),
        out_of=out_of,
        by=by,
    )


def booked_from_its_line() -> str:
    """Return why no refund of such an account is recorded by hand, and where it is booked."""
    return _(
        "The bank’s statements are taken in for this account: what goes back to the donor is "
        "booked from its line there. Find the line under Bank, Reconciliation, or import "
        "the statement."
    )


def is_told_by_bank(contribution: Contribution) -> bool:
    """Say whether a line of the bank's statement brought it, rather than somebody's hand."""
    return contribution.source_ref.startswith(LINE)


def annul_wire(
    contribution: Contribution, reason: str, on: date, *, by: Person, frees_line: bool = False
) -> None:
    """Take back a bank transfer that was entered by mistake: nothing arrived, or from another.

    Its booking is reversed, also out of suspense where it came from there, and what it settled of
    an agreement is open again, or cancelled with its rest (`unsettle`). Its receipt number stays
    taken, and the receipt says that it is void. Twice is once. `frees_line` says that the
    statement's line that it came from is taken back with it. Raises Refused for who may not,
    without a reason, for card money, for money from a statement without that, and where a part
    went back already.
    """
    if not policy.can_refund(by, contribution):
        raise Refused(_("This step belongs to somebody else."))
    reason = normalise(reason)
    if not reason:
        raise Refused(_("Give the reason."))
    if contribution.means is not Means.WIRE:
        raise Refused(_("Money that came by card goes back by card."))
    if is_told_by_bank(contribution) and not frees_line:
        raise Refused(_("The bank’s statement told of it: take back its line, and this goes too."))
    audit.take_turn()
    session.refresh(contribution, CHANGING)
    if contribution.status is ContributionStatus.ANNULLED:
        return
    if contribution.refunds or contribution.disputes:
        raise Refused(_("A part of it went back already: it cannot have been a mistake."))
    booking = books.find(BOOKED + contribution.source_ref)
    if booking is None:
        raise PostingConflict(f"{contribution.source_ref} was never booked")
    mirror = ledger.reverse(booking, on=on, by=by.id)
    unsettle(contribution, on, by=by)
    session.add(
        ContributionRefund(
            contribution=contribution,
            amount=contribution.amount,
            amount_usd=contribution.amount_usd,
            refunded_on=on,
            source_ref=mirror.source_ref.removeprefix(BOOKED),
            recorded_by_id=by.id,
            reason=reason,
            annuls=True,
        )
    )
    contribution.edition += 1
    follow(
        contribution,
        "contribution.annulled",
        contribution.source_ref,
        contribution.money,
        contribution.dollars,
        by=by,
    )


def dispute(
    contribution: Contribution,
    amount: Money,
    on: date,
    *,
    source_ref: str,
    amount_usd: Money | None = None,
    out_of: AccountKind = AccountKind.CARD_CLEARING,
) -> ContributionDispute:
    """Book that the donor's bank took card money back and asks for proof, once."""
    audit.take_turn()
    known = session.scalar(
        select(ContributionDispute).where(ContributionDispute.source_ref == source_ref)
    )
    if known is not None:
        _refuse_other(known.contribution_id, known.amount, contribution, amount, source_ref)
        return known
    value = _still_here(contribution, amount, amount_usd)
    ledger.contribution_disputed(
        contribution.fund_code,
        value,
        BOOKED + source_ref,
        on,
        by=None,
        subject_ref=_subject(contribution),
        out_of=out_of,
        local=foreign(amount),
    )
    found = ContributionDispute(
        contribution=contribution,
        amount=amount.minor,
        amount_usd=value.minor,
        disputed_on=on,
        source_ref=source_ref,
    )
    session.add(found)
    follow(contribution, "contribution.disputed", found.source_ref, amount, value)
    return found


def dispute_won(found: ContributionDispute, on: date) -> None:
    """Book that the money of a dispute came back; again changes nothing."""
    if found.status is DisputeStatus.WON:
        return
    _end(found, DisputeStatus.WON, on)
    booking = books.find(BOOKED + found.source_ref)
    if booking is None:
        raise PostingConflict(f"{found.source_ref} was never booked")
    ledger.reverse(booking, on=on, by=None)
    follow(
        found.contribution,
        "contribution.dispute_won",
        found.source_ref,
        found.money,
        usd(found.amount_usd),
    )


def dispute_lost(found: ContributionDispute, on: date) -> None:
    """Note that the money of a dispute is gone for good; it left the books when it was taken."""
    if found.status is DisputeStatus.LOST:
        return
    _end(found, DisputeStatus.LOST, on)
    found.contribution.edition += 1
    follow(
        found.contribution,
        "contribution.dispute_lost",
        found.source_ref,
        found.money,
        usd(found.amount_usd),
    )


def _end(found: ContributionDispute, status: DisputeStatus, on: date) -> None:
    if found.status is not DisputeStatus.OPEN:
        raise Refused(_("This dispute has ended: %(status)s.", status=str(found.status.label)))
    audit.take_turn()
    found.status, found.ended_on = status, on


def _refunded(
    contribution: Contribution,
    amount: Money,
    amount_usd: Money | None,
    on: date,
    source_ref: str,
    *,
    reason: str,
    out_of: AccountKind,
    by: Person | None,
) -> ContributionRefund:
    audit.take_turn()
    known = session.scalar(
        select(ContributionRefund).where(ContributionRefund.source_ref == source_ref)
    )
    if known is not None:
        _refuse_other(known.contribution_id, known.amount, contribution, amount, source_ref)
        return known
    if source_ref.startswith(BY_HAND) and bank_tells(contribution.fund_code, amount.currency):
        raise Refused(booked_from_its_line())
    if on < contribution.received_on:
        raise Refused(_("Money does not go back before it came. Check the date."))
    value = _still_here(contribution, amount, amount_usd)
    ledger.contribution_refunded(
        contribution.fund_code,
        value,
        BOOKED + source_ref,
        on,
        by=by.id if by else None,
        subject_ref=_subject(contribution),
        out_of=out_of,
        local=foreign(amount),
    )
    found = ContributionRefund(
        contribution=contribution,
        amount=amount.minor,
        amount_usd=value.minor,
        refunded_on=on,
        source_ref=source_ref,
        recorded_by_id=by.id if by else None,
        reason=reason,
    )
    session.add(found)
    contribution.edition += 1
    follow(contribution, "contribution.refunded", source_ref, amount, value, by=by)
    return found


def _still_here(contribution: Contribution, amount: Money, amount_usd: Money | None) -> Money:
    """Return what `amount` is booked at: by its part of what is left, unless that is known.

    So parts that were rounded leave nothing of a contribution that went back as a whole. Asked
    with the turn at the chain, so that nobody else gives the same money back. Raises Refused where
    it is not above zero, or more than is left.
    """
    session.flush()
    session.refresh(contribution, CHANGING)
    if amount.currency != contribution.currency:
        raise Refused(
            _("It arrived in %(currency)s, and goes back so.", currency=contribution.currency)
        )
    if amount.minor <= 0 or amount > contribution.kept:
        tag = str(locale())
        raise Refused(
            _(
                "%(amount)s cannot go back: %(kept)s is left of this contribution.",
                amount=format_money(amount, tag),
                kept=format_money(contribution.kept, tag),
            )
        )
    if amount_usd is not None:
        return amount_usd
    left = contribution.kept_dollars.minor
    return usd(rules.part_of(left, amount.minor, contribution.kept.minor))


def _subject(contribution: Contribution) -> str:
    """Return under which reference the money stands in the books."""
    return contribution.agreement.ref if contribution.agreement else contribution.ref


def _refuse_other(
    booked_for: UUID, booked: int, contribution: Contribution, amount: Money, source_ref: str
) -> None:
    if booked_for != contribution.id or booked != amount.minor:
        raise PostingConflict(f"{source_ref} is booked already, and otherwise")


def follow(
    contribution: Contribution,
    act: str,
    source_ref: str,
    amount: Money,
    value: Money,
    *,
    by: Person | None = None,
) -> None:
    """Let the status follow, and append the event."""
    before = contribution.status
    disputes = contribution.disputes
    contribution.status = rules.standing(
        contribution.amount,
        contribution.refunded.minor,
        contested=any(each.status is DisputeStatus.OPEN for each in disputes),
        lost=any(each.status is DisputeStatus.LOST for each in disputes),
        annulled=any(each.annuls for each in contribution.refunds),
    )
    audit.record(
        act,
        contribution,
        actor_id=by.id if by else None,
        from_status=before.value,
        to_status=contribution.status.value,
        facts={
            "contribution": contribution.ref,
            "fund": contribution.fund_code,
            "source": source_ref,
            "amount": amount.minor,
            "currency": amount.currency,
            "usd": value.minor,
            "on": clock.today().isoformat(),
        },
    )
