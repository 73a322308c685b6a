"""Cameras, frames and films for the tests of films; renderers that run here."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from vigil import ffmpeg
from vigil.cameras import store as cameras
from vigil.context import Context
from vigil.films import store, work
from vigil.films.model import Film, NewFilm, Recipe, slot
from vigil.films.segments import encode
from vigil.jobs.model import RunningJob

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def a_film(
    until: float | None = 3600, speed: float = 10, fps: float = 10, window_s: float = 20
) -> Film:
    """A film that is in no database."""
    return Film(
        id=1,
        title="A film",
        kind="scene",
        scene_id=1,
        scenes=(1,),
        camera="garden",
        retention_s=30 * 86400,
        time_zone="UTC",
        from_at=START,
        to_at=None if until is None else START + timedelta(seconds=until),
        rolling_s=None,
        speed=speed,
        fps=fps,
        width=160,
        height=90,
        window_s=window_s,
        options={},
        state="rendering",
        error=None,
        next_at=None,
        watched_at=None,
        planned_id=0,
        dropped_segments=0,
        dropped_ticks=0,
        dropped_discontinuities=0,
        dropped_init=None,
        job_id=None,
        file_blob=None,
        file_bytes=None,
        file_key=None,
        created_at=START,
        changed_at=START,
    )


def jpeg(number: int, size: tuple[int, int] = (160, 90), mode: str = "RGB", **save: Any) -> bytes:
    """A picture that differs from every other number's: a grey that says it, and the number."""
    shade = 40 + number * 7 % 180
    image = Image.new("RGB", size, (shade, shade, shade))
    ImageDraw.Draw(image).text((4, 4), str(number), fill="white")
    out = io.BytesIO()
    image.convert(mode).save(out, "JPEG", quality=85, **save)
    return out.getvalue()


async def camera(
    context: Context, name: str = "garden", interval_s: float = 1, retention_s: float = 30 * 86400
) -> int:
    """A camera's number."""
    made = await cameras.add(
        context.pool,
        name=name,
        title="",
        kind="testcard",
        url=None,
        options={},
        interval_s=interval_s,
        retention_s=retention_s,
    )
    return made.id


