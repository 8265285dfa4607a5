"""The proof behind the page: the events of the file, and the records held against them.

An event is sound when it has the digest of what it says and names the digest of the event that
stands before it in the chain. A record is sound when the chain tells the same of it: the digest
that was submitted or signed, the amount that was decided or paid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.admin import chain, words
from portal.admin.history import titles
from portal.admin.why.records import File, Row
from portal.applications.models import Application
from portal.core.audit import AuditEvent
from portal.core.i18n import _
from portal.core.text import canonical_json, sha256_hex
from portal.reviews.models import SheetStatus


@dataclass(frozen=True)
class Link:
    """One event of the file. `sound`: unaltered, and following the one before it."""

    number: int
    at: datetime
    what: str
    who: str
    rule: str
    digest: str
    previous: str
    sound: bool


@dataclass(frozen=True)
class Proof:
    """The events of the file, and a sentence for each record that says something else."""

    links: Sequence[Link]
    differences: Sequence[str]

    @property
    def verified(self) -> bool:
        """Whether every event is sound and every record is what the chain says."""
        return not self.differences and all(link.sound for link in self.links)


def prove(application: Application, file: File) -> Proof:
    """Return the proof of a case file. No SQL statement."""
    keys = titles(application)
    links = [
        Link(
            event.number,
            event.at,
            words.in_words(event.action, keys),
            file.name(str(event.actor_id)) if event.actor_id else _("the portal, by its rules"),
            event.rule or "",
            event.digest,
            event.previous,
            chain.is_unaltered(event) and event.previous == before,
        )
        for event, before in file.events
    ]
    return Proof(links, list(differences(file)))


def differences(file: File) -> Iterator[str]:
    """Yield a sentence for each record of the file of which the chain tells otherwise."""
    events = [event for event, _before in file.events]
    for row in file.of("submissions"):
        if not _told(events, ("application.submitted",), digest=row["digest"]):
            yield _("Submission %(number)s is not the one in the chain.", number=row["number"])
    for row in file.of("sheets"):
        counts = row["status"] == SheetStatus.SUBMITTED.value
        if counts and not _told(events, ("sheet.submitted",), row["id"], digest=_sheet(row, file)):
            name = file.name(row["reviewer_id"])
            yield _("The scores of %(name)s are not those in the chain.", name=name)
    for row in file.of("decisions"):
        if not any(event.facts.get("decision") == row["id"] for event in events):
            yield _("The decision is not in the chain.")
        elif row["approved"] and not _told(
            events, ("decision.approved",), decision=row["id"], usd=row["amount_usd"]
        ):
            yield _("The amount that was decided is not the one in the chain.")
    yield from _agreement(file, events)
    yield from _payments(file, events)


def _agreement(file: File, events: Sequence[AuditEvent]) -> Iterator[str]:
    for row in file.of("agreements"):
        if not _told(events, ("agreement.issued",), digest=row["digest"]):
            yield _("The agreement is not the one in the chain.")
        signed = not row["signed_at"] or _told(events, ("offer.accepted",), digest=row["digest"])
        both = not row["countersigned_at"] or _told(
            events, ("agreement.signed",), digest=row["digest"]
        )
        if not (signed and both):
            yield _("The agreement was signed over another text than this.")


def _payments(file: File, events: Sequence[AuditEvent]) -> Iterator[str]:
    orders = {row["id"]: row for row in file.of("orders")}
    for signed in file.of("approvals"):
        order = orders[signed["order_id"]]
        act = (f"payment_order.{signed['step']}",)
        if signed["digest"] != order["digest"] or not _told(
            events, act, order["id"], digest=order["digest"]
        ):
            yield _("Order %(ref)s was signed over something else.", ref=order["ref"])
    numbers = {row["id"]: row["number"] for row in file.of("instalments")}
    for order in orders.values():
        paid = (f"instalment.paid:{numbers[order['instalment_id']]}",)
        if order["confirmed_at"] and not _told(events, paid, amount_usd=order["amount_usd"]):
            yield _("The payment of order %(ref)s is not in the chain.", ref=order["ref"])


def _told(
    events: Sequence[AuditEvent], actions: Sequence[str], subject: str | None = None, **facts: Any
) -> bool:
    """Say whether one of the events is such an act, about `subject`, with these facts."""
    return any(
        event.action in actions
        and (subject is None or str(event.subject_id) == subject)
        and all(event.facts.get(name) == value for name, value in facts.items())
        for event in events
    )


def _sheet(row: Row, file: File) -> str:
    """Return the digest of a score sheet as it stands now, made as it was when it came in."""
    scores = {
        score["criterion"]: {
            "points": score["points"],
            "justification": score["justification"],
        }
        for score in file.of("scores")
        if score["sheet_id"] == row["id"]
    }
    return sha256_hex(canonical_json({"scores": scores, "comment": row["comment"]}))
