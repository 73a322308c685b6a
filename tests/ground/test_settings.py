from pathlib import Path

import pytest

from vigil import settings
from vigil.errors import SettingsError


def test_defaults_need_nothing() -> None:
    chosen = settings.load({})
    assert chosen.port == 8000
    assert chosen.embedded
    assert chosen.site_url == "http://localhost:8000"
    assert chosen.blobs_url.startswith("file://")


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("VIGIL_PROT", "1", "did you mean VIGIL_PORT"),
        ("VIGIL_PORT", "eighty", "VIGIL_PORT"),
        ("VIGIL_PORT", "70000", "1 to 65535"),
        ("VIGIL_DATABASE_URL", "mysql://x", "postgresql://"),
        ("VIGIL_OWNCAST_URL", "ftp://x", "http"),
        ("VIGIL_PORT_FILE", "/nowhere/at/all", "cannot be read"),
        ("VIGIL_TWITCH_CLIENT_ID", "abc", "needs both"),
    ],
)
def test_what_cannot_be_used_stops_the_start(name: str, value: str, part: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.load({name: value})
    assert part in str(caught.value)


def test_a_secret_is_read_from_a_file_and_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t\n")
    chosen = settings.load(
        {"VIGIL_TWITCH_CLIENT_ID": "id", "VIGIL_TWITCH_CLIENT_SECRET_FILE": str(secret)}
    )
    assert chosen.twitch_client_secret == "s3cr3t"
    assert "s3cr3t" not in repr(chosen)
    with pytest.raises(SettingsError) as caught:
        settings.load({"VIGIL_DATABASE_URL": "s3cr3t"})
    assert "s3cr3t" not in str(caught.value)


def test_a_setting_and_its_file_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")
    with pytest.raises(SettingsError, match="both"):
        settings.load({"VIGIL_PORT": "1", "VIGIL_PORT_FILE": str(tmp_path / "port")})


def test_the_env_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# a comment\nVIGIL_PORT=9000\nexport VIGIL_HOST='::1'\n\n")
    assert settings.read_env_file(path) == {"VIGIL_PORT": "9000", "VIGIL_HOST": "::1"}
    path.write_text("VIGIL_PORT 9000\n")
    with pytest.raises(SettingsError, match="line 1"):
        settings.read_env_file(path)
    assert settings.read_env_file(tmp_path / "none") == {}
