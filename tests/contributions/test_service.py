"""Pledges, agreements, money in and back: what the verbs do, refuse, and book."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.contributions import service
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionStatus,
    DonorKind,
    PledgeStatus,
)
from portal.contributions.service import DonorFacts
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger.models import AccountKind
from portal.ledger.rules import PostingConflict
from tests.contributions.conftest import balance
from tests.make import contributions as make
from tests.make.accounts import person
from tests.make.contributions import FUND, Desk

OWED = AccountKind.CONTRIBUTIONS_RECEIVABLE
REVENUE = AccountKind.CONTRIBUTION_REVENUE
BANK = AccountKind.BANK
CARDS = AccountKind.CARD_CLEARING
EXCHANGE = AccountKind.EXCHANGE_DIFFERENCE


def chf(francs: int) -> Money:
    return Money(francs * 100, "CHF")


def test_a_pledge_is_a_note_beside_the_books(who: Desk) -> None:
    pledge = make.pledge(who, amount=chf(8_000))
    session.commit()
    assert (pledge.amount_usd, pledge.status) == (1_000_000, PledgeStatus.ANNOUNCED)
    assert balance(OWED) == balance(REVENUE) == 0
    service.withdraw_pledge(pledge, "Another budget.", by=who.officer)
    session.commit()
    assert pledge.status is PledgeStatus.WITHDRAWN


def test_an_agreement_is_booked_when_a_second_person_confirms_it(who: Desk) -> None:
    pledge = make.pledge(who, amount=chf(8_000))
    draft = make.agreement(
        who, AgreementStatus.DRAFT, amount=chf(8_000), of=pledge.donor, on=pledge
    )
    session.commit()
    assert balance(OWED) == 0
    with pytest.raises(Refused, match="drafted on this pledge"):
        service.withdraw_pledge(pledge, "No.", by=who.officer)
    service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    session.commit()
    assert draft.status is AgreementStatus.IN_FORCE
    assert pledge.status is PledgeStatus.AGREED
    assert (balance(OWED), balance(REVENUE)) == (1_000_000, -1_000_000)


def test_who_drafted_never_confirms(who: Desk) -> None:
    both = person(roles=[(Role.DONOR_RELATIONS, FUND, None), (Role.FINANCE_OFFICER, FUND, None)])
    mixed = Desk(officer=both, finance=both)
    draft = make.agreement(mixed, AgreementStatus.DRAFT)
    with pytest.raises(Refused, match="somebody else"):
        service.confirm_agreement(draft, service.terms_digest(draft), by=both)
    service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    session.commit()


def test_a_draft_without_its_paper_or_discarded_is_not_confirmed(who: Desk) -> None:
    draft = service.draft_agreement(make.donor(who), FUND, make.terms(), by=who.officer)
    with pytest.raises(Refused, match="signed paper is missing"):
        service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    service.discard_draft(draft, by=who.officer)
    session.commit()
    with pytest.raises(Refused, match="Cancelled"):
        service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)


def test_a_draft_can_be_corrected_and_a_confirmed_one_stands(who: Desk) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT)
    service.edit_draft(draft, make.terms(usd(700_000), -10, 10, 20), by=who.officer)
    session.commit()
    assert [each.amount for each in draft.instalments] == [233_333, 233_333, 233_334]
    service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    session.commit()
    with pytest.raises(Refused, match="stands"):
        service.edit_draft(draft, make.terms(usd(1)), by=who.officer)


def test_a_corrected_rate_sends_the_draft_back(who: Desk) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT, amount=chf(8_000))
    make.rate("CHF", "0.5", clock.today() - timedelta(days=70))
    with pytest.raises(Refused, match="rate of the day of the signature has changed"):
        service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    service.edit_draft(draft, make.terms(chf(8_000)), by=who.officer)
    service.confirm_agreement(draft, service.terms_digest(draft), by=who.finance)
    session.commit()
    assert draft.usd_at_signature == 1_600_000


def test_a_wire_settles_instalment_after_instalment_and_fulfils(who: Desk) -> None:
    agreement = make.agreement(who, amount=usd(1_000_000))
    first = make.wire(who, usd(400_000), agreement)
    session.commit()
    assert (first.settles, agreement.settled, balance(OWED)) == (400_000, 400_000, 600_000)
    assert agreement.open_money == usd(600_000)
    make.wire(who, usd(600_000), agreement)
    session.commit()
    assert agreement.status is AgreementStatus.FULFILLED
    assert (balance(OWED), balance(BANK), balance(REVENUE)) == (0, 1_000_000, -1_000_000)


def test_what_is_above_the_agreement_is_a_contribution_of_its_own(who: Desk) -> None:
    meant = make.earmark(who)
    agreement = make.agreement(who, amount=usd(1_000_000), meant=meant)
    settling = make.wire(who, usd(1_300_000), agreement, ref="line:1")
    session.commit()
    rows = select(Contribution).where(Contribution.fund_code == FUND)
    above = session.scalars(rows.where(Contribution.agreement_id.is_(None))).one()
    assert (settling.amount, above.amount) == (1_000_000, 300_000)
    assert above.donor_id == settling.donor_id
    assert above.earmark_id == meant.id
    assert agreement.status is AgreementStatus.FULFILLED
    assert balance(BANK) == 1_300_000
    later = make.wire(who, usd(5_000), agreement)
    session.commit()
    assert later.agreement is None


def test_the_same_line_is_received_once(who: Desk) -> None:
    agreement = make.agreement(who, amount=usd(1_000_000))
    one = make.wire(who, usd(1_300_000), agreement, ref="line:1")
    again = make.wire(who, usd(1_300_000), agreement, ref="line:1")
    assert again.id == one.id
    assert balance(BANK) == 1_300_000
    with pytest.raises(PostingConflict):
        make.wire(who, usd(1_300_001), agreement, ref="line:1")


def test_exchange_shows_between_signature_and_arrival(who: Desk) -> None:
    agreement = make.agreement(who, amount=chf(8_000))
    make.rate("CHF", "1", clock.today())
    make.wire(who, chf(8_000), agreement)
    session.commit()
    assert agreement.status is AgreementStatus.FULFILLED
    assert (balance(OWED), balance(BANK), balance(EXCHANGE)) == (0, 800_000, 200_000)


def test_dollars_settle_francs_at_the_rates_of_the_day_or_as_told(who: Desk) -> None:
    agreement = make.agreement(who, amount=chf(8_000))
    half = make.wire(who, usd(500_000), agreement)
    assert half.settles == 400_000
    rest = make.wire(who, usd(490_000), agreement, settles=chf(4_000))
    session.commit()
    assert rest.settles == 400_000
    assert agreement.status is AgreementStatus.FULFILLED
    assert (balance(OWED), balance(EXCHANGE)) == (0, 10_000)


def test_receipts_are_numbered_without_a_gap(who: Desk) -> None:
    for _number in range(3):
        make.wire(who, usd(1_000))
    session.commit()
    with pytest.raises(Refused), session.begin_nested():
        make.wire(who, usd(0))
    made = make.card()
    session.commit()
    year = clock.today().year
    assert made.receipt_no == f"ACT-{year}-0004"


def test_money_of_nobody_and_of_a_draft_is_refused(who: Desk) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT)
    with pytest.raises(Refused, match="not confirmed yet"):
        make.wire(who, usd(5), draft)
    with pytest.raises(Refused, match="whose money"):
        service.receive_wire(
            fund_code=FUND,
            amount=usd(5),
            amount_usd=usd(5),
            on=clock.today(),
            source_ref="line:9",
        )


def test_a_refund_goes_back_in_parts_and_never_more_than_came(who: Desk) -> None:
    came = make.wire(who, chf(800))
    session.commit()
    today = clock.today()

    def back(francs: int, ref: str) -> None:
        service.refund_wire(
            came, chf(francs), today, source_ref=ref, reason="Sent twice.", by=who.finance
        )

    back(300, "refund:1")
    back(300, "refund:1")
    session.commit()
    assert (came.status, came.kept) == (ContributionStatus.PARTLY_REFUNDED, chf(500))
    assert came.edition == 2
    with pytest.raises(Refused, match=r"CHF 500\.00 is left"):
        back(501, "refund:2")
    back(500, "refund:2")
    session.commit()
    assert came.status is ContributionStatus.REFUNDED
    assert (balance(BANK), balance(REVENUE)) == (0, 0)
    with pytest.raises(Refused, match=r"0\.00 is left"):
        back(1, "refund:3")


def test_a_disputed_gift_comes_back_or_is_lost(who: Desk) -> None:
    del who
    gift, other = make.card(usd(5_000)), make.card(usd(2_000))
    today = clock.today()
    won = service.dispute(gift, usd(5_000), today, source_ref="dispute:1")
    assert service.dispute(gift, usd(5_000), today, source_ref="dispute:1").id == won.id
    lost = service.dispute(other, usd(2_000), today, source_ref="dispute:2")
    session.commit()
    assert (gift.status, balance(CARDS)) == (ContributionStatus.DISPUTED, 0)
    with pytest.raises(Refused):
        service.refund_card(gift, usd(1), today, source_ref="refund:9")
    service.dispute_won(won, today)
    service.dispute_won(won, today)
    service.dispute_lost(lost, today)
    session.commit()
    assert (gift.status, other.status) == (ContributionStatus.RECEIVED, ContributionStatus.LOST)
    assert balance(CARDS) == 5_000
    with pytest.raises(Refused, match="has ended"):
        service.dispute_lost(won, today)


def test_the_open_rest_of_an_agreement_is_cancelled(who: Desk) -> None:
    agreement = make.agreement(who, amount=chf(8_000))
    make.wire(who, chf(2_000), agreement)
    with pytest.raises(Refused, match="reason"):
        service.cancel_agreement(agreement, " ", clock.today(), by=who.finance)
    service.cancel_agreement(agreement, "It will not come.", clock.today(), by=who.finance)
    session.commit()
    assert (agreement.status, agreement.cancelled) == (AgreementStatus.CANCELLED, 600_000)
    assert (balance(OWED), balance(REVENUE), balance(BANK)) == (0, -250_000, 250_000)


def test_a_transfer_entered_by_mistake_opens_its_agreement_again(who: Desk) -> None:
    agreement = make.agreement(who, amount=chf(8_000))
    make.rate("CHF", "1", clock.today())
    came = make.wire(who, chf(8_000), agreement)
    session.commit()
    with pytest.raises(Refused, match="somebody else"):
        service.annul_wire(came, "Typed twice.", clock.today(), by=who.officer)
    with pytest.raises(Refused, match="reason"):
        service.annul_wire(came, " ", clock.today(), by=who.finance)
    for _click in range(2):
        service.annul_wire(came, "Typed twice.", clock.today(), by=who.finance)
    session.commit()
    assert (came.status, came.kept) == (ContributionStatus.ANNULLED, chf(0))
    assert (agreement.status, agreement.open_money) == (AgreementStatus.IN_FORCE, chf(8_000))
    assert (balance(OWED), balance(BANK), balance(EXCHANGE)) == (1_000_000, 0, 0)
    with pytest.raises(Refused, match="is left"):
        service.refund_wire(came, chf(1), clock.today(), source_ref="x", reason="x", by=who.finance)
    again = make.wire(who, chf(8_000), agreement)
    session.commit()
    assert (agreement.status, again.receipt_number) == (AgreementStatus.FULFILLED, 2)
    service.refund_wire(
        again, chf(1), clock.today(), source_ref="back:1", reason="x", by=who.finance
    )
    with pytest.raises(Refused, match="went back already"):
        service.annul_wire(again, "No.", clock.today(), by=who.finance)


def test_two_rows_of_one_donor_become_one(who: Desk) -> None:
    one, other = make.donor(who), make.donor(who)
    agreement = make.agreement(who, of=one)
    pledge = make.pledge(who, of=one)
    came = make.wire(who, usd(5_000), agreement)
    session.commit()
    service.merge_donors(one, other, by=who.officer)
    session.commit()
    assert {agreement.donor_id, pledge.donor_id, came.donor_id} == {other.id}
    with pytest.raises(Refused, match="was merged"):
        make.pledge(who, of=one)
    with pytest.raises(Refused):
        service.merge_donors(one, other, by=who.officer)


def test_a_state_is_recorded_once(who: Desk) -> None:
    state = make.donor(who, DonorKind.STATE, name="Switzerland")
    with pytest.raises(Refused, match="recorded already"):
        make.donor(who, DonorKind.STATE, name="Swiss Confederation")
    with pytest.raises(Refused, match="which State"):
        make.donor(who, DonorKind.STATE, country=None)
    service.edit_donor(
        state, DonorFacts(DonorKind.STATE, "Swiss Confederation", "CHE"), by=who.officer
    )
    session.commit()
    assert state.name == "Swiss Confederation"


def test_the_same_giver_is_one_donor(who: Desk) -> None:
    del who
    one = service.giver("Ana Ruiz", "ana@example.org")
    assert service.giver("ana ruiz", "ANA@example.org").id == one.id
    assert service.giver("Ana Ruiz", "ana@example.org", unnamed=True).id != one.id
    assert service.giver("Ben Ruiz", "ana@example.org").id != one.id


def test_the_chain_holds_codes_and_amounts_only(who: Desk) -> None:
    donor = make.donor(who, name="Zylophon Foundation", email="secret@zylophon.example")
    make.wire(who, usd(5_000), make.agreement(who, of=donor))
    session.commit()
    said = " ".join(str(facts) for facts in session.scalars(select(AuditEvent.facts)))
    assert "Zylophon" not in said
    assert "secret" not in said.casefold()
