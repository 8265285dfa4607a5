"""Pledges and agreements: what donors say they will give, and what they sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import policy, rules
from portal.contributions.models import (
    AgreementAction,
    AgreementInstalment,
    AgreementStatus,
    ContributionAgreement,
    Donor,
    Earmark,
    Pledge,
    PledgeAction,
    PledgeStatus,
)
from portal.contributions.workflow import AGREEMENT_WORKFLOW, PLEDGE_WORKFLOW
from portal.core import audit, clock, files
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, usd
from portal.core.text import Json, canonical_json, normalise, sha256_hex
from portal.core.workflow import Refused
from portal.ledger import queries as books
from portal.ledger import service as ledger
from portal.ledger.rules import DOLLAR, NoRate, Rate

PAPERS = ("pdf", "jpeg", "png")
"""How a signed paper may come: as a document or a picture of it."""

STANDING = ("status", "settled", "cancelled", "version")
"""What others change of an agreement; read again by whoever has their turn at the chain."""


@dataclass(frozen=True)
class Terms:
    """What a donor and the fund agree: how much, signed when, due when, meant for what."""

    amount: Money
    signed_on: date
    schedule: Sequence[tuple[date, Money]]
    earmark: Earmark | None = None


def announce_pledge(
    donor: Donor,
    fund_code: str,
    amount: Money,
    on: date,
    *,
    by: Person,
    earmark: Earmark | None = None,
    remark: str = "",
) -> Pledge:
    """Note that `donor` announced `amount` for a fund: a memo, never in the books.

    The same once more, as a second click sends it, is the pledge that is open already. Raises
    Refused for who may not, a day to come, or a currency without a rate on that day.
    """
    if not policy.can_write(by, fund_code):
        raise Refused(_("This step belongs to somebody else."))
    _refuse_future(on)
    audit.take_turn()
    _refuse_strange(donor, fund_code, earmark)
    said = {
        "donor_id": donor.id,
        "fund_code": fund_code,
        "earmark_id": earmark.id if earmark else None,
        "amount": amount.minor,
        "currency": amount.currency,
        "announced_on": on,
        "remark": normalise(remark),
    }
    known = session.scalar(
        select(Pledge).filter_by(**said, status=PledgeStatus.ANNOUNCED).order_by(Pledge.ref)
    )
    if known is not None:
        return known
    pledge = Pledge(
        donor=donor,
        fund_code=fund_code,
        earmark=earmark,
        amount=amount.minor,
        currency=amount.currency,
        amount_usd=valued(amount, on)[0].minor,
        announced_on=on,
        recorded_by_id=by.id,
        remark=normalise(remark),
    )
    session.add(pledge)
    audit.record("pledge.announced", pledge, actor_id=by.id, facts=_said(pledge))
    return pledge


def withdraw_pledge(pledge: Pledge, reason: str, *, by: Person) -> None:
    """Note that a pledge will not be kept. Raises Refused while an agreement is drafted on it."""
    _hold_pledge(pledge)
    PLEDGE_WORKFLOW.check(pledge, PledgeAction.WITHDRAW, by)
    if _draft_on(pledge) is not None:
        raise Refused(_("An agreement was drafted on this pledge. Discard the draft first."))
    pledge.withdrawn_by_id, pledge.withdrawn_at = by.id, clock.now()
    pledge.remark = normalise(reason)
    PLEDGE_WORKFLOW.perform(pledge, PledgeAction.WITHDRAW, by=by, facts=_said(pledge))


def draft_agreement(
    donor: Donor, fund_code: str, terms: Terms, *, by: Person, pledge: Pledge | None = None
) -> ContributionAgreement:
    """Draft what a donor signed; nothing is booked before a second person confirms it.

    Raises Refused for who may not, a schedule that does not add up, a currency without a rate on
    the day of the signature, or a pledge that is not open.
    """
    if not policy.can_write(by, fund_code):
        raise Refused(_("This step belongs to somebody else."))
    audit.take_turn()
    if pledge is not None:
        _hold_pledge(pledge)
        if pledge.status is not PledgeStatus.ANNOUNCED or pledge.fund_code != fund_code:
            raise Refused(_("This pledge is not open any more."))
        if pledge.donor_id != donor.id:
            raise Refused(_("This pledge is another donor’s."))
        if _draft_on(pledge) is not None:
            raise Refused(_("An agreement was drafted on this pledge already."))
    value = _sound_terms(donor, fund_code, terms)
    agreement = ContributionAgreement(
        donor=donor,
        pledge=pledge,
        fund_code=fund_code,
        earmark=terms.earmark,
        amount=terms.amount.minor,
        currency=terms.amount.currency,
        usd_at_signature=value.minor,
        signed_on=terms.signed_on,
        drafted_by_id=by.id,
    )
    session.add(agreement)
    _plan(agreement, terms)
    _record_draft(agreement, by)
    return agreement


def edit_draft(agreement: ContributionAgreement, terms: Terms, *, by: Person) -> None:
    """Correct a draft. Whoever corrected it last is who drafted it, and confirms it not."""
    _hold(agreement)
    _refuse_settled(agreement, by)
    value = _sound_terms(agreement.donor, agreement.fund_code, terms)
    agreement.amount, agreement.currency = terms.amount.minor, terms.amount.currency
    agreement.usd_at_signature, agreement.signed_on = value.minor, terms.signed_on
    agreement.earmark = terms.earmark
    _plan(agreement, terms)
    _drafted_by(agreement, by)


def add_paper(
    agreement: ContributionAgreement, stream: BinaryIO, filename: str, *, by: Person
) -> None:
    """Keep the signed paper with a draft, in place of one that was there. Raises BadFile."""
    _hold(agreement)
    _refuse_settled(agreement, by)
    agreement.paper = files.store(stream, filename, by.id, PAPERS)
    _drafted_by(agreement, by)


def terms_digest(agreement: ContributionAgreement) -> str:
    """Return the SHA-256, in hex, of what a second person confirms: everything the page shows."""
    meant = agreement.earmark
    facts = _agreed(agreement)
    facts["donor"], facts["earmark"] = agreement.donor.ref, str(meant.id) if meant else None
    return sha256_hex(canonical_json(facts))


def confirm_agreement(agreement: ContributionAgreement, digest: str, *, by: Person) -> None:
    """Confirm a draft, and book what the donor owes at the rate of the day of the signature.

    `digest` is the `terms_digest` of what the person was shown. A second click by the same person
    changes nothing. Raises Refused for who drafted it, without the signed paper, where the draft
    was changed since it was shown, or where the rate of that day was corrected since the draft.
    """
    _hold(agreement)
    if agreement.status is AgreementStatus.IN_FORCE and agreement.confirmed_by_id == by.id:
        return
    AGREEMENT_WORKFLOW.check(agreement, AgreementAction.CONFIRM, by)
    if digest != terms_digest(agreement):
        raise Refused(
            _(
                "The draft was changed after this page was opened. Below is what it says now: "
                "compare it with the signed paper again."
            )
        )
    facts = _agreed(agreement)
    value, rate = valued(agreement.money, agreement.signed_on)
    if value.minor != agreement.usd_at_signature:
        raise Refused(
            _(
                "The rate of the day of the signature has changed since the draft. Ask whoever "
                "drafted it to save it again, so that you confirm the right amount."
            )
        )
    agreement.confirmed_by_id, agreement.confirmed_at = by.id, clock.now()
    AGREEMENT_WORKFLOW.perform(agreement, AgreementAction.CONFIRM, by=by, facts=facts)
    session.flush()
    ledger.contribution_agreed(
        agreement.fund_code,
        value,
        agreement.ref,
        agreement.signed_on,
        by=by.id,
        local=foreign(agreement.money),
        rate=rate,
    )
    pledge = agreement.pledge
    if pledge is not None and pledge.status is PledgeStatus.ANNOUNCED:
        pledge.status = PledgeStatus.AGREED
        audit.record(
            "pledge.agreed",
            pledge,
            actor_id=by.id,
            from_status=PledgeStatus.ANNOUNCED.value,
            to_status=PledgeStatus.AGREED.value,
            facts=_said(pledge) | {"agreement": agreement.ref},
        )


def discard_draft(agreement: ContributionAgreement, *, by: Person) -> None:
    """Set a draft aside: nothing was booked, and its pledge is open again."""
    _hold(agreement)
    AGREEMENT_WORKFLOW.check(agreement, AgreementAction.DISCARD, by)
    facts = _agreed(agreement)
    agreement.cancelled_by_id, agreement.cancelled_at = by.id, clock.now()
    AGREEMENT_WORKFLOW.perform(agreement, AgreementAction.DISCARD, by=by, facts=facts)


def cancel_agreement(
    agreement: ContributionAgreement, reason: str, on: date, *, by: Person
) -> None:
    """Book that what is still open of an agreement will not come. Raises Refused without reason."""
    reason = normalise(reason)
    if not reason:
        raise Refused(_("Give the reason."))
    _refuse_future(on)
    _hold(agreement)
    AGREEMENT_WORKFLOW.check(agreement, AgreementAction.CANCEL, by)
    open_money, facts = agreement.open_money, _agreed(agreement)
    settled_usd = rules.proportion(agreement.usd_at_signature, agreement.settled, agreement.amount)
    ledger.contribution_cancelled(
        agreement.fund_code,
        usd(max(1, agreement.usd_at_signature - settled_usd)),
        f"{agreement.ref}:cancelled",
        on,
        by=by.id,
        pledge_ref=agreement.ref,
        local=foreign(open_money),
        rate=valued(open_money, agreement.signed_on)[1],
    )
    agreement.cancelled = open_money.minor
    agreement.cancelled_by_id, agreement.cancelled_at = by.id, clock.now()
    agreement.remark = reason
    AGREEMENT_WORKFLOW.perform(
        agreement,
        AgreementAction.CANCEL,
        by=by,
        facts=facts | {"cancelled": open_money.minor},
    )


def valued(amount: Money, on: date) -> tuple[Money, Rate | None]:
    """Return `amount` in US$ at the UN rate of a day, with the rate that a booking quotes.

    Raises Refused where no rate was imported, or where it is not worth a cent.
    """
    try:
        rate = books.rate_on(amount.currency, on)
    except NoRate as missing:
        raise Refused(missing.sentence) from missing
    value = rate.in_usd(amount)
    if value.minor <= 0:
        raise Refused(_("This amount is too small: it is worth less than one US cent."))
    return value, rate if rate.id else None


def foreign(amount: Money) -> Money | None:
    """Return an amount that is not in US$, as the books take it."""
    return None if amount.currency == DOLLAR else amount


def _hold(agreement: ContributionAgreement) -> None:
    """Take the turn, and read all of an agreement again with its row held.

    All of it: with only its version read again, what another changed meanwhile would be
    overlooked, and the version would not tell.
    """
    audit.take_turn()
    session.refresh(agreement, with_for_update={"of": ContributionAgreement})


def _hold_pledge(pledge: Pledge) -> None:
    """Take the turn, and read all of a pledge again with its row held."""
    audit.take_turn()
    session.refresh(pledge, with_for_update={"of": Pledge})


def _sound_terms(donor: Donor, fund_code: str, terms: Terms) -> Money:
    """Return what the terms are worth in US$. Raises Refused where they do not hold together."""
    _refuse_strange(donor, fund_code, terms.earmark)
    _refuse_future(terms.signed_on)
    problem = rules.schedule_problem(terms.amount, terms.schedule, terms.signed_on, str(locale()))
    if problem:
        raise Refused(problem)
    return valued(terms.amount, terms.signed_on)[0]


def _plan(agreement: ContributionAgreement, terms: Terms) -> None:
    """Give the agreement the instalments of `terms`, in place of those that it had."""
    agreement.instalments = []
    session.flush()
    session.add_all(
        AgreementInstalment(agreement=agreement, number=number, due_on=day, amount=part.minor)
        for number, (day, part) in enumerate(terms.schedule, start=1)
    )


def _refuse_strange(donor: Donor, fund_code: str, earmark: Earmark | None) -> None:
    """Raise Refused where a donor or an earmark cannot be meant. Asked with the turn."""
    session.refresh(donor, ["merged_into_id"])
    if donor.merged_into_id is not None:
        raise Refused(_("This donor was merged into another one. Use that one."))
    if earmark is not None and earmark.fund_code != fund_code:
        raise Refused(_("This earmark is of another fund."))


def _refuse_future(day: date) -> None:
    if day > clock.today():
        raise Refused(_("This day has not come yet. Check the date."))


def _refuse_settled(agreement: ContributionAgreement, by: Person) -> None:
    """Raise Refused unless the agreement is a draft that the person may change."""
    if agreement.status is not AgreementStatus.DRAFT:
        raise Refused(_("A confirmed agreement stands. Another amount is another agreement."))
    if not policy.can_draft(by, agreement):
        raise Refused(_("This step belongs to somebody else."))


def _drafted_by(agreement: ContributionAgreement, by: Person) -> None:
    agreement.drafted_by_id, agreement.drafted_at = by.id, clock.now()
    session.flush()
    _record_draft(agreement, by)


def _draft_on(pledge: Pledge) -> ContributionAgreement | None:
    found = select(ContributionAgreement).where(
        ContributionAgreement.pledge_id == pledge.id,
        ContributionAgreement.status == AgreementStatus.DRAFT,
    )
    return session.scalar(found)


def _record_draft(agreement: ContributionAgreement, by: Person) -> None:
    audit.record(
        "contribution_agreement.drafted", agreement, actor_id=by.id, facts=_agreed(agreement)
    )


def _agreed(agreement: ContributionAgreement) -> dict[str, Json]:
    """Return what the chain keeps of an agreement: codes, days and amounts."""
    return {
        "agreement": agreement.ref,
        "fund": agreement.fund_code,
        "amount": agreement.amount,
        "currency": agreement.currency,
        "usd": agreement.usd_at_signature,
        "signed_on": agreement.signed_on.isoformat(),
        "schedule": [[each.due_on.isoformat(), each.amount] for each in agreement.instalments],
        "paper": agreement.paper.sha256 if agreement.paper else None,
    }


def _said(pledge: Pledge) -> dict[str, object]:
    return {
        "pledge": pledge.ref,
        "fund": pledge.fund_code,
        "amount": pledge.amount,
        "currency": pledge.currency,
        "usd": pledge.amount_usd,
        "on": pledge.announced_on.isoformat(),
    }
