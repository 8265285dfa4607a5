"""Every page of the told demonstration, as everybody who can be in it: sound, light, and discreet.

Each persona follows the links that the pages offer, one page of each kind (the same view with the
same part of a file), so that what is looked at is what that reader can reach.
"""

import gzip
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from portal.accounts.models import Organisation, OrganisationKind, Person
from portal.applications.models import Application, Recusal
from portal.awards.models import AwardBudgetLine
from portal.core.config import ROOT
from portal.core.db import session
from portal.core.i18n import LANGUAGES
from portal.core.web import Portal
from portal.demo import PASSWORD, personas
from portal.funds.countries import all_countries, display_name
from portal.funds.models import Call
from portal.payments import service as payments
from portal.payments.models import BankDetails
from tests.browser import Browser
from tests.conftest import SqlCount
from tests.page import UNSEEN, Page

HEAVIEST = 30 * 1024
MOST_STATEMENTS = 10
Count = Callable[[], AbstractContextManager[SqlCount]]
EVERYBODY = [each for cast in personas.casts() for each in cast.personas]
KEYS = [each.key for each in EVERYBODY]
OF_THE_DEMONSTRATION = ("/demo", "/outbox")
"""Pages of the demonstration alone: all its people and all their messages."""

STARTS = ("/", "/calls", "/funds/act", "/how-to-apply", "/sign-in", "/register", "/home")


@dataclass
class Walk:
    """What somebody met: pages by their path."""

    pages: dict[str, Page] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)


@cache
def weight_of(asset: str) -> int:
    """Return the compressed size of a static file."""
    return len(gzip.compress((ROOT / asset.lstrip("/")).read_bytes()))


def weight(page: Page, html: bytes) -> int:
    """Return what a first view of a page takes over the wire: HTML, style sheets and scripts."""
    styles = [e.get("href", "") for e in page.all("link") if e.get("rel") == "stylesheet"]
    scripts = [e.get("src", "") for e in page.all("script")]
    assets = {urlsplit(each).path for each in [*styles, *scripts] if each}
    return len(gzip.compress(html)) + sum(weight_of(each) for each in assets)


def kind_of(app: Portal, address: str) -> str | None:
    """Return what kind of page an address leads to; None for elsewhere and for downloads."""
    parts = urlsplit(address)
    if parts.netloc or parts.path.startswith("/static/"):
        return None
    try:
        endpoint, values = app.url_map.bind("localhost").match(parts.path, method="GET")
    except HTTPException:
        return f"a dead link to {parts.path}"
    if re.search(r"\.(pdf|json|csv|jsonl)$", parts.path) or "download" in endpoint:
        return None
    inside = [str(value) for name, value in values.items() if name in {"key", "code", "action"}]
    return " ".join([endpoint, *inside])


def walk(browser: Browser, app: Portal, count_sql: Count) -> Walk:
    """Open one page of each kind that can be reached by links."""
    found, seen, queue = Walk(), set[str](), deque(STARTS)
    while queue:
        address = queue.popleft()
        kind = kind_of(app, address)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        with count_sql() as count:
            browser.open(address)
        status = browser.response.status_code
        assert status in {200, 409}, f"a link leads to {address}, which answers {status}"
        if browser.response.mimetype != "text/html":
            continue
        page = browser.page
        here = urlsplit(page.path).path
        found.pages[here] = page
        found.weights[here] = weight(page, browser.response.get_data())
        found.statements[here] = count.total
        if not here.startswith("/outbox"):  # where other people's messages lead
            links = [href for _said, href in page.links if href[:1] != "#"]
            queue.extend(urljoin(page.path, href) for href in links)
    return found


@dataclass(frozen=True)
class Secrets:
    """What must not be read by the wrong eyes: words by those who may know them."""

    accounts: list[str]
    recused: dict[str, list[str]]
    civil_society: list[str]
    applications: list[str]


def secrets() -> Secrets:
    """Return the secrets of the story."""
    recused: dict[str, list[str]] = {}
    for recusal in session.scalars(select(Recusal)):
        application = recusal.application
        told = [application.ref, application.organisation.name, application.title]
        recused.setdefault(recusal.person.email, []).extend(told)
    civil = [
        OrganisationKind.NGO,
        OrganisationKind.ASSOCIATION,
        OrganisationKind.INDIVIDUAL,
        OrganisationKind.ACADEMIC,
    ]
    names = select(Organisation.name).where(Organisation.kind.in_(civil))
    found = session.scalars(select(Application)).all()
    secret = Secrets(
        [payments.payee(details).account for details in session.scalars(select(BankDetails))],
        recused,
        list(session.scalars(names)),
        [text for each in found for text in (each.ref, each.title) if text],
    )
    session.rollback()
    return secret


def is_of_a_state(email: str) -> bool:
    """Say whether somebody works for a State's applicant."""
    found = session.scalars(select(Person).where(Person.email == email)).one()
    kinds = [membership.organisation.kind for membership in found.memberships]
    session.rollback()
    return any(kind.is_state for kind in kinds)


