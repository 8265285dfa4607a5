"""What the text of an amendment says: the parts that its template sets, and their digest."""

from dataclasses import dataclass
from typing import Any

from portal.applications.queries import representatives
from portal.awards.amendments.models import Amendment
from portal.awards.document import category_label
from portal.core import clock
from portal.core.money import Money, usd
from portal.core.text import Json, canonical_json, sha256_hex


@dataclass(frozen=True)
class BudgetChange:
    """A line of the budget, before and after. `category` is a text of the fund's profile."""

    category: str
    description: str
    before: Money
    after: Money


@dataclass(frozen=True)
class PaymentChange:
    """An instalment, before and after. `label` is a text of the fund's profile."""

    number: int
    label: str
    before: Money
    after: Money


def context(amendment: Amendment) -> dict[str, Any]:
    """Return all that `templates/pdf/amendment.html` asks for."""
    award = amendment.award
    application = award.application
    signatories = representatives(application.organisation_id)
    return {
        "amendment": amendment,
        "award": award,
        "application": application,
        "organisation": application.organisation,
        "fund": award.fund,
        "signatory": signatories[0] if signatories else None,
        "reference": f"{award.ref} / {amendment.number}",
        "dated": clock.today(),
        "budget": budget_changes(amendment),
        "payments": payment_changes(amendment),
        "terms_digest": terms_digest(amendment),
    }


def budget_changes(amendment: Amendment) -> list[BudgetChange]:
    """Return the whole budget, before and after, in order."""
    fund = amendment.award.fund
    return [
        BudgetChange(
            category_label(fund, term["category"]),
            term["description"],
            usd(term["before"]),
            usd(term["usd"]),
        )
        for term in amendment.budget
    ]


def payment_changes(amendment: Amendment) -> list[PaymentChange]:
    """Return every instalment, before and after; one that was added waits as the last one did."""
    labels = [rule.label for rule in amendment.award.fund.instalments]
    return [
        PaymentChange(
            term["number"],
            labels[min(term["number"], len(labels)) - 1],
            usd(term["before"]),
            usd(term["usd"]),
        )
        for term in amendment.instalments
    ]


def terms_digest(amendment: Amendment) -> str:
    """Return the SHA-256, in hex, over the figures of the amendment: it stands in the text."""
    budget: list[Json] = [
        [each["position"], each["category"], each["description"], each["before"], each["usd"]]
        for each in amendment.budget
    ]
    plan: list[Json] = [
        [each["number"], each["before"], each["usd"]] for each in amendment.instalments
    ]
    terms: dict[str, Json] = {
        "award": amendment.award.ref,
        "amendment": amendment.number,
        "amount_usd": [amendment.from_amount_usd, amendment.amount_usd],
        "ends_on": [amendment.from_ends_on.isoformat(), amendment.ends_on.isoformat()],
        "budget": budget,
        "instalments": plan,
    }
    return sha256_hex(canonical_json(terms))
