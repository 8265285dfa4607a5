"""A browser without JavaScript, that checks each page on the way.

    browser.sign_in("amina@example.org", PASSWORD)
    browser.open("/calls")
    browser.follow("Apply")
    browser.fill("Name of the project", "A radio for the valley")
    browser.press("Save and continue")
    assert "Saved" in browser.page.text

Every page must be sound HTML with one h1, unique ids, a label on each field and no dead link
inside the page; a page that is not fails the test that met it, as does any answer of 500 or above.
"""

from io import BytesIO
from typing import TypeVar
from urllib.parse import urlencode, urljoin, urlsplit
from xml.etree.ElementTree import Element

from flask import Flask
from werkzeug.test import TestResponse

from tests.page import Page, words

MOST_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ERROR = 500

T = TypeVar("T")
Upload = tuple[BytesIO, str]


class Browser:
    """One reader with a cookie jar. `page` is what is open, `response` what came last."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.response: TestResponse
        self.page = Page("<!doctype html><title>-</title><h1>Nothing is open</h1>", "/", 0)
        self._files: dict[Element, Upload] = {}

    def open(self, path: str, status: int | None = None) -> Page:
        """Open `path`, follow redirects, and return the page; `status` is what must come."""
        return self._took(self.client.get(path), status)

    def follow(self, text: str, status: int | None = None) -> Page:
        """Follow the link that says `text`, or the only one that contains it."""
        addresses = dict.fromkeys(self._match(text, self.page.links, "link"))
        assert len(addresses) == 1, f"{text!r} leads to {list(addresses)} on {self._here()}"
        return self.open(self._resolve(next(iter(addresses))), status)

    def fill(self, label: str, value: str) -> None:
        """Type or select `value` in the field called `label`, as its words read on the page."""
        control = self._control(label)
        if control.tag == "textarea":
            for child in list(control):
                control.remove(child)
            control.text = value
        elif control.tag == "select":
            self._select(control, value)
        else:
            assert control.get("type") not in {"checkbox", "radio", "file"}, f"{label!r}: choose()"
            control.set("value", value)

    def fill_all(self, **fields: str) -> None:
        """Type into fields by their names, where a page has many alike (a budget's lines)."""
        for name, value in fields.items():
            found = [e for e in self.page.controls if e.get("name") == name.replace("__", "-")]
            assert found, f"no field named {name!r} on {self._here()}"
            if found[0].tag == "textarea":
                found[0].text = value
            elif found[0].tag == "select":
                self._select(found[0], value)
            else:
                found[0].set("value", value)

    def choose(self, label: str, group: str | None = None) -> None:
        """Tick the box or the radio button called `label`, in the fieldset `group` if given."""
        control = self._control(label, ("checkbox", "radio"), group)
        if control.get("type") == "radio":
            for other in self._siblings(control):
                other.attrib.pop("checked", None)
        control.set("checked", "")

    def choose_every(self, label: str) -> None:
        """Tick each radio button called `label`, for a list of questions with the same answers."""
        radios = [e for e in self.page.controls if e.get("type") == "radio"]
        wanted = [radio for radio in radios if label in self.page.labels(radio)]
        assert wanted, f"no radio button {label!r} on {self._here()}"
        for radio in wanted:
            for other in self._siblings(radio):
                other.attrib.pop("checked", None)
            radio.set("checked", "")

    def clear(self, label: str, group: str | None = None) -> None:
        """Take the tick from the box called `label`."""
        self._control(label, ("checkbox",), group).attrib.pop("checked", None)

    def attach(self, label: str, filename: str, content: bytes) -> None:
        """Put a file into the upload field called `label`."""
        self._files[self._control(label, ("file",))] = (BytesIO(content), filename)

    def value(self, label: str) -> str:
        """Return what the field called `label` holds."""
        control = self._control(label)
        if control.tag == "textarea":
            return (control.text or "").removeprefix("\n")
        return _selected(control)[0] if control.tag == "select" else control.get("value", "")

    def press(self, text: str, status: int | None = None) -> Page:
        """Press the button that says `text`, and send its form with what was filled in."""
        named = [(words(e) or e.get("value", ""), e) for e in self.page.buttons]
        found = self._match(text, named, "button")
        assert len(found) == 1, f"{len(found)} buttons say {text!r} on {self._here()}"
        return self.submit(found[0], status)

    def press_beside(self, label: str, text: str, status: int | None = None) -> Page:
        """Press the button that says `text` in the form of the field called `label`."""
        form = self._form_of(self._control(label))
        buttons = [e for e in self.page.buttons if words(e) == text and self._form_of(e) is form]
        assert buttons, f"no button {text!r} beside {label!r} on {self._here()}"
        return self.submit(buttons[0], status)

    def submit(self, button: Element, status: int | None = None) -> Page:
        """Send the form of `button`; for pages where several buttons say the same."""
        form = self._form_of(button)
        action = button.get("formaction") or form.get("action") or self.page.path
        fields = self._fields(form)
        if button.get("name"):
            fields.append((button.get("name", ""), button.get("value", "")))
        address = self._resolve(action)
        method = button.get("formmethod") or form.get("method") or "get"
        if method.lower() == "get":
            return self.open(f"{urlsplit(address).path}?{urlencode(fields)}", status)
        data: dict[str, list[str | Upload]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        for control, upload in self._files.items():
            if self._form_of(control) is form:
                data.setdefault(control.get("name", ""), []).append(upload)
        multipart = form.get("enctype") == "multipart/form-data"
        kind = "multipart/form-data" if multipart else "application/x-www-form-urlencoded"
        return self._took(self.client.post(address, data=data, content_type=kind), status)

    def sign_in(self, email: str, password: str) -> Page:
        """Sign in through the page, and fail if that did not work."""
        self.open("/sign-in")
        for control in self.page.controls:
            if control.get("type") in {"email", "password"}:
                control.set("value", email if control.get("type") == "email" else password)
        self.press("Sign in")
        says = {words(button) for button in self.page.buttons}
        assert "Sign out" in says, f"{email} could not sign in: {self.page.text}"
        return self.page

    def sign_out(self) -> Page:
        """Press "Sign out"."""
        return self.press("Sign out")

    def _took(self, response: TestResponse, status: int | None) -> Page:
        """Follow redirects, note the answer, and check the page if it is one."""
        for _hop in range(MOST_REDIRECTS):
            if response.status_code not in REDIRECTS:
                break
            here = urljoin(response.request.path, response.headers["Location"])
            response = self.client.get(here)
        self.response, self._files = response, {}
        path = response.request.path
        assert response.status_code < ERROR, f"{path} answered {response.status_code}"
        if response.mimetype == "text/html" and response.data:
            full = response.request.full_path.removesuffix("?")
            self.page = Page(response.get_data(as_text=True), full, response.status_code)
            faults = self.page.faults()
            assert not faults, f"{path}: " + "; ".join(faults)
        said = self.page.text if response.mimetype == "text/html" else response.mimetype
        wanted = status is None or response.status_code == status
        assert wanted, f"{path} answered {response.status_code}, not {status}: {said}"
        return self.page

    def _resolve(self, address: str) -> str:
        return urljoin(self.page.path, address)

    def _here(self) -> str:
        return f"{self.page.path} ({self.page.heading})"

    def _match(self, text: str, named: list[tuple[str, T]], what: str) -> list[T]:
        """Return those whose words are `text`, else those that contain it."""
        exact = [thing for said, thing in named if said == text]
        found = exact or [thing for said, thing in named if text in said]
        assert found, f"no {what} {text!r} on {self._here()}, but {[said for said, _ in named]}"
        return found

    def _control(
        self, label: str, kinds: tuple[str, ...] = (), group: str | None = None
    ) -> Element:
        """Return the one field called `label`."""
        named = [
            (said, control)
            for control in self.page.controls
            if (control.get("type") in kinds if kinds else True) and self._in_group(control, group)
            for said in self.page.labels(control)
        ]
        found = list(dict.fromkeys(self._match(label, named, "field")))
        assert len(found) == 1, f"{len(found)} fields are called {label!r} on {self._here()}"
        return found[0]

    def _in_group(self, control: Element, group: str | None) -> bool:
        if group is None:
            return True
        around = self.page.inside(control, "fieldset")
        legend = None if around is None else around.find(".//legend")
        return legend is not None and group in words(legend)

    def _siblings(self, radio: Element) -> list[Element]:
        form = self._form_of(radio)
        return [e for e in form.iter("input") if e.get("name") == radio.get("name")]

    def _form_of(self, control: Element) -> Element:
        named = control.get("form")
        form = self.page.by_id(named) if named else self.page.inside(control, "form")
        assert form is not None, f"{control.attrib} belongs to no form on {self._here()}"
        return form

    def _select(self, control: Element, value: str) -> None:
        options = list(control.iter("option"))
        chosen = [o for o in options if value in {words(o), o.get("value")}]
        assert chosen, f"no option {value!r} on {self._here()}, but {[words(o) for o in options]}"
        for option in options:
            option.attrib.pop("selected", None)
        chosen[0].set("selected", "")

    def _fields(self, form: Element) -> list[tuple[str, str]]:
        """Return what a browser would send for `form`, without the button and the files."""
        sent: list[tuple[str, str]] = []
        for control in self.page.all("input", "select", "textarea"):
            name = control.get("name")
            outside = control.get("form") is None and self.page.inside(control, "form") is None
            if not name or outside or "disabled" in control.attrib:
                continue
            if self._form_of(control) is form:
                sent.extend((name, value) for value in _values(control))
        return sent


def _values(control: Element) -> list[str]:
    """Return what `control` adds to its form: nothing for a box without its tick."""
    kind = control.get("type", "text")
    if control.tag == "select":
        return _selected(control)
    if control.tag == "textarea":
        return [(control.text or "").removeprefix("\n")]
    if kind in {"submit", "button", "reset", "image", "file"}:
        return []
    if kind in {"checkbox", "radio"}:
        return [control.get("value", "on")] if "checked" in control.attrib else []
    return [control.get("value", "")]


def _selected(select: Element) -> list[str]:
    """Return the values of the selected options; the first one stands in for none."""
    options = list(select.iter("option"))
    chosen = [option for option in options if "selected" in option.attrib]
    if not chosen and "multiple" not in select.attrib:
        chosen = options[:1]
    return [option.get("value", words(option)) for option in chosen]
