"""Taking a file out of the books: a POST, since it is an act of record."""

from werkzeug.test import TestResponse

from tests.browser import Browser


def taken(browser: Browser, path: str) -> TestResponse:
    """Ask for the file at `path` as the form of a page does, whoever is signed in."""
    page = browser.open("/home")
    token = next(e for e in page.all("input") if e.get("name") == "csrf_token")
    return browser.client.post(path, data={"csrf_token": token.get("value", "")})
