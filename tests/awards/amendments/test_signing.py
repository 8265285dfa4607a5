"""Who signs an amendment, one at a time, and what is not signed any more."""

import pytest
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.awards import service as awards
from portal.awards.amendments import service
from portal.awards.amendments.models import Amendment, AmendmentStatus
from portal.awards.checks import checks
from portal.awards.models import Award, AwardStatus
from portal.cli.features import all_checks
from portal.core.workflow import Refused
from portal.ledger import queries as ledger
from portal.payments import service as payments
from tests.make import amendments as make
from tests.make import awards as make_awards
from tests.make.accounts import member, messages, person
from tests.make.payments import paid, till, verified
from tests.make.reports import accepted as accepted_report
from tests.make.reports import submitted

Db = scoped_session[Session]
Status = AmendmentStatus
pytestmark = pytest.mark.usefixtures("app")


def outstanding(award: Award) -> int:
    return ledger.outstanding(award.application.call.fund_code, award.ref).minor


def nothing_is_wrong() -> bool:
    return not any(check.run().violations for check in all_checks())


def test_there_is_one_at_a_time_and_none_of_what_is_not_in_force() -> None:
    award = make_awards.award()
    make.proposed(award, 1_000)
    with pytest.raises(Refused, match="one at a time"):
        make.proposed(award, 2_000)
    with pytest.raises(Refused, match="one at a time"):
        service.ask(award, "More.", by=make_awards.signatory(award))
    for status in (AwardStatus.ACCEPTED, AwardStatus.SUSPENDED, AwardStatus.TERMINATED):
        other = make_awards.award(status)
        with pytest.raises(Refused, match="not amended"):
            make.proposed(other, 1_000)
    travel = make_awards.award(fund="upr-p")
    with pytest.raises(Refused, match="travel letter"):
        make.proposed(travel, 1_000)


def test_a_suspended_grant_is_not_signed_for() -> None:
    award = make_awards.award()
    made = make.accepted(make.proposed(award, 1_000))
    awards.suspend(award, "A question.", by=make_awards.officer(award))
    with pytest.raises(Refused, match="not amended"):
        service.countersign(made, made.digest or "", by=make_awards.authority(award))
    assert award.amount_usd == 480_000


def test_signatures_are_of_three_people_over_one_text() -> None:
    award = make_awards.award()
    made = make.proposed(award, 1_000)
    who = make_awards.signatory(award)
    with pytest.raises(Refused, match="Type your name"):
        service.accept(made, "Somebody Else", made.digest or "", by=who)
    with pytest.raises(Refused, match="not the text"):
        service.accept(made, who.name, "0" * 64, by=who)
    for stranger in (member(award.application.organisation), person()):
        with pytest.raises(Refused, match="somebody else"):
            service.accept(made, stranger.name, made.digest or "", by=stranger)
    make.accepted(made)
    authority = make_awards.authority(award)
    with pytest.raises(Refused, match="not the text"):
        service.countersign(made, "0" * 64, by=authority)
    service.countersign(made, made.digest or "", by=authority)
    service.countersign(made, made.digest or "", by=authority)
    with pytest.raises(Refused, match="not possible now"):
        service.countersign(made, made.digest or "", by=make_awards.authority(award))
    assert award.amount_usd == 481_000


def test_the_officer_who_proposed_does_not_countersign(db: Db) -> None:
    both = person(roles=[Role.PROGRAMME_OFFICER, Role.APPROVING_AUTHORITY])
    award = make_awards.award()
    made = make.accepted(make.proposed(award, 1_000, by=both))
    db.commit()
    with pytest.raises(Refused, match="somebody else"):
        service.countersign(made, made.digest or "", by=both)


def test_a_request_becomes_the_proposal_or_is_declined() -> None:
    award = make_awards.award()
    who = make_awards.signatory(award)
    with pytest.raises(Refused, match="grantee"):
        service.ask(award, "More.", by=make_awards.officer(award))
    with pytest.raises(Refused, match="Give the reason"):
        service.ask(award, "  ", by=who)
    asked = service.ask(award, "More.", by=who)
    assert service.ask(award, "More.", by=who) is asked
    service.decline(asked, "There is no money.", by=make_awards.officer(award))
    assert len(messages(who.email, "award_changed")) == 1
    again = service.ask(award, "More.", by=who)
    assert again.number == 2
    service.withdraw(again, "We found it.", by=who)
    assert again.status is Status.WITHDRAWN
    assert make.proposed(award, 1_000).number == 3


def test_the_amount_stands_once_the_balance_was_drawn() -> None:
    award = make_awards.award()
    who = till()
    verified(award, who)
    paid(award.instalments[0], who)
    accepted_report(submitted(award), 400_000)
    payments.settle_account(award, by=who.finance)
    with pytest.raises(Refused, match="balance of this grant was drawn"):
        make.proposed(award, -1_000)


def test_no_less_than_was_accepted_as_spent(db: Db) -> None:
    award = make_awards.award()
    who = till()
    verified(award, who)
    paid(award.instalments[0], who)
    accepted_report(submitted(award), 450_000)
    db.commit()
    with pytest.raises(Refused, match="accepted as spent"):
        make.proposed(award, -30_001)
    make.in_force(award, -30_000)
    db.commit()
    assert nothing_is_wrong()


def test_what_changed_meanwhile_is_not_signed() -> None:
    award = make_awards.award()
    who = till()
    verified(award, who)
    paid(award.instalments[0], who)
    made = make.accepted(make.proposed(award, -1_000))
    accepted_report(submitted(award), 400_000)
    payments.settle_account(award, by=who.finance)
    with pytest.raises(Refused, match="drawn"):
        service.countersign(made, made.digest or "", by=make_awards.authority(award))


@pytest.mark.parametrize("status", list(Status))
def test_nothing_is_wrong_with_what_the_verbs_did(status: AmendmentStatus, db: Db) -> None:
    award = make_awards.award()
    made: Amendment = make.amendment(status, award)
    db.commit()
    assert made.status is status
    assert not any(check.run().violations for check in checks())
