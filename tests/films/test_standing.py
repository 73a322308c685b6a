"""Standing films over days and weeks: one film a period, made up, paused, kept and let go."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.films import making as films
from tests.films.standing_stage import (
    DAY,
    HOUR,
    add,
    at,
    camera,
    editions,
    finish,
    frame,
    get,
    hours,
    look,
    render,
    then,
)
from tests.films.test_standing_feed import edition, standing
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films import store as film_store
from vigil.films import work as film_work
from vigil.films.standing import making, ordering, store, work


async def spans(context: Context) -> list[tuple[datetime, datetime | None]]:
    return [(one.from_at, one.to_at) for one in await editions(context)]


async def events(context: Context, kind: str) -> list[str]:
    rows = await context.pool.fetch("SELECT subject FROM events WHERE kind = $1 ORDER BY id", kind)
    return [row["subject"] for row in rows]


@pytest.mark.parametrize(
    ("begin", "lengths"),
    [("2026-03-27T12:00+01:00", [24, 24, 23, 24]), ("2026-10-23T12:00+02:00", [24, 24, 25, 24])],
)
async def test_a_film_of_each_day_through_daylight_saving(
    context: Context, begin: str, lengths: list[int]
) -> None:
    await camera(context)
    now = at(begin)
    await add(then(context, now))
    while now < at(begin) + 3 * DAY:
        await look(then(context, now))
        now += timedelta(minutes=30)
    found = await editions(context)
    assert [(one.to_at - one.from_at) / HOUR for one in found if one.to_at] == lengths
    assert all(a.to_at == b.from_at for a, b in itertools.pairwise(found))
    day = at(begin).date()
    assert [one.title for one in found] == [f"Garden, {day + n * DAY}" for n in range(4)]
    for one in found:
        film = await films.get(context, one.film_id)
        assert (film.from_at, film.to_at) == (one.from_at, one.to_at)
        assert one.to_at is not None
        assert film.speed == pytest.approx((one.to_at - one.from_at).total_seconds() / 2)


async def test_a_film_begins_with_its_period_to_the_second(context: Context) -> None:
    await camera(context)
    await add(then(context, "2026-06-01T23:59:58+02:00"), "monthly")
    await look(then(context, "2026-06-30T23:59:59+02:00"))
    assert len(await editions(context)) == 1
    await look(then(context, "2026-07-01T00:00:00+02:00"))
    june, july = await editions(context)
    assert (june.to_at, july.from_at) == (at("2026-06-30T22:00Z"), at("2026-06-30T22:00Z"))
    assert july.title == "Garden, July 2026"
    due = (await get(context)).next_at
    assert due is not None
    assert july.to_at is not None
    assert due <= july.to_at


async def test_what_was_missed_is_made_up_where_frames_are(context: Context) -> None:
    number = await camera(context, "UTC")
    await add(then(context, "2026-05-01T12:00Z"))
    await look(then(context, "2026-05-01T12:00Z"))
    for day in (3, 4, 6):
        await frame(context, number, f"2026-05-0{day}T12:00Z")
    await look(then(context, "2026-05-08T09:00Z"))  # nobody looked for a week
    assert [one.from_at.day for one in await editions(context)] == [1, 3, 4, 6, 8]
    await frame(context, number, "2026-05-05T12:00Z")  # a controller had kept it
    await look(then(context, "2026-05-08T09:30Z"))
    await look(then(context, "2026-05-08T10:01Z"))
    assert [one.from_at.day for one in await editions(context)] == [1, 3, 4, 5, 6, 8]
    await hours(context, number, at("2026-05-08T00:00Z"), at("2026-05-10T00:00Z"))
    await look(then(context, "2026-12-24T00:00Z"))
    assert len(await editions(context)) == 7, "after half a year only the last days are made up"


async def test_a_film_that_was_deleted_is_not_made_again(context: Context) -> None:
    await camera(context)
    now = then(context, "2026-05-01T12:00Z")
    await add(now)
    await look(now)
    (one,) = await editions(context)
    await film_store.mark_deleting(context.pool, one.film_id)
    await film_store.remove(context.pool, one.film_id)
    await look(then(context, "2026-05-01T15:00Z"))
    assert await editions(context) == []


async def test_a_pause(context: Context) -> None:
    number = await camera(context, "UTC")
    now = then(context, "2026-05-01T12:00Z")
    one = await add(now)
    await look(now)
    await ordering.act(now, one, "pause")
    with pytest.raises(Conflict):
        await ordering.act(now, one, "pause")
    await hours(context, number, at("2026-05-02T00:00Z"), at("2026-05-04T00:00Z"))
    await look(then(context, "2026-05-03T12:00Z"))
    assert len(await editions(context)) == 1
    later = then(context, "2026-05-04T12:00Z")
    await ordering.act(later, one, "resume")
    await look(later)
    assert [one.from_at.day for one in await editions(context)] == [1, 4]


async def test_a_rolling_film_is_one_film_until_it_is_ordered_otherwise(context: Context) -> None:
    await camera(context)
    now = then(context, "2026-05-01T12:00Z")
    one = await add(now, "rolling", film={"rolling": "12h"})
    for hour in range(0, 100, 5):
        await look(then(context, now.clock.now() + hour * HOUR))
    (first,) = await editions(context)
    film = await films.get(context, first.film_id)
    assert (film.to_at, film.rolling_s, film.title) == (None, 12 * 3600, "Garden")
    await finish(context, first.film_id, "growing")
    later = then(context, "2026-05-08T12:00Z")
    renamed = ordering.StandingChanges(title="The garden", keep_films=3)
    await ordering.change(later, one, ordering.changed(one, renamed))
    await look(later)
    assert len(await editions(context)) == 1, "its name is no reason to make it anew"
    changes = ordering.StandingChanges(film={**one.wish, "fps": 10})
    await ordering.change(later, one, ordering.changed(one, changes))
    await look(later)
    old, new = await editions(context)
    assert old.film_id == first.film_id, "it plays until the other does"
    await finish(context, new.film_id, "growing")
    await look(later)
    assert [one.film_id for one in await editions(context)] == [new.film_id]


async def test_many_makers_make_one_film(context: Context) -> None:
    await camera(context)
    now = then(context, "2026-05-01T12:00Z")
    one = await add(now)
    (period,) = making.wanted(one, now.clock.now())
    made = await asyncio.gather(
        *(making.make(context.pool, one, period, now.clock.now()) for _ in range(8))
    )
    assert sorted(number is not None for number in made) == [False] * 7 + [True]
    assert await context.pool.fetchval("SELECT count(*) FROM films") == 1
    assert await context.pool.fetchval("SELECT count(*) FROM procrastinate_jobs") == 1


async def test_a_film_that_cannot_be_made_is_told_of_once(context: Context) -> None:
    await camera(context)
    now = then(context, "2026-05-01T12:00Z")
    await add(now)
    await context.pool.execute("UPDATE cameras SET deleting_at = now()")
    for minute in (0, 6, 12):
        await look(then(context, now.clock.now() + timedelta(minutes=minute)))
    found = await get(context)
    assert found.error is not None
    assert "garden" in found.error
    assert await events(context, "film.failed") == ["standing:garden"]
    await context.pool.execute("UPDATE cameras SET deleting_at = NULL")
    await look(then(context, now.clock.now() + timedelta(minutes=20)))
    assert (await get(context)).error is None
    assert len(await editions(context)) == 1


async def test_past_ones(context: Context) -> None:
    number = await camera(context, "UTC")
    now = then(context, "2026-05-20T12:00Z")
    await hours(context, number, at("2026-05-10T00:00Z"), at("2026-05-12T00:00Z"))
    await hours(context, number, at("2026-05-14T00:00Z"), at("2026-05-20T00:00Z"))
    one = await add(now)
    await look(now)
    assert await ordering.past(context.pool, one, 10, now.clock.now()) == 10
    for _ in range(8):
        await look(now)
        rows = [edition for edition in await editions(context) if edition.ended_by(now.clock.now())]
        waiting = [edition for edition in rows if edition.state == "waiting"]
        assert len(waiting) <= making.PAST_AT_ONCE
        for edition_ in waiting:
            await finish(context, edition_.film_id)
    assert [e.from_at.day for e in await editions(context)] == [10, 11, 14, 15, 16, 17, 18, 19, 20]
    found = await get(context)
    assert (found.past_at, found.past_left, found.past_total) == (None, 0, 10)
    # Those that a person deleted come again when they are asked for.
    await film_store.mark_deleting(context.pool, rows[0].film_id)
    await film_store.remove(context.pool, rows[0].film_id)
    await ordering.past(context.pool, found, 10, now.clock.now())
    await look(now)
    assert len(await editions(context)) == 9
    with pytest.raises(Invalid):
        await ordering.past(context.pool, found, 10_000, now.clock.now())


async def test_no_more_past_ones_than_are_kept(context: Context) -> None:
    await camera(context, "UTC")
    now = then(context, "2026-05-20T12:00Z")
    one = await add(now, keep_films=5)
    assert await ordering.past(context.pool, one, 30, now.clock.now()) == 4
    two = await add(now, slug="two", keep_days=1.5)
    assert await ordering.past(context.pool, two, 30, now.clock.now()) == 1
    three = await add(now, "rolling", slug="three")
    with pytest.raises(Conflict):
        await ordering.past(context.pool, three, 1, now.clock.now())


def gone(found: list[Any], now: str, **kept: Any) -> list[int]:
    rows = work.no_longer_kept(standing(**kept), found[::-1], at(now))
    return sorted(one.film_id for one in rows)


def test_what_is_kept() -> None:
    days = [edition(n) for n in range(5)]  # from the 1st at 23:00 on
    now = "2026-03-06T12:00Z"
    assert gone(days, now) == []
    assert gone(days, now, keep_films=2) == [10, 11, 12]
    assert gone(days, now, keep_s=2 * 86400) == [10, 11]
    assert gone(days, now, keep_films=3, keep_s=2 * 86400) == [10, 11]
    assert gone(days, "2026-09-01T00:00Z", keep_s=86400) == [10, 11, 12, 13], "the last one stays"
    assert gone(days, "2026-09-01T00:00Z", keep_films=1) == [10, 11, 12, 13]


def test_what_plays_is_kept() -> None:
    days = [edition(n) for n in range(3)]
    nothing_yet = edition(3, plays=False, state="growing")
    assert gone([*days, nothing_yet], "2026-03-05T00:00Z", keep_films=1) == [10, 11]
    watched = edition(0, watched_at=at("2026-03-05T11:55Z"))
    assert gone([watched, *days[1:]], "2026-03-05T12:00Z", keep_films=1) == [11]
    assert gone([watched, *days[1:]], "2026-03-05T12:06Z", keep_films=1) == [10, 11]


async def test_films_go_with_their_files(context: Context) -> None:
    number = await camera(context, "UTC")
    begin = at("2026-05-01T00:00Z")
    await hours(context, number, begin, begin + 4 * DAY)
    await add(then(context, begin), keep_films=2)
    for day in range(4):
        now = then(context, begin + day * DAY + timedelta(seconds=5))
        await look(now)
        for one in await editions(context):
            if one.ended_by(now.clock.now()):
                await render(now, one.film_id)
        await look(now)
        await film_work.look(now)
    assert [one.from_at.day for one in await editions(context)] == [3, 4]
    blobs = [blob.key async for blob in context.storage.list("films")]
    third = (await editions(context))[0]
    assert [key.split("/")[1] for key in blobs] == [str(third.film_id)]
    assert third.whole


async def test_late_frames_are_taken_in(context: Context) -> None:
    number = await camera(context, "UTC")
    begin = at("2026-05-01T00:00Z")
    await hours(context, number, begin, begin + 12 * HOUR)
    await add(then(context, begin))
    await look(then(context, begin))
    now = then(context, begin + DAY + HOUR)
    (one,) = await editions(context)
    await render(now, one.film_id)
    before = (await editions(context))[0]
    assert before.whole
    await work.take_in_late_frames(now)
    assert (await films.get(context, one.film_id)).state == "done", "there are none"
    await hours(context, number, begin + 15 * HOUR, begin + 20 * HOUR)  # a controller brought them
    await work.take_in_late_frames(then(context, begin + 5 * DAY))
    assert (await films.get(context, one.film_id)).state == "done", "too late"
    await work.take_in_late_frames(now)
    assert (await films.get(context, one.film_id)).state == "waiting"
    await render(now, one.film_id)
    after = (await editions(context))[0]
    assert after.whole
    assert after.duration_s > before.duration_s
    await work.take_in_late_frames(now)
    assert (await films.get(context, one.film_id)).state == "done"


async def test_removed_with_or_without_its_films(context: Context) -> None:
    await camera(context, "UTC")
    now = then(context, "2026-05-01T12:00Z")
    one, two = await add(now), await add(now, slug="two")
    await look(now)
    await ordering.remove(context, one, films_too=False)
    await ordering.remove(context, two, films_too=True)
    assert await store.page(context.pool) == []
    states = await context.pool.fetch("SELECT state FROM films ORDER BY id")
    assert sorted(row["state"] for row in states) == ["deleting", "waiting"]


async def test_another_time_zone_begins_with_the_day_of_now(context: Context) -> None:
    number = await camera(context, "UTC")
    await hours(context, number, at("2026-05-01T00:00Z"), at("2026-05-04T00:00Z"))
    one = await add(then(context, "2026-05-01T12:00Z"))
    await look(then(context, "2026-05-01T12:00Z"))
    later = then(context, "2026-05-01T20:00Z")
    changes = ordering.StandingChanges(time_zone="Asia/Tokyo", keep_films=None)
    await ordering.change(later, one, ordering.changed(one, changes))
    await look(later)
    assert [from_at for from_at, _ in await spans(context)] == [
        at("2026-05-01T00:00Z"),
        at("2026-05-02T00:00+09:00"),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"film": {"camera": "gardn"}}, "gardn"),
        ({"film": {"camera": "garden", "fps": 1000}}, "fps"),
        ({"film": {"camera": "garden", "colour": "red"}}, "colour"),
        ({"film": {"camera": "garden"}, "every": "hourly"}, "hourly"),
        ({"film": {"camera": "garden"}, "time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"film": {"camera": "garden"}, "slug": "../etc"}, "../etc"),
        ({"film": {"camera": "garden", "rolling": "1h"}}, "rolling"),
        ({"film": {"camera": "garden"}, "keep_films": 0}, "keep_films"),
        ({"every": "daily"}, "film"),
        ([], "object"),
    ],
)
async def test_what_is_wrong_is_said_at_once(context: Context, body: Any, words: str) -> None:
    await camera(context)
    with pytest.raises((Invalid, NotFound), match=words):
        await ordering.make(context, ordering.parse(body))
    assert await store.page(context.pool) == []


async def test_names(context: Context) -> None:
    await camera(context)
    assert (await add(context, title="Grüner  Garten №1")).slug == "gruner-garten-no1"
    with pytest.raises(Conflict, match="gruner-garten-no1"):
        await add(context, title="Grüner Garten №1")
    film = {"camera": "garden"}
    found = await ordering.make(context, ordering.parse({"film": film, "every": "weekly"}))
    assert (found.slug, found.time_zone) == ("garden-week-by-week", "Europe/Berlin")
    assert ordering.slug_of("日本") == "film"
