"""What the bank says of a file, or of many payments at once, passes nobody's fence."""

from io import BytesIO

import pytest
from sqlalchemy import func, select

from portal.accounts.models import Role
from portal.core import clock
from portal.core.db import session
from portal.core.workflow import Refused
from portal.demo.bank import messages
from portal.payments import exchange, service
from portal.payments.models import OrderStatus, PaymentOrder
from portal.payments.service import bank_messages
from portal.payments.service.bank_messages import bring_statement
from portal.payments.statements.models import Statement, StatementLine
from tests.make import payments as make
from tests.make.accounts import person
from tests.payments.notices import debit, notice
from tests.payments.payday import FUND, Payday
from tests.payments.statements.teller import Move, Teller
from tests.payments.test_bank_checks import left

OTHER_FILE = "is not in the file that this message answers"


@pytest.fixture
def two_files(payday: Payday) -> tuple[PaymentOrder, PaymentOrder]:
    """Return two payments that are with the bank, each in a file of its own."""
    left(payday, 1)
    first, second = payday.orders[:2]
    make.signed(second, payday.till)
    session.commit()
    [file] = exchange.gather_all()
    service.hand_over(file, by=payday.till.treasurer)
    session.commit()
    return first, second


def file_of(order: PaymentOrder) -> str:
    assert order.file is not None
    return order.file.message_id


def refused_entry(content: bytes, order: PaymentOrder, status: OrderStatus) -> None:
    found = bank_messages.receive_file(BytesIO(content), by=None)
    assert (found.told, found.left) == (0, [f"Payment {order.ref} {OTHER_FILE}."])
    assert order.status is status


def test_an_answer_to_one_file_says_nothing_of_a_payment_in_another(
    payday: Payday, two_files: tuple[PaymentOrder, PaymentOrder]
) -> None:
    first, second = two_files
    report = messages.status_report("S-1", file_of(first), [(second.ref, "RJCT", "AC04")])
    refused_entry(report, second, OrderStatus.RELEASED)
    told = debit(second, refs=f"<MsgId>{file_of(first)}</MsgId>")
    refused_entry(notice(payday.account, told), second, OrderStatus.RELEASED)
    service.settle_by_bank(second, debited=second.money, on=clock.today(), reference="B-1")
    back = [(second.ref, second.money, "AC04")]
    returned = messages.returned("R-1", file_of(first), back, clock.today())
    refused_entry(returned, second, OrderStatus.CONFIRMED)


def test_what_names_a_message_of_the_bank_itself_is_taken(
    payday: Payday, two_files: tuple[PaymentOrder, PaymentOrder]
) -> None:
    second = two_files[1]
    content = notice(payday.account, debit(second, refs="<MsgId>THE-BANKS-OWN</MsgId>"))
    assert bank_messages.receive_file(BytesIO(content), by=None).told == 1
    returned = messages.returned(
        "R-1", "PACS-008-OF-THE-BANK", [(second.ref, second.money, "AC04")], clock.today()
    )
    assert bank_messages.receive_file(BytesIO(returned), by=None).told == 1
    assert second.status is OrderStatus.RETURNED


def test_who_signed_brings_in_no_statement_that_settles_their_whole_file(payday: Payday) -> None:
    orders = left(payday, 2)
    whole = sum(order.amount for order in orders)
    teller = Teller(payday.account.account, payday.account.currency)
    content = teller.file(Move(-whole, batch_id=file_of(orders[0]), code="ICDT/XBCT")).read()
    with pytest.raises(Refused, match="which you signed"):
        bring_statement(BytesIO(content), by=payday.till.treasurer)
    assert session.scalar(select(func.count()).select_from(Statement)) == 0
    other = person(roles=[(Role.TREASURY, FUND, None)])
    assert bring_statement(BytesIO(content), by=other)[0].matched == 1
    assert session.scalars(select(StatementLine.end_to_end_id)).all() == [""]
