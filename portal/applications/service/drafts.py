"""A draft: started, filled in by several people at once, with its budget and its files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import delete

from portal.accounts import policy as accounts_policy
from portal.accounts.models import Organisation, Person
from portal.applications import eligibility, queries, rules
from portal.applications.models import Answer, Application, Attachment, BudgetLine
from portal.applications.service.locking import demand_editor, hold
from portal.core import audit, clock, crypto, files
from portal.core.db import session
from portal.core.i18n import _, translated
from portal.core.money import MAX_MINOR, UnknownCurrency, exponent
from portal.core.workflow import Refused
from portal.funds.models import Call
from portal.funds.profile import Question
from portal.ledger.rules import NoRate

FILES_PER_KEY = 5
"""How many files may stand under one heading."""


@dataclass(frozen=True)
class Conflict:
    """An answer that somebody else changed since the page was opened. Nothing was overwritten."""

    key: str
    yours: rules.Value
    theirs: rules.Value
    revision: int
    by: str
    at: datetime


@dataclass(frozen=True)
class SaveResult:
    """What became of a save: `errors` and `conflicts` were not saved, everything else was.

    `revisions` holds the present revision of each key that was given; `errors` sentences by key.
    """

    saved_at: datetime
    revisions: dict[str, int]
    conflicts: list[Conflict] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether everything that was given was saved."""
        return not self.conflicts and not self.errors


@dataclass(frozen=True)
class BudgetResult:
    """What became of saving a budget. With `conflict`, nothing was saved."""

    saved_at: datetime
    revision: int
    conflict: bool = False


def start(
    call: Call, organisation: Organisation, *, by: Person, language: str | None = None
) -> Application:
    """Begin an application of `organisation` under `call`, and return the draft.

    Raises Refused with the rule where the call is closed (R7), the applicant cannot apply
    (R1 to R6) or already has an application in this call (R5). `language` is one of the call's.
    """
    if not accounts_policy.can_see_organisation(by, organisation):
        raise Refused(_("You do not work for this organisation."))
    if not call.takes_applications:
        raise Refused(_("This call does not take applications now. Look at its dates."), "R7")
    audit.take_turn()
    standing = queries.for_call_and_organisation(call, organisation)
    if standing is not None:
        raise Refused(
            _(
                "Your organisation already has an application in this call: %(ref)s. Continue "
                "that one.",
                ref=standing.ref,
            ),
            "R5",
        )
    for check in eligibility.before_start(call, organisation):
        if check.blocks:
            raise Refused(_refusal(check), check.rule)
    spoken = language or (by.language if by.language in call.languages else call.languages[0])
    if spoken not in call.languages:
        raise Refused(_("Choose one of the languages of the call."), "R8")
    application = Application(
        call=call,
        organisation=organisation,
        sealing_key=crypto.new_key(),
        country=organisation.country,
        language=spoken,
        created_by_id=by.id,
    )
    session.add(application)
    session.flush()
    audit.record(
        "application.started",
        application,
        actor_id=by.id,
        case_id=application.id,
        to_status=application.status.value,
        facts={"call": call.ref, "fund": call.fund_code},
    )
    return application


def _refusal(check: eligibility.Check) -> str:
    sentence = translated(check.sentence)
    return f"{sentence} ({check.detail})" if check.detail else sentence


def choose_language(application: Application, language: str, *, by: Person) -> None:
    """Say in which language of the call the draft is written (R8). Raises Refused."""
    hold(application, to_record=False)
    demand_editor(application, by)
    if language not in application.call.languages:
        raise Refused(_("Choose one of the languages of the call."), "R8")
    application.language = language
    session.flush()


