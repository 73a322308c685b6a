"""intake: the one door by which a picture becomes a frame."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.cameras.helpers import add_camera, add_frame, at, blobs, count, health
from tests.servers.pictures import bomb, jpeg, other
from vigil.cameras import intake, store
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Frame, RawFrame, Refusal
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Unavailable
from vigil.storage import Storage

WHOLE = jpeg(1)
HALF_WITH_END = WHOLE[: len(WHOLE) // 2].rstrip(b"\xff") + b"\xff\xd9"
PROGRESSIVE = jpeg(1, progressive=True)
CORPUS = {
    "nothing": (b"", "empty"),
    "half a picture": (WHOLE[: len(WHOLE) // 2], "truncated"),
    "all but the last byte": (WHOLE[:-1], "truncated"),
    "half a picture with an end put behind": (HALF_WITH_END, "truncated"),
    "a hole in the middle": (WHOLE[:3000] + WHOLE[4500:], "truncated"),
    "a progressive picture whose last scan is cut": (
        PROGRESSIVE[: len(PROGRESSIVE) * 9 // 10].rstrip(b"\xff") + b"\xff\xd9",
        "truncated",
    ),
    "a login page": (b"<!DOCTYPE html><html><title>Log in</title>", "html"),
    "an XML error": (b'<?xml version="1.0"?><error>busy</error>', "html"),
    "a page with a picture behind it": (b"<html><!-- " + WHOLE, "html"),
    "JSON": (b'{"error": "busy"}', "not_jpeg"),
    "a PNG": (other("PNG"), "not_jpeg"),
    "a GIF": (other("GIF"), "not_jpeg"),
    "a WebP": (other("WEBP"), "not_jpeg"),
    "a GIF that is a JPEG, too": (b"GIF89a\x2f\x2a" + WHOLE, "not_jpeg"),
    "a PDF that is a JPEG, too": (b"%PDF-1.4\n" + WHOLE, "not_jpeg"),
    "forty megapixels": (bomb(), "too_many_pixels"),
    "21 megabytes": (WHOLE[:-2] + b"\0" * 21_000_000, "too_large"),
    "headers alone": (WHOLE[: WHOLE.index(b"\xff\xda")] + b"\xff\xd9", "broken"),
    "noise": (bytes(range(256)) * 100, "not_jpeg"),
    "noise that begins like a picture": (b"\xff\xd8\xff\xe0" + b"\x5a" * 30_000, "broken"),
    "for printing": (jpeg(1, mode="CMYK"), "unsupported"),
}


@pytest.mark.parametrize("name", CORPUS)
async def test_what_is_refused_is_counted_and_leaves_nothing(context: Context, name: str) -> None:
    data, reason = CORPUS[name]
    camera = await add_camera(context)
    for _ in range(2):
        raw = RawFrame(data=data, taken_at=context.clock.now())
        outcome = await intake.accept(context, camera, raw)
        assert isinstance(outcome, Refusal)
        assert outcome.reason == reason
        assert outcome.reason in intake.REASONS
    state = await health(context, camera)
    assert (state.refused, state.refusals) == (2, {reason: 2})
    assert state.frames == 0
    assert not state.connected
    assert state.error is not None
    assert state.error.startswith("refused: ")
    assert await count(context) == 0
    assert await blobs(context) == set()


@pytest.mark.parametrize(
    "data",
    [
        jpeg(2, (1280, 720)),
        jpeg(2, progressive=True),
        jpeg(2, mode="L"),
        jpeg(2, (1, 1)),
        jpeg(2, (4096, 3072), quality=40),
    ],
    ids=["baseline", "progressive", "grey", "one pixel", "12 megapixels"],
)
async def test_whole_pictures_become_frames(context: Context, data: bytes) -> None:
    camera = await add_camera(context)
    before = context.clock.now()
    frame = await add_frame(context, camera, data, before)
    assert frame.taken_at == before
    assert before <= frame.received_at <= context.clock.now()
    assert (frame.bytes, frame.sha256) == (len(data), hashlib.sha256(data).digest())
    assert 0 < frame.luma < 255
    assert await context.storage.get(frame.blob) == data
    assert re.fullmatch(
        rf"frames/{camera.id}/{before:%Y-%m-%d}/\d{{16}}-{frame.sha256.hex()[:16]}\.jpg", frame.blob
    )
    assert await frames.latest(context.pool, camera.id) == frame


async def test_a_flat_grey_picture_is_suspected_and_found_whole(context: Context) -> None:
    import io

    from PIL import Image

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
            seen.append(key)
            await super().put(key, data)

    watched = Watched.open(context.settings.blobs_url)
    frame = await add_frame(at(context, storage=watched), camera, WHOLE)
    assert seen == [frame.blob]

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
    key = intake.blob_key(3, moment, bytes(range(32)))
    assert key == "frames/3/2026-05-01/1777679999999999-0001020304050607.jpg"


async def test_time_comes_from_the_clock(context: Context) -> None:
    clock = FakeClock(datetime(2031, 1, 1, tzinfo=UTC))
    camera = await add_camera(context)
    frame = await intake.accept(
        at(context, clock=clock), camera, RawFrame(data=WHOLE, taken_at=clock.now())
    )
    assert isinstance(frame, Frame)
    assert frame.received_at == datetime(2031, 1, 1, tzinfo=UTC)
