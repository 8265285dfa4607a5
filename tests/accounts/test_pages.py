"""The pages of accounts, as somebody without JavaScript meets them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import html5lib
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.models import MemberRole, Membership, Organisation
from portal.core.db import session
from tests import make
from tests.accounts.visitor import TOKEN, Visitor
from tests.conftest import SqlCount
from tests.make.accounts import PASSWORD, person_with

NEW = "entirely another phrase"


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
        "/account", name="Amina O.", language="en", time_zone="Africa/Nairobi", nationality="KEN"
    )
    assert person_with(amina).time_zone == "Africa/Nairobi"
    assert "Amina O." in someone.open("/account").text
    reply = someone.post("/account/sign-out-everywhere", {})
    assert "Clear-Site-Data" in reply.headers
    assert "What comes next" not in someone.open("/home").text


def test_the_language_is_kept(someone: Visitor, amina: str) -> None:
    assert 'dir="rtl"' in someone.open("/sign-in?lang=ar-XB").text
    assert 'dir="rtl"' in someone.open("/register").text
    reply = someone.post("/language", {"lang": "en-XA", "next": "//evil.example"})
    assert reply.headers["Location"] == "/"
    assert "[Régíštér]" in someone.open("/register").text
    someone.sign_in(amina)
    someone.post("/language", {"lang": "xx", "next": "/account"})
    someone.post("/language", {"lang": "ar-XB", "next": "/account"})
    assert person_with(amina).language == "ar-XB"


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
    with speaking("ar-XB"):
        return english + country_names()
