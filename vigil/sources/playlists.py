"""M3U playlists of channels, as directories and IPTV lists write them.

``#EXTINF:-1 tvg-id="…" tvg-name="…" group-title="…",Name`` and the URL on a line of its own.
There is no standard; what is read here: attributes in any order, commas and line breaks inside
quotes and names, BOM, CRLF, blank lines, other ``#`` lines in between, and any mixture of UTF-8
with an older encoding.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

LINE_MOST = 65_536
"""Characters; a longer line is taken for several."""
ENTRY_MOST = 262_144
"""Characters of one entry; what is beyond belongs to nothing."""
OLD = "cp1252"
"""What a line is taken for that is not UTF-8."""

_ENTRY = re.compile(r"[ \t]*#EXTINF:", re.IGNORECASE)
_STREAM = re.compile(r"[ \t]*#EXT-X-(TARGETDURATION|STREAM-INF|MEDIA-SEQUENCE)\b", re.IGNORECASE)
_DURATION = re.compile(r"\s*-?\d{0,12}(\.\d{0,12})?")
_ATTRIBUTE = re.compile(r'[\s,]*([A-Za-z0-9_-]{1,64})="([^"]*)"')
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,20}://\S+", re.IGNORECASE)
_RELATIVE = re.compile(r"[^\s#<>\"]*[./?][^\s<>\"]*")


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
    found = list(entries(_split(text)))
    kept = [entry for entry in found if entry is not None]
    return kept, len(found) - len(kept)


def entries(lines: Iterable[str], *, relative: bool = False) -> Iterator[Entry | None]:
    """The channels of a playlist as its lines come; ``None`` for one without an address.

    Args:
        lines: without their ends.
        relative: whether an address may be a path.

    Raises ValueError when it is no playlist, or one of a stream's pieces.
    """
    begun, block, size = False, [""], -1
    for line in lines:
        if not begun:
            line = line.lstrip("\ufeff \t")
            if not line:
                continue
            if not line.upper().startswith(("#EXTM3U", "#EXTINF:")):
                raise ValueError("it does not begin with #EXTM3U")
            begun = True
        if _STREAM.match(line):
            raise ValueError("it is a stream itself, not a list of them")
        start = _ENTRY.match(line)
        if start:
            if size >= 0:
                yield _read("\n".join(block), relative)
            block, size = [line[start.end() :]], len(line)
        elif 0 <= size < ENTRY_MOST:
            block.append(line)
            size += len(line)
    if not begun:
        raise ValueError("it does not begin with #EXTM3U")
    if size >= 0:
        yield _read("\n".join(block), relative)


def lines(file: IO[bytes], encoding: str = "") -> Generator[str, None, None]:
    """The lines of a file whose encoding nobody knows for sure, however large it is.

    UTF-16 where its mark says so; else each line is UTF-8 or, where that cannot be, in the
    ``encoding`` that somebody named.
    """
    start = file.read(2)
    file.seek(0)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        yield from _read_lines(io.TextIOWrapper(file, "utf-16", "replace"))
        return
    try:
        old = codecs.lookup(encoding or OLD).name
        b"x".decode(old, "replace")  # some that are known are no encodings of text
    except (LookupError, ValueError):
        old = OLD
    for line in _read_lines(io.TextIOWrapper(file, "latin-1")):  # bytes, split at any line end
        raw = line.encode("latin-1")
        try:
            yield raw.decode("utf-8")
        except UnicodeDecodeError:
            yield raw.decode("utf-8" if old == "utf-8" else old, "replace")


def _read_lines(text: io.TextIOWrapper) -> Iterator[str]:
    try:
        while line := text.readline(LINE_MOST):
            yield line.removesuffix("\n")
    finally:
        text.detach()  # the file is its owner's to close


def _split(text: str) -> Iterator[str]:
    return iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _read(block: str, relative: bool) -> Entry | None:
    found = _DURATION.match(block)
    position = found.end() if found else 0
    attributes = {}
    while match := _ATTRIBUTE.match(block, position):
        attributes[match[1].lower()] = match[2]
        position = match.end()
    rest = block[position:]
    if not rest.lstrip().startswith(","):  # a quote within quotes: the name follows the last one
        rest = rest.rpartition('",')[2]
    rows = [row.strip() for row in rest.split("\n")]
    # A name may hold anything, even a line that looks like an address: the last one is the URL.
    for looks in (_URL, _RELATIVE)[: 1 + relative]:
        for index in range(len(rows) - 1, 0, -1):
            if looks.fullmatch(rows[index]):
                name = [row for row in rows[:index] if not row.startswith("#")]
                return Entry(" ".join(name).lstrip(" ,").strip(), rows[index], attributes)
    return None
