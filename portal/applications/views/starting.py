"""Starting: who may apply under a call, and one's own applications."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts import policy as accounts
from portal.accounts.models import Organisation, OrganisationKind
from portal.applications import eligibility, journey, queries, service
from portal.applications.forms import StartForm
from portal.applications.views.blueprint import blueprint
from portal.core.db import session
from portal.core.i18n import _, language
from portal.core.pages import go, page
from portal.core.web import tell
from portal.core.workflow import Refused
from portal.funds.models import Call
from portal.funds.queries import published_call


@blueprint.route("/calls/<ref>/apply", methods=["GET", "POST"])
@guard.members_only
def start(ref: str) -> ResponseReturnValue:
    """Choose who applies; say for each organisation whether it can, and by which rule."""
    call = published_call(ref)
    if call is None:
        raise NotFound
    organisations = list(session.scalars(accounts.visible_to(guard.signed_in())))
    standing = queries.standing(call, organisations)
    checked = {each.id: _against(call, each) for each in organisations if each.id not in standing}
    able = [each for each in organisations if each.id in checked and not checked[each.id]]
    form = StartForm.for_call(call, able, language())
    if form.validate_on_submit():
        chosen = _chosen(organisations, form.organisation.data)
        if chosen is None:
            form.organisation.errors = [_("Choose who applies.")]
        elif chosen.id in standing:
            return go(url_for("applications.tasks", ref=standing[chosen.id].ref))
        else:
            try:
                made = service.start(
                    call, chosen, by=guard.signed_in(), language=form.language.data
                )
            except Refused as refused:
                form.form_errors.append(refused.sentence)
            else:
                tell(
                    _("Your application has been started. Its reference is %(ref)s.", ref=made.ref)
                )
                return go(url_for("applications.tasks", ref=made.ref))
    return page(
        "applications/start.html",
        form,
        call=call,
        able=able,
        unable=[(each, checked[each.id]) for each in organisations if checked.get(each.id)],
        standing=[(each, standing[each.id]) for each in organisations if each.id in standing],
        kinds=[OrganisationKind(kind) for kind in call.fund.process.applicant_kinds],
    )


def _against(call: Call, organisation: Organisation) -> list[eligibility.Check]:
    """Return what speaks against an organisation's applying."""
    return [check for check in eligibility.before_start(call, organisation) if check.blocks]


def _chosen(organisations: list[Organisation], given: str | None) -> Organisation | None:
    try:
        wanted = UUID(given or "")
    except ValueError:
        return None
    return next((each for each in organisations if each.id == wanted), None)


@blueprint.get("/applications")
@guard.members_only
def mine() -> ResponseReturnValue:
    """List the applications of one's own organisations."""
    found = queries.mine(guard.signed_in())
    return render_template("applications/mine.html", applications=found, lines=journey.lines(found))
