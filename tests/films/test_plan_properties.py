"""Plans of films that grow, with frames that come late and go: the same as from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st

from tests.films.choosing import BERLIN, FILMS, SIMPLE, START, film, frames, scenes
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import store, work
from vigil.films.kinds import Plan
from vigil.films.model import MICROSECOND, Film, NewFilm, Planned, at_moment, moment_of
from vigil.films.options import Card, Choice, Fade, Look, Making, Stamp, written
from vigil.films.rendering import store as rendering
from vigil.films.scene import bounds, kind, plan
from vigil.films.scene import store as scene_store
from vigil.films.scene.kind import SCENE
from vigil.films.scene.rows import Rows
from vigil.films.scene.shots import take_shots
from vigil.films.scene.windows import cut_windows

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BEGIN = at_moment(START)
LOOKS = st.builds(
    Look,
    calm=st.sampled_from([1, 1, 3]),
    deflicker=st.none() | st.sampled_from([3, 9]),
    gaps=st.sampled_from(["cut", "hold", "fade", "mark"]),
    fade=st.none()
    | st.builds(
        Fade,
        between=st.sampled_from(["frames", "days"]),
        hold=st.sampled_from([1, 3]),
        pictures=st.sampled_from([1, 5]),
    ),
    colours=st.sampled_from([False, False, False, True]),  # a day is waited for
    stamp=st.none() | st.just(Stamp()),
    card=st.none() | st.just(Card(text="A garden")),
)


UNSHRUNK = [Phase.explicit, Phase.reuse, Phase.generate]
"""To shrink takes minutes."""


@dataclass(frozen=True)
class Step:
    """What happens until the film is looked at again."""

    minutes: int
    every_s: int
    """A frame comes each so many seconds; 0: none."""
    late: tuple[float, ...]
    """Frames that come late: where in the time that has passed."""
    kept_h: int | None
    """Older frames are removed."""


STEPS = st.lists(
    st.builds(
        Step,
        minutes=st.sampled_from([1, 10, 45, 120, 300]),
        every_s=st.sampled_from([0, 20, 30, 60, 240]),
        late=st.lists(st.floats(0, 1), max_size=2).map(tuple),
        kept_h=st.sampled_from([None, None, None, 4]),
    ),
    min_size=3,
    max_size=8,
)
ORDERS = st.builds(
    lambda choice, look, slot, slots, rolling, length: {
        "making": Making(choice=choice, look=look),
        "slot": slot,
        "slots": slots,
        "rolling": rolling if length is None else None,
        "length": length,
    },
    st.just(Choice()) | SIMPLE,
    LOOKS,
    st.sampled_from([30, 60, 300]),
    st.sampled_from([4, 25]),
    st.sampled_from([None, None, 2 * HOUR]),
    st.sampled_from([None, None, 3 * HOUR, 30 * HOUR]),
)


@settings(
    max_examples=20,
    deadline=None,
    phases=UNSHRUNK,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ORDERS, STEPS, st.integers(0, 2**32 - 1))
async def test_a_film_that_grows_is_as_one_made_afterwards(
    context: Context, order: dict[str, Any], steps: list[Step], seed: int
) -> None:
    note(f"{written(order['making'])} {order}")
    clock = FakeClock(BEGIN)
    here = replace(context, clock=clock)
    scene, camera = await a_scene(here)
    grown = await a_film(here, scene, order)
    edge = 0
    random = np.random.default_rng(seed)
    for step in steps:
        before = clock.now()
        await clock.advance(step.minutes * 60)
        moments = []
        if step.every_s:
            apart = step.every_s * 1_000_000
            moments += list(range(moment_of(before), moment_of(clock.now()) - 1_000_000, apart))
        moments += [START + round(at * (moment_of(clock.now()) - START)) for at in step.late]
        await arrive(here, scene, camera, moments, random)
        if step.kept_h is not None:
            gone = clock.now() - step.kept_h * HOUR
            await here.pool.execute("DELETE FROM frames WHERE taken_at < $1", gone)
            edge = moment_of(gone)
        await look(here, grown)
    again = await a_film(here, scene, order)
    await look(here, again)
    mine, other = await listed(here, grown), await listed(here, again)
    row = await store.get(here.pool, grown)
    assert row is not None
    whole = 0
    if edge:
        # What was around the first windows may be gone, and what the next one blends from.
        sure = [one.start for one in other if one.start >= edge + bounds.reach(row)[0]]
        whole = sure[1] if len(sure) > 1 else bounds.ALWAYS
    event(f"segments: {min(len(other), 5)}")
    assert after(mine, whole) == after(other, whole)
    in_order(mine)
    in_order(other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_store, "PART", 7)
        patch.setattr(scene_store, "PARTS", 100)
        patch.setattr(kind, "APART", 0)
        assert after(await in_parts(here, scene, order), whole) == after(other, whole)


async def in_parts(context: Context, scene: int, order: dict[str, Any]) -> list[Planned]:
    film_id = await a_film(context, scene, order)
    await look(context, film_id)
    return await listed(context, film_id)


def in_order(listed: Sequence[Planned]) -> None:
    """Moments never go back, but the card's stands before them all."""
    moments = np.frombuffer(b"".join(one.moments for one in listed), ">i8")
    assert np.all(np.diff(moments) >= 0)
    assert [one.start for one in listed] == sorted({one.start for one in listed})


