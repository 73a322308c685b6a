"""Surgery on fragmented MP4: take a segment apart, and set its place in a film.

A segment is rendered on its own and begins at time 0. Served, it stands in a playlist behind
others: the sequence number (``mfhd``) and the decode time (``tfdt``) of its one fragment are
written anew, and players see one continuous film without EXT-X-DISCONTINUITY. Boxes: ISO/IEC
14496-12, §4.2 (box), §8.8.5 (mfhd), §8.8.7 (tfhd), §8.8.8 (trun), §8.8.12 (tfdt).
All that changes is in the moof; given that alone, without its mdat, these functions copy little.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from vigil.errors import VigilError

BASE_DATA_OFFSET, DESCRIPTION, DURATION, SIZE, FLAGS = 0x01, 0x02, 0x08, 0x10, 0x20
"""Which optional fields a tfhd has."""
T_OFFSET, T_FIRST_FLAGS, T_DURATION, T_SIZE, T_FLAGS, T_CTS = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800
"""Which optional fields a trun has."""


class Damaged(VigilError):
    """These bytes are not a segment of ours."""

    code = "damaged"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, taken apart."""

    init: bytes
    """ftyp and moov: what a decoder needs before the first picture."""
    moof: bytes
    """Says where each picture is, and when."""
    mdat: memoryview
    """The pictures; a view, as there may be megabytes of them."""
    frames: int
    ticks: int
    """Length in the track's timescale."""

    @property
    def media(self) -> bytes:
        """moof and mdat."""
        return b"".join((self.moof, self.mdat))


def split(data: bytes) -> Segment:
    """Take a segment apart; raises Damaged unless it is ftyp, moov, one moof and one mdat."""
    found = list(boxes(data, 0, len(data)))
    names = [name for name, _, _ in found if name not in (b"styp", b"sidx", b"mfra", b"free")]
    if names != [b"ftyp", b"moov", b"moof", b"mdat"]:
        raise Damaged(f"not a segment of one fragment: {b' '.join(names).decode('latin-1')}")
    at = {name: (start, end) for name, start, end in found}
    (begin, head), (body, end) = at[b"moof"], at[b"mdat"]
    if head != body:
        raise Damaged("the fragment's data does not follow its header")
    traf = find(data, begin + 8, head, b"traf")
    frames, ticks = _measure(data, find(data, *traf, b"tfhd"), find(data, *traf, b"trun"))
    init = data[slice(*at[b"ftyp"])] + data[slice(*at[b"moov"])]
    return Segment(init, data[begin:head], memoryview(data)[body:end], frames, ticks)


def place(media: bytes, sequence: int, ticks: int) -> bytes:
    """The same moof and mdat as number ``sequence`` (from 1) of a film, ``ticks`` after its start.

    Raises Damaged when these are not ``media`` of a Segment.
    """
    first = next(boxes(media, 0, len(media)), None)
    if first is None or first[0] != b"moof":
        raise Damaged("not a fragment")
    head = bytearray(media[: first[2]])
    mfhd, _ = find(head, 8, len(head), b"mfhd")
    struct.pack_into(">I", head, mfhd + 4, sequence & 0xFFFFFFFF)
    traf = find(head, 8, len(head), b"traf")
    tfdt, end = find(head, *traf, b"tfdt")
    if head[tfdt] == 1 and end - tfdt == 12:
        struct.pack_into(">Q", head, tfdt + 4, ticks)
    elif head[tfdt] == 0 and end - tfdt == 8 and ticks < 1 << 32:
        struct.pack_into(">I", head, tfdt + 4, ticks)
    else:
        raise Damaged("the fragment has no room for its time")
    return bytes(head) + media[first[2] :]


