"""Forms of accounting: the shape and the wording of what people type."""

from wtforms import BooleanField, FileField, HiddenField, StringField
from wtforms.validators import Length

from portal.core.i18n import _l
from portal.core.web import Form
from portal.ledger.unore import SOURCE


class RatesForm(Form):
    """A month of rates, as the UN publishes it."""

    file = FileField(
        _l("The XML file of the UN operational rates of exchange"),
        description=_l("As it was downloaded, unchanged. It is taken whole or not at all."),
        render_kw={"accept": ".xml,text/xml,application/xml"},
    )
    source = StringField(
        _l("Name of the source"),
        description=_l(
            "UNORE for the file of the month; another name, such as UNORE-revised, for a "
            "correction, which then holds."
        ),
        default=SOURCE,
        validators=[Length(max=40)],
        filters=[lambda typed: (typed or "").strip()],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    confirm = BooleanField(_l("I compared these rates with the UN’s own page: they are right"))
    held = HiddenField()
    """The file whose changes are shown, packed, so that it need not be chosen again."""
    shown = HiddenField()
    """The digest of that file: the tick is about nothing else."""
