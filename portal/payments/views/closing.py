"""The end of a grant: the file that closes."""

from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.awards import policy as awards
from portal.core.i18n import _
from portal.core.pages import done, go, page
from portal.core.web import Form
from portal.payments import queries, service
from portal.payments.service.closing import open_matter
from portal.payments.views.blueprint import blueprint, case


@blueprint.route("/files/<ref>/payments/close", methods=["GET", "POST"])
@guard.members_only
def close(ref: str) -> ResponseReturnValue:
    """Ask, then close the file; or say what is still open."""
    application, award = case(ref)
    person = guard.signed_in()
    if not awards.can_manage(person, award):
        raise NotFound
    form = Form()
    if done(form, lambda: service.close_award(award, by=person), _("The file is closed.")):
        return go(url_for("applications.overview", ref=ref))
    found = queries.account(award)
    return page(
        "payments/close.html",
        form,
        application=application,
        award=award,
        standing=found.standing,
        still_open=open_matter(found.standing),
    )
