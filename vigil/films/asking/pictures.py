"""How single pictures of a film will look, before there is any: rendered as the film will be.

A picture's address holds the film that it is of, packed, so that any process can answer for it.
"""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import numpy as np

import db_utils
from vigil import ffmpeg
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.errors import Invalid, NotFound
from vigil.films.asking import planning
from vigil.films.asking.checking import MOST_SCENES
from vigil.films.asking.completing import HEIGHTS, WIDTHS
from vigil.films.asking.model import Place
from vigil.films.asking.pace import LEAST_FPS, MOST_FPS
from vigil.films.model import MICROSECOND, Film, NewFilm, Recipe, at_moment
from vigil.films.options import convert, written
from vigil.films.scene import bounds, store
from vigil.films.scene import facts as scene_facts
from vigil.films.scene.kind import ids, shots_of
from vigil.films.scene.pictures import Pictures
from vigil.films.scene.shots import take_shots
from vigil.films.segments import encode

AT_ONCE = 2
"""Pictures that one process renders at a time."""
KEPT = 60
"""Pictures kept in memory."""
WIDE = 640
"""Most pixels of width."""
LONGEST_PACKED = 6000
BAD = "this picture's address is not one of ours"

_kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
_turns: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


def pack(new: NewFilm, moment: int) -> str:
    """A film as a part of an address, as far as a picture at a moment goes."""
    making = convert(new.options)
    far = max(2 * round(new.window_s * 1e6), 86_400_000_000)
    near = tuple(
        span for span in making.choice.exclude if span[0] < moment + far and span[1] > moment - far
    )
    choice = msgspec.structs.replace(making.choice, exclude=near)
    options = written(msgspec.structs.replace(making, choice=choice, codec="h264", container="mp4"))
    scale = min(1.0, WIDE / new.width)
    small = replace(
        new,
        title="",
        options=options,
        width=max(WIDTHS[0], round(new.width * scale / 2) * 2),
        height=max(HEIGHTS[0], round(new.height * scale / 2) * 2),
    )
    packed = zlib.compress(msgspec.msgpack.encode(small), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def unpack(text: str) -> NewFilm:
    """The film of an address; raises Invalid."""
    try:
        if len(text) > LONGEST_PACKED:
            raise ValueError
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        opened = zlib.decompressobj().decompress(packed, 1 << 20)
        found = msgspec.msgpack.decode(opened, type=NewFilm)
    except (ValueError, zlib.error, msgspec.DecodeError):
        raise Invalid(BAD) from None
    good = (
        found.kind == "scene"
        and 1 <= len(found.scenes) <= MOST_SCENES
        and WIDTHS[0] <= found.width <= WIDE
        and HEIGHTS[0] <= found.height <= 4 * WIDE
        and LEAST_FPS <= found.fps <= MOST_FPS
        and 0 < found.speed <= 1e10
        and 0 < found.window_s <= 1e10
        and found.from_at.tzinfo is not None
        and (found.to_at is None or found.to_at.tzinfo is not None)
    )
    if not good:
        raise Invalid(BAD)
    return found


async def picture(context: Context, packed: str, moment: int) -> bytes:
    """The JPEG of a film's picture at a moment; raises Invalid, NotFound, FfmpegError."""
    key = (packed, moment)
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    new = unpack(packed)
    loop = asyncio.get_running_loop()
    async with _turns.setdefault(loop, asyncio.Semaphore(AT_ONCE)):
        if key not in _kept:
            _kept[key] = await _render(context, new, moment)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return _kept[key]


async def _render(context: Context, new: NewFilm, moment: int) -> bytes:
    recipe = await _recipe(context.pool, context, new, moment)
    async with Pictures(context.storage, recipe) as read:
        film = await encode.segment(recipe, read.read)

    async def whole() -> AsyncIterator[bytes]:
        yield film

    return await ffmpeg.read(
        ["-f", "mp4", "-i", "pipe:0", "-frames:v", "1", "-q:v", "3", "-f", "mjpeg", "pipe:1"],
        input=whole(),
        timeout_s=30,
        max_bytes=1 << 24,
    )


async def _recipe(db: db_utils.Pool, context: Context, new: NewFilm, moment: int) -> Recipe:
    """The recipe of the one picture that is shown at a moment, or closest to it."""
    film = await _film(db, context, new)
    back, ahead = bounds.reach(film)
    start = bounds.window_start(film, moment)
    end = start + film.window // MICROSECOND
    try:
        span = at_moment(start - back), at_moment(end + ahead)
    except OverflowError:
        raise Invalid(BAD) from None
    rows = [await store.frames(db, scene, *span) for scene in film.scenes]
    known = [await scene_facts.load(db, scene) for scene in film.scenes]
    shots = await asyncio.to_thread(take_shots, film, rows, known, start, end)
    shots = shots[shots["hole"] == 0]
    if not len(shots):
        raise NotFound("there is no frame there any more")
    place = int(np.argmin(np.abs(shots["moment"] - moment)))
    one = shots[place : place + 1].copy()
    one["pictures"], one["fade"] = 1, 0
    frames = await store.shown(db, ids(rows, [one]))
    references = await store.references(db, film)
    return Recipe(film=film, shots=shots_of(film, rows, one, frames), references=tuple(references))


async def _film(db: db_utils.Database, context: Context, new: NewFilm) -> Film:
    scene = await scenes.by_id(db, new.scenes[0])
    if scene is None:
        raise NotFound("this scene was removed")
    place = Place(scene=scene, camera=None, size=None)
    return planning.imagined(new, [place], context.clock.now())
