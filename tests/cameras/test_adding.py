"""adding: what an admin asks for, checked."""

from __future__ import annotations

from typing import Any

import pytest

from vigil.cameras import store
from vigil.cameras.adding import Wanted, add, canonical, guess
from vigil.context import Context
from vigil.errors import Conflict, Invalid


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://10.0.0.1/snapshot.jpg", "http"),
        ("https://joe:secret@cam.example/video.mjpg?x=1", "http"),
        ("http://[::1]:8080/x", "http"),
        ("https://cam.example/live.m3u8", "ffmpeg"),
        ("rtsp://joe:secret@10.0.0.1:554/stream1", "ffmpeg"),
        ("rtsps://cam.example/x", "ffmpeg"),
        ("/srv/video/street.mp4", "ffmpeg"),
        ("file:///srv/my%20video.mp4", "ffmpeg"),
        ("/dev/video0", "ffmpeg"),
        ("testcard", "testcard"),
    ],
)
async def test_the_kind_is_guessed(context: Context, url: str, kind: str) -> None:
    camera = await add(context.pool, Wanted(name="a", url=url))
    assert camera.kind == kind == guess(canonical(url))
    assert camera.url == (None if kind == "testcard" else canonical(url))
    assert (camera.interval_s, camera.retention_s) == (10, 30 * 86_400)
    assert camera.enabled
    assert await store.by_name(context.pool, "a") == camera


def test_a_file_url_becomes_its_path() -> None:
    assert canonical("file:///srv/my%20video.mp4") == "/srv/my video.mp4"
    assert canonical("  rtsp://x/y \n") == "rtsp://x/y"


@pytest.mark.parametrize(
    "url",
    ["", " ", "x", "ftp://x/y", "http://", "http:///x", "http://x:99999/", "http://[bad/", "-i",
     "relative/a.mp4", "concat:/etc/passwd", "file:relative.mp4", "/srv/../etc/passwd",
     "file:///srv/%2e%2e/x", "http://x/a b", "http://x/\x00", "javascript:alert(1)",
     "http://" + "x" * 2000, "pipe:0", "data:image/jpeg;base64,xx", "unix:/run/x"],
)  # fmt: skip
async def test_addresses_that_are_none(context: Context, url: str) -> None:
    with pytest.raises(Invalid):
        await add(context.pool, Wanted(name="a", url=url))


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "Garden"},
        {"name": ""},
        {"name": "-a"},
        {"name": "a/b"},
        {"name": "a" * 64},
        {"name": "a\n"},
        {"title": "x" * 201},
        {"title": "a\x00b"},
        {"interval_s": 0.09},
        {"interval_s": -1},
        {"interval_s": float("nan")},
        {"interval_s": float("inf")},
        {"retention_s": 59},
        {"retention_s": 1e12},
        {"kind": "hologram"},
        {"kind": "testcard"},
        {"kind": "http", "url": "rtsp://x/y"},
        {"options": {"keyframes": True}},
        {"url": "rtsp://x/y", "options": {"keyframes": 1}},
        {"url": "rtsp://x/y", "options": {"more": True}},
        {"url": "testcard", "kind": "http"},
    ],
    ids=str,
)
async def test_what_cannot_be_used_is_said(context: Context, wanted: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        await add(context.pool, Wanted(**{"name": "a", "url": "http://x/y"} | wanted))
    assert caught.value.message
    assert await store.all_cameras(context.pool) == []


async def test_options_and_a_kind_of_ones_own(context: Context) -> None:
    options = {"keyframes": False}
    camera = await add(
        context.pool, Wanted(name="a", url="http://x/video.mp4", kind="ffmpeg", options=options)
    )
    assert (camera.kind, camera.options) == ("ffmpeg", options)


async def test_a_name_is_taken_once(context: Context) -> None:
    first = await add(context.pool, Wanted(name="a", url="testcard"))
    with pytest.raises(Conflict):
        await add(context.pool, Wanted(name="a", url="http://x/y"))
    await store.begin_removal(context.pool, first.id)
    with pytest.raises(Conflict, match="removed"):
        await add(context.pool, Wanted(name="a", url="http://x/y"))
    await store.finish_removal(context.pool)
    await add(context.pool, Wanted(name="a", url="http://x/y"))
