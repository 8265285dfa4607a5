"""Strange amounts, names and days; two clicks at once; statements past the verbs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portal.contributions import service
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    DonorKind,
)
from portal.contributions.service import DonorFacts
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.core.workflow import Refused
from portal.ledger.models import LedgerTransaction
from tests.make import contributions as make
from tests.make.contributions import FUND, Desk


def test_a_currency_without_a_rate_says_what_to_import(who: Desk) -> None:
    with pytest.raises(Refused, match=r"rate of exchange for SEK on [0-9-]+\. Import the rates"):
        make.pledge(who, amount=Money(100, "SEK"))
    with pytest.raises(Refused, match="Import the rates"):
        make.agreement(who, AgreementStatus.DRAFT, amount=Money(1_000, "SEK"))
    early = clock.today() - timedelta(days=900)
    with pytest.raises(Refused, match=f"CHF on {early}"):
        service.announce_pledge(make.donor(who), FUND, Money(100, "CHF"), early, by=who.officer)


def test_less_than_a_cent_is_refused(who: Desk) -> None:
    make.rate("IDR", "16000")
    with pytest.raises(Refused, match="too small"):
        make.pledge(who, amount=Money(100, "IDR"))
    with pytest.raises(Refused, match="too small"):
        make.wire(who, Money(100, "IDR"))


def test_what_has_not_happened_yet_is_refused(who: Desk) -> None:
    tomorrow = clock.today() + timedelta(days=1)
    donor = make.donor(who)
    with pytest.raises(Refused, match="not come yet"):
        service.announce_pledge(donor, FUND, usd(1), tomorrow, by=who.officer)
    with pytest.raises(Refused, match="not come yet"):
        service.draft_agreement(donor, FUND, make.terms(signed=1), by=who.officer)
    came = make.wire(who, usd(500))
    with pytest.raises(Refused, match="before it came"):
        service.refund_wire(
            came,
            usd(500),
            clock.today() - timedelta(days=1),
            source_ref="back:1",
            reason="x",
            by=who.finance,
        )


@pytest.mark.parametrize("name", ["", " \n ", "x" * 301])
def test_a_name_that_is_none_is_refused(who: Desk, name: str) -> None:
    with pytest.raises(Refused, match="official name"):
        service.record_donor(DonorFacts(DonorKind.FOUNDATION, name), by=who.officer)


@pytest.mark.parametrize("name", ["x" * 300, "مؤسسة \u202eالميناء\u202c", "O'Brien <b>&", "名"])
def test_a_strange_name_is_kept_as_it_is(who: Desk, name: str) -> None:
    made = make.donor(who, name=f"  {name}\t")
    session.commit()
    assert made.name == name


def test_two_confirmations_at_once_book_once(fresh_database: str) -> None:
    del fresh_database
    who = make.desk()
    draft = make.agreement(who, AgreementStatus.DRAFT)
    other = make.desk().finance
    session.commit()
    ids = (draft.id, [who.finance.id, other.id])
    session.remove()

    def confirm(person_id: UUID) -> str:
        from portal.accounts.models import Person

        try:
            found = session.get_one(ContributionAgreement, ids[0])
            service.confirm_agreement(
                found, service.terms_digest(found), by=session.get_one(Person, person_id)
            )
            session.commit()
        except (Refused, SQLAlchemyError) as refused:
            session.rollback()
            return type(refused).__name__
        finally:
            session.remove()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(confirm, ids[1]))
    assert said.count("done") == 1, said
    booked = select(LedgerTransaction).where(LedgerTransaction.kind == "contribution_agreed")
    assert len(session.scalars(booked).all()) == 1


def test_the_same_wire_at_once_is_one_and_receipts_have_no_gap(fresh_database: str) -> None:
    del fresh_database
    who = make.desk()
    donor = make.donor(who)
    session.commit()
    ids = donor.id, who.finance.id
    session.remove()

    def receive(ref: str) -> str:
        from portal.accounts.models import Person
        from portal.contributions.models import Donor

        try:
            service.receive_wire(
                fund_code=FUND,
                amount=usd(500),
                amount_usd=usd(500),
                on=clock.today(),
                source_ref=ref,
                donor=session.get_one(Donor, ids[0]),
                by=session.get_one(Person, ids[1]),
            )
            session.commit()
        except SQLAlchemyError as lost:
            session.rollback()
            return type(lost).__name__
        finally:
            session.remove()
        return "done"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(receive, ["line:1", "line:1", "line:2", "line:3", "line:2", "line:4"]))
    numbers = session.scalars(select(Contribution.receipt_number)).all()
    assert sorted(numbers) == [1, 2, 3, 4]


PAST_THE_VERBS = {
    "UPDATE contribution SET amount = 1": "what arrived stands",
    "UPDATE contribution SET donor_id = (SELECT id FROM donor WHERE name = 'Other')": "stands",
    "UPDATE contribution SET status = 'refunded'": "is received, not refunded",
    "DELETE FROM contribution": "is kept",
    "TRUNCATE contribution CASCADE": "is kept",
    "UPDATE contribution_agreement SET amount = amount + 1": "what was signed stands",
    "UPDATE contribution_agreement SET settled = settled + 1": "contributions say",
    "UPDATE contribution_agreement SET status = 'draft'": "cannot go from|status_follows",
    "DELETE FROM contribution_agreement": "is kept",
    "UPDATE agreement_instalment SET due_on = due_on + 1": "schedule of a confirmed",
    "DELETE FROM agreement_instalment": "schedule of a confirmed",
    "UPDATE pledge SET amount = 1, amount_usd = 1": "what was pledged stands",
    "UPDATE pledge SET status = 'agreed'": "cannot go from announced to agreed",
    "DELETE FROM donor": "is kept",
    "UPDATE donor SET ref = 'x'": "who recorded a donor",
    "UPDATE earmark SET title = 'x'": "what an earmark says stands",
    """INSERT INTO contribution_refund (id, contribution_id, amount, amount_usd, refunded_on,
        source_ref, recorded_at, reason, annuls) SELECT gen_random_uuid(), id, 1, 1, now(), 'x',
        now(), '', false FROM contribution""": "is partly_refunded, not received",
    """INSERT INTO contribution SELECT (jsonb_populate_record(c, jsonb_build_object(
        'id', gen_random_uuid(), 'ref', 'x', 'source_ref', 'x', 'agreement_id', null,
        'settles', null, 'receipt_number', 7))).* FROM contribution c""": "number 2",
    """INSERT INTO contribution SELECT (jsonb_populate_record(c, jsonb_build_object(
        'id', gen_random_uuid(), 'ref', 'x', 'source_ref', 'x', 'agreement_id', null,
        'settles', null, 'receipt_number', 2))).* FROM contribution c""": "not in the books",
}


@pytest.mark.parametrize(("statement", "said"), PAST_THE_VERBS.items())
def test_the_database_refuses_what_goes_past_the_verbs(
    who: Desk, statement: str, said: str
) -> None:
    meant = make.earmark(who)
    make.wire(who, usd(400_000), make.agreement(who, meant=meant))
    make.pledge(who, of=make.donor(who, name="Other"))
    session.commit()
    with pytest.raises(DBAPIError, match=said):
        go_around(statement)


def go_around(statement: str, **values: object) -> None:
    """Run a statement and let the deferred triggers speak."""
    with session.begin_nested():
        session.execute(text(statement), values)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


CONFIRM = """
UPDATE contribution_agreement SET status = 'in_force', confirmed_at = now(),
    confirmed_by_id = :by WHERE id = :agreement
"""


def test_the_database_demands_a_second_person_of_finance(who: Desk) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT)
    session.commit()
    for person, said in (
        (who.officer, "a_second_person_confirms|finance officer of the fund"),
        (make.desk("vftc").finance, "finance officer of the fund"),
        (who.finance, "is not in the books"),
    ):
        with pytest.raises(DBAPIError, match=said):
            go_around(CONFIRM, by=person.id, agreement=draft.id)
