"""Workflow as data: one row per transition, read by services, buttons, the diagram and tests.

A row says from where to where, who may, and what must hold first. An act that no row allows is
refused with a sentence; nothing is ever silently ignored.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from babel.support import LazyProxy

from portal.core import audit
from portal.core.i18n import _


class Refused(Exception):
    """An act that the rules do not allow. `sentence` explains it to a person and says what to do.

    `rule` is the rule's number in the funds' rule book (R1 to R31), where there is one.
    """

    def __init__(self, sentence: str, rule: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.rule = rule


class Actor(Protocol):
    """Whoever acts."""

    @property
    def id(self) -> UUID:
        """The person's identifier."""


class Thing(Protocol):
    """Whatever has a status that workflow rows move."""

    __tablename__: Any
    status: Any

    @property
    def id(self) -> Any:
        """The row's identifier."""

    @property
    def case_id(self) -> UUID | None:
        """The application at the head of the case file that the thing belongs to."""


T = TypeVar("T", bound=Thing)
Requirement = Callable[[T], str | None]


@dataclass(frozen=True)
class Transition(Generic[T]):
    """One row. `requires` return the sentence of a refusal, or None when all is well.

    `stage` names the stage of a fund's process that must exist for the row to apply.
    """

    action: StrEnum
    sources: Collection[StrEnum]
    target: StrEnum
    may: Callable[[Any, T], bool]
    label: LazyProxy
    requires: Sequence[Requirement[T]] = ()
    stage: str | None = None


@dataclass(frozen=True)
class Offer:
    """An action that a person may take now, or the reason why it has to wait."""

    action: StrEnum
    label: LazyProxy
    refusal: str | None


class Workflow(Generic[T]):
    """A table of transitions over one kind of thing."""

    def __init__(
        self,
        kind: str,
        rows: Sequence[Transition[T]],
        stages: Callable[[T], Collection[str]] | None = None,
    ) -> None:
        self.kind = kind
        self.rows = tuple(rows)
        self._stages = stages

    def _applies(self, row: Transition[T], thing: T) -> bool:
        if row.stage is None or self._stages is None:
            return True
        return row.stage in self._stages(thing)

    def find(self, thing: T, action: StrEnum) -> Transition[T] | None:
        """Return the row for `action` from the present status of `thing`, if there is one."""
        for row in self.rows:
            if row.action == action and thing.status in row.sources and self._applies(row, thing):
                return row
        return None

    def offers(self, person: Any, thing: T) -> list[Offer]:
        """Return what `person` may do with `thing` now, each with its refusal if it must wait."""
        return [
            Offer(row.action, row.label, refusal(row, thing))
            for row in self.rows
            if thing.status in row.sources and self._applies(row, thing) and row.may(person, thing)
        ]

    def check(self, thing: T, action: StrEnum, by: Any) -> Transition[T]:
        """Return the row that allows `by` to take `action` now; raise Refused otherwise."""
        row = self.find(thing, action)
        if row is None:
            raise Refused(
                _(
                    "This is not possible now: the status is “%(status)s”.",
                    status=getattr(thing.status, "label", thing.status),
                )
            )
        if not row.may(by, thing):
            raise Refused(_("This step belongs to somebody else."))
        sentence = refusal(row, thing)
        if sentence:
            raise Refused(sentence)
        return row

    def perform(
        self,
        thing: T,
        action: StrEnum,
        *,
        by: Actor,
        rule: str | None = None,
        facts: Mapping[str, Any] | None = None,
        event: str | None = None,
    ) -> audit.AuditEvent:
        """Move `thing`, append the audit event and return it. Raises Refused.

        The event is named `<kind>.<action>` unless `event` names it.
        """
        row = self.check(thing, action, by)
        before = thing.status
        thing.status = row.target
        return audit.record(
            event or f"{self.kind}.{action}",
            thing,
            actor_id=by.id,
            case_id=thing.case_id,
            from_status=str(before),
            to_status=str(row.target),
            rule=rule,
            facts=facts,
        )


def diagram(workflow: Workflow[Any]) -> str:
    """Return the table as a Mermaid state diagram, an arrow for each row: the README shows it."""
    arrows = dict.fromkeys(
        f"    {source.value} --> {row.target.value}: {row.action.value}"
        for row in workflow.rows
        for source in sorted(row.sources)
    )
    return "\n".join(["stateDiagram-v2", *arrows])


def refusal(row: Transition[T], thing: T) -> str | None:
    """Return the first sentence for which `row` has to wait, or None."""
    for requirement in row.requires:
        sentence = requirement(thing)
        if sentence:
            return sentence
    return None
