"""The word of programme and of finance on a report: two people, and both must accept (R30)."""

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import format_money, usd
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.ledger.service import expenditure_accepted
from portal.reports import policy, queries, rules
from portal.reports.models import Report, ReportAction, ReportReview, ReviewSide
from portal.reports.service.submitting import tell
from portal.reports.service.writing import hold
from portal.reports.workflow import WORKFLOW

COMMENT_LIMIT = 4_000


def review(
    report: Report,
    side: ReviewSide,
    *,
    accepted: bool,
    comment: str = "",
    accepted_usd: int | None = None,
    by: Person,
) -> ReportReview:
    """Record one side's word on the round that was handed in, and what follows from it.

    Returned: the grantee gets the comment and may edit. Accepted by all sides: the report is
    accepted, and what finance accepts as spent (`accepted_usd`, in cents) is booked. Raises
    Refused for whoever does not speak for `side`, for one person on both sides, for a return or a
    cut without its comment, and above what was spent or awarded.
    """
    hold(report, to_record=True)
    words = _comment(comment)
    action = ReportAction.ACCEPT if accepted else ReportAction.RETURN
    WORKFLOW.check(report, action, by)
    wanted = queries.sides_wanted(queries.rule_of(report))
    if side not in wanted or side not in policy.sides(by, report):
        raise Refused(_("This step belongs to somebody else."), "R30")
    said = [each for each in queries.reviews(report) if each.round == report.round]
    _refuse_repeated(said, side, by)
    finance = side is ReviewSide.FINANCE
    amount = _amount(report, accepted_usd, words) if accepted and finance else None
    if not accepted and not words:
        raise Refused(_("Say what has to be changed; the grantee reads it."), "R30")
    word = ReportReview(
        report=report,
        round=report.round,
        side=side,
        accepted=accepted,
        accepted_usd=amount,
        comment=words,
        by_id=by.id,
    )
    session.add(word)
    session.flush()
    said.append(word)
    if not accepted:
        _return(report, side, by)
    elif wanted <= {each.side for each in said if each.accepted}:
        _accept(report, said, by)
    else:
        _note(report, word, by)
    return word


def _comment(comment: str) -> str:
    words = normalise(comment).strip()
    if len(words) > COMMENT_LIMIT:
        raise Refused(_("Keep the comment to %(limit)s characters.", limit=COMMENT_LIMIT))
    return words


def _refuse_repeated(said: list[ReportReview], side: ReviewSide, by: Person) -> None:
    if any(each.by_id == by.id for each in said):
        raise Refused(
            _("You have given your word on this report. The other side is another person’s."), "R30"
        )
    if any(each.side is side for each in said):
        raise Refused(_("This side has given its word on the report already."), "R30")


def _amount(report: Report, accepted_usd: int | None, words: str) -> int:
    known = queries.figures(report)
    spent = known.spent_usd
    most = rules.most_acceptable(spent, report.award.amount_usd, known.accepted_before)
    if accepted_usd is None or not 0 <= accepted_usd <= most:
        raise Refused(
            _(
                "Give the amount that is accepted as spent: from nothing to %(most)s.",
                most=format_money(usd(most), str(locale())),
            ),
            "R22",
        )
    if accepted_usd < min(spent, most) and not words:
        raise Refused(_("Say what is not accepted and why; the grantee reads it."), "R30")
    return accepted_usd


def _note(report: Report, word: ReportReview, by: Person) -> None:
    audit.record(
        f"report.{word.side.value}_accepted",
        report,
        actor_id=by.id,
        case_id=report.case_id,
        rule="R30",
        facts=_facts(report, word.accepted_usd),
    )


def _return(report: Report, side: ReviewSide, by: Person) -> None:
    WORKFLOW.perform(
        report,
        ReportAction.RETURN,
        by=by,
        rule="R30",
        facts=_facts(report, None) | {"side": side.value},
        event="report.returned",
    )
    tell(report, "report_returned")


def _accept(report: Report, said: list[ReportReview], by: Person) -> None:
    amounts = [each.accepted_usd for each in said if each.accepted_usd is not None]
    with session.no_autoflush:  # the database wants status, time and amount at once
        report.accepted_usd = amounts[0] if amounts else None
        report.accepted_at = clock.now()
        WORKFLOW.perform(
            report,
            ReportAction.ACCEPT,
            by=by,
            rule="R30",
            facts=_facts(report, report.accepted_usd),
            event=f"report.accepted:{report.key}",
        )
    if report.accepted_usd:
        expenditure_accepted(
            report.award.application.call.fund_code,
            report.award.ref,
            usd(report.accepted_usd),
            f"report:{report.ref}:accepted",
            clock.today(),
            by=by.id,
            case_id=report.case_id,
        )
    tell(report, "report_accepted")


def _facts(report: Report, amount: int | None) -> dict[str, object]:
    return {
        "report": report.key,
        "round": report.round,
        "digest": report.digest,
        "accepted_usd": amount,
    }
