"""Amendments of an award: asked for, proposed, signed by both sides, each on its page."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person
from portal.applications.queries import names
from portal.awards.amendments import document, forms, policy, queries, service
from portal.awards.amendments.models import Amendment, AmendmentAction, AmendmentStatus
from portal.awards.amendments.rules import Terms
from portal.awards.amendments.workflow import AMENDMENT_WORKFLOW
from portal.awards.forms import ReasonForm, category_name, line_name
from portal.awards.models import Award
from portal.awards.views.blueprint import PDF, attempt, back, blueprint, found
from portal.core import i18n
from portal.core.files import StoredFile
from portal.core.i18n import _
from portal.core.money import usd
from portal.core.pages import page
from portal.core.templating import document as write
from portal.core.web import Form, attachment, hand_out, tell

PLACE = "/files/<ref>/agreement/amendments"
ENDS: dict[AmendmentAction, Callable[..., None]] = {
    AmendmentAction.DECLINE: service.decline,
    AmendmentAction.WITHDRAW: service.withdraw,
}
"""Acts that need nothing but their reason."""

PAGES = {
    AmendmentAction.PROPOSE: "awards.propose_amendment",
    AmendmentAction.ACCEPT: "awards.accept_amendment",
    AmendmentAction.COUNTERSIGN: "awards.countersign_amendment",
}


@dataclass(frozen=True)
class Shown:
    """An amendment as the agreement tab shows it: the next acts of the reader, who signed."""

    amendment: Amendment
    acts: list[tuple[str, str, str]]
    waits: list[str]
    signers: list[dict[str, Any]]


def listed(person: Person, award: Award) -> dict[str, Any]:
    """Return the amendments of an award for its tab, and the names of those who countersigned.

    Two SQL statements at most.
    """
    known = queries.amendments_of(award)
    signed = [each.countersigned_by_id for each in known]
    people = names([*signed, award.agreement.countersigned_by_id if award.agreement else None])
    may_ask, may_propose = queries.may_begin(person, award, known)
    return {
        "people": people,
        "amendments": [_shown(person, each, people) for each in known],
        "may_ask": may_ask,
        "may_propose": may_propose and not any(each.is_open for each in known),
    }


def _shown(person: Person, amendment: Amendment, people: dict[Any, str]) -> Shown:
    ref, acts, waits = amendment.award.application.ref, [], []
    for offer in AMENDMENT_WORKFLOW.offers(person, amendment):
        action = AmendmentAction(offer.action)
        if offer.refusal:
            waits.append(f"{offer.label}: {offer.refusal}")
        elif action is AmendmentAction.PROPOSE:
            acts.append((str(offer.label), url_for(PAGES[action], ref=ref), "primary"))
        elif action in PAGES:
            href = url_for(PAGES[action], ref=ref, number=amendment.number)
            acts.append((str(offer.label), href, "primary"))
        else:
            href = url_for(
                "awards.end_amendment", ref=ref, number=amendment.number, action=action.value
            )
            acts.append((str(offer.label), href, "secondary"))
    return Shown(amendment, acts, waits, _signers(amendment, people))


def _signers(amendment: Amendment, people: dict[Any, str]) -> list[dict[str, Any]]:
    if amendment.issued_at is None:
        return []
    over = amendment.digest
    return [
        {
            "party": amendment.award.application.organisation.name,
            "name": amendment.signed_name or "",
            "capacity": _("Legal representative"),
            "at": amendment.signed_at,
            "digest": over if amendment.signed_at else None,
        },
        {
            "party": _("the fund"),
            "name": people.get(amendment.countersigned_by_id, ""),
            "capacity": _("Approving authority"),
            "at": amendment.countersigned_at,
            "digest": over if amendment.countersigned_at else None,
        },
    ]


@blueprint.route(f"{PLACE}/ask", methods=["GET", "POST"])
@guard.members_only
def ask_amendment(ref: str) -> ResponseReturnValue:
    """Ask the fund for an amendment, with the reason."""
    award, person = found(ref), guard.signed_in()
    if not queries.may_begin(person, award, queries.amendments_of(award))[0]:
        return _elsewhere(person, award)
    form = forms.AskForm()
    if form.validate_on_submit() and attempt(
        form,
        lambda: service.ask(award, form.reason.data, ends_on=form.ends_on.data, by=person),
    ):
        tell(_("The programme officer finds your request and proposes the text."))
        return back(award.application)
    return page("awards/ask_amendment.html", form, application=award.application, award=award)


@blueprint.route(f"{PLACE}/propose", methods=["GET", "POST"])
@guard.members_only
def propose_amendment(ref: str) -> ResponseReturnValue:
    """Propose what the award becomes: amount, last day, the whole of the budget."""
    award, person = found(ref), guard.signed_in()
    known = queries.amendments_of(award)
    if not queries.may_begin(person, award, known)[1]:
        return _elsewhere(person, award)
    asked = next((each for each in known if each.status is AmendmentStatus.ASKED), None)
    wished = {"ends_on": asked.asked_ends_on} if asked and asked.asked_ends_on else {}
    form = forms.proposal_form(award, wished)
    total = award.amount_usd
    if form.validate_on_submit():
        amount, lines = forms.typed_terms(form, award)
        total = sum(line.amount_usd for line in lines)
        ends_on = form["ends_on"].data
        if not form.errors and amount is not None:
            terms = Terms(amount, ends_on, lines)
            reason = form["reason"].data
            if attempt(form, lambda: service.propose(award, terms, reason, by=person)):
                tell(_("The amendment is on its way to the grantee."))
                return back(award.application)
    return page(
        "awards/propose_amendment.html",
        form,
        application=award.application,
        award=award,
        asked=asked,
        rows=[
            (line, category_name(award, line.category), form[line_name(line.position)])
            for line in award.budget
        ],
        before={line.position: usd(line.amount_usd) for line in award.budget},
        new_lines=[
            [form[forms.new_name(number, part)] for part in ("category", "words", "amount")]
            for number in range(1, forms.NEW_LINES + 1)
        ],
        total=usd(total),
    )


@blueprint.route(f"{PLACE}/<int:number>/accept", methods=["GET", "POST"])
@guard.freshly(guard.anybody)
def accept_amendment(ref: str, number: int) -> ResponseReturnValue:
    """Accept an amendment by typing one's own name, the password freshly given."""
    amendment, person = _one(ref, number), guard.signed_in()
    if not policy.can_sign(person, amendment):
        raise NotFound
    form = forms.AcceptAmendmentForm(data={"digest": amendment.digest})
    return _sign(
        amendment,
        form,
        AmendmentAction.ACCEPT,
        lambda: service.accept(amendment, form.typed_name.data, form.digest.data or "", by=person),
        _("You have signed. The approving authority of the fund signs next."),
    )


