"""What a page does with a form: show it, do what it asks for, say so, and send the browser on."""

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template
from flask.typing import ResponseReturnValue

from portal.core.db import session
from portal.core.web import Form, tell
from portal.core.workflow import Refused

UNPROCESSABLE = 422


def page(template: str, form: Form, **context: Any) -> ResponseReturnValue:
    """Show a form; with status 422 when it came back with errors."""
    answer = render_template(template, form=form, **context)
    return (answer, UNPROCESSABLE) if form.errors else answer


def go(location: str) -> ResponseReturnValue:
    """Send the browser on with a GET."""
    return redirect(location, code=303)


def done(form: Form, act: Callable[[], object], sentence: str, tone: str = "good") -> bool:
    """Do what a sound form asks for, and say so; a refusal is shown in it, and nothing is kept."""
    if not form.validate_on_submit():
        return False
    try:
        act()
    except Refused as refused:
        session.rollback()
        refuse(form, refused)
        return False
    tell(sentence, tone)
    return True


def refuse(form: Form, refused: Refused) -> None:
    """Show the sentence of a refusal at the top of `form`."""
    form.form_errors.append(refused.sentence)