async def add_frame(
    context: Context,
    camera_id: int,
    taken_at: datetime,
    data: bytes,
    received_at: datetime | None = None,
) -> str:
    """Keep a picture as intake does, blob first; returns the blob's key."""
    digest = hashlib.sha256(data).digest()
    microseconds = (taken_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    blob = f"frames/{camera_id}/{taken_at:%Y-%m-%d}/{microseconds}-{digest.hex()[:16]}.jpg"
    await context.storage.put(blob, data)
    await context.pool.execute(
        """
        INSERT INTO frames (camera_id, scene_id, taken_at, received_at, width, height, bytes,
                sha256, luma, blob)
        VALUES ($1, (SELECT scene_id FROM camera_scenes WHERE camera_id = $1),
            $2, $3, 160, 90, $4, $5, 100, $6)
        """,
        camera_id,
        taken_at,
        received_at or taken_at,
        len(data),
        digest,
        blob,
    )
    return blob


async def add_frames(
    context: Context, camera_id: int, seconds: Iterable[float], **picture: Any
) -> list[str]:
    """One frame at each of these seconds after START."""
    return [
        await add_frame(
            context,
            camera_id,
            START + timedelta(seconds=second),
            jpeg(round(second * 10), **picture),
        )
        for second in seconds
    ]


async def film(
    context: Context,
    camera_id: int,
    *,
    since: float = 0,
    until: float | None = 60,
    speed: float = 10,
    fps: float = 10,
    window_s: float = 20,
    **other: Any,
) -> int:
    """A film from and to seconds after START; returns its number."""
    new = NewFilm(
        title="A film",
        scenes=(await cameras.scene_of(context.pool, camera_id, START),),
        options=other.get("options", {}),
        rolling_s=other.get("rolling_s"),
        from_at=START + timedelta(seconds=since),
        to_at=None if until is None else START + timedelta(seconds=until),
        speed=speed,
        fps=fps,
        width=other.get("width", 160),
        height=other.get("height", 90),
        window_s=window_s,
    )
    assert round(window_s / slot(speed, fps).total_seconds(), 6).is_integer()
    return await store.add(context.pool, new)


async def get(context: Context, film_id: int) -> Film:
    found = await store.get(context.pool, film_id)
    assert found is not None
    return found


@dataclass
class Told:
    """What a job said about its progress."""

    values: list[Mapping[str, Any]] = field(default_factory=list)

    async def save(self, values: Mapping[str, Any]) -> bool:
        self.values.append(values)
        return True


TASKS = {task.name: task for task in work.TASKS}


async def render(context: Context, film_id: int) -> Told:
    """Do the film's jobs one after the other, here, as a renderer does, until there is none."""
    told = Told()
    while await work_on(context, film_id, told):
        pass
    return told


async def work_on(
    context: Context, film_id: int, told: Told | None = None, *, last: bool = False
) -> bool:
    """Do the film's next job, or, of those that are as urgent, the last; whether there was one."""
    row = await context.pool.fetchrow(
        """
        SELECT j.id, j.task_name, j.args FROM procrastinate_jobs j
        JOIN job_progress p ON p.job_id = j.id
        WHERE j.status = 'todo' AND p.subject = $1
        ORDER BY j.priority DESC, CASE WHEN $2 THEN -j.id ELSE j.id END LIMIT 1
        """,
        f"film:{film_id}",
        last,
    )
    if row is None:
        return False
    job = RunningJob(id=row["id"], arguments=row["args"], save=(told or Told()).save)
    try:
        await TASKS[row["task_name"]].run(context, job)
        await job.flush()
    finally:  # the engine's part
        await context.pool.execute(
            "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = $1", row["id"]
        )
    return True


class Counter:
    """Counts the segments that are really encoded."""

    def __init__(self, monkeypatch: Any) -> None:
        self.count = 0
        original = encode.segment

        async def counted(recipe: Recipe, read: encode.Read) -> bytes:
            self.count += 1
            return await original(recipe, read)

        monkeypatch.setattr(encode, "segment", counted)

    def take(self) -> int:
        """How many since the last call."""
        count, self.count = self.count, 0
        return count


@dataclass(frozen=True)
class Decoded:
    """What ffmpeg finds in a film."""

    pts: list[float]
    """Seconds, in order of presentation."""
    duration_s: float
    """As the file says."""
    stream: str
    """ffmpeg's description of the video."""


ANYWHERE = ("file", "pipe", "http", "tcp")
"""Where films for ffmpeg may be."""


async def packets(source: Path | str) -> list[tuple[float, float]]:
    """When each picture is decoded and presented, in seconds, in order of the stream."""
    stem = ["-copyts", "-i", str(source), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "pipe:1"]
    listing = (await ffmpeg.read(stem, protocols=ANYWHERE)).decode()
    base = re.search(r"#tb 0: (\d+)/(\d+)", listing)
    assert base
    tick = int(base[1]) / int(base[2])
    rows = [line.split(",") for line in listing.splitlines() if not line.startswith("#")]
    return [(int(row[1]) * tick, int(row[2]) * tick) for row in rows]


async def decode(path: Path | str) -> Decoded:
    """Decode a whole film; raises FfmpegError for anything that a decoder complains about."""
    stem = ["-xerror", "-err_detect", "explode", "-i", str(path), "-fps_mode", "passthrough"]
    told = await ffmpeg.read([*stem, "-copyts", "-f", "framecrc", "pipe:1"], protocols=ANYWHERE)
    listing = told.decode()
    base = re.search(r"#tb 0: (\d+)/(\d+)", listing)
    assert base
    pts = [
        int(line.split(",")[2]) * int(base[1]) / int(base[2])
        for line in listing.splitlines()
        if not line.startswith("#")
    ]
    with pytest.raises(ffmpeg.FfmpegError) as described:  # it wants an output, and describes
        await ffmpeg.read(["-loglevel", "info", "-i", str(path)], protocols=ANYWHERE)
    said = described.value.stderr
    length = re.search(r"Duration: (\d+):(\d+):([\d.]+)", said)
    video = re.search(r"Stream #0.*Video: (.*)", said)
    assert length
    assert video
    hours, minutes, seconds = (float(part) for part in length.groups())
    return Decoded(pts, hours * 3600 + minutes * 60 + seconds, video[1])


async def luma(path: Path) -> list[float]:
    """Mean grey of each picture of a film, 0 to 255."""
    raw = await ffmpeg.read(
        ["-i", str(path), "-vf", "scale=1:1:flags=area,format=gray", "-f", "rawvideo", "pipe:1"]
    )
    return [float(value) for value in raw]


async def render_due(context: Context, film_id: int) -> Told:
    """Have what is due enqueued, and do it."""
    await work.look(context)
    assert (await get(context, film_id)).state == "waiting", "it is not due"
    return await render(context, film_id)
