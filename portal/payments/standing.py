"""Where the payments of one award stand: what its gates, amounts and balance are decided on.

Read once for all instalments, in a fixed number of SQL statements. Amounts are US cents.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from portal.awards.amendments.queries import holds_payments
from portal.awards.models import Award, AwardStatus, Instalment, InstalmentStatus
from portal.core import clock
from portal.core.db import session
from portal.ledger import queries as ledger
from portal.payments import rules
from portal.payments.models import STANDING, BankDetails, BankStatus
from portal.payments.reasons import in_words
from portal.reports.models import Report, ReportStatus

SETTLED = frozenset({InstalmentStatus.PAID, InstalmentStatus.LAPSED})
UNSIGNED = frozenset({AwardStatus.OFFERED, AwardStatus.ACCEPTED})
ENDED = frozenset({AwardStatus.TERMINATED, AwardStatus.CLOSED})


@dataclass(frozen=True)
class Standing:
    """What is known of an award: its details, its accepted reports, what is set aside for it.

    `is_amended` says that an amendment of its amount is open.
    """

    award: Award
    details: BankDetails | None
    accepted: Mapping[str, int]
    committed: int
    is_amended: bool = False

    @property
    def paid_usd(self) -> int:
        """What was paid so far."""
        return sum(instalment.paid_usd for instalment in self.award.instalments)

    @property
    def accepted_usd(self) -> int:
        """What was accepted as spent so far."""
        return sum(self.accepted.values())

    @property
    def owed_back(self) -> int:
        """What the grantee would have to give back if the balance were drawn now (R25)."""
        return rules.owed_back(accepted=self.accepted_usd, paid=self.paid_usd)

    @property
    def is_complete(self) -> bool:
        """Whether every report that the award owes is accepted."""
        return {rule.key for rule in self.award.fund.reports} <= self.accepted.keys()

    @property
    def is_ended(self) -> bool:
        """Whether the award was ended, so that nothing more is ever paid."""
        return self.award.status in ENDED

    def awaited(self, instalment: Instalment) -> set[str]:
        """Return the keys of the reports that the instalment waits for (R21, R30)."""
        if instalment.trigger == "travel_settled":
            return {rule.key for rule in self.award.fund.reports}
        return {instalment.report_key} if instalment.report_key else set()

    def reports_accepted(self, instalment: Instalment) -> bool:
        """Say whether the reports that the instalment waits for are accepted."""
        return self.awaited(instalment) <= self.accepted.keys()

    def is_capped(self, instalment: Instalment) -> bool:
        """Say whether the instalment pays only what was spent beyond what was paid (R22).

        The last one does where it waits for a report; all that is left does once every report
        is accepted.
        """
        last = instalment is self.award.instalments[-1]
        return self.is_complete or (last and bool(self.awaited(instalment)))

    def dues(self) -> dict[int, int]:
        """Return what each instalment that is not settled would pay now, by its number (R22)."""
        paid, found = self.paid_usd, {}
        for instalment in self.award.instalments:
            if instalment.status in SETTLED:
                continue
            amount = rules.due(
                0 if self.is_ended else instalment.planned_usd,
                capped=self.is_capped(instalment),
                accepted=self.accepted_usd,
                paid=paid,
            )
            found[instalment.number] = amount
            paid += amount
        return found

    def due_usd(self, instalment: Instalment) -> int:
        """Return what the instalment would pay now, 0 once it is settled."""
        return self.dues().get(instalment.number, 0)

    def expected_usd(self, instalment: Instalment) -> int:
        """Return what the instalment is expected to pay: the plan until its reports are in."""
        if self.reports_accepted(instalment):
            return self.due_usd(instalment)
        return instalment.planned_usd

    @property
    def doubt(self) -> str:
        """Why the bank could not pay to the account, in plain words; empty where none doubts it."""
        details = self.details
        if details is None or details.status is not BankStatus.DOUBTED:
            return ""
        return in_words(details.remark)

    def facts(self, instalment: Instalment) -> rules.Facts:
        """Return what the gates of an instalment are decided on. No SQL statement."""
        details, award = self.details, self.award
        earlier = [other for other in award.instalments if other.number < instalment.number]
        expected = self.expected_usd(instalment)
        return rules.Facts(
            signed=award.status not in UNSIGNED,
            bank_verified=details is not None and details.status is BankStatus.VERIFIED,
            bank_payable=details is not None and details.payable_from <= clock.now(),
            committed=self.committed >= expected,
            reports_accepted=self.reports_accepted(instalment),
            something_due=expected > 0,
            earlier_paid=all(other.status in SETTLED for other in earlier),
            amount_stands=not self.is_amended,
            active=award.status is AwardStatus.ACTIVE,
            free=instalment.status is InstalmentStatus.PLANNED,
        )

    def gates(self, instalment: Instalment) -> list[rules.Gate]:
        """Return the gates of the instalment, each open or closed with its reason (R21)."""
        return rules.gates(self.facts(instalment), self._circumstances(instalment))

    def conditions(self, instalment: Instalment) -> list[rules.Gate]:
        """Return the gates that hold for a payment of the instalment that is prepared too."""
        return rules.conditions(self.facts(instalment), self._circumstances(instalment))

    def _circumstances(self, instalment: Instalment) -> rules.Circumstances:
        return rules.Circumstances(
            doubt=self.doubt,
            awaits_report=bool(self.awaited(instalment)),
            grant=self.award.status.label,
        )


def standing(award: Award, *, lock: bool = False) -> Standing:
    """Return where the payments of an award stand. Four SQL statements.

    `lock` holds the bank details until the transaction ends.
    """
    accepted = select(Report.key, Report.accepted_usd).where(
        Report.award_id == award.id, Report.status == ReportStatus.ACCEPTED
    )
    return Standing(
        award=award,
        details=current(award, lock=lock),
        accepted={key: cents or 0 for key, cents in session.execute(accepted)},
        committed=ledger.outstanding(award.application.call.fund_code, award.ref).minor,
        is_amended=bool(session.scalar(select(holds_payments()).where(Award.id == award.id))),
    )


def current(award: Award, *, lock: bool = False) -> BankDetails | None:
    """Return the details that stand now, verified, doubted or waiting. One SQL statement."""
    rows = select(BankDetails).where(
        BankDetails.award_id == award.id,
        BankDetails.status.in_(STANDING),
    )
    if lock:
        rows = rows.with_for_update(of=BankDetails).execution_options(populate_existing=True)
    return session.scalar(rows)
