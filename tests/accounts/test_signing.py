"""Signing in and out by the pages: sessions, throttles, and nothing typed is lost."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from flask_login import login_user
from sqlalchemy import select

from portal.accounts import guard, service
from portal.accounts.models import WebSession
from portal.core import clock
from portal.core.db import session
from portal.core.web import Portal
from tests.accounts.visitor import TOKEN, Visitor
from tests.browser import Browser
from tests.make.accounts import PASSWORD, person_with

NEW = "entirely another phrase"


def test_signing_in_gives_the_browser_a_new_session(someone: Visitor, amina: str) -> None:
    someone.open("/sign-in")
    with someone.client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
        before = cookie["csrf_token"]
    someone.sign_in(amina)
    with someone.client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie.get("csrf_token") != before
        first = cookie["_user_id"]
    someone.send("/sign-out")
    someone.sign_in(amina)
    with someone.client.session_transaction() as cookie:
        assert cookie["_user_id"] != first


def test_a_second_sign_in_in_the_same_browser_ends_the_first_session(
    someone: Visitor, amina: str
) -> None:
    someone.sign_in(amina)
    someone.post("/sign-in", {"email": amina, "password": PASSWORD})
    rows = session.scalars(select(WebSession).order_by(WebSession.created_at)).all()
    assert [row.ended_at is None for row in rows[-2:]] == [False, True]


def test_signing_out_leaves_no_trace_and_a_kept_cookie_opens_nothing(
    app: Portal, someone: Visitor, amina: str
) -> None:
    someone.sign_in(amina)
    kept = someone.client.get_cookie("portal")
    assert kept is not None
    reply = someone.post("/sign-out", {})
    assert reply.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    thief = app.test_client()
    thief.set_cookie("portal", kept.value)
    assert thief.get("/home").status_code == 302


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "http:evil.example",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(
    someone: Visitor, amina: str, wanted: str
) -> None:
    path = "/sign-in?" + urlencode({"next": wanted})
    reply = someone.post(path, {"email": amina, "password": PASSWORD})
    assert reply.headers["Location"] == "/home"


def test_somebody_lands_where_they_wanted_to_go(someone: Visitor, amina: str) -> None:
    reply = someone.post(
        "/sign-in?next=/organisations%3Fpage%3D2", {"email": amina, "password": PASSWORD}
    )
    assert reply.headers["Location"] == "/organisations?page=2"


def test_tries_by_the_page_are_counted(someone: Visitor, amina: str) -> None:
    with clock.at(datetime(2026, 11, 21, tzinfo=UTC)):
        for _try in range(5):
            assert "do not belong" in someone.sign_in(amina, NEW).text
        assert "Wait 2 seconds" in someone.sign_in(amina).text.replace("Wait 3", "Wait 2")


def test_an_expired_session_loses_nothing_that_was_typed(someone: Visitor, amina: str) -> None:
    someone.sign_in(amina)
    service.end_all_sessions(person_with(amina))
    session.commit()
    typed: dict[str, str | list[str]] = {
        "name": "Amina <Okello>\nthe second",
        "language": "fr",
        "time_zone": "UTC",
    }
    page = someone.send("/account", **typed)
    assert page.status_code == 401
    kept = dict(
        zip(
            re.findall(r'name="kept_name" value="([^"]*)"', page.text),
            re.findall(r'name="kept_value" value="([^"]*)"', page.text),
            strict=True,
        )
    )
    assert kept["name"] == "Amina &lt;Okello&gt;\nthe second"
    carried: dict[str, str | list[str]] = {
        "kept_name": [*typed],
        "kept_value": [str(value) for value in typed.values()],
        "path": "/account",
        "method": "POST",
    }
    page = someone.send("/sign-in/again", email=amina, password=NEW, **carried)
    assert page.status_code == 422
    assert "Amina &lt;Okello&gt;" in page.text
    page = someone.send("/sign-in/again", email=amina, password=PASSWORD, **carried)
    assert "Finish what you began" in page.text


def test_what_was_typed_is_finished_by_two_buttons(browser: Browser, amina: str) -> None:
    browser.sign_in(amina, PASSWORD)
    browser.open("/account")
    browser.fill("Your name", "Amina O.")
    service.end_all_sessions(person_with(amina))
    session.commit()
    browser.press("Save the profile", status=401)
    browser.fill("E-mail address", amina)
    browser.fill("Password", PASSWORD)
    browser.press("Sign in and go on", status=200)
    browser.press("Send what I typed", status=200)
    assert "Your profile is saved." in browser.page.flashes
    assert person_with(amina).name == "Amina O."


def test_an_autosave_after_the_session_ended_is_told_so(someone: Visitor, amina: str) -> None:
    someone.sign_in(amina)
    service.end_all_sessions(person_with(amina))
    session.commit()
    token = TOKEN.search(someone.client.get("/register").text)
    assert token is not None
    reply = someone.client.post(
        "/account", data={"csrf_token": token[1]}, headers={"X-Autosave": "1"}
    )
    assert reply.status_code == 401
    assert "Sign in again" in reply.get_json()["refused"]


def test_grave_steps_ask_for_the_password_again_and_keep_what_was_typed(
    app: Portal, someone: Visitor, amina: str
) -> None:
    someone.sign_in(amina)
    view = guard.freshly(guard.anybody)(lambda: "done")
    access = getattr(view, "access")  # noqa: B009
    with someone.client.session_transaction() as cookie:
        token = cookie["_user_id"]
    entry = session.scalars(select(WebSession).where(WebSession.ended_at.is_(None))).one()
    data = {"iban": "typed with care", "password": "never kept"}
    with app.test_request_context("/bank", method="POST", data=data):
        login_user(guard.SignedIn(entry, token))
        assert access() is None
        with clock.at(clock.now() + guard.FRESH_FOR + timedelta(seconds=1)):
            page, status = access()
    assert status == 401
    assert "typed with care" in page
    assert "never kept" not in page
    carried: dict[str, str | list[str]] = {
        "kept_name": "iban",
        "kept_value": "typed with care",
        "path": "/bank",
    }
    page = someone.send("/confirm-identity", password=NEW, method="POST", **carried)
    assert page.status_code == 422
    assert "typed with care" in page.text
    page = someone.send("/confirm-identity", password=PASSWORD, method="POST", **carried)
    assert 'name="iban" value="typed with care"' in page.text
    with someone.client.session_transaction() as cookie:
        assert cookie["_user_id"] != token
