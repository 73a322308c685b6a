"""Seconds that the plan of a film of 1,000,000 frames takes, and its parts.

Rows only, a frame each thirty seconds for a year: no picture is read or rendered. Three films: all
frames; by daylight, tags and hours, without faults, slow where something happens, deflickered; one
frame a day. Then the plan of a frame more, and of one from half way that comes late.

    .venv/bin/python -m bench.film_plan [--frames 1000000] [--rounds 3] [--pictures]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench import films
from bench.harness import machine
from vigil.context import Context
from vigil.films import store
from vigil.films.model import Film, NewFilm
from vigil.films.options import Choice, Daily, Look, Making, written
from vigil.films.rendering import store as rendering
from vigil.films.scene import bounds, choose, facts
from vigil.films.scene import store as scene_store
from vigil.films.scene.kind import SCENE
from vigil.films.scene.shots import take_shots
from vigil.films.scene.windows import cut_windows

START = datetime(2024, 3, 1, tzinfo=UTC)
APART = timedelta(seconds=30)
FILMS = {
    "all frames": Making(),
    "much chosen": Making(
        choice=Choice(
            tags=("garden",),
            sun_from=-3,
            hours=(("05:00", "22:00"),),
            skip=("dark", "blurred", "frozen", "foreign"),
        ),
        look=Look(calm=5, deflicker=31),
    ),
    "one a day": Making(choice=Choice(daily=Daily(sun=10))),
}


async def fill(context: Context, frames: int, *, pictures: bool) -> tuple[int, int]:
    """A scene and its camera that has so many frames."""
    pool = context.pool
    camera: int = await pool.fetchval(
        """
        INSERT INTO cameras (name, kind, interval_s, retention_s)
        VALUES ('bench', 'testcard', 30, 1e9) RETURNING id
        """
    )
    scene: int = await pool.fetchval(
        """
        INSERT INTO scenes (name, latitude, longitude, time_zone)
        VALUES ('bench', 52.5, 13.4, 'Europe/Berlin') RETURNING id
        """
    )
    await pool.execute(
        "INSERT INTO camera_scenes (camera_id, from_at, scene_id) VALUES ($1, '-infinity', $2)",
        camera,
        scene,
    )
    await pool.execute(
        "INSERT INTO scene_tags (scene_id, name, from_at) VALUES ($1, 'garden', $2)", scene, START
    )
    await add(context, scene, camera, 0, frames, pictures=pictures)
    await pool.execute("VACUUM ANALYZE frames")
    return scene, camera


async def add(
    context: Context, scene: int, camera: int, first: int, last: int, *, pictures: bool = False
) -> None:
    """Frames of a living scene, from a number up to another."""
    await context.pool.execute(
        """
        INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
            sha256, blob, luma, contrast, dark, bright, sharpness, perceptual_hash, sun_height,
            picture, picture_bytes)
        SELECT $1, $2, taken_at, taken_at, 1280, 720, 100000, sha256(int8send(n)),
            'frames/1/2024-03-01/' || n || '-0123456789abcdef.jpg', 100 + 40 * sin(n / 900.0)
            + random() * 3, 40 + random() * 5, 0.01, 0.01, 250 + random() * 100,
            CASE WHEN random() < 0.2 THEN 1 << (random() * 30)::integer ELSE 23130 END, NULL,
            CASE WHEN $6 THEN 'pictures/1/' || n || '-0123456789abcdef.jpg' END,
            CASE WHEN $6 THEN 90000 END
        FROM generate_series($3::bigint, $4::bigint - 1) AS n,
            LATERAL (SELECT $5::timestamptz + n * interval '30 s' AS taken_at) AS at
        """,
        camera,
        scene,
        first,
        last,
        START,
        pictures,
    )


async def order(context: Context, scene: int, making: Making) -> Film:
    """A film of all of it, two minutes of it in a second, that grows."""
    new = NewFilm(
        title="bench",
        scenes=(scene,),
        options=written(making),
        from_at=START,
        to_at=None,
        speed=750,
        fps=25,
        width=1280,
        height=720,
        window_s=3000,
    )
    film = await store.get(context.pool, await store.add(context.pool, new))
    assert film is not None
    return film


async def parts(context: Context, scene: int, film: Film, now: datetime) -> str:
    """Seconds of each part of a plan."""
    said, last = [], time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        here = time.perf_counter()
        said.append(f"{name} {here - last:.2f}")
        last = here

    rows = await scene_store.frames(context.pool, scene, START - timedelta(days=2), now)
    known = await facts.load(context.pool, scene)
    lap("read")
    chosen = choose.choose(rows, film, known)
    lap("choose")
    shots = take_shots(film, [rows], [known], *bounds.span(film, now))
    lap("shots (chosen again)")
    made = cut_windows(film, [rows], shots)
    lap("windows and names")
    return f"{', '.join(said)}; {len(chosen)} frames, {len(made)} segments"


async def more(context: Context, film: Film, now: datetime) -> float:
    """Seconds of planning again what has changed."""
    again = await store.get(context.pool, film.id)
    assert again is not None
    return await films.timed(SCENE.plan(context, again, now))


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    print(machine())
    async with films.house() as (context, _):
        scene, camera = await fill(context, options.frames, pictures=options.pictures)
        now = START + options.frames * APART + timedelta(hours=1)
        for name, making in FILMS.items():
            film = await order(context, scene, making)
            figures = [
                await films.timed(SCENE.plan(context, film, now)) for _ in range(options.rounds)
            ]
            print(f"{name}: {', '.join(f'{figure:.2f}' for figure in figures)} s")
            print(f"  {await parts(context, scene, film, now)}", flush=True)
        film = await order(context, scene, FILMS["all frames"])
        rendering_film = replace(film, state="rendering")
        await context.pool.execute("UPDATE films SET state = 'rendering' WHERE id = $1", film.id)
        await rendering.write_plan(
            context.pool, rendering_film, await SCENE.plan(context, film, now)
        )
        number = options.frames + 119  # an hour later
        await add(context, scene, camera, number, number + 1)
        print(f"a frame more: {await more(context, film, now + APART):.3f} s")
        await context.pool.execute(
            "UPDATE frames SET taken_at = $2 WHERE taken_at = $1",
            START + number * APART,
            START + options.frames // 2 * APART + APART / 3,
        )
        late = await more(context, film, now + APART)
        print(f"one from half way, late: {late:.3f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", action="store_true", help="frames were turned or cropped")
    asyncio.run(main(parser.parse_args()))
