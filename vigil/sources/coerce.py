"""Values of any JSON type, taken for what a stream needs. What cannot be is as if it were not."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from vigil.sources import clean
from vigil.streams import languages

MILLISECONDS = 1e11
"""A number of seconds from here on (the year 5138) is taken for milliseconds."""

_CODES = {name.lower(): code for code, name in languages.NAMES.items()}
_SEPARATOR = re.compile(r"[,;|]")


def text(value: Any, most: int = clean.NAME_MOST) -> str:
    """A text, a number, or the first of a list."""
    if isinstance(value, list):
        value = next((one for one in value if one not in (None, "")), None)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean.text(value if isinstance(value, str) else str(value), most)


def tags(value: Any) -> tuple[str, ...]:
    """A list, or a text with commas or semicolons in between."""
    if isinstance(value, str):
        value = _SEPARATOR.split(value[:10_000])
    if not isinstance(value, list):
        return ()
    return clean.tags(text(one, clean.TAG_MOST) for one in value[: clean.TAGS_MOST * 4])


def number(value: Any) -> int:
    """A count, also where it stands in a text."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,12}\s*", value):
        value = int(value)
    return clean.number(value)


def moment(value: Any, now: datetime) -> datetime | None:
    """A time: RFC 3339 (UTC where no zone is named), or seconds or milliseconds since 1970."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{9,14}(\.[0-9]{1,9})?\s*", value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        seconds = value / 1000 if value >= MILLISECONDS else value
        if not 0 < seconds < MILLISECONDS:
            return None
        value = datetime.fromtimestamp(seconds, UTC).isoformat()
    return clean.moment(value.strip(), now) if isinstance(value, str) else None


def truth(value: Any) -> bool:
    """Whether a value says yes: true, a number but 0, or a text that is no word for no."""
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "false", "no", "n", "off", "null", "none")
    return bool(value)


def language(value: Any) -> str:
    """A code, or its English name; of several the first."""
    found = text(value)
    first = _SEPARATOR.split(found, maxsplit=1)[0].strip().lower() if found else ""
    if first in _CODES:
        return _CODES[first]
    code = clean.language(first)
    return code if len(code) <= 3 or "-" in code or "_" in code or code in languages.NAMES else ""
