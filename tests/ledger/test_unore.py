"""Reading the UN's file of rates: what is sound is kept once, what is not is told row by row."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import queries, unore
from portal.ledger.models import ExchangeRate
from portal.ledger.rules import NoRate
from portal.ledger.unore import BadRates, Imported, import_rates, parse

NOVEMBER = date(2026, 11, 1)
MOMENT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_november() -> object:
    """Stand in November 2026."""
    with clock.at(MOMENT):
        yield


def row(currency: str = "XOF", rate: str = "565.3", day: str = "1 Nov 2026") -> str:
    """Return one row as the UN writes it."""
    return (
        "<UN_OPERATIONAL_RATES><country>Somewhere</country>"
        f"<f_curr_code>{currency}</f_curr_code><rate>{rate}</rate>"
        f"<eff_date>{day}</eff_date></UN_OPERATIONAL_RATES>"
    )


def dataset(*rows: str) -> bytes:
    """Return a file of `rows`."""
    content = "".join(rows)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<UN_OPERATIONAL_RATES_DATASET>{content}</UN_OPERATIONAL_RATES_DATASET>"
    ).encode()


def test_a_currency_of_several_countries_is_read_once() -> None:
    rows = parse(dataset(row(), row("USD", "1"), row(), row("EUR", "0.862", "15 Oct 2026")))
    assert [(each.currency, each.units_per_usd, each.effective_on) for each in rows] == [
        ("XOF", Decimal("565.3"), NOVEMBER),
        ("USD", Decimal(1), NOVEMBER),
        ("EUR", Decimal("0.862"), date(2026, 10, 15)),
    ]


def test_what_was_money_once_has_rates_in_older_files() -> None:
    assert parse(dataset(row("HRK", "6.7", "1 Oct 2020")))


def test_a_mark_of_byte_order_and_another_encoding_are_read() -> None:
    assert parse(b"\xef\xbb\xbf" + dataset(row()))
    assert parse(dataset(row()).decode().replace("UTF-8", "UTF-16").encode("utf-16"))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row(), row("EUR", "0")], "Row 2: “0” is not above zero."),
        ([row("EUR", "-0.9")], "Row 1: “-0.9” is no rate"),
        ([row("EUR", "1e4")], "“1e4”"),
        ([row("EUR", "NaN")], "“NaN”"),
        ([row("EUR", "0,9")], "“0,9”"),
        ([row("EUR", "٩")], "“٩”"),
        ([row("EUR", "0.123456789")], "up to 8 decimals"),
        ([row("EUR", "1" * 13)], "“1111111111111”"),
        ([row("EUR", "")], "Row 1: “rate” is missing"),
        ([row("EUR", "1</rate><rate>2")], "more than once"),
        ([row("eur", "1")], "Row 1: “eur” is not a currency code"),
        ([row("EURO", "1")], "“EURO”"),
        ([row(), row("ZZZ", "1")], "Row 2: “ZZZ” is not the code of a currency"),
        ([row("XTS", "1")], "Row 1: “XTS” is not the code of a currency"),
        ([row("XAU", "1")], "“XAU” is not"),
        ([row("EUR", "0.00000001"), row("EUR", "9")], "is 0.00000001 and 9."),
        ([row("USD", "1.01")], "Row 1: “1.01” is not 1, the rate of USD."),
        ([row(day="2026-11-01")], "“2026-11-01” is not a date like 1 Nov 2026"),
        ([row(day="31 Nov 2026")], "“31 Nov 2026” is not a day of the calendar"),
        ([row(day="1 nov 2026")], "is not a date"),
        ([row(day="1 Nov 2062")], "too far from today"),
        ([row(), row(rate="565.4")], "Rows 1 and 2 contradict each other: XOF on 2026-11-01"),
        (["<row/>"], "Row 1 is “row”"),
        ([], "has no rates"),
    ],
)
def test_a_fault_names_the_row_and_the_value(rows: list[str], told: str) -> None:
    with pytest.raises(BadRates) as bad:
        parse(dataset(*rows))
    assert told in " ".join(bad.value.sentences)


def test_all_faults_are_told_at_once_and_a_flood_is_cut() -> None:
    with pytest.raises(BadRates) as bad:
        parse(dataset(row("EUR", "x"), row(), row("CHF", "y")))
    assert len(bad.value.sentences) == 2
    with pytest.raises(BadRates) as bad:
        parse(dataset(*[row("EUR", "x")] * 30))
    assert bad.value.sentences[-1] == "And 10 more rows."


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<UN_OPERATIONAL_RATES_DATASET>&b;</UN_OPERATIONAL_RATES_DATASET>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<UN_OPERATIONAL_RATES_DATASET>&a;</UN_OPERATIONAL_RATES_DATASET>"""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOMB, "entities"),
        (OUTSIDE, "entities"),
        (dataset(row())[:-20], "not complete"),
        (dataset(row())[:60], "not complete"),
        (b"", "not complete"),
        (b"%PDF-1.7", "not complete"),
        (b"\x00\xff" * 40, "not complete"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "not complete"),
        (b"<html/>", "another file"),
        (b"<" + b"a" * 200 + b"/>", "…”"),
        (b" " * (unore.MAX_BYTES + 1), "5 MB"),
    ],
    ids=[
        "bomb",
        "outside",
        "cut",
        "cut early",
        "empty",
        "pdf",
        "bytes",
        "encoding",
        "html",
        "long",
        "large",
    ],
)
def test_what_is_no_file_of_rates_is_refused_whole(content: bytes, told: str) -> None:
    with pytest.raises(BadRates, match=told):
        parse(content)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    with pytest.raises(BadRates):
        parse(content)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_values_do_more_than_be_refused(currency: str, rate: str, day: str) -> None:
    marks = str.maketrans({"<": "", "&": "", "\x00": ""})
    content = dataset(row(currency, rate, day).translate(marks))
    with pytest.raises(BadRates):
        parse(content)


