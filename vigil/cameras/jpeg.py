"""JPEG: what a picture is, read from its headers, and whether it is whole (ITU-T T.81)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vigil.cameras.pictures.shape import BadPicture as BadPicture
from vigil.cameras.pictures.shape import Shape, check_bytes, check_size

MAX_SCANS = 100
"""A progressive picture has about ten; thousands would cost minutes to decode."""

_SOI, _EOI, _SOS, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xDD, 0xFE
_SOF = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive: what browsers and ffmpeg show
_SOF_OTHER = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_MARKER_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # not stuffing, not a restart
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    progressive: bool
    units: int
    """MCUs of an interleaved scan: what restart markers count."""


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    start: int  # of its 0xFF
    body: int  # of what follows its length
    end: int  # exclusive; behind the scan when it begins one


def measure(data: bytes) -> Shape:
    """Size and extent of a JPEG, without decoding it; raises BadPicture.

    Refuses what is too large to decode safely, has lost its end, or browsers cannot show.
    ``doubtful`` are progressive pictures, where the loss of scans shows as blur only, and those
    whose restart markers are not those that the size asks for.
    """
    check_bytes(data)
    frame: _Frame | None = None
    scans = restart = 0
    doubtful = False
    for segment in _segments(data):
        if segment.marker in _SOF_OTHER or (segment.marker in _SOF and frame is not None):
            raise BadPicture("unsupported", "a kind of JPEG that browsers cannot show")
        if segment.marker in _SOF:
            frame = _frame(data[segment.body : segment.end], segment.marker)
            doubtful = frame.progressive
        elif segment.marker == _DRI:
            restart = int.from_bytes(data[segment.body : segment.body + 2], "big")
        elif segment.marker == _SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise BadPicture("broken", f"a picture of more than {MAX_SCANS} scans")
            if restart and frame is not None and not doubtful:
                doubtful = not _restarts(data, segment, math.ceil(frame.units / restart) - 1)
        elif segment.marker == _EOI and frame is not None and scans:
            return Shape(frame.width, frame.height, segment.end, "jpeg", doubtful)
    raise BadPicture("broken", "a JPEG without a picture in it")


def without_metadata(data: bytes) -> bytes:
    """The same picture without EXIF, XMP, comments and vendors' data; not a pixel changes.

    What stays: JFIF, the colour profile, Adobe's colour transform. Where a camera stands and
    which one it is (GPS position, serial number) is nobody's business.
    """
    view, kept = memoryview(data), [memoryview(data)[:2]]
    for segment in _segments(data):
        body = data[segment.body : segment.body + 12]
        private = segment.marker == _COM or (
            0xE1 <= segment.marker <= 0xEF
            and not (segment.marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"))
            and not (segment.marker == 0xEE and body.startswith(b"Adobe"))
        )
        if not private:
            kept.append(view[segment.start : segment.end])
    return b"".join(kept)


def _segments(data: bytes) -> Iterator[_Segment]:
    """Markers in order, from behind SOI to EOI; raises BadPicture where the bytes end first."""
    position = 2
    while True:
        start = position
        if data[position : position + 1] != b"\xff":
            raise _ended(data, position)
        while data[position : position + 1] == b"\xff":
            position += 1
        if position >= len(data):
            raise _ended(data, position)
        marker = data[position]
        position += 1
        if marker == _EOI:
            yield _Segment(marker, start, position, position)
            return
        if marker in (0x00, 0x01, _SOI) or 0xD0 <= marker <= 0xD7:
            raise BadPicture("broken", "a JPEG whose parts are out of order")
        length = int.from_bytes(data[position : position + 2], "big")
        end = position + max(length, 2)
        if end > len(data):
            raise _ended(data, end)
        if length < 2:
            raise BadPicture("broken", "a JPEG whose parts are out of order")
        body = position + 2
        if marker == _SOS:
            match = _MARKER_AFTER_SCAN.search(data, end)
            if match is None:
                raise _ended(data, len(data))
            end = match.start()
        yield _Segment(marker, start, body, end)
        position = end


def _ended(data: bytes, position: int) -> BadPicture:
    if position >= len(data):
        return BadPicture("truncated", "a picture that ends early")
    return BadPicture("broken", "a JPEG whose parts are out of order")


def _restarts(data: bytes, scan: _Segment, wanted: int) -> bool:
    """Whether a scan has as many restart markers as it should, and in their order."""
    found = _RESTART.findall(data, scan.body, scan.end)
    order = itertools.cycle(bytes([marker]) for marker in range(0xD0, 0xD8))
    return len(found) == wanted and all(map(bytes.__eq__, found, order))


def _frame(body: bytes, marker: int) -> _Frame:
    components = body[5] if len(body) > 5 else 0
    if not components or len(body) < 6 + 3 * components:
        raise BadPicture("broken", "a JPEG with half a header")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if body[0] != 8 or components not in (1, 3) or not width or not height:
        raise BadPicture("unsupported", "a kind of JPEG that browsers cannot show")
    check_size(width, height)
    across = down = 8
    if components > 1:
        sampling = body[7 : 7 + 3 * components : 3]
        across *= max(one >> 4 for one in sampling) or 1
        down *= max(one & 15 for one in sampling) or 1
    units = math.ceil(width / across) * math.ceil(height / down)
    return _Frame(width, height, marker == 0xC2, units)
