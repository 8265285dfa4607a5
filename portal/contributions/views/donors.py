"""Donors and earmarks: the list, one donor, and what is recorded of both."""

from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.accounts.models import Person
from portal.contributions import policy, queries, service
from portal.contributions.forms import DonorForm, EarmarkForm, MergeForm, as_donor
from portal.contributions.models import Donor, DonorKind
from portal.contributions.service.receiving import by_hand
from portal.contributions.views.blueprint import (
    blueprint,
    demand,
    done,
    donor_or_404,
    earmark_or_404,
    listed,
    page,
    recordable,
    show,
    writable,
)
from portal.core.i18n import _
from portal.core.pages import go
from portal.core.web import Form, choices, tell
from portal.funds.queries import open_calls


def writes_or_records(person: Person) -> bool:
    """Let in whoever may record a donor: who looks after them, and who records their money."""
    return policy.writes(person) or policy.records(person)


@blueprint.get("/contributions/donors")
@guard.requires(policy.reads)
def donors() -> ResponseReturnValue:
    """List the donors that the reader may see."""
    return listed(
        "contributions/donors.html",
        "contributions.donors",
        queries.donors,
        kinds=list(DonorKind),
        may_write=writes_or_records(guard.signed_in()),
    )


@blueprint.route("/contributions/donors/new", methods=["GET", "POST"])
@guard.requires(writes_or_records)
def new_donor() -> ResponseReturnValue:
    """Record a donor."""
    form = DonorForm()
    form.offer()
    made: list[Donor] = []
    if done(
        form,
        lambda: made.append(service.record_donor(form.facts(), by=guard.signed_in())),
        _("The donor is recorded."),
    ):
        return go(url_for("contributions.donor", ref=made[0].ref))
    return page("contributions/edit_donor.html", form, donor=None)


@blueprint.get("/contributions/donors/<ref>")
@guard.requires(policy.reads)
def donor(ref: str) -> ResponseReturnValue:
    """Show what a donor promised, signed and gave."""
    found, person = donor_or_404(ref), guard.signed_in()
    here = found.merged_into_id is None
    own = recordable(person) if here else []
    looked_after = own or (writable(person) if here else [])
    return show(
        "contributions/donor.html",
        donor=found,
        pledges=queries.pledges_of(person, found),
        agreements=queries.agreements_of(person, found),
        contributions=queries.contributions_of(person, found),
        may_edit=here and policy.writes(person),
        may_record=bool(own),
        by_hand=by_hand([each.code for each in looked_after]) if looked_after else None,
    )


@blueprint.route("/contributions/donors/<ref>/edit", methods=["GET", "POST"])
@guard.requires(policy.writes)
def edit_donor(ref: str) -> ResponseReturnValue:
    """Correct what is recorded of a donor."""
    found, person = donor_or_404(ref), guard.signed_in()
    form = DonorForm(data=as_donor(found))
    form.offer()
    if done(
        form,
        lambda: service.edit_donor(found, form.facts(), by=person),
        _("The donor is corrected."),
    ):
        return go(url_for("contributions.donor", ref=ref))
    return page("contributions/edit_donor.html", form, donor=found)


@blueprint.route("/contributions/donors/<ref>/merge", methods=["GET", "POST"])
@guard.requires(policy.writes)
def merge_donor(ref: str) -> ResponseReturnValue:
    """Ask, then say that a donor is the same as another one."""
    found, person = donor_or_404(ref), guard.signed_in()
    others = queries.donor_choices(person, found)
    form = MergeForm()
    form.into.choices = choices(others)
    if done(
        form,
        lambda: service.merge_donors(found, donor_or_404(form.into.data), by=person),
        _("The two are one donor now."),
    ):
        return go(url_for("contributions.donor", ref=form.into.data))
    return page("contributions/merge_donor.html", form, donor=found, others=others)


@blueprint.route("/contributions/earmarks", methods=["GET", "POST"])
@guard.requires(policy.reads)
def earmarks() -> ResponseReturnValue:
    """List what gifts can be meant for, and let an officer add to it."""
    person = guard.signed_in()
    own = writable(person)
    calls = [call for call in open_calls() if policy.can_write(person, call.fund_code)]
    form = EarmarkForm()
    form.offer(own, calls)
    if form.is_submitted():
        demand(bool(own))
    chosen = next((call for call in calls if call.ref == form.call.data), None)
    if done(
        form,
        lambda: service.make_earmark(
            form.fund.data,
            form.title.data,
            by=person,
            country=form.country.data or None,
            call=chosen,
        ),
        _("The earmark can be chosen now."),
    ):
        return go(url_for("contributions.earmarks"))
    return page(
        "contributions/earmarks.html",
        form,
        earmarks=queries.earmarks(person),
        may_write=bool(own),
        own={each.code for each in own},
    )


@blueprint.post("/contributions/earmarks/<uuid:earmark_id>/retire")
@guard.requires(policy.writes)
def retire_earmark(earmark_id: UUID) -> ResponseReturnValue:
    """Offer an earmark no more."""
    if Form().validate_on_submit():
        service.retire_earmark(earmark_or_404(earmark_id), by=guard.signed_in())
        tell(_("The earmark is offered no more. Gifts that carry it keep it."))
    return go(url_for("contributions.earmarks"))
