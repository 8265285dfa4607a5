"""Status reports on payment files (pain.002): what the bank took, and what it refused."""

from dataclasses import dataclass

from portal.payments.iso20022.part import Part
from portal.payments.iso20022.values import Reason

PARTLY = "PART"


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What the bank says of one payment: `ACCP`, `ACSC`, `PDNG`, `RJCT` and their like."""

    end_to_end_id: str
    status: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The bank's answer to one file, `original_message_id`.

    `group_status` is that of the file: of its one batch where the report says that, else of the
    whole; None where the report is about single payments only. A file that was refused outright
    names no payments.
    """

    message_id: str
    original_message_id: str
    group_status: str | None
    reasons: tuple[Reason, ...]
    payments: tuple[PaymentStatus, ...]


def read_status_report(body: Part) -> StatusReport:
    """Return a status report. Raises Unreadable where it lacks what it answers to."""
    group = body.needed("OrgnlGrpInfAndSts")
    batches = body.all("OrgnlPmtInfAndSts")
    status = _group_status(group, batches)
    return StatusReport(
        message_id=body.need("GrpHdr/MsgId"),
        original_message_id=group.need("OrgnlMsgId"),
        group_status=status,
        reasons=tuple(reason for part in (group, *batches) for reason in _reasons(part)),
        payments=tuple(
            PaymentStatus(
                end_to_end_id=payment.text("OrgnlEndToEndId", "OrgnlInstrId"),
                status=payment.text("TxSts") or batch.text("PmtInfSts") or group.need("GrpSts"),
                reasons=_reasons(payment),
            )
            for batch in batches
            for payment in batch.all("TxInfAndSts")
        ),
    )


def _group_status(group: Part, batches: list[Part]) -> str | None:
    of_batches = {status for batch in batches if (status := batch.text("PmtInfSts"))}
    if len(of_batches) > 1:
        return PARTLY
    return next(iter(of_batches), None) or group.text("GrpSts") or None


def _reasons(part: Part) -> tuple[Reason, ...]:
    return tuple(each.reason() for each in part.all("StsRsnInf"))
