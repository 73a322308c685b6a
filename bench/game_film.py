"""A film of a recorded game, against the way NPTimelapse makes it and against ffmpeg alone.

300 stars, 500 ticks, 840×840, two stars a tick that change hands. NPTimelapse's way: a loop over
the pixels around each of these, every pixel a rectangle drawn by Pillow, a PNG for each tick, then
moviepy, which is no package of ours: as it does, every PNG is read twice, once for its size, and
handed to ffmpeg as raw RGB. ffmpeg alone: the same raw pictures from memory. Encoder, preset and
quality are the same on all sides. At full smoothness a part of the ticks is drawn that way and the
rest is reckoned from it. Pictures of both ways are compared before anything is measured.

Ours is measured twice: pictures drawn and piped to one ffmpeg; and a film as people order it, with
its plan, jobs, segments and joined file, a renderer of two jobs, a real database and blob store.
A calm game, in which half a star a tick changes hands, is measured too: NPTimelapse's way has less
to draw again there. Also: 2,000 stars at 1080p, for 1,000 ticks and for 5,000, each in a process of
its own.

    .venv/bin/python -m bench.game_film [--ticks 500] [--rounds 3] [--sample 12] [--long 5000]
        [--only theirs,plain,calm,room,long]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from math import sqrt
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench import films
from bench.harness import Result, Side, compare, machine
from vigil import ffmpeg
from vigil.context import Context
from vigil.games import filming
from vigil.games.drawing import colours
from vigil.games.drawing.model import Galaxy, Look
from vigil.games.drawing.names import mean4
from vigil.games.drawing.pictures import pictures
from vigil.games.filming import Wishes

FPS = 24
ENCODER = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p"]
TAGS = "setparams=range=tv:colorspace=smpte170m:color_primaries=bt709:color_trc=bt709"
MEMORY = Path("/dev/shm")  # where there is one


@dataclass(frozen=True)
class Recorded:
    """A game as its changes: what both ways draw."""

    places: list[tuple[float, float]]
    changes: list[list[tuple[int, int]]]
    """By tick: (star, player)."""

    @property
    def galaxy(self) -> Galaxy:
        """The same as ours takes it."""
        stars = {number: (x, y, 0, "") for number, (x, y) in enumerate(self.places)}
        rows = [
            (tick, star, player)
            for tick, changes in enumerate(self.changes)
            for star, player in changes
        ]
        return Galaxy.of(stars, rows, {})


def play(
    stars: int, ticks: int, cells: tuple[int, int], players: int = 8, most: int | None = None
) -> Recorded:
    """Empires that grow from their home stars to their neighbours, then fight on their borders; of
    75 stars at most one changes hands in a tick, or so many as ``most`` says."""
    rng = random.Random(stars)
    wide, high = cells[0] * 0.6, cells[1] * 0.6
    places = [(0.01, 0.01), (wide - 0.01, high - 0.01)]  # these make the map as large as it is
    places += [(rng.uniform(0, wide), rng.uniform(0, high)) for _ in range(stars - 2)]
    at = np.array(places)
    near = [np.argsort(((at - one) ** 2).sum(axis=1))[1:7].tolist() for one in at]
    owner = dict(zip(rng.sample(range(stars), players), range(players), strict=True))
    changes = [list(owner.items())]
    for _ in range(1, ticks):
        taken: dict[int, int] = {}
        fronts = [
            (one, owner[star])
            for star in owner
            for one in near[star]
            if owner.get(one) != owner[star]
        ]
        taken |= rng.sample(fronts, min(len(fronts), rng.randint(0, most or max(1, stars // 75))))
        changes.append(list(taken.items()))
        owner |= taken
    return Recorded(places, changes)


class PixelByPixel:
    """NPTimelapse's way: a grid of cells, nine of which are searched for every square drawn."""

    REACH = 0.6

    def __init__(
        self, places: list[tuple[float, float]], cells: tuple[int, int], size: int
    ) -> None:
        self.size, self.per_cell = size, 60 // size
        self.cells = cells
        table = colours.rgb(Look(width=2, height=2), range(64))
        self.colour = [tuple(map(int, one)) for one in table[colours.FIRST_PLAYER :]]
        self.places, self.owner = places, [-1] * len(places)
        self.grid: dict[tuple[int, int], list[int]] = {}
        for star, (x, y) in enumerate(places):
            self.grid.setdefault(self.cell(x, y), []).append(star)
        self.image = Image.new("RGB", (cells[0] * 60, cells[1] * 60))
        self.draw = ImageDraw.Draw(self.image)
        for cx in range(cells[0]):
            for cy in range(cells[1]):
                self.draw_cell(cx, cy)
        self.draw_stars()

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """The cell that a point is in."""
        return int(x // self.REACH), int(y // self.REACH)

    def square(self, x: int, y: int, colour: tuple[int, ...]) -> None:
        """Draw one square of the map."""
        size = self.size
        ends = [x * size, y * size, (x + 1) * size - 1, (y + 1) * size - 1]
        self.draw.rectangle(ends, colour, colour)

    def land(self, owner: int) -> tuple[int, ...]:
        """Colour of what a player owns."""
        return (64, 64, 64) if owner == -1 else self.colour[owner]

    def draw_cell(self, cx: int, cy: int) -> None:
        """Draw a cell, asking every star of the nine around how far it is."""
        for x in range(cx * self.per_cell, (cx + 1) * self.per_cell):
            for y in range(cy * self.per_cell, (cy + 1) * self.per_cell):
                mx, my = x / self.per_cell * self.REACH, y / self.per_cell * self.REACH
                least, nearest = self.REACH, None
                for gx in range(cx - 1, cx + 2):
                    for gy in range(cy - 1, cy + 2):
                        for star in self.grid.get((gx, gy), ()):
                            sx, sy = self.places[star]
                            distance = sqrt((mx - sx) ** 2 + (my - sy) ** 2)
                            if distance < least:
                                least, nearest = distance, star
                owned = (0, 0, 0) if nearest is None else self.land(self.owner[nearest])
                self.square(x, y, owned)

    def draw_stars(self) -> None:
        """Draw the squares that stars are in."""
        for star, (x, y) in enumerate(self.places):
            bx, by = (int(part / self.REACH * self.per_cell) for part in (x, y))
            self.square(bx, by, self.land(self.owner[star]))

    def update(self, changes: list[tuple[int, int]]) -> None:
        """Go on to the next tick."""
        if not changes:
            return
        again = set()
        for star, player in changes:
            cx, cy = self.cell(*self.places[star])
            again |= {(x, y) for x in range(cx - 1, cx + 2) for y in range(cy - 1, cy + 2)}
            self.owner[star] = player
        for x, y in sorted(again):
            if 0 <= x < self.cells[0] and 0 <= y < self.cells[1]:
                self.draw_cell(x, y)
        self.draw_stars()

    def planes(self) -> bytes:
        """The image as ours are, to compare them."""
        rgb = np.asarray(self.image)
        table, which = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
        yuv = colours.yuv(table)[which.reshape(rgb.shape[:2])].astype(np.uint16)
        small = [mean4(yuv[:, :, channel]).astype(np.uint8).tobytes() for channel in (1, 2)]
        return b"".join((yuv[:, :, 0].astype(np.uint8).tobytes(), *small))


class Bench:
    """One game, drawn in all ways."""

    def __init__(self, scratch: Path, ticks: int, sample: int, most: int | None = None) -> None:
        self.cells = (14, 14)
        self.game = play(300, ticks, self.cells, most=most)
        self.changes = sum(map(len, self.game.changes))
        self.galaxy = self.game.galaxy
        self.ticks, self.sample, self.scratch = ticks, sample, scratch
        self.out = scratch / "film.mp4"

    @property
    def said(self) -> str:
        """What is drawn."""
        return f"{self.ticks} ticks, {self.changes} changes"

    def look(self, block: int) -> Look:
        """As NPTimelapse draws, so large a square."""
        return Look(width=840, height=840, block=block, star_blocks=1)

    def check(self, block: int, every: int) -> None:
        """Both ways draw the same pictures."""
        theirs = PixelByPixel(self.game.places, self.cells, block)
        drawn = pictures(self.galaxy, self.look(block), 0, self.ticks - 1)
        for tick, (ours, changes) in enumerate(zip(drawn, self.game.changes, strict=True)):
            theirs.update(changes)
            if tick % every == 0 and theirs.planes() != ours:
                sys.exit(f"tick {tick} differs at {block} pixels a square")
            if block == 1 and tick >= every:
                return

    async def ours(self, block: int) -> float:
        """Draw and encode."""
        begin = time.perf_counter()
        size = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "840x840", "-framerate", str(FPS)]
        await ffmpeg.run(
            ["-y", *size, "-i", "pipe:0", "-vf", TAGS, *ENCODER, str(self.out)],
            input=pictures(self.galaxy, self.look(block), 0, self.ticks - 1),
        )
        return time.perf_counter() - begin

    async def theirs(self, block: int) -> float:
        """Draw, write PNGs, encode these."""
        begin = time.perf_counter()
        folder = self._folder()
        drawing = PixelByPixel(self.game.places, self.cells, block)
        for tick, changes in enumerate(self.game.changes):
            drawing.update(changes)
            drawing.image.save(folder / f"{tick:04}.png")
        await self._encode(folder)
        return time.perf_counter() - begin

    def _folder(self) -> Path:
        folder = self.scratch / "png"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    async def _encode(self, folder: Path) -> None:
        files = sorted(folder.iterdir())
        sizes = {np.asarray(Image.open(file)).shape for file in files}
        assert len(sizes) == 1

        async def decoded() -> AsyncIterator[bytes]:
            for file in files:
                yield np.asarray(Image.open(file)).tobytes()

        size = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "840x840", "-framerate", str(FPS)]
        await ffmpeg.run(["-y", *size, "-i", "pipe:0", *ENCODER, str(self.out)], input=decoded())

    async def reckoned(self, block: int) -> float:
        """Theirs from a part of the ticks, spread over the game; the first picture is whole."""
        folder = self._folder()
        begin = time.perf_counter()
        drawing = PixelByPixel(self.game.places, self.cells, block)
        first = time.perf_counter() - begin
        chosen = range(0, self.ticks, max(1, self.ticks // self.sample))
        begin = time.perf_counter()
        for number, tick in enumerate(chosen):
            drawing.update(self.game.changes[tick])
            drawing.image.save(folder / f"{number:04}.png")
        await self._encode(folder)
        return first + (time.perf_counter() - begin) / len(chosen) * self.ticks

    def write_raw(self, block: int) -> Path:
        """The same pictures in memory."""
        path = (MEMORY if MEMORY.is_dir() else self.scratch) / f"game_film_{block}.yuv"
        with path.open("wb") as file:
            for picture in pictures(self.galaxy, self.look(block), 0, self.ticks - 1):
                file.write(picture)
        return path

    async def plain(self, raw: Path) -> float:
        """Encode only."""
        begin = time.perf_counter()
        size = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "840x840", "-framerate", str(FPS)]
        await ffmpeg.run(["-y", *size, "-i", str(raw), "-vf", TAGS, *ENCODER, str(self.out)])
        return time.perf_counter() - begin


async def compared(bench: Bench, only: set[str], rounds: int) -> AsyncIterator[Result]:
    """Both smoothnesses, against both others."""
    for title, block, theirs in (
        ("its default", 6, partial(bench.theirs, 6)),
        ("full smoothness", 1, partial(bench.reckoned, 1)),
    ):
        if "theirs" in only:
            bench.check(block, 50 if block > 1 else 3)
            yield await compare(
                f"{bench.said}, {title}, against NPTimelapse's way",
                Side("vigil", partial(bench.ours, block)),
                Side("NPTimelapse's way", theirs),
                unit="s",
                rounds=rounds,
                warm_up=False,
            )
        if "plain" in only:
            raw = bench.write_raw(block)
            try:
                yield await compare(
                    f"{bench.said}, {title}, against ffmpeg alone",
                    Side("plain ffmpeg", partial(bench.plain, raw)),
                    Side("vigil", partial(bench.ours, block)),
                    unit="s",
                    rounds=rounds,
                )
            finally:
                raw.unlink()


async def room(bench: Bench, rounds: int) -> AsyncIterator[Result]:
    """A film as people order it, against ffmpeg alone."""
    async with films.house() as (context, _), films.renderers(context, 1, 2):
        game_id = await keep(context, bench.game)
        for title, block in (("its default", 6), ("full smoothness", 1)):
            wishes = Wishes(
                size="native",
                smoothness=7 - block,
                stars="own",
                borders="none",
                palette="bright",
                caption="none",
                legend=False,
            )

            async def made(wishes: Wishes = wishes) -> float:
                await films.forget(context)
                film_id = await filming.order(context, game_id, wishes)
                return await films.timed(films.until(context, film_id, joined=True))

            raw = bench.write_raw(block)
            try:
                yield await compare(
                    f"{bench.said}, {title}, a film with jobs and segments",
                    Side("plain ffmpeg", partial(bench.plain, raw)),
                    Side("vigil", made),
                    unit="s",
                    rounds=rounds,
                )
            finally:
                raw.unlink()


async def keep(context: Context, game: Recorded) -> int:
    """The game as it was recorded; over."""
    game_id: int = await context.pool.fetchval(
        """
        INSERT INTO games (site, number, name, version, state, tick_rate_s, closed_at, created_at,
            changed_at)
        VALUES ('np', '1', 'A game', 2, 'finished', 3600, now(), now(), now()) RETURNING id
        """
    )
    pool, last = context.pool, len(game.changes) - 1
    await pool.executemany(
        "INSERT INTO game_stars VALUES ($1, $2, '', $3, $4, 0)",
        [(game_id, star, x, y) for star, (x, y) in enumerate(game.places)],
    )
    owners = [
        (game_id, star, tick, player)
        for tick, changes in enumerate(game.changes)
        for star, player in changes
    ]
    await pool.executemany("INSERT INTO game_owners VALUES ($1, $2, $3, $4)", owners)
    await pool.execute("INSERT INTO game_spans VALUES ($1, 0, $2, now(), now())", game_id, last)
    return game_id


async def long_film(ticks: int) -> None:
    """A big galaxy at 1080p; prints what it took."""
    galaxy = play(2000, ticks, (48, 27), players=32).galaxy
    look = Look(width=1920, height=1080, borders="black", stars="contrast", caption="tick")
    size = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1920x1080", "-framerate", str(FPS)]
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        out = str(Path(folder) / "film.mp4")
        await ffmpeg.run(
            [*size, "-i", "pipe:0", "-vf", TAGS, *ENCODER, out],
            input=pictures(galaxy, look, 0, ticks - 1),
        )
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ticks": ticks, "seconds": round(seconds, 1), "peak_mb": round(peak, 1)}))


async def main(options: argparse.Namespace) -> None:
    """Measure everything."""
    if options.only_long:
        await long_film(options.only_long)
        return
    only, found = set(options.only.split(",")), []

    def told(one: Result | dict[str, float]) -> None:
        found.append(one.as_object() if isinstance(one, Result) else one)
        if not options.json:
            print(one, flush=True)

    if not options.json:
        print(machine())
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        bench = Bench(Path(folder), options.ticks, options.sample)
        async for result in compared(bench, only, options.rounds):
            told(result)
        if "calm" in only:
            calm = Bench(Path(folder), options.ticks, options.sample, most=1)
            async for result in compared(calm, only, options.rounds):
                told(result)
        if "room" in only:
            async for result in room(bench, options.rounds):
                told(result)
    for ticks in (options.long // 5, options.long) if "long" in only else ():
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.game_film", "--only-long", str(ticks)),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await child.communicate()
        told(json.loads(said))
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ticks", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=12, help="ticks drawn at full smoothness")
    parser.add_argument("--long", type=int, default=5000, help="ticks of the long film")
    parser.add_argument("--only", default="theirs,plain,calm,room,long")
    parser.add_argument("--only-long", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
