"""What an amendment may not say, each with the sentence of its refusal."""

from datetime import date

from portal.applications import eligibility
from portal.awards import rules as award_rules
from portal.awards.amendments import rules
from portal.awards.amendments.queries import granted_in
from portal.awards.amendments.rules import Terms
from portal.awards.amendments.service.holding import parts_of
from portal.awards.models import Award, InstalmentStatus
from portal.core import clock
from portal.core.formats import format_day
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money, usd
from portal.core.workflow import Refused
from portal.ledger import queries as ledger


def refuse_terms(award: Award, terms: Terms, *, asked_on: date) -> dict[int, int]:
    """Return the instalments that follow from `terms`, by number. Raises Refused with the reason.

    `asked_on` is the day on which the change was asked for, or is proposed unasked (R26).
    """
    _refuse_amount(award, terms.amount_usd)
    _refuse_lines(award, terms)
    if terms.ends_on != award.ends_on:
        _refuse_days(award, terms.ends_on)
        refuse_late(award, terms.ends_on, asked_on)
    refuse_unnecessary(award, terms)
    if terms.amount_usd != award.amount_usd:
        refuse_while_money_moves(award, terms.amount_usd)
    plan = rules.replan(parts_of(award), terms.amount_usd)
    if plan is None:
        raise Refused(
            _(
                "The grant cannot be less than %(least)s: so much is paid, ordered or settled.",
                least=_said(usd(rules.settled(parts_of(award)))),
            ),
            rule="R22",
        )
    return plan


def refuse_late(award: Award, ends_on: date, asked_on: date) -> None:
    """Refuse an extension that was not asked for before the activities ended (R26)."""
    if ends_on > award.ends_on and asked_on > award.ends_on:
        raise Refused(
            _(
                "The activities ended on %(day)s: an extension is asked for before the end.",
                day=format_day(award.ends_on),
            ),
            rule="R26",
        )


def refuse_unnecessary(award: Award, terms: Terms) -> None:
    """Refuse what changes nothing, and shifts that the fund lets happen without asking (R26)."""
    if (terms.amount_usd, terms.ends_on) != (award.amount_usd, award.ends_on):
        return
    before = {line.position: line.amount_usd for line in award.budget}
    if all(
        line.position is not None and line.amount_usd == before[line.position]
        for line in terms.lines
    ):
        raise Refused(_("This changes nothing: give another amount, day or budget."))
    if not rules.is_beyond_shift(before, terms, award.fund.budget):
        raise Refused(
            _(
                "This needs no amendment: up to %(percent)s %% of a line may move freely.",
                percent=award.fund.budget.shift_percent,
            ),
            rule="R26",
        )


def refuse_while_money_moves(award: Award, amount_usd: int) -> None:
    """Refuse another amount while a payment is under way, or after the balance was drawn.

    Nor does an award fall below what was accepted as spent, or grow beyond what the fund has
    or its call has (R19). Six SQL statements.
    """
    if any(each.status is InstalmentStatus.ORDERED for each in award.instalments):
        raise Refused(
            _("A payment is under way. Amend the amount once it is confirmed or cancelled."),
            rule="R21",
        )
    fund = award.application.call.fund_code
    books = ledger.award_position(fund, award.ref)
    paid = sum(each.paid_usd for each in award.instalments)
    if books.committed.minor != award.amount_usd - paid:
        raise Refused(
            _("The balance of this grant was drawn: its amount stands."),
            rule="R22",
        )
    if amount_usd < books.accepted.minor:
        raise Refused(
            _(
                "The grant cannot be less than the %(accepted)s that were accepted as spent.",
                accepted=_said(books.accepted),
            ),
            rule="R22",
        )
    growth = usd(amount_usd - award.amount_usd)
    if growth.minor > 0:
        _refuse_beyond_envelope(award, growth)
    position = ledger.position(fund)
    if growth.minor > 0 and position.available_after(growth).minor < 0:
        raise Refused(
            _(
                "Only %(available)s is available in this fund: the grant cannot grow by "
                "%(amount)s and the support costs that it brings.",
                available=_said(position.available),
                amount=_said(growth),
            ),
            rule="R19",
        )


def _refuse_beyond_envelope(award: Award, growth: Money) -> None:
    """Refuse an amount with which the call would have granted more than its envelope (R19)."""
    call = award.application.call
    granted = usd(granted_in(call))
    if granted + growth > call.envelope:
        raise Refused(
            _(
                "This call has granted %(granted)s of its envelope of %(envelope)s: the grant "
                "cannot grow by %(amount)s.",
                granted=_said(granted),
                envelope=_said(call.envelope),
                amount=_said(growth),
            ),
            rule="R19",
        )


def _refuse_amount(award: Award, amount_usd: int) -> None:
    if amount_usd <= 0:
        raise Refused(_("The amount of the grant must be above zero."), rule="R9")
    ceiling = award.application.call.ceiling
    if ceiling is not None and amount_usd > ceiling:
        raise Refused(
            _(
                "The grant would be above the ceiling of this call, %(ceiling)s.",
                ceiling=_said(usd(ceiling)),
            ),
            rule="R9",
        )


def _refuse_lines(award: Award, terms: Terms) -> None:
    before = {line.position: line.amount_usd for line in award.budget}
    fault = rules.lines_fault(before, terms, award.fund.budget)
    if fault:
        raise Refused(_line_sentence(award, fault), rule="R10")
    difference = sum(line.amount_usd for line in terms.lines) - terms.amount_usd
    values = {"amount": _said(usd(terms.amount_usd)), "difference": _said(usd(abs(difference)))}
    if difference > 0:
        raise Refused(
            _("The lines must add up to %(amount)s; they are %(difference)s above it.", **values),
            rule="R18",
        )
    if difference < 0:
        raise Refused(
            _("The lines must add up to %(amount)s; they are %(difference)s below it.", **values),
            rule="R18",
        )


def _line_sentence(award: Award, fault: str) -> str:
    budget = award.fund.budget
    return {
        "lines": _("Give an amount of zero or more for each line of the budget."),
        "negative": _("Give an amount of zero or more for each line of the budget."),
        "empty": _("A new line needs its category, what it is for, and an amount above zero."),
        "category": _("A new line stands in one of the categories of the fund."),
        "many": _("The fund takes %(most)s lines at most.", most=budget.lines_max),
        "audit": _(
            "A budget above %(limit)s has a line for an audit.",
            limit=_said(usd(budget.audit_line_above_usd_minor)),
        ),
    }[fault]


def _refuse_days(award: Award, ends_on: date) -> None:
    latest = eligibility.latest_end(award.application.call, award.starts_on)
    fault = award_rules.days_fault(award.starts_on, ends_on, clock.today(), latest)
    if fault == "limit" and latest is not None:
        raise Refused(
            _(
                "Activities that begin on %(first)s end on %(latest)s at the latest: the fund "
                "sets how long they may last.",
                first=format_day(award.starts_on),
                latest=format_day(latest),
            ),
            rule="R9",
        )
    if fault:
        sentences = {
            "order": _("The last day of the activities is before the first."),
            "over": _("The new last day has passed. Give one that is still to come."),
            "long": _("The activities would last more than five years. Look at the year again."),
        }
        raise Refused(sentences[fault], rule="R9")


def _said(money: Money) -> str:
    return format_money(money, str(locale()))
