"""What other features ask: agreements by their reference, figures by fund, donor and earmark."""

from datetime import timedelta

from portal.contributions import queries, service
from portal.contributions.models import AgreementStatus
from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from tests.make import contributions as make
from tests.make.contributions import FUND, Desk


def test_figures_by_donor_and_earmark_follow_the_money(who: Desk) -> None:
    meant = make.earmark(who)
    donor = make.donor(who, name="A Foundation")
    pledge = make.pledge(who, amount=usd(2_000_000), of=donor)
    make.agreement(who, amount=usd(2_000_000), of=donor, on=pledge)
    marked = make.agreement(who, amount=Money(800_000, "CHF"), of=donor, meant=meant)
    came = make.wire(who, Money(200_000, "CHF"), marked)
    service.refund_wire(
        came,
        Money(40_000, "CHF"),
        clock.today(),
        source_ref="back:1",
        reason="Too much.",
        by=who.finance,
    )
    service.cancel_agreement(marked, "No more.", clock.today(), by=who.finance)
    card = make.card(usd(700), name="Zoë Quill")
    service.dispute_lost(
        service.dispute(card, usd(700), clock.today(), source_ref="d:1"), clock.today()
    )
    session.commit()
    found = {
        (line.donor.name, line.earmark.title if line.earmark else ""): (
            line.pledged.minor,
            line.agreed.minor,
            line.received.minor,
            line.refunded.minor,
        )
        for line in queries.received_by_earmark(FUND)
    }
    assert found == {
        ("A Foundation", ""): (2_000_000, 2_000_000, 0, 0),
        ("A Foundation", "Schools in Kenya"): (0, 250_000, 250_000, 50_000),
        ("Zoë Quill", ""): (0, 0, 700, 700),
    }
    assert queries.received_by_earmark("vftc") == []


def test_a_fund_is_summed_up_on_one_line(who: Desk) -> None:
    agreement = make.agreement(who, amount=Money(800_000, "CHF"))
    make.wire(who, Money(100_000, "CHF"), agreement)
    make.pledge(who, amount=usd(5_000))
    mistake = make.wire(who, Money(100_000, "CHF"), agreement)
    service.annul_wire(mistake, "Typed twice.", clock.today(), by=who.finance)
    session.commit()
    (line,) = queries.by_fund(who.officer, [FUND, "vftc"])
    assert (line.fund_code, line.pledged, line.agreed) == (FUND, usd(5_000), usd(1_000_000))
    assert (line.open, line.overdue, line.due) == (usd(875_000), usd(375_000), usd(0))
    assert (line.received, line.refunded) == (usd(125_000), usd(0))


def test_tasks_reach_who_can_do_them(who: Desk) -> None:
    draft = make.agreement(who, AgreementStatus.DRAFT)
    service.draft_agreement(make.donor(who), FUND, make.terms(), by=who.officer)
    coming = service.draft_agreement(
        make.donor(who), FUND, make.terms(usd(500), -20, 5), by=who.officer
    )
    service.add_paper(coming, make.paper(), "signed.png", by=who.officer)
    service.confirm_agreement(coming, service.terms_digest(coming), by=who.finance)
    session.commit()
    confirming = queries.todos(who.finance)
    assert [(each.title, each.values) for each in confirming] == [
        ("Confirm the agreement with a donor", {"ref": draft.ref})
    ]
    titles = [each.title for each in queries.todos(who.officer)]
    assert titles == [
        "Add the signed paper to the draft of an agreement",
        "Ask a donor for 1 instalment that is overdue",
        "1 instalment of a donor is due soon",
    ]
    assert queries.todos(make.desk("vftc").officer) == []
    due = queries.todos(who.officer)[1]
    assert due.due == clock.today() - timedelta(days=20)
    assert due.is_overdue
