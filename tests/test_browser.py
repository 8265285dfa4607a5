"""The tests' own browser: it sends what a real one would, and does not let a bad page pass."""

import pytest
from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from tests.browser import Browser
from tests.page import Page

FRAME = (
    '<!doctype html><html lang="en"><head><title>t</title></head>'
    "<body><h1>A page</h1>{}</body></html>"
)
FORM = """
<a href="/said?q=1">Read <b>more</b></a><a href="/away">Away</a>
<form method="post" enctype="multipart/form-data" action="/said">
<input type="hidden" name="csrf_token" value="token">
<p><label for="a">Name of the project</label><input id="a" name="name" value="old"></p>
<p><label>Story <textarea name="story">
told</textarea></label></p>
<label for="c">Country</label><select id="c" name="country">
<option value="KEN">Kenya</option><option value="NPL">Nepal</option></select>
<fieldset><legend>Languages</legend>
<label><input type="checkbox" name="lang" value="en" checked> English</label>
<label><input type="checkbox" name="lang" value="fr"> French</label></fieldset>
<fieldset><legend>Risk</legend>
<label><input type="radio" name="risk" value="y"> Yes</label>
<label><input type="radio" name="risk" value="n"> No</label></fieldset>
<fieldset><legend>Consent</legend>
<label><input type="radio" name="consent" value="y"> Yes</label></fieldset>
<label for="f">Certificate</label><input id="f" type="file" name="file">
<button name="do" value="save">Save</button><button name="do" value="send">Send</button>
</form>
<form action="/said"><label>Find <input name="q"></label><button>Search</button></form>
"""


@pytest.fixture
def browser() -> Browser:
    """Return a browser on a small site that repeats what it was sent."""
    site = Flask(__name__)

    @site.get("/")
    def form() -> ResponseReturnValue:
        return FRAME.format(FORM)

    @site.route("/said", methods=["GET", "POST"])
    def said() -> ResponseReturnValue:
        fields = [f"{name}={value}" for name, value in request.values.items(multi=True)]
        files = [
            f"{name}={file.filename}:{len(file.read())}" for name, file in request.files.items()
        ]
        return FRAME.format("<p>" + " | ".join(fields + files) + "</p>")

    @site.get("/away")
    def away() -> ResponseReturnValue:
        return redirect("said?from=away")

    @site.get("/broken")
    def broken() -> ResponseReturnValue:
        return "no", 500

    return Browser(site)


def test_it_sends_what_was_filled_in(browser: Browser) -> None:
    browser.open("/")
    assert browser.value("Story") == "told"
    browser.fill("Name of the project", "A radio")
    browser.fill("Story", "told anew")
    browser.fill("Country", "Nepal")
    browser.choose("French")
    browser.choose("Yes", group="Risk")
    browser.choose("No", group="Risk")
    browser.attach("Certificate", "c.pdf", b"1234")
    page = browser.press("Send")
    assert page.text == (
        "A page csrf_token=token | name=A radio | story=told anew | country=NPL | lang=en | "
        "lang=fr | risk=n | do=send | file=c.pdf:4"
    )


def test_what_is_left_alone_is_sent_as_it_stood(browser: Browser) -> None:
    browser.open("/")
    browser.clear("English")
    sent = browser.press("Save").text
    assert "name=old | story=told | country=KEN | do=save" in sent
    assert "lang" not in sent


def test_it_follows_links_and_redirects_and_sends_questions(browser: Browser) -> None:
    browser.open("/")
    assert "q=1" in browser.follow("Read more").text
    browser.open("/")
    assert "from=away" in browser.follow("Away").text
    browser.open("/")
    browser.fill("Find", "rivers & roads")
    assert "q=rivers & roads" in browser.press("Search").text


def test_it_says_what_there_is_instead_of_what_was_asked_for(browser: Browser) -> None:
    browser.open("/")
    with pytest.raises(AssertionError, match="Country"):
        browser.fill("No such field", "x")
    with pytest.raises(AssertionError, match="Read more"):
        browser.follow("No such link")
    with pytest.raises(AssertionError, match="2 fields are called 'Yes'"):
        browser.choose("Yes")
    with pytest.raises(AssertionError, match="answered 500"):
        browser.open("/broken")
    with pytest.raises(AssertionError, match="answered 200, not 404"):
        browser.open("/", status=404)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<p>open", ""),
        ("<p><b>crossed</p></b>", "adoption-agency"),
        ("<h1>Another</h1>", "2 h1"),
        ('<p id="a"></p><p id="a"></p>', "the id 'a' stands 2 times"),
        ("<form><input name=x></form>", "no label for 'x'"),
        ('<form><label for="y">Y</label></form>', "for='y' of a label leads nowhere"),
        ('<a href="#gone">Go</a>', "leads to #gone"),
        ("<a href='/'></a>", "a a without words"),
        ("<img src=x>", "a picture without alt"),
        ("<form method=post></form>", "no csrf_token"),
        ("<p style='color: red'></p>", "an inline style"),
        ("<p onclick='x()'></p>", "an inline onclick"),
        ("<script>x()</script>", "an inline script"),
        ("<a href='javascript:x()'>Go</a>", "a script as the href"),
        ("<form><fieldset></fieldset></form>", "a fieldset without a legend"),
    ],
)
def test_a_bad_page_does_not_pass(body: str, fault: str) -> None:
    faults = "; ".join(Page(FRAME.format(body), "/", 200).faults())
    assert (fault in faults) if fault else not faults
