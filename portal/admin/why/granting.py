"""What became of the grant: agreement, payments, reports, money paid back, and its end."""

from portal.admin import words
from portal.admin.why.amending import amended
from portal.admin.why.deciding import decided
from portal.admin.why.records import File, Row, day, moment
from portal.admin.why.steps import Part, Step, dollars, word
from portal.applications.models import Application
from portal.awards.models import InstalmentStatus, PayingAgent
from portal.core.formats import format_day
from portal.core.i18n import _, locale, translated
from portal.core.money import Money, format_money
from portal.payments.models import ApprovalStep, BankStatus, OrderStatus, ReceivableStatus
from portal.reports.models import ReportStatus, ReviewSide

ENDS = (
    "award.closed",
    "award.decline",
    "award.suspend",
    "award.resume",
    "award.terminate",
    "award.cancel",
)
"""What ends a grant, or interrupts it."""


def later(application: Application, file: File) -> list[Part]:
    """Return everything from the recommendation to the end."""
    parts = [Part(_("Recommendation and decision"), decided(file), _("Nothing is decided yet."))]
    if not file.of("awards"):
        return parts
    return [
        *parts,
        Part(_("Agreement"), _agreed(file), _("No agreement is issued yet."), _terms(file)),
        *amended(file),
        Part(_("Bank details"), _bank(file), _("No bank details were entered yet.")),
        *_payments(file),
        *_reports(application, file),
        Part(_("Money paid back"), _refunds(file), _("Nothing had to be paid back.")),
        Part(_("Closing"), _closed(file), _("The grant is not closed yet.")),
    ]


def _terms(file: File) -> list[tuple[str, str]]:
    award = file.one("awards")
    first, last = day(award["starts_on"]), day(award["ends_on"])
    return [
        (_("Grant"), award["ref"]),
        (_("Amount"), dollars(award["amount_usd"])),
        (_("Activities"), f"{format_day(first)} – {format_day(last)}" if first and last else ""),
        (_("Paid by"), word(PayingAgent, award["paying_agent"])[0]),
    ]


def _agreed(file: File) -> list[Step]:
    steps = []
    for row in file.of("agreements"):
        who, by = file.name(row["issued_by_id"]), row["digest"]
        steps.append(Step(_("Issued"), who, moment(row["issued_at"]), digest=by))
        if row["signed_at"]:
            name = row["signed_name"]
            steps.append(
                Step(
                    _("Signed by the grantee"),
                    name,
                    moment(row["signed_at"]),
                    digest=by,
                    tone="good",
                )
            )
        if row["countersigned_at"]:
            name = file.name(row["countersigned_by_id"])
            at = moment(row["countersigned_at"])
            steps.append(Step(_("Countersigned for the fund"), name, at, digest=by, tone="good"))
    return steps


def _bank(file: File) -> list[Step]:
    steps = []
    for row in file.of("bank"):
        name = file.name(row["entered_by_id"])
        steps.append(Step(_("Entered by the grantee"), name, moment(row["entered_at"])))
        if row["checked_at"]:
            label, tone = word(BankStatus, row["status"])
            name, at = file.name(row["checked_by_id"]), moment(row["checked_at"])
            steps.append(
                Step(
                    _("Checked by a second person"),
                    name,
                    at,
                    outcome=label,
                    tone=tone,
                    text=row["remark"],
                    rule="R21",
                )
            )
    return steps


def _payments(file: File) -> list[Part]:
    """Return a part for each instalment, with its orders and their signatures."""
    parts = []
    for row in file.of("instalments"):
        orders = [each for each in file.of("orders") if each["instalment_id"] == row["id"]]
        parts.append(
            Part(
                _("Instalment %(number)s", number=row["number"]),
                [step for order in orders for step in _order(order, file)],
                _("No payment was prepared yet."),
                [
                    (_("Planned"), dollars(row["planned_usd"])),
                    (_("Paid"), dollars(row["paid_usd"])),
                    (_("State"), word(InstalmentStatus, row["status"])[0]),
                ],
            )
        )
    return parts


