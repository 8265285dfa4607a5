"""Pure decisions on addresses, passwords, sessions and throttling. No session, no Flask."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from email_validator import EmailNotValidError, validate_email

from portal.accounts.models import Role, RoleGrant
from portal.core.i18n import _, ngettext
from portal.core.text import sha256_hex
from portal.core.workflow import Refused

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
"""Longer ones only keep the hash function busy."""

LEAST_OF_ONES_OWN = 8
"""How much of a password must remain without the commonest words, one's name and address."""

FEWEST_DIFFERENT = 5

COMMON = re.findall(
    r"\w+",
    "password passwort motdepasse contrasena contraseña пароль qwertyuiop qwertzuiop azertyuiop "
    "qwerty azerty asdfghjkl asdfgh zxcvbnm 1q2w3e4r5t 1q2w3e4r 1qaz2wsx qazwsx zaq12wsx iloveyou "
    "letmein welcome admin administrator monkey dragon football princess sunshine superman "
    "trustno1 changeme whatever master login default secret test guest user root "
    "unitednations humanrights ohchr voluntary funds portal geneva",
)
"""The words on which the commonest passwords of any list are built, and those of this place."""

SEQUENCES = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")
_SHORTEST_RUN = 4
_SHORTEST_WORD = 3

IDLE_LIMIT = timedelta(hours=12)
ABSOLUTE_LIMIT = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)

PAIR_WINDOW = timedelta(hours=1)
PAIR_FREE = 4
NETWORK_WINDOW = timedelta(minutes=15)
NETWORK_FREE = 40
LONGEST_WAIT = timedelta(minutes=15)
_DOUBLINGS = 10

MAIL_WINDOW = timedelta(hours=1)
MAILS_PER_WINDOW = 5

FORM_WINDOW = timedelta(hours=1)
FORMS_FREE = 10
"""What strangers of one network may begin in an hour before each further form has to wait."""

NAME_LIMIT = 200


