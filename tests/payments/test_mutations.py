"""What keeps money from leaving twice is what we say it is: without it, our own tests fail."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.core.config import Settings
from portal.core.db import session
from portal.payments.models import PaymentOrder
from tests.journeys import crashing
from tests.journeys.bank_workers import FRESH_MESSAGE, SENT
from tests.payments.payday import Payday, release
from tests.payments.test_triggers import no_second_live_order

SEED = 7
GUARD = "uq_payment_order_live_per_instalment"
FIRST = sa.select(PaymentOrder).order_by(PaymentOrder.prepared_at).limit(1)


def first(payday: Payday) -> PaymentOrder:
    return payday.orders[0]


def test_without_the_index_one_instalment_has_two_live_orders(payday: Payday) -> None:
    no_second_live_order(first(payday))
    session.rollback()
    session.execute(sa.text(f"DROP INDEX {GUARD}"))
    session.commit()
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        no_second_live_order(first(payday))


def test_with_a_new_message_at_each_attempt_the_bank_pays_twice(
    payday: Payday, settings: Settings, tmp_path: Path
) -> None:
    release(payday, len(payday.refs))
    bind = session.get_bind()
    assert isinstance(bind, sa.Engine)
    url = bind.url.render_as_string(hide_password=False)
    with crashing.bank_of(tmp_path / "bank") as counter:
        deaths = crashing.crashed_through(
            counter, url, settings.data_dir, seed=SEED, mistake=FRESH_MESSAGE
        )
        print(f"seed {SEED}, deaths: {dict(deaths)}")  # noqa: T201 — shown where it fails
        assert deaths[SENT], "nobody died between sending and saying so"
        with pytest.raises(AssertionError, match="the bank paid twice"):
            crashing.each_is_debited_at_most_once(counter.bank)
        assert sorted(crashing.debits(counter.bank)) == sorted(payday.refs)
