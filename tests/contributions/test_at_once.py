"""What is recorded of a donor while somebody merges it, or of a pledge while it is withdrawn."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import service
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    Donor,
    Pledge,
)
from portal.core import clock
from portal.core.db import session
from portal.core.money import usd
from tests.make import contributions as make
from tests.make.contributions import FUND
from tests.make.turns import Act, in_turn


class Office:
    """An officer, a finance officer and two donors, by what finds them in another thread."""

    def __init__(self) -> None:
        self.desk = make.desk()
        self.officer, self.finance = self.desk.officer.id, self.desk.finance.id
        self.here, self.there = make.donor(self.desk).id, make.donor(self.desk).id

    def merge(self, donor: UUID, into: UUID) -> Act:
        """Merge one donor into another."""
        return lambda: service.merge_donors(
            session.get_one(Donor, donor), session.get_one(Donor, into), by=self.by(self.officer)
        )

    def wire(self, donor: UUID, agreement: UUID | None = None) -> Act:
        """Record money of a donor."""

        def receive() -> None:
            under = session.get_one(ContributionAgreement, agreement) if agreement else None
            service.receive_wire(
                fund_code=FUND,
                amount=usd(5_000),
                amount_usd=usd(5_000),
                on=clock.today(),
                source_ref="wire:at:once",
                agreement=under,
                donor=session.get_one(Donor, donor),
                by=self.by(self.finance),
            )

        return receive

    @staticmethod
    def by(person: UUID) -> Person:
        """Return somebody, known in full before anybody's turn."""
        found = session.get_one(Person, person)
        assert found.roles
        return found


@pytest.fixture
def office(fresh_database: str, application: object) -> Iterator[Office]:
    del fresh_database, application
    found = Office()
    session.commit()
    yield found
    session.remove()


def test_two_donors_are_not_merged_into_each_other(office: Office) -> None:
    ends = in_turn(office.merge(office.here, office.there), office.merge(office.there, office.here))
    assert ends == ["done", "Refused"]
    assert session.get_one(Donor, office.there).merged_into_id is None


def test_a_gift_of_a_donor_who_is_merged_meanwhile_is_of_the_other(office: Office) -> None:
    ends = in_turn(office.merge(office.here, office.there), office.wire(office.here))
    assert ends == ["done", "done"]
    assert session.scalars(select(Contribution.donor_id)).all() == [office.there]


def test_money_under_an_agreement_whose_donor_is_merged_meanwhile_too(office: Office) -> None:
    agreed = make.agreement(office.desk, of=session.get_one(Donor, office.here)).id
    ends = in_turn(office.merge(office.here, office.there), office.wire(office.here, agreed))
    assert ends == ["done", "done"]
    assert session.scalars(select(Contribution.donor_id)).all() == [office.there]


def test_a_pledge_of_a_donor_who_is_merged_meanwhile_is_refused(office: Office) -> None:
    def announce() -> None:
        donor, by = session.get_one(Donor, office.here), office.by(office.officer)
        service.announce_pledge(donor, FUND, usd(500_000), clock.today(), by=by)

    assert in_turn(office.merge(office.here, office.there), announce) == ["done", "Refused"]


@pytest.mark.parametrize("withdrawn_first", [True, False])
def test_a_pledge_is_not_withdrawn_and_agreed_at_once(
    office: Office, *, withdrawn_first: bool
) -> None:
    pledged = make.pledge(office.desk, of=session.get_one(Donor, office.here)).id

    def withdraw() -> None:
        pledge, by = session.get_one(Pledge, pledged), office.by(office.officer)
        service.withdraw_pledge(pledge, "Another budget.", by=by)

    def draft() -> None:
        pledge, by = session.get_one(Pledge, pledged), office.by(office.officer)
        terms = make.terms(pledge.money)
        service.draft_agreement(pledge.donor, FUND, terms, by=by, pledge=pledge)

    acts = (withdraw, draft) if withdrawn_first else (draft, withdraw)
    assert in_turn(*acts) == ["done", "Refused"]
    drafts = session.scalars(select(ContributionAgreement.status)).all()
    assert drafts == ([] if withdrawn_first else [AgreementStatus.DRAFT])
