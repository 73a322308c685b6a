"""Colours of players, and what the encoder takes instead of them.

Every pixel of a map is a *colour number*: void, white, nobody's, then one for each player. Video
is YUV in its limited range with the matrix of BT.601, as everywhere in films.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from vigil.games.drawing.model import NOBODY, Bytes, Ints, Look, Palette, StarStyle

VOID, BLACK, WHITE, UNOWNED = 0, 1, 2, 3
"""Colour numbers that no player has. Void is black, too, but has no borders."""
FIRST_PLAYER = 4
MOST_PLAYERS = 256 - FIRST_PLAYER

_FIXED = [(0, 0, 0), (0, 0, 0), (255, 255, 255), (64, 64, 64)]
_HUES: dict[Palette, list[tuple[int, int, int]]] = {
    # as players of NPTimelapse know them
    "bright": [
        *((0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0)),
        *((255, 128, 0), (255, 0, 0), (255, 0, 255), (128, 0, 255)),
    ],
    # M. Okabe, K. Ito, "Color Universal Design", 2008; the eighth, which is black there, is a
    # violet here, where the void is black
    "safe": [
        *((0, 114, 178), (230, 159, 0), (0, 158, 115), (240, 228, 66)),
        *((86, 180, 233), (213, 94, 0), (204, 121, 167), (117, 112, 255)),
    ],
}
_SHADES = (1, 0.5, 0.75, 0.25, 7 / 8, 5 / 8, 3 / 8, 1 / 8)

_MATRIX = np.array(
    [
        [65.481, 128.553, 24.966],
        [-37.797, -74.203, 112.0],
        [112.0, -93.786, -18.214],
    ]
)  # ITU-R BT.601-7, 2.5.3 and 3.5, for R, G, B from 0 to 1


def player_colour(palette: Palette, number: int) -> tuple[int, int, int]:
    """Red, green and blue of a player: eight hues in eight shades, then again from the start."""
    shade = _SHADES[number // 8 % 8]
    red, green, blue = _HUES[palette][number % 8]
    return int(red * shade), int(green * shade), int(blue * shade)


def rgb(look: Look, players: Sequence[int]) -> Bytes:
    """Red, green and blue by colour number.

    Raises ValueError for more than ``MOST_PLAYERS`` players or a colour that is none.
    """
    if len(players) > MOST_PLAYERS:
        raise ValueError(f"a map has colours for {MOST_PLAYERS} players")
    own = {number: parse(text) for number, text in look.colours}
    colours = [own.get(number) or player_colour(look.palette, number) for number in players]
    return np.array(_FIXED + colours, np.uint8)


def parse(text: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``; raises ValueError."""
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise ValueError(f"{text} is not a colour such as #ff8000")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def yuv(colours: Bytes) -> Bytes:
    """Y, U and V of red, green and blue."""
    exact = colours / 255.0 @ _MATRIX.T + (16.0, 128.0, 128.0)
    rounded: Bytes = np.floor(exact + 0.5).astype(np.uint8)
    return rounded


def numbers(players: Sequence[int], owners: Ints) -> Bytes:
    """The colour numbers of what these players own.

    Args:
        players: all of them, ascending.
        owners: a player of them, or ``NOBODY``, each.
    """
    found = FIRST_PLAYER + np.searchsorted(np.asarray(players, np.int64), owners)
    there: Bytes = np.where(owners == NOBODY, UNOWNED, found).astype(np.uint8)
    return there


def markers(style: StarStyle, colours: Bytes) -> Bytes:
    """The colour number of a star's square, by the colour number of its territory."""
    every = np.arange(len(colours), dtype=np.uint8)
    if style == "own":
        return every
    if style == "contrast":
        light = colours @ np.array([0.299, 0.587, 0.114]) > 128
        return np.where(light, BLACK, WHITE).astype(np.uint8)
    return np.full_like(every, WHITE if style == "white" else BLACK)
