"""Segments leave a rolling film's playlist: what stays keeps its numbers (RFC 8216, §6.2.2)."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.films import making
from tests.films.making import START
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import playlist, work
from vigil.films.model import moment_of
from vigil.films.scene import bounds
from vigil.films.segments import store as segments

SEGMENTS = 9


async def a_rolling_film(context: Context) -> int:
    """Its segments are all there."""
    camera = await making.camera(context)
    film_id = await making.film(context, camera, until=None, rolling_s=600, window_s=5)
    await making.add_frames(context, camera, range(SEGMENTS * 5), size=(64, 36))
    now = START + timedelta(seconds=SEGMENTS * 5 + 2)
    await making.render(replace(context, clock=FakeClock(now)), film_id)
    return film_id


def numbers(text: str) -> Mapping[str, tuple[int, int]]:
    """Media sequence number and discontinuity sequence number of each segment, by its address."""

    def says(tag: str) -> int:
        found = re.search(rf"^#EXT-X-{tag}:(\d+)$", text, re.MULTILINE)
        return int(found[1]) if found else 0

    found, sequence, stretch = {}, says("MEDIA-SEQUENCE"), says("DISCONTINUITY-SEQUENCE")
    for line in text.splitlines():
        if line == "#EXT-X-DISCONTINUITY":
            stretch += 1
        elif line.endswith(".m4s"):
            found[line] = sequence, stretch
            sequence += 1
    return found


async def shown(context: Context, film_id: int) -> Mapping[str, tuple[int, int]]:
    film = await making.get(context, film_id)
    listed = playlist.playable(film, await segments.listed(context.pool, film_id))
    return numbers(playlist.render(film, listed))


@pytest.mark.parametrize("seed", range(6))
async def test_what_stays_keeps_its_numbers(context: Context, seed: int) -> None:
    """Whatever leaves at a time, and wherever the encoder was another one."""
    chance = random.Random(seed)
    film_id = await a_rolling_film(context)
    headers = [chance.choice(("one", "other", None)) for _ in range(SEGMENTS)]
    listed = await segments.listed(context.pool, film_id)
    for one, header in zip(listed, headers, strict=True):
        await context.pool.execute(
            "UPDATE segments SET init = $2 WHERE hash = $1", one.hash, header
        )
    before = await shown(context, film_id)
    assert len(before) == SEGMENTS
    changes = sum(one != other for one, other in itertools.pairwise(headers))
    assert list(before.values())[-1] == (SEGMENTS, changes)
    gone = 0
    while gone < SEGMENTS - 1:
        gone = min(gone + chance.randint(1, 3), SEGMENTS - 1)
        since = moment_of(START + timedelta(seconds=5 * gone))
        assert await segments.trim(context.pool, await making.get(context, film_id), since) > 0
        after = await shown(context, film_id)
        assert list(after.items()) == list(before.items())[gone:]


async def test_everything_leaves_before_more_comes(context: Context) -> None:
    """A renderer that was away for long: the first that comes is a stretch of its own."""
    film_id = await a_rolling_film(context)
    listed = await segments.listed(context.pool, film_id)
    last = listed[-1]
    await context.pool.execute("UPDATE segments SET init = 'other' WHERE hash = $1", last.hash)
    await context.pool.execute("UPDATE film_segments SET hash = NULL WHERE start = $1", last.start)
    await segments.trim(context.pool, await making.get(context, film_id), last.start)
    await context.pool.execute(
        "UPDATE film_segments SET hash = wanted WHERE start = $1", last.start
    )
    assert list((await shown(context, film_id)).values()) == [(SEGMENTS, 1)]
    await segments.trim(context.pool, await making.get(context, film_id), last.start + 1)
    film = await making.get(context, film_id)
    assert (film.dropped_segments, film.dropped_discontinuities) == (SEGMENTS, 1)
    assert film.dropped_init == "other"


async def test_a_rolling_films_card_stays_until_it_rolls(context: Context) -> None:
    """The card stands a window before the first; that is not yet what has left."""
    film_id = await a_rolling_film(context)
    film = await making.get(context, film_id)
    card = bounds.card_start(film)
    await context.pool.execute(
        """
        INSERT INTO film_segments
            (film_id, start, wanted, hash, pictures, first_moment, last_moment, moments, closed)
        SELECT film_id, $2, wanted, hash, pictures, $2, $2, moments, closed
        FROM film_segments WHERE film_id = $1 ORDER BY start LIMIT 1
        """,
        film_id,
        card,
    )
    lasts = timedelta(seconds=600)  # as a_rolling_film says
    for after, dropped in ((lasts, 0), (lasts + timedelta(seconds=5), 2)):
        await work.trim(replace(context, clock=FakeClock(START + after)), film)
        assert (await making.get(context, film_id)).dropped_segments == dropped