def save_answers(
    application: Application,
    section_key: str,
    values: Mapping[str, Any],
    revisions: Mapping[str, int] | None = None,
    *,
    by: Person,
    locale: str = "en",
) -> SaveResult:
    """Keep the answers of one section; incomplete is fine, only what is given is touched.

    `revisions` says which revision of each answer the writer had seen (0 for none); an answer
    that somebody else changed since is reported as a conflict and stays as it is, unless both
    wrote the same. Without `revisions` the last writer wins. What cannot be kept at all comes back
    in `errors`. Raises Refused when it is no draft any more, or the deadline has passed.
    """
    section = application.fund.section(section_key)
    asked = {question.key: question for question in section.questions}
    unknown = values.keys() - asked.keys()
    if unknown:
        raise KeyError(f"section {section_key!r} does not ask {sorted(unknown)}")
    read, errors = _read(asked, values, application.currency, locale)
    alarming = not application.sensitive and any(
        rules.makes_sensitive(asked[key], value) for key, value in read.items()
    )
    hold(application, to_record=alarming)
    demand_editor(application, by)
    rows = queries.answer_rows(application)
    result = SaveResult(clock.now(), {}, errors=errors)
    theirs: list[tuple[str, rules.Value, Answer]] = []
    for key, value in read.items():
        row = rows.get(key)
        stands = queries.opened(application, row) if row else None
        present = row.revision if row else 0
        seen = present if revisions is None else revisions.get(key, 0)
        if value != stands and seen != present and row is not None:
            theirs.append((key, value, row))
        elif value != stands:
            present = _keep(application, asked[key], row, value, by)
            _repeat(application, key, value)
        result.revisions[key] = present
    result.conflicts.extend(_conflicts(application, theirs))
    clashing = {conflict.key for conflict in result.conflicts}
    kept = {key: value for key, value in read.items() if key not in clashing}
    if any(rules.makes_sensitive(asked[key], value) for key, value in kept.items()):
        _mark_sensitive(application, by)
    session.flush()
    return result


def _read(
    asked: Mapping[str, Question], values: Mapping[str, Any], currency: str, locale: str
) -> tuple[dict[str, rules.Value], dict[str, str]]:
    read: dict[str, rules.Value] = {}
    errors: dict[str, str] = {}
    for key, typed in values.items():
        try:
            read[key] = rules.read_answer(asked[key], typed, currency=currency, locale=locale)
        except rules.BadAnswer as bad:
            errors[key] = bad.sentence
    return read, errors


def _conflicts(
    application: Application, theirs: Sequence[tuple[str, rules.Value, Answer]]
) -> list[Conflict]:
    people = queries.names(row.updated_by_id for _key, _value, row in theirs)
    return [
        Conflict(
            key,
            value,
            queries.opened(application, row),
            row.revision,
            people.get(row.updated_by_id, ""),
            row.updated_at,
        )
        for key, value, row in theirs
    ]


def _keep(
    application: Application,
    question: Question,
    row: Answer | None,
    value: rules.Value,
    by: Person,
) -> int:
    if row is None:
        row = Answer(application=application, key=question.key, revision=0, updated_by_id=by.id)
        session.add(row)
    place = queries.sealed_place(application, question.key)
    if question.sealed and value is not None:
        text = json.dumps(value, ensure_ascii=False)
        row.value, row.sealed = None, crypto.seal(application.sealing_key, text, place)
    else:
        row.value, row.sealed = value, None
    row.revision += 1
    row.updated_by_id = by.id
    row.updated_at = clock.now()
    return row.revision


def _repeat(application: Application, key: str, value: rules.Value) -> None:
    """Keep the title beside the application too, for lists."""
    if key == "title":
        application.title = value or ""


def _mark_sensitive(application: Application, by: Person) -> None:
    if application.sensitive:
        return
    application.sensitive = True
    audit.record(
        "application.marked_sensitive", application, actor_id=by.id, case_id=application.id
    )


