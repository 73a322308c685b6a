"""A small still picture of a game's map, drawn as its films are."""

from __future__ import annotations

import asyncio
import io

import numpy as np
from PIL import Image

from vigil.games.drawing import colours, view
from vigil.games.drawing.model import Look
from vigil.games.drawing.territory import Territory
from vigil.games.model import UNKNOWN, History

WIDTH, HEIGHT = 640, 360
"""Pixels."""
MARK = 3
"""Edge of a star's square, in pixels."""


async def png(history: History, tick: int) -> bytes:
    """The map at a tick; all stars are in sight from the beginning, so it stays in its place."""
    return await asyncio.to_thread(_draw, history, tick)


def _draw(history: History, tick: int) -> bytes:
    x = np.array([star.x for star in history.stars], np.float64)
    y = np.array([star.y for star in history.stars], np.float64)
    owners = history.at(tick)
    known = np.flatnonzero(owners != UNKNOWN)
    grid = view.Grid.of(WIDTH, HEIGHT, 1, view.cells(x, y, 1.0))
    players = [player.uid for player in history.players]
    numbers = colours.numbers(players, owners[known].astype(np.int64))
    land = np.append(numbers, np.uint8(colours.VOID))[Territory(grid, x[known], y[known]).star]
    for star in known.tolist():
        land[grid.around(*grid.place(x[star], y[star]), MARK).at] = colours.WHITE
    look = Look(width=WIDTH, height=HEIGHT, palette="safe")
    picture = Image.fromarray(land, "P")
    picture.putpalette(colours.rgb(look, players).tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
