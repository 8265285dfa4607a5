"""The form of a fund: sections, questions, attachments."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from portal.funds.profile.base import (
    Hint,
    Key,
    OrganisationKindValue,
    Part,
    RuleNumber,
    Text,
    require_unique,
)

QuestionKind = Literal[
    "text",
    "long_text",
    "choice",
    "choices",
    "date",
    "integer",
    "money",
    "yes_no",
    "country",
    "declaration",
    "recommendations",
]

YES_NO = ("yes", "no")
"""The answers to a question of kind yes_no, as they are stored."""

FileType = Literal["pdf", "docx", "xlsx", "odt", "ods", "jpeg", "png", "txt", "csv"]


class Choice(Part):
    """One answer that may be chosen; the value is stored, the label is read."""

    value: Key
    label: Text


class Question(Part):
    """One question. Limits are counted, never cut; nothing is required in order to save."""

    key: Key
    label: Text
    hint: Hint = ""
    kind: QuestionKind
    required: bool = True
    max_words: Annotated[int, Field(ge=1)] | None = None
    max_chars: Annotated[int, Field(ge=1)] | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[Choice, ...] = ()
    sealed: bool = False
    """Encrypted at rest: contacts and answers on risk."""
    sensitive_if: tuple[str, ...] = ()
    """Answers that make the application sensitive; only a higher role may lower that."""
    ends_after: Key | None = None
    """The key of the date that this date must come after."""
    must_be_future: bool = False

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.kind in ("choice", "choices")) != bool(self.choices):
            raise ValueError(f"{self.key}: choices go with kind choice and choices, only there")
        require_unique((choice.value for choice in self.choices), f"the choices of {self.key}")
        if (self.ends_after or self.must_be_future) and self.kind != "date":
            raise ValueError(f"{self.key}: only a date has to come after something")
        if (self.max_words or self.max_chars) and self.kind not in ("text", "long_text"):
            raise ValueError(f"{self.key}: only a text has a length")
        if (self.minimum is not None or self.maximum is not None) and self.kind != "integer":
            raise ValueError(f"{self.key}: only a whole number has a minimum and a maximum")
        answers = YES_NO if self.kind == "yes_no" else [choice.value for choice in self.choices]
        for answer in self.sensitive_if:
            if answer not in answers:
                raise ValueError(f"{self.key}: sensitive_if names no possible answer: {answer!r}")
        return self


class Section(Part):
    """One page of the form. `kind` says what stands on it besides its questions."""

    key: Key
    title: Text
    intro: Hint = ""
    kind: Literal["questions", "budget", "attachments", "nominee", "declarations"] = "questions"
    questions: tuple[Question, ...] = ()

    @model_validator(mode="after")
    def _has_something_to_fill_in(self) -> Self:
        if not self.questions and self.kind not in ("budget", "attachments"):
            raise ValueError(f"section {self.key!r} has no questions")
        if self.kind == "declarations" and {q.kind for q in self.questions} != {"declaration"}:
            raise ValueError(f"section {self.key!r} holds declarations and nothing else")
        return self


class AttachmentRule(Part):
    """A document that goes with an application (R7, R11)."""

    key: Key
    label: Text
    hint: Hint = ""
    required: bool
    rule: RuleNumber = "R7"
    types: Annotated[tuple[FileType, ...], Field(min_length=1)] = ("pdf", "jpeg", "png")
    only_for: tuple[OrganisationKindValue, ...] = ()
    """The kinds of applicant that it is asked of; empty: every kind."""

    def asked_of(self, kind: str) -> bool:
        """Tell whether an applicant of this kind is asked for the document."""
        return not self.only_for or kind in self.only_for
