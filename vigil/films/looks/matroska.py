"""Tracks of pictures for ffmpeg to read from a pipe (Matroska, RFC 9559).

A container, not picture after picture: each has its time, so a picture that stays is sent once;
there may be several tracks; and a broken one cannot swallow its neighbour.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SECOND_NS = 1_000_000_000
_UNKNOWN = b"\x01" + b"\xff" * 7


@dataclass(frozen=True, slots=True)
class Track:
    """Pictures of one make."""

    width: int
    height: int
    raw: bool = False
    """Whether they are planar YCbCr 4:2:0 (I420), full range; else JPEGs."""


def header(tracks: list[Track]) -> bytes:
    """What comes before the first picture; tracks are numbered from 0 in this order."""
    kind = _element(0x1A45DFA3, _element(0x4282, b"matroska"), _number(0x4287, 4))
    info = _element(0x1549A966, _number(0x2AD7B1, _SECOND_NS), _text(0x4D80), _text(0x5741))
    entries = (_entry(number, track) for number, track in enumerate(tracks, 1))
    return b"".join((kind, _identifier(0x18538067), _UNKNOWN, info, _element(0x1654AE6B, *entries)))


def block(track: int, time: int, size: int) -> bytes:
    """What comes before ``size`` bytes of a picture that is shown from ``time`` (seconds) on.

    Times never go back. A cluster for each picture: its time then has no limit.
    """
    inner = _identifier(0xA3) + _size(size + 4) + bytes((0x80 | (track + 1), 0, 0, 0x80))
    stamp = _number(0xE7, time)
    return _identifier(0x1F43B675) + _size(len(stamp) + len(inner) + size) + stamp + inner


def _entry(number: int, track: Track) -> bytes:
    video = [_number(0xB0, track.width), _number(0xBA, track.height)]
    if track.raw:
        video.append(_element(0x2EB524, b"I420"))
    return _element(
        0xAE,
        _number(0xD7, number),
        _number(0x73C5, number),
        _number(0x83, 1),  # video
        _number(0x9C, 0),  # no lacing
        _element(0x86, b"V_UNCOMPRESSED" if track.raw else b"V_MJPEG"),
        _element(0xE0, *video),
    )


def _element(identifier: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return _identifier(identifier) + _size(len(body)) + body


def _number(identifier: int, value: int) -> bytes:
    return _element(identifier, struct.pack(">Q", value))


def _text(identifier: int) -> bytes:
    return _element(identifier, b"vigil")


def _identifier(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _size(value: int) -> bytes:
    return struct.pack(">Q", value | 1 << 56)
