"""What a grant of a fund looks like: budget, criteria, priority, instalments, reports."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from portal.funds.profile.base import (
    Hint,
    Key,
    Mark,
    Part,
    Source,
    Text,
    require_unique,
)
from portal.funds.profile.form import Question


class Category(Part):
    """A category in which a budget line may stand (R10)."""

    key: Key
    label: Text
    hint: Hint = ""
    staff: bool = False
    """Salaries and fees: free shifts between lines leave this one alone (R26)."""


class Budget(Part):
    """What may be asked for, and in which categories. Amounts are US$ in minor units (cents)."""

    categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    ineligible: tuple[Text, ...] = ()
    ceiling_usd_minor: Annotated[int, Field(gt=0)] | None = None
    """None: each call sets its own."""
    ceiling_source: Source
    audit_line_above_usd_minor: Annotated[int, Field(gt=0)] = 2_500_000
    audit_category: Key | None = None
    """The category of the audit line, where the fund asks for one above the threshold."""
    shift_percent: Annotated[int, Field(ge=0, le=100)] = 15
    shift_mark: Mark = "T"
    currency_choice: bool = True
    co_funding: bool = True
    lines_max: Annotated[int, Field(ge=1, le=200)] = 40

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        keys = [category.key for category in self.categories]
        require_unique(keys, "budget categories")
        if self.audit_category is not None and self.audit_category not in keys:
            raise ValueError(f"audit_category {self.audit_category!r} is no category")
        return self

    def category(self, key: str) -> Category:
        """Return the category with this key. KeyError when there is none."""
        for category in self.categories:
            if category.key == key:
                return category
        raise KeyError(key)


class Criterion(Part):
    """A published criterion; `anchors` describe each point of its scale, from 0 to scale_max."""

    key: Key
    title: Text
    description: Text
    weight_percent: Annotated[int, Field(ge=1, le=100)]
    scale_max: Annotated[int, Field(ge=1, le=10)] = 5
    anchors: tuple[Text, ...]
    mark: Mark
    """Of the criterion itself; its weight has a mark of its own."""
    weight_mark: Mark = "T"

    @model_validator(mode="after")
    def _describes_each_point(self) -> Self:
        if len(self.anchors) != self.scale_max + 1:
            raise ValueError(f"{self.key}: anchors describe each point from 0 to {self.scale_max}")
        return self


class PriorityRule(Part):
    """One step of a priority order; the first that tells two requests apart decides."""

    key: Literal[
        "ldc_sids_first",
        "ldc_lldc_sids_first",
        "no_geneva_mission",
        "never_or_least_benefited",
        "gender_balance",
        "regional_balance",
        "first_received",
    ]
    label: Text
    source: Source


class InstalmentRule(Part):
    """A part of an award and what it waits for (R21, R22)."""

    percent: Annotated[int, Field(ge=1, le=100)]
    trigger: Literal["agreement_signed", "report_accepted", "travel_approved", "travel_settled"]
    report: Key | None = None
    label: Text
    mark: Mark

    @model_validator(mode="after")
    def _names_its_report(self) -> Self:
        if (self.trigger == "report_accepted") != (self.report is not None):
            raise ValueError("an instalment that waits for a report names it, and only such a one")
        return self


class ReportRule(Part):
    """A report that a grantee owes, due a number of days after something has happened."""

    key: Key
    title: Text
    due_days: Annotated[int, Field(ge=1, le=1000)]
    due_from: Literal["end_of_activities", "travel_end", "agreement"]
    sections: Annotated[tuple[Question, ...], Field(min_length=1)]
    financial: bool
    people_reached: bool
    mark: Mark
