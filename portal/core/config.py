"""Settings: where the database, the files, the mail server and the secrets are.

They come from the environment (`PORTAL_…`, and `DATABASE_URL`). Without `DATABASE_URL` the portal
runs on its own embedded PostgreSQL; then, and in the demonstration, missing secrets are made once
and kept in the data folder. Everywhere else a missing, short or example secret stops the start.
"""

import base64
import binascii
import hmac
import os
import secrets
import tomllib
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).parents[2]
"""The checkout: `templates/`, `static/` and `migrations/` stand here."""

SECRETS_FILE = "secrets.toml"
SHORTEST_SECRET = 32
MASTER_KEY_BYTES = 32
FEWEST_DIFFERENT = 10
EXAMPLE_WORDS = ("change", "example", "secret", "password", "replace", "insert", "dummy", "xxxx")
AT_HOME = ("127.0.0.1", "localhost", "::1")
ALPHA_3 = 3
PRETEND_PROCESSOR = "/demo/stripe"
"""Where the demonstration plays the card processor."""

PRETEND_FEES_FUND = "act"
"""The fund that bears what it takes for the account, also of a payout to several funds."""

PRETEND_PAYOUT_COUNTRIES = "LSO"
"""Where it pays grantees: one grant of the demonstration waits to be paid that way."""


class BadSettings(Exception):
    """The portal cannot start with these settings; the message is one line for the operator."""


class Settings(BaseSettings):
    """What an operator decides. Every field is an environment variable `PORTAL_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="PORTAL_", extra="ignore", populate_by_name=True, frozen=True
    )

    database_url: str = Field(
        default="", validation_alias=AliasChoices("database_url", "DATABASE_URL")
    )
    data_dir: Path = Path("var")
    secret_key: SecretStr = SecretStr("")
    master_key: SecretStr = SecretStr("")
    base_url: str = "http://127.0.0.1:5000"
    demo: bool = False
    testing: bool = False
    time_zone: str = "UTC"
    quick_exit_url: str = "https://www.google.com/"
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = True
    smtp_sender: str = "Voluntary Funds Portal <no-reply@localhost>"
    smtp_timeout_seconds: int = Field(default=20, ge=1, le=300)
    bank_drop_dir: Path | None = None
    bank_pickup_dir: Path | None = None
    max_upload_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    proxy: str = ""
    max_request_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    stripe_secret_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_api_base: str = ""
    stripe_payout_countries: str = ""
    stripe_fees_fund: str = ""

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().absolute()

    @field_validator("bank_drop_dir", "bank_pickup_dir")
    @classmethod
    def _folder(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.expanduser().is_dir():
            raise ValueError("must be a folder that exists: the bank's software reads it")
        return folder.expanduser().absolute() if folder else None

    @field_validator("base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must look like https://portal.example.org")
        return url.rstrip("/")

    @field_validator("quick_exit_url")
    @classmethod
    def _elsewhere(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("must look like https://www.google.com/, and raise no brow")
        return url

    @field_validator("stripe_api_base")
    @classmethod
    def _processor(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme != "https" and parts.hostname not in AT_HOME):
            raise ValueError("must begin with https:// away from this machine")
        return url.rstrip("/")

    @field_validator("stripe_payout_countries")
    @classmethod
    def _codes(cls, typed: str) -> str:
        codes = [code.strip().upper() for code in typed.split(",") if code.strip()]
        if any(len(code) != ALPHA_3 or not code.isalpha() for code in codes):
            raise ValueError("must be ISO 3166 codes of three letters, such as KEN,PER")
        return ",".join(codes)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError) as unknown:
            raise ValueError("must be the name of a time zone, such as Africa/Nairobi") from unknown
        return name

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, url: str) -> str:
        """Accept any spelling of a PostgreSQL address, and use psycopg 3 for it."""
        if not url:
            return ""
        try:
            parsed = make_url(url.replace("postgres://", "postgresql://", 1))
        except (ArgumentError, ValueError) as unreadable:
            raise ValueError("must look like postgresql://user:password@host/name") from unreadable
        if parsed.get_backend_name() != "postgresql":
            raise ValueError("must be PostgreSQL: postgresql://user:password@host/name")
        return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)

    @property
    def embedded(self) -> bool:
        """Whether the portal brings its own PostgreSQL."""
        return not self.database_url

    @property
    def secure(self) -> bool:
        """Whether the portal is reached by HTTPS: cookies are marked and HSTS is sent."""
        return self.base_url.startswith("https://")

    @property
    def sends_mail(self) -> bool:
        """Whether messages really leave; without a mail server they stay in the outbox."""
        return bool(self.smtp_host)

    @property
    def takes_cards(self) -> bool:
        """Whether a card processor is configured."""
        return bool(self.stripe_secret_key.get_secret_value())

    @property
    def payout_countries(self) -> frozenset[str]:
        """The countries (ISO 3166 alpha-3) whose grantees the card processor may pay."""
        return frozenset(self.stripe_payout_countries.split(",")) - {""}

    @property
    def master_key_bytes(self) -> bytes:
        """The 32 bytes that wrap the key of each application."""
        return base64.b64decode(self.master_key.get_secret_value())

    @property
    def files_dir(self) -> Path:
        """Where uploaded files are kept."""
        return self.data_dir / "files"


def load_settings(**chosen: object) -> Settings:
    """Return the settings from the environment, those in `chosen` going first.

    Secrets that are missing are made and kept. Raises BadSettings with one line that says what to
    set, and how.
    """
    settings = read_settings(**chosen)
    if settings.embedded or settings.demo:
        settings = _with_kept_secrets(settings)
    if settings.demo and not settings.takes_cards:
        settings = _with_pretend_processor(settings)
    _refuse_weak_secrets(settings)
    _refuse_open_transport(settings)
    _refuse_half_a_processor(settings)
    return settings


def read_settings(**chosen: object) -> Settings:
    """Return the settings as they were given, without secrets of our own making; writes nothing.

    Raises BadSettings for a value that cannot be one.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings.model_validate({**Settings().model_dump(), **given})
    except ValidationError as errors:
        raise BadSettings(_first_sentence(errors)) from errors


