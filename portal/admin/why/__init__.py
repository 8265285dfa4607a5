"""Why was this grant made? Everything that led to it, who did it, and the proof that it stands.

`records` reads the whole file in two SQL statements; `deciding`, `scoring` and `granting` put it in
words; `proof` holds the records against the chain.
"""

from dataclasses import dataclass

from portal.accounts.models import Person
from portal.admin.why import deciding, granting, proof, records, scoring
from portal.admin.why.proof import Link, Proof
from portal.admin.why.scoring import Scoring
from portal.admin.why.steps import Part, Recusal
from portal.applications.models import Application

__all__ = ["Link", "Part", "Proof", "Reasons", "Recusal", "Scoring", "reasons"]


@dataclass(frozen=True)
class Reasons:
    """The page: parts in the order of the journey, and the proof. `granted` None: not decided."""

    granted: bool | None
    answer: list[tuple[str, str]]
    eligibility: list[Part]
    scoring: Scoring
    recusals: list[Recusal]
    later: list[Part]
    proof: Proof


def reasons(
    application: Application, reader: Person, opened: dict[str, str] | None = None
) -> Reasons:
    """Return why an application was, or was not, funded. Two SQL statements.

    `opened`: the reasons of recusals by id, where the reader had them opened.
    """
    file = records.read(application, reader)
    return Reasons(
        granted=file.one("decisions")["approved"] if file.of("decisions") else None,
        answer=deciding.answer(application, file),
        eligibility=deciding.eligibility(application, file),
        scoring=scoring.scoring(application, file),
        recusals=deciding.recusals(file, opened),
        later=granting.later(application, file),
        proof=proof.prove(application, file),
    )
