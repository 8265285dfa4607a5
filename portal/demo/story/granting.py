"""How awards are offered and signed, paid, reported on and closed in the story."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.applications.models import Sex
from portal.awards import service as awards
from portal.awards.models import Instalment, PayingAgent
from portal.core.money import Money
from portal.demo import bank as bank_acts
from portal.demo import content
from portal.demo.story import filing, papers
from portal.demo.story.telling import Case, Story
from portal.payments import service as payments
from portal.payments.models import BankDetails, PaymentOrder, Receivable
from portal.payments.rails import BANK
from portal.payments.service import Payee
from portal.payments.service.gathering import gather
from portal.payments.service.sending import mark_sent
from portal.payments.ways import paying_account
from portal.reports import queries as reporting
from portal.reports import service as reports
from portal.reports.models import AgeBand, EvidenceKind, Group, Report, ReviewSide
from portal.reports.rules import most_acceptable

HUNDRED = 100
BANKS = {
    "KEN": ("Savings and Credit Union of the Rift", "Nakuru"),
    "SEN": ("Caisse mutuelle du Littoral", "Thiès"),
    "PER": ("Caja Rural de las Alturas", "Puno"),
    "JOR": ("مصرف البادية التعاوني", "المفرق"),
}
TREASURY = "Treasury single account"


def offer(story: Story, case: Case, officer: str, agent: PayingAgent = PayingAgent.UNDP) -> None:
    """Make the award that was decided, for the days that the applicant planned."""
    first, last = filing.days(story, case)
    case.award = awards.offer(
        case.application,
        starts_on=first,
        ends_on=last,
        paying_agent=agent,
        by=story.people[officer],
    )


def accept(story: Story, case: Case) -> None:
    """Let the legal representative sign by typing their name."""
    who = story.people[case.key]
    awards.accept(case.award, who.name, by=who)


def countersign(story: Story, case: Case) -> None:
    """Let the approving authority sign for the fund."""
    awards.countersign(case.award, by=story.people["authority"])


def enter_bank(story: Story, case: Case) -> BankDetails:
    """Let the grantee say where the money goes; the account is made up."""
    where = content.organisation(case.key)
    bank, town = BANKS.get(where.country, (TREASURY, where.address))
    number = 100_000 + [each.key for each in content.organisations()].index(case.key) * 7_919
    typed = Payee(
        holder=where.name,
        bank=bank,
        country=where.country,
        account=f"0074{number:08d}",
        clearing_code="0074",
        town=town,
    )
    return payments.enter_bank_details(case.award, typed, by=story.people[case.key])


@dataclass(frozen=True)
class Signing:
    """The steps of one payment, by the days on which they were taken; None: not yet."""

    prepared: int
    certified: int | None = None
    approved: int | None = None
    released: int | None = None
    confirmed: int | None = None
    acknowledged: int | None = None


def bank(story: Story, case: Case, entered: int, verified: int | None = None) -> None:
    """Plan the bank details of a grant and their verification by a second person."""
    found: list[BankDetails] = []
    story.on(entered, lambda: found.append(enter_bank(story, case)), hour=14)
    if verified is not None:
        story.on(
            verified,
            lambda: payments.verify_bank_details(
                found[0], screened=True, by=story.people["finance"]
            ),
            hour=10,
        )


def pay(story: Story, case: Case, number: int, days: Signing) -> None:
    """Plan the payment of an instalment as far as `days` says, each step by its own person."""
    found: list[PaymentOrder] = []
    people = story.people

    def instalment() -> Instalment:
        return next(each for each in case.award.instalments if each.number == number)

    def plan(day: int | None, step: Callable[[], object], hour: int) -> None:
        if day is not None:
            story.on(day, step, hour=hour)

    plan(
        days.prepared,
        lambda: found.append(payments.prepare_order(instalment(), by=people["finance"])),
        9,
    )
    plan(days.certified, lambda: payments.certify(found[0], by=people["certifier"]), 10)
    plan(days.approved, lambda: _approve(story, found[0]), 11)
    plan(days.released, lambda: _release(story, found[0]), 12)
    plan(days.confirmed, lambda: _confirm(story, found[0], days.confirmed), 15)
    plan(days.acknowledged, lambda: payments.acknowledge(found[0], by=people[case.key]), 16)


def _approve(story: Story, order: PaymentOrder) -> None:
    """Approve a payment, a large one by two."""
    payments.approve(order, by=story.people["approver"])
    if order.second_approval:
        payments.approve_again(order, by=story.people["approver_2"])


def _release(story: Story, order: PaymentOrder) -> None:
    """Release a payment; by the bank it leaves with a file, and the pretend bank accepts it."""
    payments.release(order, by=story.people["treasury"])
    if order.rail != BANK.name:
        return
    file = gather()
    if file is not None:
        mark_sent(file, by=None)
        bank_acts.accept([order])


def _confirm(story: Story, order: PaymentOrder, day: int | None) -> None:
    """Let the pretend bank pay, or somebody record that the country office did."""
    if order.rail == BANK.name:
        bank_acts.settle([order])
        return
    payments.confirm(
        order,
        reference=f"CO-{order.ref}",
        paid_on=story.day(day or 0),
        by=story.people["finance_2"],
    )


def report(story: Story, case: Case, key: str = "final") -> Report:
    """Let the grantee write the report `key` and hand it in."""
    by = story.people[case.key]
    told = case.words.report
    found = reports.open_report(case.award, key, by=by)
    asked = {question.key for question in reporting.rule_of(found).sections}
    reports.save_narrative(
        found, {each: text for each, text in told.items() if each in asked}, by=by
    )
    reports.save_expenditure(found, _spending(case, told), by=by)
    if reporting.rule_of(found).people_reached:
        reports.save_people(found, _people(told), by=by)
    _evidence(case, found, by)
    reports.submit(found, by=by)
    return found


def _spending(case: Case, told: dict[str, Any]) -> list[reports.Spending]:
    percents, why = told["spent"], told.get("why", {})
    currency = case.words.currency
    rows = []
    for number, (line, cost) in enumerate(
        zip(case.award.budget, case.words.budget, strict=True), start=1
    ):
        whole = Money.parse(cost.price, currency).minor * cost.quantity
        spent = Money(whole * percents[number - 1] // HUNDRED, currency)
        rows.append(reports.Spending(line.id, spent, reason=why.get(str(number), "")))
    return rows


def _people(told: dict[str, Any]) -> list[reports.Count]:
    counts = [
        reports.Count(Sex(sex), AgeBand(band), number) for sex, band, number in told["people"]
    ]
    for group, percent in told.get("groups", {}).items():
        counts += [
            reports.Count(each.sex, each.age_band, each.people * percent // HUNDRED, Group(group))
            for each in counts
            if each.group is None
        ]
    return counts


def _evidence(case: Case, found: Report, by: Any) -> None:
    seed = sum(case.key.encode())
    reports.add_evidence(found, EvidenceKind.PHOTOGRAPH, papers.scene(seed), "picture.jpg", by=by)
    rows = [f"{cost.quantity} x {cost.price} {case.words.currency}" for cost in case.words.budget]
    receipts = papers.picture("RECEIPTS", rows[:7])
    reports.add_evidence(found, EvidenceKind.RECEIPT, receipts, "receipts.jpg", by=by)


def accept_narrative(story: Story, found: Report, officer: str) -> None:
    """Let the programme officer accept the narrative of a report."""
    reports.review(found, ReviewSide.PROGRAMME, accepted=True, by=story.people[officer])


def return_report(story: Story, found: Report, comment: str, officer: str) -> None:
    """Let the programme officer send a report back with comments."""
    reports.review(
        found, ReviewSide.PROGRAMME, accepted=False, comment=comment, by=story.people[officer]
    )


def accept_spending(story: Story, found: Report) -> None:
    """Let finance accept what was spent, up to the award."""
    most = most_acceptable(
        reporting.spent_total(found), found.award.amount_usd, reporting.accepted_before(found)
    )
    reports.review(
        found,
        ReviewSide.FINANCE,
        accepted=True,
        accepted_usd=most,
        by=story.people["finance"],
    )


def balance(story: Story, case: Case) -> Receivable | None:
    """Draw the balance of a grant whose reports are all accepted."""
    return payments.settle_account(case.award, by=story.people["finance"])


def refund(owed: Receivable) -> None:
    """Let the grantee pay back what was not spent, quoting the reference: the bank says so."""
    application = owed.award.application
    account = paying_account(application.call.fund_code)
    if account is not None:
        payer, text = application.organisation.name, f"Refund {owed.award.ref}"
        bank_acts.credit(account, owed.money, payer, text)


def close(story: Story, case: Case, officer: str) -> None:
    """Close the file."""
    payments.close_award(case.award, by=story.people[officer])
