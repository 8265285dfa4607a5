"""A dollar's whole way: pledged, given, granted, paid, lost and paid anew, spent, accounted for.

Through the pages, against an independent bank and a pretend card processor; at the end the bank,
the books and beancount say the same to the cent.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounting import beancount
from portal.accounts.models import OrganisationKind
from portal.contributions.models import Contribution, ContributionAgreement
from portal.contributions.models.cards import CardPayout
from portal.contributions.service import issue_due_receipts
from portal.core import clock, outbox
from portal.core.config import Settings
from portal.core.db import session
from portal.core.money import format_money, usd
from portal.ledger import queries as ledger
from portal.ledger.models import AccountKind
from portal.payments import exchange
from portal.payments.models import OrderStatus
from portal.payments.statements.queries import closings
from tests.contributions.cards.conftest import Counter as CardCounter
from tests.core.stripe import pretending
from tests.journeys import granting, steps
from tests.journeys.steps import Journey, person
from tests.make import contributions as make
from tests.make.payments import FUND_IBAN
from tests.payments.bank import OURS
from tests.payments.counter import Counter, opened

FUND = "vftc"
HOME = "NL30 MOCK 0000 0000 05"
"""Where the grantee banks: at another bank than the fund."""

SATURDAY = 5
"""Banks settle nothing from then on until Monday."""

AGREED, GIFT = 50_000_00, 250_00


@dataclass
class Scene:
    """The journey, and the world around it."""

    journey: Journey
    bank: Counter
    cards: CardCounter
    folder: Path

    def day(self, days: int = 1) -> None:
        """Let days pass at the bank; take in what it sends, book it, and write to donors."""
        self.bank.next_day(days)
        refused = [read.refusal for read in self.bank.answers() if read.refusal]
        assert not refused
        for _slice in exchange.book_all():
            pass
        issue_due_receipts()
        session.commit()
        outbox.deliver_due()

    def order(self, ref: str) -> str:
        """Return how an order stands, as its page says."""
        browser = self.journey.be("auditor", f"/payments/{ref}")
        return browser.page.text


@pytest.fixture
def scene(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Scene]:
    journey = steps.assemble(app, FUND, OrganisationKind.GOVERNMENT, "NPL", funded=False)
    with (
        opened(tmp_path / "bank", balance=0) as bank,
        pretending.connected(tmp_path, settings) as (processor, judge, ours),
    ):
        officer, finance = person(journey, "officer"), person(journey, "finance")
        cards = CardCounter(processor, judge, ours, officer, finance)
        yield Scene(journey, bank, cards, tmp_path)


def open_account(scene: Scene) -> None:
    """Let treasury enter the fund's account, and finance confirm it."""
    browser = scene.journey.be("treasurer", "/bank/accounts")
    browser.follow("Enter an account", 200)
    for label, value in {
        "Fund": FUND,
        "Currency": "USD",
        "Account holder": "Voluntary Funds",
        "IBAN or account number": FUND_IBAN,
        "Name of the bank": "Mock Bank",
        "Country of the bank": "NLD",
        "BIC (SWIFT code)": "MOCKNL2A",
    }.items():
        browser.fill(label, value)
    browser.press("Enter the account", 200)
    browser = scene.journey.be("finance", "/bank/accounts")
    browser.follow("Confirm the account", 200)
    browser.press("Confirm the account", 200)
    assert "In use" in browser.page.text


def pledge_and_agree(scene: Scene) -> str:
    """Let a State pledge and sign; a second person confirms. Return the agreement's reference."""
    browser = scene.journey.be("donors", "/contributions/donors")
    browser.follow("Record a donor", 200)
    browser.fill("Official name", "Kingdom of Norway")
    browser.fill("Country", "Norway")
    browser.fill("E-mail address of the person to write to", "aid@mfa.example")
    browser.press("Save the donor", 200)
    browser.follow("Note a pledge", 200)
    browser.fill("Fund", FUND)
    browser.fill("Currency", "USD")
    browser.fill("Amount", "50,000.00")
    browser.press("Note the pledge", 200)
    browser.follow("Draft the agreement", 200)
    due = (clock.today() + timedelta(days=20)).isoformat()
    browser.fill_all(**{"schedule-0-due_on": due, "schedule-0-amount": "50,000.00"})
    browser.attach("The signed paper", "signed.png", make.paper().getvalue())
    browser.press("Save the draft", 200)
    ref = session.scalars(select(ContributionAgreement.ref)).one()
    browser = scene.journey.be("finance", f"/contributions/agreements/{ref}")
    browser.follow("Confirm the agreement", 200)
    browser.press("Confirm the agreement", 200)
    assert "In force" in browser.page.text
    return ref


