"""The word of programme and of finance on a report (R30)."""

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.accounts import guard
from portal.core.i18n import _
from portal.core.web import tell
from portal.core.workflow import Refused
from portal.reports import policy, queries, rules, service
from portal.reports.forms import ReviewForm, typed_accepted
from portal.reports.models import Report, ReportStatus, ReviewSide
from portal.reports.views.blueprint import blueprint, go, page, visible
from portal.reports.views.content import content


@blueprint.route("/files/<ref>/reports/<key>/review", methods=["GET", "POST"])
@guard.members_only
def review(ref: str, key: str) -> ResponseReturnValue:
    """Accept a report or return it with comments, for programme or for finance."""
    report = visible(ref, key)
    person = guard.signed_in()
    mine = policy.sides(person, report) & queries.sides_wanted(queries.rule_of(report))
    if not mine:
        raise NotFound
    said = [word for word in queries.reviews(report) if word.round == report.round]
    open_sides = [
        side for side in ReviewSide if side in mine and side not in {word.side for word in said}
    ]
    done = any(word.by_id == person.id for word in said)
    if report.status is not ReportStatus.SUBMITTED or done or not open_sides:
        return go("reports.read", report)
    inside = queries.contents(report)
    form = ReviewForm.for_sides(open_sides, _most(report, inside.figures))
    if form.validate_on_submit() and _give_word(report, form):
        tell(_("Your word on the report is recorded."))
        return go("reports.read", report)
    return page(
        "reports/review.html",
        form,
        report,
        reviews=said,
        **content(report, with_sealed=False, inside=inside),
    )


def _most(report: Report, figures: queries.Figures) -> int:
    return rules.most_acceptable(
        figures.spent_usd, report.award.amount_usd, figures.accepted_before
    )


def _give_word(report: Report, form: ReviewForm) -> bool:
    accepted = form.verdict.data == "accept"
    amount = typed_accepted(form) if accepted else None
    if form.errors:
        return False
    try:
        service.review(
            report,
            ReviewSide(form.side.data),
            accepted=accepted,
            comment=form.comment.data or "",
            accepted_usd=amount,
            by=guard.signed_in(),
        )
    except Refused as refused:
        form.form_errors.append(refused.sentence)
        return False
    return True
