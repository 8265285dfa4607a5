"""The page of personas: one click to be somebody, and nothing of it outside a demonstration."""

import pytest

from portal.app import blueprints
from portal.core.config import Settings
from portal.core.web import Portal
from portal.demo import personas
from portal.demo.views import blueprint
from tests.browser import Browser

EVERYBODY = [each for cast in personas.casts() for each in cast.personas]


def test_everybody_of_the_list_can_be_signed_in_as(told: Portal) -> None:
    for each in EVERYBODY:
        browser = Browser(told)
        browser.open("/demo")
        browser.press(f"Sign in as {each.name}")
        assert each.name in browser.page.text
        assert browser.open("/home").heading


def test_being_somebody_else_ends_being_the_first(visitor: Browser) -> None:
    first, second = EVERYBODY[0], EVERYBODY[8]
    visitor.open("/demo")
    visitor.press(f"Sign in as {first.name}")
    visitor.open("/demo")
    visitor.press(f"Sign in as {second.name}")
    assert second.name in visitor.page.text
    assert first.name not in visitor.page.text


def test_somebody_who_is_not_in_the_list_is_not_found(
    told: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(told.config, "WTF_CSRF_ENABLED", False)
    assert told.test_client().post("/demo/sign-in/nobody").status_code == 404


def test_signing_in_needs_the_token_of_the_page(told: Portal) -> None:
    response = told.test_client().post(f"/demo/sign-in/{EVERYBODY[0].key}")
    assert response.status_code == 400


def test_labels_are_one_line_each() -> None:
    listed = personas.whom_to_sign_in_as()
    assert len(listed) == len({email for _label, email in listed}) >= 15
    assert all("\n" not in label and label for label, _email in listed)


def test_there_is_no_such_page_outside_a_demonstration(settings: Settings) -> None:
    real = settings.model_copy(update={"demo": False})
    assert blueprint in blueprints(settings)
    assert blueprint not in blueprints(real)


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_refuses_to_be_there_outside_a_demonstration(
    told: Portal, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    settings = told.config["SETTINGS"]
    client = told.test_client()
    path = "/demo" if method == "get" else f"/demo/sign-in/{EVERYBODY[0].key}"
    monkeypatch.setitem(told.config, "WTF_CSRF_ENABLED", False)
    assert client.open(path, method=method.upper()).status_code in {200, 303}
    monkeypatch.setitem(told.config, "SETTINGS", settings.model_copy(update={"demo": False}))
    assert client.open(path, method=method.upper()).status_code == 404
