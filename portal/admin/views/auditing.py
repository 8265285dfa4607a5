"""The audit: events narrowed and in stretches, as a table, and the whole chain verified."""

import io
from datetime import date
from tempfile import TemporaryFile
from typing import Any

from flask import render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.admin import chain, policy, queries, service, words
from portal.admin.queries import Line, Wanted
from portal.admin.views.blueprint import asked, blueprint
from portal.core.config import ROOT
from portal.core.downloads import csv_file
from portal.core.i18n import _
from portal.core.web import attachment

FIELDS = ("action", "person", "case", "since", "until")


def _day(name: str, wrong: list[str]) -> date | None:
    typed = asked(name)
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        wrong.append(_("“%(typed)s” is not a day. Write it as 2026-11-21.", typed=typed))
        return None


def _wanted() -> tuple[Wanted, list[str]]:
    """Return how the audit is narrowed, and sentences about what could not be understood."""
    wrong: list[str] = []
    action = asked("action")
    group = {str(number): list(codes) for number, (_name, codes) in enumerate(words.GROUPS)}
    actions = group.get(action) or ([action] if action else None)
    wanted = Wanted(
        actions=actions,
        person=asked("person"),
        case=asked("case"),
        since=_day("since", wrong),
        until=_day("until", wrong),
    )
    if wanted.since and wanted.until and wanted.until < wanted.since:
        wrong.append(_("The last day is before the first day. Check both."))
    return wanted, wrong


@blueprint.get("/audit")
@guard.requires(policy.audits)
def audit() -> ResponseReturnValue:
    """Show what was done, the latest first, narrowed and in stretches of fifty."""
    reader = guard.signed_in()
    wanted, wrong = _wanted()
    found = queries.stretch(
        reader,
        wanted,
        before=request.args.get("before", type=int),
        after=request.args.get("after", type=int),
    )
    typed: dict[str, Any] = {name: asked(name) for name in FIELDS}
    given: dict[str, Any] = {name: value for name, value in typed.items() if value}

    def at(name: str, number: int | None) -> str | None:
        return None if number is None else url_for("admin.audit", **(given | {name: number}))

    return render_template(
        "admin/audit.html",
        lines=found.lines,
        sound=all(line.follows and chain.is_unaltered(line.event) for line in found.lines),
        typed=typed,
        narrowed=bool(given),
        wrong=wrong,
        groups=words.GROUPS,
        in_words=words.in_words,
        amount=words.amount,
        in_short=words.in_short,
        state=words.state,
        newer_href=at("after", found.newer),
        older_href=at("before", found.older),
        csv_href=url_for("admin.audit_csv", **given),
        whole=policy.audits_everything(reader),
    )


@blueprint.post("/audit.csv")
@guard.requires(policy.audits)
def audit_csv() -> ResponseReturnValue:
    """Hand out the narrowed audit for a spreadsheet: an act of record, itself not in the file."""
    reader = guard.signed_in()
    wanted, _wrong = _wanted()
    found = queries.export(reader, wanted)
    heads = [
        _("Number"),
        _("Time (UTC)"),
        _("Person"),
        _("Identifier of the person"),
        _("Act"),
        _("Code"),
        _("About"),
        _("Identifier"),
        _("File"),
        _("From"),
        _("To"),
        _("Rule"),
        _("Facts"),
        _("Previous digest"),
        _("Digest"),
    ]
    rows = [_cells(line) for line in found]
    service.record_audit_taken(found, by=reader)
    return csv_file("audit.csv", heads, rows)


def _cells(line: Line) -> list[str]:
    event = line.event
    said = chain.line_of(event)
    return [
        str(event.number),
        said["at"],
        line.name or "",
        said["actor"] or "",
        words.in_words(event.action),
        event.action,
        event.subject_kind,
        str(event.subject_id),
        line.ref or "",
        event.from_status or "",
        event.to_status or "",
        event.rule or "",
        words.in_short(event.facts),
        event.previous,
        event.digest,
    ]


@blueprint.get("/audit/chain")
@guard.requires(policy.audits_everything)
def whole_chain() -> ResponseReturnValue:
    """Walk along the whole chain and say whether it is intact, to its head."""
    verdict, head = chain.verify_whole()
    return render_template(
        "admin/chain.html",
        verdict=verdict,
        head=head,
        may_take=policy.can_take_chain(guard.signed_in()),
    )


@blueprint.get("/audit/chain.jsonl")
@guard.requires(policy.audits_everything)
def chain_file() -> ResponseReturnValue:
    """Hand out the whole chain, a line of JSON for each event."""
    if not policy.can_take_chain(guard.signed_in()):
        raise NotFound
    content = TemporaryFile("w+b")  # noqa: SIM115 — closed when it was sent
    text = io.TextIOWrapper(content, encoding="utf-8", newline="\n")
    chain.export_chain(text)
    text.flush()
    text.detach()
    content.seek(0)
    return attachment(
        send_file(
            content,
            mimetype="application/x-ndjson",
            as_attachment=True,
            download_name="audit-chain.jsonl",
        )
    )


@blueprint.get("/audit/verifier.py")
@guard.requires(policy.audits_everything)
def verifier() -> ResponseReturnValue:
    """Hand out the script that verifies such a file without the portal."""
    return attachment(
        send_file(
            io.BytesIO((ROOT / "portal" / "admin" / "standalone_verifier.py").read_bytes()),
            mimetype="text/x-python",
            as_attachment=True,
            download_name="verify_audit_chain.py",
        )
    )
