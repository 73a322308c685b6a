"""The HLS playlist of a film (RFC 8216), and the addresses in it.

The address of a segment says its number and its time in the film, so that the bytes under an
address never change and no table is asked to serve one.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vigil.films.model import Film, Listed

OVER = ("done", "cancelled", "failed")
"""States in which a film gets no more by itself, or not soon."""
SLOWEST_S = 20
"""Seconds after which a player should look for new segments, however slowly they come."""

_NAME = re.compile(r"([0-9a-f]{64})-([0-9]{1,10})-([0-9]{1,18})\.m4s")


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment in its place in a film."""

    segment: Listed
    sequence: int
    """From 1."""
    start: int
    """Ticks since the film began."""

    @property
    def address(self) -> str:
        """File name below the film's ``segments/``."""
        return f"{self.segment.hash}-{self.sequence}-{self.start}.m4s"


def parse_address(name: str) -> tuple[str, int, int] | None:
    """Hash, sequence and start of an address; ``None`` when it is none of ours."""
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2]), int(match[3])) if match else None


def place(film: Film, listed: Sequence[Listed]) -> Iterator[Placed]:
    """Each segment with its number and time, counting on from those that have left the film."""
    sequence, start = film.dropped_segments, film.dropped_ticks
    for segment in listed:
        sequence += 1
        yield Placed(segment, sequence, start)
        start += segment.ticks(film.timescale)


def playable(film: Film, listed: Sequence[Listed]) -> list[Listed]:
    """What a player may be shown: all that is rendered of a film that is over; else what is
    rendered up to the first segment that is not, and will not change."""
    if film.state in OVER:
        return [segment for segment in listed if segment.hash is not None]
    return list(itertools.takewhile(lambda one: one.hash is not None and one.closed, listed))


def target_duration(film: Film) -> int:
    """Seconds that no segment exceeds, the same for the whole life of a film.

    A player looks for new segments as often as this. Those of a film that grows for ever come
    as slowly as the camera delivers them, however short they play.
    """
    longest = math.ceil(film.window_frames / film.fps)
    return max(longest, min(math.ceil(film.window_s), SLOWEST_S)) if film.to_at is None else longest


def render(film: Film, listed: Sequence[Listed]) -> str:
    """The playlist of the segments of ``playable``; there is at least one.

    It only ever gets longer while the film grows (EVENT), until segments leave it with their
    camera's retention; it is VOD when the film is over.
    """
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{target_duration(film)}",
        f"#EXT-X-MEDIA-SEQUENCE:{film.dropped_segments + 1}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    over = film.state in OVER
    if over:
        lines.append("#EXT-X-PLAYLIST-TYPE:VOD")
    elif film.dropped_segments == 0:
        lines.append("#EXT-X-PLAYLIST-TYPE:EVENT")
    lines.append('#EXT-X-MAP:URI="init.mp4"')
    for placed in place(film, listed):
        lines.append(f"#EXTINF:{placed.segment.duration_s:.6f},")
        lines.append(f"segments/{placed.address}")
    if over:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
