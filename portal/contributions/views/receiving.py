"""Money that came: the list, one contribution, a wire recorded by hand, and what went back."""

from collections.abc import Sequence

from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound
from wtforms.validators import ValidationError

from portal.accounts import guard
from portal.contributions import policy, queries, service
from portal.contributions.forms import CancelForm, RefundForm, WireForm, as_code, read_amount
from portal.contributions.models import (
    AgreementStatus,
    Contribution,
    ContributionAgreement,
    ContributionStatus,
    Donor,
    Means,
)
from portal.contributions.queries.cards import gift_of
from portal.contributions.service.receiving import bank_tells, by_hand
from portal.contributions.service.returning import booked_from_its_line, is_told_by_bank
from portal.contributions.service.taking import record_contributions_taken
from portal.contributions.views.blueprint import (
    agreement_or_404,
    blueprint,
    contribution_or_404,
    demand,
    done,
    donor_or_404,
    earmarks_of,
    listed,
    page,
    recordable,
    show,
    wanted,
)
from portal.core import clock
from portal.core.downloads import csv_file
from portal.core.i18n import _, language
from portal.core.money import Money, format_amount
from portal.core.pages import go
from portal.core.web import hand_out

REFUNDABLE = (ContributionStatus.RECEIVED, ContributionStatus.PARTLY_REFUNDED)


@blueprint.get("/contributions/received")
@guard.requires(policy.reads)
def contributions() -> ResponseReturnValue:
    """List the money that came."""
    person = guard.signed_in()
    return listed(
        "contributions/contributions.html",
        "contributions.contributions",
        queries.contributions,
        statuses=list(ContributionStatus),
        all_means=list(Means),
        years=queries.choices(person).years,
    )


@blueprint.post("/contributions/received.csv")
@guard.requires(policy.reads)
def contributions_csv() -> ResponseReturnValue:
    """Hand out the narrowed list for a spreadsheet. It names donors: that is an act of record."""
    person = guard.signed_in()
    found = queries.taken_out(person, wanted())
    record_contributions_taken(found, by=person)
    return csv_file("contributions.csv", *queries.as_table(found))


@blueprint.get("/contributions/received/<ref>")
@guard.requires(policy.reads)
def contribution(ref: str) -> ResponseReturnValue:
    """Show what came, what became of it, its receipt and its history."""
    found, person = contribution_or_404(ref), guard.signed_in()
    refundable = (
        found.means is Means.WIRE
        and found.status in REFUNDABLE
        and policy.can_refund(person, found)
    )
    told = refundable and bank_tells(found.fund_code, found.currency)
    by_line = is_told_by_bank(found) and policy.follows_lines(person, found.fund_code)
    return show(
        "contributions/contribution.html",
        contribution=found,
        line_id=found.source_ref.split(":")[1] if by_line else None,
        receipt=queries.receipt_of(found),
        gift=gift_of(found) if found.means is Means.CARD else None,
        may_refund=refundable and not told,
        told_by_bank=booked_from_its_line() if told else None,
        may_annul=found.means is Means.WIRE
        and not is_told_by_bank(found)
        and found.status is ContributionStatus.RECEIVED
        and policy.can_refund(person, found),
        events=queries.history(found.id),
    )


@blueprint.get("/contributions/received/<ref>/receipt")
@guard.requires(policy.reads)
def receipt(ref: str) -> ResponseReturnValue:
    """Hand out the receipt that holds now."""
    found = queries.receipt_of(contribution_or_404(ref))
    if found is None:
        raise NotFound
    return hand_out(found.document)


@blueprint.route("/contributions/donors/<ref>/wire", methods=["GET", "POST"])
@guard.freshly(policy.records)
def record_gift(ref: str) -> ResponseReturnValue:
    """Record a bank transfer of a donor without an agreement."""
    return _wire(donor_or_404(ref), None)


@blueprint.route("/contributions/agreements/<ref>/wire", methods=["GET", "POST"])
@guard.freshly(policy.records)
def record_wire(ref: str) -> ResponseReturnValue:
    """Record a bank transfer under an agreement."""
    found = agreement_or_404(ref)
    demand(policy.can_record(guard.signed_in(), found.fund_code))
    if found.status is not AgreementStatus.IN_FORCE:
        return go(url_for("contributions.agreement", ref=ref))
    return _wire(found.donor, found)


