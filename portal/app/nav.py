"""The main navigation: what each reader finds at the top of every page.

A feature adds its lines here: label, endpoint, and for whom. An entry is current on its own page
and on every page whose endpoint begins with one of `covers`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from babel.support import LazyProxy
from flask import request, url_for

from portal.accounting import policy as accounting
from portal.accounts.models import Person
from portal.admin import policy as admin
from portal.app import processor
from portal.applications import policy as applications
from portal.contributions import policy as contributions
from portal.core.i18n import _l
from portal.funds import policy as funds
from portal.payments import policy as payments
from portal.reports import policy as reports
from portal.reviews import policy as reviews

Audience = Callable[[Person | None], bool]


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    label: LazyProxy
    endpoint: str
    shown_to: Audience
    covers: tuple[str, ...] = ()


def visitors(person: Person | None) -> bool:
    """Show to those who are not signed in."""
    return person is None


def members(person: Person | None) -> bool:
    """Show to whoever is signed in."""
    return person is not None


def applicants(person: Person | None) -> bool:
    """Show to those who are signed in and hold no role on the funds' side."""
    return person is not None and not person.is_staff


def not_staff(person: Person | None) -> bool:
    """Show to visitors and applicants."""
    return person is None or not person.is_staff


def holders(policy: Callable[[Person], bool]) -> Audience:
    """Show to whom `policy` lets in: the same rule that guards the page."""
    return lambda person: person is not None and policy(person)


NAV: tuple[Entry, ...] = (
    Entry(_l("Home"), "home.show", members),
    Entry(
        _l("Organisations"),
        "accounts.organisations",
        applicants,
        covers=("accounts.organisation", "accounts.create_organisation", "accounts.edit_org"),
    ),
    Entry(_l("My applications"), "applications.mine", applicants, covers=("applications.",)),
    Entry(
        _l("Files"),
        "applications.files",
        holders(applications.sees_lists),
        covers=("applications.",),
    ),
    Entry(
        _l("Screening"),
        "reviews.screening_list",
        holders(reviews.screens),
        covers=("reviews.screening", "reviews.entitlement", "reviews.inadmissible"),
    ),
    Entry(
        _l("My reviews"),
        "reviews.mine",
        holders(reviews.reviews),
        covers=("reviews.interests", "reviews.score"),
    ),
    Entry(
        _l("Recommendations"),
        "reviews.calls",
        holders(reviews.opens_lists),
        covers=("reviews.ranking", "reviews.recommendation", "reviews.make", "reviews.approve"),
    ),
    Entry(
        _l("Payments"),
        "payments.queue",
        holders(payments.has_queue),
        covers=(
            "payments.payments_tab",
            "payments.order",
            "payments.prepare",
            "payments.certify",
            "payments.approve",
            "payments.release",
            "payments.confirm",
            "payments.reject",
            "payments.give_back",
            "payments.cancel",
            "payments.check_bank",
            "payments.balance",
            "payments.close",
            "payments.receivable",
            "payments.write_off",
            "payments.propose_write_off",
            "payments.approve_write_off",
            "payments.authorise_write_off",
            "payments.reject_write_off",
            "payments.withdraw_write_off",
        ),
    ),
    Entry(
        _l("Positions"),
        "accounting.positions",
        holders(accounting.reads_positions),
        covers=("accounting.",),
    ),
    Entry(
        _l("Bank"),
        "payments.files",
        holders(payments.reads_bank),
        covers=(
            "payments.file",
            "payments.hand_over",
            "payments.messages",
            "payments.fund_accounts",
            "payments.propose_account",
            "payments.move_account",
            "payments.reconciliation",
            "payments.account_lines",
            "payments.suspense",
            "payments.statement",
            "payments.import_statement",
            "payments.line",
            "payments.allocate",
            "payments.undo_allocation",
        ),
    ),
    Entry(
        _l("Contributions"),
        "contributions.overview",
        holders(contributions.reads),
        covers=(
            "contributions.",
            "giving.gifts",
            "giving.file",
            "giving.payouts",
            "giving.refund",
            "giving.confirm_refund",
        ),
    ),
    Entry(
        _l("Card processor"),
        "processor.messages",
        holders(processor.reads),
        covers=("processor.",),
    ),
    Entry(_l("Reports"), "reports.queue", holders(reports.reviews_somewhere)),
    Entry(_l("Calls"), "funds.calls", holders(funds.reads_calls), covers=("funds.",)),
    Entry(_l("Audit"), "admin.audit", holders(admin.audits), covers=("admin.whole_chain",)),
    Entry(
        _l("People"),
        "admin.people",
        holders(admin.can_administer),
        covers=(
            "admin.person",
            "admin.grant_role",
            "admin.end_role",
            "admin.correct_nationality",
            "admin.close_account",
            "admin.reopen_account",
        ),
    ),
    Entry(_l("Outbox"), "admin.outbox", holders(admin.can_administer)),
    Entry(_l("Open calls"), "publication.calls", not_staff, covers=("publication.call",)),
    Entry(_l("How to apply"), "publication.how_to_apply", visitors),
    Entry(_l("Register"), "accounts.register", visitors),
)


def navigation(person: Person | None) -> list[dict[str, object]]:
    """Return the lines for `person` as the page frame takes them. No SQL statement."""
    return [
        {
            "label": entry.label,
            "href": url_for(entry.endpoint),
            "current": (request.endpoint or "").startswith((entry.endpoint, *entry.covers)),
        }
        for entry in NAV
        if entry.shown_to(person)
    ]
