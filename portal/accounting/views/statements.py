"""The statement of a donor: what became of the money, as a page and as a document."""

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounting import rules
from portal.accounting.queries.statement import Statement, donor_by_ref, statement
from portal.accounting.rules import BadDay
from portal.accounting.views.blueprint import asked, blueprint, page
from portal.accounts import guard
from portal.contributions import policy
from portal.contributions.models import Donor
from portal.contributions.service.taking import record_statement_taken
from portal.core import clock, templating
from portal.core.downloads import download


def _donor(ref: str) -> Donor:
    """Return a donor that exists for the reader. Raises NotFound."""
    found = donor_by_ref(guard.signed_in(), ref)
    if found is None:
        raise NotFound
    return found


def _asked_year() -> tuple[int, list[str]]:
    """Return the year that is asked about; this year, with the reason, where none was read."""
    today = clock.today()
    try:
        return rules.read_year(asked("year"), today=today), []
    except BadDay as bad:
        return today.year, [bad.sentence]


@blueprint.get("/donors/<ref>/statement")
@guard.requires(policy.reads)
def donor_statement(ref: str) -> ResponseReturnValue:
    """Show what became of a donor's money until the end of a year."""
    donor = _donor(ref)
    year, wrong = _asked_year()
    return page(
        "donor_statement",
        wrong,
        found=_found(donor, year),
        this_year=clock.today().year,
    )


@blueprint.post("/donors/<ref>/statement.pdf")
@guard.requires(policy.reads)
def donor_statement_pdf(ref: str) -> ResponseReturnValue:
    """Hand out the statement as a document for the donor; that is an act of record."""
    donor = _donor(ref)
    year, wrong = _asked_year()
    if wrong:
        raise NotFound
    content = templating.document(
        "donor_statement",
        found=_found(donor, year),
        reference=f"{donor.ref} {year}",
        dated=clock.today(),
        addressee=[donor.name],
    )
    record_statement_taken(donor, year, by=guard.signed_in())
    return download(content, "application/pdf", f"statement-{donor.ref}-{year}.pdf")


def _found(donor: Donor, year: int) -> Statement:
    return statement(guard.signed_in(), donor, year)