def after(listed: Sequence[Planned], moment: int) -> list[Planned]:
    return [one for one in listed if one.start >= moment]


async def look(context: Context, film_id: int) -> Plan:
    """Plan a film as its job does, and have all that it wants rendered."""
    pool = context.pool
    await pool.execute("UPDATE films SET state = 'rendering' WHERE id = $1", film_id)
    film = await store.get(pool, film_id)
    assert film is not None
    await work.trim(context, film)
    made = await SCENE.plan(context, film, context.clock.now())
    assert await rendering.write_plan(pool, film, made)
    await pool.execute(
        """
        INSERT INTO segments (hash, blob, bytes, frames, duration_s)
        SELECT DISTINCT wanted, wanted, 1, 1, 1 FROM film_segments WHERE film_id = $1
        ON CONFLICT DO NOTHING
        """,
        film_id,
    )
    await pool.execute("UPDATE film_segments SET hash = wanted WHERE film_id = $1", film_id)
    return made


async def listed(context: Context, film_id: int) -> list[Planned]:
    """What a film has."""
    rows = await context.pool.fetch(
        """
        SELECT start, hash, moments, closed FROM film_segments WHERE film_id = $1 ORDER BY start
        """,
        film_id,
    )
    return [Planned(**row) for row in rows]


async def a_scene(context: Context) -> tuple[int, int]:
    """A scene where Berlin is, with its tags, and the camera that shows it; none else is there."""
    pool = context.pool
    await pool.execute("TRUNCATE cameras, scenes, films, segments CASCADE")
    camera: int = await pool.fetchval(
        "INSERT INTO cameras (name, kind) VALUES ('garden', 'testcard') RETURNING id"
    )
    assert BERLIN.place is not None
    scene: int = await pool.fetchval(
        """
        INSERT INTO scenes (name, latitude, longitude, time_zone)
        VALUES ('garden', $1, $2, $3) RETURNING id
        """,
        *BERLIN.place,
        BERLIN.time_zone,
    )
    await pool.execute(
        "INSERT INTO camera_scenes (camera_id, from_at, scene_id) VALUES ($1, '-infinity', $2)",
        camera,
        scene,
    )
    for name, since, until in BERLIN.tags:
        await pool.execute(
            "INSERT INTO scene_tags (scene_id, name, from_at, to_at) VALUES ($1, $2, $3, $4)",
            scene,
            name,
            at_moment(since),
            None if until is None else at_moment(until),
        )
    return scene, camera


async def a_film(context: Context, scene: int, order: dict[str, Any]) -> int:
    """A film of a scene; returns its number."""
    fps = 10.0
    length = order["length"]
    new = NewFilm(
        title="A film",
        scenes=(scene,),
        options=written(order["making"]),
        from_at=BEGIN + 20 * MINUTE,
        to_at=None if length is None else BEGIN + 20 * MINUTE + length,
        rolling_s=None if order["rolling"] is None else order["rolling"].total_seconds(),
        speed=order["slot"] * fps,
        fps=fps,
        width=160,
        height=90,
        window_s=float(order["slot"] * order["slots"]),
    )
    return await store.add(context.pool, new)


async def arrive(
    context: Context,
    scene: int,
    camera: int,
    moments: Sequence[int],
    random: np.random.Generator,
) -> None:
    """Frames taken at these moments arrive now; now and then something happens in them."""
    size = len(moments)
    lively = random.random(size) < 0.3

    def some(usual: float, other: float) -> list[float]:
        return [float(value) for value in np.where(lively, other, usual)]

    await context.pool.execute(
        """
        INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
            sha256, blob, luma, contrast, dark, bright, sharpness, perceptual_hash, sun_height)
        SELECT $1, $2, moment, $3, 1, 1, 1, sha256(timestamptz_send(moment)), 'frames/1', luma,
            40, 0.01, 0.01, sharpness, look, NULL
        FROM unnest($4::timestamptz[], $5::real[], $6::real[], $7::bigint[])
            AS new (moment, luma, sharpness, look)
        ON CONFLICT DO NOTHING
        """,
        camera,
        scene,
        context.clock.now(),
        [at_moment(moment) for moment in moments],
        some(100, 130),
        some(300, 30),
        [int(look) for look in np.where(lively, -0x5A5B, 0x5A5A)],
    )


