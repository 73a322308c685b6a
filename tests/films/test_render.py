"""Rendering with the real ffmpeg: what is rendered when, and what comes out."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.films import making
from tests.films.making import START, Counter
from vigil.cameras import intake
from vigil.cameras import store as cameras
from vigil.cameras.model import Frame, RawFrame
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import NotFound, Unavailable, VigilError
from vigil.films import joining, playlist, store, work
from vigil.films.describe import describe
from vigil.films.model import TICKS, at_moment, moment_of, segment_blob
from vigil.films.rendering import store as rendering
from vigil.films.segments import fmp4
from vigil.films.segments import store as segments
from vigil.jobs import store as jobs


@pytest.fixture
def context(context: Context) -> Context:
    """A day after START."""
    return at(context, 86400)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch)


def at(context: Context, seconds: float) -> Context:
    """The same, at seconds after START."""
    return replace(context, clock=FakeClock(START + timedelta(seconds=seconds)))


async def file(context: Context, film_id: int, tmp_path: Path) -> Path:
    film = await making.get(context, film_id)
    assert film.file_blob
    path = tmp_path / "film.mp4"
    path.write_bytes(await context.storage.get(film.file_blob))
    assert film.file_bytes == path.stat().st_size
    return path


async def names(context: Context, film_id: int) -> list[str]:
    return [one.hash for one in await segments.listed(context.pool, film_id) if one.hash]


def even(pts: list[float], fps: float) -> bool:
    return all(
        later - earlier == pytest.approx(1 / fps, abs=1e-4)
        for earlier, later in itertools.pairwise(pts)
    )


async def test_a_film_holds_every_frame_at_its_time(
    context: Context, rendered: Counter, tmp_path: Path
) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    film_id = await making.film(context, camera)
    await making.render(context, film_id)
    assert rendered.take() == 3
    totals = (await segments.totals(context.pool, [film_id]))[film_id]
    assert (totals.segments, totals.planned, totals.frames, totals.lost) == (3, 3, 60, 0)
    film = await making.get(context, film_id)
    assert (film.state, film.error, film.next_at) == ("done", None, None)
    listed = await segments.listed(context.pool, film_id)
    assert [(s.frames, s.duration_s, s.closed) for s in listed] == [(20, 2.0, True)] * 3
    assert at_moment(listed[1].first) == START + timedelta(seconds=20)
    assert at_moment(listed[1].last) == START + timedelta(seconds=39)
    moments = await segments.moments(context.pool, film_id, [listed[1].start])
    assert np.frombuffer(moments[listed[1].start], ">i8").tolist() == [
        moment_of(START + timedelta(seconds=second)) for second in range(20, 40)
    ]

    path = await file(context, film_id, tmp_path)
    found = await making.decode(path)
    assert len(found.pts) == 60
    assert found.pts[0] == 0
    assert even(found.pts, 10)
    assert found.duration_s == pytest.approx(6.0, abs=0.01)
    assert "yuv420p(tv" in found.stream
    assert "160x90" in found.stream
    # Each picture's grey tells which it is: all there, in order, none twice, in limited range.
    greys = await making.luma(path)
    for second, grey in enumerate(greys):
        shade = 40 + second * 10 * 7 % 180
        assert grey == pytest.approx(shade, abs=4), second


async def test_what_is_served_piece_by_piece_is_one_film(context: Context, tmp_path: Path) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, [s for s in range(80) if s % 7 and not 20 <= s < 40])
    film_id = await making.film(context, camera, until=80)
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    listed = await segments.listed(context.pool, film_id)
    path = tmp_path / "whole.mp4"
    with path.open("wb") as out:
        async for piece in joining.fragments(context.storage, film, listed):
            out.write(piece)
    found = await making.decode(path)
    assert len(found.pts) == sum(s.frames for s in listed) == 51
    assert even(found.pts, 10)


async def test_running_again_renders_nothing(context: Context, rendered: Counter) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    film_id = await making.film(context, camera)
    await making.render(context, film_id)
    first = await making.get(context, film_id)
    rendered.take()
    await store.resume(context.pool, film_id)
    await making.render(context, film_id)
    assert rendered.take() == 0
    again = await making.get(context, film_id)
    assert (again.state, again.file_blob) == ("done", first.file_blob)


async def test_two_films_share_segments(context: Context, rendered: Counter) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    await making.render(context, await making.film(context, camera))
    rendered.take()
    second = await making.film(context, camera, since=20, until=60)
    await making.render(context, second)
    assert rendered.take() == 0
    assert len(await names(context, second)) == 2
    await making.render(context, await making.film(context, camera, width=80, height=46))
    assert rendered.take() == 3


async def test_a_late_frame_renders_only_its_window(
    context: Context, rendered: Counter, tmp_path: Path
) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, [s for s in range(60) if s != 30])
    film_id = await making.film(context, camera)
    await making.render(context, film_id)
    rendered.take()
    before = await names(context, film_id)
    old_file = (await making.get(context, film_id)).file_blob
    await making.add_frames(context, camera, [30])
    await store.resume(context.pool, film_id)
    await making.render(context, film_id)
    assert rendered.take() == 1
    after = await names(context, film_id)
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False, True]
    assert len((await making.decode(await file(context, film_id, tmp_path))).pts) == 60
    assert old_file is not None
    assert await context.storage.head(old_file) is None, "the file before is gone"


async def test_the_last_window_waits_for_stragglers(context: Context, rendered: Counter) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(0, 50))
    film_id = await making.film(context, camera, until=50)
    await making.render(at(context, 51), film_id)
    film = await making.get(context, film_id)
    assert film.state == "growing"
    assert film.next_at == START + timedelta(seconds=52)
    assert rendered.take() == 2
    await making.add_frames(context, camera, [49.5])
    later = at(context, 52)
    await work.look(later)
    await making.render(later, film_id)
    assert rendered.take() == 1
    assert [s.frames for s in await segments.listed(context.pool, film_id)] == [20, 20, 10]
    assert (await making.get(context, film_id)).state == "done"
    assert all(s.closed for s in await segments.listed(context.pool, film_id))


async def test_a_film_that_grows(context: Context, rendered: Counter) -> None:
    camera = await making.camera(context)
    film_id = await making.film(context, camera, until=None)
    await making.render(at(context, 0), film_id)
    film = await making.get(context, film_id)
    assert (film.state, film.next_at) == ("growing", START + timedelta(seconds=22))

    await making.add_frames(context, camera, range(2))
    seen: list[list[str]] = []
    for window in range(3):
        await making.add_frames(context, camera, range(20 * window + 2, 20 * window + 22))
        now = at(context, 20 * window + 22)
        await work.look(at(context, 20 * window + 21.9))
        assert (await making.get(context, film_id)).state == "growing", "not due yet"
        await work.look(now)
        assert (await making.get(context, film_id)).state == "waiting"
        await making.render(now, film_id)
        assert rendered.take() == 1
        seen.append(await names(context, film_id))
        film = await making.get(context, film_id)
        text = playlist.render(film, await segments.listed(context.pool, film_id))
        assert "EVENT" in text
        assert "ENDLIST" not in text
    assert [len(one) for one in seen] == [1, 2, 3]
    assert seen[2][:2] == seen[1]

    await making.add_frames(context, camera, [25.05])  # its slot has a frame already
    await making.add_frames(context, camera, [64.0])
    await making.render_due(at(context, 82), film_id)
    assert rendered.take() == 1
    listed = await segments.listed(context.pool, film_id)
    assert [s.frames for s in listed] == [20, 20, 20, 3]


async def test_a_growing_film_takes_late_frames(context: Context, rendered: Counter) -> None:
    camera = await making.camera(context)
    film_id = await making.film(context, camera, until=None)
    await making.add_frames(context, camera, [s for s in range(60) if s != 5])
    await making.render(at(context, 62), film_id)
    assert rendered.take() == 3
    later = START + timedelta(seconds=200)
    await making.add_frame(context, camera, START + timedelta(seconds=5), making.jpeg(50), later)
    await making.render_due(at(context, 202), film_id)
    assert rendered.take() == 1
    assert [s.frames for s in await segments.listed(context.pool, film_id)] == [20, 20, 20]


async def test_a_frame_committed_late_is_not_missed(context: Context) -> None:
    """Ids are given before they are seen: a lower one may be committed after a higher one."""
    await context.pool.execute(  # it makes frames of one day come one after the other
        "ALTER TABLE frames DISABLE TRIGGER frames_days_added"
    )
    camera = await making.camera(context)
    film_id = await making.film(context, camera, until=None)
    await making.add_frames(context, camera, [s for s in range(20) if s != 7])
    async with context.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        data = making.jpeg(70)
        await making.add_frame(
            replace(context, pool=slow),  # type: ignore[arg-type]  # a connection will do
            camera,
            START + timedelta(seconds=7),
            data,
        )
        await making.add_frames(context, camera, range(20, 40))
        await making.render(at(context, 42), film_id)
        assert [s.frames for s in await segments.listed(context.pool, film_id)] == [19, 20]
        await transaction.commit()
    await making.add_frames(context, camera, range(40, 60))
    await making.render_due(at(context, 62), film_id)
    assert [s.frames for s in await segments.listed(context.pool, film_id)] == [20, 20, 20]


async def test_nothing_new_starts_no_job(context: Context) -> None:
    camera = await making.camera(context)
    film_id = await making.film(context, camera, until=None)
    await making.add_frames(context, camera, range(20))
    await making.render(at(context, 100), film_id)
    for seconds in (122, 142):
        await work.look(at(context, seconds))
        film = await making.get(context, film_id)
        assert film.state == "growing"
        assert film.next_at == START + timedelta(seconds=seconds + 20)


async def test_a_rolling_film_shows_the_last_hour_or_so(context: Context) -> None:
    camera = await making.camera(context, retention_s=65)
    film_id = await making.film(context, camera, since=0.5, until=None, rolling_s=65)
    await making.add_frames(context, camera, range(60))
    await making.render(at(context, 62), film_id)
    film = await making.get(context, film_id)
    before = list(playlist.place(film, await segments.listed(context.pool, film_id)))
    assert [p.sequence for p in before] == [1, 2, 3], "its first window began before it"
    await making.add_frames(context, camera, range(60, 102))
    await making.render_due(at(context, 102), film_id)
    film = await making.get(context, film_id)
    after = list(playlist.place(film, await segments.listed(context.pool, film_id)))
    # What is left keeps its number, time and address.
    assert [p.sequence for p in after] == [2, 3, 4, 5]
    assert [p.address for p in after[:2]] == [p.address for p in before[1:]]
    assert after[0].start == 19 * TICKS, "the frame of 0 s is not in it"
    text = playlist.render(film, [p.segment for p in after])
    assert "#EXT-X-MEDIA-SEQUENCE:2" in text
    assert "EVENT" not in text

    await work.tidy(at(context, 1000))  # nothing came any more: housekeeping does it
    assert await names(context, film_id) == []


async def test_mixed_frames_come_out_uniform(context: Context, tmp_path: Path) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(0, 5))
    await making.add_frames(context, camera, range(5, 10), size=(320, 200))
    await making.add_frames(context, camera, range(10, 15), mode="L")
    await making.add_frames(context, camera, range(15, 20), subsampling=0)
    await making.add_frames(context, camera, range(20, 25), size=(90, 160), progressive=True)
    await making.add_frames(context, camera, range(25, 30))
    film_id = await making.film(context, camera, until=40)
    await making.render(context, film_id)
    path = await file(context, film_id, tmp_path)
    found = await making.decode(path)
    assert len(found.pts) == 30
    assert even(found.pts, 10)
    assert "yuv420p(tv" in found.stream
    assert "160x90" in found.stream


async def test_a_thumbnail_inside_a_frame_is_no_frame(context: Context, tmp_path: Path) -> None:
    camera = await making.camera(context)
    inside = making.jpeg(3, size=(32, 20))
    for second in range(10):
        data = making.jpeg(second, exif=b"Exif\0\0" + b"MM\0*\0\0\0\x08\0\0\0\0\0\0" + inside)
        assert data.count(b"\xff\xd8") == 2
        await making.add_frame(context, camera, START + timedelta(seconds=second), data)
    film_id = await making.film(context, camera, until=20)
    await making.render(context, film_id)
    assert len((await making.decode(await file(context, film_id, tmp_path))).pts) == 10


async def test_neighbours_stand_in_for_frames_that_cannot_be_read(
    context: Context, rendered: Counter, tmp_path: Path
) -> None:
    camera = await making.camera(context)
    blobs = await making.add_frames(context, camera, range(60))
    whole = await context.storage.get(blobs[3])
    await context.storage.delete(blobs[3])
    await context.storage.put(blobs[4], making.jpeg(999))
    film_id = await making.film(context, camera)
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    assert film.state == "done"
    listed = await segments.listed(context.pool, film_id)
    assert [(s.frames, s.lost, s.hash == s.wanted) for s in listed] == [
        (20, 2, False),
        (20, 0, True),
        (20, 0, True),
    ]
    greys = await making.luma(await file(context, film_id, tmp_path))
    assert len(greys) == 60
    assert greys[3] == pytest.approx(greys[2], abs=2)
    assert greys[4] == pytest.approx(greys[5], abs=2)
    # Looked at again when asked to, not by itself.
    await context.storage.put(blobs[3], whole)
    rendered.take()
    await work.look(context)
    assert (await making.get(context, film_id)).state == "done"
    await store.resume(context.pool, film_id)
    await making.render(context, film_id)
    assert rendered.take() == 1
    assert [s.lost for s in await segments.listed(context.pool, film_id)] == [1, 0, 0]


async def test_a_film_of_nothing_says_so(context: Context) -> None:
    camera = await making.camera(context)
    film_id = await making.film(context, camera)
    with pytest.raises(NotFound, match="no frames of garden"):
        await making.render(context, film_id)
    film = await making.get(context, film_id)
    assert film.state == "failed"
    assert "no frames of garden" in str(film.error)
    assert film.next_at is None


async def test_a_film_outlives_its_camera(context: Context, tmp_path: Path) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(40))
    film_id = await making.film(context, camera, until=None)
    await making.render(at(context, 42), film_id)
    await context.pool.execute("DELETE FROM frames")
    await context.pool.execute("DELETE FROM cameras")
    await making.render_due(at(context, 62), film_id)
    film = await making.get(context, film_id)
    assert (film.state, film.camera) == ("done", None)
    assert film.to_at == START + timedelta(seconds=62)
    assert len((await making.decode(await file(context, film_id, tmp_path))).pts) == 40


class Failing:
    """Lets so many segments through, then fails or stops the way that is wanted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int, happens: Any) -> None:
        self.left = after
        original = rendering.keep

        async def keep(*arguments: Any, **named: Any) -> None:
            if self.left == 0:
                await happens()
            self.left -= 1
            await original(*arguments, **named)

        monkeypatch.setattr(rendering, "keep", keep)


