"""What a film of a game may look like. Kept in films.options: ``{"game", "view", "wishes"}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from vigil.errors import Invalid
from vigil.films.model import Film
from vigil.films.options import Options
from vigil.games.drawing.model import CELL_PX, BorderStyle, Caption, Look, Palette, StarStyle
from vigil.games.drawing.view import Cells, Layout, native_size

Tick = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Colour = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "1440p": (2560, 1440), "4k": (3840, 2160)}
LEAST, MOST = (64, 64), (3840, 2160)
"""Width and height."""
SMOOTHEST = 6
MARGIN = 0.5
"""Cells around the outermost stars, unless the size is the native one."""


class Wishes(Options, frozen=True):
    """A film of a game as somebody asks for it; everything has a default."""

    title: Annotated[str, Meta(max_length=200)] = ""
    size: Annotated[str, Meta(max_length=20)] = "1080p"
    """``720p``, ``1080p``, ``1440p``, ``4k``, ``native`` (60 pixels for each 0.6 units, as
    NPTimelapse) or ``1280x720``."""
    smoothness: Annotated[int, Meta(ge=1, le=SMOOTHEST)] = SMOOTHEST
    """1: large squares, as NPTimelapse's default; 6: every pixel on its own."""
    stars: StarStyle = "contrast"
    borders: BorderStyle = "black"
    palette: Palette = "safe"
    colours: dict[str, Colour] = field(default_factory=dict)
    """Colours of single players by their number."""
    names: bool = False
    caption: Caption = "date"
    legend: bool = True
    fleets: bool = False
    fps: Annotated[float, Meta(ge=1, le=60)] = 24.0
    """Pictures a second."""
    frames_per_tick: Annotated[int, Meta(ge=1, le=60)] = 1
    """Pictures that show the same tick."""
    from_tick: Tick | None = None
    """``None``: the first that was recorded."""
    to_tick: Tick | None = None
    """The last one; ``None``: the last there is, and as long as the game runs it grows."""


class Chosen(Options, frozen=True):
    """What stands in films.options."""

    game: int
    from_tick: int
    view: Cells
    """What is in sight from the beginning; stars seen later may widen it."""
    wishes: Wishes = Wishes()


_EXAMPLE = 'send an object such as {"size": "1080p", "borders": "black", "stars": "contrast"}'
_BOOLS = ("names", "legend", "fleets")


def parse(body: Any) -> Wishes:
    """Wishes from JSON or a form; raises Invalid, naming what is wrong.

    A form's values are text, empty ones count as missing, ``on`` and ``off`` are true and false,
    and the colour of player 3 is ``colour-3``.
    """
    if isinstance(body, Mapping):
        given = {key: value for key, value in body.items() if value not in (None, "")}
        picked = {key: given.pop(key) for key in list(given) if key.startswith("colour-")}
        if picked:
            given["colours"] = {key.removeprefix("colour-"): picked[key] for key in picked}
        for name in _BOOLS:
            given |= {name: given[name] == "on"} if given.get(name) in ("on", "off") else {}
        body = given
    try:
        wishes = msgspec.convert(body, Wishes, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"this film cannot be made: {error}", hint=_EXAMPLE) from None
    if not all(re.fullmatch("[0-9]{1,9}", number) for number in wishes.colours):
        raise Invalid("a colour belongs to the number of a player", hint='"colours": {"3": "#ff0"}')
    if wishes.to_tick is not None and (wishes.from_tick or 0) > wishes.to_tick:
        raise Invalid("the film ends before it begins", hint='"to_tick" must not be less')
    return wishes


def chosen(film: Film) -> Chosen:
    """The options of a film of a game."""
    return msgspec.convert(film.options, Chosen)


def written(options: Chosen) -> dict[str, Any]:
    """The same as JSON values, defaults left out."""
    found: dict[str, Any] = msgspec.to_builtins(options)
    return found


def look(options: Chosen, width: int, height: int, players: int) -> Look:
    """How such a film is drawn; the squares stay as large if the view widens."""
    wishes = options.wishes
    found = Look(
        width=width,
        height=height,
        stars=wishes.stars,
        borders=wishes.borders,
        palette=wishes.palette,
        colours=tuple(sorted((int(number), text) for number, text in wishes.colours.items())),
        names=wishes.names,
        caption=wishes.caption,
        legend=wishes.legend,
        fleets=wishes.fleets,
        margin=0.0 if wishes.size == "native" else MARGIN,
        view=options.view,
    )
    area = Layout.of(found, players).map
    left, top, right, bottom = options.view
    cell_px = min(area.width / (right - left), area.height / (bottom - top))
    blocks = (SMOOTHEST + 1 - wishes.smoothness) * cell_px / CELL_PX
    block = max(1, round(blocks)) if wishes.smoothness < SMOOTHEST else 1
    return replace(found, block=block)


def size(wishes: Wishes, view: Cells, players: int) -> tuple[int, int]:
    """Width and height of the pictures, even; raises Invalid for what is no size."""
    named = SIZES.get(wishes.size.lower())
    if named is not None:
        return named
    if wishes.size == "native":
        return _native(wishes, view, players)
    match = re.fullmatch(r"\s*(\d{2,4})\s*[x×]\s*(\d{2,4})\s*", wishes.size)
    if not match:
        known = ", ".join((*SIZES, "native"))
        raise Invalid(f"{wishes.size} is no size", hint=f"give one of {known}, or 1280x720")
    found = int(match[1]), int(match[2])
    for value, least, most in zip(found, LEAST, MOST, strict=True):
        if not least <= value <= most:
            raise Invalid(f"{wishes.size} is too small or too large: 64x64 to 3840x2160")
    return found[0] // 2 * 2, found[1] // 2 * 2


def _native(wishes: Wishes, view: Cells, players: int) -> tuple[int, int]:
    """The map at 60 pixels a cell and beside it the text, as long as there is room for it."""
    map_width, map_height = native_size(view)
    width, height = map_width, map_height
    for _ in range(3):  # the height of a line depends on the size
        width, height = min(max(width, LEAST[0]), MOST[0]), min(max(height, LEAST[1]), MOST[1])
        area = Layout.of(
            Look(width=width, height=height, caption=wishes.caption, legend=wishes.legend), players
        ).map
        width += max(0, map_width - area.width)
        height += max(0, map_height - area.height)
    return min(width, MOST[0]), min(height, MOST[1])
