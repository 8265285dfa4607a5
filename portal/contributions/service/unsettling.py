"""What a mistaken transfer had settled of an agreement, once the transfer is taken back."""

from datetime import date

from portal.accounts.models import Person
from portal.contributions import rules
from portal.contributions.models import AgreementStatus, Contribution, ContributionAgreement
from portal.contributions.service.promising import STANDING, foreign, valued
from portal.core import audit
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import service as ledger


def unsettle(contribution: Contribution, on: date, *, by: Person) -> None:
    """Let the agreement owe again what a transfer had settled of it, once that is reversed.

    Of an agreement whose rest was cancelled since, nothing more was to come, so what has not come
    after all is cancelled with it: receivable and revenue fall by it. The caller has the turn.
    """
    agreement = contribution.agreement
    if agreement is None:
        return
    session.refresh(agreement, STANDING)
    part = Money(contribution.settles or 0, agreement.currency)
    agreement.settled -= part.minor
    if agreement.status is AgreementStatus.CANCELLED:
        _cancel_more(agreement, part, contribution.ref, on, by)
    elif agreement.status is AgreementStatus.FULFILLED:
        agreement.status = AgreementStatus.IN_FORCE
        audit.record(
            "contribution_agreement.reopened",
            agreement,
            actor_id=by.id,
            from_status=AgreementStatus.FULFILLED.value,
            to_status=AgreementStatus.IN_FORCE.value,
            facts={"agreement": agreement.ref, "fund": agreement.fund_code},
        )


def _cancel_more(
    agreement: ContributionAgreement, part: Money, given: str, on: date, by: Person
) -> None:
    agreement.cancelled += part.minor
    worth = rules.proportion(agreement.usd_at_signature, part.minor, agreement.amount)
    ledger.contribution_cancelled(
        agreement.fund_code,
        usd(max(1, worth)),
        f"{agreement.ref}:cancelled:{given}",
        on,
        by=by.id,
        pledge_ref=agreement.ref,
        local=foreign(part),
        rate=valued(part, agreement.signed_on)[1],
    )
    audit.record(
        "contribution_agreement.cancelled_too",
        agreement,
        actor_id=by.id,
        to_status=agreement.status.value,
        facts={
            "agreement": agreement.ref,
            "fund": agreement.fund_code,
            "contribution": given,
            "cancelled": part.minor,
            "currency": part.currency,
        },
    )
