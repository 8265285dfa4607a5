"""People and their roles: for administrators, who see no case file by that role."""

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard, service
from portal.accounts.models import NationalityReason, Person, Role, RoleGrant
from portal.admin import policy, queries
from portal.admin.forms import NationalityForm, RoleForm
from portal.admin.views.blueprint import asked, blueprint, go
from portal.core.i18n import _
from portal.core.pages import page, refuse
from portal.core.paging import pager
from portal.core.web import Form, tell
from portal.core.workflow import Refused
from portal.funds import queries as funds


@blueprint.get("/people")
@guard.requires(policy.can_administer)
def people() -> ResponseReturnValue:
    """List accounts, narrowed by name, address or role, page by page."""
    text, role = asked("text"), asked("role")
    found = queries.people(
        text, Role(role) if role in set(Role) else None, request.args.get("page", 1, type=int)
    )
    return render_template(
        "admin/people.html",
        page=found,
        text=text,
        role=role,
        roles=list(Role),
        fund_names=_fund_names(),
        pager=pager(
            found,
            lambda number: url_for(
                "admin.people", page=number, text=text or None, role=role or None
            ),
        ),
    )


@blueprint.get("/people/<uuid:ref>")
@guard.requires(policy.can_administer)
def person(ref: UUID) -> ResponseReturnValue:
    """Show somebody's account, with every role they hold or held."""
    found = _person(ref)
    grants = sorted(found.roles, key=lambda grant: (grant.from_day, grant.id), reverse=True)
    givers = {grant.granted_by_id for grant in grants} | {grant.ended_by_id for grant in grants}
    return render_template(
        "admin/person.html",
        person=found,
        grants=grants,
        names=queries.names({giver for giver in givers if giver}),
        own=found.id == guard.signed_in().id,
        fund_names=_fund_names(),
    )


@blueprint.route("/people/<uuid:ref>/roles/new", methods=["GET", "POST"])
@guard.freshly(policy.can_administer)
def grant_role(ref: UUID) -> ResponseReturnValue:
    """Give somebody a role, from a day to a day, for a fund and a country."""
    found = _other(ref)
    form = RoleForm(funds.profiles())
    if form.validate_on_submit():
        try:
            service.grant_role(found, Role(form.role.data), by=guard.signed_in(), **form.terms())
        except Refused as refused:
            refuse(form, refused)
        else:
            tell(_("The role is granted. The person has to sign in again."))
            return go("admin.person", ref=ref)
    return page("admin/grant_role.html", form, person=found)


@blueprint.route("/people/<uuid:ref>/roles/<uuid:grant>/end", methods=["GET", "POST"])
@guard.freshly(policy.can_administer)
def end_role(ref: UUID, grant: UUID) -> ResponseReturnValue:
    """End a role at once."""
    found = _other(ref)
    held = _grant(found, grant)
    form = Form()
    if form.validate_on_submit():
        service.end_role(held, by=guard.signed_in())
        tell(_("The role is ended."))
        return go("admin.person", ref=ref)
    return page("admin/end_role.html", form, person=found, grant=held, fund_names=_fund_names())


@blueprint.route("/people/<uuid:ref>/nationality", methods=["GET", "POST"])
@guard.freshly(policy.can_administer)
def correct_nationality(ref: UUID) -> ResponseReturnValue:
    """Correct somebody's nationality, with the reason: who reviews cannot change their own."""
    found = _other(ref)
    form = NationalityForm(found)
    if form.validate_on_submit():
        service.correct_nationality(
            found,
            form.nationality.data or None,
            NationalityReason(form.reason.data),
            by=guard.signed_in(),
        )
        tell(_("The nationality is corrected. The person has to sign in again."))
        return go("admin.person", ref=ref)
    return page("admin/correct_nationality.html", form, person=found)


@blueprint.route("/people/<uuid:ref>/close", methods=["GET", "POST"])
@guard.freshly(policy.can_administer)
def close_account(ref: UUID) -> ResponseReturnValue:
    """Close an account: nobody signs in with it any more."""
    found = _other(ref)
    form = Form()
    if form.validate_on_submit():
        service.deactivate(found, by=guard.signed_in())
        tell(_("The account is closed."))
        return go("admin.person", ref=ref)
    return page("admin/close_account.html", form, person=found)


@blueprint.route("/people/<uuid:ref>/reopen", methods=["GET", "POST"])
@guard.freshly(policy.can_administer)
def reopen_account(ref: UUID) -> ResponseReturnValue:
    """Open a closed account again, with the roles that have not ended."""
    found = _other(ref)
    form = Form()
    if form.validate_on_submit():
        service.reactivate(found, by=guard.signed_in())
        tell(_("The account is open again."))
        return go("admin.person", ref=ref)
    return page("admin/reopen_account.html", form, person=found)


def _person(ref: UUID) -> Person:
    """Return somebody. Raises NotFound."""
    found = queries.person(ref)
    if found is None:
        raise NotFound
    return found


def _other(ref: UUID) -> Person:
    """Return somebody whose account the reader may change: never their own. Raises Refused."""
    found = _person(ref)
    if found.id == guard.signed_in().id:
        raise Refused(_("Nobody changes their own roles. Ask another administrator."))
    return found


def _grant(person: Person, grant: UUID) -> RoleGrant:
    """Return a role of somebody that has not been ended. Raises NotFound."""
    for held in person.roles:
        if held.id == grant and held.ended_at is None:
            return held
    raise NotFound


def _fund_names() -> dict[str, str]:
    """Return the funds' short names by code, to be translated."""
    return {fund.code: fund.short_name for fund in funds.profiles()}
