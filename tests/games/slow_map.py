"""A map drawn point by point, as slowly as can be: what the fast one is compared with.

It knows nothing of an index, of what changed, or of planes: each picture is made anew, each pixel
asks every star how far it is. Where a text stands is not its business, names excepted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from vigil.games.drawing.model import Look
from vigil.games.drawing.words import FONT

Colour = tuple[int, int, int]
BLACK, WHITE, GREY = (0, 0, 0), (255, 255, 255), (64, 64, 64)

BRIGHT: list[Colour] = [
    (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0),
    (255, 128, 0), (255, 0, 0), (255, 0, 255), (128, 0, 255),
]  # fmt: skip
SAFE: list[Colour] = [
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (240, 228, 66),
    (86, 180, 233), (213, 94, 0), (204, 121, 167), (117, 112, 255),
]  # fmt: skip
SHADES = [8 / 8, 4 / 8, 6 / 8, 2 / 8, 7 / 8, 5 / 8, 3 / 8, 1 / 8]


@dataclass(frozen=True)
class Star:
    id: int
    x: float
    y: float
    first_tick: int
    name: str
    owners: dict[int, int]
    """From a tick on: a player, or -1."""

    def owner(self, tick: int) -> int:
        past = [since for since in self.owners if since <= tick]
        return self.owners[max(past)] if past else -1


@dataclass(frozen=True)
class Fleet:
    tick: int
    x: float
    y: float
    player: int


def colour(look: Look, player: int) -> Colour:
    if player < 0:
        return GREY
    for number, text in look.colours:
        if number == player:
            return int(text[1:3], 16), int(text[3:5], 16), int(text[5:], 16)
    hues = BRIGHT if look.palette == "bright" else SAFE
    shade = SHADES[player % 64 // 8]
    red, green, blue = hues[player % 8]
    return int(red * shade), int(green * shade), int(blue * shade)


def star_colour(look: Look, player: int) -> Colour:
    land = colour(look, player)
    if look.stars == "own":
        return land
    if look.stars == "contrast":
        brightness = land[0] * 0.299 + land[1] * 0.587 + land[2] * 0.114
        return BLACK if brightness > 128 else WHITE
    return {"white": WHITE, "black": BLACK}[look.stars]


def rounded(value: float) -> int:
    return math.floor(value + 0.5)


def yuv(pixel: Colour) -> Colour:
    """ITU-R BT.601 in the limited range, from its luma coefficients."""
    red, green, blue = (part / 255 for part in pixel)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return (
        rounded(16 + 219 * luma),
        rounded(128 + 224 * (blue - luma) / (2 * (1 - 0.114))),
        rounded(128 + 224 * (red - luma) / (2 * (1 - 0.299))),
    )


class SlowMap:
    """Everything of one tick; the whole picture is map."""

    def __init__(
        self, stars: Sequence[Star], look: Look, tick: int, fleets: Sequence[Fleet] = ()
    ) -> None:
        self.look, self.tick = look, tick
        known = [star for star in stars if star.first_tick <= tick]
        self.stars = sorted(known, key=lambda star: (star.first_tick, star.id))
        seen = max((fleet.tick for fleet in fleets if fleet.tick <= tick), default=None)
        self.fleets = [fleet for fleet in fleets if fleet.tick == seen]
        edges: list[tuple[float, float, float, float]] = []
        if look.view is not None:
            edges.append(look.view)
        for star in self.stars:
            x, y, around = star.x / 0.6, star.y / 0.6, look.margin
            low = math.floor(x - around), math.floor(y - around)
            edges.append((*low, math.floor(x + around) + 1, math.floor(y + around) + 1))
        left, top = (min(edge[i] for edge in edges) for i in (0, 1))
        right, bottom = (max(edge[i] for edge in edges) for i in (2, 3))
        scale = min(look.width / (right - left), look.height / (bottom - top))  # pixels a cell
        self.left = left - (look.width / scale - (right - left)) / 2
        self.top = top - (look.height / scale - (bottom - top)) / 2
        self.per_cell = scale / look.block
        self.side = look.star_blocks or max(1, round(self.per_cell / 20))
        self.border = look.border_blocks or max(1, round(self.per_cell / 60))
        self.columns = math.ceil(look.width / look.block)
        self.rows = math.ceil(look.height / look.block)

    def block_of(self, x: float, y: float) -> tuple[int, int]:
        column = math.floor((x / 0.6 - self.left) * self.per_cell)
        return column, math.floor((y / 0.6 - self.top) * self.per_cell)

    def nearest(self, column: int, row: int) -> Star | None:
        x = (column / self.per_cell + self.left) * 0.6
        y = (row / self.per_cell + self.top) * 0.6
        found, least = None, 0.6 * 0.6
        for star in self.stars:
            across, down = x - star.x, y - star.y
            if across * across + down * down < least:
                found, least = star, across * across + down * down
        return found

    def blocks(self) -> list[list[Colour]]:
        owners: list[list[int | None]] = []
        for row in range(self.rows):
            nearest = [self.nearest(column, row) for column in range(self.columns)]
            owners.append([None if star is None else star.owner(self.tick) for star in nearest])
        found = [[self.land(owners, c, r) for c in range(self.columns)] for r in range(self.rows)]
        for star in self.stars:
            for column, row in self.square(star.x, star.y, self.side):
                found[row][column] = star_colour(self.look, star.owner(self.tick))
        if self.look.fleets:
            for fleet in self.fleets:
                square = self.square(fleet.x, fleet.y, self.side + 4)
                ends = [(min(part), max(part)) for part in zip(*square, strict=True)]
                for column, row in square:
                    frame = column in ends[0] or row in ends[1]
                    found[row][column] = WHITE if frame else colour(self.look, fleet.player)
        return found

    def land(self, owners: list[list[int | None]], column: int, row: int) -> Colour:
        mine = owners[row][column]
        if mine is None:
            return BLACK
        if self.look.borders != "none":
            for line in owners[row : row + self.border + 1]:
                for other in line[column : column + self.border + 1]:
                    if other is not None and other != mine:
                        return WHITE if self.look.borders == "white" else BLACK
        return colour(self.look, mine)

    def square(self, x: float, y: float, side: int) -> list[tuple[int, int]]:
        """Blocks around a point's, one more right and below where the side is even."""
        column, row = self.block_of(x, y)
        before = (side - 1) // 2
        return [
            (c, r)
            for r in range(row - before, row - before + side)
            for c in range(column - before, column - before + side)
            if 0 <= r < self.rows and 0 <= c < self.columns
        ]

    def names(self) -> tuple[Image.Image, Image.Image]:
        """What the names cover, and their letters."""
        size = max(9, line(self.look) // 2)
        edge = max(1, size // 10)
        face = ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)
        full = (self.look.width, self.look.height)
        covered, letters = Image.new("L", full), Image.new("L", full)
        taken: list[tuple[int, int, int, int]] = []
        for star in self.stars:
            column, row = self.block_of(star.x, star.y)
            width = math.ceil(face.getlength(star.name)) + 2 * edge
            height = sum(face.getmetrics()) + 2 * edge
            left = column * self.look.block + self.look.block // 2 - width // 2
            top = (row + self.side // 2 + 1) * self.look.block
            right, bottom = left + width, top + height
            free = all(
                right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
                for other in taken
            )
            if free and left >= 0 and top >= 0 and right <= full[0] and bottom <= full[1]:
                taken.append((left, top, right, bottom))
                at = (edge, edge)
                with_outline = Image.new("L", (width, height))
                ImageDraw.Draw(with_outline).text(
                    at, star.name, fill=255, font=face, stroke_width=edge, stroke_fill=255
                )
                covered.paste(with_outline, (left, top))
                inner = Image.new("L", (width - 2 * edge, height - 2 * edge))
                ImageDraw.Draw(inner).text((0, 0), star.name, fill=255, font=face)
                letters.paste(inner, (left + edge, top + edge))
        return covered, letters

    def picture(self) -> bytes:
        look = self.look
        blocks = self.blocks()
        pixels = [
            [yuv(blocks[y // look.block][x // look.block]) for x in range(look.width)]
            for y in range(look.height)
        ]
        covered, letters = self.names() if look.names else (None, None)
        planes: list[bytearray] = [bytearray(), bytearray(), bytearray()]
        for y in range(look.height):
            for x in range(look.width):
                luma = pixels[y][x][0]
                if covered is not None and letters is not None:
                    white = level(letters, x, y)
                    any_ink = max(level(covered, x, y), white)
                    mixed = luma * (255 - any_ink) + 235 * white + 16 * (any_ink - white)
                    luma = (mixed + 127) // 255
                planes[0].append(luma)
        for y in range(0, look.height, 2):
            for x in range(0, look.width, 2):
                four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)]
                for channel in (1, 2):
                    mean = (sum(pixels[b][a][channel] for a, b in four) + 2) // 4
                    if covered is not None and letters is not None:
                        ink = [max(level(covered, *at), level(letters, *at)) for at in four]
                        bare = (sum(255 - one for one in ink) + 2) // 4
                        mean = (mean * bare + 128 * (255 - bare) + 127) // 255
                    planes[channel].append(mean)
        return b"".join(bytes(plane) for plane in planes)


def level(image: Image.Image, x: int, y: int) -> int:
    found = image.getpixel((x, y))
    assert isinstance(found, int | float), "it has one channel"
    return int(found)


def line(look: Look) -> int:
    """Height of a line of text, from which all text has its size."""
    return max(14, round(min(look.width, look.height) / 36) // 2 * 2)
