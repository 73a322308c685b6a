"""What strangers send, made safe to keep and to show. The caps are those of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

TITLE_MOST = 500
NAME_MOST = 200
URL_MOST = 2000
TAGS_MOST = 50
TAG_MOST = 100

# Control characters, lone surrogates, and those that turn the direction of the text around them.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+"
)
_SPACE = re.compile(r"\s+")
_LANGUAGE = re.compile(r"[a-z]{2,8}([-_][a-z0-9]{1,8})*")
# As nearly all are: a name without a port, and a path.
_PLAIN_URL = re.compile(r"https?://[a-z0-9][a-z0-9.-]*[a-z0-9]/[A-Za-z0-9._~!$&'()*+,;=:@/%{}-]*")
_NO_URL = re.compile(r"[\x00-\x20\x7f-\x9f\"<>\\^`\ud800-\udfff]")


def text(value: str | None, most: int = NAME_MOST) -> str:
    """One line without control characters, at most ``most`` characters."""
    if not value:
        return ""
    if len(value) <= most and value.isprintable() and "  " not in value:
        return value.strip(" ")  # as nearly always: then it holds no other space either
    value = _CONTROL.sub(" ", value[: most * 4])
    return _SPACE.sub(" ", value).strip()[:most].rstrip()


def url(value: str | None) -> str | None:
    """An http or https URL with a host and without credentials; ``None`` for anything else.

    ``{width}`` and ``{height}`` stay as they are.
    """
    if not value or len(value) > URL_MOST:
        return None
    if _PLAIN_URL.fullmatch(value):
        return value
    if _NO_URL.search(value):
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return None
    return None if "@" in parts.netloc else value


def tags(values: Iterable[str | None] | None) -> tuple[str, ...]:
    """At most 50 different tags, none empty."""
    found = dict.fromkeys(text(value, TAG_MOST) for value in values or ())
    found.pop("", None)
    return tuple(found)[:TAGS_MOST]


def language(value: str | None) -> str:
    """A lower-case language code; empty when it is none."""
    code = (value or "").strip().lower()
    return code if _LANGUAGE.fullmatch(code) else ""


def moment(value: str | None, now: datetime) -> datetime | None:
    """A time as RFC 3339 has it, in UTC; ``None`` when it is none or lies in the future.

    An hour ahead is taken for a clock that goes wrong.
    """
    if not value or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        return None
    return found if found.year >= 1970 and found <= now + timedelta(hours=1) else None


def number(value: object, most: int = 2**31 - 1) -> int:
    """A count of people: 0 for what is no number or negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(min(max(value, 0), most)) if value == value else 0  # NaN is not itself
