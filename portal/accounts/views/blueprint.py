"""The blueprint of accounts, and what its views share."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts import rules

blueprint = Blueprint("accounts", __name__)

GONE = 410


def network() -> str:
    """Return the network that the request came from, for the throttle."""
    return rules.network_of(request.remote_addr)


def agent() -> str:
    """Return what the browser calls itself, for the list of one's own sessions."""
    return request.headers.get("User-Agent", "")


def spent_link() -> ResponseReturnValue:
    """Say that a link does not open anything any more, and how to get another."""
    return render_template("accounts/spent_link.html"), GONE
