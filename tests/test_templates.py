"""Every template compiles, and holds nothing that the Content-Security-Policy would drop."""

import re

import pytest

from portal.core.config import ROOT
from portal.core.web import Portal

TEMPLATES = ROOT / "templates"
FILES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*"))
OF_MONEY = ("payments/", "contributions/", "giving/")
MAILS = sorted(path.name for path in (TEMPLATES / "email").glob("[!_]*.txt"))
NOT_ALLOWED = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=\"|javascript:")
GIVES_AWAY = re.compile(
    r"\b(fund|grant|award|application|call for|organisation|country)\b", re.IGNORECASE
)
GLUED = re.compile(
    r"(?:\}\}|</bdi>|</a>|</span>) \{\{ _\(\"[a-z][^\"]*\""  # words that go on after a value
    r"|_\(\"[^\"]*[a-z]\"\) \}\} (?:\{\{ (?:day|short_day|moment|money)\(|<bdi)"  # or before one
)
"""A sentence in pieces: whoever translates it can put none of them elsewhere."""


@pytest.mark.parametrize("name", FILES)
def test_it_compiles(application: Portal, name: str) -> None:
    application.jinja_env.get_template(name)


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("pdf/")])
def test_it_has_no_inline_style_or_script(name: str) -> None:
    found = NOT_ALLOWED.findall((TEMPLATES / name).read_text(encoding="utf-8"))
    assert not found


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(OF_MONEY)])
def test_its_sentences_are_whole(name: str) -> None:
    found = GLUED.findall((TEMPLATES / name).read_text(encoding="utf-8"))
    assert not found


@pytest.mark.parametrize("name", MAILS)
def test_a_message_gives_nothing_away(name: str) -> None:
    source = (TEMPLATES / "email" / name).read_text(encoding="utf-8")
    said = " ".join(re.findall(r"_\(\s*\"([^\"]*)\"", source))
    assert said, "a message has words"
    assert not GIVES_AWAY.findall(said), "a message is read over shoulders: a link only"