def clean_email(typed: str) -> str:
    """Return an e-mail address in the one form that it is kept in. Raises Refused."""
    try:
        found = validate_email(typed.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise Refused(
            _("This is not a complete e-mail address. Type it like name@organisation.org.")
        ) from error
    return found.normalized.lower()


def clean_password(typed: str) -> str:
    """Return a password in the form that is hashed: the same whatever keyboard typed it."""
    return unicodedata.normalize("NFKC", typed)


def password_refusal(password: str, *, email: str, name: str) -> str | None:
    """Return the sentence that says why `password` cannot be used, or None.

    Only length and guessability count (OWASP ASVS 5.0, 6.2): no composition rules.
    """
    password = clean_password(password)
    if len(password) < SHORTEST_PASSWORD:
        return ngettext(
            "The password is too short. Use at least %(num)s character; "
            "a few words in a row are easy to remember.",
            "The password is too short. Use at least %(num)s characters; "
            "a few words in a row are easy to remember.",
            SHORTEST_PASSWORD,
        )
    if len(password) > LONGEST_PASSWORD:
        return ngettext(
            "The password is too long. Use at most %(num)s character.",
            "The password is too long. Use at most %(num)s characters.",
            LONGEST_PASSWORD,
        )
    if len(set(password)) < FEWEST_DIFFERENT or _remainder(password, COMMON) < LEAST_OF_ONES_OWN:
        return _(
            "This password is among the first that somebody would try. "
            "Choose one that nobody can guess, such as four words that do not belong together."
        )
    if _remainder(password, [*_own_words(email, name), *COMMON]) < LEAST_OF_ONES_OWN:
        return _("The password is made of your name or your address. Choose one that is not.")
    return None


def _own_words(email: str, name: str) -> list[str]:
    """Return the parts of an address and a name that do not make a password."""
    words = re.split(r"[^\w]+|_", f"{email} {name}".casefold())
    whole = [email.casefold(), email.partition("@")[0].casefold()]
    return whole + [word for word in words if len(word) >= _SHORTEST_WORD]


def _remainder(password: str, words: Sequence[str]) -> int:
    """Return how many characters of `password` remain without `words` and runs such as 12345."""
    rest = password.casefold()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    for sequence in SEQUENCES:
        for length in range(len(sequence), _SHORTEST_RUN - 1, -1):
            for start in range(len(sequence) - length + 1):
                rest = rest.replace(sequence[start : start + length], "")
    return len(rest)


def network_of(address: str | None) -> str:
    """Return what counts as one network: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def pair_key(email: str, network: str) -> str:
    """Return the throttle's key for one address tried from one network."""
    return sha256_hex(f"pair\n{email}\n{network}".encode())


def network_key(network: str) -> str:
    """Return the throttle's key for everything tried from one network."""
    return sha256_hex(f"network\n{network}".encode())


def mail_key(email: str) -> str:
    """Return the throttle's key for messages that strangers can cause."""
    return sha256_hex(f"mail\n{email}".encode())


def form_key(network: str) -> str:
    """Return the throttle's key for public forms that strangers of one network send."""
    return sha256_hex(f"form\n{network}".encode())


@dataclass(frozen=True)
class Tries:
    """How many tries failed within the window, and when the last one did (UTC)."""

    count: int
    last: datetime | None


def free_from(tries: Tries, free: int) -> datetime | None:
    """Return the moment from which the next try is free, or None if it is free at once.

    The first `free` tries cost nothing; each further one doubles the wait, up to a quarter of an
    hour. There is a delay before there is a block, and there is never a block for good.
    """
    over = tries.count - free
    if over <= 0 or tries.last is None:
        return None
    wait = timedelta(seconds=2 ** min(over, _DOUBLINGS))
    return tries.last + min(wait, LONGEST_WAIT)


def waiting_sentence(wait: timedelta) -> str:
    """Return the sentence that asks somebody to wait before the next try."""
    seconds = max(1, int(wait.total_seconds()) + 1)
    if seconds <= 60:  # noqa: PLR2004 — a minute
        return ngettext(
            "There were several attempts. Wait %(num)s second, then try again.",
            "There were several attempts. Wait %(num)s seconds, then try again.",
            seconds,
        )
    return ngettext(
        "There were several attempts. Wait %(num)s minute, then try again.",
        "There were several attempts. Wait %(num)s minutes, then try again.",
        -(-seconds // 60),
    )


def is_live(
    *, created_at: datetime, seen_at: datetime, ended_at: datetime | None, now: datetime
) -> bool:
    """Say whether a session still holds: not ended, 12 hours idle at most, 7 days old at most."""
    return ended_at is None and now - seen_at < IDLE_LIMIT and now - created_at < ABSOLUTE_LIMIT


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """Return what people call the browser that calls itself `agent`, such as Firefox, Windows.

    A name for one's own list of sessions; nothing is decided by it.
    """
    found = [
        next((name for mark, name in known if mark in agent), None) for known in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(name for name in found if name) or _("A browser without a name")


def registration_refusal(registered_on: date | None, today: date) -> str | None:
    """Return the sentence for a date of registration that cannot be, or None."""
    if registered_on is not None and registered_on > today:
        return _("The date of registration is in the future. Check the day, the month and year.")
    return None


REVIEWING = (Role.TRUSTEE, Role.TASK_FORCE)
"""Roles whose nationality decides what exists for them (R16)."""


def standing(grants: Iterable[RoleGrant], first: date, until: date | None) -> set[Role]:
    """Return the roles that hold on some day from `first` to `until` (None: without an end)."""
    return {
        grant.role
        for grant in grants
        if grant.ended_at is None
        and (until is None or grant.from_day <= until)
        and (grant.until_day is None or grant.until_day >= first)
    }


def combination_refusal(role: Role, beside: set[Role]) -> str | None:
    """Return the sentence that refuses `role` beside the roles that somebody has, or None.

    An administrator gives roles, so holds no other: else who decides on grants and money could be
    made by whoever decides (People, in the funds' rules).
    """
    if Role.ADMINISTRATOR not in beside | {role} or beside <= {role}:
        return None
    return _(
        "An administrator holds no other role: whoever gives roles takes no step that moves money "
        "or decides a grant. End the other role first, or choose another person."
    )


def nationality_refusal(
    grants: Iterable[RoleGrant], present: str | None, wanted: str | None, today: date
) -> str | None:
    """Return the sentence that refuses to change one's own nationality, or None (R16).

    Whoever reviews, or will, gives it once: it decides which applications exist for them.
    """
    if present is None or wanted == present:
        return None
    if standing(grants, today, None).isdisjoint(REVIEWING):
        return None
    return _(
        "Your nationality decides which applications you may read (R16). It stands as you gave "
        "it; an administrator can correct it."
    )
