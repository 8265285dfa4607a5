"""Every act of record in words, for people who read histories and the audit.

An act is named by a code such as `agreement.signed`; some carry a number or a key behind a colon,
as in `instalment.paid:1`. A test holds this list against the code: no act without words.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from babel.support import LazyProxy

from portal.applications.models import ApplicationStatus
from portal.awards.amendments.models import AmendmentStatus
from portal.awards.models import AwardStatus, InstalmentStatus
from portal.contributions.models import AgreementStatus, ContributionStatus, PledgeStatus
from portal.contributions.words import ACTS as CONTRIBUTIONS
from portal.core.i18n import _, _l, locale
from portal.core.labels import Labelled
from portal.core.money import format_money, usd
from portal.funds.models import CallStatus
from portal.ledger.models import TransactionKind
from portal.payments.models import (
    BankAccountStatus,
    BankStatus,
    FileStatus,
    OrderStatus,
    ReceivableStatus,
)
from portal.payments.statements.models import LineStatus
from portal.payments.write_offs.models import WriteOffStatus
from portal.reports.models import ReportStatus
from portal.reviews.models import RecommendationStatus, SheetStatus

APPLICATIONS: dict[str, LazyProxy] = {
    "files.exported": _l("Applications to a fund taken out as a table"),
    "application.started": _l("Application begun"),
    "application.submitted": _l("Application submitted"),
    "application.submit": _l("Application submitted"),
    "application.reopened": _l("Taken back to be changed"),
    "application.reopen": _l("Taken back to be changed"),
    "application.withdrawn": _l("Application withdrawn"),
    "application.withdraw": _l("Application withdrawn"),
    "application.sealed_answers_read": _l("Sealed answers read"),
    "application.marked_sensitive": _l("Marked as sensitive"),
    "application.sensitivity_lowered": _l("No longer marked as sensitive"),
    "attachment.added": _l("File attached"),
    "attachment.removed": _l("File taken off"),
    "clarification.asked": _l("Clarification asked"),
    "clarification.answered": _l("Clarification answered"),
    "application.ask": _l("Clarification asked"),
    "application.answer": _l("Clarification answered"),
}

REVIEWS: dict[str, LazyProxy] = {
    "screening.item_checked": _l("An item of the checklist checked"),
    "screening.completed": _l("Screening completed"),
    "screening.inadmissible": _l("Declared inadmissible"),
    "application.complete_screening": _l("Screening completed"),
    "application.declare_inadmissible": _l("Declared inadmissible"),
    "entitlement.checked": _l("Entitlement checked"),
    "interest.none": _l("Declared no conflict of interest"),
    "interest.conflict": _l("Recused from this file"),
    "sheet.submitted": _l("Scores submitted"),
    "sheet.set_aside": _l("Scores set aside: a conflict was declared"),
    "score_sheet.submit": _l("Scores submitted"),
    "score_sheet.set_aside": _l("Scores set aside: a conflict was declared"),
    "review.completed": _l("All scores are in"),
    "recommendation.drafted": _l("Recommendation begun"),
    "recommendation.line_set": _l("Line of the recommendation changed"),
    "recommendation.made": _l("Recommended"),
    "recommendation.make": _l("List laid before the approving authority"),
    "recommendation.approve": _l("List approved"),
    "recommendation.send_back": _l("List sent back"),
    "recommendation.returned": _l("Recommendation sent back"),
    "application.recommend": _l("Recommended"),
    "application.return": _l("Recommendation sent back"),
    "application.approve": _l("Grant approved"),
    "application.refuse": _l("Not selected"),
    "decision.approved": _l("Grant approved"),
    "decision.refused": _l("Not selected"),
    "decision.reserved": _l("Placed on the reserve list"),
    "recusal.reasons_read": _l("Reasons of recusals read"),
}

AWARDS: dict[str, LazyProxy] = {
    "award.offered": _l("Grant offered"),
    "award.budget_revised": _l("Budget brought to the amount of the grant"),
    "agreement.issued": _l("Agreement issued"),
    "offer.accepted": _l("Accepted and signed by the grantee"),
    "agreement.signed": _l("Agreement countersigned"),
    "award.accept": _l("Accepted and signed by the grantee"),
    "award.countersign": _l("Agreement countersigned"),
    "award.decline": _l("Declined by the grantee"),
    "award.suspend": _l("Grant suspended"),
    "award.resume": _l("Grant resumed"),
    "award.terminate": _l("Grant terminated"),
    "award.cancel": _l("Grant cancelled"),
    "award.close": _l("Grant closed"),
    "award.closed": _l("Grant closed"),
    "amendment.asked": _l("Amendment asked for by the grantee"),
    "amendment.propose": _l("Amendment proposed"),
    "amendment.proposed": _l("Amendment proposed"),
    "amendment.accept": _l("Amendment accepted and signed by the grantee"),
    "amendment.accepted": _l("Amendment accepted and signed by the grantee"),
    "amendment.countersign": _l("Amendment countersigned"),
    "amendment.signed": _l("Amendment countersigned"),
    "amendment.decline": _l("Amendment declined"),
    "amendment.withdraw": _l("Amendment withdrawn"),
}

REPORTS: dict[str, LazyProxy] = {
    "report.opened": _l("Report begun"),
    "report.submit": _l("Report submitted"),
    "report.submitted": _l("Report submitted"),
    "report.reviewed": _l("Report reviewed by one side"),
    "report.return": _l("Report returned with comments"),
    "report.returned": _l("Report returned with comments"),
    "report.accept": _l("Report accepted"),
    "report.accepted": _l("Report accepted"),
    "report.programme_accepted": _l("Report accepted by programme"),
    "report.finance_accepted": _l("Report accepted by finance"),
    "report.sealed_answers_read": _l("Sealed answers of a report read"),
    "travel.reported": _l("Travel reported"),
    "evidence.added": _l("Evidence added to a report"),
    "evidence.removed": _l("Evidence taken off a report"),
}

PAYMENTS: dict[str, LazyProxy] = {
    "bank_details.entered": _l("Bank details entered"),
    "bank_details.read": _l("Bank details read"),
    "bank_details.verify": _l("Bank details verified"),
    "bank_details.reject": _l("Bank details not accepted"),
    "bank_details.doubt": _l("The bank could not pay to the account: to be verified again"),
    "bank_details.replace": _l("Bank details replaced"),
    "payment_order.prepared": _l("Payment order prepared"),
    "payment_order.certify": _l("Payment certified"),
    "payment_order.approve": _l("Payment approved"),
    "payment_order.approve_again": _l("Payment approved a second time"),
    "payment_order.release": _l("Payment released"),
    "payment_order.accepted": _l("Payment accepted by the bank"),
    "payment_order.confirm": _l("Payment confirmed"),
    "payment_order.reject": _l("Payment came back"),
    "payment_order.paid_after_all": _l("Payment that was given up, and paid after all"),
    "payment_order.return": _l("Payment came back after it was confirmed"),
    "payment_order.came_back_late": _l("Payment by card came back too late: it waits in suspense"),
    "payment_order.late_refund": _l("What came back too late counted as the refund that is owed"),
    "payment_order.late_said": _l("Said what is to become of what came back too late"),
    "payment_order.late_confirmed": _l("What came back too late stays with the fund: confirmed"),
    "payment_order.late_taken_back": _l("What was said of what came back too late taken back"),
    "payment_order.cancel": _l("Payment order cancelled"),
    "payment_order.voided": _l("Payment order void: the bank details changed"),
    "payment_order.instruction_read": _l("Payment instruction read"),
    "payment_order.acknowledged": _l("Receipt of the money acknowledged"),
    "payment_file.kept": _l("Payment file written and kept"),
    "payment_file.withdrawn": _l("Payment file withdrawn before it left"),
    "payment_file.sent": _l("Payment file left for the bank"),
    "payment_file.sent_again": _l("The same payment file sent again"),
    "payment_file.read": _l("Payment file downloaded"),
    "payment_file.answered": _l("Payment file answered by the bank"),
    "bank_message.received": _l("Message of the bank taken in"),
    "bank_message.seen_to": _l("What the bank said seen to"),
    "bank_account.proposed": _l("Account of a fund entered"),
    "bank_account.confirm": _l("Account of a fund confirmed"),
    "bank_account.close": _l("Account of a fund taken out of use"),
    "instalment.paid": _l("Instalment paid"),
    "instalment.lapsed": _l("Instalment lapsed, since nothing was left to pay"),
    "receivable.due": _l("Money to be paid back"),
    "receivable.paid": _l("Money paid back, as the bank says"),
    "receivable.payment_undone": _l("A refund was another payment: owed again"),
    "receivable.write_off": _l("Money that will not come back written off"),
    "write_off.proposed": _l("Write-off proposed"),
    "write_off.approve": _l("Write-off approved"),
    "write_off.authorise": _l("Write-off approved by the approving authority"),
    "write_off.reject": _l("Write-off not approved"),
    "write_off.withdraw": _l("Proposal to write off withdrawn"),
    "statement.imported": _l("Statement of the bank imported"),
    "statement.file_read": _l("File of a statement downloaded"),
    "statement.exported": _l("Lines of a statement taken out as a table"),
    "statement_line.booked": _l("Line of a statement booked"),
    "statement_line.suspended": _l("Line of a statement put into suspense"),
    "statement_line.allocated": _l("Said what a line in suspense is"),
    "statement_line.said_returned": _l("Said that a credit is a payment that came back"),
    "statement_line.return_withdrawn": _l("Withdrawn that a credit is a payment that came back"),
    "statement_line.undone": _l("Taken back what a line was booked as"),
    "card_gift.begun": _l("Gift by card begun"),
    "card_gift.pending": _l("Gift by card on its way through the bank"),
    "card_gift.paid": _l("Gift by card received"),
    "card_gift.failed": _l("Gift by card not paid"),
    "card_gift.expired": _l("Gift by card given up"),
    "card_refund.asked": _l("Refund of a gift by card asked for"),
    "card_refund.found": _l("Refund made at the card processor’s own pages"),
    "card_refund.done": _l("Refund of a gift by card made"),
    "card_refund.confirm": _l("Refund of a gift by card confirmed by a second person"),
    "card_refund.withdraw": _l("Refund of a gift by card withdrawn before it was sent"),
    "card_refund.note": _l("Refund of a gift by card that failed: seen to"),
    "card_refund.failed": _l("Refund of a gift by card failed"),
    "card_payout.paid": _l("Payout of the card processor left for the bank"),
    "card_payout.arrived": _l("Payout of the card processor arrived"),
    "card_payout.failed": _l("Payout of the card processor failed"),
    "card_payout.returning": _l("Payout of the card processor failed after it had arrived"),
    "card_payout.taken_back": _l("Payout of the card processor debited by the bank"),
    "stripe_event.retried": _l("Message of the card processor worked on again"),
}

LEDGER: dict[str, LazyProxy] = {
    "ledger.committed": _l("Money set aside"),
    "ledger.released": _l("Money set aside was used or given back"),
    "ledger.percent_set": _l("Percentage of a fund set"),
    "rates.imported": _l("Rates of exchange imported"),
    "books.exported": _l("Books of a fund taken out as a file"),
    "account.exported": _l("Yearly account taken out as a file"),
    "contributions.exported": _l("Contributions of a fund taken out as a table"),
    "donor_statement.exported": _l("Statement of a donor taken out as a file"),
    "entries.exported": _l("Entries of the books taken out as a table"),
    **{f"ledger.{kind.value}": kind.label for kind in TransactionKind},
}

FUNDS: dict[str, LazyProxy] = {
    "profile.loaded": _l("Profile of a fund loaded"),
    "call.created": _l("Call prepared"),
    "call.edited": _l("Call changed"),
    "call.open": _l("Call published"),
    "call.decide": _l("Call decided"),
    "call.cancel": _l("Call cancelled"),
}

ACCOUNTS: dict[str, LazyProxy] = {
    "audit.exported": _l("Audit taken out as a table"),
    "person.registered": _l("Account opened"),
    "person.address_confirmed": _l("Address confirmed"),
    "person.signed_in": _l("Signed in"),
    "person.confirmed_identity": _l("Gave the password again"),
    "person.sessions_ended": _l("Signed out everywhere"),
    "person.password_changed": _l("Password changed"),
    "person.profile_edited": _l("Profile changed"),
    "person.nationality_corrected": _l("Nationality corrected"),
    "person.role_granted": _l("Role granted"),
    "person.role_ended": _l("Role ended"),
    "person.deactivated": _l("Account closed"),
    "person.reactivated": _l("Account opened again"),
    "organisation.created": _l("Organisation entered"),
    "organisation.edited": _l("Details of an organisation changed"),
    "organisation.invited": _l("Colleague invited"),
    "organisation.member_joined": _l("Joined an organisation"),
    "organisation.member_left": _l("Left an organisation"),
    "organisation.member_role_changed": _l("Part in an organisation changed"),
}

STATES: dict[str, type[Labelled]] = {
    "application": ApplicationStatus,
    "amendment": AmendmentStatus,
    "award": AwardStatus,
    "bank_details": BankStatus,
    "call": CallStatus,
    "contribution": ContributionStatus,
    "contribution_agreement": AgreementStatus,
    "instalment": InstalmentStatus,
    "payment_order": OrderStatus,
    "pledge": PledgeStatus,
    "payment_file": FileStatus,
    "bank_account": BankAccountStatus,
    "receivable": ReceivableStatus,
    "statement_line": LineStatus,
    "write_off": WriteOffStatus,
    "recommendation": RecommendationStatus,
    "report": ReportStatus,
    "score_sheet": SheetStatus,
}
"""The states of what an act was about, by its kind."""

IDENTIFIER = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A SHA-256 digest or a UUID."""

