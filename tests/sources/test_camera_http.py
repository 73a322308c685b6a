"""camera_http: snapshots and MJPEG, as real cameras serve them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from tests.servers.mjpeg import Habits, Mjpeg
from tests.servers.pictures import jpeg
from tests.servers.snapshot import Snapshot
from vigil.cameras.model import Camera, RawFrame
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources import camera_http

START = datetime(2026, 1, 1, tzinfo=UTC)


def camera(url: str, interval_s: float = 0.01) -> Camera:
    return Camera(
        id=1, name="test", title="", kind="http", url=url, options={}, interval_s=interval_s,
        retention_s=3600, enabled=True, deleting_at=None, created_at=START, changed_at=START,
    )  # fmt: skip


async def take(
    context: Context, url: str, number: int, interval_s: float = 0.01
) -> list[bytes | None]:
    """What the first ``number`` answers were."""
    found: list[bytes | None] = []
    async with aclosing(camera_http.frames(context, camera(url, interval_s))) as frames:
        async for raw in frames:
            found.append(raw.data if raw else None)
            if len(found) == number:
                break
    return found


async def error(context: Context, url: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await take(context, url, 1000)
    assert "secret" not in str(caught.value)
    return caught.value


async def test_a_snapshot_each_interval(context: Context) -> None:
    async with Snapshot() as server:
        before, started = datetime.now(UTC), time.monotonic()
        found = await take(context, server.url + "/snapshot.jpg", 4, 0.1)
        assert found == [jpeg(n) for n in range(4)]
        assert 0.28 < time.monotonic() - started < 5
        assert server.asked == 4
        async with aclosing(camera_http.frames(context, camera(server.url))) as frames:
            first = await anext(frames)
    assert isinstance(first, RawFrame)
    assert before <= first.taken_at <= datetime.now(UTC)


async def test_the_same_bytes_again_are_nothing_new(context: Context) -> None:
    async with Snapshot(jpeg(1), jpeg(1), jpeg(2), jpeg(2)) as server:
        found = await take(context, server.url, 5)
    assert found == [jpeg(1), None, jpeg(2), None, None]


@pytest.mark.parametrize("way", ["basic", "digest"])
async def test_user_and_password(context: Context, way: str) -> None:
    async with Snapshot() as server:
        setattr(server, way, ("joe", "se:cret"))
        url = server.url.replace("http://", "http://joe:se%3Acret@")
        assert await take(context, url, 2) == [jpeg(0), jpeg(1)]
        wrong = await error(context, server.url.replace("http://", "http://joe:secret@"))
    assert "401" in wrong.message
    assert "password" in (wrong.hint or "")


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/jpg", "application/octet-stream"])
async def test_one_picture_whatever_it_is_called(context: Context, content_type: str) -> None:
    async with Snapshot(content_type=content_type) as server:
        assert await take(context, server.url, 1) == [jpeg(0)]


async def test_what_is_no_picture_goes_to_intake_to_be_counted(context: Context) -> None:
    async with Snapshot() as server:
        server.fault = "html"
        (page,) = await take(context, server.url, 1)
        assert page is not None
        assert page.startswith(b"<!DOCTYPE")
        server.fault = "half"
        assert await take(context, server.url, 1) == [jpeg(0)[: len(jpeg(0)) // 2]]
        server.fault = "cut"
        assert await take(context, server.url, 1) == [jpeg(1)[: len(jpeg(1)) // 2]]
        server.fault = "empty"
        assert await take(context, server.url, 1) == [b""]


async def test_refusals_of_the_server(context: Context) -> None:
    async with Snapshot() as server:
        server.fault = "error"
        assert "500" in (await error(context, server.url)).message
        server.fault = "busy"
        busy = await error(context, server.url)
        assert "429" in busy.message
        assert busy.retry_after == 7
        url = server.url
    assert "cannot be connected to" in (await error(context, url)).message


async def test_silence_is_given_up(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_http, "IDLE_S", 0.3)
    async with Snapshot() as server:
        server.fault = "slow"
        assert "did not answer" in (await error(context, server.url)).message
    async with Mjpeg() as stream:
        stream.fault = "silent"
        assert "silent" in (await error(context, stream.url)).message


HABITS = {
    "as it should be": Habits(),
    "no length": Habits(length="none"),
    "length too long": Habits(length="long"),
    "no dashes": Habits(line="frame"),
    "dashes in the header": Habits(boundary="--frame"),
    "none named": Habits(boundary=None, length="none"),
    "line feeds, quotes": Habits(newline="\n", quoted=True),
    "sound in between": Habits(between=b"--frame\r\nContent-Type: audio/basic\r\n\r\nla la\r\n"),
}


@pytest.mark.parametrize("name", HABITS)
async def test_mjpeg_in_all_its_forms(context: Context, name: str) -> None:
    async with Mjpeg(HABITS[name], period_s=0.01) as server:
        found = await take(context, server.url, 6)
        assert server.connections == 1
    numbers = [number_of(data) for data in found]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 6


async def test_mjpeg_gives_as_many_as_asked_for(context: Context) -> None:
    async with Mjpeg(period_s=0.01) as server:
        started = time.monotonic()
        found = await take(context, server.url, 5, 0.2)
        took = time.monotonic() - started
        assert server.connections == 1
    assert 0.7 < took < 5
    assert number_of(found[-1]) > 5  # the others were passed over, not queued


async def test_a_camera_as_slow_as_its_interval_loses_nothing(context: Context) -> None:
    async with Mjpeg(period_s=0.2) as server:
        found = await take(context, server.url, 6, 0.2)
    assert [number_of(data) for data in found] == list(range(6))


async def test_with_a_long_interval_the_line_is_not_kept_open(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_http, "GRAB_FROM_S", 0.2)
    async with Mjpeg(period_s=0.01) as server:
        found = await take(context, server.url, 3, 0.2)
        assert server.connections == 3
        await asyncio.sleep(0.1)
        sent = server.sent
        await asyncio.sleep(0.1)
        assert server.sent == sent  # nobody listens now
    assert all(found)


@pytest.mark.parametrize(
    ("fault", "said"), [("cut", "broke off"), ("end", "ended"), ("error", "503")]
)
async def test_a_stream_that_breaks(context: Context, fault: str, said: str) -> None:
    async with Mjpeg(period_s=0.01) as server:
        taking = asyncio.create_task(error(context, server.url))
        await asyncio.sleep(0.1)
        assert not taking.done()
        server.fault = fault
        if fault == "error":
            taking.cancel()
            taking = asyncio.create_task(error(context, server.url))
        assert said in (await asyncio.wait_for(taking, 10)).message


async def test_leaving_closes_the_connection(context: Context) -> None:
    async with Mjpeg(period_s=0.01) as server:
        await take(context, server.url, 2)
        await asyncio.sleep(0.1)
        sent = server.sent
        await asyncio.sleep(0.1)
        assert server.sent == sent


async def test_a_redirect_is_followed_and_says_nothing_of_the_password(context: Context) -> None:
    from aiohttp import web

    from tests.servers.loopback import Loopback

    async def away(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"location": server.url + "/moved.jpg"})

    async with Snapshot() as server, Loopback(away) as door:
        host = urlsplit(door.url).netloc
        assert await take(context, f"http://joe:secret@{host}/", 1) == [jpeg(0)]
        assert "authorization" not in server.requests[-1].headers


def test_whose_address_it_is() -> None:
    yes = ("http://x/a.jpg", "https://x/video.mjpg?a=b", "http://u:p@x")
    no = (
        "http://x/live.m3u8",
        "https://x/a.MPD",
        "rtsp://x",
        "/tmp/a",
        "testcard",
        "ftp://x/a.jpg",
    )
    assert all(camera_http.accepts(url) for url in yes)
    assert not any(camera_http.accepts(url) for url in no)


def number_of(data: bytes | None) -> int:
    """Which of the server's pictures this is."""
    pictures: Sequence[bytes] = [jpeg(n) for n in range(50)]
    assert data is not None
    return pictures.index(data)