async def test_a_killed_render_goes_on_where_it_was(
    context: Context, rendered: Counter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(100))
    film_id = await making.film(context, camera, until=100)
    running: list[asyncio.Task[Any]] = []

    async def cancel() -> None:
        running[0].cancel()
        await asyncio.sleep(10)

    failing = Failing(monkeypatch, 2, cancel)
    running.append(asyncio.create_task(making.render(context, film_id)))
    with pytest.raises(asyncio.CancelledError):
        await running[0]
    assert rendered.take() == 3
    assert len(await names(context, film_id)) == 2
    assert (await making.get(context, film_id)).state == "rendering"
    failing.left = -1
    await making.render(context, film_id)
    assert rendered.take() == 3, "the one in hand and the two that were missing"
    assert len((await making.decode(await file(context, film_id, tmp_path))).pts) == 100


async def test_a_full_store_is_waited_for_and_the_rest_stays(
    context: Context, rendered: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    film_id = await making.film(context, camera)

    async def full() -> None:
        raise Unavailable("the blob store is full")

    failing = Failing(monkeypatch, 1, full)
    with pytest.raises(Unavailable):
        await making.render(context, film_id)
    film = await making.get(context, film_id)
    assert film.state == "rendering", "its job is tried again for as long as it takes"
    assert len(await names(context, film_id)) == 1
    failing.left = -1
    rendered.take()
    await work.look(context)  # the test's job ended: the film has lost it
    await making.render(context, film_id)
    assert rendered.take() == 2
    assert (await making.get(context, film_id)).state == "done"


async def render_to_the_end(context: Context, film_id: int) -> None:
    """Render, with as many attempts as the engine would make."""
    for _ in range(work.MOST_UNREAD):
        with contextlib.suppress(VigilError):
            await making.render(context, film_id)
        await work.look(context)  # the test's job ended: the film has lost it


async def test_a_poisonous_segment_fails_the_film_and_the_rest_stays(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await making.camera(context)
    blobs = await making.add_frames(context, camera, range(60))
    for blob in blobs[20:40]:
        await context.storage.delete(blob)
    film_id = await making.film(context, camera)
    await render_to_the_end(context, film_id)
    film = await making.get(context, film_id)
    assert film.state == "failed"
    assert film.error is not None
    assert "1 of its segments could not be rendered" in film.error
    assert "from 2026-03-01 12:00:20 UTC: none of its frames can be read" in film.error
    assert [s.frames for s in await segments.listed(context.pool, film_id)] == [20, 0, 20]
    assert film.next_at is not None, "it says when that is tried again"
    for blob, second in zip(blobs[20:40], range(20, 40), strict=True):
        await context.storage.put(blob, making.jpeg(second * 10))
    await store.resume(context.pool, film_id)
    await making.render(context, film_id)
    assert (await making.get(context, film_id)).state == "done"


@pytest.mark.parametrize("grows", [False, True])
async def test_what_cannot_be_read_is_tried_again_hours_later(
    context: Context, monkeypatch: pytest.MonkeyPatch, grows: bool
) -> None:
    """By itself, one attempt each three hours, so often and no more; a person may begin anew."""
    clock = FakeClock(making.START + timedelta(hours=1))
    context = replace(context, clock=clock)
    camera = await making.camera(context)
    blobs = await making.add_frames(context, camera, range(60))
    lost = [(blob, await context.storage.get(blob)) for blob in blobs[20:40]]
    for blob, _ in lost:
        await context.storage.delete(blob)
    film_id = await making.film(context, camera, until=None if grows else 60)
    attempts = []
    original = rendering.note_failure

    async def noted(*arguments: Any) -> bool:
        attempts.append(arguments)
        return await original(*arguments)

    monkeypatch.setattr(rendering, "note_failure", noted)
    await render_to_the_end(context, film_id)
    assert len(attempts) == work.MOST_UNREAD
    for _ in range(rendering.MOST_ROUNDS):
        film = await making.get(context, film_id)
        assert film.state == ("growing" if grows else "failed")
        assert film.error is not None
        shown = await describe(context, film, admin=False)
        (trouble,) = shown["troubles"]
        assert trouble["again_at"] == clock.now() + work.AGAIN
        if not grows:
            assert shown["next_at"] == trouble["again_at"]
        attempts.clear()
        clock.jump(work.AGAIN.total_seconds() - 1)
        await work.look(context)
        await making.render(context, film_id)
        assert attempts == [], "not before its time"
        clock.jump(1)
        await work.look(context)
        await making.render(context, film_id)
        assert len(attempts) == 1
    attempts.clear()
    shown = await describe(context, await making.get(context, film_id), admin=False)
    (trouble,) = shown["troubles"]
    assert trouble["again_at"] is None
    clock.jump(86400)
    await work.look(context)
    await making.render(context, film_id)
    assert attempts == [], "that was all"
    if grows:
        await store.cancel(context.pool, film_id)
    await store.resume(context.pool, film_id)
    await render_to_the_end(context, film_id)
    assert len(attempts) == work.MOST_UNREAD
    for blob, data in lost:
        await context.storage.put(blob, data)
    clock.jump(work.AGAIN.total_seconds())
    await work.look(context)
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    assert (film.state, film.error) == ("growing" if grows else "done", None)
    assert [s.frames for s in await segments.listed(context.pool, film_id)] == [20, 20, 20]


async def test_a_growing_film_goes_on_beside_what_failed(context: Context) -> None:
    await making.add_frames(context, await making.camera(context, "street"), [0])
    camera = await making.camera(context)
    blobs = await making.add_frames(context, camera, range(20))
    for blob in blobs:
        await context.storage.delete(blob)
    film_id = await making.film(context, camera, until=None)
    await render_to_the_end(at(context, 30), film_id)
    film = await making.get(context, film_id)
    assert film.state == "growing"
    assert "could not be rendered" in str(film.error)
    await making.add_frames(context, camera, range(20, 40))
    await making.render_due(at(context, 43), film_id)
    film = await making.get(context, film_id)
    assert film.state == "growing"
    assert [s.frames for s in await segments.listed(context.pool, film_id)] == [0, 20]


async def test_cancelling_stops_at_the_segment_in_hand(
    context: Context, rendered: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(60))
    film_id = await making.film(context, camera)

    async def cancel() -> None:
        await store.cancel(context.pool, film_id)

    failing = Failing(monkeypatch, 1, cancel)
    await making.render(context, film_id)
    assert (await making.get(context, film_id)).state == "cancelled"
    assert len(await names(context, film_id)) == 2, "the one in hand is kept"
    failing.left = -1
    rendered.take()
    await store.resume(context.pool, film_id)
    await making.render(context, film_id)
    assert rendered.take() == 1
    assert (await making.get(context, film_id)).state == "done"


async def test_a_cancelled_film_does_not_begin(context: Context, rendered: Counter) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(20))
    film_id = await making.film(context, camera)
    job_id = (await making.get(context, film_id)).job_id
    assert job_id
    await store.cancel(context.pool, film_id)
    job = await jobs.get(context.pool, job_id)
    assert job is not None
    assert job.state == "cancelled"
    await making.render(context, film_id)
    assert rendered.take() == 0
    assert (await making.get(context, film_id)).state == "cancelled"


async def test_every_segment_has_its_blob_and_one_header_fits_all(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, [*range(20), *range(20, 25), *range(40, 57)])
    film_id = await making.film(context, camera)
    await making.render(context, film_id)
    headers = set()
    for name in await names(context, film_id):
        headers.add(fmp4.split(await context.storage.get(segment_blob(name))).init)
    assert len(headers) == 1


async def test_rendering_twice_gives_the_same_bytes(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(40))
    film_id = await making.film(context, camera, until=40)
    await making.render(context, film_id)
    before = {n: await context.storage.get(segment_blob(n)) for n in await names(context, film_id)}
    await context.pool.execute("DELETE FROM film_segments")
    await context.pool.execute("DELETE FROM segments")
    await store.resume(context.pool, film_id)
    await making.render(context, film_id)
    after = {n: await context.storage.get(segment_blob(n)) for n in await names(context, film_id)}
    assert before == after


async def test_what_is_shown_is_what_is_filmed(context: Context, tmp_path: Path) -> None:
    """Pictures in other formats, and cropped ones; cropped otherwise they are other segments."""
    pillow_heif.register_heif_opener()  # writes them, too
    image = Image.new("RGB", (160, 90))
    image.paste((255, 255, 255), (80, 0, 160, 90))
    seen = []
    for name, crop in (("left", (0.0, 0.0, 0.5, 1.0)), ("right", (0.5, 0.0, 1.0, 1.0))):
        camera = await cameras.by_id(context.pool, await making.camera(context, name))
        assert camera is not None
        for second, kind in enumerate(("PNG", "WEBP", "HEIF", "JPEG")):
            written = io.BytesIO()
            image.save(written, kind)
            raw = RawFrame(data=written.getvalue(), taken_at=START + timedelta(seconds=second))
            frame = await intake.accept(context, replace(camera, crop=crop), raw)
            assert isinstance(frame, Frame)
            assert (frame.width, frame.height) == (80, 90)
        film_id = await making.film(context, camera.id, until=20, width=80)
        await making.render(context, film_id)
        seen.append(
            (
                await names(context, film_id),
                await making.luma(await file(context, film_id, tmp_path)),
            )
        )
    (left, dark), (right, bright) = seen
    assert left != right
    assert len(dark) == len(bright) == 4
    assert max(dark) < 40 < 200 < min(bright)
