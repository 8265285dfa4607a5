"""Forms of reviews: built from the checklist, the criteria or the ranked list; wording only."""

from collections.abc import Sequence
from typing import Any

from wtforms import Field, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from portal.applications.models import Application
from portal.core.i18n import _, _l, locale, translated
from portal.core.money import BadAmount, Money, format_amount
from portal.core.web import Form, choices
from portal.funds.profile import Criterion, EligibilityRule
from portal.reviews.models import Finding, Recommendation, ScoreSheet, Verdict
from portal.reviews.queries import Item
from portal.reviews.service.screening import TEXT_LIMIT

ROWS = 3
NO_CONFLICT, CONFLICT = "none", "conflict"


def field_of(form: Form, prefix: str, key: str) -> Field:
    """Return the field that belongs to one item, criterion or line."""
    found: Field = form[_name(prefix, key)]
    return found


def _name(prefix: str, key: str) -> str:
    return f"{prefix}_{key}".replace(":", "_").replace("-", "_")


def _words(label: Any, **more: Any) -> TextAreaField:
    return TextAreaField(
        label, render_kw={"rows": ROWS, "dir": "auto", "data-max-chars": TEXT_LIMIT}, **more
    )


def _made(fields: dict[str, Any]) -> type[Form]:
    return type("MadeForm", (Form,), fields)


def screening_form(items: Sequence[Item]) -> Form:
    """Return the checklist as a form: a finding and a note for each item."""
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for item in items:
        finding, note = _name("finding", item.check.key), _name("note", item.check.key)
        fields[finding] = RadioField(
            _l("What you found"),
            choices=choices(Finding.choices()),
        )
        fields[note] = _words(_l("Note"))
        data |= {finding: item.finding.value, note: item.note}
    return _made(fields)(data=data)


class InadmissibleForm(Form):
    """The rule that is not met, and the reasons that the applicant reads."""

    rule = RadioField(_l("Which rule is not met?"), validators=[InputRequired(_l("Choose one."))])
    reasons = TextAreaField(
        _l("Reasons"),
        description=_l("The applicant reads them word for word."),
        validators=[InputRequired(_l("Write the reasons: the applicant reads them."))],
        render_kw={"rows": 6, "dir": "auto", "data-max-chars": TEXT_LIMIT},
    )

    def offer(self, rules: Sequence[EligibilityRule]) -> None:
        """Offer the rules of the fund, each once."""
        sentences: dict[str, list[str]] = {}
        for each in rules:
            sentences.setdefault(each.rule, []).append(translated(each.sentence))
        self.rule.choices = choices(
            (rule, f"{rule}: {' '.join(found)}") for rule, found in sentences.items()
        )


class EntitlementForm(Form):
    """The officer's word on an entitlement."""

    note = TextAreaField(
        _l("Note"),
        description=_l(
            "What a colleague should know who reads this in five years. May stay empty."
        ),
        render_kw={"rows": ROWS, "dir": "auto", "data-max-chars": TEXT_LIMIT},
    )


def interests_form(asked: Sequence[Application]) -> Form:
    """Return the declaration of interests, one choice for each application."""
    fields: dict[str, Any] = {}
    for each in asked:
        fields[_name("interest", each.ref)] = RadioField(
            _("Your interest in %(name)s", name=each.organisation.name),
            choices=choices(
                [
                    (NO_CONFLICT, _l("Nothing ties me to this applicant")),
                    (CONFLICT, _l("I have, or may seem to have, a conflict of interest")),
                ]
            ),
            validate_choice=False,
        )
        fields[_name("reason", each.ref)] = StringField(
            _l("If there is one: what ties you to the applicant?"),
            description=_l("Kept encrypted. A few words are enough."),
        )
    return _made(fields)()


def score_form(criteria: Sequence[Criterion], sheet: ScoreSheet | None) -> Form:
    """Return the score sheet as a form."""
    known = {score.criterion: score for score in sheet.scores} if sheet else {}
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {"comment": sheet.comment if sheet else ""}
    for each in criteria:
        points, reason = _name("points", each.key), _name("reason", each.key)
        fields[points] = RadioField(
            translated(each.title),
            choices=choices((str(n), str(n)) for n in range(each.scale_max + 1)),
            validate_choice=False,
        )
        fields[reason] = _words(
            _("Why? Your reasons for “%(title)s”", title=translated(each.title))
        )
        score = known.get(each.key)
        if score is not None:
            data[points] = None if score.points is None else str(score.points)
            data[reason] = score.justification
    fields["comment"] = _words(
        _l("Anything else"), description=_l("For the body and the approving authority.")
    )
    return _made(fields)(data=data)


def given_points(form: Form, criteria: Sequence[Criterion]) -> dict[str, int]:
    """Return the points that were chosen; those left open are left as they were."""
    found = {}
    for each in criteria:
        typed = str(field_of(form, "points", each.key).data or "")
        if typed.isascii() and typed.isdecimal():
            found[each.key] = int(typed[:3])
    return found


def given_reasons(form: Form, criteria: Sequence[Criterion]) -> dict[str, str]:
    """Return the justifications as typed."""
    return {each.key: field_of(form, "reason", each.key).data or "" for each in criteria}


def list_form(recommendation: Recommendation) -> Form:
    """Return the ranked list as a form: verdict, amount and reasons for each application."""
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for line in recommendation.lines:
        ref = line.application.ref
        verdict, amount = _name("verdict", ref), _name("amount", ref)
        fields[verdict] = SelectField(_l("Verdict"), choices=choices(Verdict.choices()))
        fields[amount] = StringField(
            _l("Recommended amount, US$"), render_kw={"inputmode": "decimal", "dir": "ltr"}
        )
        fields[_name("reasons", ref)] = _words(_l("Reasons that the applicant reads"))
        shown = line.recommended if line.recommended_usd else line.requested
        data |= {
            verdict: line.verdict.value,
            amount: format_amount(shown, str(locale())),
            _name("reasons", ref): line.reasons,
        }
    return _made(fields)(data=data)


def amount_of(form: Form, ref: str) -> int:
    """Return the amount typed for one application, in US cents. Raises BadAmount."""
    typed = field_of(form, "amount", ref).data or ""
    if not typed.strip():
        return 0
    return Money.parse(typed, "USD", str(locale())).minor


def what_if(typed: str) -> tuple[int | None, str]:
    """Return the envelope that somebody asks about, in US cents, and a sentence if it is none."""
    if not typed.strip():
        return None, ""
    try:
        return Money.parse(typed, "USD", str(locale())).minor, ""
    except BadAmount as bad:
        return None, bad.sentence


class RemarksForm(Form):
    """What the body should look at again."""

    remarks = TextAreaField(
        _l("What should be looked at again?"),
        validators=[InputRequired(_l("Say what should be looked at again."))],
        render_kw={"rows": 5, "dir": "auto", "data-max-chars": TEXT_LIMIT},
    )
