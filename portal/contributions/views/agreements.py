"""Agreements with donors: drafted, confirmed by a second person, cancelled; and their reminders."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.contributions import policy, queries, rules, service
from portal.contributions.forms import (
    ROWS,
    AgreementForm,
    CancelForm,
    ConfirmAgreementForm,
    as_agreement,
)
from portal.contributions.models import (
    AgreementStatus,
    ContributionAgreement,
    Donor,
    Pledge,
)
from portal.contributions.service.receiving import by_hand
from portal.contributions.views.blueprint import (
    agreement_or_404,
    blueprint,
    demand,
    done,
    donor_or_404,
    earmarks_of,
    listed,
    page,
    pledge_or_404,
    show,
    writable,
)
from portal.contributions.workflow import AGREEMENT_WORKFLOW
from portal.core import clock
from portal.core.i18n import _, language
from portal.core.money import format_amount
from portal.core.pages import go
from portal.core.web import Form, hand_out


@blueprint.get("/contributions/agreements")
@guard.requires(policy.reads)
def agreements() -> ResponseReturnValue:
    """List what was signed."""
    return listed(
        "contributions/agreements.html",
        "contributions.agreements",
        queries.agreements,
        statuses=list(AgreementStatus),
    )


@blueprint.route("/contributions/donors/<ref>/agreement", methods=["GET", "POST"])
@guard.requires(policy.writes)
def new_agreement(ref: str) -> ResponseReturnValue:
    """Draft what a donor signed, on a pledge where there is one."""
    donor, person = donor_or_404(ref), guard.signed_in()
    pledge = _pledge(donor)
    form, earmarks = _form(person, _from(pledge))
    made: list[ContributionAgreement] = []

    def draft() -> None:
        found = service.draft_agreement(
            donor, form.fund.data, form.terms(earmarks), by=person, pledge=pledge
        )
        _keep_paper(found, form.paper.data, person)
        made.append(found)

    if not _more_rows(form) and done(
        form, draft, _("The draft is saved. A finance officer of the fund confirms it.")
    ):
        return go(url_for("contributions.agreement", ref=made[0].ref))
    return page(
        "contributions/edit_agreement.html", form, donor=donor, agreement=None, pledge=pledge
    )


def _pledge(donor: Donor) -> Pledge | None:
    """Return the pledge that the address names. Raises NotFound for another donor's."""
    ref = request.args.get("pledge", "")
    if not ref:
        return None
    found = pledge_or_404(ref)
    demand(found.donor_id == donor.id)
    return found


def _from(pledge: Pledge | None) -> dict[str, Any]:
    """Return what the form begins with: what was pledged."""
    if pledge is None:
        return {"signed_on": clock.today()}
    return {
        "fund": pledge.fund_code,
        "currency": pledge.currency,
        "amount": format_amount(pledge.money, language()),
        "earmark": str(pledge.earmark_id or ""),
        "signed_on": clock.today(),
    }


def _form(person: Person, data: dict[str, Any]) -> tuple[AgreementForm, list[Any]]:
    own = writable(person)
    earmarks = earmarks_of(own)
    form = AgreementForm(data=data)
    form.offer(own, queries.currencies(), earmarks)
    return form, earmarks


def _more_rows(form: AgreementForm) -> bool:
    """Add rows to the schedule where somebody asked for them, and say whether they did."""
    if "more" not in request.form:
        return False
    room = rules.MOST_INSTALMENTS - len(form.schedule.entries)
    for _row in range(min(ROWS, room)):
        form.schedule.append_entry()
    return True


def _keep_paper(agreement: ContributionAgreement, upload: Any, by: Person) -> None:
    if upload and upload.filename:
        service.add_paper(agreement, upload.stream, upload.filename, by=by)


@blueprint.get("/contributions/agreements/<ref>")
@guard.requires(policy.reads)
def agreement(ref: str) -> ResponseReturnValue:
    """Show an agreement: its schedule with what is open, what came, and what can be done."""
    found, person = agreement_or_404(ref), guard.signed_in()
    in_force = found.status is AgreementStatus.IN_FORCE
    may_record = in_force and policy.can_record(person, found.fund_code)
    may_remind = in_force and policy.can_write(person, found.fund_code)
    return show(
        "contributions/agreement.html",
        agreement=found,
        dues=rules.dues(found.instalments, found.settled, found.currency, clock.today()),
        contributions=queries.contributions_under(found),
        offers={each.action: each for each in AGREEMENT_WORKFLOW.offers(person, found)},
        may_edit=found.status is AgreementStatus.DRAFT and policy.can_draft(person, found),
        may_record=may_record,
        may_remind=may_remind,
        by_hand=by_hand([found.fund_code]) if may_record or may_remind else None,
        events=queries.history(found.id),
    )


