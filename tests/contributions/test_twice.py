"""The same said twice, as by a second click, is recorded once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.accounts.models import Person
from portal.contributions import service
from portal.contributions.models import Donor, DonorKind, Pledge, PledgeStatus
from portal.contributions.service import DonorFacts
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import usd
from portal.core.workflow import Refused
from tests.make import contributions as make
from tests.make.contributions import FUND, Desk

FACTS = DonorFacts(DonorKind.FOUNDATION, "Twice Foundation", email="Two@Twice.example")


def test_the_same_pledge_twice_is_one(who: Desk) -> None:
    donor = make.donor(who)
    first = make.pledge(who, of=donor)
    assert make.pledge(who, of=donor) is first
    assert make.pledge(who, of=donor, amount=usd(1)) is not first
    service.withdraw_pledge(first, "Another budget.", by=who.officer)
    assert make.pledge(who, of=donor) is not first


def test_the_same_donor_twice_is_one(who: Desk) -> None:
    first = service.record_donor(FACTS, by=who.officer)
    assert service.record_donor(FACTS, by=who.officer) is first
    other = make.desk("vftc").officer
    assert service.record_donor(FACTS, by=other) is not first, "it does not exist for them"


def test_the_same_state_twice_is_one_and_another_of_its_name_is_refused(who: Desk) -> None:
    state = DonorFacts(DonorKind.STATE, "Swiss Confederation", "CHE")
    first = service.record_donor(state, by=who.officer)
    assert service.record_donor(state, by=who.officer) is first
    with pytest.raises(Refused, match="recorded already"):
        service.record_donor(DonorFacts(DonorKind.STATE, "Switzerland", "CHE"), by=who.officer)


def test_two_clicks_at_once_record_one(fresh_database: str) -> None:
    del fresh_database
    who = make.desk()
    officer, donor = who.officer.id, make.donor(who).id
    session.commit()
    session.remove()
    ready = Barrier(2)

    def click(_number: int) -> None:
        try:
            by, giving = session.get_one(Person, officer), session.get_one(Donor, donor)
            ready.wait()
            service.announce_pledge(giving, FUND, usd(5_000), clock.today(), by=by)
            session.commit()
            ready.wait()
            service.record_donor(FACTS, by=by)
            session.commit()
        finally:
            session.remove()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(click, range(2)))
    assert session.scalars(select(Pledge.status)).all() == [PledgeStatus.ANNOUNCED]
    assert len(session.scalars(select(Donor).where(Donor.name == FACTS.name)).all()) == 1
    told = select(AuditEvent.action).where(AuditEvent.action == "pledge.announced")
    assert len(session.scalars(told).all()) == 1
