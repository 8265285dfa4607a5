"""The scores behind a grant: each reader's sheet on the published criteria, mean and spread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portal.admin.why.records import File, Row, moment
from portal.applications.models import Application
from portal.core.i18n import _, translated
from portal.reviews import rules
from portal.reviews.models import SheetStatus


@dataclass(frozen=True)
class Points:
    """What one reader gave on one criterion, with the reason."""

    criterion: str
    points: int | None
    out_of: int
    justification: str


@dataclass(frozen=True)
class Sheet:
    """One reader's sheet. `percent` is of the highest possible score, by the weights."""

    reader: str
    status: SheetStatus
    at: datetime | None
    percent: Decimal | None
    points: Sequence[Points]
    comment: str


@dataclass(frozen=True)
class Scoring:
    """The sheets of an application. `mean` and `spread` are over those that count."""

    criteria: Sequence[str]
    sheets: Sequence[Sheet]
    mean: Decimal | None
    spread: Decimal | None


def scoring(application: Application, file: File) -> Scoring:
    """Return the scores that were submitted, those that were set aside included."""
    fund = application.fund
    given: dict[str, dict[str, Row]] = {}
    for score in file.of("scores"):
        given.setdefault(score["sheet_id"], {})[score["criterion"]] = score
    rows = [row for row in file.of("sheets") if row["status"] != SheetStatus.DRAFT.value]
    counted = [
        rules.weighted(_points(given[row["id"]]), fund.criteria)
        for row in rows
        if row["status"] == SheetStatus.SUBMITTED.value
    ]
    return Scoring(
        criteria=[
            _(
                "%(title)s (%(weight)s %%)",
                title=translated(each.title),
                weight=each.weight_percent,
            )
            for each in fund.criteria
        ],
        sheets=[_sheet(application, row, given.get(row["id"], {}), file) for row in rows],
        mean=rules.to_percent(rules.mean(counted)) if counted else None,
        spread=rules.spread(counted),
    )


def _points(given: Mapping[str, Row]) -> dict[str, int]:
    return {key: score["points"] for key, score in given.items()}


def _sheet(application: Application, row: Row, given: Mapping[str, Row], file: File) -> Sheet:
    criteria = application.fund.criteria
    points = _points(given)
    whole = all(points.get(each.key) is not None for each in criteria)
    return Sheet(
        reader=file.name(row["reviewer_id"]),
        status=SheetStatus(row["status"]),
        at=moment(row["submitted_at"]),
        percent=rules.to_percent(rules.weighted(points, criteria)) if whole and criteria else None,
        points=[
            Points(
                translated(each.title),
                points.get(each.key),
                each.scale_max,
                given[each.key]["justification"] if each.key in given else "",
            )
            for each in criteria
        ],
        comment=row["comment"],
    )
