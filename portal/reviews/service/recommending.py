"""The ranked list that goes from the body to the approving authority (R14, R17, R19)."""

from sqlalchemy import select

from portal.accounts.models import Person
from portal.applications.models import Application, ApplicationAction
from portal.applications.workflow import WORKFLOW
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.money import format_money, usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.funds.models import Call, CallStatus
from portal.reviews import policy, ranking
from portal.reviews.models import (
    Recommendation,
    RecommendationAction,
    RecommendationLine,
    RecommendationStatus,
    Verdict,
)
from portal.reviews.service.telling import tell_approvers
from portal.reviews.workflow import RECOMMENDATION_WORKFLOW

TEXT_LIMIT = 4000
LIVE = (RecommendationStatus.DRAFT, RecommendationStatus.MADE)


def draft_recommendation(call: Call, *, by: Person) -> Recommendation:
    """Return the draft of the call's recommendation, up to date with sheets and checks.

    Applications come in when their review is complete. What an earlier round said of one that was
    sent back is taken over; a new line is proposed for funding while the money lasts, else for
    the reserve list. Raises Refused while another list is before the approving authority.
    """
    audit.take_turn()
    if not policy.recommends_in(by, call):
        raise Refused(_("This step belongs to somebody else."), "R14")
    if call.status is not CallStatus.OPEN:
        raise Refused(
            _("Nothing can be recommended: the call is “%(status)s”.", status=call.status.label)
        )
    rounds = _rounds(call)
    live = next((each for each in rounds if each.status in LIVE), None)
    if live is not None and live.status is RecommendationStatus.MADE:
        raise Refused(_("A recommendation is before the approving authority already."), "R14")
    if live is None:
        live = Recommendation(call=call, round=len(rounds) + 1)
        session.add(live)
        audit.record("recommendation.drafted", live, actor_id=by.id, facts={"round": live.round})
    _bring_up_to_date(live, rounds)
    return live


def _rounds(call: Call) -> list[Recommendation]:
    rows = select(Recommendation).where(Recommendation.call_id == call.id)
    return list(session.scalars(rows.order_by(Recommendation.round)))


def _bring_up_to_date(draft: Recommendation, rounds: list[Recommendation]) -> None:
    """Let the lines of a draft follow the ranking as it is now."""
    ranked = ranking.ranked(draft.call)
    known = {line.application_id: line for line in draft.lines}
    wanted = {each.application.id for each in ranked}
    for application_id, line in known.items():
        if application_id not in wanted:
            draft.lines.remove(line)
            session.delete(line)
    session.flush()
    earlier = _said_before(rounds)
    left = ranking.money(draft.call).limit
    for each in ranked:
        line = known.get(each.application.id) or _new_line(
            draft, each, earlier.get(each.application.id), left
        )
        line.rank, line.mean, line.spread = each.rank, each.mean, each.spread
        line.basis = each.basis
        left -= claim(line)
    draft.lines.sort(key=lambda line: line.rank)
    session.flush()


def _said_before(rounds: list[Recommendation]) -> dict[object, RecommendationLine]:
    """Return the last words on each application of those rounds that were sent back."""
    return {
        line.application_id: line
        for each in rounds
        if each.status is RecommendationStatus.RETURNED
        for line in each.lines
    }


def _new_line(
    draft: Recommendation,
    ranked: ranking.RankedLine,
    before: RecommendationLine | None,
    left: int,
) -> RecommendationLine:
    application = ranked.application
    proposed = _most(application)
    verdict = Verdict.FUND if 0 < proposed <= left else Verdict.RESERVE
    line = RecommendationLine(
        recommendation=draft,
        application=application,
        rank=ranked.rank,
        requested_usd=application.requested_usd,
        verdict=before.verdict if before else verdict,
        recommended_usd=before.recommended_usd
        if before
        else (proposed if verdict is Verdict.FUND else 0),
        reasons=before.reasons if before else "",
    )
    session.add(line)
    return line


def _most(application: Application) -> int:
    """Return the most that may be recommended: the request, under the call's ceiling (R9)."""
    ceiling = application.call.ceiling
    asked = application.requested_usd
    return asked if ceiling is None else min(asked, ceiling)


def set_line(
    line: RecommendationLine, verdict: Verdict, recommended_usd: int, reasons: str, *, by: Person
) -> None:
    """Say what is recommended for one application; the amount is in US cents.

    Whatever is not to be funded gets nothing, whatever amount is given. Raises Refused for an
    amount above the request or the ceiling (R9), for none where it is to be funded, and once the
    list is out of the body's hands.
    """
    audit.take_turn()
    draft = line.recommendation
    if not policy.can_recommend(by, draft):
        raise Refused(_("This step belongs to somebody else."), "R14")
    if draft.status is not RecommendationStatus.DRAFT:
        raise Refused(
            _("The list stands still: it is “%(status)s”.", status=draft.status.label), "R14"
        )
    text = normalise(reasons)
    if len(text) > TEXT_LIMIT:
        raise Refused(
            _(
                "Keep this to %(limit)s characters; it has %(number)s.",
                limit=TEXT_LIMIT,
                number=len(text),
            )
        )
    amount = recommended_usd if verdict is Verdict.FUND else 0
    if verdict is Verdict.FUND:
        _demand_amount(line, amount)
    if (line.verdict, line.recommended_usd, line.reasons) == (verdict, amount, text):
        return
    money_changed = (line.verdict, line.recommended_usd) != (verdict, amount)
    with session.no_autoflush:
        line.verdict, line.recommended_usd, line.reasons = verdict, amount, text
    session.flush()
    if money_changed:
        audit.record(
            "recommendation.line_set",
            line,
            actor_id=by.id,
            case_id=line.application_id,
            facts={"verdict": verdict.value, "usd": amount, "round": draft.round},
        )