def _wire(donor: Donor, agreement: ContributionAgreement | None) -> ResponseReturnValue:
    person = guard.signed_in()
    own = recordable(person)
    earmarks = earmarks_of(own)
    currencies = _currencies([agreement.fund_code] if agreement else [each.code for each in own])
    form = WireForm(data=_begin(agreement, currencies))
    form.offer(own, currencies, earmarks)
    if agreement is not None:
        form.fund.data = agreement.fund_code
    made: list[Contribution] = []

    def record() -> None:
        money, code = form.money(), form.fund.data
        made.append(
            service.receive_wire(
                fund_code=code,
                amount=money,
                amount_usd=service.worth(money, form.on.data),
                on=form.on.data,
                source_ref=_by_hand(form),
                agreement=agreement,
                donor=donor,
                by=person,
                settles=_settles(form, agreement),
                earmark=form.chosen(earmarks),
            )
        )

    if _sound(form, agreement) and done(form, record, _("The money is booked; a receipt follows.")):
        return go(url_for("contributions.contribution", ref=made[0].ref))
    return page(
        "contributions/record_wire.html",
        form,
        donor=donor,
        agreement=agreement,
        there=queries.received_under(_by_hand(form)) if form.form_errors else None,
    )


def _by_hand(form: WireForm) -> str:
    """Return the reference under which a transfer that is typed is booked once."""
    return f"hand:{form.fund.data}:{as_code(form.reference.data)}"


def _currencies(fund_codes: Sequence[str]) -> list[str]:
    """Return the currencies that can be recorded; all where none can, for booking says why."""
    every, taken = queries.currencies(), by_hand(fund_codes).currencies
    return [each for each in every if each in taken] or every


def _begin(agreement: ContributionAgreement | None, currencies: Sequence[str]) -> dict[str, object]:
    begun: dict[str, object] = {"on": clock.today(), "currency": currencies[0]}
    if agreement is not None and agreement.currency in currencies:
        begun |= {
            "currency": agreement.currency,
            "amount": format_amount(agreement.open_money, language()),
        }
    return begun


def _sound(form: WireForm, agreement: ContributionAgreement | None) -> bool:
    """Check the amount that is settled, which only an agreement has; say so at its field."""
    if not form.validate_on_submit():
        return False
    try:
        _settles(form, agreement)
    except ValidationError as bad:
        form.settles.errors = [str(bad)]
        return False
    return True


def _settles(form: WireForm, agreement: ContributionAgreement | None) -> Money | None:
    if agreement is None or not form.settles.data:
        return None
    return read_amount(form.settles, agreement.currency)


@blueprint.route("/contributions/received/<ref>/refund", methods=["GET", "POST"])
@guard.requires(policy.records)
def refund(ref: str) -> ResponseReturnValue:
    """Record that a part or all of a bank transfer was sent back."""
    found, person = contribution_or_404(ref), guard.signed_in()
    demand(policy.can_refund(person, found) and found.means is Means.WIRE)
    form = RefundForm(data={"on": clock.today(), "amount": format_amount(found.kept, language())})
    if not form.is_submitted() and bank_tells(found.fund_code, found.currency):
        return go(url_for("contributions.contribution", ref=ref))
    typed: list[Money] = []

    def send_back() -> None:
        service.refund_wire(
            found,
            typed[0],
            form.on.data,
            source_ref=f"hand:{found.fund_code}:back:{as_code(form.reference.data)}",
            reason=form.reason.data,
            by=person,
        )

    if form.is_submitted():
        try:
            typed.append(read_amount(form.amount, found.currency))
        except ValidationError as bad:
            form.validate()
            form.amount.errors = [*form.amount.errors, str(bad)]
    if typed and done(form, send_back, _("The refund is booked; a new receipt follows."), "wait"):
        return go(url_for("contributions.contribution", ref=ref))
    return page("contributions/refund.html", form, contribution=found)


@blueprint.route("/contributions/received/<ref>/annul", methods=["GET", "POST"])
@guard.requires(policy.records)
def annul(ref: str) -> ResponseReturnValue:
    """Ask, then take back a bank transfer that was entered by mistake."""
    found, person = contribution_or_404(ref), guard.signed_in()
    demand(policy.can_refund(person, found) and found.means is Means.WIRE)
    form = CancelForm(data={"on": clock.today()})
    if done(
        form,
        lambda: service.annul_wire(found, form.reason.data, form.on.data, by=person),
        _("The contribution is taken back; its receipt is void."),
        "wait",
    ):
        return go(url_for("contributions.contribution", ref=ref))
    return page("contributions/annul.html", form, contribution=found)
