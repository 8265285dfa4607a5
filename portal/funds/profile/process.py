"""The process of a fund: who acts at which stage, and the rules that are checked and quoted."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from portal.funds.profile.base import (
    Key,
    Mark,
    OrganisationKindValue,
    Part,
    RuleNumber,
    Source,
    Text,
    require_unique,
)

Stage = Literal[
    "submission",
    "screening",
    "review",
    "entitlement",
    "recommendation",
    "approval",
    "offer",
    "agreement",
    "bank",
    "instalments",
    "travel",
    "report",
    "settlement",
    "closure",
]
"""The names that rows of workflow carry; a row without a stage belongs to every fund."""

STAGES: tuple[Stage, ...] = get_args(Stage)

Check = Literal[
    "applicant_kind",
    "country_flag",
    "country_list",
    "organisation_age",
    "outstanding_report",
    "one_per_call",
    "one_official_per_state",
    "ceiling",
    "duration",
    "budget_categories",
    "audit_line",
    "attachment",
    "language",
    "duplicates",
    "declarations",
]

ParamValue = bool | int | str | tuple[str, ...]

PARAMS: dict[str, dict[str, type]] = {
    "country_flag": {"flags": tuple},
    "country_list": {"countries": tuple, "from_call": bool},
    "organisation_age": {"years": int},
    "one_official_per_state": {"max": int},
    "duration": {"max_months": int},
    "attachment": {"key": str},
}
"""What each check takes; exactly one of them is given. A check that is not named takes nothing:
it reads the process, the budget, the call or the form."""

FLAGS = ("ldc", "lldc", "sids", "developing")

ISO3_LENGTH = 3


Step = Literal[
    "screening",
    "entitlement",
    "interests",
    "scoring",
    "recommendation",
    "decision",
    "offer",
    "acceptance",
    "countersignature",
    "bank_details",
    "bank_check",
    "payment_step",
    "acknowledgement",
    "report_review",
    "closure",
]
"""What somebody has a term for; what follows the day of a report, a call or a debt has none."""

Days = Annotated[int, Field(ge=1, le=366)]


class Terms(Part):
    """Within how many days each step is to be done, from the day on which it began to wait.

    A day in a home page's list comes from here, and nothing else does: no term refuses anything.
    `mark` says how sure the whole table is.
    """

    screening: Days = 10
    entitlement: Days = 7
    interests: Days = 5
    scoring: Days = 14
    recommendation: Days = 14
    decision: Days = 10
    offer: Days = 7
    acceptance: Days = 14
    countersignature: Days = 5
    bank_details: Days = 7
    bank_check: Days = 5
    payment_step: Days = 3
    acknowledgement: Days = 10
    report_review: Days = 21
    closure: Days = 14
    mark: Mark = "T"

    def due_on(self, step: Step, since: datetime) -> date:
        """Return the day by which `step` is to be done that waits since a moment (days in UTC)."""
        days: int = getattr(self, step)
        return since.astimezone(UTC).date() + timedelta(days=days)


class Process(Part):
    """Which way an application goes, and which role acts there (R13 to R15)."""

    applicant_kinds: Annotated[tuple[OrganisationKindValue, ...], Field(min_length=1)]
    selection: Literal["scores", "priority"]
    body: Literal["task_force", "board"] | None = None
    reviewer_role: Literal["task_force_member", "trustee"] | None = None
    reviewers_min: Annotated[int, Field(ge=0, le=15)] = 0
    reviewer_scope: Literal["country", "fund"] = "fund"
    approving_role: Literal["approving_authority"] = "approving_authority"
    recommends_role: Literal["board_secretary", "programme_officer", "task_force_member"]
    """Who puts the list forward (R14): a member of the body itself, or the keeper of its papers."""
    offer: Literal["agreement", "travel_letter"]
    countersigned: bool
    state_consent: bool
    nominee: bool
    max_awards_per_state_and_session: Annotated[int, Field(ge=1)] | None = None
    second_approval_above_usd_minor: Annotated[int, Field(gt=0)] | None = None
    """Payments above it, in US cents, take two approving officers; None: one always."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    terms: Terms = Terms()

    @property
    def body_recommends(self) -> bool:
        """Whether a member of the body that scores puts the list forward."""
        return self.recommends_role == self.reviewer_role

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        scored = self.selection == "scores"
        if scored != (self.body is not None):
            raise ValueError("a body that advises goes with selection by scores, and only with it")
        role = {"task_force": "task_force_member", "board": "trustee", None: None}[self.body]
        if self.reviewer_role != role:
            raise ValueError(f"the reviewers of body {self.body!r} have the role {role!r}")
        if self.recommends_role == "task_force_member" and not self.body_recommends:
            raise ValueError("a member of a task force recommends only where a task force scores")
        if scored != (self.reviewers_min > 0):
            raise ValueError("reviewers_min is at least 1 with scores and 0 without")
        if (self.offer == "agreement") != self.countersigned:
            raise ValueError("an agreement is countersigned, and a travel letter is not")
        self._check_stages(scored=scored)
        return self

    def _check_stages(self, *, scored: bool) -> None:
        require_unique(self.stages, "stages")
        if list(self.stages) != sorted(self.stages, key=STAGES.index):
            raise ValueError("stages stand in the order in which a grant passes them")
        for stage, wanted in (
            ("submission", True),
            ("approval", True),
            ("review", scored),
            ("entitlement", not scored),
            ("agreement", self.offer == "agreement"),
            ("travel", self.offer == "travel_letter"),
            ("closure", True),
        ):
            if (stage in self.stages) != wanted:
                raise ValueError(f"stage {stage!r} {'is missing' if wanted else 'does not belong'}")


