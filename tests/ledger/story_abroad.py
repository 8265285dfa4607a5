"""Donors, the card processor, unmatched lines and other currencies, as steps of a story."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from portal.core import clock
from portal.core.db import session
from portal.core.money import Money, usd
from portal.ledger import queries, service
from portal.ledger.models import AccountKind, ExchangeRate
from portal.ledger.service.revaluation import MONETARY
from tests.ledger.books import DAY
from tests.ledger.story import BANK, CENTS, CLEARING, PARTS, PICK, SUSPENSE, Story, a_part

EUROS = st.integers(1, 3_000_00).map(lambda cents: Money(cents, "EUR"))
LOCAL = st.one_of(st.none(), EUROS)
UNITS = st.decimals(Decimal("0.5"), Decimal(2), places=4)


class Abroad(Story):
    """What happens between donors, bank and card processor."""

    def __init__(self) -> None:
        super().__init__()
        self.pledges: list[str] = []
        self.gifts: list[tuple[str, str]] = []

    @rule(cents=CENTS, local=LOCAL)
    def agree(self, cents: int, local: Money | None) -> None:
        """Sign an agreement, in dollars or in euros."""
        ref = self.ref("pledge")
        self.do(
            lambda: service.contribution_agreed(
                self.fund, usd(cents), ref, DAY, by=None, local=local
            )
        )
        self.pledges.append(ref)

    @precondition(lambda self: self.pledges)
    @rule(pick=PICK, part=PARTS, cents=CENTS, euros=st.booleans(), in_euros=st.booleans())
    def keep_an_agreement(
        self,
        pick: int,
        part: int,
        cents: int,
        euros: bool,  # noqa: FBT001
        in_euros: bool,  # noqa: FBT001
    ) -> None:
        """Let a donor pay, whatever that is worth by now, unless it is more than is owed."""
        pledge, ref = self.pledges[pick % len(self.pledges)], self.ref("wire")
        owed = queries.owed_under(self.fund, pledge, "EUR" if euros else "USD").money
        settles = a_part(owed, part)
        came = Money(cents, "EUR") if in_euros else usd(cents)
        done = self.do(
            lambda: service.contribution_received(
                self.fund,
                usd(cents),
                ref,
                DAY,
                by=None,
                local=came,
                pledge_ref=pledge,
                settles=settles,
            )
        )
        assert done == (settles <= owed)
        if done:
            self.moved(came)

    @precondition(lambda self: self.pledges)
    @rule(pick=PICK, part=PARTS, cents=CENTS, euros=st.booleans())
    def give_up(self, pick: int, part: int, cents: int, euros: bool) -> None:  # noqa: FBT001
        """Cancel what will not come, unless it is more than is owed."""
        pledge, ref = self.pledges[pick % len(self.pledges)], self.ref("cancel")
        owed = queries.owed_under(self.fund, pledge, "EUR" if euros else "USD").money
        local = a_part(owed, part)
        amount = usd(cents) if euros else local
        done = self.do(
            lambda: service.contribution_cancelled(
                self.fund, amount, ref, DAY, by=None, pledge_ref=pledge, local=local
            )
        )
        assert done == (local <= owed)

    @rule(cents=CENTS, local=LOCAL, into=st.sampled_from([BANK, CLEARING]))
    def give(self, cents: int, local: Money | None, into: AccountKind) -> None:
        """Let a gift arrive, by wire or by card."""
        ref = self.ref("gift")
        self.do(
            lambda: service.contribution_received(
                self.fund, usd(cents), ref, DAY, by=None, local=local, subject_ref=ref, into=into
            )
        )
        self.gifts.append((ref, local.currency if local else "USD"))
        self.moved(local or usd(cents), into)

    @precondition(lambda self: self.gifts)
    @rule(
        pick=PICK,
        part=PARTS,
        cents=CENTS,
        out_of=st.sampled_from([BANK, CLEARING]),
        disputed=st.booleans(),
    )
    def give_back(
        self,
        pick: int,
        part: int,
        cents: int,
        out_of: AccountKind,
        disputed: bool,  # noqa: FBT001
    ) -> None:
        """Give a gift back, or let it be disputed, unless it is more than arrived."""
        gift, currency = self.gifts[pick % len(self.gifts)]
        here, ref = queries.arrived(self.fund, currency, gift), self.ref("back")
        local = a_part(here, part)
        amount = local if currency == "USD" else usd(cents)
        verb = service.contribution_disputed if disputed else service.contribution_refunded
        done = self.do(
            lambda: verb(
                self.fund,
                amount,
                ref,
                DAY,
                by=None,
                subject_ref=gift,
                local=local,
                out_of=out_of,
            )
        )
        assert done == (local <= here)
        if done:
            self.moved(-local, out_of)

    @rule(cents=CENTS, local=LOCAL, out_of=st.sampled_from([BANK, CLEARING, SUSPENSE]))
    def charge(self, cents: int, local: Money | None, out_of: AccountKind) -> None:
        """Let bank or processor keep a charge; out of suspense only what lies there."""
        taken, ref = local or usd(cents), self.ref("fee")
        there = queries.in_suspense(self.fund, taken.currency, credits_=False)
        done = self.do(
            lambda: service.charged(
                self.fund, usd(cents), ref, DAY, by=None, local=local, out_of=out_of
            )
        )
        assert done == (out_of is not SUSPENSE or taken <= there)
        if done:
            self.moved(-taken, out_of)

    @rule(part=PARTS, cents=CENTS, euros=st.booleans())
    def pay_out(self, part: int, cents: int, euros: bool) -> None:  # noqa: FBT001
        """Let the processor pay over what it holds, euros as dollars, and not a cent more."""
        currency, ref = ("EUR" if euros else "USD"), self.ref("payout")
        held = queries.holdings(self.fund).get((CLEARING, currency))
        here = held.money if held else Money(0, currency)
        clears = a_part(here, part)
        amount = usd(cents) if euros else clears
        done = self.do(
            lambda: service.card_paid_out(self.fund, amount, ref, DAY, by=None, clears=clears)
        )
        assert done == (clears <= here)
        if done:
            self.moved(amount)

    @rule(cents=CENTS, local=LOCAL, sign=st.sampled_from([1, -1]))
    def wonder(self, cents: int, local: Money | None, sign: int) -> None:
        """Find a line in the statement that nobody knows."""
        own = Money(sign * local.minor, "EUR") if local else usd(sign * cents)
        ref = self.ref("line")
        self.do(
            lambda: service.suspense_booked(
                self.fund, usd(sign * cents), ref, DAY, by=None, local=own
            )
        )
        self.moved(own)

    @rule(part=PARTS, cents=CENTS, euros=st.booleans())
    def understand(self, part: int, cents: int, euros: bool) -> None:  # noqa: FBT001
        """Allocate an unmatched credit as a gift, unless it is more than lies there."""
        there = queries.in_suspense(self.fund, "EUR" if euros else "USD", credits_=True)
        local, ref = a_part(there, part), self.ref("found")
        amount = usd(cents) if euros else local
        done = self.do(
            lambda: service.contribution_received(
                self.fund, amount, ref, DAY, by=None, local=local, into=SUSPENSE
            )
        )
        assert done == (local <= there)

    @rule(euro=UNITS, franc=st.decimals(Decimal(400), Decimal(800), places=2))
    def revalue(self, euro: Decimal, franc: Decimal) -> None:
        """Let new rates hold: what is held stays, what it carries becomes what it is worth."""
        for currency, units in (("EUR", euro), ("XOF", franc)):
            session.add(
                ExchangeRate(
                    currency=currency,
                    units_per_usd=units,
                    effective_on=DAY,
                    source=self.ref("UNORE"),
                    imported_at=clock.now(),
                )
            )
        session.flush()
        before = queries.holdings(self.fund)
        service.revalue(self.fund, DAY, by=None)
        session.commit()
        for (kind, currency), held in queries.holdings(self.fund).items():
            if kind in MONETARY:
                assert held.money == before[kind, currency].money
                assert held.usd == queries.rate_on(currency, DAY).in_usd(held.money).minor
