"""Shots cut into windows, and the windows' names; pure.

A window's name is the SHA-256 of the film's settings and of its shots as packed here: whatever
changes a pixel is in one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigil.films.model import MICROSECOND, Film
from vigil.films.scene.bounds import ALWAYS
from vigil.films.scene.rows import Rows
from vigil.films.scene.shots import Shots
from vigil.films.segments import encode


@dataclass(frozen=True, slots=True)
class Window:
    """The shots of one segment, and its name."""

    start: int
    shots: Shots
    before: Shots | None
    """The one shot before them, when the first of them blends from it."""
    hash: str
    moments: bytes


def cut_windows(
    film: Film,
    scenes: Sequence[Rows],
    found: Shots,
    since: int = -ALWAYS,
    references: Sequence[bytes] = (),
) -> list[Window]:
    """Cut shots into windows, from the one that begins at ``since`` on, and name them."""
    if not len(found):
        return []
    slot, window = film.slot // MICROSECOND, film.window // MICROSECOND
    starts = found["slot"] * slot // window * window
    begins = np.flatnonzero(np.diff(starts, prepend=np.int64(-ALWAYS)))
    ends = np.append(begins[1:], len(found))
    settings = encode.settings(film) + b"".join(references)
    packed, width = _packed(film, scenes, found)
    earlier = found[np.maximum(begins - 1, 0)]
    earlier["pictures"], earlier["fade"] = 1, 0  # how long it stood is of no account here
    blended, _ = _packed(film, scenes, earlier)
    spread = np.repeat(found["moment"], found["pictures"]).astype(">i8").tobytes()
    at = np.concatenate([[0], np.cumsum(found["pictures"])]) * 8
    made = []
    for number, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        start = int(starts[begin])
        if start < since:
            continue
        blends = begin > 0 and found["fade"][begin] > 0
        name = hashlib.sha256(settings)
        name.update(packed[begin * width : end * width])
        if blends:
            name.update(blended[number * width : (number + 1) * width])
        made.append(
            Window(
                start=start,
                shots=found[begin:end],
                before=earlier[number : number + 1] if blends else None,
                hash=name.hexdigest(),
                moments=spread[at[begin] : at[end]],
            )
        )
    return made


def _packed(film: Film, scenes: Sequence[Rows], found: Shots) -> tuple[bytes, int]:
    """What of each shot changes a pixel, and how many bytes that is a shot."""
    look, number = film.making.look, len(scenes)
    said = np.zeros(
        len(found),
        [
            ("moment", "<i8"),
            ("pictures", "<i4"),
            ("fade", "<i4"),
            ("hole", "<i8"),
            ("frame", "V32", (number,)),
            ("day", "V32", (number,)),
            ("gain", "<f4", (number,)),
        ],
    )
    if look.stamp is not None or look.pan is not None or look.gaps == "mark":
        said["moment"] = found["moment"]
    for name in ("pictures", "fade", "hole", "gain"):
        said[name] = found[name]
    for scene, rows in enumerate(scenes):
        for field, row in (("frame", found["row"][:, scene]), ("day", found["day"][:, scene])):
            there = row >= 0
            said[field][there, scene] = rows["digest"][row[there]]
    return said.tobytes(), said.dtype.itemsize