def _demand_amount(line: RecommendationLine, amount: int) -> None:
    if amount <= 0:
        raise Refused(
            _("Give an amount for %(ref)s, or choose not to fund it.", ref=line.application.ref)
        )
    if amount > line.requested_usd:
        raise Refused(
            _(
                "%(ref)s asks for %(asked)s: more cannot be recommended.",
                ref=line.application.ref,
                asked=format_money(line.requested),
            ),
            "R9",
        )
    ceiling = line.application.call.ceiling
    if ceiling is not None and amount > ceiling:
        raise Refused(
            _(
                "A grant of this call is at most %(ceiling)s.",
                ceiling=format_money(usd(ceiling)),
            ),
            "R9",
        )


def make_recommendation(recommendation: Recommendation, *, by: Person) -> None:
    """Put the list before the approving authority, every line with its verdict.

    A second click changes nothing. Raises Refused while a reason is missing (R20), when the money
    does not reach (R19), and when a sheet or an application came or went since the list was last
    brought up to date.
    """
    audit.take_turn()
    session.refresh(recommendation, ["status", "version"])
    if recommendation.status is RecommendationStatus.MADE and (recommendation.made_by_id == by.id):
        return
    RECOMMENDATION_WORKFLOW.check(recommendation, RecommendationAction.MAKE, by)
    if not is_up_to_date(recommendation):
        raise Refused(
            _(
                "Since you last looked, a score sheet or an application came or went. Bring the "
                "list up to date and look at it again."
            ),
            "R17",
        )
    demand_money(recommendation)
    for line in recommendation.lines:
        WORKFLOW.perform(
            line.application,
            ApplicationAction.RECOMMEND,
            by=by,
            facts=facts_of(line),
            event="recommendation.made",
        )
    with session.no_autoflush:
        RECOMMENDATION_WORKFLOW.check(recommendation, RecommendationAction.MAKE, by)
        recommendation.made_by_id, recommendation.made_at = by.id, clock.now()
        RECOMMENDATION_WORKFLOW.perform(
            recommendation,
            RecommendationAction.MAKE,
            by=by,
            rule="R14",
            facts={"round": recommendation.round, "usd": total(recommendation)},
        )
    tell_approvers(recommendation)


def claim(line: RecommendationLine) -> int:
    """Return what a line takes of the money as it runs down the list, in US cents.

    The reserve counts with what it asks for: it would be next. Who is not to be funded takes none.
    """
    if line.verdict is Verdict.RESERVE:
        return line.requested_usd
    return line.recommended_usd


def facts_of(line: RecommendationLine) -> dict[str, object]:
    """Return what the audit chain keeps of a line."""
    return {
        "recommendation": str(line.recommendation_id),
        "round": line.recommendation.round,
        "rank": line.rank,
        "mean": None if line.mean is None else str(line.mean),
        "verdict": line.verdict.value,
        "requested_usd": line.requested_usd,
        "usd": line.recommended_usd,
    }


def total(recommendation: Recommendation) -> int:
    """Return what the list would grant, in US cents."""
    return sum(line.recommended_usd for line in recommendation.lines)


def is_up_to_date(recommendation: Recommendation) -> bool:
    """Say whether the lines are those of the ranking as it is now."""
    now = {
        each.application.id: (each.rank, each.mean) for each in ranking.ranked(recommendation.call)
    }
    lines = {line.application_id: (line.rank, line.mean) for line in recommendation.lines}
    return now == lines


def demand_money(recommendation: Recommendation) -> None:
    """Raise Refused unless the call's envelope and the fund's available balance reach (R19)."""
    wanted = usd(total(recommendation))
    money = ranking.money(recommendation.call)
    if wanted.minor > money.envelope_left:
        raise Refused(
            _(
                "The list comes to %(wanted)s, and the call has %(left)s left.",
                wanted=format_money(wanted),
                left=format_money(usd(money.envelope_left)),
            ),
            "R19",
        )
    if wanted.minor > money.available:
        raise Refused(
            _(
                "The list comes to %(wanted)s, and the fund can award %(left)s after support "
                "costs and what it has promised or committed already.",
                wanted=format_money(wanted),
                left=format_money(usd(money.available)),
            ),
            "R19",
        )
