"""Setting money aside for awards: budgetary memo entries, under the lock of the fund's book."""

from uuid import UUID, uuid4

from sqlalchemy import select

from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import _, locale
from portal.core.money import Money, format_money
from portal.core.text import plain
from portal.core.workflow import Refused
from portal.ledger import queries
from portal.ledger.models import Commitment
from portal.ledger.rules import PostingConflict, above_zero
from portal.ledger.service.posting import hold


def commit_funds(
    fund_code: str,
    award_ref: str,
    amount: Money,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
    movement_ref: str | None = None,
) -> Commitment:
    """Set aside `amount` (US$) of the fund for an award.

    The fund's book is locked first, so two boards cannot spend the same dollar. A dollar takes
    its programme support costs with it. Again for the same award it returns the first movement;
    an increase by amendment passes a `movement_ref` of its own. Raises Refused (R19) above what
    is available, PostingConflict for the same reference with another amount.
    """
    above_zero(amount)
    ref = movement_ref or f"{award_ref}:commit"
    hold([fund_code])
    before = _found(ref, fund_code, award_ref, amount.minor)
    if before is not None:
        return before
    position = queries.position(fund_code)
    if position.available_after(amount).minor < 0:
        raise Refused(
            _(
                "Only %(available)s is available in this fund; %(amount)s cannot be set aside "
                "together with the programme support costs of %(percent)s %% that it brings.",
                available=format_money(position.available, str(locale())),
                amount=format_money(amount, str(locale())),
                percent=plain(position.percent),
            ),
            rule="R19",
        )
    return move(ref, fund_code, award_ref, amount.minor, by=by, case_id=case_id)


def release_commitment(
    fund_code: str,
    award_ref: str,
    amount: Money | None = None,
    *,
    by: UUID | None,
    case_id: UUID | None = None,
    movement_ref: str | None = None,
) -> Commitment | None:
    """Give back `amount` (US$) of an award's commitment to the fund, or all that is left of it.

    Returns None where nothing is left and no amount was asked for. A part takes a `movement_ref`
    of its own; again with the same it returns the first movement. Raises Refused above what is
    outstanding, ValueError for a part without a reference, or for the rest with one: asked for
    again it is whatever is left then, which no reference can promise.
    """
    if (amount is None) != (movement_ref is None):
        raise ValueError("a part is released under a reference of its own, the rest under none")
    hold([fund_code])
    left = queries.outstanding(fund_code, award_ref)
    if amount is None:
        if not left:
            return None
        amount = left
    ref = movement_ref or f"{award_ref}:release:{uuid4()}"
    above_zero(amount)
    before = _found(ref, fund_code, award_ref, -amount.minor)
    if before is not None:
        return before
    _refuse_beyond(left, amount, None)
    return move(ref, fund_code, award_ref, -amount.minor, by=by, case_id=case_id)


def refuse_uncommitted(fund_code: str, award_ref: str, amount: Money) -> None:
    """Raise Refused (R21) when `amount` is more than the outstanding commitment of the award."""
    _refuse_beyond(queries.outstanding(fund_code, award_ref), amount, "R21")


def move(
    movement_ref: str,
    fund_code: str,
    award_ref: str,
    cents: int,
    *,
    by: UUID | None,
    case_id: UUID | None,
) -> Commitment:
    """Record a movement once: use by a payment (below zero), return of one (above zero)."""
    before = _found(movement_ref, fund_code, award_ref, cents)
    if before is not None:
        return before
    movement = Commitment(
        fund_code=fund_code,
        source_ref=award_ref,
        movement_ref=movement_ref,
        amount_usd_minor=cents,
        made_at=clock.now(),
    )
    session.add(movement)
    action = "ledger.committed" if cents > 0 else "ledger.released"
    facts = {"fund": fund_code, "award": award_ref, "ref": movement_ref, "usd": cents}
    audit.record(action, movement, actor_id=by, case_id=case_id, facts=facts)
    return movement


def _refuse_beyond(left: Money, amount: Money, rule: str | None) -> None:
    if amount > left:
        raise Refused(
            _(
                "Only %(left)s is set aside for this award, less than %(amount)s.",
                left=format_money(left, str(locale())),
                amount=format_money(amount, str(locale())),
            ),
            rule=rule,
        )


def _found(ref: str, fund_code: str, award_ref: str, cents: int) -> Commitment | None:
    before = session.scalar(select(Commitment).where(Commitment.movement_ref == ref))
    if before is None:
        return None
    said = (before.fund_code, before.source_ref, before.amount_usd_minor)
    if said != (fund_code, award_ref, cents):
        raise PostingConflict(f"{ref} is recorded already, and otherwise")
    return before