@pytest.mark.usefixtures("db")
def test_importing_a_file_again_adds_nothing() -> None:
    content = dataset(row(), row("EUR", "0.862"))
    assert import_rates(content, by=None) == Imported(2, 0)
    assert import_rates(content, by=None) == Imported(0, 2)
    session.commit()
    assert session.scalar(select(func.count()).select_from(ExchangeRate)) == 2


@pytest.mark.usefixtures("db")
def test_history_is_kept_and_asked_by_day() -> None:
    import_rates(dataset(row(rate="560", day="1 Oct 2026")), by=None)
    import_rates(dataset(row(rate="565.3")), by=None)
    assert queries.rate_on("XOF", date(2026, 10, 31)).units_per_usd == 560
    assert queries.rate_on("XOF", NOVEMBER).units_per_usd == Decimal("565.3")
    assert [rate.units_per_usd for rate in queries.rate_history("XOF")] == [
        Decimal("565.3"),
        560,
    ]
    assert len(queries.rates(NOVEMBER)) == 1


@pytest.mark.usefixtures("db")
def test_before_the_first_rate_there_is_none() -> None:
    import_rates(dataset(row()), by=None)
    with pytest.raises(NoRate) as missing:
        queries.rate_on("XOF", date(2026, 10, 31))
    assert "XOF on 2026-10-31" in missing.value.sentence
    with pytest.raises(NoRate):
        queries.rate_on("EUR", NOVEMBER)


@pytest.mark.usefixtures("db")
def test_a_dollar_needs_no_import() -> None:
    assert queries.rate_on("USD", NOVEMBER).in_usd(usd(5)) == usd(5)


@pytest.mark.usefixtures("db")
def test_history_is_not_rewritten_but_corrected_by_another_source() -> None:
    import_rates(dataset(row(), row("EUR", "0.862")), by=None)
    with pytest.raises(BadRates, match=r"Row 1: XOF .* 565\.4, but 565\.3 was imported"):
        import_rates(dataset(row(rate="565.4"), row("CHF", "0.8")), by=None)
    assert queries.rate_history("CHF") == []
    with clock.at(datetime(2026, 11, 22, tzinfo=UTC)):
        import_rates(dataset(row(rate="565.4")), by=None, source="UNORE-revised")
    rate = queries.rate_on("XOF", NOVEMBER)
    assert (rate.units_per_usd, rate.source) == (Decimal("565.4"), "UNORE-revised")


@pytest.mark.usefixtures("db")
def test_nothing_of_an_unsound_file_is_kept() -> None:
    with pytest.raises(BadRates):
        import_rates(dataset(row(), row("EUR", "x")), by=None)
    assert queries.rates(NOVEMBER) == []


@pytest.mark.usefixtures("db")
def test_a_source_is_a_code() -> None:
    with pytest.raises(BadRates, match="letters"):
        import_rates(dataset(row()), by=None, source="from a friend")


@pytest.mark.usefixtures("db")
def test_a_local_amount_is_converted_at_the_rate_of_its_day() -> None:
    import_rates(dataset(row(rate="600")), by=None)
    rate = queries.rate_on("XOF", NOVEMBER)
    assert rate.in_usd(Money(3_000_001, "XOF")) == usd(5_000_00)
