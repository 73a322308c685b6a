"""``multipart/x-mixed-replace`` as cameras send it, which is rarely as RFC 2046 §5.1 has it.

Seen in the wild: the boundary in the header with the leading dashes of the body, or without them
in the body; quotes around it, or none named at all; bare LF; no Content-Length, or a wrong one;
parts that are no pictures; no end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from vigil.errors import SourceError

MAX_HEADER = 16 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers (lower-case names) and its body."""

    headers: dict[str, str]
    body: bytes


class Splitter:
    """Cuts a stream into parts, as its chunks come.

    Args:
        content_type: of the answer; its boundary is a hint, the stream's first line the truth.
        max_bytes: the longest body; more raises SourceError.
    """

    def __init__(self, content_type: str, *, max_bytes: int) -> None:
        message = Message()
        message["content-type"] = content_type
        hint = message.get_param("boundary")
        self._hint = hint.strip().strip('"').lstrip("-").encode() if isinstance(hint, str) else b""
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._delimiter: bytes | None = None  # the boundary's line as the stream spells it
        self._headers: dict[str, str] | None = None
        self._searched = 0
        self._lengths_lie = False
        self.ended = False
        """Whether the closing boundary was seen: nothing follows."""

    def feed(self, chunk: bytes) -> list[Part]:
        """The parts that are complete now; raises SourceError for garbage.

        A part with a Content-Length is complete at once; any other at the boundary after it.
        """
        self._buffer += chunk
        parts = []
        while (part := self._next()) is not None:
            parts.append(part)
        return parts

    def _next(self) -> Part | None:
        if self.ended:
            return None
        if self._delimiter is None and not self._learn_delimiter():
            return None
        if self._headers is None and not self._read_headers():
            return None
        return self._read_body()

    def _learn_delimiter(self) -> bool:
        """The first line that can be a boundary, whatever stands before it."""
        position = 0
        while (newline := self._buffer.find(b"\n", position)) >= 0:
            line = bytes(self._buffer[position:newline]).strip()
            if line.startswith(b"--") or (self._hint and line.endswith(self._hint)):
                self._delimiter = line
                del self._buffer[:position]
                return True  # the line stays: headers begin with it
            position = newline + 1
        self._limit(MAX_HEADER, "a boundary")
        return False

    def _read_headers(self) -> bool:
        assert self._delimiter is not None  # noqa: S101  # _next has seen to it
        match = re.match(
            rb"[\r\n]*" + re.escape(self._delimiter) + rb"(--)?[ \t]*(?:\r?\n|\Z)", self._buffer
        )
        if match is None:
            beginning = bytes(self._buffer[:MAX_HEADER]).lstrip(b"\r\n")
            whole = self._delimiter + b"--\r"
            if whole.startswith(beginning) or beginning == self._delimiter + b"\r":
                return False  # it may still become one
            return self._resynchronise()
        if match[1]:
            self.ended = True
            return False
        if not match[0].endswith(b"\n"):
            return False
        end = re.compile(rb"\r?\n\r?\n").search(self._buffer, match.end() - 1)
        if end is None:
            if len(self._buffer) > MAX_HEADER:
                raise SourceError("the camera sends parts without an end to their headers")
            return False
        self._headers = _headers(bytes(self._buffer[match.end() : end.start()]))
        del self._buffer[: end.end()]
        self._searched = 0
        return True

    def _resynchronise(self) -> bool:
        """Skip what a length that was too short has left over, up to the next boundary."""
        self._lengths_lie = True
        newlines = re.match(rb"[\r\n]*", self._buffer)
        self._searched = max(self._searched, newlines.end() if newlines else 0)
        found = self._find_delimiter()
        if found < 0:
            return False
        del self._buffer[:found]
        return self._read_headers()

    def _read_body(self) -> Part | None:
        length = self._length()
        if length is not None:
            if len(self._buffer) < length:
                return None
            if self._find_delimiter(length) < 0:
                return self._take(length)
            self._lengths_lie = True  # it would have swallowed the next part
            self._searched = 0
        found = self._find_delimiter()
        return None if found < 0 else self._take(found)

    def _take(self, length: int) -> Part:
        assert self._headers is not None  # noqa: S101  # _next has seen to it
        part = Part(self._headers, bytes(self._buffer[:length]))
        del self._buffer[:length]
        self._headers, self._searched = None, 0
        return part

    def _length(self) -> int | None:
        assert self._headers is not None  # noqa: S101  # _next has seen to it
        text = self._headers.get("content-length", "")
        if self._lengths_lie or not re.fullmatch(r"[0-9]{1,10}", text):
            return None
        length = int(text)
        if length > self._max_bytes:
            raise SourceError(f"the camera announces a picture of {length / 1e6:.0f} MB")
        return length or None

    def _find_delimiter(self, end: int | None = None) -> int:
        """Where the next boundary's line begins, its newline included; -1 when there is none."""
        assert self._delimiter is not None  # noqa: S101  # _next has seen to it
        wanted = b"\n" + self._delimiter
        found = self._buffer.find(wanted, self._searched, end if end is not None else None)
        if found < 0:
            if end is None:
                self._searched = max(0, len(self._buffer) - len(wanted))
                self._limit(self._max_bytes + MAX_HEADER, "the end of a picture")
            return -1
        return found - 1 if found and self._buffer[found - 1 : found] == b"\r" else found

    def _limit(self, most: int, what: str) -> None:
        if len(self._buffer) > most:
            raise SourceError(
                f"the camera sent {len(self._buffer) / 1e6:.1f} MB without {what}",
                hint="is this address really a stream of pictures (MJPEG)?",
            )


def _headers(text: bytes) -> dict[str, str]:
    found = {}
    for line in text.decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found
