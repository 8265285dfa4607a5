"""Payments by the bank, as the tests of its statements need them: signed, and left in a file."""

from portal.awards.models import Award, PayingAgent
from portal.core.db import session
from portal.ledger import queries as ledger
from portal.payments import exchange
from portal.payments import service as payments
from portal.payments.models import PaymentFile, PaymentOrder
from tests.make import payments as make
from tests.make.awards import award as make_award
from tests.make.awards import cast
from tests.payments.conftest import World
from tests.payments.statements.teller import Teller


def another_award(world: World) -> Award:
    """Return a further award of the town's call, in two instalments that headquarters pays."""
    call = world.paid.application.call
    return make_award(
        amount_usd=480_000, paying_agent=PayingAgent.HEADQUARTERS, of=call, people=cast(call)
    )


def signed(world: World, award: Award | None = None) -> PaymentOrder:
    """Return the first payment of an award through the bank, signed by three people."""
    award = award or make_award(paying_agent=PayingAgent.HEADQUARTERS)
    make.verified(award, world.till, account="NL30MOCK0000000005", country="NLD", bic="")
    order = payments.prepare_order(award.instalments[0], by=world.till.finance)
    return make.signed(order, world.till)


def leave(teller: Teller) -> list[PaymentFile]:
    """Let all that is released leave to the bank, and tell the teller what the bank holds."""
    session.commit()
    files = list(exchange.gather_all())
    teller.balance = ledger.bank_balance("act", teller.currency).minor
    return files
