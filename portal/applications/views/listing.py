"""The list of files for those who work for the funds."""

from dataclasses import asdict
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import guard
from portal.applications import listing, policy
from portal.applications.models import ApplicationStatus
from portal.applications.service.taking import record_files_taken
from portal.applications.views.blueprint import blueprint
from portal.core.downloads import csv_file

TEXT_LIMIT = 100


def _wanted() -> listing.Wanted:
    given = {
        name: request.args.get(name, "")[:TEXT_LIMIT].replace("\x00", "")
        for name in ("call", "status", "country", "text")
    }
    return listing.Wanted(**given)


@blueprint.get("/files")
@guard.requires(policy.sees_lists)
def files() -> ResponseReturnValue:
    """List the files that the reader may see, narrowed and page by page."""
    person = guard.signed_in()
    wanted = _wanted()
    page = listing.page(person, wanted, request.args.get("page", 1, type=int))
    chosen: dict[str, Any] = asdict(wanted)

    def at(number: int) -> str:
        return url_for("applications.files", page=number, **chosen)

    return render_template(
        "applications/files.html",
        page=page,
        wanted=wanted,
        choices=listing.choices(person),
        statuses=[status for status in ApplicationStatus if status is not ApplicationStatus.DRAFT],
        csv_href=url_for("applications.files_csv", **chosen),
        pager={
            "number": page.number,
            "pages": page.pages,
            "total": page.total,
            "previous_href": at(page.number - 1) if page.number > 1 else None,
            "next_href": at(page.number + 1) if page.number < page.pages else None,
        },
    )


@blueprint.post("/files.csv")
@guard.requires(policy.sees_lists)
def files_csv() -> ResponseReturnValue:
    """Hand out the narrowed list for a spreadsheet: an act of record."""
    person = guard.signed_in()
    found = listing.taken_out(person, _wanted())
    record_files_taken(found, by=person)
    return csv_file("files.csv", *listing.as_table(found))