def _first_sentence(errors: ValidationError) -> str:
    """Return the first of `errors` as one line that names the environment variable."""
    first = errors.errors()[0]
    name = str(first["loc"][0]).upper()
    variable = name if name == "DATABASE_URL" else f"PORTAL_{name}"
    return f"{variable} {first['msg'].removeprefix('Value error, ')}."


def _with_kept_secrets(settings: Settings) -> Settings:
    """Fill missing secrets from the data folder, making them there the first time."""
    if settings.secret_key.get_secret_value() and settings.master_key.get_secret_value():
        return settings
    kept = _kept_secrets(settings.data_dir)
    missing = {
        name: SecretStr(kept[name])
        for name in ("secret_key", "master_key")
        if not getattr(settings, name).get_secret_value()
    }
    return settings.model_copy(update=missing)


def _with_pretend_processor(settings: Settings) -> Settings:
    """Let the demonstration play the card processor itself: cards can be tried without a key."""
    secret = settings.secret_key.get_secret_value()
    signing = hmac.new(secret.encode(), b"pretend card processor", "sha256").hexdigest()
    return settings.model_copy(
        update={
            "stripe_secret_key": SecretStr("sk_test_demonstration"),
            "stripe_webhook_secret": SecretStr(f"whsec_{signing}"),
            "stripe_api_base": settings.stripe_api_base or settings.base_url + PRETEND_PROCESSOR,
            "stripe_fees_fund": settings.stripe_fees_fund or PRETEND_FEES_FUND,
            "stripe_payout_countries": settings.stripe_payout_countries or PRETEND_PAYOUT_COUNTRIES,
        }
    )


def _kept_secrets(folder: Path) -> dict[str, str]:
    """Read `secrets.toml`, or write it (mode 0600) when `folder` has none yet."""
    path = folder / SECRETS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_secrets(path)
        kept = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: str(kept[name]) for name in ("secret_key", "master_key")}
    except OSError as refused:
        raise BadSettings(f"Cannot use {path}: {refused.strerror}.") from refused
    except (KeyError, tomllib.TOMLDecodeError) as unreadable:
        raise BadSettings(
            f"{path} is damaged. Bring it back from a backup: sealed answers need its master_key."
        ) from unreadable


def _write_secrets(path: Path) -> None:
    """Write new secrets; where another process was first, its file stands."""
    text = (
        "# Made at the first start. Keep a copy apart: without master_key, sealed answers and\n"
        "# bank details cannot be read again.\n"
        f'secret_key = "{secrets.token_urlsafe(48)}"\n'
        f'master_key = "{base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode()}"\n'
    )
    draft = path.with_name(f".{SECRETS_FILE}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _refuse_weak_secrets(settings: Settings) -> None:
    """Raise BadSettings for a secret that is missing, short, or out of an example."""
    how = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    secret = settings.secret_key.get_secret_value()
    if not secret:
        raise BadSettings(f"PORTAL_SECRET_KEY is not set. {how}")
    if len(secret) < SHORTEST_SECRET:
        raise BadSettings(f"PORTAL_SECRET_KEY is shorter than {SHORTEST_SECRET} characters. {how}")
    if len(set(secret)) < FEWEST_DIFFERENT or any(word in secret.lower() for word in EXAMPLE_WORDS):
        raise BadSettings(f"PORTAL_SECRET_KEY looks like an example. {how}")
    how = "Make one with: openssl rand -base64 32"
    if not settings.master_key.get_secret_value():
        raise BadSettings(f"PORTAL_MASTER_KEY is not set. {how}")
    try:
        key = base64.b64decode(settings.master_key.get_secret_value(), validate=True)
    except binascii.Error as unreadable:
        raise BadSettings(f"PORTAL_MASTER_KEY is not base64. {how}") from unreadable
    if len(key) != MASTER_KEY_BYTES:
        raise BadSettings(f"PORTAL_MASTER_KEY is not {MASTER_KEY_BYTES} bytes long. {how}")
    if len(set(key)) < FEWEST_DIFFERENT:
        raise BadSettings(f"PORTAL_MASTER_KEY looks like an example. {how}")


def _refuse_open_transport(settings: Settings) -> None:
    """Raise BadSettings where a real portal would be reached without encryption."""
    if settings.demo or settings.testing or settings.secure:
        return
    if urlsplit(settings.base_url).hostname not in AT_HOME:
        raise BadSettings("PORTAL_BASE_URL must begin with https:// away from this machine.")


def _refuse_half_a_processor(settings: Settings) -> None:
    """Raise BadSettings for a card processor whose messages nobody could verify, or real money."""
    if settings.takes_cards and not settings.stripe_webhook_secret.get_secret_value():
        raise BadSettings(
            "PORTAL_STRIPE_WEBHOOK_SECRET is not set. The card processor shows it beside the "
            f"address {settings.base_url}/webhooks/stripe."
        )
    if settings.demo and "_live_" in settings.stripe_secret_key.get_secret_value():
        raise BadSettings("PORTAL_STRIPE_SECRET_KEY takes real money: not in a demonstration.")
