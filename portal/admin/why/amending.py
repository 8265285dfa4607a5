"""How the grant was amended: what changed, for which reasons, who asked, proposed and signed."""

from collections.abc import Iterator

from portal.admin import words
from portal.admin.why.records import File, Row, day, moment
from portal.admin.why.steps import Part, Step, dollars, word
from portal.awards.amendments.models import AmendmentStatus
from portal.core.formats import format_day
from portal.core.i18n import _

ENDED = ("amendment.decline", "amendment.withdraw")


def amended(file: File) -> list[Part]:
    """Return a part for each amendment, in their order; one that says so where there is none."""
    found = [_amendment(row, file) for row in file.of("amendments")]
    return found or [Part(_("Amendments"), [], _("The grant was not amended."))]


def _amendment(row: Row, file: File) -> Part:
    return Part(
        _("Amendment %(number)s", number=row["number"]),
        list(_steps(row, file)),
        facts=[(_("State"), word(AmendmentStatus, row["status"])[0]), *_changes(row)],
    )


def _changes(row: Row) -> Iterator[tuple[str, str]]:
    """Yield what the amendment changes, each with what it was. Nothing while it is only asked."""
    if row["amount_usd"] != row["from_amount_usd"]:
        yield _("Amount"), _from_to(row["from_amount_usd"], row["amount_usd"])
    if row["ends_on"] != row["from_ends_on"]:
        before, after = day(row["from_ends_on"]), day(row["ends_on"])
        yield (
            _("Last day of the activities"),
            _(
                "%(before)s, now %(after)s",
                before=format_day(before) if before else "–",
                after=format_day(after) if after else "–",
            ),
        )
    for term in row["budget"]:
        if term["usd"] != term["before"]:
            title = _("Budget line: %(line)s", line=term["description"])
            yield title, _from_to(term["before"], term["usd"])
    for term in row["instalments"]:
        if term["usd"] != term["before"]:
            title = _("Instalment %(number)s", number=term["number"])
            yield title, _from_to(term["before"], term["usd"])


def _from_to(before: int, after: int) -> str:
    return _("%(before)s, now %(after)s", before=dollars(before), after=dollars(after))


def _steps(row: Row, file: File) -> Iterator[Step]:
    if row["asked_at"]:
        who, at = file.name(row["asked_by_id"]), moment(row["asked_at"])
        yield Step(_("Asked for by the grantee"), who, at, text=row["asked_reason"], rule="R26")
    if row["issued_at"]:
        yield Step(
            _("Proposed for the fund"),
            file.name(row["issued_by_id"]),
            moment(row["issued_at"]),
            text=row["reason"],
            rule="R26",
            digest=row["digest"],
        )
    if row["signed_at"]:
        yield Step(
            _("Signed by the grantee"),
            row["signed_name"],
            moment(row["signed_at"]),
            tone="good",
            digest=row["digest"],
        )
    if row["countersigned_at"]:
        yield Step(
            _("Countersigned for the fund"),
            file.name(row["countersigned_by_id"]),
            moment(row["countersigned_at"]),
            tone="good",
            digest=row["digest"],
        )
    yield from _ended(row, file)


def _ended(row: Row, file: File) -> Iterator[Step]:
    """Yield how it was declined or withdrawn, by its event, with the words that were given."""
    for event, _before in file.events:
        if event.action in ENDED and str(event.subject_id) == row["id"]:
            yield Step(
                words.in_words(event.action),
                file.name(str(event.actor_id)) if event.actor_id else "",
                event.at,
                tone="stop",
                text=row["remark"],
            )
