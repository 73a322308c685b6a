"""Films of many short segments that reorder pictures in all ways there are, for players."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.films import looking, making
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films.model import Film
from vigil.films.segments import encode

SIZE = (160, 90)
SEGMENTS = 22
SHORT = {0: 1, 5: 3, 13: 1, 17: 3}
"""Segments of fewer pictures: a single one reorders nothing, three by one at most."""


def pictures(segment: int, number: int) -> Iterator[bytes]:
    """What a segment of so many pictures shows: noise, what moves slowly, or what stands still.

    x264 reorders over two pictures, over one, or not at all.
    """
    for picture in range(SHORT.get(segment, number)):
        seed = (1000 * segment + picture, 1000 * segment + picture // 4, segment)[segment % 3]
        yield looking.jpeg(looking.texture(SIZE, seed=seed))


async def film(
    context: Context, fps: float, change: pytest.MonkeyPatch | None = None, **options: str
) -> tuple[int, int]:
    """A film that is done, of segments of half a second; its number, and that of its pictures.

    Args:
        context: the test's.
        fps: pictures a second.
        change: from the middle on, another encoder is set with this: its header is another.
        options: of the film.
    """
    camera, window = await making.camera(context), round(fps / 2)
    total = 0
    for segment in range(SEGMENTS):
        for number, data in enumerate(pictures(segment, window)):
            moment = making.START + timedelta(seconds=segment * window + number)
            await making.add_frame(context, camera, moment, data)
            total += 1
    length = SEGMENTS * window
    film_id = await making.film(
        *(context, camera), until=length, speed=fps, fps=fps, window_s=window, options=options
    )
    if change is not None:
        middle = making.START + timedelta(seconds=length // 2 + 2)
        await making.render(replace(context, clock=FakeClock(middle)), film_id)
        original = encode.arguments

        def other(one: Film) -> list[str]:
            return [*original(one), "-x264-params", "ref=2:bframes=1"]

        change.setattr(encode, "arguments", other)
    over = replace(context, clock=FakeClock(making.START + timedelta(days=30)))
    if change is not None:
        await making.render_due(over, film_id)
    await making.render(over, film_id)
    return film_id, total
