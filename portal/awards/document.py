"""What the document of an award says: the parts that its template sets, and their digest."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.applications.queries import representatives
from portal.awards import rules
from portal.awards.models import Award
from portal.core import clock
from portal.core.money import Money, usd
from portal.core.text import Json, canonical_json, sha256_hex
from portal.funds.profile import Profile


@dataclass(frozen=True)
class BudgetRow:
    """A line of the budget annex. `category` is a text of the fund's profile."""

    category: str
    description: str
    amount: Money


@dataclass(frozen=True)
class PaymentRow:
    """A line of the schedule of instalments. `label` is a text of the fund's profile.

    `percent` is None once an amendment made it another share of the award.
    """

    number: int
    label: str
    percent: int | None
    amount: Money


@dataclass(frozen=True)
class ReportRow:
    """A report that the grantee owes. Without `due_on` it is due `days` after the signatures."""

    title: str
    days: int
    due_on: date | None


def context(award: Award) -> dict[str, Any]:
    """Return all that `templates/pdf/agreement.html` and `travel_letter.html` ask for."""
    fund = award.fund
    application = award.application
    signatories = representatives(application.organisation_id)
    return {
        "award": award,
        "application": application,
        "organisation": application.organisation,
        "call": application.call,
        "fund": fund,
        "signatory": signatories[0] if signatories else None,
        "reference": award.ref,
        "dated": clock.today(),
        "budget": budget_rows(award),
        "payments": payment_rows(award),
        "reports": report_rows(award),
        "staff": [each.label for each in fund.budget.categories if each.staff],
        "refund_days": rules.REFUND_DAYS,
        "terms_digest": terms_digest(award),
    }


def budget_rows(award: Award) -> list[BudgetRow]:
    """Return the approved budget, in order."""
    return [
        BudgetRow(category_label(award.fund, line.category), line.description, usd(line.amount_usd))
        for line in award.budget
    ]


def category_label(fund: Profile, key: str) -> str:
    """Return the label of a budget category; the key itself where the profile lost it."""
    try:
        return fund.budget.category(key).label
    except KeyError:
        return key


def payment_rows(award: Award) -> list[PaymentRow]:
    """Return the planned instalments, in order.

    One that an amendment added waits for what the last one of the fund waits for.
    """
    scheme = award.fund.instalments
    shares = rules.plan(award.amount_usd, [rule.percent for rule in scheme])
    as_agreed = shares == [each.planned_usd for each in award.instalments]
    return [
        PaymentRow(
            each.number,
            scheme[min(each.number, len(scheme)) - 1].label,
            each.percent if as_agreed else None,
            usd(each.planned_usd),
        )
        for each in award.instalments
    ]


def report_rows(award: Award, agreed_on: date | None = None) -> list[ReportRow]:
    """Return the reports that the award owes, with the day where it is known.

    The document is made before anybody signs, so it knows no `agreed_on`.
    """
    return [
        ReportRow(rule.title, rule.due_days, rules.report_due_on(rule, award.ends_on, agreed_on))
        for rule in award.fund.reports
    ]


def terms_digest(award: Award) -> str:
    """Return the SHA-256, in hex, over the figures of the award: it stands in the document.

    The document's own digest cannot stand in itself; this one ties a printed copy to the record.
    """
    terms: dict[str, Json] = {
        "award": award.ref,
        "application": award.application.ref,
        "fund": award.fund.code,
        "profile": award.fund.digest(),
        "amount_usd": award.amount_usd,
        "days": [award.starts_on.isoformat(), award.ends_on.isoformat()],
        "paying_agent": award.paying_agent.value,
        "budget": [[line.category, line.description, line.amount_usd] for line in award.budget],
        "instalments": [[each.percent, each.planned_usd] for each in award.instalments],
        "reports": [[rule.key, rule.due_from, rule.due_days] for rule in award.fund.reports],
    }
    return sha256_hex(canonical_json(terms))
