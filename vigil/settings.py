"""One frozen object with everything that is read from ``VIGIL_*`` variables.

Strict at the start: an unknown name, a malformed value or a missing secret file stops it with
one clear line. Any setting may be given as ``<NAME>_FILE``, the path of a file that holds it.
Every setting stands in etc/example.env; a test holds the two together.
"""

from __future__ import annotations

import base64
import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vigil import reserve
from vigil.errors import SettingsError
from vigil.reserve import Reserve

PREFIX = "VIGIL_"
ROOT = Path(__file__).resolve().parent.parent
"""The checkout: where migrations/, templates/ and static/ are."""


def _port(text: str) -> int:
    value = int(text)
    if not 0 < value < 65536:
        raise ValueError("a port is a number from 1 to 65535")
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 64:
        raise ValueError("give a number from 1 to 64")
    return value


def _number(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 1_000_000_000:
        raise ValueError("give a number from 0 to 1000000000")
    return value


def _path(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _paths(text: str) -> tuple[Path, ...]:
    found = tuple(Path(one).expanduser() for one in text.split(":") if one)
    if not all(one.is_absolute() for one in found):
        raise ValueError("give absolute paths, separated by colons")
    return found


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give a URL that begins with http:// or https://")
    return text.rstrip("/")


def _database_url(text: str) -> str:
    if urlsplit(text).scheme not in ("postgres", "postgresql"):
        raise ValueError("give a URL that begins with postgresql://")
    return text


def _storage_url(text: str) -> str:
    scheme = urlsplit(text).scheme
    if scheme not in ("file", "s3", "gs", "az", "http", "https"):
        raise ValueError("give a URL such as file:///srv/vigil or s3://bucket/prefix")
    return text


def sealing_keys(text: str) -> tuple[str, ...]:
    """Fernet keys, separated by commas, spaces or lines; raises ValueError saying what they are."""
    keys = tuple(text.replace(",", " ").split())
    for key in keys:
        try:
            size = len(base64.b64decode(key, altchars=b"-_", validate=True))
        except ValueError:
            size = 0
        if size != 32:
            break
    else:
        if keys:
            return keys
    raise ValueError(
        "give 32 random bytes as URL-safe base64: head -c 32 /dev/urandom | basenc --base64url"
    )


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("one of debug, info, warning, error")
    return text.lower()


def _setting(default: Any, parse: Callable[[str], Any], *, secret: bool = False) -> Any:
    metadata = {"parse": parse, "secret": secret}
    if callable(default):
        return field(default_factory=default, metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that is configured from outside. Made by ``load``; tests make their own."""

    host: str = _setting("127.0.0.1", str)
    """Address the website listens on."""
    port: int = _setting(8000, _port)
    """TCP port the website listens on."""
    public_url: str | None = _setting(None, _http_url)
    """Where visitors reach the site, when that is not http://host:port."""
    data_dir: Path = _setting(lambda: ROOT / "data", _path)
    """Folder for the embedded database, blobs, logs; by default data/ in the checkout."""
    database_url: str | None = _setting(None, _database_url, secret=True)
    """A PostgreSQL ≥ 15 to use instead of the embedded one."""
    storage_url: str | None = _setting(None, _storage_url)
    """Where blobs are kept; ``None``: files under ``data_dir``."""
    disk_reserve: Reserve = _setting(Reserve(), reserve.parse)
    """What stays free of the disk that holds the blobs; intake sheds load before."""
    folders: tuple[Path, ...] = _setting((), _paths)
    """Folders below which cameras of kind folder may take (and remove) files; always: ``drop`` in
    ``data_dir``."""
    rate_limit: int = _setting(3000, _number)
    """Requests a minute that the API answers to one client; 0: any number."""
    renderers: int = _setting(1, _count)
    """Renderer processes on this machine."""
    render_jobs: int = _setting(lambda: min(os.cpu_count() or 1, 64), _count)
    """Jobs that a renderer does at a time; each encodes with one thread. Default: one a core."""
    log_level: str = _setting("info", _level)
    """What reaches the terminal; the log files hold everything."""
    twitch_client_id: str | None = _setting(None, str)
    twitch_client_secret: str | None = _setting(None, str, secret=True)
    twitch_api_url: str = _setting("https://api.twitch.tv/helix", _http_url)
    twitch_auth_url: str = _setting("https://id.twitch.tv/oauth2/token", _http_url)
    owncast_url: str = _setting("https://directory.owncast.online", _http_url)
    peertube_url: str = _setting("https://sepiasearch.org", _http_url)
    neptunes_pride_url: str = _setting("https://np.ironhelmet.com", _http_url)
    """Where games of site ``np`` are asked for; ``/api`` is put behind it."""
    neptunes_pride4_url: str = _setting("https://np4.ironhelmet.com", _http_url)
    """The same for ``np4``."""
    np2stats_url: str = _setting("https://np2stats.dysp.info", _http_url)
    """The same for ``np2stats``; ``/api/timelapsedata.php`` is put behind it."""
    sealing_key: tuple[str, ...] = _setting((), sealing_keys, secret=True)
    """What secrets in the database are encrypted with: vigil/sealing.py; ``()``: the key in the
    file ``sealing.key`` of ``data_dir``."""

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one."""
        return self.database_url is None

    @property
    def blobs_url(self) -> str:
        """The blob store in effect."""
        return self.storage_url or (self.data_dir / "blobs").as_uri()

    @property
    def site_url(self) -> str:
        """The address to print and to put into links; no trailing slash."""
        if self.public_url:
            return self.public_url
        host = "localhost" if self.host in ("0.0.0.0", "::", "127.0.0.1") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def variable(name: str) -> str:
    """The environment variable of a setting: ``data_dir`` → ``VIGIL_DATA_DIR``."""
    return PREFIX + name.upper()


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises SettingsError, naming the variable and what it should be.

    Without ``environ``: the process's environment, over what the file .env in the checkout says.
    """
    if environ is None:
        environ = {**read_env_file(ROOT / ".env"), **os.environ}
    known = {variable(f.name): f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for name, raw in environ.items():
        if not name.startswith(PREFIX):
            continue
        target = name.removesuffix("_FILE") if name not in known else name
        if target not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "etc/example.env lists every setting"
            raise SettingsError(f"unknown setting {name}", hint=hint)
        if target != name:
            if target in environ:
                raise SettingsError(f"both {target} and {name} are set", hint="remove one of them")
            text = _read(name, raw)
        else:
            text = raw.strip()
        if not text:
            continue  # an empty variable is the same as none
        setting = known[target]
        try:
            values[setting.name] = setting.metadata["parse"](text)
        except ValueError as error:
            shown = "(a secret)" if setting.metadata["secret"] else repr(text)
            raise SettingsError(f"{target} cannot be {shown}", hint=str(error)) from None
    if ("twitch_client_id" in values) != ("twitch_client_secret" in values):
        raise SettingsError(
            "Twitch needs both VIGIL_TWITCH_CLIENT_ID and VIGIL_TWITCH_CLIENT_SECRET",
            hint="both are on dev.twitch.tv/console",
        )
    return Settings(**values)


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME=value`` lines of a file, ``{}`` when there is none; # begins a comment line.

    Quotes around a value are taken off. Nothing is expanded. Raises SettingsError, naming the line.
    """
    if not path.exists():
        return {}
    values = {}
    for number, raw in enumerate(_read("settings", str(path)).splitlines(), start=1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"{path.name}, line {number} is not NAME=value")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        values[name.strip()] = value
    return values


def _read(name: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {path} cannot be read", hint=str(error)) from None