def _order(row: Row, file: File) -> list[Step]:
    label, tone = word(OrderStatus, row["status"])
    money = format_money(Money(row["amount"], row["currency"]), str(locale()))
    steps = [
        Step(
            _("Payment order %(ref)s", ref=row["ref"]),
            file.name(row["prepared_by_id"]),
            moment(row["prepared_at"]),
            outcome=label,
            tone=tone,
            detail=money,
            text=row["remark"],
            digest=row["digest"],
        )
    ]
    for signed in file.of("approvals"):
        if signed["order_id"] == row["id"]:
            what, _tone = word(ApprovalStep, signed["step"])
            who, at = file.name(signed["person_id"]), moment(signed["at"])
            steps.append(Step(what, who, at, rule="R23", digest=signed["digest"]))
    if row["confirmed_at"]:
        paid_on = day(row["paid_on"])
        detail = _(
            "Paid on %(day)s, reference %(reference)s.",
            day=format_day(paid_on) if paid_on else "–",
            reference=row["agent_reference"],
        )
        who, at = file.name(row["confirmed_by_id"]), moment(row["confirmed_at"])
        steps.append(Step(_("Confirmed"), who, at, detail=detail, rule="R24", tone="good"))
    if row["acknowledged_at"]:
        who, at = file.name(row["acknowledged_by_id"]), moment(row["acknowledged_at"])
        steps.append(Step(_("Receipt acknowledged by the grantee"), who, at, tone="good"))
    return steps


def _reports(application: Application, file: File) -> list[Part]:
    """Return a part for each report that was begun, with the words of both sides."""
    titles = {rule.key: translated(rule.title) for rule in application.fund.reports}
    parts = []
    for row in file.of("reports"):
        due = day(row["due_on"])
        parts.append(
            Part(
                titles.get(row["key"], str(row["key"])),
                _report(row, file),
                _("Nothing was submitted yet."),
                [
                    (_("Due"), format_day(due) if due else ""),
                    (_("State"), word(ReportStatus, row["status"])[0]),
                    (_("Spending accepted"), dollars(row["accepted_usd"]) or _("not yet")),
                ],
            )
        )
    return parts


def _report(row: Row, file: File) -> list[Step]:
    steps = []
    if row["submitted_at"]:
        what = _("Submitted, round %(round)s", round=row["round"])
        who, at = file.name(row["submitted_by_id"]), moment(row["submitted_at"])
        steps.append(Step(what, who, at, digest=row["digest"] or ""))
    reviews = [each for each in file.of("report_reviews") if each["report_id"] == row["id"]]
    return steps + [_side(each, file) for each in reviews]


def _side(row: Row, file: File) -> Step:
    return Step(
        _(
            "%(side)s, round %(round)s",
            side=word(ReviewSide, row["side"])[0],
            round=row["round"],
        ),
        file.name(row["by_id"]),
        moment(row["at"]),
        outcome=_("Accepted") if row["accepted"] else _("Returned"),
        tone="good" if row["accepted"] else "stop",
        detail=dollars(row["accepted_usd"]),
        text=row["comment"],
        rule="R30",
    )


def _refunds(file: File) -> list[Step]:
    steps = []
    for row in file.of("receivables"):
        label, tone = word(ReceivableStatus, row["status"])
        due = day(row["due_on"])
        steps.append(
            Step(
                _("Money to be paid back"),
                at=moment(row["created_at"]),
                outcome=label,
                tone=tone,
                detail=_(
                    "%(amount)s, due on %(day)s.",
                    amount=dollars(row["amount_usd"]),
                    day=format_day(due) if due else "–",
                ),
                rule="R25",
            )
        )
        if row["settled_on"]:
            name, on = file.name(row["settled_by_id"]), day(row["settled_on"])
            detail = _("Reference %(reference)s.", reference=row["bank_reference"])
            steps.append(Step(_("Paid back"), name, on=on, detail=detail, tone="good"))
    return steps


def _closed(file: File) -> list[Step]:
    """Return what ended the grant or interrupted it, by the events of the award."""
    return [
        Step(
            words.in_words(event.action),
            file.name(str(event.actor_id)) if event.actor_id else "",
            event.at,
            tone="good" if event.action == "award.closed" else "wait",
            rule=event.rule or "",
        )
        for event, _before in file.events
        if event.action in ENDS
    ]
