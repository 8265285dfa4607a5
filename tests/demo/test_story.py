"""The story: told whole, in order, by the right people, and true whenever it is told."""

import json
import re
import unicodedata
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.applications import queries as applications
from portal.applications.models import Application, ApplicationStatus, Recusal
from portal.awards.models import Award, AwardStatus
from portal.cli.features import all_checks
from portal.core import clock
from portal.core.audit import AuditEvent
from portal.core.config import Settings
from portal.core.db import session
from portal.core.outbox import Message, MessageState
from portal.demo import PASSWORD, content, personas, story
from portal.funds.models import Call, CallStatus
from portal.ledger.models import AccountKind, ExchangeRate
from portal.payments.models import BankDetails, BankStatus, OrderStatus, PaymentOrder, Receivable
from portal.payments.statements.queries import closings
from portal.reports import queries as reports
from portal.reports.models import Report, ReportStatus
from portal.reviews.models import Decision, ScoreSheet, SheetStatus
from tests.accounting.test_beancount import judged

pytestmark = pytest.mark.usefixtures("told")

STATIONS = {
    "illariy": ApplicationStatus.DRAFT,
    "sinthiou": ApplicationStatus.SUBMITTED,
    "hakaya": ApplicationStatus.CLARIFICATION,
    "mbirigo": ApplicationStatus.INADMISSIBLE,
    "ekidor": ApplicationStatus.IN_REVIEW,
    "zaafaran": ApplicationStatus.RECOMMENDED,
    "conteurs": ApplicationStatus.REFUSED,
    "togo": ApplicationStatus.IN_REVIEW,
    "kiribati": ApplicationStatus.IN_REVIEW,
}
AWARDS = {
    "lantern": AwardStatus.OFFERED,
    "yanawaylla": AwardStatus.ACCEPTED,
    "bakhoumba": AwardStatus.ACTIVE,
    "wheels": AwardStatus.ACTIVE,
    "ccopa": AwardStatus.ACTIVE,
    "rummana": AwardStatus.ACTIVE,
    "riveraines": AwardStatus.ACTIVE,
    "tejedoras": AwardStatus.CLOSED,
    "olkesumet": AwardStatus.CLOSED,
    "nepal": AwardStatus.ACTIVE,
    "cabo_verde": AwardStatus.ACTIVE,
    "lesotho": AwardStatus.ACTIVE,
    "bhutan": AwardStatus.ACTIVE,
    "malawi": AwardStatus.ACTIVE,
    "sierra_leone": AwardStatus.CLOSED,
}


def file_of(key: str) -> Application:
    """Return the application of an organisation of the story."""
    name = content.organisation(key).name
    rows = select(Application).join(Application.organisation).filter_by(name=name)
    return session.scalars(rows).one()


def award_of(key: str) -> Award:
    """Return the award of an organisation of the story."""
    rows = select(Award).where(Award.application_id == file_of(key).id)
    return session.scalars(rows).one()


def test_every_invariant_holds() -> None:
    broken = [(check.name, found) for check in all_checks() if (found := check.run().violations)]
    assert broken == []


def test_an_independent_judge_finds_the_books_to_hold_what_the_bank_says(tmp_path: Path) -> None:
    said = [(fund, AccountKind.BANK, day, money) for fund, day, money in closings()]
    assert {fund for fund, *_rest in said} >= {"act", "vftc"}
    assert judged(tmp_path, said) == ""


def test_there_is_a_file_for_each_station() -> None:
    assert {key: file_of(key).status for key in STATIONS} == STATIONS
    assert {key: award_of(key).status for key in AWARDS} == AWARDS
    assert len(STATIONS) + len(AWARDS) == len(content.organisations())


def test_each_fund_has_a_file_and_no_organisation_two() -> None:
    rows = select(Call.fund_code, func.count()).join(Application, Application.call_id == Call.id)
    files = {row[0]: row[1] for row in session.execute(rows.group_by(Call.fund_code))}
    assert files == {"act": 16, "vftc": 2, "upr-i": 1, "upr-p": 2, "ldc-sids": 3}


def test_the_audit_chain_never_goes_back_in_time_and_ends_before_today() -> None:
    moments = list(session.scalars(select(AuditEvent.at).order_by(AuditEvent.number)))
    assert moments == sorted(moments)
    assert moments[0] < clock.now() - timedelta(days=240)
    assert moments[-1] < clock.now()


def test_the_open_call_is_open_and_the_overdue_report_overdue() -> None:
    calls = list(session.scalars(select(Call).where(Call.fund_code == "act")))
    assert Counter(call.takes_applications for call in calls) == {False: 2, True: 1}
    assert all(call.ceiling == 500_000 for call in calls)
    assert {call.status for call in calls} == {CallStatus.OPEN, CallStatus.DECIDED}
    overdue = [
        owed
        for key, status in AWARDS.items()
        if status is AwardStatus.ACTIVE
        for owed in reports.obligations(award_of(key))
        if owed.is_overdue
    ]
    assert len(overdue) == 1
    assert [owed.is_overdue for owed in reports.obligations(award_of("ccopa"))] == [True]


def test_one_reader_is_recused_and_two_sheets_of_three_are_in() -> None:
    application = file_of("ekidor")
    rows = select(ScoreSheet.status).where(ScoreSheet.application_id == application.id)
    assert sorted(session.scalars(rows)) == [
        SheetStatus.DRAFT,
        SheetStatus.SUBMITTED,
        SheetStatus.SUBMITTED,
    ]
    rows_of_recusals = select(func.count()).where(Recusal.application_id == application.id)
    assert session.scalar(rows_of_recusals) == 1


