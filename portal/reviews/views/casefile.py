"""The tab Review of a case file, the decision, and the letter."""

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.accounts.models import Person, Role
from portal.applications import eligibility, journey
from portal.applications import policy as applications
from portal.applications import queries as applications_queries
from portal.applications.models import Application, ApplicationStatus
from portal.applications.views.documents import as_pdf
from portal.core.i18n import speaking
from portal.reviews import policy, queries, ranking
from portal.reviews.service.screening import SCREENED
from portal.reviews.views.blueprint import blueprint


@blueprint.get("/files/<ref>/review")
@guard.members_only
def review_tab(ref: str) -> ResponseReturnValue:
    """Show what the reader may see of screening, scores, recommendation and decision."""
    application = guard.get_or_404(Application, ref, policy.can_read_tab)
    person = guard.signed_in()
    own = applications.is_member(person, application)
    office = not own and policy.is_office(person, application)
    officer = applications.holds(person, Role.PROGRAMME_OFFICER, application)
    in_review = application.status is ApplicationStatus.IN_REVIEW
    scores = [] if own else _scores(person, application)
    findings = queries.findings(application) if office else []
    recusals = queries.recusals(application) if office else []
    lines, decided = queries.outcome(application)
    return render_template(
        "reviews/review_tab.html",
        application=application,
        own=own,
        office=office,
        may_screen=application.status in SCREENED and officer,
        may_score=in_review and policy.belongs_to_body(person, application),
        scores=scores,
        findings=findings,
        sentences={rule.rule: rule.sentence for rule in reversed(application.fund.eligibility)}
        | {eligibility.key_of(rule): rule.sentence for rule in application.fund.eligibility},
        recusals=recusals,
        entitlement=queries.entitlement(application)
        if office and application.fund.has_stage("entitlement")
        else None,
        names=applications_queries.names(
            [item.checked_by_id for item in findings] + [each.person_id for each in recusals]
        ),
        lines=lines if office else [],
        decision=decided if application.status in policy.DECIDED else None,
        criteria={each.key: each for each in application.fund.criteria},
    )


def _scores(person: Person, application: Application) -> list[tuple[object, object]]:
    if not application.fund.criteria or not policy.scores_are_open(person, application):
        return []
    return [
        (sheet, ranking.percent(application.call, sheet)) for sheet in queries.sheets(application)
    ]


def _decided(ref: str) -> Application:
    application = guard.get_or_404(Application, ref, applications.can_view)
    if not policy.can_see_decision(guard.signed_in(), application):
        raise NotFound
    return application


@blueprint.get("/files/<ref>/decision")
@guard.members_only
def decision(ref: str) -> ResponseReturnValue:
    """Show the decision with its reasons, as the applicant is told in writing (R20)."""
    application = _decided(ref)
    return render_template(
        "reviews/decision.html",
        application=application,
        decision=queries.decision(application),
        offered=journey.line(application).standing in journey.STANDINGS.values(),
        own=applications.is_member(guard.signed_in(), application),
    )


@blueprint.get("/files/<ref>/decision.pdf")
@guard.members_only
def letter(ref: str) -> ResponseReturnValue:
    """Hand out the letter, in the language of the application."""
    application = _decided(ref)
    found = queries.decision(application)
    if found is None:
        raise NotFound
    organisation = application.organisation
    with speaking(application.language):
        html = render_template(
            "pdf/decision_letter.html",
            application=application,
            decision=found,
            reference=application.ref,
            dated=found.decided_at,
            addressee=[organisation.name, *organisation.address.splitlines()],
        )
        return as_pdf(html, f"decision-{application.ref}.pdf")
