"""The yearly account of a fund: as a page, as a document for filing, and as a workbook (R31)."""

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounting import policy, rules, service
from portal.accounting.figures import words_of
from portal.accounting.queries.yearly import YearlyAccount, yearly_account
from portal.accounting.views.blueprint import blueprint, fund_or_404, page
from portal.accounting.workbook import workbook
from portal.accounts import guard
from portal.core import clock, templating
from portal.core.downloads import download

blueprint.add_app_template_filter(words_of, "account_words")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _found(code: str, year: int) -> YearlyAccount:
    """Return an account that the reader may see. Raises NotFound."""
    if not rules.is_year(year, today=clock.today()):
        raise NotFound
    return yearly_account(fund_or_404(code, policy.can_see_account), year)


@blueprint.get("/funds/<code>/account/<int:year>")
@guard.requires(policy.reads_accounts)
def account(code: str, year: int) -> ResponseReturnValue:
    """Show the account of a year beside the year before."""
    found = _found(code, year)
    today = clock.today()
    return page(
        "account",
        found=found,
        before=year - 1 if rules.is_year(year - 1, today=today) else None,
        after=year + 1 if rules.is_year(year + 1, today=today) else None,
    )


@blueprint.post("/funds/<code>/account/<int:year>.pdf")
@guard.requires(policy.reads_accounts)
def account_pdf(code: str, year: int) -> ResponseReturnValue:
    """Hand out the account as a document; that is an act of record."""
    found = _found(code, year)
    content = templating.document(
        "yearly_account",
        found=found,
        reference=f"{found.fund.acronym} {year}",
        dated=clock.today(),
    )
    service.record_account_taken(code, year, "pdf", by=guard.signed_in())
    return download(content, "application/pdf", f"account-{found.fund.code}-{year}.pdf")


@blueprint.post("/funds/<code>/account/<int:year>.xlsx")
@guard.requires(policy.reads_accounts)
def account_xlsx(code: str, year: int) -> ResponseReturnValue:
    """Hand out the account as a workbook; that is an act of record."""
    found = _found(code, year)
    content = workbook(found)
    service.record_account_taken(code, year, "xlsx", by=guard.signed_in())
    return download(content, XLSX, f"account-{found.fund.code}-{year}.xlsx")
