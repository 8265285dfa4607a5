"""Recording donors, correcting and merging them; what gifts may be earmarked for."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from sqlalchemy import func, select, update

from portal.accounts.models import Person
from portal.contributions import policy
from portal.contributions.models import (
    Contribution,
    ContributionAgreement,
    Donor,
    DonorKind,
    Earmark,
    Pledge,
)
from portal.core import audit, clock
from portal.core.db import session
from portal.core.i18n import LANGUAGES, _
from portal.core.text import normalise
from portal.core.workflow import Refused
from portal.funds.models import Call

NAME_LIMIT = 300
TITLE_LIMIT = 200


@dataclass(frozen=True)
class DonorFacts:
    """What is recorded of a donor. `country` is ISO 3166 alpha-3, a must for a State."""

    kind: DonorKind
    name: str
    country: str | None = None
    email: str = ""
    language: str = "en"
    unnamed: bool = False


def record_donor(facts: DonorFacts, *, by: Person) -> Donor:
    """Record a donor, or return the one that the same was said of, as by a second click.

    Raises Refused for a State that is there already otherwise, or a name too long.
    """
    if not policy.writes(by) and not policy.records(by):
        raise Refused(_("This step belongs to somebody else."))
    facts = _tidy(facts)
    audit.take_turn()
    known = session.scalar(
        policy.donors_visible_to(by).filter_by(**asdict(facts)).order_by(Donor.created_at).limit(1)
    )
    if known is not None:
        return known
    _refuse_second_state(facts, None)
    donor = _new(facts, by.id)
    audit.record("donor.recorded", donor, actor_id=by.id, facts=_said(donor))
    return donor


def giver(name: str, email: str, *, language: str = "en", unnamed: bool = False) -> Donor:
    """Return the donor of a gift that somebody made by themselves, recorded where it is new.

    The same name with the same address is the same donor; whether another name is too is for a
    donor-relations officer to say, who can merge the two.
    """
    facts = _sound(DonorFacts(DonorKind.INDIVIDUAL, name, None, email, language, unnamed), None)
    known = session.scalar(
        select(Donor)
        .where(
            Donor.merged_into_id.is_(None),
            Donor.kind == DonorKind.INDIVIDUAL,
            Donor.email == facts.email,
            func.lower(Donor.name) == facts.name.lower(),
            Donor.unnamed == facts.unnamed,
        )
        .order_by(Donor.created_at)
        .limit(1)
    )
    if known is not None:
        return known
    donor = _new(facts, None)
    audit.record("donor.recorded", donor, actor_id=None, facts=_said(donor))
    return donor


def edit_donor(donor: Donor, facts: DonorFacts, *, by: Person) -> None:
    """Correct what is recorded of a donor. Raises Refused as `record_donor` does."""
    if not policy.can_edit_donor(by, donor):
        raise Refused(_("This step belongs to somebody else."))
    facts = _sound(facts, donor)
    donor.kind, donor.name, donor.country = facts.kind, facts.name, facts.country
    donor.email, donor.language, donor.unnamed = facts.email, facts.language, facts.unnamed
    audit.record("donor.edited", donor, actor_id=by.id, facts=_said(donor))


def merge_donors(donor: Donor, into: Donor, *, by: Person) -> None:
    """Say that two rows are the same donor: everything of `donor` becomes that of `into`.

    Receipts keep the name to which they were made out. It cannot be undone. Raises Refused where
    the person does not see both, where one was merged before, or for a State with anybody else.
    """
    audit.take_turn()
    for each in (donor, into):
        session.refresh(each)
        if each.merged_into_id is not None:
            raise Refused(_("One of the two was merged already. Look for the other one."))
    if not (policy.can_edit_donor(by, donor) and policy.can_edit_donor(by, into)):
        raise Refused(_("This step belongs to somebody else."))
    if donor.id == into.id:
        raise Refused(_("Choose another donor: this one cannot be merged with itself."))
    if DonorKind.STATE in {donor.kind, into.kind}:
        raise Refused(_("A State is one donor already. Correct its name instead."))
    donor.merged_into_id = into.id
    donor.merged_by_id, donor.merged_at = by.id, clock.now()
    session.flush()
    for kind in (Pledge, ContributionAgreement, Contribution):
        session.execute(
            update(kind)
            .where(kind.donor_id == donor.id)
            .values(donor_id=into.id, version=kind.version + 1)
        )
    session.expire_all()
    audit.record("donor.merged", donor, actor_id=by.id, facts={"into": into.ref})


def standing(donor: Donor) -> Donor:
    """Return the donor that a row stands for: itself, or the one into which it was merged.

    Asked with the turn at the chain, so that nobody merges it before what comes is recorded.
    """
    session.refresh(donor, ["merged_into_id"])
    if donor.merged_into_id is None:
        return donor
    return standing(session.get_one(Donor, donor.merged_into_id))


def make_earmark(
    fund_code: str,
    title: str,
    *,
    by: Person,
    country: str | None = None,
    call: Call | None = None,
) -> Earmark:
    """Return what gifts to a fund can be meant for; the same title again is the same earmark."""
    if not policy.can_write(by, fund_code):
        raise Refused(_("This step belongs to somebody else."))
    title = " ".join(normalise(title).split())
    if not 0 < len(title) <= TITLE_LIMIT:
        raise Refused(_("Give the earmark a title of 200 characters at most."))
    if call is not None and call.fund_code != fund_code:
        raise Refused(_("The call is of another fund."))
    known = session.scalar(
        select(Earmark).where(
            Earmark.fund_code == fund_code, Earmark.title == title, Earmark.retired_at.is_(None)
        )
    )
    if known is not None:
        if (known.country, known.call_id) != (country, call.id if call else None):
            raise Refused(_("There is another earmark of this title. Choose another title."))
        return known
    earmark = Earmark(
        fund_code=fund_code, title=title, country=country, call=call, created_by_id=by.id
    )
    session.add(earmark)
    facts = {"fund": fund_code, "country": country, "call": call.ref if call else None}
    audit.record("earmark.made", earmark, actor_id=by.id, facts=facts)
    return earmark


def retire_earmark(earmark: Earmark, *, by: Person) -> None:
    """Offer an earmark for new gifts no more; those that carry it keep it."""
    if not policy.can_write(by, earmark.fund_code):
        raise Refused(_("This step belongs to somebody else."))
    if earmark.retired_at is None:
        earmark.retired_at = clock.now()
        audit.record("earmark.retired", earmark, actor_id=by.id, facts={})


def _new(facts: DonorFacts, by_id: UUID | None) -> Donor:
    donor = Donor(
        kind=facts.kind,
        name=facts.name,
        country=facts.country,
        email=facts.email,
        language=facts.language,
        unnamed=facts.unnamed,
        created_by_id=by_id,
    )
    session.add(donor)
    session.flush()
    return donor


def _sound(facts: DonorFacts, donor: Donor | None) -> DonorFacts:
    """Return `facts` tidied. Raises Refused where a row could not hold them."""
    tidy = _tidy(facts)
    _refuse_second_state(tidy, donor)
    return tidy


def _tidy(facts: DonorFacts) -> DonorFacts:
    name = " ".join(normalise(facts.name).split())
    if not 0 < len(name) <= NAME_LIMIT:
        raise Refused(_("Give the donor's official name, in 300 characters at most."))
    if facts.language not in LANGUAGES:
        raise Refused(_("Choose a language from the list."))
    if facts.kind is DonorKind.STATE and not facts.country:
        raise Refused(_("Say which State it is."))
    return replace(
        facts, name=name, country=facts.country or None, email=facts.email.strip().lower()
    )


def _refuse_second_state(facts: DonorFacts, donor: Donor | None) -> None:
    """Raise Refused where the State is recorded already, other than as `donor`."""
    if facts.kind is not DonorKind.STATE:
        return
    same = select(Donor.id).where(
        Donor.kind == DonorKind.STATE,
        Donor.country == facts.country,
        Donor.merged_into_id.is_(None),
    )
    if donor is not None:
        same = same.where(Donor.id != donor.id)
    if session.scalar(same) is not None:
        raise Refused(_("This State is recorded already. Look for it in the list of donors."))


def _said(donor: Donor) -> dict[str, object]:
    """Return what the chain keeps of a donor: codes, never a name or an address."""
    return {
        "donor": donor.ref,
        "kind": donor.kind.value,
        "country": donor.country,
        "unnamed": donor.unnamed,
    }