def save_budget(
    application: Application,
    lines: Sequence[rules.Line],
    *,
    by: Person,
    currency: str | None = None,
    revision: int | None = None,
) -> BudgetResult:
    """Put `lines` in place of the budget; sums and US$ are the server's.

    `revision` is the one that the writer had seen (`application.budget_revision`); if somebody
    else saved since, nothing changes and the result says so. Above the ceiling is kept too: it
    blocks the submission (R9). Raises Refused for what cannot be kept.
    """
    hold(application, to_record=False)
    demand_editor(application, by)
    if revision is not None and revision != application.budget_revision:
        if list(lines) == queries.budget_values(application):
            return BudgetResult(clock.now(), application.budget_revision)
        return BudgetResult(clock.now(), application.budget_revision, conflict=True)
    chosen = currency or application.currency
    _demand_lines(application, lines, chosen)
    session.execute(delete(BudgetLine).where(BudgetLine.application_id == application.id))
    session.add_all(
        BudgetLine(
            application=application,
            position=position,
            category=line.category,
            description=line.description,
            quantity=line.quantity,
            unit_cost=line.unit_cost,
            amount=line.amount,
        )
        for position, line in enumerate(lines)
    )
    application.currency = chosen
    application.requested = rules.total(lines)
    application.requested_usd = dollars_or_zero(application)
    application.budget_revision += 1
    session.flush()
    return BudgetResult(clock.now(), application.budget_revision)


def dollars_or_zero(application: Application) -> int:
    """Return what is asked for in US cents, 0 while there is no rate for it (R9)."""
    try:
        return eligibility.in_dollars(application.call, application.requested_money).minor
    except NoRate:
        return 0


def _demand_lines(application: Application, lines: Sequence[rules.Line], currency: str) -> None:
    budget = application.fund.budget
    try:
        exponent(currency)
    except UnknownCurrency as unknown:
        raise Refused(
            _("“%(code)s” is no currency that the portal knows.", code=currency[:10])
        ) from unknown
    if not budget.currency_choice and currency != "USD":
        raise Refused(_("The budget of this fund is in United States dollars."), "R10")
    try:
        eligibility.rate_for(application.call, currency)
    except NoRate as none:
        raise Refused(none.sentence, "R9") from none
    if len(lines) > budget.lines_max:
        raise Refused(
            _("The budget takes up to %(limit)s lines; join some.", limit=budget.lines_max), "R10"
        )
    allowed = {category.key for category in budget.categories}
    if any(line.category not in allowed for line in lines):
        raise Refused(_("Every line stands in one of the categories of the fund."), "R10")
    if any(line.quantity < 1 or line.unit_cost < 1 for line in lines):
        raise Refused(_("Quantities and prices are above zero."), "R10")
    if rules.total(lines) > MAX_MINOR:
        raise Refused(_("The total is too large. Look at the digits again."), "R10")


def attach(
    application: Application,
    key: str,
    stream: BinaryIO,
    filename: str,
    *,
    by: Person,
    replaces: Attachment | None = None,
) -> Attachment:
    """Attach an upload under the heading `key`, in place of `replaces` where that stands there.

    Raises BadFile for what cannot be taken, Refused outside a draft (R7).
    """
    rule = application.fund.attachment(key)
    hold(application, to_record=True)
    demand_editor(application, by)
    present = [each for each in queries.attachments(application) if each.key == key]
    replaced = replaces if replaces in present else None
    if replaced is None and len(present) >= FILES_PER_KEY:
        raise Refused(
            _("Up to %(limit)s files can stand here. Remove one first.", limit=FILES_PER_KEY), "R7"
        )
    stored = files.store(stream, filename, by.id, rule.types, application.id)
    attachment = Attachment(application=application, key=key, file=stored, added_by_id=by.id)
    session.add(attachment)
    session.flush()
    audit.record(
        "attachment.added",
        attachment,
        actor_id=by.id,
        case_id=application.id,
        facts={"key": key, "sha256": stored.sha256},
    )
    if replaced is not None:
        _remove(replaced, by)
    return attachment


def remove_attachment(attachment: Attachment, *, by: Person) -> None:
    """Take a file off the draft. Doing it twice changes nothing. Raises Refused."""
    application = attachment.application
    hold(application, to_record=True)
    demand_editor(application, by)
    session.refresh(attachment, ["removed_at"])
    _remove(attachment, by)


def _remove(attachment: Attachment, by: Person) -> None:
    if attachment.removed_at is not None:
        return
    attachment.removed_at = clock.now()
    audit.record(
        "attachment.removed",
        attachment,
        actor_id=by.id,
        case_id=attachment.application_id,
        facts={"key": attachment.key},
    )
