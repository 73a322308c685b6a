"""The chapters of a film: its days, or within one day what its scene's tags say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from vigil.films.timeline import Mark

MOST = 250
"""Players of MP4 know at most 255."""
NOTHING = "–"
"""Name of a chapter in which no tag holds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A tag of a scene: what was to be seen from one moment up to another."""

    name: str
    since: int
    until: int | None


def of_days(days: Sequence[Mark]) -> list[Mark]:
    """A chapter for each day; of a long film for each month, then for each year."""
    found = [Mark(day.start, day.moment, _spoken(day.name)) for day in days]
    for length in (7, 4):
        if len(found) <= MOST:
            break
        names = dict[str, Mark]()
        for day in days:
            name = day.name[:length]
            names.setdefault(name, Mark(day.start, day.moment, name))
        found = list(names.values())
    return found[:MOST]


def edges(spans: Iterable[Span], first: int, last: int) -> list[int]:
    """The moments of a film (first and last of its pictures) at which tags begin or end."""
    found = {first}
    for span in spans:
        found |= {edge for edge in (span.since, span.until) if edge and first < edge <= last}
    return sorted(found)[:MOST]


def of_tags(spans: Sequence[Span], starts: Mapping[int, int]) -> list[Mark]:
    """A chapter wherever a tag begins or ends, named by those that hold from there on.

    Args:
        spans: in any order; they may overlap.
        starts: for each of ``edges`` where the film comes to it, in ticks.
    """
    found: list[Mark] = []
    for moment, start in sorted(starts.items()):
        names = {s.name for s in spans if s.since <= moment and (not s.until or moment < s.until)}
        name = ", ".join(sorted(names)) or NOTHING
        if found and found[-1].start == start:
            found.pop()
        if not found or found[-1].name != name:
            found.append(Mark(start, moment, name))
    return found if len(found) > 1 or (found and found[0].name != NOTHING) else []


def metadata(title: str, began: str | None, chapters: Sequence[Mark], end: int, scale: int) -> str:
    """An ffmetadata file (ffmpeg-formats, Metadata).

    Args:
        title: of the film.
        began: real time of the first picture, ISO 8601; ``None``: there is none.
        chapters: in order.
        end: length of the film in ticks.
        scale: ticks a second.
    """
    lines = [";FFMETADATA1", f"title={_escaped(title)}"]
    if began is not None:
        lines.append(f"creation_time={began}")
    ends = [*(mark.start for mark in chapters[1:]), end]
    for mark, until in zip(chapters, ends, strict=True) if chapters else ():
        lines += ["[CHAPTER]", f"TIMEBASE=1/{scale}", f"START={mark.start}", f"END={until}"]
        lines.append(f"title={_escaped(mark.name)}")
    return "\n".join(lines) + "\n"


def _spoken(day: str) -> str:
    found = date.fromisoformat(day)
    return f"{found.day} {found:%B %Y}"


def _escaped(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    return "".join(f"\\{c}" if c in "=;#\\" else c for c in plain)
