"""What holds of bank details holds of each part of them, however the account is told."""

from datetime import timedelta
from io import BytesIO

import pypdf
import pytest

from portal.core import clock
from portal.core.workflow import Refused
from portal.payments import payees, service
from portal.payments.models import BankStatus, OrderStatus
from portal.payments.service import bank
from portal.payments.service.bank import fingerprint_holds
from tests.make import payments as make
from tests.make.accounts import messages
from tests.payments.conftest import World

INTERMEDIARY = {"intermediary_bic": "CITIUS33XXX", "intermediary_account": "99 88 77"}


@pytest.mark.parametrize(
    "changed",
    [
        INTERMEDIARY,
        {"clearing_code": "37040044"},
        {"account": "0532013000", "clearing_code": "37040044", "bic": ""},
    ],
)
def test_a_change_of_any_part_pauses_voids_and_warns(world: World, changed: dict[str, str]) -> None:
    service.certify(world.order, by=world.till.certifier)
    new = make.entered(world.paid, **changed)
    assert world.order.status is OrderStatus.CANCELLED
    assert world.order.bank_details.status is BankStatus.REPLACED
    assert new.payable_from - new.entered_at == timedelta(hours=48)
    assert messages(make.grantee(world.paid).email, "bank_details_changed")
    assert make.entered(world.paid, **changed) is new, "the same again changes nothing"
    with pytest.raises(Refused):
        service.verify_bank_details(new, screened=True, by=make.grantee(world.paid))
    service.verify_bank_details(new, screened=True, by=world.till.finance)
    with pytest.raises(Refused, match="48 hours"):
        service.prepare_order(world.paid.instalments[0], by=world.till.finance)
    with clock.at(clock.now() + timedelta(hours=49)):
        order = service.prepare_order(world.paid.instalments[0], by=world.till.finance)
    assert order.digest != world.order.digest


def test_the_same_account_as_a_number_of_another_grantee_is_seen(world: World) -> None:
    number = {"account": "532013000", "clearing_code": "370 400 44", "bic": ""}
    details = make.entered(world.award, **number)
    assert [twin.award for twin in service.same_account(details)] == [world.paid]
    other = make.entered(world.other, **number | {"account": "532013001"})
    assert service.same_account(other) == []


def test_the_fingerprint_of_former_days_still_holds_and_another_does_not(world: World) -> None:
    details = make.entered(world.award, account="532013000", clearing_code="37040044", bic="")
    other = make.entered(world.other, account="532013001", clearing_code="37040044", bic="")
    assert fingerprint_holds(details)
    details.fingerprint = bank._keyed("bank account", "DEU:532013000")
    assert fingerprint_holds(details)
    details.fingerprint = other.fingerprint
    assert not fingerprint_holds(details)


@pytest.mark.usefixtures("documents_as_they_are")
def test_whoever_pays_reads_the_code_and_the_bank_between(world: World) -> None:
    service.cancel_order(world.order, "Wait.", by=world.till.finance)
    make.verified(world.paid, world.till, clearing_code="370-400-44", **INTERMEDIARY)
    with clock.at(clock.now() + timedelta(hours=49)):
        order = service.prepare_order(world.paid.instalments[0], by=world.till.finance)
        make.signed(order, world.till)
        content = service.read_instruction(order, by=world.till.finance)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)
    assert "37040044" in text
    assert "CITIUS33XXX" in text
    assert "998877" in text
    party = payees.party(service.payee(order.bank_details))
    assert (party.clearing_code, party.intermediary_account) == ("37040044", "998877")
