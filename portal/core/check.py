"""What must always be true of the data, as things that `portal check` can ask."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CheckResult:
    """How many things were looked at, and one sentence for each that is wrong."""

    count: int
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """An invariant: a name that reads as a claim, and the question whether it holds."""

    name: str
    run: Callable[[], CheckResult]
