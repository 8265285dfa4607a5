"""Money that arrived: booked, numbered, and set against what its donor had agreed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.contributions import policy, rules
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    ContributionStatus,
    Donor,
    Earmark,
    Means,
)
from portal.contributions.rules import Part
from portal.contributions.service.donors import standing
from portal.contributions.service.promising import STANDING, foreign, valued
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, from_usd
from portal.core.workflow import Refused
from portal.ledger import queries as books
from portal.ledger import service as ledger
from portal.ledger.models import AccountKind
from portal.ledger.rules import NoRate, PostingConflict, Rate

BOOKED = "contribution:"
"""What stands before the cause of a contribution where the books name it."""

ABOVE = ":above"

BY_HAND = "hand:"
"""How the cause of a contribution begins that somebody recorded without a statement."""

Asked = Callable[[str, str], bool]
"""Says something of the account that a fund, by its code, has in a currency."""

AccountsInUse = Callable[[Collection[str]], Mapping[tuple[str, str], bool]]
"""Says of funds, by their codes, which accounts by fund and currency they have in use, and of each
whether statements tell what arrives on it."""


@dataclass(frozen=True)
class ByHand:
    """In which currencies transfers can be recorded by hand, and whether there is any account."""

    currencies: frozenset[str]
    has_account: bool


_held: list[Asked] = []
_told_by_bank: list[Asked] = []
_in_use: list[AccountsInUse] = []


def ask_of_bank(*, holds: Asked, tells: Asked, in_use: AccountsInUse) -> None:
    """Set who knows whether a fund has an account in use, and whether its statements are taken in.

    `in_use` says which accounts several funds have in use, and of which statements tell. They
    belong to a feature above this one; the application hands the questions in. Nothing is
    recorded by hand without an account, for no bank would hold it, nor beside its statements: it
    would be booked twice.
    """
    _held[:], _told_by_bank[:], _in_use[:] = [holds], [tells], [in_use]


def bank_tells(fund_code: str, currency: str) -> bool:
    """Say whether the bank's statements of a fund and currency are taken in."""
    return any(tells(fund_code, currency) for tells in _told_by_bank)


def by_hand(fund_codes: Collection[str]) -> ByHand:
    """Return whether, and in which currencies, transfers to some funds are recorded by hand.

    An agreement's own currency is not asked: banks change what arrives into that of the account.
    """
    found = {key: told for in_use in _in_use for key, told in in_use(fund_codes).items()}
    untold = (currency for (_fund, currency), told in found.items() if not told)
    return ByHand(frozenset(untold), bool(found))


def receive_wire(
    *,
    fund_code: str,
    amount: Money,
    amount_usd: Money,
    on: date,
    source_ref: str,
    agreement: ContributionAgreement | None = None,
    donor: Donor | None = None,
    into: AccountKind = AccountKind.BANK,
    by: Person | None = None,
    settles: Money | None = None,
    earmark: Earmark | None = None,
) -> Contribution:
    """Book money that came to the bank, once for each `source_ref`, and return it.

    With an `agreement` it settles what is open of it: `settles` in the agreement's currency, else
    the amount itself, or what it is worth at the UN rates of the day. What is above the agreement
    is a contribution of its own, and the one returned is the one that settles. `by` is whoever
    recorded it by hand, None where the bank's statement did. The receipt follows by itself.

    Raises Refused for a person who may not, without a donor, for an agreement of another fund or
    not in force yet, and where no rate holds; by hand also without an account of the fund in that
    currency, beside its statements, and above what needs no second person; PostingConflict for
    the same `source_ref` with another amount or fund.
    """
    if by is not None and not policy.can_record(by, fund_code):
        raise Refused(_("This step belongs to somebody else."))
    audit.take_turn()
    before = _before(source_ref, fund_code, amount)
    if before is not None:
        return before
    if source_ref.startswith(BY_HAND):
        _refuse_account(fund_code, amount.currency)
    _refuse_nothing(amount, amount_usd)
    giving = _giving(agreement, donor)
    parts = [Part(amount, amount_usd, None)]
    if agreement is not None:
        _refuse_strange(agreement, fund_code)
        settling = settles or _worth(amount, amount_usd, agreement.currency, on)
        parts = rules.divided(amount, amount_usd, settling, agreement.open_money)
    if source_ref.startswith(BY_HAND):
        _refuse_much(parts, fund_code, on, agreement)
    received = [
        _received(
            part,
            agreement if part.settles is not None else None,
            into,
            by,
            donor=giving,
            fund_code=fund_code,
            earmark=agreement.earmark if agreement is not None else earmark,
            means=Means.WIRE,
            received_on=on,
            source_ref=source_ref + (ABOVE if number else ""),
        )
        for number, part in enumerate(parts)
    ]
    return received[0]


