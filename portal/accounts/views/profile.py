"""One's own account."""

from flask import session as flask_session
from flask import url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard, queries, service
from portal.accounts.forms import ProfileForm
from portal.accounts.views.blueprint import blueprint
from portal.accounts.views.signing import farewell
from portal.core.i18n import _
from portal.core.pages import go, page, refuse
from portal.core.web import tell
from portal.core.workflow import Refused


@blueprint.route("/account", methods=["GET", "POST"])
@guard.members_only
def profile() -> ResponseReturnValue:
    """Show and change how the portal addresses somebody, and where they are signed in."""
    person = guard.signed_in()
    form = ProfileForm(person)
    if form.validate_on_submit():
        try:
            service.edit_profile(
                person,
                name=form.name.data,
                language=form.language.data,
                time_zone=form.time_zone.data,
                nationality=form.nationality.data or None,
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            flask_session["lang"] = person.language
            tell(_("Your profile is saved."))
            return go(url_for("accounts.profile"))
    present = guard.web_session()
    return page(
        "accounts/profile.html",
        form,
        person=person,
        sessions=queries.open_sessions(person),
        present=present.id if present else None,
    )


@blueprint.post("/account/sign-out-everywhere")
@guard.members_only
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session of the person, this one included."""
    service.end_all_sessions(guard.signed_in())
    return farewell()
