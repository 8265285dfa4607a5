"""The blueprint of reviews, and what its views share."""

from flask import Blueprint

from portal.accounts import guard
from portal.applications.models import Application
from portal.reviews import policy

blueprint = Blueprint("reviews", __name__)


def screened(ref: str) -> Application:
    """Return an application that the reader screens. Raises NotFound."""
    return guard.get_or_404(Application, ref, policy.can_screen)
