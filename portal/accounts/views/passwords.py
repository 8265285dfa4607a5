"""A forgotten password: asking for a link, and using it."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard, service
from portal.accounts.forms import ForgotForm, PasswordForm, ResetForm
from portal.accounts.models import LinkPurpose
from portal.accounts.views.blueprint import agent, blueprint, network, spent_link
from portal.core.i18n import _
from portal.core.pages import go, page, refuse
from portal.core.web import public, tell
from portal.core.workflow import Refused


@blueprint.route("/forgot", methods=["GET", "POST"])
@public
def forgot() -> ResponseReturnValue:
    """Ask where to send a link. The answer is the same for known and unknown addresses."""
    form = ForgotForm()
    if form.validate_on_submit():
        service.send_reset_link(form.email.data)
        return go(url_for("accounts.forgot_sent"))
    return page("accounts/forgot.html", form)


@blueprint.get("/forgot/sent")
@public
def forgot_sent() -> ResponseReturnValue:
    """Say that a message is on its way, if the address belongs to somebody."""
    return render_template("accounts/forgot_sent.html")


@blueprint.route("/reset/<token>", methods=["GET", "POST"])
@public
def reset(token: str) -> ResponseReturnValue:
    """Choose a new password by a link."""
    link = service.find_link(token, LinkPurpose.RESET)
    if link is None:
        return spent_link()
    form = ResetForm(email=link.email)
    if form.validate_on_submit():
        try:
            service.reset_password(token, form.password.data)
        except Refused as refused:
            refuse(form, refused)
        else:
            guard.leave()
            tell(_("The new password is set, and every session has ended. Sign in with it."))
            return go(url_for("accounts.sign_in"))
    return page("accounts/reset.html", form, email=link.email)


@blueprint.route("/account/password", methods=["GET", "POST"])
@guard.members_only
def change_password() -> ResponseReturnValue:
    """Change one's password; all other sessions end."""
    person = guard.signed_in()
    form = PasswordForm(person)
    if form.validate_on_submit():
        try:
            entry = service.change_password(
                person,
                form.old_password.data,
                form.new_password.data,
                network=network(),
                agent=agent(),
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            guard.begin(entry)
            tell(_("The password is changed. You are signed out everywhere else."))
            return go(url_for("accounts.profile"))
    return page("accounts/change_password.html", form)