class EligibilityRule(Part):
    """One thing that is checked about an application, with the sentence that explains it."""

    rule: RuleNumber
    check: Check
    params: dict[str, ParamValue] = Field(default_factory=dict)
    sentence: Text
    source: Source

    @model_validator(mode="after")
    def _has_its_params(self) -> Self:
        wanted = PARAMS.get(self.check, {})
        if bool(self.params) != bool(wanted) or len(self.params) > 1:
            raise ValueError(f"check {self.check!r} takes one of {sorted(wanted)}")
        for name, value in self.params.items():
            if type(value) is not wanted.get(name):
                raise ValueError(f"check {self.check!r} does not take {name} = {value!r}")
        for flag in self.texts("flags"):
            if flag not in FLAGS:
                raise ValueError(f"unknown flag {flag!r}: one of {FLAGS}")
        for iso3 in self.texts("countries"):
            if len(iso3) != ISO3_LENGTH or not (iso3.isascii() and iso3.isupper()):
                raise ValueError(f"{iso3!r} is not an ISO 3166 code of three letters")
        return self

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the parameter as a list of codes; empty when it is not given."""
        value = self.params.get(name, ())
        return value if isinstance(value, tuple) else ()

    def number(self, name: str) -> int:
        """Return the parameter as a whole number. KeyError when it is not given."""
        return int(str(self.params[name]))


class StationRule(Part):
    """A station of a grant's way as people see it, passed when one of the acts has happened."""

    key: Key
    label: Text
    actor: Text
    completed_by: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z]+(:[a-z0-9_]+)?$")], ...],
        Field(min_length=1),
    ]
    due: Literal["call_closes", "report_due"] | None = None


class RuleText(Part):
    """The sentence that a refusal quotes for a rule, with its source."""

    rule: RuleNumber
    sentence: Text
    source: Source


class Rulebook(Part):
    """The rules that all funds share (`portal/funds/rulebook.toml`), each once."""

    rules: tuple[RuleText, ...]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        require_unique((text.rule for text in self.rules), "rules of the rule book")
        return self
