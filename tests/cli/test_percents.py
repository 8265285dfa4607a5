"""`portal set-percent`: what a fund charges and keeps, from a day on."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from portal.core.db import session
from portal.funds import service as funds
from portal.ledger import queries as ledger
from portal.ledger.models import PercentKind
from tests.cli.test_commands import on


def test_a_percentage_holds_from_its_day_and_is_on_record(
    fresh_database: str, tmp_path: Path
) -> None:
    funds.load_profiles_into_database()
    session.commit()
    said = []
    for percent, day in (("13", "2026-01-01"), ("12.5", "2027-01-01"), ("12.50", "2027-01-01")):
        asked = ("set-percent", "vftc", "support_costs", percent, "--from", day)
        done = on(fresh_database, *asked, data=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        said.append(done.stdout)
    assert said == [
        "vftc: Programme support costs 13 % from 2026-01-01 on (none before).\n",
        "vftc: Programme support costs 12.5 % from 2027-01-01 on (13 % before).\n",
        "vftc: Programme support costs 12.5 % from 2027-01-01 on (12.5 % before).\n",
    ]
    costs = PercentKind.SUPPORT_COSTS
    assert ledger.percents(costs, date(2026, 12, 31)) == {"vftc": Decimal(13)}
    assert ledger.percents(costs, date(2027, 1, 1)) == {"vftc": Decimal("12.5")}


def test_what_is_wrong_is_one_sentence_and_changes_nothing(
    fresh_database: str, tmp_path: Path
) -> None:
    funds.load_profiles_into_database()
    session.commit()
    for fund, percent, sentence in (
        ("nobody", "13", "No fund has the code “nobody”: there are act, "),
        ("act", "much", "“much” is no number"),
        ("act", "101", "a percentage from 0 to 100"),
        ("act", "1.234", "at most two decimals"),
    ):
        asked = ("set-percent", fund, "operating_reserve", percent, "--from", "2026-01-01")
        done = on(fresh_database, *asked, data=tmp_path)
        assert done.returncode == 1
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
    assert ledger.percents(PercentKind.OPERATING_RESERVE, date(2026, 6, 1)) == {}
