"""A grant from its call to its end, with everything that can be asked about later."""

from dataclasses import dataclass

from portal.accounts.models import Person, Role
from portal.applications.models import Application
from portal.awards.models import Award
from portal.core.db import session
from portal.payments import service as payments
from portal.reports.models import Report
from portal.reviews import service as reviews
from tests.make.accounts import person
from tests.make.applications import call as make_call
from tests.make.awards import countersigned, offer
from tests.make.payments import Till, paid, till, verified
from tests.make.reports import accepted, submitted
from tests.make.reviews import Cast, cast, in_review, recommended, reviewer, score

CONFLICT = "My sister leads the group."


@dataclass(frozen=True)
class Story:
    """A grant and its people. `stepped_aside` was recused from it; `auditor` reads it all."""

    award: Award
    people: Cast
    till: Till
    stepped_aside: Person
    auditor: Person
    report: Report | None

    @property
    def application(self) -> Application:
        """The application at the head of the file."""
        return self.award.application


def auditor(fund: str | None = None, name: str = "Audra Auditor") -> Person:
    """Return an auditor of a fund, or of all."""
    return person(roles=[(Role.AUDITOR, fund, None)], name=name)


def story(*, closed: bool = True) -> Story:
    """Return a micro-grant that was paid its first instalment; or reported on, and closed."""
    call = make_call("act")
    people = cast(call)
    made = in_review(call, people)
    aside = reviewer(call, name="Sven Sibling")
    reviews.declare_conflict(made, CONFLICT, by=aside)
    for reader, points in zip(people.reviewers, (3, 4, 5), strict=True):
        score(made, reader, points)
    reviews.approve(recommended(call, people), by=people.approver)
    award = countersigned(offer(made))
    who = till("act")
    verified(award, who)
    paid(award.instalments[0], who)
    report = None
    if closed:
        report = accepted(submitted(award), accepted_usd=award.amount_usd)
        paid(award.instalments[1], who, reference="AG-2")
        payments.close_award(award, by=people.officer)
    session.flush()
    return Story(award, people, who, aside, auditor(), report)