def delayed(media: bytes, ticks: int) -> bytes:
    """The same moof and mdat, every picture presented so much later after it is decoded.

    In ours pictures are presented from the decode time of the first on, so offsets are negative
    where pictures are reordered. Players take them as they are; ffmpeg's demuxer makes up for the
    lowest that it has seen so far, which moves what follows when a segment reorders more than all
    before it. For ffmpeg no offset may be negative. Raises Damaged when one still is.
    """

    def later(row: bytes, flags: int) -> bytes:
        fields, offset = row, ticks
        if flags & T_CTS:  # the last field
            fields, offset = row[:-4], ticks + int.from_bytes(row[-4:], "big", signed=True)
        if offset < 0:
            raise Damaged("a picture is presented before it is decoded")
        return fields + struct.pack(">I", offset)

    return _with_field(media, T_CTS, later)


def settled(media: bytes) -> bytes:
    """The same moof and mdat, no picture presented before it is decoded; all when they were.

    Pictures are decoded as late as that allows: each when the first of it and those behind it in
    the stream is presented, of several the last one then and the others evenly before. The
    fragment begins and ends where it did. Raises Damaged where there is no time between pictures.
    """
    shown, at = [], 0
    for length, offset in _times(media):
        shown.append(at + offset)
        at += length
    latest = list(itertools.accumulate(reversed(shown), min))[::-1]
    times = [0]
    for moment, run in itertools.groupby(latest[1:]):
        number, before = len(list(run)), times[-1]
        if moment - before < number:
            raise Damaged("there is no time to decode a picture before it is presented")
        times += [before + (moment - before) * n // number for n in range(1, number + 1)]
    lengths = iter([after - before for before, after in itertools.pairwise([*times, at])])
    offsets = iter([one - time for one, time in zip(shown, times, strict=True)])

    def with_length(row: bytes, flags: int) -> bytes:
        return struct.pack(">I", next(lengths)) + row[4 * bool(flags & T_DURATION) :]

    def with_offset(row: bytes, flags: int) -> bytes:
        return row[: -4 if flags & T_CTS else None] + struct.pack(">I", next(offsets))

    return _with_field(_with_field(media, T_DURATION, with_length), T_CTS, with_offset)


def sized(media: bytes) -> bytes:
    """The same moof and mdat, each picture's size said for itself.

    ffmpeg says it once (``tfhd``) where all are of one size, as the one of a segment of one is.
    """
    _, _, split = next(boxes(media, 0, len(media)), (b"", 0, 0))
    traf = find(media, 8, split, b"traf")
    trun, _ = find(media, *traf, b"trun")
    if int.from_bytes(media[trun : trun + 4], "big") & T_SIZE:
        return media
    size = struct.pack(">I", _default(media, find(media, *traf, b"tfhd")[0], SIZE))

    def with_size(row: bytes, flags: int) -> bytes:
        before = 4 * bool(flags & T_DURATION)
        return row[:before] + size + row[before:]

    return _with_field(media, T_SIZE, with_size)


class _Table(NamedTuple):
    """Where a fragment's table of pictures is."""

    end: int
    """Of the moof."""
    traf: int
    """Begin of its body."""
    trun: int
    flags: int
    rows: list[int]
    """Begin of each row."""
    step: int
    """Length of a row."""
    behind: int
    """End of the last one."""


def _table(media: bytes) -> _Table:
    _, _, split = next(boxes(media, 0, len(media)), (b"", 0, 0))
    traf = find(media, 8, split, b"traf")
    start, end = find(media, *traf, b"trun")
    flags, count = struct.unpack_from(">II", media, start)
    at = start + 8 + 4 * bool(flags & T_OFFSET) + 4 * bool(flags & T_FIRST_FLAGS)
    step = 4 * sum(bool(flags & bit) for bit in (T_DURATION, T_SIZE, T_FLAGS, T_CTS))
    behind = at + step * count
    if behind > end or not flags & T_OFFSET:
        raise Damaged("the fragment's table of pictures is cut short")
    rows = [at + step * number for number in range(count)]
    return _Table(split, traf[0], start, flags, rows, step, behind)


def _times(media: bytes) -> list[tuple[int, int]]:
    """Length and composition offset of each picture."""
    table = _table(media)
    tfhd, _ = find(media, table.traf, table.end, b"tfhd")
    usual = 0 if table.flags & T_DURATION else _default(media, tfhd, DURATION)
    found = []
    for row in table.rows:
        length, offset = usual, 0
        if table.flags & T_DURATION:
            (length,) = struct.unpack_from(">I", media, row)
        if table.flags & T_CTS:
            (offset,) = struct.unpack_from(">i", media, row + table.step - 4)
        found.append((length, offset))
    return found


def _with_field(media: bytes, field: int, change: Callable[[bytes, int], bytes]) -> bytes:
    """The same moof and mdat, with a field in the row of each picture that may not be there yet.

    ``change`` is given a row of the trun and which fields that has.
    """
    end, traf, trun, flags, places, step, behind = _table(media)
    rows = b"".join(change(media[row : row + step], flags) for row in places)
    begin = behind - step * len(places)
    grown = len(rows) - (behind - begin)
    head = bytearray(media[:begin] + rows + media[behind:end])
    for box in (0, traf - 8, trun - 8):
        struct.pack_into(">I", head, box, int.from_bytes(head[box : box + 4], "big") + grown)
    struct.pack_into(">I", head, trun, flags | field)
    struct.pack_into(">i", head, trun + 8, struct.unpack_from(">i", head, trun + 8)[0] + grown)
    return bytes(head) + media[end:]


def decode_time(media: bytes) -> tuple[int, int]:
    """Sequence number and decode time of a fragment: what ``place`` wrote."""
    moof = find(media, 0, len(media), b"moof")
    mfhd, _ = find(media, *moof, b"mfhd")
    traf = find(media, *moof, b"traf")
    tfdt, end = find(media, *traf, b"tfdt")
    sequence = int.from_bytes(media[mfhd + 4 : mfhd + 8], "big")
    return sequence, int.from_bytes(media[tfdt + 4 : end], "big")


def _measure(data: bytes, tfhd: tuple[int, int], trun: tuple[int, int]) -> tuple[int, int]:
    """Number of samples in a trun and the sum of their durations."""
    start, end = trun
    try:
        flags, count = struct.unpack_from(">II", data, start)
        flags &= 0xFFFFFF
        at = start + 8 + 4 * bool(flags & T_OFFSET) + 4 * bool(flags & T_FIRST_FLAGS)
        step = 4 * sum(bool(flags & bit) for bit in (T_DURATION, T_SIZE, T_FLAGS, T_CTS))
        if count == 0 or at + step * count > end:
            raise Damaged("the fragment's table of pictures is cut short")
        if not flags & T_DURATION:
            return count, count * _default(data, tfhd[0], DURATION)
        spans = (struct.unpack_from(">I", data, at + step * i)[0] for i in range(count))
        return count, sum(spans)
    except struct.error as error:
        raise Damaged(f"the fragment's table of pictures is broken: {error}") from None


def _default(data: bytes, tfhd: int, field: int) -> int:
    """What a tfhd says for all pictures: DURATION or SIZE."""
    flags = int.from_bytes(data[tfhd : tfhd + 4], "big") & 0xFFFFFF
    if not flags & field:
        raise Damaged("the fragment does not say how long, or how large, its pictures are")
    skip = 8 + 8 * bool(flags & BASE_DATA_OFFSET) + 4 * bool(flags & DESCRIPTION)
    skip += 4 * bool(field == SIZE and flags & DURATION)
    found: int = struct.unpack_from(">I", data, tfhd + skip)[0]
    return found


def boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each box between two offsets."""
    while start < end:
        size = int.from_bytes(data[start : start + 4], "big")
        header = 8
        if size == 1:
            size, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        if size < header or start + size > end:
            raise Damaged("a box is cut short")
        yield bytes(data[start + 4 : start + 8]), start, start + size
        start += size


def find(data: bytes | bytearray, start: int, end: int, name: bytes) -> tuple[int, int]:
    """Body (without its eight bytes of header) of the box of that name between two offsets."""
    for found, first, last in boxes(data, start, end):
        if found == name:
            return first + 8, last
    raise Damaged(f"there is no {name.decode()} box")
