"""Films and segments as rows have them, for tests of what is made of these."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from vigil.films.model import Film, Listed, moment_of
from vigil.films.timeline import Piece

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SECOND = 1_000_000


def hash_of(number: int) -> str:
    """A name for the segment of this number."""
    return f"{number:064x}"


def a_film(**other: Any) -> Film:
    """A film of a scene that is done: 10 pictures a second, 20 real seconds a segment."""
    values: dict[str, Any] = {
        "id": 1,
        "title": "A film",
        "kind": "scene",
        "scene_id": 1,
        "scenes": (1,),
        "camera": "garden",
        "retention_s": 86400.0,
        "time_zone": "UTC",
        "from_at": START,
        "to_at": START,
        "rolling_s": None,
        "speed": 10,
        "fps": 10,
        "width": 160,
        "height": 90,
        "window_s": 20,
        "options": {},
        "state": "done",
        "error": None,
        "next_at": None,
        "watched_at": None,
        "planned_id": 0,
        "dropped_segments": 0,
        "dropped_ticks": 0,
        "dropped_discontinuities": 0,
        "dropped_init": None,
        "job_id": None,
        "file_blob": None,
        "file_bytes": None,
        "file_key": None,
        "created_at": START,
        "changed_at": START,
    }
    return Film(**(values | other))


def segment(number: int, duration_s: float = 2.0, **other: Any) -> Listed:
    """A segment of 20 pictures, the number-th of a film from ``START`` on."""
    first = moment_of(START) + 20 * number * SECOND
    values: dict[str, Any] = {
        "start": first,
        "wanted": hash_of(number),
        "hash": hash_of(number),
        "pictures": 20,
        "first": first,
        "last": first + 19 * SECOND,
        "closed": True,
        "lost": 0,
        "error": None,
        "frames": 20,
        "bytes": 1000,
        "duration_s": duration_s,
        "init": "a",
    }
    return Listed(**(values | other))


def piece(number: int, start: int, moments: Sequence[int], step: int = 1000) -> Piece:
    """A piece of a film whose pictures show these moments."""
    packed = np.array(moments, ">i8").tobytes()
    frames = len(moments)
    return Piece(number, start, frames * step, frames, moments[0], moments[-1], packed)
