"""The pages of accounts, as somebody without JavaScript meets them."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import html5lib
import pytest
from flask.testing import FlaskClient
from flask_login import login_user
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts import guard, service
from portal.accounts.models import MemberRole, Membership, Organisation, WebSession
from portal.core import clock
from portal.core.db import session
from portal.core.web import Portal
from tests import make
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.make.accounts import PASSWORD, person_with
from tests.page import Page

NEW = "entirely another phrase"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Visitor:
    """Somebody at a browser without JavaScript: keeps cookies, sends tokens, checks each page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def open(self, path: str) -> TestResponse:
        """Open a page, following redirects."""
        return self._checked(self.client.get(path, follow_redirects=True))

    def send(self, path: str, /, **fields: str | list[str]) -> TestResponse:
        """Send a form to `path` with a token of this browser, and follow where it leads."""
        return self._checked(self.post(path, fields, follow=True))

    def post(
        self, path: str, fields: Mapping[str, str | list[str]], *, follow: bool = False
    ) -> TestResponse:
        """Send a form to `path` with a token of this browser."""
        token = TOKEN.search(self.client.get("/signed-out").text) or TOKEN.search(
            self.client.get("/register").text
        )
        token = token or TOKEN.search(self.client.get("/account").text)
        assert token is not None
        data: dict[str, str | list[str]] = {"csrf_token": token[1], **fields}
        return self.client.post(path, data=data, follow_redirects=follow)

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Sign in by the page."""
        return self.send("/sign-in", email=email, password=password)

    def _checked(self, reply: TestResponse) -> TestResponse:
        assert reply.status_code < 500
        if reply.mimetype == "text/html" and reply.data:
            faults = Page(reply.text, reply.request.path, reply.status_code).faults()
            assert faults == []
        return reply


@pytest.fixture
def someone(app: Portal) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def another(app: Portal) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def amina(app: Portal) -> str:
    """Return the address of somebody with an account."""
    del app
    email = make.signed_up("amina@example.org", "Amina Okello").email
    session.commit()
    return email


def without_tokens(reply: TestResponse) -> str:
    """Return a page without what differs in every copy."""
    return TOKEN.sub("", reply.text)


def test_from_registering_to_working_together(someone: Visitor, another: Visitor) -> None:
    page = someone.send("/register", name="Nour", email="nour@example.org", password=PASSWORD)
    assert "Look into your letter-box" in page.text
    assert "nour@example.org" not in page.text
    link = make.last_link("nour@example.org")
    assert "Type the password" in someone.open(link).text
    page = someone.send(link, password=PASSWORD)
    assert "Enter the organisation that you apply for" in page.text
    page = someone.send(
        "/organisations/new",
        name="Lakeside Circle",
        kind="ngo",
        country="KEN",
        registered_on="2019-05-01",
        title="Chair",
        represents="y",
    )
    assert "Lakeside Circle" in page.text
    assert "1 May 2019" in page.text
    where = str(session.scalars(select(Organisation.id)).one())
    page = someone.send(f"/organisations/{where}/invite", email="joe@example.org", role="editor")
    assert "on its way" in page.text
    link = make.last_link("joe@example.org")
    assert "Lakeside Circle" in another.open(link).text
    another.send(link, name="Joe", password=PASSWORD)
    assert "Joe" in someone.open(f"/organisations/{where}").text
    assert another.client.get(f"/organisations/{where}").status_code == 200
    assert another.client.get(f"/organisations/{where}/edit").status_code == 404


def test_known_and_unknown_people_get_the_same_bytes(someone: Visitor, amina: str) -> None:
    known, unknown = amina, "nobody@example.org"
    assert without_tokens(
        someone.send("/register", name="X", email=known, password=PASSWORD)
    ) == without_tokens(someone.send("/register", name="X", email=unknown, password=PASSWORD))
    assert without_tokens(someone.send("/forgot", email=known)) == without_tokens(
        someone.send("/forgot", email="nobody.else@example.org")
    )
    wrong = [
        without_tokens(someone.send("/sign-in", email=email, password=NEW)).replace(email, "")
        for email in (known, "third@example.org")
    ]
    assert wrong[0] == wrong[1]
    assert "do not belong together" in wrong[0]


def test_a_refused_registration_keeps_what_was_typed_but_the_password(someone: Visitor) -> None:
    page = someone.send("/register", name="Nour", email="nour@", password="short")
    assert page.status_code == 422
    assert 'value="Nour"' in page.text
    assert 'value="nour@"' in page.text
    assert "short" not in page.text.replace("too short", "")
    assert "name@organisation.org" in page.text


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


def test_a_forgotten_password(someone: Visitor, amina: str) -> None:
    someone.send("/forgot", email=amina)
    link = make.last_link(amina, "reset_password")
    assert "too short" in someone.send(link, password="short").text
    assert "Sign in" in someone.send(link, password=NEW).text
    assert someone.open(link).status_code == 410
    assert "What comes next" in someone.sign_in(amina, NEW).text


def test_the_profile_and_all_its_sessions(someone: Visitor, another: Visitor, amina: str) -> None:
    someone.sign_in(amina)
    another.sign_in(amina)
    assert someone.open("/account").text.count("<tr>") == 3
    someone.send("/account/password", old_password=PASSWORD, new_password=NEW)
    assert "What comes next" not in another.open("/home").text
    someone.send(
        "/account", name="Amina O.", language="fr", time_zone="Africa/Nairobi", nationality="KEN"
    )
    assert 'lang="fr"' in someone.open("/account").text
    reply = someone.post("/account/sign-out-everywhere", {})
    assert "Clear-Site-Data" in reply.headers
    assert "What comes next" not in someone.open("/home").text


def test_the_language_is_kept(someone: Visitor, amina: str) -> None:
    assert 'dir="rtl"' in someone.open("/sign-in?lang=ar").text
    assert 'dir="rtl"' in someone.open("/register").text
    reply = someone.post("/language", {"lang": "es", "next": "//evil.example"})
    assert reply.headers["Location"] == "/"
    assert 'lang="es"' in someone.open("/register").text
    someone.sign_in(amina)
    someone.post("/language", {"lang": "ru", "next": "/account"})
    assert person_with(amina).language == "ru"


def test_an_organisation_exists_only_for_those_who_work_there(someone: Visitor, amina: str) -> None:
    where = make.organisation(name="Hidden House").id
    session.commit()
    someone.sign_in(amina)
    for path in ("", "/edit", "/invite"):
        assert someone.open(f"/organisations/{where}{path}").status_code == 404
    assert "Hidden House" not in someone.open("/organisations").text


def test_a_representative_changes_roles_and_removes(someone: Visitor, amina: str) -> None:
    where = make.organisation(representative=person_with(amina))
    place = make.member(where).memberships[0].id
    own = person_with(amina).memberships[0].id
    members = f"/organisations/{where.id}/members"
    session.commit()
    someone.sign_in(amina)
    path = f"{members}/{place}"
    someone.send(f"{path}/role")
    assert session.get_one(Membership, place).role is MemberRole.REPRESENTATIVE
    assert "Remove a member" in someone.open(f"{path}/remove").text
    assert "The membership has ended" in someone.send(f"{path}/remove").text
    page = someone.send(f"{members}/{own}/remove")
    assert "always keeps one" in page.text


@pytest.mark.parametrize("path", ["/home", "/organisations", "/account", "/organisations/{id}"])
def test_pages_run_a_fixed_number_of_statements(
    someone: Visitor,
    amina: str,
    count_sql: Callable[[], AbstractContextManager[SqlCount]],
    path: str,
) -> None:
    where = make.organisation(representative=person_with(amina)).id
    session.commit()
    someone.sign_in(amina)
    path = path.format(id=where)
    with count_sql() as few:
        someone.open(path)
    for _each in range(4):
        make.member(session.get_one(Organisation, where))
        make.organisation(representative=person_with(amina))
    session.commit()
    with count_sql() as many:
        someone.open(path)
    assert few.total == many.total <= 10


@pytest.mark.parametrize(
    "path",
    ["/sign-in", "/register", "/forgot", "/register/sent", "/signed-out", "/organisations/new"],
)
@pytest.mark.parametrize("language", ["en-XA", "ar-XB"])
def test_every_text_can_be_translated(
    someone: Visitor, amina: str, path: str, language: str
) -> None:
    if path.startswith("/organisations"):
        someone.sign_in(amina)
    page = someone.open(f"{path}?lang={language}")
    body = html5lib.parse(page.text, namespaceHTMLElements=False).find("body")
    assert body is not None
    main = body.find(".//main")
    assert main is not None
    texts = [text.strip() for text in main.itertext() if text.strip()]
    names = {name for _code, name in app_countries()}
    plain = [text for text in texts if "[" not in text and text not in names]
    assert plain == []


def app_countries() -> list[tuple[str, str]]:
    """Return the names of countries, which are facts and no messages."""
    from portal.app import country_names
    from portal.core.i18n import speaking

    with speaking("en"):
        english = country_names()
    with speaking("ar"):
        return english + country_names()