def leaks(found: Walk, forbidden: Iterable[str]) -> list[str]:
    """Return where a page shows what its reader must not know."""
    return [
        f"{path} shows {secret!r}"
        for path, page in found.pages.items()
        for secret in forbidden
        if not path.startswith(OF_THE_DEMONSTRATION) and secret and secret in page.html
    ]


def too_heavy(found: Walk) -> list[str]:
    """Return the pages that are too heavy for a first view."""
    heavy = {path: size for path, size in found.weights.items() if size > HEAVIEST}
    return [f"{path}: {size / 1024:.1f} KB" for path, size in heavy.items()]


def too_talkative(found: Walk) -> dict[str, int]:
    """Return the pages that run more statements than any page may."""
    return {path: total for path, total in found.statements.items() if total > MOST_STATEMENTS}


def test_a_stranger_finds_sound_light_pages_and_nobodys_name(
    told: Portal, count_sql: Count
) -> None:
    found = walk(Browser(told), told, count_sql)
    secret = secrets()
    assert len(found.pages) > 15
    assert leaks(found, [*secret.accounts, *secret.civil_society, *secret.applications]) == []
    assert too_heavy(found) == []
    assert too_talkative(found) == {}


@pytest.mark.parametrize("key", KEYS)
def test_everybody_finds_sound_light_pages_and_no_secrets(
    told: Portal, key: str, count_sql: Count
) -> None:
    email = personas.persona(key).email
    browser = Browser(told)
    browser.sign_in(email, PASSWORD)
    found = walk(browser, told, count_sql)
    secret = secrets()
    forbidden = secret.accounts + secret.recused.get(email, [])
    if is_of_a_state(email):
        forbidden = forbidden + secret.civil_society
    assert len(found.pages) > 15
    assert leaks(found, forbidden) == []
    assert too_heavy(found) == []
    assert too_talkative(found) == {}


# ------------------------------------------------------------------ every text is translated

USER_TEXT = frozenset({"bdi", "code", "textarea", "time"})
PLAIN = re.compile(r"[A-Za-z]{4,}")
VOWEL = re.compile(r"[aeiouAEIOU]")
NOT_WORDS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|[A-Z0-9]{4}-[A-Z0-9]{4}|\b[A-Z]{3,}\b|"
    r"\b(?:ch|re|py|pyr|dp|du)_\w+|"  # the card processor's names of things
    r"\([a-z_]+\.[a-z_]+\)|\S+@\S+|https?://\S+|\S+\.(?:pdf|png|jpg|txt|toml)|"
    r"\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}"
)

RECORD = re.compile(r"[–a-z_]+ → [a-z_]+|[a-z_]+: .*|python .*")
"""What the chain of events holds as it holds it, and a command to type."""


def texts(page: Page) -> Iterator[str]:
    """Yield what the interface itself says: no user text, no references, no dates."""
    (body,) = page.all("body")
    stack = [body]
    while stack:
        element = stack.pop()
        if not isinstance(element.tag, str) or element.tag in UNSEEN | USER_TEXT:
            continue
        marks = element.get("class", "").split()
        if element.get("dir") == "auto" or "typed" in marks or "ref" in marks:
            continue
        for text in (element.text, *(child.tail for child in element)):
            if text and text.strip():
                yield " ".join(text.split())
        stack.extend(element)


def user_words() -> list[str]:
    """Return what people typed and what names places: none of it is the interface's."""
    found = set(session.scalars(select(Organisation.name)))
    found |= set(session.scalars(select(Person.name)))
    found |= set(session.scalars(select(Call.title)))
    found |= set(session.scalars(select(Application.title)))
    found |= set(session.scalars(select(AwardBudgetLine.description)))
    found |= {display_name(each.iso3, "en") for each in all_countries()}
    session.rollback()
    return sorted(filter(None, {*found, *LANGUAGES.values()}), key=len, reverse=True)


def untranslated(page: Page, known: list[str]) -> list[str]:
    """Return texts of the interface that did not go through gettext: vowels without accent."""
    found = []
    for text in texts(page):
        if page.path.startswith("/audit") and RECORD.fullmatch(text):
            continue
        rest = NOT_WORDS.sub(" ", text)
        for said in known:
            rest = rest.replace(said, " ")
        plain = [word for word in PLAIN.findall(rest) if VOWEL.search(word)]
        if plain:
            found.append(f"{text[:80]!r}: {plain[:5]}")
    return found


SPEAKERS = ("", "lantern", "kenya_2", "secretary", "officer", "finance", "auditor", "administrator")


@pytest.mark.parametrize("key", SPEAKERS)
def test_every_text_of_the_interface_is_translated(
    told: Portal, key: str, count_sql: Count
) -> None:
    browser = Browser(told)
    if key:
        browser.sign_in(personas.persona(key).email, PASSWORD)
    browser.open("/?lang=en-XA")
    found = walk(browser, told, count_sql)
    known = user_words()
    said = [
        f"{path}: {sentence}"
        for path, page in found.pages.items()
        for sentence in untranslated(page, known)
    ]
    assert said == []
