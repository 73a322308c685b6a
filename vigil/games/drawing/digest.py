"""Names pictures by what goes in: the same name, the same pictures."""

from __future__ import annotations

import dataclasses
import hashlib

import msgspec
import numpy as np
import PIL

from vigil.games.drawing.model import Galaxy, Look
from vigil.games.drawing.pictures import VERSION


def digest(galaxy: Galaxy, look: Look, first: int, last: int) -> bytes:
    """SHA-256 of everything that changes a pixel of the pictures of these ticks, and nothing else.

    Args:
        galaxy: all of it; only as much as these ticks show is looked at.
        look: how it is drawn.
        first: the first tick.
        last: the last one; it is in, too.
    """
    part = galaxy.span(first, last)
    arrays = [part.x, part.y, part.first_tick, part.owner_tick, part.owner_star, part.owner]
    told: dict[str, object] = {
        "version": VERSION,
        "look": dataclasses.asdict(look),
        "ticks": [first, last],
    }
    if look.names or look.legend or look.caption != "none":
        told["pillow"] = PIL.__version__
    if look.names:
        told["names"] = part.names
    if look.legend:
        told["players"] = part.players
        arrays += [part.totals.tick, part.totals.player, part.totals.stars]
    if look.caption != "none":
        told["missed"] = part.missed
    if look.caption == "date":
        arrays += [part.clock_tick, part.clock_s]
    if look.fleets:
        arrays += dataclasses.astuple(part.fleets)
    found = hashlib.sha256(msgspec.json.encode(told, order="sorted"))
    for array in arrays:
        found.update(len(array).to_bytes(8, "big"))
        found.update(np.ascontiguousarray(array).tobytes())
    return found.digest()
