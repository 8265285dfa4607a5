"""Who may see and do what with donors and their money: the same rule for guard, button and list.

A donor-relations officer of the fund writes, a finance officer of the fund confirms and records
money, an auditor reads. Contributions are of a whole fund: a role for one country opens none.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from portal.accounts.models import Person, Role, RoleGrant
from portal.contributions.models import (
    Contribution,
    ContributionAgreement,
    Donor,
    DonorKind,
    Earmark,
    Pledge,
)
from portal.contributions.models.cards import CardRefund
from portal.core.db import session

READERS = (Role.DONOR_RELATIONS, Role.FINANCE_OFFICER, Role.AUDITOR)
WRITERS = (Role.DONOR_RELATIONS,)
KEEPERS = (Role.FINANCE_OFFICER,)


class OfAFund(Protocol):
    """Whatever belongs to one fund."""

    @property
    def fund_code(self) -> str:
        """The code of the fund."""


Row = TypeVar("Row", Pledge, ContributionAgreement, Contribution, Earmark)


def _grants(person: Person, roles: Iterable[Role]) -> list[RoleGrant]:
    wanted = set(roles)
    return [
        grant
        for grant in person.roles
        if grant.role in wanted and grant.country is None and grant.is_in_force()
    ]


def _holds(person: Person, roles: Iterable[Role], fund_code: str) -> bool:
    return any(grant.covers(fund_code, None) for grant in _grants(person, roles))


def reads(person: Person) -> bool:
    """Say whether the person sees the contributions of any fund at all."""
    return bool(_grants(person, READERS))


def writes(person: Person) -> bool:
    """Say whether the person looks after the donors of any fund at all."""
    return bool(_grants(person, WRITERS))


def records(person: Person) -> bool:
    """Say whether the person confirms agreements and records money for any fund at all."""
    return bool(_grants(person, KEEPERS))


def reads_fund(person: Person, fund_code: str) -> bool:
    """Say whether the person sees the contributions of one fund."""
    return _holds(person, READERS, fund_code)


def can_write(person: Person, fund_code: str) -> bool:
    """Say whether the person records pledges and drafts agreements of one fund."""
    return _holds(person, WRITERS, fund_code)


def can_record(person: Person, fund_code: str) -> bool:
    """Say whether the person records money of one fund that came, or went back."""
    return _holds(person, KEEPERS, fund_code)


def follows_lines(person: Person, fund_code: str) -> bool:
    """Say whether the person opens the bank's line that money of one fund came by."""
    return _holds(person, (*KEEPERS, Role.AUDITOR), fund_code)


def can_view(person: Person, thing: OfAFund) -> bool:
    """Say whether a pledge, an agreement or a contribution exists for the person."""
    return reads_fund(person, thing.fund_code)


def can_withdraw(person: Person, pledge: Pledge) -> bool:
    """Say whether the person may note that a pledge was withdrawn."""
    return can_write(person, pledge.fund_code)


def can_draft(person: Person, agreement: ContributionAgreement) -> bool:
    """Say whether the person may change or discard the draft of an agreement."""
    return can_write(person, agreement.fund_code)


def can_confirm(person: Person, agreement: ContributionAgreement) -> bool:
    """Say whether the person is the second one: of finance, and not who drafted."""
    return person.id != agreement.drafted_by_id and can_record(person, agreement.fund_code)


def can_cancel(person: Person, agreement: ContributionAgreement) -> bool:
    """Say whether the person may book that the rest of an agreement will not come."""
    return can_record(person, agreement.fund_code)


def can_refund(person: Person, contribution: Contribution) -> bool:
    """Say whether the person records that money went back to its donor."""
    return can_record(person, contribution.fund_code)


def asks_refunds(person: Person) -> bool:
    """Say whether the person may ask for refunds by card of any fund at all."""
    return writes(person) or records(person)


def can_ask_refund(person: Person, contribution: Contribution) -> bool:
    """Say whether the person may ask that a gift by card goes back: donor relations or finance."""
    return _holds(person, (*WRITERS, *KEEPERS), contribution.fund_code)


def can_confirm_refund(person: Person, refund: CardRefund) -> bool:
    """Say whether the person is the second one: of finance, and not who asked."""
    return person.id != refund.asked_by_id and can_record(person, refund.gift.fund_code)


def can_close_refund(person: Person, refund: CardRefund) -> bool:
    """Say whether the person may withdraw a refund: whoever asked for it, or could confirm it."""
    return person.id == refund.asked_by_id or can_confirm_refund(person, refund)


def can_note_refund(person: Person, refund: CardRefund) -> bool:
    """Say whether the person may note that a refund that failed was seen to."""
    return _holds(person, (*WRITERS, *KEEPERS), refund.gift.fund_code)


def scope(
    person: Person, fund_code: InstrumentedAttribute[str], roles: Iterable[Role] = READERS
) -> ColumnElement[bool]:
    """Return the condition that a row is of a fund in which the person holds one of `roles`."""
    own = [
        fund_code == grant.fund_code if grant.fund_code else true()
        for grant in _grants(person, roles)
    ]
    return or_(false(), *own)


def visible_to(person: Person, kind: type[Row]) -> Select[Row]:
    """Return the pledges, agreements, contributions or earmarks of the person's funds."""
    return select(kind).where(scope(person, kind.fund_code))


def donors_visible_to(person: Person) -> Select[Donor]:
    """Return the donors that exist for the person, those that were merged away left out.

    States are public. Anybody else exists for whoever recorded them, and for the funds that they
    gave or promised something to: an individual's address is nobody else's business.
    """
    if not reads(person):
        return select(Donor).where(false())
    known = select(Donor).where(Donor.merged_into_id.is_(None))
    if any(grant.fund_code is None for grant in _grants(person, READERS)):
        return known
    dealings = [
        Donor.id.in_(select(kind.donor_id).where(scope(person, kind.fund_code)))
        for kind in (Pledge, ContributionAgreement, Contribution)
    ]
    return known.where(
        or_(Donor.kind == DonorKind.STATE, Donor.created_by_id == person.id, *dealings)
    )


def can_view_donor(person: Person, donor: Donor) -> bool:
    """Say whether the donor exists for the person: `donors_visible_to` of one. One statement."""
    seen = donors_visible_to(person).with_only_columns(Donor.id).where(Donor.id == donor.id)
    return session.scalar(seen) is not None


def can_edit_donor(person: Person, donor: Donor) -> bool:
    """Say whether the person may correct what is recorded of a donor, or merge it."""
    return writes(person) and can_view_donor(person, donor)
