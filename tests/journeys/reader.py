"""What the journeys ask of a browser: the test client without JavaScript, or Chromium."""

from collections.abc import Callable
from typing import Any, Protocol

from portal.funds.profile import Question, Section

FEW = 8
"""Up to so many choices stand as radio buttons, more as a list to select from."""


class Shown(Protocol):
    """The page that is open."""

    @property
    def text(self) -> str:
        """What it says."""

    @property
    def path(self) -> str:
        """Where it is."""


class Reader(Protocol):
    """Somebody at a browser. `tests.browser.Browser` and `tests.ui.chromium.Chromium` are."""

    @property
    def page(self) -> Any:
        """The page that is open, a `Shown`."""

    def open(self, path: str, status: int | None = None) -> Any:
        """Open a path."""

    def follow(self, text: str, status: int | None = None) -> Any:
        """Follow a link by its words."""

    def fill(self, label: str, value: str) -> None:
        """Fill a field by its label."""

    def fill_all(self, **fields: str) -> None:
        """Fill fields by their names."""

    def choose(self, label: str, group: str | None = None) -> None:
        """Tick a box or radio button."""

    def choose_every(self, label: str) -> None:
        """Tick each radio button of that name."""

    def attach(self, label: str, filename: str, content: bytes) -> None:
        """Put a file into a field."""

    def press(self, text: str, status: int | None = None) -> Any:
        """Press a button by its words."""

    def press_beside(self, label: str, text: str, status: int | None = None) -> Any:
        """Press a button in the form of a field."""

    def sign_in(self, email: str, password: str) -> Any:
        """Sign in."""


OpenReader = Callable[[], Reader]


def answer(reader: Reader, section: Section, answers: dict[str, str]) -> None:
    """Fill in a section of a fund's form: `answers` by key, sound words elsewhere."""
    for question in section.questions:
        given = answers.get(question.key)
        if question.kind == "declaration":
            reader.choose(question.label)
        elif question.kind == "choice" and len(question.choices) > FEW:
            reader.fill(question.label, given or _harmless(question))
        elif question.kind in {"choice", "choices", "yes_no"}:
            reader.choose(given or _harmless(question), group=question.label)
        elif given is not None or question.required:
            reader.fill_all(**{f"q_{question.key}": given or _words(question)})


def _harmless(question: Question) -> str:
    if question.kind == "yes_no":
        return "No"
    quiet = [choice for choice in question.choices if choice.value not in question.sensitive_if]
    return quiet[0].label


def _words(question: Question) -> str:
    kinds = {"integer": str(question.minimum or 40), "money": "100", "date": "2027-03-01"}
    return kinds.get(question.kind, f"We answer plainly: {question.label.lower()}")
