"""Many payments of one fund that go by the bank, made by the verbs, in one database."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.awards.models import PayingAgent
from portal.core.db import session
from portal.payments import service
from portal.payments.models import BankAccount, PaymentOrder
from tests.make import documents
from tests.make import payments as make
from tests.make.accounts import person_with
from tests.make.applications import call as make_call
from tests.make.awards import award as make_award
from tests.make.awards import cast
from tests.make.payments import Till

FUND = "upr-i"
"""A fund whose grants take the fewest acts of people until they are paid."""

ELSEWHERE = "NL30MOCK0000000005"
"""An account at another bank: a payment to it settles."""

AMOUNT_USD = 240_000
"""What each grantee gets, in cents: the call has enough for forty."""


@dataclass(frozen=True)
class Payday:
    """What stands in a database that tests copy: who signs, by address, and what waits."""

    emails: dict[str, str]
    refs: list[str]

    @property
    def till(self) -> Till:
        """Return the people of the fund, as rows of the session."""
        return Till(**{part: person_with(email) for part, email in self.emails.items()})

    @property
    def orders(self) -> list[PaymentOrder]:
        """Return the orders, the first prepared first."""
        rows = select(PaymentOrder).where(PaymentOrder.ref.in_(self.refs))
        return list(session.scalars(rows.order_by(PaymentOrder.prepared_at)))

    @property
    def account(self) -> BankAccount:
        """Return the account that pays."""
        return session.scalars(select(BankAccount)).one()


def prepared(count: int) -> Payday:
    """Prepare orders by the bank, each to another grantee, and commit.

    Their documents are set in type once and shared: none of them is read here.
    """
    under = make_call(FUND)
    people, till = cast(under), make.till(FUND)
    make.fund_account(FUND, who=till)
    refs = []
    with documents.set_once():
        for _number in range(count):
            award = make_award(
                fund=FUND,
                of=under,
                people=people,
                amount_usd=AMOUNT_USD,
                paying_agent=PayingAgent.HEADQUARTERS,
            )
            make.verified(award, till, account=ELSEWHERE, country="NLD", bic="")
            refs.append(service.prepare_order(award.instalments[0], by=till.finance).ref)
            session.commit()
    emails = {part: getattr(till, part).email for part in Till.__dataclass_fields__}
    session.commit()
    return Payday(emails, refs)


def release(payday: Payday, count: int) -> list[PaymentOrder]:
    """Sign and release the first `count` orders, and commit."""
    till, found = payday.till, payday.orders[:count]
    for order in found:
        make.signed(order, till)
    session.commit()
    return found
