"""Reads of contributions. Each is a fixed number of SQL statements, whatever the number of rows."""

from portal.contributions.queries.cards import payout_named_in
from portal.contributions.queries.figures import (
    DonorLine,
    FundLine,
    by_fund,
    receivables,
    received_by_earmark,
)
from portal.contributions.queries.listing import (
    Choices,
    Wanted,
    agreements,
    as_csv,
    choices,
    contributions,
    donors,
    pledges,
)
from portal.contributions.queries.lookup import (
    agreement_named_in,
    agreements_of,
    contribution_by_ref,
    contributions_of,
    contributions_under,
    currencies,
    donor_choices,
    draft_on,
    earmarks,
    history,
    names,
    open_agreements,
    pledges_of,
    receipt_of,
)
from portal.contributions.queries.todos import todos

__all__ = [
    "Choices",
    "DonorLine",
    "FundLine",
    "Wanted",
    "agreement_named_in",
    "agreements",
    "agreements_of",
    "as_csv",
    "by_fund",
    "choices",
    "contribution_by_ref",
    "contributions",
    "contributions_of",
    "contributions_under",
    "currencies",
    "donor_choices",
    "donors",
    "draft_on",
    "earmarks",
    "history",
    "names",
    "open_agreements",
    "payout_named_in",
    "pledges",
    "pledges_of",
    "receipt_of",
    "receivables",
    "received_by_earmark",
    "todos",
]
