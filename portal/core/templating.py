"""Rendering outside of pages: messages and documents, which the worker writes without a request.

The application hands its Jinja environment over once, at start, so that a letter has the same
filters, languages and components as a page.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment

from portal.core.i18n import direction, language
from portal.core.pdf import render_pdf

STATIC = Path(__file__).parents[2] / "static"

_environment: list[Environment] = []


def configure(environment: Environment) -> None:
    """Render with `environment` from now on."""
    _environment[:] = [environment]


def render(template: str, **context: Any) -> str:
    """Return `template` rendered in the language in use.

    Raises RuntimeError before `configure`, and what Jinja raises for a broken template.
    """
    if not _environment:
        raise RuntimeError("templating.configure(environment) comes first")
    return (
        _environment[0].get_template(template).render(lang=language(), dir=direction(), **context)
    )


def document(template: str, **context: Any) -> bytes:
    """Return the document `pdf/<template>.html` as PDF, in the language in use.

    Raises PdfUnavailable where Pango is missing.
    """
    return render_pdf(render(f"pdf/{template}.html", **context), base=STATIC)
