"""The proof behind the page: the events of the file, and the records held against them.

An event is sound when it has the digest of what it says and names the digest of the event that
stands before it in the chain. A record is sound when the chain tells the same of it: who did it
and when, the digest that was submitted or signed, the amount that was decided or paid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.admin import chain, words
from portal.admin.history import titles
from portal.admin.why.records import File, Row, moment
from portal.applications.models import Application
from portal.core.audit import AuditEvent, at_once
from portal.core.i18n import _
from portal.core.text import canonical_json, sha256_hex
from portal.reviews.models import SheetStatus

DECIDED = ("decision.approved", "decision.refused", "screening.inadmissible")


@dataclass(frozen=True)
class By:
    """Who a record says that did it, and when, as the records have them."""

    person_id: str | None
    at: str | None


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
        by = By(row["by_id"], row["at"])
        if not _told(events, "application.submitted", by=by, digest=row["digest"]):
            yield _("Submission %(number)s is not the one in the chain.", number=row["number"])
    for row in file.of("sheets"):
        counts = row["status"] == SheetStatus.SUBMITTED.value
        by = By(row["reviewer_id"], row["submitted_at"])
        digest = _sheet(row, file)
        if counts and not _told(events, "sheet.submitted", row["id"], by=by, digest=digest):
            name = file.name(row["reviewer_id"])
            yield _("The scores of %(name)s are not those in the chain.", name=name)
    for row in file.of("decisions"):
        yield from _decision(row, events)
    yield from _agreement(file, events)
    yield from _amendments(file, events)
    yield from _payments(file, events)


def _decision(row: Row, events: Sequence[AuditEvent]) -> Iterator[str]:
    made = (event for event in events if event.action in DECIDED)
    event = next((event for event in made if event.facts.get("decision") == row["id"]), None)
    if event is None:
        yield _("The decision is not in the chain.")
        return
    approved = event.action == "decision.approved"
    if (row["approved"], row["amount_usd"]) != (
        approved,
        event.facts.get("usd") if approved else 0,
    ):
        yield _("The amount that was decided is not the one in the chain.")
    # the first events had no digest of the reasons
    if event.facts.get("reasons") not in {None, sha256_hex(row["reasons"].encode())}:
        yield _("The reasons of the decision are not those in the chain.")
    if not _by(event, By(row["decided_by_id"], row["decided_at"])):
        yield _("The chain names somebody else, or another time, for the decision.")


def _agreement(file: File, events: Sequence[AuditEvent]) -> Iterator[str]:
    for row in file.of("agreements"):
        digest = row["digest"]
        if not _told(events, "agreement.issued", digest=digest):
            yield _("The agreement is not the one in the chain.")
        by = By(row["signed_by_id"], row["signed_at"])
        signed = not row["signed_at"] or _told(events, "offer.accepted", by=by, digest=digest)
        by = By(row["countersigned_by_id"], row["countersigned_at"])
        both = not row["countersigned_at"] or _told(
            events, "agreement.signed", by=by, digest=digest
        )
        if not (signed and both):
            yield _("The agreement was signed over another text than this, or by others.")


def _amendments(file: File, events: Sequence[AuditEvent]) -> Iterator[str]:
    for row in file.of("amendments"):
        acts = {
            "amendment.proposed": By(row["issued_by_id"], row["issued_at"]),
            "amendment.accepted": By(row["signed_by_id"], row["signed_at"]),
            "amendment.signed": By(row["countersigned_by_id"], row["countersigned_at"]),
        }
        text = {"digest": row["digest"], "amount_usd": row["amount_usd"]}
        if not all(
            _told(events, act, row["id"], by=by, **text) for act, by in acts.items() if by.at
        ):
            yield _("Amendment %(number)s is not the one in the chain.", number=row["number"])


def _payments(file: File, events: Sequence[AuditEvent]) -> Iterator[str]:
    orders = {row["id"]: row for row in file.of("orders")}
    for signed in file.of("approvals"):
        order = orders[signed["order_id"]]
        act, by = f"payment_order.{signed['step']}", By(signed["person_id"], signed["at"])
        if signed["digest"] != order["digest"] or not _told(
            events, act, order["id"], digest=order["digest"]
        ):
            yield _("Order %(ref)s was signed over something else.", ref=order["ref"])
        elif not _told(events, act, order["id"], by=by):
            yield _(
                "The chain names somebody else, or another time, for a signature of order %(ref)s.",
                ref=order["ref"],
            )
    numbers = {row["id"]: row["number"] for row in file.of("instalments")}
    for order in orders.values():
        act = f"instalment.paid:{numbers[order['instalment_id']]}"
        by = By(order["confirmed_by_id"], order["confirmed_at"])
        if order["confirmed_at"] and not _told(
            events, act, order["id"], by=by, amount_usd=order["amount_usd"]
        ):
            yield _("The payment of order %(ref)s is not in the chain.", ref=order["ref"])


def _told(
    events: Sequence[AuditEvent],
    action: str,
    subject: str | None = None,
    *,
    by: By | None = None,
    **facts: Any,
) -> bool:
    """Say whether one of the events is such an act, about `subject`, `by` them, so."""
    return any(
        event.action == action
        and (subject is None or str(event.subject_id) == subject)
        and (by is None or _by(event, by))
        and all(event.facts.get(name) == value for name, value in facts.items())
        for event in events
    )


def _by(event: AuditEvent, by: By) -> bool:
    """Say whether an event names this person, at this time."""
    return str(event.actor_id) == by.person_id and at_once(event, moment(by.at))


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
