"""Opening an account: registering, confirming the address, joining by a link."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard, service
from portal.accounts.forms import IdentityForm, JoinForm, RegisterForm
from portal.accounts.models import LinkPurpose, OneTimeLink, Organisation, Person
from portal.accounts.views.blueprint import agent, blueprint, network, spent_link
from portal.core.db import session
from portal.core.i18n import _, language
from portal.core.pages import go, page, refuse
from portal.core.web import Form, public, tell
from portal.core.workflow import Refused


@blueprint.route("/register", methods=["GET", "POST"])
@public
def register() -> ResponseReturnValue:
    """Ask for what an account needs. The answer is the same for known and unknown addresses."""
    if guard.visitor():
        return redirect(url_for("home.show"))
    form = RegisterForm()
    if form.validate_on_submit():
        try:
            service.register(
                email=form.email.data,
                name=form.name.data,
                password=form.password.data,
                language=language(),
                time_zone=form.time_zone.data or "",
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            return go(url_for("accounts.registered"))
    return page("accounts/register.html", form)


@blueprint.get("/register/sent")
@public
def registered() -> ResponseReturnValue:
    """Say that a message is on its way; nothing here tells whether the address was known."""
    return render_template("accounts/registered.html")


@blueprint.route("/confirm/<token>", methods=["GET", "POST"])
@public
def confirm(token: str) -> ResponseReturnValue:
    """Confirm an address by the link and the password of the registration."""
    link = service.find_link(token, LinkPurpose.CONFIRM)
    if link is None:
        return spent_link()
    form = IdentityForm()
    if form.validate_on_submit():
        try:
            entry = service.confirm(token, form.password.data, network=network(), agent=agent())
        except Refused as refused:
            refuse(form, refused)
        else:
            guard.begin(entry)
            tell(_("Your address is confirmed, and you are signed in."))
            return go(url_for("home.show"))
    return page("accounts/confirm.html", form, email=link.email)


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@public
def join(token: str) -> ResponseReturnValue:
    """Accept an invitation: with a new account, or with the one that has the address."""
    link = service.find_link(token, LinkPurpose.INVITE, LinkPurpose.ADMIN)
    if link is None:
        return spent_link()
    person = guard.visitor()
    if person is not None:
        return _join_as(person, link, token)
    if service.has_account(link.email):
        context = {"link": link, "host": _host(link), "state": "sign_in", "token": token}
        return render_template("accounts/join.html", form=None, **context)
    form = JoinForm(email=link.email)
    if form.validate_on_submit():
        try:
            entry = service.join_by_link(
                token,
                name=form.name.data,
                password=form.password.data,
                language=language(),
                agent=agent(),
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            return _welcome(entry)
    return page("accounts/join.html", form, link=link, host=_host(link), state="new", token=token)


def _join_as(person: Person, link: OneTimeLink, token: str) -> ResponseReturnValue:
    """Let somebody who is signed in accept, if the link went to their address."""
    form = Form()
    state = "accept" if person.email == link.email else "other"
    if state == "accept" and form.validate_on_submit():
        try:
            if link.purpose is LinkPurpose.ADMIN:
                service.accept_admin_link(token, person)
            else:
                service.accept_invite(token, by=person)
        except Refused as refused:
            refuse(form, refused)
        else:
            return _welcome(service.start_session(person, agent()))
    return page("accounts/join.html", form, link=link, host=_host(link), state=state, token=token)


def _welcome(entry: service.Entry) -> ResponseReturnValue:
    guard.begin(entry)
    tell(_("You have joined, and you are signed in."))
    return go(url_for("home.show"))


def _host(link: OneTimeLink) -> Organisation | None:
    """Return the organisation that a link leads to, if it leads to one."""
    return session.get(Organisation, link.organisation_id) if link.organisation_id else None
