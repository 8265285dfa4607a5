"""Forms of statements: a file, what a list is narrowed to, what a line is."""

from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.core.i18n import _, _l
from portal.core.money import BadAmount, Money
from portal.core.web import Form, choices
from portal.payments.statements.models import LineStatus, Purpose
from portal.payments.statements.queries import Candidate

REMARK_LIMIT = 1000
REFERENCE_LIMIT = 80

OF_CREDITS = (
    Purpose.CONTRIBUTION,
    Purpose.REFUND,
    Purpose.RECOVERY,
    Purpose.RETURN,
    Purpose.CARD_PAYOUT,
    Purpose.TRANSFER,
    Purpose.BANK_CHARGE,
    Purpose.SEND_BACK,
)
OF_DEBITS = (
    Purpose.PAYMENT,
    Purpose.AGENT,
    Purpose.SUPPORT_COSTS,
    Purpose.TRANSFER,
    Purpose.BANK_CHARGE,
    Purpose.DONOR_REFUND,
    Purpose.CARD_PAYOUT_BACK,
    Purpose.SEND_BACK,
)
"""What a line can be said to be besides what was found, in the order of the form."""

IN_WORDS = {
    (Purpose.TRANSFER, True): _l("Card gifts that arrived at the bank of another fund"),
    (Purpose.TRANSFER, False): _l("Card gifts of another fund, sent on to its account"),
    (Purpose.BANK_CHARGE, True): _l("Bank charge given back, or interest"),
    (Purpose.SEND_BACK, True): _l("A mistake: to be sent back to its sender"),
    (Purpose.SEND_BACK, False): _l("A mistake, or paid twice: claimed back"),
}
"""What some purposes mean for a credit (true) or a debit, where the label alone is too short."""


def _tidy(value: str | None) -> str:
    return (value or "").strip()


class StatementForm(Form):
    """A file of statements."""

    file = FileField(
        _l("Statement of the bank"),
        description=_l("A camt.053 file in XML, of one account or several."),
        validators=[FileRequired(_l("Choose the file."))],
    )


class LinesForm(Form):
    """What a list of lines is narrowed to."""

    status = SelectField(_l("State"))
    text = StringField(_l("Reference"), filters=[_tidy])

    def offer(self) -> None:
        """Offer every state."""
        states = [(each.value, each.label) for each in LineStatus]
        self.status.choices = choices([("", _("All")), *states])


class ReasonForm(Form):
    """A reason, which stays on record."""

    reason = TextAreaField(
        _l("Reason"),
        description=_l("It stays on record."),
        validators=[InputRequired(_l("Give the reason.")), Length(max=REMARK_LIMIT)],
        filters=[_tidy],
        render_kw={"rows": 3, "data-max-chars": REMARK_LIMIT},
    )


class AllocateForm(ReasonForm):
    """What a line, or a part of it, is."""

    what = RadioField(
        _l("What it is"), validators=[InputRequired(_l("Choose what it is."))], choices=[]
    )
    reference = StringField(
        _l("Reference"),
        description=_l(
            "Of the agreement or donor, the award, the payment, the contribution or the payout: "
            "only where it is not in the list above."
        ),
        validators=[Optional(), Length(max=REFERENCE_LIMIT)],
        filters=[_tidy],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    amount = StringField(
        _l("Amount"),
        description=_l("Only for a part of it. Empty means all that is left."),
        validators=[Optional(), Length(max=40)],
        filters=[_tidy],
        render_kw={"autocomplete": "off", "inputmode": "decimal"},
    )

    settles = StringField(
        _l("How much of the agreement it settles"),
        description=_l(
            "Only for an agreement in another currency than the account, and in that one. Empty "
            "means what the money is worth at the UN rate of the day."
        ),
        validators=[Optional(), Length(max=40)],
        filters=[_tidy],
        render_kw={"autocomplete": "off", "inputmode": "decimal"},
    )

    def offer(self, found: list[tuple[Candidate, str]], *, is_credit: bool) -> None:
        """Offer what was found, each in words, then what a person can name."""
        named = [(each.value, words) for each, words in found]
        others = [
            (each.value, IN_WORDS.get((each, is_credit), each.label))
            for each in (OF_CREDITS if is_credit else OF_DEBITS)
        ]
        self.what.choices = choices([*named, *others])

    def chosen(self) -> tuple[Purpose, str]:
        """Return the purpose that was chosen, and the reference of what it leads to."""
        purpose, _colon, ref = self.what.data.partition(":")
        return Purpose(purpose), ref or self.reference.data or ""

    def part(self, currency: str, language: str) -> int | None:
        """Return the amount of a part in minor units, None for all. Raises BadAmount."""
        if not self.amount.data:
            return None
        found = Money.parse(self.amount.data, currency, language).minor
        if not found:
            raise BadAmount(_("Give an amount above zero."))
        return found