MESSAGES: dict[str, LazyProxy] = {"outbox.retried": _l("Message put back to be sent")}

GROUPS: tuple[tuple[LazyProxy, dict[str, LazyProxy]], ...] = (
    (_l("Application"), APPLICATIONS),
    (_l("Review and decision"), REVIEWS),
    (_l("Agreement"), AWARDS),
    (_l("Reports"), REPORTS),
    (_l("Payments"), PAYMENTS),
    (_l("Contributions"), CONTRIBUTIONS),
    (_l("Books"), LEDGER),
    (_l("Funds and calls"), FUNDS),
    (_l("Accounts"), ACCOUNTS),
    (_l("Messages"), MESSAGES),
)
"""The acts by what they are about, for the filter of the audit."""

WORDS: dict[str, LazyProxy] = {
    action: label for _name, group in GROUPS for action, label in group.items()
}


def in_words(action: str, keys: Mapping[str, str] | None = None) -> str:
    """Return an act in words; a key behind the colon follows, by its title in `keys` if there.

    An act that nobody gave words is shown by its code rather than hidden.
    """
    name, _colon, key = action.partition(":")
    label = WORDS.get(name)
    said = name if label is None else str(label)
    return _("%(act)s: %(which)s", act=said, which=(keys or {}).get(key, key)) if key else said