def receive_card(
    *,
    fund_code: str,
    amount: Money,
    amount_usd: Money,
    on: date,
    source_ref: str,
    donor: Donor,
    earmark: Earmark | None = None,
    into: AccountKind = AccountKind.CARD_CLEARING,
) -> Contribution:
    """Book a gift by card, gross, once for each `source_ref`; its fee is a charge of its own.

    `amount_usd` is what it is worth at the UN rate of the day. Raises PostingConflict for the
    same `source_ref` with another amount or fund.
    """
    audit.take_turn()
    before = _before(source_ref, fund_code, amount)
    if before is not None:
        return before
    _refuse_nothing(amount, amount_usd)
    return _received(
        Part(amount, amount_usd, None),
        None,
        into,
        None,
        donor=standing(donor),
        fund_code=fund_code,
        earmark=earmark,
        means=Means.CARD,
        received_on=on,
        source_ref=source_ref,
    )


def worth(amount: Money, on: date) -> Money:
    """Return what an amount that arrived is worth in US$ on a day. Raises Refused without rate."""
    return valued(amount, on)[0]


def _before(source_ref: str, fund_code: str, amount: Money) -> Contribution | None:
    """Return what was received under `source_ref`. Raises PostingConflict where it differs."""
    rows = (
        select(Contribution)
        .where(Contribution.source_ref.in_([source_ref, source_ref + ABOVE]))
        .order_by(Contribution.source_ref)
    )
    found = list(session.scalars(rows))
    if not found:
        return None
    same = all(each.fund_code == fund_code and each.currency == amount.currency for each in found)
    if not same or sum(each.amount for each in found) != amount.minor:
        raise PostingConflict(f"{source_ref} is received already, and otherwise")
    return found[0]


def _refuse_account(fund_code: str, currency: str) -> None:
    """Raise Refused where nothing can have arrived, or the bank's statements tell of it."""
    if not any(holds(fund_code, currency) for holds in _held):
        raise Refused(
            _(
                "The fund has no account in %(currency)s, so this money cannot have arrived "
                "there. Check the currency. If there is such an account, ask treasury to enter "
                "it first.",
                currency=currency,
            )
        )
    if bank_tells(fund_code, currency):
        raise Refused(
            _("The bank’s statements tell what arrives on this account: take them in instead.")
        )


def _refuse_much(
    parts: Sequence[Part], fund_code: str, on: date, agreement: ContributionAgreement | None
) -> None:
    """Raise Refused above what is recorded by hand without a second person.

    What settles an agreement was confirmed by two, as far as it is worth what it settles.
    """
    alone = 0
    for part in parts:
        if agreement is None or part.settles is None:
            alone += part.dollars.minor
        elif part.dollars.minor > rules.MOST_PER_SETTLED * worth(part.settles, on).minor:
            raise Refused(
                _(
                    "%(came)s arrived, and it settles %(settled)s only. Check the amounts, or "
                    "leave empty how much it settles.",
                    came=format_money(part.amount, str(locale())),
                    settled=format_money(part.settles, str(locale())),
                )
            )
    before = select(func.coalesce(func.sum(Contribution.amount_usd), 0)).where(
        Contribution.fund_code == fund_code,
        Contribution.agreement_id.is_(None),
        Contribution.source_ref.startswith(BY_HAND),
        Contribution.status != ContributionStatus.ANNULLED,
        Contribution.recorded_at > clock.now() - rules.BY_HAND_WITHIN,
    )
    if alone and int(session.scalar(before) or 0) + alone > rules.MOST_BY_HAND.minor:
        raise Refused(
            _(
                "Without an agreement that a second person confirmed, a fund records %(most)s "
                "in a year by hand at most. Have an agreement over this money confirmed first, "
                "or take in the bank’s statement.",
                most=format_money(rules.MOST_BY_HAND, str(locale())),
            )
        )


def _refuse_nothing(amount: Money, amount_usd: Money) -> None:
    if amount.minor <= 0 or amount_usd.minor <= 0:
        raise Refused(_("This amount is too small: it is worth less than one US cent."))


