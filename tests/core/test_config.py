"""Settings: secrets are made once at home, and demanded anywhere else."""

import base64
import stat
from pathlib import Path

import pytest

from portal.core.config import BadSettings, Settings, load_settings

SECRET = "b7Qm2xT9vLr4Zk8Wn1Yc6Hs3Pd5Gf0JaUeIoRt"
KEY = base64.b64encode(bytes(range(32))).decode()
URL = "postgresql://portal@db.example.org/portal"


def production(**chosen: object) -> Settings:
    """Return the settings of a portal on a server, changed by `chosen`."""
    sound: dict[str, object] = {
        "database_url": URL,
        "base_url": "https://portal.example.org",
        "secret_key": SECRET,
        "master_key": KEY,
    }
    return load_settings(**(sound | chosen))


def test_a_sound_production_starts() -> None:
    settings = production()
    assert settings.secure
    assert not settings.embedded
    assert settings.master_key_bytes == bytes(range(32))


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"secret_key": ""}, "PORTAL_SECRET_KEY is not set"),
        ({"secret_key": SECRET[:31]}, "PORTAL_SECRET_KEY is shorter than 32"),
        ({"secret_key": "change-me-" * 5}, "PORTAL_SECRET_KEY looks like an example"),
        ({"secret_key": "a" * 64}, "PORTAL_SECRET_KEY looks like an example"),
        ({"master_key": ""}, "PORTAL_MASTER_KEY is not set"),
        ({"master_key": "not base64!"}, "PORTAL_MASTER_KEY is not base64"),
        ({"master_key": KEY[:20]}, "PORTAL_MASTER_KEY is not 32 bytes"),
        ({"master_key": base64.b64encode(bytes(32)).decode()}, "looks like an example"),
        ({"base_url": "http://portal.example.org"}, "must begin with https://"),
        ({"base_url": "portal"}, "PORTAL_BASE_URL must look like"),
        ({"database_url": "mysql://db/portal"}, "DATABASE_URL must be PostgreSQL"),
        ({"database_url": "no address"}, "DATABASE_URL must look like"),
        ({"time_zone": "Mars/Olympus"}, "PORTAL_TIME_ZONE must be the name of a time zone"),
        ({"smtp_port": 0}, "PORTAL_SMTP_PORT"),
    ],
)
def test_an_unsound_production_does_not_start(chosen: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadSettings) as refused:
        production(**chosen)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = load_settings(data_dir=tmp_path)
    again = load_settings(data_dir=tmp_path)
    assert first.secret_key == again.secret_key
    assert first.master_key == again.master_key
    assert stat.S_IMODE((tmp_path / "secrets.toml").stat().st_mode) == 0o600
    assert load_settings(data_dir=tmp_path / "other").secret_key != first.secret_key


def test_a_damaged_file_of_secrets_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text("secret_key = ")
    with pytest.raises(BadSettings, match="damaged"):
        load_settings(data_dir=tmp_path)
    assert (tmp_path / "secrets.toml").read_text() == "secret_key = "


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSettings, match="Cannot use"):
        load_settings(data_dir=tmp_path / "file" / "var")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://portal@db.example.org/portal")
    monkeypatch.setenv("PORTAL_DEMO", "true")
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.database_url == "postgresql+psycopg://portal@db.example.org/portal"
    assert settings.demo
    assert settings.data_dir == tmp_path


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert SECRET not in repr(production())
    assert KEY not in repr(production())


def test_a_demonstration_plays_the_card_processor_itself(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, demo=True, base_url="http://127.0.0.1:5009")
    assert settings.takes_cards
    assert settings.stripe_api_base == "http://127.0.0.1:5009/demo/stripe"
    assert settings.stripe_fees_fund == "act", "also a payout to several funds has a fee taken"
    assert settings.payout_countries == {"LSO"}, "a grant that is paid this way can be tried"
    assert load_settings(data_dir=tmp_path).takes_cards is False
    assert not load_settings(data_dir=tmp_path).payout_countries
    assert load_settings(data_dir=tmp_path).stripe_fees_fund == ""


def test_a_card_processor_whose_messages_cannot_be_verified_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="PORTAL_STRIPE_WEBHOOK_SECRET"):
        load_settings(data_dir=tmp_path, stripe_secret_key="sk_test_1")
    with pytest.raises(BadSettings, match="real money"):
        load_settings(
            data_dir=tmp_path,
            demo=True,
            stripe_secret_key="sk_live_1",
            stripe_webhook_secret="whsec_1",
        )


def test_the_card_processor_is_reached_encrypted_and_countries_are_codes(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="PORTAL_STRIPE_API_BASE"):
        load_settings(data_dir=tmp_path, stripe_api_base="http://processor.example.org")
    with pytest.raises(BadSettings, match="PORTAL_STRIPE_PAYOUT_COUNTRIES"):
        load_settings(data_dir=tmp_path, stripe_payout_countries="Kenya")
    settings = load_settings(data_dir=tmp_path, stripe_payout_countries=" ken, per ,")
    assert settings.payout_countries == {"KEN", "PER"}