def state(kind: str, code: str | None) -> str:
    """Return a state in words; a state that nobody gave words is shown by its code."""
    if code is None:
        return "–"
    states = STATES.get(kind)
    found = {member.value: member for member in states} if states else {}
    return str(found[code].label) if code in found else code


def named(words: str) -> list[str]:
    """Return the codes of the acts whose words or code hold `words`, in the reader's language."""
    wanted = words.casefold()
    return [code for code, label in WORDS.items() if wanted in f"{code} {label}".casefold()]


def amount(facts: Mapping[str, Any]) -> str:
    """Return the amount in US$ that an act was about, in words; nothing where it had none."""
    for name in ("amount_usd", "accepted_usd", "usd", "requested_usd"):
        cents = facts.get(name)
        if isinstance(cents, int) and not isinstance(cents, bool):
            return format_money(usd(abs(cents)), str(locale()))
    return ""


def in_short(facts: Mapping[str, Any], *, brief: bool = False) -> str:
    """Return the facts of an act as codes and numbers on one line, as they stand in the chain.

    `brief`: identifiers and digests by their first eight digits, for a page.
    """
    return "; ".join(f"{name}: {_short(facts[name], brief=brief)}" for name in sorted(facts))


def _short(value: object, *, brief: bool) -> str:
    if isinstance(value, Mapping):
        return "{" + in_short(value, brief=brief) + "}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(_short(part, brief=brief) for part in value)
    if brief and isinstance(value, str) and IDENTIFIER.fullmatch(value):
        return f"{value[:8]}…"
    return "–" if value is None else str(value)