def _giving(agreement: ContributionAgreement | None, donor: Donor | None) -> Donor:
    """Return whose money it is, with the agreement and the donor read again at our turn."""
    if donor is not None:
        donor = standing(donor)
    if agreement is not None:
        session.refresh(agreement, (*STANDING, "donor_id", "donor"))
        if donor is not None and donor.id != agreement.donor_id:
            raise Refused(_("This agreement is another donor’s."))
        return agreement.donor
    if donor is None:
        raise Refused(_("Say whose money it is: choose the donor or the agreement."))
    return donor


def _refuse_strange(agreement: ContributionAgreement, fund_code: str) -> None:
    if agreement.fund_code != fund_code:
        raise Refused(_("This agreement is of another fund."))
    if agreement.status is AgreementStatus.DRAFT:
        raise Refused(_("This agreement is not confirmed yet. Confirm it first."))


def _worth(amount: Money, amount_usd: Money, currency: str, on: date) -> Money:
    """Return what money settles of a debt in `currency`."""
    if amount.currency == currency:
        return amount
    try:
        rate = books.rate_on(currency, on)
    except NoRate as missing:
        raise Refused(missing.sentence) from missing
    return from_usd(amount_usd, currency, rate.units_per_usd)


def _rate(amount: Money, amount_usd: Money, on: date) -> Rate | None:
    """Return the imported rate that gives `amount_usd`, for the booking to quote; else None."""
    try:
        rate = books.rate_on(amount.currency, on)
    except NoRate:
        return None
    return rate if rate.id and rate.in_usd(amount) == amount_usd else None


def _received(
    part: Part,
    agreement: ContributionAgreement | None,
    into: AccountKind,
    by: Person | None,
    **facts: Any,
) -> Contribution:
    """Book one part and number its receipt, under the lock that the booking takes."""
    contribution = Contribution(
        amount=part.amount.minor,
        currency=part.amount.currency,
        amount_usd=part.dollars.minor,
        agreement=agreement,
        settles=part.settles.minor if part.settles is not None else None,
        receipt_year=facts["received_on"].year,
        receipt_number=0,
        recorded_by_id=by.id if by else None,
        **facts,
    )
    ledger.contribution_received(
        contribution.fund_code,
        part.dollars,
        BOOKED + contribution.source_ref,
        contribution.received_on,
        by=by.id if by else None,
        local=foreign(part.amount),
        rate=_rate(part.amount, part.dollars, contribution.received_on),
        pledge_ref=agreement.ref if agreement else None,
        subject_ref=contribution.ref,
        settles=part.settles,
        into=into,
    )
    contribution.receipt_number = _next_number(contribution)
    session.add(contribution)
    session.flush()
    audit.record(
        "contribution.received",
        contribution,
        actor_id=by.id if by else None,
        to_status=contribution.status.value,
        facts=_said(contribution),
    )
    if agreement is not None:
        _settle(agreement, contribution, by)
    return contribution


def _next_number(contribution: Contribution) -> int:
    """Return the next receipt number; the fund's book is locked, so nobody else takes it."""
    last = select(func.max(Contribution.receipt_number)).where(
        Contribution.fund_code == contribution.fund_code,
        Contribution.receipt_year == contribution.receipt_year,
    )
    return (session.scalar(last) or 0) + 1


def _settle(
    agreement: ContributionAgreement, contribution: Contribution, by: Person | None
) -> None:
    agreement.settled += contribution.settles or 0
    if agreement.settled < agreement.amount:
        return
    agreement.status = AgreementStatus.FULFILLED
    audit.record(
        "contribution_agreement.fulfilled",
        agreement,
        actor_id=by.id if by else None,
        from_status=AgreementStatus.IN_FORCE.value,
        to_status=AgreementStatus.FULFILLED.value,
        facts={"agreement": agreement.ref, "fund": agreement.fund_code},
    )


def _said(contribution: Contribution) -> dict[str, object]:
    """Return what the chain keeps of money that arrived: codes and amounts."""
    agreement = contribution.agreement
    return {
        "contribution": contribution.ref,
        "fund": contribution.fund_code,
        "source": contribution.source_ref,
        "amount": contribution.amount,
        "currency": contribution.currency,
        "usd": contribution.amount_usd,
        "on": contribution.received_on.isoformat(),
        "receipt": contribution.receipt_no,
        "agreement": agreement.ref if agreement else None,
        "settles": contribution.settles,
    }
