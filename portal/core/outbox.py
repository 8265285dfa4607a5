"""Messages that leave: written as rows with the change they tell of, sent after the commit.

A message is neutral: no fund, no title, no country, a link only. It is sent by the worker and
tried again with growing patience. The identifier of its row is its Message-ID, so a message that
was sent twice around a crash is recognised as one. Without a mail server a message is kept, and
read at the outbox page of the demonstration.
"""

import logging
import smtplib
import ssl
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import CheckConstraint, Index, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock, i18n, jobs
from portal.core.check import Check, CheckResult
from portal.core.config import ROOT, Settings
from portal.core.db import Base, WithId, enum_column, session
from portal.core.formats import format_moment
from portal.core.i18n import _, _l
from portal.core.labels import Labelled

PATIENCE = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))
"""How long to wait after each failed attempt; after the last one the message has failed."""
STUCK_AFTER = timedelta(hours=1)
FOR_GOOD = range(500, 600)

log = logging.getLogger(__name__)


class MessageState(Labelled):
    """Where a message is."""

    QUEUED = "queued", _l("Waiting to be sent"), "wait"
    SENT = "sent", _l("Sent"), "good"
    KEPT = "kept", _l("Kept here: there is no mail server"), "neutral"
    FAILED = "failed", _l("Not delivered"), "stop"


class Message(WithId, Base):
    """One message to one person. Once sent, its body and link (which may let in) are wiped."""

    __tablename__ = "outbox_message"

    key: Mapped[str] = mapped_column(unique=True)
    recipient: Mapped[str]
    template: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    link: Mapped[str]
    locale: Mapped[str]
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    person_id: Mapped[UUID | None] = mapped_column(default=None)
    state: Mapped[MessageState] = mapped_column(
        enum_column(MessageState), default=MessageState.QUEUED
    )
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    last_error: Mapped[str | None] = mapped_column(default=None)

    __table_args__ = (
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_when_sent"),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_outbox_message_state_next_attempt_at", "state", "next_attempt_at"),
    )


_settings: list[Settings] = []


def configure(settings: Settings) -> None:
    """Take the address of the portal and of the mail server from `settings`."""
    _settings[:] = [settings]


def queue(  # the words of a message come as further keywords
    to: str,
    template: str,
    *,
    key: str,
    link: str = "",
    locale: str = "en",
    person_id: UUID | None = None,
    **context: Any,
) -> Message:
    """Write the message `templates/email/<template>.txt` to the address `to`, to leave later.

    Its first line is the subject. `link` is a path of this portal; the template gets it as an
    address. `key` says what the message is about: the same key again is the same message.
    """
    known = session.scalars(select(Message).where(Message.key == key)).one_or_none()
    if known is not None:
        return known
    subject, body = render(template, locale, link=link, **context)
    now = clock.now()
    message = Message(
        key=key,
        recipient=to,
        person_id=person_id,
        template=template,
        subject=subject,
        body=body,
        link=link,
        locale=locale,
        created_at=now,
        next_attempt_at=now,
    )
    session.add(message)
    session.flush()
    return message


def render(template: str, locale: str, *, link: str, **context: Any) -> tuple[str, str]:
    """Return subject and body of a message in the language `locale`."""
    base = _settings[-1].base_url if _settings else ""
    address = f"{base}{link}" if link else ""
    with i18n.speaking(locale):
        text = _templates().get_template(f"{template}.txt").render(link=address, **context)
    subject, _newline, body = text.strip().partition("\n")
    return subject.strip(), body.strip() + "\n"


@cache
def _templates() -> Environment:
    """Return the environment of the messages; plain text is not escaped."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates" / "email"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 — plain text, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.globals.update(_=i18n.gettext, gettext=i18n.gettext, ngettext=i18n.ngettext)
    environment.filters["format_moment"] = format_moment
    return environment


@jobs.sweep("outbox", eager=True)
def deliver_due() -> None:
    """Send every message whose time has come, each in transactions of its own.

    Before a message goes out, its next attempt is written down and committed: a crash in between
    leads to a second attempt with the same Message-ID, never to a lost message.
    """
    while (message := _claimed()) is not None:
        session.commit()
        _deliver(message)
        session.commit()


def _claimed() -> Message | None:
    """Take one message that is due, and set when it would be tried again."""
    due = (
        select(Message)
        .where(Message.state == MessageState.QUEUED, Message.next_attempt_at <= clock.now())
        .order_by(Message.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    message = session.scalars(due).one_or_none()
    if message is not None:
        message.next_attempt_at = clock.now() + PATIENCE[min(message.attempts, len(PATIENCE) - 1)]
        message.attempts += 1
    return message


def _deliver(message: Message) -> None:
    """Send `message`, and note how it went by a code: never what the message said."""
    if not _settings or not _settings[-1].sends_mail:
        message.state = MessageState.KEPT
        return
    try:
        _send(as_mail(message, _settings[-1]), _settings[-1])
    except (OSError, smtplib.SMTPException) as problem:
        message.last_error = _code(problem)
        if _is_final(problem) or message.attempts > len(PATIENCE):
            message.state = MessageState.FAILED
        log.warning("message %s was not sent: %s", message.id, message.last_error)
    else:
        message.state, message.sent_at = MessageState.SENT, clock.now()
        message.body, message.link, message.last_error = "", "", None


def as_mail(message: Message, settings: Settings) -> EmailMessage:
    """Return `message` as a mail that says it was sent by a machine."""
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = settings.smtp_sender
    mail["To"] = message.recipient
    mail["Date"] = format_datetime(message.created_at)
    domain = parseaddr(settings.smtp_sender)[1].rpartition("@")[2] or "localhost"
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.locale
    mail.set_content(message.body)
    return mail


def _send(mail: EmailMessage, settings: Settings) -> None:
    """Hand `mail` to the mail server; encrypted, unless the settings say that it cannot."""
    with smtplib.SMTP(
        settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout_seconds
    ) as server:
        if settings.smtp_starttls:
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(mail)


def _code(problem: Exception) -> str:
    """Return what went wrong without the words of the server, which may quote the message."""
    status = _status(problem)
    return f"SMTP {status}" if status else type(problem).__name__


def _status(problem: Exception) -> int | None:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return max(code for code, _words in problem.recipients.values())
    return problem.smtp_code if isinstance(problem, smtplib.SMTPResponseException) else None


def _is_final(problem: Exception) -> bool:
    """Whether the server refused this very message for good; a bad password can be mended."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return _status(problem) in FOR_GOOD
    return False


def checks() -> list[Check]:
    """Return the invariants of the outbox."""
    return [Check(_("No message is stuck"), _none_stuck)]


def _none_stuck() -> CheckResult:
    overdue = Message.next_attempt_at < clock.now() - STUCK_AFTER
    waiting = (Message.state == MessageState.QUEUED) & overdue
    failed = Message.state == MessageState.FAILED
    stuck = session.scalars(select(Message).where(waiting | failed).order_by(Message.created_at))
    total = session.scalar(select(func.count()).select_from(Message)) or 0
    sentences = [
        f"message {one.id} is {one.state.value} ({one.last_error or 'no error'})" for one in stuck
    ]
    return CheckResult(total, sentences)
