"""Messages that left: to be read in a demonstration, elsewhere only whether they arrived."""

from uuid import UUID

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.admin import policy, queries, service
from portal.admin.views.blueprint import asked, blueprint, go
from portal.core.config import Settings
from portal.core.i18n import _
from portal.core.outbox import MessageState
from portal.core.paging import pager
from portal.core.web import set_access, tell


def _is_demo() -> bool:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.demo


def _readers() -> ResponseReturnValue | None:
    """Let in anybody in a demonstration, elsewhere administrators. Raises NotFound."""
    person = guard.visitor()
    if _is_demo():
        return None
    if person is None:
        return guard.ask_to_sign_in()
    if not policy.can_administer(person):
        raise NotFound
    return None


@blueprint.get("/outbox")
def outbox() -> ResponseReturnValue:
    """List messages, the latest first; what they say only in a demonstration."""
    text, state = asked("text"), asked("state")
    found = queries.messages(
        text,
        MessageState(state) if state in set(MessageState) else None,
        request.args.get("page", 1, type=int),
    )
    reader = guard.visitor()
    return render_template(
        "admin/outbox.html",
        page=found,
        text=text,
        state=state,
        states=list(MessageState),
        with_bodies=_is_demo(),
        may_retry=reader is not None and policy.can_administer(reader),
        pager=pager(
            found,
            lambda number: url_for(
                "admin.outbox", page=number, text=text or None, state=state or None
            ),
        ),
    )


set_access(outbox, _readers)


@blueprint.post("/outbox/<uuid:ref>/retry")
@guard.requires(policy.can_administer)
def retry(ref: UUID) -> ResponseReturnValue:
    """Put a message that failed back, to be sent again."""
    found = queries.message(ref)
    if found is None:
        raise NotFound
    service.retry(found, by=guard.signed_in())
    tell(_("The message will be sent again."))
    return go("admin.outbox")