def receive(scene: Scene, agreement: str) -> None:
    """Let the State's wire arrive by the bank, and a gift by card be paid over to the bank."""
    scene.bank.bank.credit(OURS, AGREED, "Ministry of Foreign Affairs", f"Agreement {agreement}")
    scene.cards.paid(GIFT, fund=FUND)
    scene.cards.processor.pay_out()
    scene.cards.deliver()
    payout = session.scalars(select(CardPayout)).one()
    scene.bank.bank.credit(OURS, payout.amount, "Card processor", payout.payout_id)
    scene.day()
    ways = session.scalars(select(Contribution.amount).order_by(Contribution.amount)).all()
    assert ways == [GIFT, AGREED]
    assert held(AccountKind.CARD_CLEARING) == held(AccountKind.SUSPENSE) == 0


def held(kind: AccountKind) -> int:
    """Return the balance of an account of the fund in US cents."""
    rows = ledger.trial_balance(FUND)
    return sum(row.debit.minor - row.credit.minor for row in rows if row.kind is kind)


def award(journey: Journey) -> None:
    """Let the board recommend, the authority approve, and the grant come into force."""
    steps.open_call(journey)
    steps.apply(journey)
    steps.screen(journey)
    steps.review(journey, 5, 4, 3)
    steps.recommend(journey, "4,000.00")
    steps.decide(journey)
    granting.offer(journey, "Headquarters")
    granting.revise(journey, 200_000, 200_000)
    granting.accept(journey)
    granting.countersign(journey)
    granting.enter_bank(journey, HOME, "NLD")
    assert ledger.outstanding(FUND, granting.award_of(journey).ref) == usd(400_000)


def pay(scene: Scene, number: int, amount: str) -> str:
    """Let an instalment be signed by three people, sent to the bank, paid, and acknowledged."""
    ref = granting.sign(scene.journey, number, amount)
    scene.bank.send()
    while clock.now().weekday() >= SATURDAY:
        scene.day()
    scene.day()
    granting.acknowledge(scene.journey, ref, amount)
    return ref


def test_money_travels_from_the_pledge_to_the_yearly_account(scene: Scene) -> None:
    journey = scene.journey
    open_account(scene)
    receive(scene, pledge_and_agree(scene))
    award(journey)

    scene.bank.bank.patch(OURS, behaviour="return-later", parameters={"days": 1})
    lost = granting.sign(journey, 1, "2,000.00")
    [file] = scene.bank.send()
    page = journey.be("treasurer", f"/bank/files/{file.message_id}").page.text
    assert lost in page
    scene.day()
    scene.bank.bank.patch(OURS, behaviour="accept", parameters={})
    scene.day(3)
    assert str(OrderStatus.RETURNED.label) in scene.order(lost)
    granting.verify_bank(journey, HOME)
    again = pay(scene, 1, "2,000.00")
    assert again != lost

    granting.report(journey, "progress", granting.part_of_each_line(journey, 50))
    granting.accept_report(journey, "progress")
    pay(scene, 2, "1,600.00")
    spent = granting.part_of_each_line(journey, 38, "Prices fell.")
    granting.report(journey, "final", spent)
    granting.accept_report(journey, "final")
    granting.draw_balance(journey)
    owed = granting.award_of(journey).ref
    assert "Money has to come back" in journey.be("applicant", journey.file("payments")).page.text
    scene.bank.bank.credit(OURS, 80_00, "Ministry of Law", f"Refund {owed}")
    scene.day()
    granting.close(journey)
    yearly_account(scene)
    everybody_agrees(scene)


def yearly_account(scene: Scene) -> None:
    """Let the auditor read the account of the year: what came, what was spent, what is left."""
    year = clock.today().year
    text = scene.journey.be("auditor", f"/funds/{FUND}/account/{year}").page.text
    for cents in (AGREED + GIFT, 352_000):
        assert format_money(usd(cents)) in text


def everybody_agrees(scene: Scene) -> None:
    """Demand that the bank, its statements, the books and beancount agree to the cent."""
    steps.all_is_well()
    at_the_bank = scene.bank.bank.accounts()[OURS]["balance"]
    assert ledger.bank_balance(FUND, "USD").minor == at_the_bank
    debits = [row["end_to_end_id"] for row in scene.bank.bank.payments()]
    assert len(debits) == len(set(debits)) == 3
    told = list(closings())
    assert told[-1][2].minor == at_the_bank
    file = scene.folder / "books.beancount"
    balances = [(code, AccountKind.BANK, day, money) for code, day, money in told]
    file.write_text("\n".join(beancount.lines(balances)), encoding="utf-8")
    judge = Path(sys.executable).with_name("bean-check")
    checked = subprocess.run([judge, file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
