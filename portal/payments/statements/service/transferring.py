"""Card gifts that arrived at the bank of another fund, and are sent on to their own.

A payout of the card processor arrives on one account and holds gifts to several funds. What is of
others lies in suspense on both sides (`payout_arrived`): owed here, expected there. The two lines
of the bank that bring it over lie in suspense as well and cancel it out; to say what they are
books nothing more.
"""

from sqlalchemy import text

from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.workflow import Refused
from portal.payments.statements.models import LineStatus
from portal.payments.statements.service.parts import Part

BETWEEN = """
SELECT (SELECT coalesce(-sum(e.amount), 0) FROM ledger_entry e
    JOIN ledger_account c ON c.id = e.account_id AND c.kind = 'suspense'
    JOIN ledger_transaction t ON t.id = e.transaction_id
    JOIN card_payout p ON t.source_ref IN (p.arrival_ref, p.back_ref)
    JOIN statement_allocation a ON a.booking_ref = t.source_ref
    JOIN statement_line l ON l.id = a.line_id
    JOIN bank_account b ON b.id = l.bank_account_id
    WHERE c.fund_code = :fund AND e.currency = :currency
    AND NOT (b.fund_code = c.fund_code AND sign(e.amount) = sign(l.amount)))
+ (SELECT coalesce(sum(a.amount), 0) FROM statement_allocation a
    JOIN statement_line l ON l.id = a.line_id
    JOIN bank_account b ON b.id = l.bank_account_id
    WHERE a.purpose = 'transfer' AND a.undone_at IS NULL
    AND b.fund_code = :fund AND l.currency = :currency)
"""
"""In the fund that a payout came to, the side of the line itself is no share of another fund."""


def between_funds(fund_code: str, currency: str) -> Money:
    """Return what a fund holds of others' card gifts; below zero, what others hold of its own.

    One SQL statement.
    """
    found = session.scalar(text(BETWEEN), {"fund": fund_code, "currency": currency})
    return Money(int(found or 0), currency)


def transfer(part: Part) -> tuple[str, str]:
    """Note that a line brings card gifts from one fund's account to another's."""
    if part.line.status is not LineStatus.SUSPENSE:
        raise Refused(_("Only what waits in suspense can be card gifts that are sent on."))
    lies = between_funds(part.fund, part.money.currency)
    most = -lies if part.line.is_credit else lies
    if part.money > most:
        raise Refused(
            _(
                "Of card gifts, %(most)s has still to be sent on in this direction: enter no more.",
                most=format_money(max(most, Money.zero(most.currency)), str(locale())),
            )
        )
    return "", ""
