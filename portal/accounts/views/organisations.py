"""Organisations and their members."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard, policy, queries, service
from portal.accounts.forms import InviteForm, NewOrganisationForm, OrganisationForm
from portal.accounts.models import MemberRole, Membership, Organisation, Person
from portal.accounts.views.blueprint import blueprint
from portal.core.i18n import _
from portal.core.pages import go, page, refuse
from portal.core.web import Form, tell
from portal.core.workflow import Refused


@blueprint.get("/organisations")
@guard.members_only
def organisations() -> ResponseReturnValue:
    """List the organisations that the person works for."""
    return render_template(
        "accounts/organisations.html", rows=queries.organisations(guard.signed_in())
    )


@blueprint.route("/organisations/new", methods=["GET", "POST"])
@guard.members_only
def create_organisation() -> ResponseReturnValue:
    """Enter an organisation; whoever does becomes its legal representative."""
    form = NewOrganisationForm()
    if form.validate_on_submit():
        try:
            created = service.create_organisation(
                by=guard.signed_in(), title=form.title.data, **form.details()
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            tell(_("The organisation is entered. You are its legal representative."))
            return go(url_for("accounts.organisation", ref=created.id))
    return page("accounts/create_organisation.html", form)


@blueprint.get("/organisations/<uuid:ref>")
@guard.members_only
def organisation(ref: UUID) -> ResponseReturnValue:
    """Show an organisation and who works for it."""
    person = guard.signed_in()
    found = guard.get_or_404(Organisation, ref, policy.can_see_organisation)
    return render_template(
        "accounts/organisation.html",
        organisation=found,
        members=queries.members(found),
        person=person,
        manages=policy.can_manage(person, found),
    )


@blueprint.route("/organisations/<uuid:ref>/edit", methods=["GET", "POST"])
@guard.members_only
def edit_organisation(ref: UUID) -> ResponseReturnValue:
    """Correct the details of an organisation."""
    found = guard.get_or_404(Organisation, ref, policy.can_manage)
    form = OrganisationForm(obj=found)
    if form.validate_on_submit():
        try:
            service.edit_organisation(found, by=guard.signed_in(), **form.details())
        except Refused as refused:
            refuse(form, refused)
        else:
            tell(_("The details are saved."))
            return go(url_for("accounts.organisation", ref=found.id))
    return page("accounts/edit_organisation.html", form, organisation=found)


@blueprint.route("/organisations/<uuid:ref>/invite", methods=["GET", "POST"])
@guard.members_only
def invite(ref: UUID) -> ResponseReturnValue:
    """Invite a colleague by a message."""
    found = guard.get_or_404(Organisation, ref, policy.can_manage)
    form = InviteForm()
    if form.validate_on_submit():
        try:
            service.invite(
                found,
                email=form.email.data,
                role=MemberRole(form.role.data),
                by=guard.signed_in(),
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            tell(_("The invitation is on its way. Its link is good for 14 days."))
            return go(url_for("accounts.organisation", ref=found.id))
    return page("accounts/invite.html", form, organisation=found)


def _membership_or_404(organisation: Organisation, member: UUID) -> Membership:
    """Return a present membership of `organisation`. Raises NotFound."""
    for membership in queries.members(organisation):
        if membership.id == member:
            return membership
    raise NotFound


@blueprint.route("/organisations/<uuid:ref>/members/<uuid:member>/remove", methods=["GET", "POST"])
@guard.members_only
def remove_member(ref: UUID, member: UUID) -> ResponseReturnValue:
    """Ask, then end a membership: one's own, or a representative another's."""
    person = guard.signed_in()
    found = guard.get_or_404(Organisation, ref, policy.can_see_organisation)
    membership = _membership_or_404(found, member)
    if not policy.can_remove(person, membership):
        raise NotFound
    form = Form()
    if form.validate_on_submit():
        try:
            service.remove_member(membership, by=person)
        except Refused as refused:
            refuse(form, refused)
        else:
            tell(_("The membership has ended."))
            return go(_after_leaving(person, found))
    return page(
        "accounts/remove_member.html",
        form,
        organisation=found,
        membership=membership,
        own=membership.person_id == person.id,
    )


def _after_leaving(person: Person, organisation: Organisation) -> str:
    if policy.can_see_organisation(person, organisation):
        return url_for("accounts.organisation", ref=organisation.id)
    return url_for("accounts.organisations")


@blueprint.post("/organisations/<uuid:ref>/members/<uuid:member>/role")
@guard.members_only
def change_member_role(ref: UUID, member: UUID) -> ResponseReturnValue:
    """Make an editor a legal representative, or the other way round."""
    found = guard.get_or_404(Organisation, ref, policy.can_manage)
    membership = _membership_or_404(found, member)
    other = {
        MemberRole.EDITOR: MemberRole.REPRESENTATIVE,
        MemberRole.REPRESENTATIVE: MemberRole.EDITOR,
    }
    service.change_member_role(membership, role=other[membership.role], by=guard.signed_in())
    tell(_("The role is changed."))
    return go(url_for("accounts.organisation", ref=found.id))
