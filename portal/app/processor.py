"""The card processor's door, and the page of what it told.

Anybody may knock at the door: only what the processor has signed is kept. What is done about it
belongs to the features, and is done by the worker.
"""

from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from werkzeug.exceptions import NotFound, RequestEntityTooLarge

from portal.accounts import guard
from portal.accounts.models import Person, Role
from portal.core import stripe
from portal.core.db import session
from portal.core.i18n import _, ngettext
from portal.core.paging import pager, select_page
from portal.core.stripe.events import try_again
from portal.core.stripe.models import EventState, StripeEvent
from portal.core.todo import Todo
from portal.core.web import Form, csrf, public, tell

blueprint = Blueprint("processor", __name__)

MOST_BYTES = 512 * 1024
"""The largest message that is read; the processor's own are a few KiB."""
UNREADABLE = 400


def reads(person: Person) -> bool:
    """Say whether the person may read what the card processor told."""
    return person.holds_any(Role.TREASURY, Role.FINANCE_OFFICER, Role.AUDITOR)


def repeats(person: Person) -> bool:
    """Say whether the person may have a message worked on again."""
    return person.holds_any(Role.TREASURY, Role.FINANCE_OFFICER)


def todos(person: Person) -> list[Todo]:
    """Return the messages that failed, as one task. At most one SQL statement."""
    if not repeats(person):
        return []
    failed = session.scalar(
        select(func.count()).select_from(StripeEvent).where(StripeEvent.state == EventState.FAILED)
    )
    if not failed:
        return []
    title = ngettext(
        "%(num)s message of the card processor failed: look at its reason",
        "%(num)s messages of the card processor failed: look at their reasons",
        failed,
    )
    return [Todo(title, "processor.messages")]


@blueprint.post("/webhooks/stripe")
@public
def webhook() -> ResponseReturnValue:
    """Keep a signed message; answer 400 to anything else. The worker is woken after the commit."""
    if not stripe.is_on():
        raise NotFound
    raw = request.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise RequestEntityTooLarge
    try:
        stripe.take(raw, request.headers.get("Stripe-Signature"))
    except stripe.BadSignature as bad:
        return Response(bad.sentence, UNREADABLE, mimetype="text/plain")
    return Response("kept", mimetype="text/plain")


csrf.exempt(webhook)


@blueprint.get("/card-processor")
@guard.requires(reads)
def messages() -> ResponseReturnValue:
    """List what the card processor told, what failed first."""
    failed_first = (StripeEvent.state != EventState.FAILED, StripeEvent.received_at.desc())
    rows = select(StripeEvent).order_by(*failed_first, StripeEvent.id)
    page = select_page(rows, request.args.get("page", 1, int))
    return render_template(
        "app/messages.html",
        events=page.rows,
        pager=pager(page, lambda number: url_for("processor.messages", page=number)),
        may_repeat=repeats(guard.signed_in()),
        is_on=stripe.is_on(),
    )


@blueprint.post("/card-processor/<uuid:event_id>/again")
@guard.requires(repeats)
def again(event_id: UUID) -> ResponseReturnValue:
    """Have a message worked on again, now."""
    event = session.get(StripeEvent, event_id)
    if event is None:
        raise NotFound
    if Form().validate_on_submit():
        try_again(event, by=guard.signed_in().id)
        tell(_("The message is worked on again. Reload this page in a moment."), "wait")
    return redirect(url_for("processor.messages"), code=303)
