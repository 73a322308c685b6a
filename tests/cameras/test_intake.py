"""intake: the one door by which a picture becomes a frame."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from PIL import Image

from tests.cameras.corpus import BAD, KINDS, ODD, WHOLE, drawn, turned
from tests.cameras.helpers import add_camera, add_frame, all_blobs, at, blobs, count, health
from tests.servers.pictures import jpeg
from vigil.cameras import intake, retention, store
from vigil.cameras.check import check
from vigil.cameras.frames import store as frames
from vigil.cameras.frames.model import blob_key, thumbnails_key
from vigil.cameras.keeping import store as keeping
from vigil.cameras.model import Frame, RawFrame, Refusal
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Unavailable
from vigil.storage import Storage


def shape_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size


async def test_what_is_refused_is_counted_and_leaves_nothing(context: Context) -> None:
    camera = await add_camera(context)
    counted: Counter[str] = Counter()
    for name, (data, reason) in BAD.items():
        raw = RawFrame(data=data, taken_at=context.clock.now())
        outcome = await intake.accept(context, camera, raw)
        assert isinstance(outcome, Refusal), name
        assert outcome.reason == reason, name
        assert outcome.reason in intake.REASONS
        counted[reason] += 1
    state = await health(context, camera)
    assert (state.refused, state.refusals) == (len(BAD), counted)
    assert state.frames == 0
    assert not state.connected
    assert state.error is not None
    assert state.error.startswith("refused: ")
    assert await count(context) == 0
    assert await all_blobs(context) == set()


async def test_damaged_pictures_are_kept_whole_or_counted(context: Context) -> None:
    """Each of them is one frame, whose blobs agree, or one refusal."""
    camera = await add_camera(context)
    chance = random.Random(4)
    began, counted, kept = context.clock.now(), Counter[str](), set()
    for turn in range(120):
        data = bytearray(drawn(KINDS[turn % 4], (64, 48)))
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.randrange(len(data))] if turn % 5 == 0 else data)
        raw = RawFrame(data=cut, taken_at=began - timedelta(seconds=turn))
        outcome = await intake.accept(context, camera, raw)
        if isinstance(outcome, Refusal):
            counted[outcome.reason] += 1
            assert outcome.reason in intake.REASONS
        else:
            kept.add(outcome.id)
    state = await health(context, camera)
    assert state.refusals == counted
    assert (state.frames, state.refused) == (len(kept), 120 - len(kept))
    assert state.refused > 30
    assert await check(context, mend=False) == []
    rows = await keeping.after(context.pool, 0, 1000)
    assert {key for row in rows for key in row.blobs} == await all_blobs(context)


async def test_whole_pictures_become_frames(context: Context) -> None:
    camera = await add_camera(context)
    for name, data in ODD.items():
        before = context.clock.now()
        frame = await add_frame(context, camera, data, before)
        assert frame.taken_at == before, name
        assert before <= frame.received_at <= context.clock.now()
        assert (frame.bytes, frame.sha256) == (len(data), hashlib.sha256(data).digest())
        assert 0 <= frame.luma <= 255
        assert await context.storage.get(frame.blob) == data  # byte for byte, whatever it is
        ending = {"jpeg": "jpg", "heif": "heic"}.get(frame.format, frame.format)
        stem = rf"{camera.id}/{before:%Y-%m-%d}/\d{{16}}-{frame.sha256.hex()[:16]}"
        assert re.fullmatch(rf"frames/{stem}\.{ending}", frame.blob), name
        assert (frame.picture is None) == (frame.format == "jpeg"), name
        if frame.picture is not None:
            assert re.fullmatch(rf"pictures/{stem}-[0-9a-f]{{16}}\.jpg", frame.picture)
            shown = await context.storage.get(frame.picture)
            assert len(shown) == frame.picture_bytes
            assert frame.picture.endswith(f"-{hashlib.sha256(shown).hexdigest()[:16]}.jpg")
            assert shape_of(shown) == (frame.width, frame.height)
        small = await context.storage.get(thumbnails_key(frame.blob))
        assert frame.thumbnails is not None
        assert len(small) == sum(frame.thumbnails)
        assert await frames.latest(context.pool, camera.id) == frame
    assert await check(context, mend=False) == []


async def test_what_the_row_says_of_a_picture(context: Context) -> None:
    camera = await add_camera(context)
    await context.pool.execute("UPDATE scenes SET latitude = 52.5, longitude = 13.4")
    noon = datetime(2026, 6, 21, 11, 8, tzinfo=UTC)
    context = at(context, clock=FakeClock(noon))
    frame = await add_frame(context, camera, jpeg(1, (1280, 720)))
    assert frame.sun_height == pytest.approx(60.9, abs=0.2)  # highest of the year in Berlin
    assert frame.contrast is not None
    assert frame.contrast > 20
    assert frame.sharpness is not None
    assert frame.sharpness > 1
    assert frame.dark is not None
    assert frame.bright is not None
    assert 0 <= frame.dark + frame.bright <= 1
    assert isinstance(frame.perceptual_hash, int)


async def test_turned_and_cropped_when_shown(context: Context) -> None:
    """The original stays as it came; what is shown is turned by EXIF, then by the camera."""
    camera = await add_camera(context)
    data = turned(6, t010f="A maker", t0110="A model")
    frame = await add_frame(context, camera, data)
    assert (frame.width, frame.height) == (240, 320)
    assert await context.storage.get(frame.blob) == data
    await context.pool.execute(
        "UPDATE cameras SET rotation = 90, crop = ARRAY[0, 0, 0.5, 1]::real[]"
    )
    camera = await store.by_id(context.pool, camera.id) or camera
    frame = await add_frame(context, camera, data, context.clock.now())
    assert (frame.width, frame.height) == (160, 240)
    assert frame.picture is not None
    shown = await context.storage.get(frame.picture)
    assert b"A maker" in data
    assert b"A maker" not in shown
    assert b"Exif" not in shown


@pytest.mark.parametrize("kind", ["JPEG", "HEIF"])
async def test_brought_by_many_at_once_it_is_one_frame(context: Context, kind: str) -> None:
    """Each way in brings it, some twice; while the camera is being turned."""
    camera = await add_camera(context)
    other = replace(camera, rotation=90)
    data, moment = drawn(kind), context.clock.now()
    brought = await asyncio.gather(
        *(
            intake.accept(context, way, RawFrame(data=data, taken_at=moment))
            for way in (camera, camera, other, other) * 4
        )
    )
    assert len({one.id for one in brought if isinstance(one, Frame)}) == 1
    assert all(isinstance(one, Frame) for one in brought)
    assert await count(context) == 1
    assert (await health(context, camera)).frames == 1
    await check(context, mend=True)  # the thumbnails may be those of another who was turned
    assert await check(context, mend=False) == []
    frame = await frames.latest(context.pool, camera.id)
    assert frame is not None
    wanted = {frame.blob, thumbnails_key(frame.blob)} | ({frame.picture} - {None})
    assert await all_blobs(context) == wanted


async def test_what_came_again_while_it_goes_is_refused(context: Context) -> None:
    camera = await add_camera(context)
    moment = context.clock.now()
    frame = await add_frame(context, camera, WHOLE, moment)
    await context.pool.execute("UPDATE frames SET deleting_at = now()")
    outcome = await intake.accept(context, camera, RawFrame(data=WHOLE, taken_at=moment))
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "expired"
    await retention.expire(context)
    assert await all_blobs(context) == set()
    again = await add_frame(context, camera, WHOLE, moment)
    assert again.id != frame.id


async def test_a_flat_grey_picture_is_suspected_and_found_whole(context: Context) -> None:
    written = io.BytesIO()
    Image.new("RGB", (320, 240), (128, 128, 128)).save(written, "JPEG")
    camera = await add_camera(context)
    frame = await add_frame(context, camera, written.getvalue())
    assert frame.luma == 128


@pytest.mark.parametrize("tail", [b"\r\n", b"\0" * 1000, b"PK\x03\x04zip", b"<script>"])
async def test_what_hangs_behind_a_picture_is_not_kept(context: Context, tail: bytes) -> None:
    camera = await add_camera(context)
    frame = await add_frame(context, camera, WHOLE + tail)
    assert await context.storage.get(frame.blob) == WHOLE
    assert frame.bytes == len(WHOLE)


async def test_the_same_bytes_at_the_same_time_are_one_frame(context: Context) -> None:
    camera = await add_camera(context)
    moment = context.clock.now()
    first = await add_frame(context, camera, WHOLE, moment)
    again = await add_frame(context, camera, WHOLE, moment)
    assert again == first
    assert await count(context) == 1
    assert (await health(context, camera)).frames == 1
    await add_frame(context, camera, WHOLE, moment + timedelta(microseconds=1))
    await add_frame(context, camera, jpeg(2), moment)
    assert await count(context) == 3
    assert len(await blobs(context)) == 3


async def test_a_late_frame_is_kept_and_is_not_the_latest(context: Context) -> None:
    camera = await add_camera(context)
    now = context.clock.now()
    newest = await add_frame(context, camera, jpeg(1), now)
    older = await add_frame(context, camera, jpeg(2), now - timedelta(hours=1))
    state = await health(context, camera)
    assert state.last == newest
    assert state.frames == 2
    assert await frames.page(context.pool, camera.id) == [newest, older]


async def test_impossible_times_are_refused(context: Context) -> None:
    camera = await add_camera(context, retention_s=3600)
    for ago, reason in ((timedelta(hours=1), "expired"), (-timedelta(hours=1), "future")):
        raw = RawFrame(data=WHOLE, taken_at=context.clock.now() - ago)
        outcome = await intake.accept(context, camera, raw)
        assert isinstance(outcome, Refusal)
        assert outcome.reason == reason
    await add_frame(context, camera, WHOLE, context.clock.now() + timedelta(minutes=4))


async def test_a_frame_ends_the_trouble(context: Context) -> None:
    camera = await add_camera(context)
    now = context.clock.now()
    await store.note_failure(
        context.pool, camera.id, error="gone", hint="look", at=now, next_at=now
    )
    await intake.accept(context, camera, RawFrame(data=b"", taken_at=now))
    state = await health(context, camera)
    assert (state.connected, state.failures) == (False, 1)
    assert state.next_at == state.failed_at + timedelta(seconds=10) if state.failed_at else False
    await add_frame(context, camera, WHOLE)
    state = await health(context, camera)
    assert (state.connected, state.failures, state.error, state.hint) == (True, 0, None, None)
    assert state.next_at is None
    assert state.failed_at is not None  # still says when that was
    assert state.refusals == {"empty": 1}


async def test_everybody_is_told(context: Context) -> None:
    camera = await add_camera(context)
    async with context.listener.subscribe(f"camera:{camera.id}") as news:
        await add_frame(context, camera, WHOLE)  # the listener may not be connected yet
        frame = await add_frame(context, camera, jpeg(2))
        message: dict[str, Any] = {}
        while message.get("frame") != frame.id:
            message = await news.get()
        assert message["taken_at"] == frame.taken_at.isoformat()
        assert (message["width"], message["height"]) == (frame.width, frame.height)
        await intake.accept(context, camera, RawFrame(data=b"", taken_at=context.clock.now()))
        assert (await news.get())["change"] == "state"


async def test_blob_first_then_row(context: Context) -> None:
    """Whatever fails on the way, a row never names a blob that is not there."""
    camera = await add_camera(context)
    seen: list[str] = []

    class Watched(Storage):
        async def put(self, key: str, data: bytes) -> None:
            assert await count(context) == 0  # the row is not there yet
            await super().put(key, data)
            seen.append(key)

    watched = Watched.open(context.settings.blobs_url)
    frame = await add_frame(at(context, storage=watched), camera, WHOLE)
    assert sorted(seen) == [frame.blob, thumbnails_key(frame.blob)]

    class Full(Storage):
        async def put(self, key: str, data: bytes) -> None:
            raise Unavailable("the disk that holds the blobs is full")

    raw = RawFrame(data=jpeg(2), taken_at=context.clock.now())
    with pytest.raises(Unavailable):
        await intake.accept(at(context, storage=Full.open(context.settings.blobs_url)), camera, raw)
    assert await count(context) == 1


async def test_a_camera_that_is_being_removed_takes_nothing(context: Context) -> None:
    camera = await add_camera(context)
    assert await store.begin_removal(context.pool, camera.id)
    raw = RawFrame(data=WHOLE, taken_at=context.clock.now())
    outcome = await intake.accept(context, camera, raw)
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "removed"
    assert await blobs(context) == set()
    await store.finish_removal(context.pool)
    outcome = await intake.accept(context, camera, raw)
    assert isinstance(outcome, Refusal)
    await intake.accept(context, camera, RawFrame(data=b"", taken_at=context.clock.now()))
    assert await blobs(context) == set()


async def test_row_and_state_are_one_transaction(context: Context) -> None:
    camera = await add_camera(context)
    await context.pool.execute("ALTER TABLE camera_state ADD CHECK (frames = 0)")
    raw = RawFrame(data=WHOLE, taken_at=context.clock.now())
    with pytest.raises(asyncpg.CheckViolationError):
        await intake.accept(context, camera, raw)
    assert await count(context) == 0
    assert len(await blobs(context)) == 1  # what `vigil check` is for


def test_where_a_blob_stands() -> None:
    moment = datetime(2026, 5, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    key = blob_key(3, moment, bytes(range(32)))
    assert key == "frames/3/2026-05-01/1777679999999999-0001020304050607.jpg"


async def test_time_comes_from_the_clock(context: Context) -> None:
    clock = FakeClock(datetime(2031, 1, 1, tzinfo=UTC))
    camera = await add_camera(context)
    frame = await intake.accept(
        at(context, clock=clock), camera, RawFrame(data=WHOLE, taken_at=clock.now())
    )
    assert isinstance(frame, Frame)
    assert frame.received_at == datetime(2031, 1, 1, tzinfo=UTC)
