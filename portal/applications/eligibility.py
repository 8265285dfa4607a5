"""Eligibility (R1 to R12), asked as of the call's reference day, from the profile in the call.

Each check says True, False or None: None is for a person to judge. What is False and can be known
by a machine blocks the submission. What only a higher feature knows (reports that are
outstanding, bank accounts that appear twice) is injected with `answer_with`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from portal.accounts.models import Organisation, OrganisationKind
from portal.applications import queries, rules
from portal.applications.models import Application
from portal.core.i18n import _, translated
from portal.core.money import Money, format_money, usd
from portal.core.text import plain
from portal.funds.countries import country, has_flag
from portal.funds.models import Call
from portal.funds.profile import Budget, EligibilityRule, Source
from portal.ledger.queries import rate_on
from portal.ledger.rules import NoRate, Rate

Answer = Callable[[UUID], list[str]]
Outcome = tuple[bool | None, str]

_injected: dict[str, Answer] = {}

KNOWN_AT_START = (
    "applicant_kind",
    "country_flag",
    "country_list",
    "organisation_age",
    "outstanding_report",
)
"""Checks that need no answers: they decide who may start at all."""


@dataclass(frozen=True)
class Check:
    """One line of the officer's checklist. `outcome` None: for a person to judge."""

    key: str
    rule: str
    sentence: str
    source: Source
    outcome: bool | None
    detail: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of submission."""
        return self.outcome is False


@dataclass(frozen=True)
class Facts:
    """What the checks look at. Without `application`: before anything was written.

    `frozen_rate` is the one that a submission counted with; a later correction does not move it.
    """

    call: Call
    organisation: Organisation
    application: Application | None = None
    answers: dict[str, rules.Value] | None = None
    lines: Sequence[rules.Line] = ()
    attached: frozenset[str] = frozenset()
    frozen_rate: Rate | None = None

    @cached_property
    def rate(self) -> Rate:
        """The rate that the call counts with. Raises NoRate."""
        return self.frozen_rate or rate_for(
            self.call, self.application.currency if self.application else "USD"
        )

    @property
    def asked(self) -> Money:
        """What is asked for, in US$. Raises NoRate."""
        return self.rate.in_usd(Money(rules.total(self.lines), self.rate.currency))


def answer_with(check: str, answer: Answer) -> None:
    """Let a higher feature answer `check`: from an organisation to what speaks against it.

    `outstanding_report` names the reports that are owed (R4); `duplicates` what else appears
    twice (R12).
    """
    _injected[check] = answer


def evaluate(application: Application) -> list[Check]:
    """Return the checklist of an application, in the order of the profile."""
    facts = Facts(
        application.call,
        application.organisation,
        application,
        queries.answers(application),
        queries.budget_values(application),
        frozenset(file.key for file in queries.attachments(application)),
    )
    return weigh(facts)


def weigh(facts: Facts) -> list[Check]:
    """Return the checklist for what `facts` say."""
    fund = facts.call.fund
    return [_check(rule, facts) for rule in fund.eligibility] + _countries_of_call(facts)


def blocking(facts: Facts) -> list[Check]:
    """Return the checks that stand in the way of submission.

    Those that only point something out to the officer (R12) are not asked.
    """
    asked = [rule for rule in facts.call.fund.eligibility if rule.check != "duplicates"]
    found = [_check(rule, facts) for rule in asked] + _countries_of_call(facts)
    return [check for check in found if check.blocks]


def before_start(call: Call, organisation: Organisation) -> list[Check]:
    """Return the checks that can be made before anything is written."""
    facts = Facts(call, organisation)
    known = [rule for rule in call.fund.eligibility if rule.check in KNOWN_AT_START]
    return [_check(rule, facts) for rule in known] + _countries_of_call(facts)


def rate_for(call: Call, currency: str) -> Rate:
    """Return the UN operational rate that a call counts with (R9). Raises NoRate."""
    return rate_on(currency, call.reference_day)


def in_dollars(call: Call, money: Money) -> Money:
    """Return `money` in US$ at the rate of the call's reference day (R9). Raises NoRate."""
    return rate_for(call, money.currency).in_usd(money)


def _check(rule: EligibilityRule, facts: Facts) -> Check:
    outcome, detail = _CHECKS[rule.check](rule, facts)
    return Check(key_of(rule), rule.rule, rule.sentence, rule.source, outcome, detail)


def key_of(rule: EligibilityRule) -> str:
    """Return what names the rule's line in a checklist: several lines may rest on one rule."""
    return f"attachment:{rule.params['key']}" if rule.check == "attachment" else rule.check


def _countries_of_call(facts: Facts) -> list[Check]:
    """Hold a call to the countries that it names, where its profile has no such rule (R2)."""
    listed = any(
        rule.check == "country_list" and not rule.texts("countries")
        for rule in facts.call.fund.eligibility
    )
    if listed or not facts.call.countries:
        return []
    inside = facts.organisation.country in facts.call.countries
    return [
        Check(
            "country_of_call",
            "R2",
            "The call is open in the countries that it names.",
            Source(text="Call for applications", mark="S"),
            inside,
        )
    ]


