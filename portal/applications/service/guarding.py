"""People at risk: the sensitive flag, and every reading of a sealed answer by staff."""

from portal.accounts.models import Person
from portal.applications import policy, queries, rules
from portal.applications.models import Application
from portal.applications.service.locking import hold
from portal.core import audit
from portal.core.db import session
from portal.core.i18n import _
from portal.core.text import normalise
from portal.core.workflow import Refused


def read_sealed_answers(application: Application, *, by: Person) -> dict[str, rules.Value]:
    """Return the sealed answers by key. Reading them is an act of record, except by the applicant.

    Raises Refused for whoever may not open them.
    """
    if not policy.can_open_sealed(by, application):
        raise Refused(_("These answers are kept encrypted and are not for your role."))
    if not policy.is_member(by, application):
        audit.record(
            "application.sealed_answers_read",
            application,
            actor_id=by.id,
            case_id=application.id,
            facts={"sensitive": application.sensitive},
        )
    rows = queries.answer_rows(application)
    return {
        key: queries.opened(application, row) for key, row in rows.items() if row.sealed is not None
    }


def lower_sensitivity(application: Application, reason_code: str, *, by: Person) -> None:
    """Take the sensitive flag off: for programme officers and the approving authority only.

    `reason_code` is one of `policy.LOWERING_REASONS`: the audit chain holds no free text.
    """
    hold(application, to_record=True)
    if not policy.can_lower_sensitivity(by, application):
        raise Refused(
            _("Only a programme officer or the approving authority may say that there is no risk.")
        )
    if normalise(reason_code) not in policy.LOWERING_REASONS:
        raise Refused(_("Choose the reason."))
    if not application.sensitive:
        return
    application.sensitive = False
    audit.record(
        "application.sensitivity_lowered",
        application,
        actor_id=by.id,
        case_id=application.id,
        facts={"reason": reason_code},
    )
    session.flush()


def raise_sensitivity(application: Application, *, by: Person) -> None:
    """Mark the application as sensitive: anybody who acts on it may do so."""
    hold(application, to_record=True)
    if not policy.can_raise_sensitivity(by, application):
        raise Refused(_("This step belongs to somebody else."))
    if application.sensitive:
        return
    application.sensitive = True
    audit.record(
        "application.marked_sensitive", application, actor_id=by.id, case_id=application.id
    )
    session.flush()
