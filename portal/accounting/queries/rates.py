"""Reads of rates of exchange: which are missing for what is under way, and what finance must do."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from babel.dates import format_skeleton
from sqlalchemy import and_, func, or_, select, union

from portal.accounting import policy
from portal.accounts.models import Person
from portal.applications.models import Application, ApplicationStatus
from portal.awards.models import Award, AwardStatus
from portal.contributions.models import OPEN_AGREEMENT, ContributionAgreement
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.todo import Todo
from portal.ledger.models import ExchangeRate
from portal.ledger.rules import DOLLAR
from portal.payments.models import BankAccount, BankAccountStatus

UNDER_WAY = (
    ApplicationStatus.SUBMITTED,
    ApplicationStatus.CLARIFICATION,
    ApplicationStatus.IN_REVIEW,
    ApplicationStatus.RECOMMENDED,
)
"""Where an application is still to be decided, so that its budget is asked in US$ again."""

ENDED = (AwardStatus.CLOSED, AwardStatus.DECLINED, AwardStatus.CANCELLED)
"""Where a grant needs no rate any more."""


@dataclass(frozen=True)
class Missing:
    """A currency in use without a rate for the present month; `latest` is the day of its last."""

    currency: str
    latest: date | None


def month_name(day: date) -> str:
    """Return the month of a day, such as `November 2026`."""
    return format_skeleton("yMMMM", day, locale=locale())


def missing(today: date) -> list[Missing]:
    """Return the currencies in use, besides US$, that have no rate from this month.

    In use are those of applications to be decided, of grants that are not closed, of agreements
    with donors that are in force, and of the funds' own bank accounts. One SQL statement.
    """
    asked = select(Application.currency).where(Application.status.in_(UNDER_WAY))
    granted = (
        select(Application.currency)
        .join(Award, Award.application_id == Application.id)
        .where(Award.status.not_in(ENDED))
    )
    agreed = select(ContributionAgreement.currency).where(
        ContributionAgreement.status == OPEN_AGREEMENT
    )
    kept = select(BankAccount.currency).where(BankAccount.status == BankAccountStatus.IN_USE)
    used = union(asked, granted, agreed, kept).subquery()
    latest = func.max(ExchangeRate.effective_on)
    rows = (
        select(used.c.currency, latest)
        .outerjoin(
            ExchangeRate,
            and_(ExchangeRate.currency == used.c.currency, ExchangeRate.effective_on <= today),
        )
        .where(used.c.currency != DOLLAR)
        .group_by(used.c.currency)
        .having(or_(latest.is_(None), latest < today.replace(day=1)))
        .order_by(used.c.currency)
    )
    return [Missing(currency, last) for currency, last in session.execute(rows)]


def todos(person: Person) -> list[Todo]:
    """Return the rates of this month as a task of finance. At most one SQL statement."""
    if not policy.can_import_rates(person):
        return []
    today = clock.today()
    wanting = missing(today)
    if not wanting:
        return []
    return [
        Todo(
            _("Import the rates of exchange of %(month)s", month=month_name(today)),
            "accounting.import_rates",
            note=", ".join(each.currency for each in wanting),
            since=datetime.combine(today.replace(day=1), time(), UTC),
        )
    ]
