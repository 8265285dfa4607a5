"""The words of the story: people, organisations and applications, as TOML beside this module.

The files are data: who the people are and what they wrote. When things happen stands in
`portal.demo.story`.
"""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent


class Words(BaseModel):
    """A piece of content: cannot be changed, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(Words):
    """Somebody who works for the funds. `roles`: role, fund and country, `-` for any."""

    key: str
    name: str
    email: str
    nationality: str
    time_zone: str
    language: str = "en"
    roles: tuple[str, ...]


class Organisation(Words):
    """An applicant, with the person who represents it and perhaps a colleague."""

    key: str
    name: str
    kind: str
    country: str
    registered_on: date | None = None
    number: str = ""
    address: str
    person: str
    email: str
    title: str
    language: str
    time_zone: str
    colleague: str = ""
    colleague_email: str = ""


class Cost(Words):
    """One line of a budget; `price` in the currency of the application, as people write it."""

    category: str
    what: str
    quantity: int
    price: str


class Application(Words):
    """What an applicant wrote. Days are counted from the deadline of the call."""

    organisation: str
    language: str
    currency: str = "USD"
    starts_after: int
    lasts: int
    answers: dict[str, Any]
    budget: tuple[Cost, ...]
    readers: tuple[str, ...] = ()
    """What readers of this application wrote, one sentence for each criterion."""
    reasons: str = ""
    """Why it was not granted, or not in full."""
    question: str = ""
    report: dict[str, Any] = {}
    remark: str = ""
    """Why a report came back, or a reader stepped aside."""


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


@cache
def people() -> tuple[Person, ...]:
    """Return everybody who works for the funds."""
    return tuple(Person.model_validate(each) for each in _read("people.toml")["person"])


@cache
def organisations() -> tuple[Organisation, ...]:
    """Return every applicant."""
    rows = _read("organisations.toml")["organisation"]
    return tuple(Organisation.model_validate(each) for each in rows)


def person(key: str) -> Person:
    """Return one of the funds' people. KeyError when there is none."""
    return {each.key: each for each in people()}[key]


def organisation(key: str) -> Organisation:
    """Return one applicant. KeyError when there is none."""
    return {each.key: each for each in organisations()}[key]


@cache
def application(key: str) -> Application:
    """Return what the applicant `key` wrote in its application."""
    return Application.model_validate(_read(f"applications/{key}.toml"))


@cache
def sentences() -> dict[str, Any]:
    """Return the sentences of readers and officers, by language."""
    return _read("sentences.toml")


def rates(name: str) -> bytes:
    """Return a file of rates of exchange, in the UN's own XML form."""
    return (FOLDER / f"{name}.xml").read_bytes()