def _kind(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    kind = facts.organisation.kind
    return kind.value in facts.call.fund.process.applicant_kinds, str(kind.label)


def _flag(rule: EligibilityRule, facts: Facts) -> Outcome:
    where = facts.organisation.country
    if _on_own_list(facts):
        return True, _("On the fund's own list, which goes before the flags (R2).")
    try:
        place = country(where)
    except KeyError:
        return False, where
    day = facts.call.reference_day
    held = [flag for flag in rule.texts("flags") if has_flag(place, flag, day)]
    return bool(held), _("As of %(day)s", day=day.isoformat())


def _on_own_list(facts: Facts) -> bool:
    return any(
        facts.organisation.country in rule.texts("countries")
        for rule in facts.call.fund.eligibility
        if rule.check == "country_list"
    )


def _listed(rule: EligibilityRule, facts: Facts) -> Outcome:
    allowed = rule.texts("countries") or tuple(facts.call.countries)
    return facts.organisation.country in allowed, ""


def _age(rule: EligibilityRule, facts: Facts) -> Outcome:
    if facts.organisation.kind is OrganisationKind.INDIVIDUAL or facts.organisation.kind.is_state:
        return True, _("Not asked of this kind of applicant.")
    since = facts.organisation.registered_on
    if since is None:
        return None, _("The date of registration is not given.")
    old_enough = months_later(since, 12 * rule.number("years")) <= facts.call.reference_day
    return old_enough, _("Registered on %(day)s", day=since.isoformat())


def _owed(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    answer = _injected.get("outstanding_report")
    if answer is None:
        return None, ""
    owed = answer(facts.organisation.id)
    return not owed, "; ".join(owed)


def _one_per_call(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    if facts.application is not None:
        return True, _("The portal does not let a second one be started.")
    found = queries.for_call_and_organisation(facts.call, facts.organisation)
    return found is None, found.ref if found else ""


def _one_per_state(rule: EligibilityRule, facts: Facts) -> Outcome:
    if facts.application is None:
        return None, ""
    others = queries.of_same_state(facts.application)
    return len(others) < rule.number("max"), ", ".join(others)


def _ceiling(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    if facts.application is None:
        return None, ""
    try:
        asked, rate = facts.asked, facts.rate
    except NoRate as missing:
        return False, missing.sentence
    limit = facts.call.ceiling
    if limit is None:
        return True, format_money(asked)
    detail = _(
        "Asked for: %(asked)s. Ceiling: %(limit)s. Rate: %(rate)s %(currency)s for one US$, of "
        "%(day)s.",
        asked=format_money(asked),
        limit=format_money(usd(limit)),
        rate=plain(rate.units_per_usd),
        currency=rate.currency,
        day=rate.effective_on.isoformat(),
    )
    return asked.minor <= limit, detail


def latest_end(call: Call, starts_on: date) -> date | None:
    """Return the last day on which activities may end that begin on `starts_on` (R9).

    None where the fund of the call sets no longest duration.
    """
    limits = [rule for rule in call.fund.eligibility if rule.check == "duration"]
    months = [rule.number("max_months") for rule in limits]
    return months_later(starts_on, min(months)) if months else None


def _duration(rule: EligibilityRule, facts: Facts) -> Outcome:
    first = (facts.answers or {}).get("starts_on")
    last = (facts.answers or {}).get("ends_on")
    if not first or not last:
        return None, ""
    latest = months_later(date.fromisoformat(first), rule.number("max_months"))
    return date.fromisoformat(last) <= latest, _(
        "From %(first)s to %(last)s; the latest is %(latest)s",
        first=first,
        last=last,
        latest=latest.isoformat(),
    )


def _categories(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    allowed = {category.key for category in facts.call.fund.budget.categories}
    outside = {line.category for line in facts.lines} - allowed
    return not outside, ", ".join(sorted(outside))


def _audit_line(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    budget = facts.call.fund.budget
    if facts.application is None or budget.audit_category is None:
        return True, ""
    try:
        asked = facts.asked
    except NoRate as missing:
        return False, missing.sentence
    if asked.minor <= budget.audit_line_above_usd_minor:
        return True, _("Not needed up to %(limit)s.", limit=_dollars(budget))
    has_line = any(line.category == budget.audit_category for line in facts.lines)
    return has_line, _("Needed above %(limit)s.", limit=_dollars(budget))


def _dollars(budget: Budget) -> str:
    return format_money(usd(budget.audit_line_above_usd_minor))


def _attachment(rule: EligibilityRule, facts: Facts) -> Outcome:
    key = str(rule.params["key"])
    wanted = facts.call.fund.attachment(key)
    if key in facts.attached:
        return None, _("On file: somebody has to look at it.")
    if not wanted.asked_of(facts.organisation.kind.value):
        return True, _("Not asked of this kind of applicant.")
    if not wanted.required:
        return None, _("Not attached; it was not required.")
    return False, translated(wanted.label)


def _language(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    if facts.application is None:
        return None, ""
    return facts.application.language in facts.call.languages, facts.application.language


def _duplicates(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    if facts.application is None:
        return None, ""
    found = [f"{other.ref} ({other.fund.acronym})" for other in queries.alike(facts.application)]
    answer = _injected.get("duplicates")
    found += answer(facts.organisation.id) if answer else []
    return (None, ", ".join(found)) if found else (True, "")


def _declared(rule: EligibilityRule, facts: Facts) -> Outcome:
    del rule
    given = facts.answers or {}
    wanted = [q.key for q in facts.call.fund.questions() if q.kind == "declaration" and q.required]
    return all(given.get(key) for key in wanted), ""


def months_later(day: date, months: int) -> date:
    """Return the same day `months` later, or the last of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(f"no day {months} months after {day}")


_CHECKS: dict[str, Callable[[EligibilityRule, Facts], Outcome]] = {
    "applicant_kind": _kind,
    "country_flag": _flag,
    "country_list": _listed,
    "organisation_age": _age,
    "outstanding_report": _owed,
    "one_per_call": _one_per_call,
    "one_official_per_state": _one_per_state,
    "ceiling": _ceiling,
    "duration": _duration,
    "budget_categories": _categories,
    "audit_line": _audit_line,
    "attachment": _attachment,
    "language": _language,
    "duplicates": _duplicates,
    "declarations": _declared,
}