def test_a_trustee_is_recused_from_the_request_of_her_own_state() -> None:
    recused = select(Recusal.person_id).where(Recusal.application_id == file_of("nepal").id)
    found = list(session.scalars(recused))
    assert len(found) == 1


def test_refusals_and_cuts_have_reasons() -> None:
    for decision in session.scalars(select(Decision)):
        whole = decision.approved and decision.amount_usd == decision.application.requested_usd
        assert whole or len(decision.reasons) > 80
    assert award_of("lantern").needs_revised_budget


def test_the_payment_queue_has_something_for_everybody() -> None:
    orders = Counter(session.scalars(select(PaymentOrder.status)))
    assert orders.keys() >= {
        OrderStatus.PREPARED,
        OrderStatus.CERTIFIED,
        OrderStatus.APPROVED,
        OrderStatus.RELEASED,
        OrderStatus.CONFIRMED,
    }
    waiting = select(func.count()).where(BankDetails.status == BankStatus.ENTERED)
    assert session.scalar(waiting) == 1


def test_reports_are_due_returned_submitted_and_accepted() -> None:
    stand = {
        session.get_one(Award, report.award_id).application.organisation.name: report.status
        for report in session.scalars(select(Report))
    }
    names = {key: content.organisation(key).name for key in AWARDS}
    assert stand == {
        names["olkesumet"]: ReportStatus.ACCEPTED,
        names["tejedoras"]: ReportStatus.ACCEPTED,
        names["sierra_leone"]: ReportStatus.ACCEPTED,
        names["riveraines"]: ReportStatus.SUBMITTED,
        names["rummana"]: ReportStatus.RETURNED,
    }


def test_what_was_not_spent_came_back() -> None:
    owed = session.scalars(select(Receivable)).one()
    assert owed.award_id == award_of("tejedoras").id
    assert owed.settled_on is not None
    assert owed.amount_usd > 0


def test_it_is_written_in_four_languages_and_two_scripts() -> None:
    rows = session.scalars(select(Application).join(Call).where(Call.fund_code == "act"))
    by_language: dict[str, set[str]] = {}
    for application in rows:
        need = str(applications.answers(application)["need"])
        scripts = {unicodedata.name(letter).split()[0] for letter in need if letter.isalpha()}
        by_language.setdefault(application.language, set()).update(scripts)
    assert by_language == {
        "en": {"LATIN"},
        "fr": {"LATIN"},
        "es": {"LATIN"},
        "ar": {"ARABIC"},
    }


def test_every_request_of_the_small_grants_stays_below_5000_dollars() -> None:
    asked = [
        file_of(key).requested_usd
        for key in (*STATIONS, *AWARDS)
        if content.organisation(key).kind not in {"government", "mission"}
    ]
    assert len(asked) == 16
    assert 0 < min(asked) <= max(asked) <= 500_000


def test_rates_are_called_approximate() -> None:
    assert set(session.scalars(select(ExchangeRate.source))) == {"UNORE-approximate"}
    assert len(set(session.scalars(select(ExchangeRate.currency)))) >= 40
    for name in ("rates-2026-01", "rates-2026-11"):
        assert b"Approximate" in content.rates(name)


def test_no_message_was_sent_and_none_waits() -> None:
    assert set(session.scalars(select(Message.state))) == {MessageState.KEPT}


def test_nothing_sealed_stands_in_the_clear_where_others_read() -> None:
    """What was written about risks, contacts and accounts is in no event and no message."""
    secrets = {
        str(content.application(key).answers.get("risk_measures"))
        for key in ("bakhoumba", "hakaya")
    }
    secrets |= {each.person for each in content.organisations() if each.kind == "individual"}
    secrets |= {content.application("ekidor").remark}
    rows = session.scalars(select(AuditEvent.facts))
    facts = "\n".join(json.dumps(each, ensure_ascii=False) for each in rows)
    messages = "\n".join(
        f"{each.subject}\n{each.body}" for each in session.scalars(select(Message))
    )
    for secret in secrets:
        assert len(secret) > 10
        assert secret not in facts
        assert secret not in messages
    titles = {str(content.application(key).answers["title"]) for key in (*STATIONS, *AWARDS)}
    assert not [title for title in titles if title in messages]


def test_telling_it_again_changes_nothing(told_settings: Settings) -> None:
    before = session.scalar(select(func.count(AuditEvent.number)))
    story.tell(told_settings)
    assert session.scalar(select(func.count(AuditEvent.number))) == before


def test_everybody_in_it_is_invented_and_reachable_nowhere() -> None:
    addresses = [email for _label, email in personas.whom_to_sign_in_as()]
    addresses += [each.email for each in content.people()]
    addresses += [each.email for each in content.organisations()]
    assert all(email.endswith(".example") for email in addresses)
    assert len(PASSWORD) >= 20


def test_nothing_written_names_a_real_address_or_number() -> None:
    for path in content.FOLDER.rglob("*.toml"):
        text = path.read_text(encoding="utf-8")
        addresses = re.findall(r"[\w.]+@[\w.-]+\w", text)
        assert all(address.endswith(".example") for address in addresses), path
        assert not re.search(r"\+\d{6}|https?://", text), path