@blueprint.route(f"{PLACE}/<int:number>/countersign", methods=["GET", "POST"])
@guard.freshly(guard.anybody)
def countersign_amendment(ref: str, number: int) -> ResponseReturnValue:
    """Countersign an amendment for the fund: it is in force with that."""
    amendment, person = _one(ref, number), guard.signed_in()
    if not policy.can_countersign(person, amendment):
        raise NotFound
    form = forms.CountersignAmendmentForm(data={"digest": amendment.digest})
    return _sign(
        amendment,
        form,
        AmendmentAction.COUNTERSIGN,
        lambda: service.countersign(amendment, form.digest.data or "", by=person),
        _("The amendment is in force, and the grant is what it says."),
    )


def _sign(
    amendment: Amendment,
    form: Form,
    action: AmendmentAction,
    act: Callable[[], object],
    done: str,
) -> ResponseReturnValue:
    """Show the text with its signature, or set it; elsewhere once its moment has passed."""
    award = amendment.award
    if AMENDMENT_WORKFLOW.find(amendment, action) is None:
        return back(award.application)
    if form.validate_on_submit() and attempt(form, act):
        tell(done)
        return back(award.application)
    return page(
        "awards/sign_amendment.html",
        form,
        application=award.application,
        award=award,
        amendment=amendment,
        action=action.value,
        person=guard.signed_in(),
        budget=document.budget_changes(amendment),
        payments=document.payment_changes(amendment),
    )


@blueprint.route(f"{PLACE}/<int:number>/<any(decline,withdraw):action>", methods=["GET", "POST"])
@guard.members_only
def end_amendment(ref: str, number: int, action: str) -> ResponseReturnValue:
    """Decline an amendment or take it back, with the reason."""
    amendment, person, chosen = _one(ref, number), guard.signed_in(), AmendmentAction(action)
    offers = {each.action: each for each in AMENDMENT_WORKFLOW.offers(person, amendment)}
    if chosen not in offers:
        raise NotFound
    form = ReasonForm()
    if form.validate_on_submit() and attempt(
        form, lambda: ENDS[chosen](amendment, form.reason.data, by=person)
    ):
        tell(_("Done. The grant stays as it is."))
        return back(amendment.award.application)
    return page(
        "awards/end_amendment.html",
        form,
        application=amendment.award.application,
        amendment=amendment,
        label=offers[chosen].label,
    )


@blueprint.get(f"{PLACE}/<int:number>/document.pdf")
@guard.members_only
def download_amendment(ref: str, number: int) -> ResponseReturnValue:
    """Hand out the text of an amendment as it was issued, byte for byte."""
    return hand_out(_issued(_one(ref, number)))


@blueprint.get(f"{PLACE}/<int:number>/signatures.pdf")
@guard.members_only
def amendment_signatures(ref: str, number: int) -> ResponseReturnValue:
    """Hand out the record of signatures on an amendment."""
    amendment = _one(ref, number)
    signed_at = amendment.countersigned_at or amendment.signed_at
    if signed_at is None:
        raise NotFound
    award = amendment.award
    with i18n.speaking(award.application.language):
        content = write(
            "signatures",
            award=award,
            agreement=amendment,
            fund=award.fund,
            parties=_signers(amendment, names([amendment.countersigned_by_id])),
            reference=f"{award.ref} / {amendment.number}",
            dated=signed_at.date(),
        )
    name = f"signatures-{award.ref}-{amendment.number}.pdf"
    return attachment(
        send_file(BytesIO(content), mimetype=PDF, as_attachment=True, download_name=name)
    )


def _one(ref: str, number: int) -> Amendment:
    amendment = queries.amendment_of(found(ref), number)
    if amendment is None:
        raise NotFound
    return amendment


def _issued(amendment: Amendment) -> StoredFile:
    if amendment.file is None:
        raise NotFound
    return amendment.file


def _elsewhere(person: Person, award: Award) -> ResponseReturnValue:
    """Send who could begin an amendment at another time to the tab. Raises NotFound for others."""
    if policy.can_ask(person, award) or policy.can_propose(person, award):
        return back(award.application)
    raise NotFound
