"""The HLS playlist of a film (RFC 8216), and the addresses in it.

The address of a segment says its number and its time in the film, so that the bytes under an
address never change and no table is asked to serve one. While a film is rendered, what is shown
is the stretch from its beginning to the first segment that is not there yet: it only gets longer.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vigil.films.model import Film, Listed

SLOWEST_S = 20
"""Seconds after which a player should look for new segments, however slowly they come."""

_SEGMENT = re.compile(r"([0-9]{1,10})-([0-9]{1,18})-([0-9a-f]{64})\.m4s")
_INIT = re.compile(r"init-([0-9a-f]{64})\.mp4")

At = Callable[[int], datetime | None]
"""The real time of a moment."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A rendered segment in its place in a film."""

    segment: Listed
    sequence: int
    """From 1."""
    start: int
    """Ticks since the film began."""
    header: str
    """Name of the segment whose header a player needs for this one."""

    @property
    def address(self) -> str:
        """File name below the film's ``segments/``."""
        return address(str(self.segment.hash), self.sequence, self.start)

    @property
    def header_address(self) -> str:
        """File name of the header, below the film's ``segments/``."""
        return f"init-{self.header}.mp4"


def address(hash: str, sequence: int, start: int) -> str:
    """File name of a segment in its place: another one where other bytes are served for it."""
    return f"{sequence}-{start}-{hash}.m4s"


def parse_address(name: str) -> tuple[str, int, int] | None:
    """Hash, sequence and start of a segment's address; ``None`` when it is none of ours."""
    match = _SEGMENT.fullmatch(name)
    return (match[3], int(match[1]), int(match[2])) if match else None


def parse_header(name: str) -> str | None:
    """Hash of the segment whose header is at an address; ``None`` when it is none of ours."""
    match = _INIT.fullmatch(name)
    return match[1] if match else None


def is_over(film: Film) -> bool:
    """Whether nothing more is rendered for a film by itself."""
    return film.state in ("done", "cancelled") or (film.state == "failed" and film.next_at is None)


def playable(film: Film, listed: Sequence[Listed], *, tail: bool = False) -> list[Listed]:
    """What a player may be shown.

    Of a film that is over, or with ``tail``: everything that is rendered. Else what is rendered
    from the beginning on without a hole, and cannot change any more but by a late frame.
    """
    if tail or is_over(film):
        return [segment for segment in listed if segment.hash is not None]
    return list(
        itertools.takewhile(lambda segment: segment.hash is not None and segment.closed, listed)
    )


def place(film: Film, shown: Sequence[Listed]) -> Iterator[Placed]:
    """Each rendered segment with its number and time, counting on from those that have left."""
    sequence, start = film.dropped_segments, film.dropped_ticks
    header, init = "", None
    for segment in shown:
        if segment.hash is None:
            continue
        if not header or segment.init != init:
            header, init = segment.hash, segment.init
        sequence += 1
        yield Placed(segment, sequence, start, header)
        start += segment.ticks(film.timescale)


def target_duration(film: Film, shown: Sequence[Listed] = ()) -> int:
    """Seconds that no segment exceeds.

    A player looks for new segments as often as this. Those of a film that grows for ever come
    as slowly as the camera delivers them, however short they play.
    """
    longest = max([film.window_frames / film.fps, *(segment.duration_s for segment in shown)])
    seconds = max(1, math.ceil(longest - 1e-6))
    return seconds if film.to_at else max(seconds, min(math.ceil(film.window_s), SLOWEST_S))


def discontinuities_left(film: Film, shown: Sequence[Listed]) -> int:
    """How many marks of a change of header have left the playlist, the one before its first
    segment included (RFC 8216, §4.3.3.3): by that a player knows which stretch it is in."""
    first = next((one for one in shown if one.hash is not None), None)
    changed = film.dropped_segments > 0 and first is not None and first.init != film.dropped_init
    return film.dropped_discontinuities + changed


def render(film: Film, shown: Sequence[Listed], *, tail: bool = False, at: At | None = None) -> str:
    """The playlist of the segments of ``playable``; there is at least one.

    It only ever gets longer while the film grows (EVENT), until segments leave it with their
    camera's retention; it is VOD when the film is over, or with ``tail``.

    Args:
        film: says state and rate.
        shown: what ``playable`` says.
        tail: as it was given to that.
        at: dates each segment. Players take the date to run on with the film's time, so it is
            written only for a film as fast as life.
    """
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{target_duration(film, shown)}",
        f"#EXT-X-MEDIA-SEQUENCE:{film.dropped_segments + 1}",
    ]
    left = discontinuities_left(film, shown)
    if left:
        lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{left}")
    lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    over = tail or is_over(film)
    if over:
        lines.append("#EXT-X-PLAYLIST-TYPE:VOD")
    elif film.dropped_segments == 0:
        lines.append("#EXT-X-PLAYLIST-TYPE:EVENT")
    header = None
    for placed in place(film, shown):
        if placed.header != header:
            if header is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f'#EXT-X-MAP:URI="segments/{placed.header_address}"')
            header = placed.header
        if film.speed == 1 and at is not None:
            date = at(placed.segment.first)
            if date is not None:
                lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_iso(date)}")
        lines.append(f"#EXTINF:{placed.segment.duration_s:.6f},")
        lines.append(f"segments/{placed.address}")
    if over:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
