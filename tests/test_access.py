"""Default deny: every endpoint declares whom it lets in, and lets in nobody else."""

from typing import Any

import pytest
from flask_login import login_user
from werkzeug.exceptions import NotFound

from portal.accounts import service
from portal.accounts.guard import SignedIn
from portal.accounts.models import Role
from portal.core.web import Portal
from tests import make
from tests.access_table import APPLICANT, LET_IN, VISITOR
from tests.make.accounts import PASSWORD

IN, HIDDEN, ASKED = "is let in", "finds nothing", "is asked to sign in"


def everybody() -> dict[str, service.Entry | None]:
    """Return a visitor, an applicant and a holder of each role, signed in."""
    people = {APPLICANT: make.person()} | {role.value: make.person(roles=[role]) for role in Role}
    entries: dict[str, service.Entry | None] = {
        name: service.sign_in(person.email, PASSWORD, network="192.0.2.1")
        for name, person in people.items()
    }
    return {VISITOR: None, **entries}


def answer(app: Portal, endpoint: str, entry: service.Entry | None) -> str:
    """Return what the door of `endpoint` says to somebody, whatever stands behind it."""
    access: Any = getattr(app.view_functions[endpoint], "access")  # noqa: B009
    with app.test_request_context("/somewhere"):
        if entry is not None:
            login_user(SignedIn(entry.web_session, entry.token))
        try:
            return IN if access() is None else ASKED
        except NotFound:
            return HIDDEN


def expected(endpoint: str, name: str) -> str:
    """Return what the table says."""
    if name in LET_IN[endpoint]:
        return IN
    return ASKED if name == VISITOR else HIDDEN


def test_every_endpoint_stands_in_the_table(app: Portal) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert routes - LET_IN.keys() == set(), "add these to tests/access_table.py"
    assert LET_IN.keys() - routes == set(), "these are gone"


def test_every_endpoint_declares_its_access(app: Portal) -> None:
    for rule in app.url_map.iter_rules():
        assert hasattr(app.view_functions[rule.endpoint], "access"), rule.endpoint


def test_every_endpoint_lets_in_those_of_the_table_and_nobody_else(app: Portal) -> None:
    people = everybody()
    wrong = [
        f"{endpoint}: {name} {answer(app, endpoint, entry)}"
        for endpoint in LET_IN
        for name, entry in people.items()
        if answer(app, endpoint, entry) != expected(endpoint, name)
    ]
    assert wrong == []


def test_an_endpoint_that_declares_nothing_does_not_exist(
    app: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.test_client().get("/sign-in").status_code == 200
    monkeypatch.delattr(app.view_functions["accounts.sign_in"], "access")
    assert app.test_client().get("/sign-in").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "where"),
    [
        ("/home", 302, "/sign-in?next=/home"),
        ("/organisations?x=1", 302, "/sign-in?next=/organisations?x%3D1"),
    ],
)
def test_a_visitor_is_sent_to_sign_in_and_back(
    app: Portal, path: str, status: int, where: str
) -> None:
    reply = app.test_client().get(path)
    assert reply.status_code == status
    assert reply.headers["Location"] == where
