"""The blueprint of administration, and what its views share."""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

blueprint = Blueprint("admin", __name__)

TEXT_LIMIT = 100


def go(endpoint: str, **values: Any) -> ResponseReturnValue:
    """Send the browser on with a GET."""
    return redirect(url_for(endpoint, **values), code=303)


def asked(name: str) -> str:
    """Return what the address asks for under `name`, within bounds."""
    return request.args.get(name, "")[:TEXT_LIMIT].replace("\x00", "").strip()
