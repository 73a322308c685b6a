"""Headers that an operator has sent to a source, and those of a rate limit that come back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vigil.errors import Invalid

MOST = 20
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110 §5.6.2
_VALUE = re.compile(r"[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,3998}[\x21-\x7e\x80-\xff])?")
_OURS = {
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_SECRET = re.compile(r"authorization|cookie|token|secret|passw|(^|-)(api-?)?key$", re.IGNORECASE)
_BUDGETS = ("ratelimit-{}", "x-ratelimit-{}", "x-rate-limit-{}")


def checked(given: Any, *, secret: bool = False) -> dict[str, str]:
    """Name → value, from such a mapping or from lines ``Name: value``; raises Invalid.

    Args:
        given: what somebody wrote.
        secret: whether nobody will see them; what looks like a key is refused elsewhere.
    """
    if isinstance(given, str):
        given = _lines(given)
    if not isinstance(given, Mapping) or len(given) > MOST:
        raise Invalid(f"headers are at most {MOST} names with a value each")
    found: dict[str, str] = {}
    for name, value in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Invalid(f"{str(name)[:70]!r} cannot be a header's name")
        if name.lower() in _OURS:
            raise Invalid(f"the header {name} is not yours to set")
        if name.lower() in {one.lower() for one in found}:
            raise Invalid(f"the header {name} is there twice")
        if not secret and _SECRET.search(name):
            raise Invalid(
                f"the header {name} looks like a secret", hint="give it as a secret header"
            )
        if not isinstance(value, str) or not _VALUE.fullmatch(value.strip()):
            raise Invalid(f"the header {name} has a value that cannot be sent")
        found[name] = value.strip()
    return found


def _lines(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if line.strip():
            if not colon:
                raise Invalid("a header is written Name: value, each on a line of its own")
            found[name.strip()] = value
    return found


def merged(*several: Mapping[str, str]) -> dict[str, str]:
    """All of them, names in lower case; the later ones are the stronger."""
    return {name.lower(): value for one in several for name, value in one.items()}


def budget(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Requests left and requests allowed, as an answer's headers say; ``None``: they do not."""
    for spelling in _BUDGETS:
        limit = _integer(headers.get(spelling.format("limit")))
        if limit is not None:
            return _integer(headers.get(spelling.format("remaining"))), limit
    return None, None


def _integer(text: str | None) -> int | None:
    """The number that a header begins with: some add the window, ``100, 100;w=60``."""
    match = re.match(r"\s*([0-9]{1,9})\b", text or "")
    return int(match[1]) if match else None
