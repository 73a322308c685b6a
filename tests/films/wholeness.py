"""Films that no encoder makes small, and whether one came out whole: for tests of faults."""

from __future__ import annotations

import asyncio
import io
import random
from datetime import timedelta
from pathlib import Path

from PIL import Image

from tests.films import making
from tests.films.making import START
from vigil.context import Context
from vigil.films import store
from vigil.films.check import check
from vigil.films.states import store as states


async def is_whole(context: Context, film_id: int, tmp_path: Path, pictures: int) -> None:
    """The film has as many pictures as it should, evenly spaced, and nothing was left behind."""
    film = await making.get(context, film_id)
    assert (film.state, film.error) == ("done", None)
    assert film.file_blob
    path = tmp_path / "film.mp4"
    path.write_bytes(await context.storage.get(film.file_blob))
    found = await making.decode(path)
    assert [round(pts * film.fps) for pts in found.pts] == list(range(pictures))
    assert await check(context, False) == []


def noise(number: int, size: tuple[int, int]) -> bytes:
    """A picture that no encoder makes small."""
    data = random.Random(number).randbytes(size[0] * size[1])
    out = io.BytesIO()
    Image.frombytes("L", size, data).convert("RGB").save(out, "JPEG", quality=60)
    return out.getvalue()


async def noisy_film(
    context: Context, seconds: int, pictures: int, size: tuple[int, int] = (160, 90)
) -> int:
    """So many seconds of frames, of which only so many differ."""
    camera = await making.camera(context)
    shown = [noise(number, size) for number in range(pictures)]
    for second in range(seconds):
        at = START + timedelta(seconds=second)
        await making.add_frame(context, camera, at, shown[second % pictures])
    return await making.film(context, camera, until=seconds, width=size[0], height=size[1])


async def file_wanted(context: Context) -> int:
    """A film of 1000 pictures and 30 MB that is done, and whose file is asked for.

    Its pieces are alike, so that it is soon there.
    """
    film_id = await noisy_film(context, 1000, 20, size=(320, 180))
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    await store.forget_file(context.pool, film_id)
    await context.storage.delete(str(film.file_blob))
    await states.ask_for_file(context.pool, film)
    return film_id


async def begun(data: Path) -> Path:
    """The file in the scratch folder, as soon as ffmpeg has made it."""
    async with asyncio.timeout(60):
        while True:
            for path in data.glob("tmp/film-*/film.mp4"):
                return path
            await asyncio.sleep(0.001)
