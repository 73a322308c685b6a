"""What an import is, and what becomes of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Rule = Literal["auto", "exif", "name", "mtime"]
"""How times are known; ``auto``: the first of the others that says something, in this order."""
Way = Literal["exif", "name", "mtime"]


@dataclass(frozen=True, slots=True)
class File:
    """A file of a place."""

    path: str
    """Below the place; may hold surrogates where a name is no UTF-8."""
    size: int
    modified: datetime
    """UTC."""

    @property
    def shown(self) -> str:
        """The path for people and programs: UTF-8, whatever it is."""
        return self.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Import:
    """A place whose pictures become frames of a camera, and how far that is."""

    id: int
    camera_id: int
    camera: str
    """Its name."""
    place: str
    pattern: str
    rule: Rule
    time_zone: str
    clock_offset_s: float
    keep: bool
    job_id: int | None
    cursor: bytes | None
    total_files: int | None
    total_bytes: int | None
    files: int
    bytes: int
    added: int
    known: int
    refused: int
    mended: int
    shifted: int
    ways: Mapping[str, int]
    refusals: Mapping[str, Mapping[str, Any]]
    """Reason → count, message, examples."""
    first_at: datetime | None
    last_at: datetime | None
    busy_s: float
    files_per_s: float | None
    bytes_per_s: float | None
    created_at: datetime
    checkpoint_at: datetime
    finished_at: datetime | None

    @property
    def seconds_left(self) -> float | None:
        """How long it will take from here; ``None`` when nobody can know."""
        if self.total_files is None or not self.files_per_s or self.finished_at is not None:
            return None
        return max(0, self.total_files - self.files) / self.files_per_s


@dataclass(frozen=True, slots=True)
class Near:
    """A frame that is there at about a time."""

    id: int
    taken_at: datetime
    sha256: bytes
    received_at: datetime
    kept: bool


@dataclass(kw_only=True)
class Tally:
    """What became of some files, to be added to what an import knows of itself."""

    files: int = 0
    bytes: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0
    mended: int = 0
    shifted: int = 0
    ways: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, dict[str, Any]] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None

    def way(self, way: Way, taken_at: datetime, *, mended: bool) -> None:
        """Count how a time was known."""
        self.ways[way] = self.ways.get(way, 0) + 1
        self.mended += mended
        self.first_at = min(self.first_at or taken_at, taken_at)
        self.last_at = max(self.last_at or taken_at, taken_at)

    def refuse(self, file: File, reason: str, message: str) -> None:
        """Count a file that becomes no frame."""
        self.refused += 1
        told = self.refusals.setdefault(reason, {"count": 0, "message": message, "examples": []})
        told["count"] += 1
        if len(told["examples"]) < MOST_EXAMPLES:
            told["examples"].append(file.shown[-300:])


MOST_EXAMPLES = 5


def merged(
    before: Mapping[str, Mapping[str, Any]], more: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Refusals of both."""
    found = dict(before)
    for reason, told in more.items():
        old = found.get(reason, {"count": 0, "examples": []})
        found[reason] = {
            "count": old["count"] + told["count"],
            "message": told["message"],
            "examples": [*old["examples"], *told["examples"]][:MOST_EXAMPLES],
        }
    return found
