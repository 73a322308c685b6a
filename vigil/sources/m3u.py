"""M3U playlists of channels, as directories and IPTV lists write them.

``#EXTINF:-1 tvg-id="…" tvg-name="…" group-title="…",Name`` and the URL on a line of its own.
There is no standard; what is read here: attributes in any order, commas and line breaks inside
quotes and names, BOM, CRLF, blank lines, and other ``#`` lines in between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ENTRY = re.compile(r"^[ \t]*#EXTINF:", re.MULTILINE | re.IGNORECASE)
_DURATION = re.compile(r"\s*-?\d{0,12}(\.\d{0,12})?")
_ATTRIBUTE = re.compile(r'[\s,]*([A-Za-z0-9_-]{1,64})="([^"]*)"')
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,20}://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One channel."""

    name: str
    url: str
    attributes: Mapping[str, str]
    """Names in lower case."""


def parse(text: str) -> tuple[list[Entry], int]:
    """The channels of a playlist, and how many entries had no URL.

    Raises ValueError when it is no playlist at all.
    """
    text = text.lstrip("\ufeff \t\r\n").replace("\r\n", "\n").replace("\r", "\n")
    if not text.upper().startswith(("#EXTM3U", "#EXTINF:")):
        raise ValueError("it does not begin with #EXTM3U")
    entries, broken = [], 0
    for block in _ENTRY.split(text)[1:]:
        entry = _read(block)
        if entry is None:
            broken += 1
        else:
            entries.append(entry)
    return entries, broken


def _read(block: str) -> Entry | None:
    found = _DURATION.match(block)
    position = found.end() if found else 0
    attributes = {}
    while match := _ATTRIBUTE.match(block, position):
        attributes[match[1].lower()] = match[2]
        position = match.end()
    rest = block[position:]
    if not rest.lstrip().startswith(","):  # a quote within quotes: the name follows the last one
        rest = rest.rpartition('",')[2]
    lines = [line.strip() for line in rest.split("\n")]
    # A name may hold anything, even a line that looks like an address: the last one is the URL.
    for index in range(len(lines) - 1, 0, -1):
        if _URL.fullmatch(lines[index]):
            name = [line for line in lines[:index] if not line.startswith("#")]
            return Entry(" ".join(name).lstrip(" ,").strip(), lines[index], attributes)
    return None
