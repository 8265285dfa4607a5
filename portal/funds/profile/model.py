"""The profile of a fund: the whole, and what must hold between its parts."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from portal.core.text import canonical_json, sha256_hex
from portal.funds.profile.base import Hint, Key, Part, Source, Text, require_unique
from portal.funds.profile.form import AttachmentRule, Question, Section
from portal.funds.profile.grant import (
    Budget,
    Criterion,
    InstalmentRule,
    PriorityRule,
    ReportRule,
)
from portal.funds.profile.process import EligibilityRule, Process, RuleText, StationRule
from portal.funds.rules import MICRO_GRANT_CEILING, WHOLE

FORM_KEYS = {"title": "text", "starts_on": "date", "ends_on": "date"}
"""Questions that every form asks, with their kind: the portal itself reads the answers."""

NOMINEE_KEYS = {
    "nominee_given_names": "text",
    "nominee_family_name": "text",
    "nominee_function": "text",
    "nominee_sex": "choice",
}
"""Questions that a form with a nominee asks besides."""

NOMINEE_ANSWERS = {
    "nominee_sex": {"female", "male", "unstated"},
    "nominee_part": {"delegate", "fellow"},
}
"""What the public statistics of a fund count by; without `nominee_part` all are delegates."""


class Profile(Part):
    """Everything in which one fund differs from another. Frozen; round-trips through JSON."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=20)]
    position: int = 100
    """Where the fund stands in lists; equal positions by code."""
    name: Text
    short_name: Text
    acronym: str
    tagline: Text
    purpose: Text
    who_may_apply: Text
    where: Text
    legal_basis: Annotated[tuple[Source, ...], Field(min_length=1)]
    history: Hint = ""
    micro_grant: bool = False
    process: Process
    eligibility: Annotated[tuple[EligibilityRule, ...], Field(min_length=1)]
    form: Annotated[tuple[Section, ...], Field(min_length=1)]
    attachments: tuple[AttachmentRule, ...] = ()
    budget: Budget
    criteria: tuple[Criterion, ...] = ()
    priority: tuple[PriorityRule, ...] = ()
    instalments: Annotated[tuple[InstalmentRule, ...], Field(min_length=1)]
    reports: Annotated[tuple[ReportRule, ...], Field(min_length=1)]
    stations: Annotated[tuple[StationRule, ...], Field(min_length=1)]
    reference_rules: tuple[RuleText, ...] = ()
    theme: Key | None = None
    """The question whose answer is the theme of a grant in accounts: a choice that anybody may
    read who reads the application. None where the fund records no theme."""

    @model_validator(mode="after")
    def _form_is_whole(self) -> Self:
        require_unique((section.key for section in self.form), "sections")
        require_unique((question.key for question in self.questions()), "questions")
        require_unique((attachment.key for attachment in self.attachments), "attachments")
        kinds: list[str] = [section.kind for section in self.form]
        for kind, wanted in (
            ("budget", True),
            ("declarations", True),
            ("attachments", bool(self.attachments)),
            ("nominee", self.process.nominee),
        ):
            if kinds.count(kind) != wanted:
                raise ValueError(f"the form has {'one section' if wanted else 'no'} {kind!r}")
        found = {question.key: question.kind for question in self.questions()}
        needed = FORM_KEYS | (NOMINEE_KEYS if self.process.nominee else {})
        for key, question_kind in needed.items():
            if found.get(key) != question_kind:
                raise ValueError(f"the form must ask {key!r} as a {question_kind}")
        for question in self.questions():
            answers = NOMINEE_ANSWERS.get(question.key)
            if answers and {choice.value for choice in question.choices} != answers:
                raise ValueError(f"{question.key} offers exactly {sorted(answers)}")
            if question.ends_after and found.get(question.ends_after) != "date":
                raise ValueError(f"{question.key}: ends_after names no date of the form")
        themes = [q.key for q in self.questions() if q.choices and not q.sealed]
        if self.theme is not None and self.theme not in themes:
            raise ValueError(f"the theme is no open choice of the form: {self.theme!r}")
        return self

    @model_validator(mode="after")
    def _selection_is_whole(self) -> Self:
        require_unique((criterion.key for criterion in self.criteria), "criteria")
        require_unique((rule.key for rule in self.priority), "steps of the priority order")
        scored = self.process.selection == "scores"
        if scored and sum(criterion.weight_percent for criterion in self.criteria) != WHOLE:
            raise ValueError("the weights of the criteria must sum to 100")
        if scored == bool(self.priority) or scored != bool(self.criteria):
            raise ValueError(
                "scores need criteria and no priority order; a priority order, no scores"
            )
        return self

    @model_validator(mode="after")
    def _money_is_whole(self) -> Self:
        if sum(instalment.percent for instalment in self.instalments) != WHOLE:
            raise ValueError("the instalments must sum to 100 per cent")
        require_unique((report.key for report in self.reports), "reports")
        for report in self.reports:
            require_unique((q.key for q in report.sections), f"questions of report {report.key}")
        reports = {report.key for report in self.reports}
        for instalment in self.instalments:
            if instalment.report is not None and instalment.report not in reports:
                raise ValueError(f"an instalment waits for no known report: {instalment.report!r}")
        ceiling = self.budget.ceiling_usd_minor
        if self.micro_grant and (ceiling is None or ceiling > MICRO_GRANT_CEILING):
            raise ValueError("a micro-grant fund has a ceiling, and it is at most US$ 5,000")
        return self

    @model_validator(mode="after")
    def _rules_point_at_something(self) -> Self:
        require_unique((station.key for station in self.stations), "stations")
        require_unique((text.rule for text in self.reference_rules), "reference rules")
        checks = {rule.check for rule in self.eligibility}
        if "applicant_kind" not in checks:
            raise ValueError("one rule of eligibility says which kinds of applicant may apply")
        if ("audit_line" in checks) != (self.budget.audit_category is not None):
            raise ValueError("the check audit_line and audit_category go together")
        attachments = {attachment.key for attachment in self.attachments}
        for rule in self.eligibility:
            if rule.check == "attachment" and rule.params["key"] not in attachments:
                raise ValueError(
                    f"{rule.rule} asks for no known attachment: {rule.params['key']!r}"
                )
        known = {f"report.accepted:{report.key}" for report in self.reports}
        known |= {f"instalment.paid:{number}" for number in range(1, len(self.instalments) + 1)}
        for station in self.stations:
            for action in station.completed_by:
                if ":" in action and action not in known:
                    raise ValueError(f"station {station.key!r} waits for nothing known: {action!r}")
        return self

    def questions(self) -> Iterator[Question]:
        """Yield every question of the form, in order."""
        for section in self.form:
            yield from section.questions

    def question(self, key: str) -> Question:
        """Return the question of the form with this key. KeyError when there is none."""
        for question in self.questions():
            if question.key == key:
                return question
        raise KeyError(key)

    def section(self, key: str) -> Section:
        """Return the section of the form with this key. KeyError when there is none."""
        for section in self.form:
            if section.key == key:
                return section
        raise KeyError(key)

    def attachment(self, key: str) -> AttachmentRule:
        """Return the attachment with this key. KeyError when there is none."""
        for attachment in self.attachments:
            if attachment.key == key:
                return attachment
        raise KeyError(key)

    def report(self, key: str) -> ReportRule:
        """Return the report with this key. KeyError when there is none."""
        for report in self.reports:
            if report.key == key:
                return report
        raise KeyError(key)

    def has_stage(self, stage: str | None) -> bool:
        """Tell whether the fund's process has this stage; a row without a stage belongs to all."""
        return stage is None or stage in self.process.stages

    def quote(self, rule: str) -> RuleText:
        """Return the sentence and source of a rule, for a refusal. KeyError when the fund has none.

        What is checked comes first (its sentence is about this fund); the first of several wins.
        """
        texts: tuple[EligibilityRule | RuleText, ...] = (*self.eligibility, *self.reference_rules)
        for text in texts:
            if text.rule == rule:
                return RuleText(rule=text.rule, sentence=text.sentence, source=text.source)
        raise KeyError(rule)

    def digest(self) -> str:
        """Return the SHA-256 (hex) over the canonical JSON, the same after a trip through JSON."""
        return sha256_hex(canonical_json(self.model_dump(mode="json")))
