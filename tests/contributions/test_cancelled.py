"""What was cancelled of an agreement: figures and statements say it to the cent of the books."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select, update
from sqlalchemy.exc import DBAPIError

from portal.accounting.queries.given import gifts
from portal.contributions import queries, rules, service
from portal.contributions.checks import checks
from portal.contributions.models import (
    AgreementStatus,
    ContributionAgreement,
    ContributionStatus,
)
from portal.contributions.queries.figures import proportion_in_sql
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger.models import AccountKind
from tests.contributions.conftest import balance
from tests.make import contributions as make
from tests.make.contributions import FUND, Desk

AMOUNTS = st.integers(1, 10**15)


@pytest.mark.parametrize(
    ("amount", "came"),
    [
        (Money(10_000_000_000, "NOK"), Money(2_500_000_000, "NOK")),
        (usd(5_000_000_000), usd(1)),
        (Money(30_000, "NOK"), Money(15_015, "NOK")),
        (Money(30_000, "NOK"), Money(15_045, "NOK")),
    ],
)
def test_any_size_is_said_as_it_was_booked(who: Desk, amount: Money, came: Money) -> None:
    make.rate("NOK", "10")
    agreement = make.agreement(who, amount=amount)
    make.wire(who, came, agreement)
    service.cancel_agreement(agreement, "No more.", clock.today(), by=who.finance)
    session.commit()
    booked = -balance(AccountKind.CONTRIBUTION_REVENUE)
    (line,) = queries.by_fund(who.officer, [FUND])
    assert line.agreed.minor == booked
    (row,) = queries.received_by_earmark(FUND)
    assert row.agreed.minor == booked
    [pool] = gifts(clock.today())[FUND].values()
    assert pool[agreement.donor_id].agreed == booked
    [before] = gifts(clock.today() - timedelta(days=1))[FUND].values()
    assert before[agreement.donor_id].agreed == agreement.usd_at_signature


@pytest.mark.usefixtures("db")
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(whole_usd=AMOUNTS, part=st.integers(0, 10**15), whole=AMOUNTS)
@example(whole_usd=3, part=1, whole=2)
@example(whole_usd=5, part=1, whole=2)
def test_the_database_rounds_as_the_books_do(whole_usd: int, part: int, whole: int) -> None:
    said = proportion_in_sql(literal(whole_usd), literal(part), literal(whole))
    assert session.scalar(select(said)) == rules.proportion(whole_usd, part, whole)


def faults() -> list[str]:
    return [said for check in checks() for said in check.run().violations]


@pytest.mark.parametrize(
    ("amount", "came"),
    [(Money(30_000, "NOK"), Money(15_015, "NOK")), (usd(800_000), usd(100_000))],
)
def test_a_mistaken_transfer_is_cancelled_with_the_rest(
    who: Desk, amount: Money, came: Money
) -> None:
    make.rate("NOK", "10")
    agreement = make.agreement(who, amount=amount)
    right = make.wire(who, Money(10_000, amount.currency), agreement)
    wrong = make.wire(who, came, agreement)
    service.cancel_agreement(agreement, "No more.", clock.today(), by=who.finance)
    session.commit()
    at, by = agreement.cancelled_at, agreement.cancelled_by_id
    for _click in range(2):
        service.annul_wire(wrong, "Another donor's.", clock.today(), by=who.finance)
    session.commit()
    assert (wrong.status, agreement.status) == (
        ContributionStatus.ANNULLED,
        AgreementStatus.CANCELLED,
    )
    assert (agreement.settled, agreement.cancelled) == (10_000, amount.minor - 10_000)
    assert (agreement.cancelled_at, agreement.cancelled_by_id) == (at, by)
    assert balance(AccountKind.CONTRIBUTIONS_RECEIVABLE) == 0
    assert balance(AccountKind.BANK) == right.amount_usd
    (line,) = queries.by_fund(who.officer, [FUND])
    assert line.agreed.minor == -balance(AccountKind.CONTRIBUTION_REVENUE)
    assert faults() == []
    service.annul_wire(right, "This one too.", clock.today(), by=who.finance)
    session.commit()
    assert (agreement.settled, agreement.cancelled) == (0, amount.minor)
    assert balance(AccountKind.CONTRIBUTION_REVENUE) == balance(AccountKind.BANK) == 0
    assert faults() == []


def test_what_was_cancelled_changes_in_no_other_way(who: Desk) -> None:
    agreement = make.agreement(who, amount=usd(800_000))
    make.wire(who, usd(100_000), agreement)
    service.cancel_agreement(agreement, "No more.", clock.today(), by=who.finance)
    session.commit()
    for settled, cancelled in ((100_000, 600_000), (200_000, 600_000)):
        rows = update(ContributionAgreement).where(ContributionAgreement.id == agreement.id)
        change = rows.values(settled=settled, cancelled=cancelled)
        with pytest.raises(DBAPIError, match="what was signed stands"), session.begin_nested():
            session.execute(change)
