"""What donors pledged, agreed and gave until a day, by fund and by what it was given for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, literal, or_, select, union_all

from portal.accounting.tracing import Pool
from portal.contributions.models import (
    Contribution,
    ContributionAgreement,
    ContributionDispute,
    ContributionRefund,
    DisputeStatus,
    Earmark,
    Pledge,
    PledgeStatus,
)
from portal.contributions.queries.figures import cancelled_usd
from portal.core.db import session


@dataclass
class Gift:
    """What one donor gave to one fund for one purpose, in US cents.

    `pledged` was announced and not withdrawn by then, signed or not; `agreed` signed, less what was
    cancelled; `received` arrived, less what went back or is disputed, of it `in_year` in the year
    of the day. `titles` are those of the earmarks.
    """

    pledged: int = 0
    agreed: int = 0
    received: int = 0
    in_year: int = 0
    titles: set[str] = field(default_factory=set)


Gifts = Mapping[str, Mapping[Pool, Mapping[UUID, Gift]]]
"""What was given, by fund, by purpose, by donor."""


def gifts(until: date) -> Gifts:
    """Return what was given until the end of a day, whatever came later. One SQL statement."""
    rows = union_all(
        _row("pledged", Pledge, Pledge.amount_usd, Pledge.announced_on).where(
            or_(Pledge.status != PledgeStatus.WITHDRAWN, Pledge.withdrawn_at >= _midnight(until))
        ),
        _row(
            "agreed", ContributionAgreement, _signed(until), ContributionAgreement.signed_on
        ).where(ContributionAgreement.confirmed_at.is_not(None)),
        _row("received", Contribution, Contribution.amount_usd, Contribution.received_on),
        _row(
            "received", Contribution, -ContributionRefund.amount_usd, ContributionRefund.refunded_on
        ).join(ContributionRefund, ContributionRefund.contribution_id == Contribution.id),
        _row(
            "received",
            Contribution,
            ContributionRefund.amount_usd,
            ContributionRefund.taken_back_on,
        ).join(ContributionRefund, ContributionRefund.contribution_id == Contribution.id),
        _row(
            "received",
            Contribution,
            -ContributionDispute.amount_usd,
            ContributionDispute.disputed_on,
        ).join(ContributionDispute, ContributionDispute.contribution_id == Contribution.id),
        _row(
            "received",
            Contribution,
            ContributionDispute.amount_usd,
            ContributionDispute.ended_on,
        )
        .join(ContributionDispute, ContributionDispute.contribution_id == Contribution.id)
        .where(ContributionDispute.status == DisputeStatus.WON),
    ).subquery()
    this_year = rows.c.on >= date(until.year, 1, 1)
    found = (
        select(
            rows.c.what,
            rows.c.fund_code,
            rows.c.donor_id,
            Earmark.call_id,
            Earmark.country,
            Earmark.title,
            func.sum(rows.c.cents),
            func.coalesce(func.sum(rows.c.cents).filter(this_year), 0),
        )
        .outerjoin(Earmark, Earmark.id == rows.c.earmark_id)
        .where(rows.c.on <= until)
        .group_by(
            rows.c.what,
            rows.c.fund_code,
            rows.c.donor_id,
            Earmark.call_id,
            Earmark.country,
            Earmark.title,
        )
    )
    given: dict[str, dict[Pool, dict[UUID, Gift]]] = defaultdict(lambda: defaultdict(dict))
    for what, fund, donor, call, country, title, cents, in_year in session.execute(found):
        pool = Pool(str(call or ""), country or "")
        gift = given[fund][pool].setdefault(donor, Gift())
        _add(gift, what, int(cents), int(in_year))
        if title:
            gift.titles.add(title)
    return given


def _add(gift: Gift, what: str, cents: int, in_year: int) -> None:
    if what == "pledged":
        gift.pledged += cents
    elif what == "agreed":
        gift.agreed += cents
    else:
        gift.received += cents
        gift.in_year += in_year


def _row(what: str, model: Any, cents: Any, on: Any) -> Select[Any]:
    return select(
        literal(what).label("what"),
        model.fund_code,
        model.donor_id,
        model.earmark_id,
        cents.label("cents"),
        on.label("on"),
    )


def _signed(until: date) -> Any:
    """Return what an agreement is worth in US cents, less what was cancelled of it by then."""
    whole = ContributionAgreement.usd_at_signature
    midnight = _midnight(until)
    return whole - case((ContributionAgreement.cancelled_at < midnight, cancelled_usd()), else_=0)


def _midnight(until: date) -> datetime:
    """Return the moment at which a day has ended."""
    return datetime.combine(until + timedelta(days=1), time(), UTC)
