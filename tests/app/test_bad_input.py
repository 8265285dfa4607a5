"""What no person types: NUL, numbers past every column; and nothing typed is lost on a refusal."""

import re
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session

from portal.accounts.models import Role
from portal.core.web import Portal
from tests import make
from tests.browser import Browser

Db = scoped_session[Session]

NARROWED_BY = ("page", "before", "after", "round", "text", "call", "status", "next", "organisation")
NOBODY = "00000000-0000-4000-8000-000000000000"


def token(client: FlaskClient, path: str) -> str:
    """Return the CSRF token of a form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def addresses(app: Portal, typed: str) -> list[str]:
    """Return the address of each page, `typed` in every place where something can stand."""
    asked = "&".join(f"{name}={quote(typed)}" for name in NARROWED_BY)
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint != "static":
            path = re.sub(r"<uuid:\w+>", NOBODY, str(rule))
            found.append(re.sub(r"<(?:\w+:)?\w+>", quote(typed), path) + f"?{asked}")
    return found


@pytest.mark.parametrize("typed", ["a\x00b", "9" * 30])
@pytest.mark.parametrize("role", [None, Role.PROGRAMME_OFFICER, Role.AUDITOR])
def test_no_address_breaks_the_portal(app: Portal, db: Db, role: Role | None, typed: str) -> None:
    browser = Browser(app)
    if role is not None:
        email = make.person(roles=[role]).email
        db.commit()
        browser.sign_in(email, make.PASSWORD)
    broken = []
    for address in addresses(app, typed):
        with browser.client.get(address) as reply:
            if reply.status_code >= 500:
                broken.append(address)
    assert broken == []


def test_an_upload_past_every_limit_is_refused_before_it_is_read(client: FlaskClient) -> None:
    upload = {
        "CONTENT_LENGTH": str(100 * 1024 * 1024),
        "CONTENT_TYPE": "multipart/form-data; boundary=end",
    }
    reply = client.post("/sign-in", environ_overrides=upload)
    assert reply.status_code == 413
    assert "A file may have up to 10 MB. Nothing was changed" in reply.text


def test_nul_in_a_form_is_dropped(client: FlaskClient, db: Db) -> None:
    email = make.person().email
    db.commit()
    typed = {"csrf_token": token(client, "/sign-in"), "password": make.PASSWORD}
    reply = client.post("/sign-in", data={**typed, "email": f"\x00{email}\x00"})
    assert reply.status_code == 303
