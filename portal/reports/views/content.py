"""What stands in a report, for the pages and the document that show it whole."""

from typing import Any

from flask import url_for

from portal.reports import queries, reading
from portal.reports.models import AgeBand, Evidence, Report
from portal.reports.views.blueprint import place


def content(
    report: Report, *, with_sealed: bool, inside: queries.Contents | None = None
) -> dict[str, Any]:
    """Return narrative, spending, people and files. Four SQL statements without `inside`."""
    rule = queries.rule_of(report)
    known = inside or queries.contents(report)
    answers = {
        key: queries.opened(report, row)
        for key, row in known.rows.items()
        if with_sealed or row.sealed is None
    }
    figures = known.figures
    return {
        "told": reading.told(rule, answers, with_sealed=with_sealed),
        "table": reading.spending_table(report, figures.told, figures.before)
        if rule.financial
        else None,
        "people": reading.people_tables(known.people) if rule.people_reached else None,
        "bands": [str(band.label) for band in AgeBand],
        "files": shown_files(report, known.evidence),
    }


def shown_files(
    report: Report, files: list[Evidence], *, removable: bool = False
) -> list[dict[str, Any]]:
    """Return files as the macro shows them."""
    return [
        {
            "name": each.file.name,
            "label": f"{each.kind.label}: {each.caption}" if each.caption else str(each.kind.label),
            "href": url_for("reports.download", **place(report), file=each.id),
            "kind": each.file.name.rpartition(".")[2],
            "size": each.file.size_bytes,
            "at": each.added_at,
            "remove_href": url_for("reports.remove", **place(report), file=each.id)
            if removable
            else None,
        }
        for each in files
    ]