@settings(max_examples=150, deadline=None)
@given(scenes(), FILMS, LOOKS)
def test_no_frame_is_there_twice_unless_it_is_held(rows: Rows, film: Film, look: Look) -> None:
    making = Making(choice=film.making.choice, look=look)
    wished = replace(film, options=written(making))
    found = take_shots(wished, [rows], [BERLIN])
    if look.gaps in ("hold", "mark"):
        place = found["row"][:, 0]
        held = np.flatnonzero(np.diff(place) == 0) + 1
        assert np.all(np.diff(place) >= 0)
        if look.gaps == "mark":
            assert np.all(found["hole"][held] != 0)
    else:
        assert np.all(np.diff(found["row"][:, 0]) > 0)
    assert np.all(np.diff(found["moment"]) >= 0)
    assert np.all(found["pictures"] >= 1)
    assert np.all(found["fade"] <= found["pictures"])


@settings(max_examples=60, deadline=None, phases=UNSHRUNK)
@given(scenes(), FILMS, LOOKS, st.sampled_from([1, 20, 50]), st.randoms())
def test_a_window_is_named_alone_as_within_the_whole(
    rows: Rows, film: Film, look: Look, slots: int, random: Random
) -> None:
    wished = replace(film, options=written(Making(choice=film.making.choice, look=look)))
    wished = replace(wished, window_s=slots * wished.slot.total_seconds())
    note(f"{wished.options} {wished.slot} {wished.window_s}")
    whole = cut_windows(wished, [rows], take_shots(wished, [rows], [BERLIN]))
    back, ahead = bounds.reach(wished)
    window = wished.window // MICROSECOND
    for number in random.sample(range(len(whole)), min(8, len(whole))):
        one = whole[number]
        since = whole[number - 1].start if number else one.start
        moments = rows["moment"]
        part = rows[(moments >= since - back) & (moments < one.start + window + ahead)]
        found = take_shots(wished, [part], [BERLIN], begin=since)
        alone = cut_windows(wished, [part], found, one.start)
        assert (alone[0].start, alone[0].hash, alone[0].moments) == (
            one.start,
            one.hash,
            one.moments,
        )


def test_a_marked_hole_is_no_neighbour_of_what_comes_after_it() -> None:
    """Its picture is the last one before it, which says nothing of how bright it is now."""
    minute = 60_000_000
    rows = frames([START + minute * at for at in (0, 1, 20, 21, 22)])
    rows["luma"] = [60, 60, 100, 110, 100]
    marked = replace(film(), options=written(Making(look=Look(deflicker=3, gaps="mark"))))
    found = take_shots(marked, [rows], [BERLIN])
    assert found["hole"].astype(bool).tolist() == [False, False, True, False, False, False]
    gains = [1, 1, 1, 1, round(310 / 3 / 110, 3), 1]
    assert found["gain"][:, 0].tolist() == pytest.approx(gains, abs=1e-6)


def test_the_beginning_of_these_tests_is_what_it_says() -> None:
    assert datetime(2026, 3, 27, 4, tzinfo=UTC) == BEGIN
    assert len(frames([START])) == 1
    assert film().from_at == BEGIN


def test_over_a_hole_the_last_frame_is_held_also_while_it_lasts() -> None:
    minutes = [*range(10), *range(200, 210)]
    rows = frames(START + np.array(minutes) * 60_000_000)
    held = film(look=Look(gaps="hold"), window_s=600.0)  # slots of a minute
    found = take_shots(held, [rows], [BERLIN], until=START + 300 * 60_000_000)
    shown = (found["moment"] - START) // 60_000_000
    assert shown.tolist() == [*range(210), *range(210, 300)]
    assert set(found["row"][10:200, 0].tolist()) == {9}
    assert set(found["row"][210:, 0].tolist()) == {19}
    begun = take_shots(held, [rows[:10]], [BERLIN], until=START + 100 * 60_000_000)
    assert begun["row"].tolist() == found["row"][:100].tolist()


def test_a_card_comes_with_the_first_frames_whenever_they_come() -> None:
    opened = film(look=Look(card=Card(text="A garden")), window_s=600.0)
    rows = frames(START + np.arange(30) * 60_000_000)
    now = BEGIN + 2 * HOUR

    def planned(rows: Rows, since: int = -bounds.ALWAYS) -> list[Planned]:
        return plan.titled(opened, plan.part(opened, [rows], [BERLIN], now, since), now)

    assert planned(rows[:0]) == []
    whole = planned(rows)
    assert planned(rows, START) == whole
    assert whole[0].start == bounds.card_start(opened)