@blueprint.route("/contributions/agreements/<ref>/edit", methods=["GET", "POST"])
@guard.requires(policy.writes)
def edit_agreement(ref: str) -> ResponseReturnValue:
    """Correct a draft."""
    found, person = agreement_or_404(ref), guard.signed_in()
    demand(policy.can_draft(person, found))
    form, earmarks = _form(person, as_agreement(found))

    def edit() -> None:
        service.edit_draft(found, form.terms(earmarks), by=person)
        _keep_paper(found, form.paper.data, person)

    if not _more_rows(form) and done(form, edit, _("The draft is saved.")):
        return go(url_for("contributions.agreement", ref=ref))
    return page(
        "contributions/edit_agreement.html",
        form,
        donor=found.donor,
        agreement=found,
        pledge=None,
    )


@blueprint.get("/contributions/agreements/<ref>/paper")
@guard.requires(policy.reads)
def paper(ref: str) -> ResponseReturnValue:
    """Hand out the signed paper."""
    found = agreement_or_404(ref)
    if found.paper is None:
        raise NotFound
    return hand_out(found.paper)


@blueprint.route("/contributions/agreements/<ref>/confirm", methods=["GET", "POST"])
@guard.requires(policy.records)
def confirm_agreement(ref: str) -> ResponseReturnValue:
    """Ask, then confirm a draft and book it; a draft that changed meanwhile is shown again."""
    found, person = agreement_or_404(ref), guard.signed_in()
    demand(policy.can_confirm(person, found))
    form = ConfirmAgreementForm()
    if done(
        form,
        lambda: service.confirm_agreement(found, form.digest.data or "", by=person),
        _("The agreement is in force, and what the donor owes is booked."),
    ):
        return go(url_for("contributions.agreement", ref=ref))
    form.digest.data = service.terms_digest(found)
    return page("contributions/confirm_agreement.html", form, agreement=found)


@blueprint.route("/contributions/agreements/<ref>/discard", methods=["GET", "POST"])
@guard.requires(policy.writes)
def discard_agreement(ref: str) -> ResponseReturnValue:
    """Ask, then set a draft aside."""
    found, person = agreement_or_404(ref), guard.signed_in()
    demand(policy.can_draft(person, found))
    form = Form()
    if done(
        form,
        lambda: service.discard_draft(found, by=person),
        _("The draft is set aside."),
        "wait",
    ):
        return go(url_for("contributions.agreement", ref=ref))
    return page("contributions/discard_agreement.html", form, agreement=found)


@blueprint.route("/contributions/agreements/<ref>/cancel", methods=["GET", "POST"])
@guard.requires(policy.records)
def cancel_agreement(ref: str) -> ResponseReturnValue:
    """Ask, then book that the rest will not come."""
    found, person = agreement_or_404(ref), guard.signed_in()
    demand(policy.can_cancel(person, found))
    form = CancelForm(data={"on": clock.today()})
    if done(
        form,
        lambda: service.cancel_agreement(found, form.reason.data, form.on.data, by=person),
        _("What was still to come is taken off the books."),
        "wait",
    ):
        return go(url_for("contributions.agreement", ref=ref))
    return page("contributions/cancel_agreement.html", form, agreement=found)


@blueprint.get("/contributions/agreements/<ref>/reminder")
@guard.requires(policy.writes)
def reminder(ref: str) -> ResponseReturnValue:
    """Show the text of a letter that asks for what is due; the officer sends it, or does not."""
    found, person = agreement_or_404(ref), guard.signed_in()
    demand(policy.can_write(person, found.fund_code))
    dues = rules.dues(found.instalments, found.settled, found.currency, clock.today())
    return show(
        "contributions/reminder.html",
        agreement=found,
        dues=[each for each in dues if each.open],
    )
