"""The receipt that a donor fetches by the link in the message, without an account."""

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.contributions import queries, service
from portal.contributions.views.blueprint import blueprint
from portal.core.web import hand_out, public


@blueprint.get("/receipts/<ref>/<token>")
@public
def fetch_receipt(ref: str, token: str) -> ResponseReturnValue:
    """Hand out the receipt that holds now, to whoever has its link."""
    found = queries.contribution_by_ref(ref)
    if found is None or not service.opens(token, found):
        raise NotFound
    receipt = queries.receipt_of(found)
    if receipt is None:
        return render_template("contributions/receipt_follows.html", contribution=found)
    return hand_out(receipt.document)
