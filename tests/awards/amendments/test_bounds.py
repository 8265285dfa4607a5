"""What bounds an amendment besides its own award: the envelope of its call, the days of reports."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session

from portal.awards.amendments import service as amendments
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from portal.reports import queries, service
from tests.make import amendments as make
from tests.make import awards as make_awards
from tests.make.accounts import messages
from tests.make.applications import call
from tests.make.awards import signatory

Db = scoped_session[Session]
pytestmark = pytest.mark.usefixtures("app")

DAY = timedelta(days=1)


def test_the_envelope_of_the_call_bounds_an_increase(db: Db) -> None:
    award = make_awards.award(of=call("act", envelope_usd=490_000))
    make.in_force(award, 9_000)
    db.commit()
    with pytest.raises(Refused) as refused:
        make.proposed(award, 1_001)
    said = refused.value.sentence.replace("\xa0", " ")
    assert "granted US$ 4,890.00 of its envelope of US$ 4,900.00" in said
    assert "cannot grow by US$ 10.01" in said
    db.rollback()
    make.in_force(award, 1_000)
    make.in_force(award, -50_000)
    assert award.amount_usd == 440_000


def test_an_envelope_that_was_used_up_meanwhile_stops_the_countersignature(db: Db) -> None:
    award = make_awards.award(of=call("act", envelope_usd=490_000))
    waiting = make.accepted(make.proposed(award, 9_000))
    db.commit()
    db.execute(text("SET LOCAL session_replication_role = replica"))  # the call is published
    db.execute(text("UPDATE call SET envelope_usd = 485000"))
    db.execute(text("SET LOCAL session_replication_role = DEFAULT"))
    db.expire_all()
    by = make_awards.authority(award)
    with pytest.raises(Refused, match="of its envelope"):
        amendments.countersign(waiting, waiting.digest or "", by=by)


def test_after_an_extension_reminders_follow_the_new_day() -> None:
    award = make_awards.award()
    who = signatory(award)
    old = queries.obligations(award)[0].due_on
    assert old is not None

    def reminded(days_before: int) -> int:
        """Return how many reminders there are after a sweep so many days before the first day."""
        with clock.at(clock.now() + (old - clock.today()) - days_before * DAY):
            service.send_reminders()
            service.send_reminders()
        return len(messages(who.email, "report_reminder"))

    assert reminded(30) == 1
    make.in_force(award, ends_on=award.ends_on + 60 * DAY)
    session.flush()
    assert queries.obligations(award)[0].due_on == old + 60 * DAY
    assert reminded(14) == 1, "the old day is no reason any more"
    assert reminded(-30) == 2, "thirty days before the new day"
    assert reminded(-46) == 3
    assert len(messages(who.email, "report_overdue")) == 0
