"""`portal check` over contributions: silent on what the verbs made, loud on what went around."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.contributions import service
from portal.contributions.checks import checks
from portal.contributions.models import AgreementStatus
from portal.contributions.service.cards.checks import checks as cards
from portal.core import clock
from portal.core.check import Check
from portal.core.db import session
from portal.core.money import Money, usd
from tests.make import contributions as make
from tests.make.contributions import Desk


def ours() -> list[Check]:
    """Return the checks of what people do; those of the card processor have tests of their own."""
    others = {check.name for check in cards()}
    return [check for check in checks() if check.name not in others]


def violations() -> dict[str, list[str]]:
    session.commit()
    return {check.name: found for check in ours() if (found := check.run().violations)}


@contextmanager
def around_the_triggers() -> Iterator[Callable[[str], None]]:
    """Let statements run that the triggers would refuse, as a superuser could."""
    session.execute(text("SET LOCAL session_replication_role = replica"))

    def run(statement: str) -> None:
        session.execute(text(statement))

    yield run
    session.execute(text("SET LOCAL session_replication_role = origin"))


@pytest.fixture
def year(who: Desk) -> Desk:
    """Return the desk after a year in which everything happened that can."""
    agreement = make.agreement(who, amount=Money(800_000, "CHF"))
    make.wire(who, Money(500_000, "CHF"), agreement)
    came = make.wire(who, usd(990_000), make.agreement(who, amount=usd(900_000)))
    make.agreement(who, AgreementStatus.CANCELLED, amount=Money(70_000, "EUR"))
    make.agreement(who, AgreementStatus.DRAFT)
    make.pledge(who)
    today = clock.today()
    service.refund_wire(
        came, usd(5_000), today, source_ref="back:1", reason="Too much.", by=who.finance
    )
    won = service.dispute(make.card(), usd(5_000), today, source_ref="dispute:1")
    service.dispute_won(won, today)
    lost = service.dispute(make.card(), usd(100), today, source_ref="dispute:2")
    service.dispute_lost(lost, today)
    mistake = make.wire(who, usd(400_000), make.agreement(who, amount=usd(400_000)))
    service.annul_wire(mistake, "Typed twice.", today, by=who.finance)
    service.merge_donors(make.donor(who), make.donor(who), by=who.officer)
    service.issue_due_receipts()
    session.commit()
    return who


def test_what_the_verbs_made_is_sound(year: Desk) -> None:
    del year
    assert violations() == {}
    assert min(check.run().count for check in ours()) > 0


SOMEBODY_ELSE = """
UPDATE pledge SET recorded_by_id =
    (SELECT id FROM person WHERE id <> pledge.recorded_by_id ORDER BY id LIMIT 1)
"""


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE contribution SET amount_usd = amount_usd + 1 WHERE currency <> 'USD'", "booked"),
        ("UPDATE contribution_agreement SET usd_at_signature = 7 WHERE currency = 'CHF'", "books"),
        ("UPDATE agreement_instalment SET amount = amount + 1", "adds up"),
        ("UPDATE contribution SET receipt_number = receipt_number + 1000", "without a gap"),
        (
            "UPDATE contribution SET status = 'refunded' WHERE means = 'wire'",
            "refunds and disputes",
        ),
        ("DELETE FROM contribution_refund", "booked once"),
        (SOMEBODY_ELSE, "chain"),
        ("UPDATE contribution_agreement SET drafted_at = now() - interval '9 days'", "chain"),
        ("UPDATE contribution SET recorded_at = now() - interval '9 days'", "chain"),
        ("UPDATE stored_file SET sha256 = repeat('0', 64)", "as it was issued"),
    ],
)
def test_what_went_around_the_triggers_is_found(year: Desk, statement: str, name: str) -> None:
    del year
    with around_the_triggers() as run:
        run(statement)
        session.flush()
    found = violations()
    assert any(name in each for each in found), found


def test_a_receipt_that_nobody_makes_is_found_after_a_day(who: Desk) -> None:
    given = make.wire(who, usd(990_000))
    assert violations() == {}
    with clock.at(clock.now() + timedelta(days=1, minutes=1)):
        [found] = violations().values()
        assert given.ref in found[0]
        service.refund_wire(
            given, usd(1), clock.today(), source_ref="back:9", reason="Slip.", by=who.finance
        )
        assert violations() == {}
        service.issue_due_receipts()
    with clock.at(clock.now() + timedelta(days=9)):
        assert violations() == {}
