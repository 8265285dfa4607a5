"""The same reader as `tests.browser.Browser`, in Chromium, with JavaScript on.

Every kind of page that it meets is held against axe in both directions of writing, and must not
scroll sideways on a screen of 360 px.
"""

import re
from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Program
from playwright.sync_api import FilePayload, Locator, Page, Response, ViewportSize

NARROW: ViewportSize = {"width": 360, "height": 740}
WIDE: ViewportSize = {"width": 1280, "height": 900}
TYPED = "input:not([type=radio], [type=checkbox], [type=file]), textarea, select"
REFERENCE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}|[0-9a-f]{8}-[0-9a-f-]{27}|\d+|[\w-]{43}")


@dataclass(frozen=True)
class Shown:
    """What a page says, as `tests.page.Page` tells it."""

    text: str
    path: str
    heading: str


class Chromium:
    """One reader with a cookie jar, in a window of their own."""

    def __init__(self, program: Program, address: str, seen: set[str]) -> None:
        self.address = address
        self.seen = seen
        self.window: Page = program.new_context(viewport=WIDE, locale="en-GB").new_page()
        self.window.set_default_timeout(15_000)

    @property
    def page(self) -> Shown:
        """Return the page that is open."""
        return Shown(
            text=" ".join(self.window.locator("body").inner_text().split()),
            path=self.window.url.removeprefix(self.address),
            heading=self.window.locator("h1").inner_text(),
        )

    def open(self, path: str, status: int | None = None) -> Shown:
        """Open `path`; `status` is what must come."""
        return self._came(self.window.goto(self.address + path), status)

    def follow(self, text: str, status: int | None = None) -> Shown:
        """Follow the link that says `text`, or the first that contains it."""
        link = self._best(
            self.window.get_by_role("link", name=text, exact=True),
            self.window.get_by_role("link", name=text),
        )
        with self.window.expect_navigation() as navigation:
            link.click()
        return self._came(navigation.value, status)

    def fill(self, label: str, value: str) -> None:
        """Type or select `value` in the field called `label`."""
        field = self._field(label, kinds=TYPED)
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)

    def fill_all(self, **fields: str) -> None:
        """Type into fields by their names, where a page has many alike."""
        for name, value in fields.items():
            field = self.window.locator(f'[name="{name.replace("__", "-")}"]')
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def choose(self, label: str, group: str | None = None) -> None:
        """Tick the box or the radio button called `label`, in the fieldset `group` if given."""
        self._field(label, group).check()

    def choose_every(self, label: str) -> None:
        """Tick each radio button called `label`."""
        radios = self.window.get_by_role("radio", name=label, exact=True)
        assert radios.count(), f"no radio button {label!r} on {self.page.path}"
        for radio in radios.all():
            radio.check()

    def attach(self, label: str, filename: str, content: bytes) -> None:
        """Put a file into the upload field called `label`."""
        kinds = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}
        kind = kinds[filename.rsplit(".", 1)[1]]
        payload: FilePayload = {"name": filename, "mimeType": kind, "buffer": content}
        self._field(label).set_input_files(payload)

    def press(self, text: str, status: int | None = None) -> Shown:
        """Press the button that says `text`, and wait for the answer."""
        button = self._best(
            self.window.get_by_role("button", name=text, exact=True),
            self.window.get_by_role("button", name=text),
        )
        with self.window.expect_navigation() as navigation:
            button.click()
        return self._came(navigation.value, status)

    def press_beside(self, label: str, text: str, status: int | None = None) -> Shown:
        """Press the button that says `text` in the form of the field called `label`."""
        form = self.window.locator("form").filter(has=self._field(label))
        with self.window.expect_navigation() as navigation:
            form.get_by_role("button", name=text, exact=True).click()
        return self._came(navigation.value, status)

    def sign_in(self, email: str, password: str) -> Shown:
        """Sign in through the page, and fail if that did not work."""
        self.open("/sign-in")
        self.window.locator("input[type=email]").fill(email)
        self.window.locator("input[type=password]").fill(password)
        self.press("Sign in")
        assert self.window.get_by_role("button", name="Sign out").count(), self.page.text
        return self.page

    def close(self) -> None:
        """Close the window and forget its cookies."""
        self.window.context.close()

    def _field(self, label: str, group: str | None = None, kinds: str = "*") -> Locator:
        around: Page | Locator = self.window
        if group is not None:
            around = self.window.locator("fieldset").filter(has_text=group).last
        wanted = self.window.locator(kinds)
        return self._best(
            around.get_by_label(label, exact=True).and_(wanted),
            around.get_by_label(label).and_(wanted),
        )

    def _best(self, exact: Locator, loose: Locator) -> Locator:
        found = exact if exact.count() else loose
        assert found.count(), f"nothing of that name on {self.page.path}: {self.page.text}"
        return found.first

    def _came(self, answer: Response | None, status: int | None) -> Shown:
        shown = self.page
        code = answer.status if answer else 200
        assert code < 500, f"{shown.path} answered {code}"
        assert status is None or code == status, f"{shown.path}: {code}, not {status}"
        kind = f"{REFERENCE.sub('…', shown.path.partition('?')[0])} {shown.heading}"
        if kind not in self.seen:
            self.seen.add(kind)
            self._examine(shown.path)
        return shown

    def _examine(self, path: str) -> None:
        """Hold the page against axe in both directions, and against a narrow screen."""
        for direction in ("ltr", "rtl"):
            self.window.evaluate("way => { document.documentElement.dir = way }", direction)
            found = Axe().run(self.window)
            faults = [
                f"{fault['id']}: {fault['nodes'][0]['html']}"
                for fault in found.response["violations"]
            ]
            assert not faults, f"{path} ({direction}): {faults}"
            self.window.set_viewport_size(NARROW)
            beyond = self.window.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            self.window.set_viewport_size(WIDE)
            assert beyond <= 0, f"{path} ({direction}) is {beyond} px too wide at 360 px"
        self.window.evaluate("document.documentElement.dir = 'ltr'")
