"""Links in messages: each works once, expires, and is stored as a digest only."""

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from portal.accounts.models import LinkPurpose, MemberRole, OneTimeLink
from portal.accounts.service.sessions import digest_of
from portal.core import clock
from portal.core.db import session
from portal.core.i18n import _
from portal.core.workflow import Refused

GOOD_FOR = {
    LinkPurpose.CONFIRM: timedelta(days=1),
    LinkPurpose.RESET: timedelta(hours=2),
    LinkPurpose.INVITE: timedelta(days=14),
    LinkPurpose.ADMIN: timedelta(days=1),
}
PATHS = {
    LinkPurpose.CONFIRM: "/confirm/",
    LinkPurpose.RESET: "/reset/",
    LinkPurpose.INVITE: "/join/",
    LinkPurpose.ADMIN: "/join/",
}


def make_link(
    purpose: LinkPurpose,
    email: str,
    *,
    organisation_id: UUID | None = None,
    member_role: MemberRole | None = None,
    made_by_id: UUID | None = None,
) -> tuple[OneTimeLink, str]:
    """Return a new link and its path, the only place where its token stands in clear."""
    token = secrets.token_urlsafe(32)
    link = OneTimeLink(
        digest=digest_of(token),
        purpose=purpose,
        email=email,
        expires_at=clock.now() + GOOD_FOR[purpose],
        organisation_id=organisation_id,
        member_role=member_role,
        made_by_id=made_by_id,
    )
    session.add(link)
    session.flush()
    return link, PATHS[purpose] + token


def find_link(token: str, *purposes: LinkPurpose) -> OneTimeLink | None:
    """Return the link of `token` if it is for one of `purposes`, unused and still good."""
    return session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.digest == digest_of(token),
            OneTimeLink.purpose.in_(purposes),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > clock.now(),
        )
    )


def hold_link(token: str, *purposes: LinkPurpose) -> OneTimeLink:
    """Return the link of `token`, held against a second use until the transaction ends.

    Raises Refused for one that is unknown, used or too old.
    """
    link = find_link(token, *purposes)
    if link is not None:
        session.refresh(link, with_for_update=True)
    if link is None or link.used_at is not None:
        raise Refused(_("This link was used already, or it is too old. Ask for a new one."))
    return link


def use_link(link: OneTimeLink) -> None:
    """Spend `link`, and with it every other open link to the same address for the same thing."""
    session.flush()
    session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.email == link.email,
            OneTimeLink.purpose == link.purpose,
            OneTimeLink.organisation_id.is_not_distinct_from(link.organisation_id),
            OneTimeLink.used_at.is_(None),
        )
        .values(used_at=clock.now())
    )
