"""Segments of two encoders in one file: parameter sets are carried in the stream.

A file has one header. Where segments with another header follow (the encoder was updated while a
film grew), the H.264 parameter sets of that (ISO/IEC 14496-15, §5.3.3: avcC) are put in front of
their first picture, where decoders look for them as well. VP9 has none, and AV1 has its sequence
header in each key frame anyway.
"""

from __future__ import annotations

import struct

from vigil.films.segments.fmp4 import (
    T_DURATION,
    T_FIRST_FLAGS,
    T_OFFSET,
    Damaged,
    boxes,
    find,
    sized,
)

SAMPLE_ENTRY = 78
"""Bytes of a visual sample entry before the boxes in it (ISO/IEC 14496-12, §12.1.3)."""


def parameter_sets(init: bytes) -> bytes:
    """The parameter sets in a segment's header, as they stand in its samples; empty: not H.264."""
    place = (0, len(init))
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        place = find(init, *place, name)
    entry, start, end = next(boxes(init, place[0] + 8, place[1]))
    if entry != b"avc1":
        return b""
    at, _ = find(init, start + 8 + SAMPLE_ENTRY, end, b"avcC")
    try:
        if init[at + 4] & 3 != 3:
            raise Damaged("the lengths of its units are not of four bytes")
        found, at = bytearray(), at + 5
        for mask in (0x1F, 0xFF):
            number, at = init[at] & mask, at + 1
            for _ in range(number):
                length = int.from_bytes(init[at : at + 2], "big")
                found += struct.pack(">I", length) + init[at + 2 : at + 2 + length]
                at += 2 + length
    except IndexError:
        raise Damaged("its parameter sets are cut short") from None
    return bytes(found)


def with_parameters(media: bytes, parameters: bytes) -> bytes:
    """A fragment (moof and mdat) whose first picture begins with these parameter sets."""
    media = sized(media)
    _, _, split = next(boxes(media, 0, len(media)))
    head = bytearray(media[:split])
    place = (8, split)
    for name in (b"traf", b"trun"):
        place = find(head, *place, name)
    flags = int.from_bytes(head[place[0] : place[0] + 4], "big")
    at = place[0] + 8 + sum(4 for bit in (T_OFFSET, T_FIRST_FLAGS, T_DURATION) if flags & bit)
    (size,) = struct.unpack_from(">I", head, at)
    struct.pack_into(">I", head, at, size + len(parameters))
    (length,) = struct.unpack_from(">I", media, split)
    if length < 8:
        raise Damaged("the fragment's data has no plain length")
    body = struct.pack(">I", length + len(parameters)) + b"mdat" + parameters
    return bytes(head) + body + media[split + 8 :]
