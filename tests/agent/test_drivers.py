"""How pictures are taken: real programs, and a GoPro and a snapshot camera on loopback."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.servers.pictures import jpeg
from vigil.agent import drivers
from vigil.errors import SettingsError, SourceError


@pytest.mark.parametrize("line", ["cp {source} {file}", "cat {source}"])
async def test_a_command_writes_a_file_or_its_output(tmp_path: Path, line: str) -> None:
    source = tmp_path / "picture of mine.jpg"
    source.write_bytes(jpeg(1))
    quoted = line.replace("{source}", f"'{source}'")
    assert await drivers.take("command", quoted) == jpeg(1)


async def test_what_goes_wrong_is_said(tmp_path: Path) -> None:
    for line, part in (
        ("echo no camera found >&2; exit 3", "no camera found"),
        ("exit 3", "exit status 3"),
        ("true", "wrote no picture"),
    ):
        with pytest.raises(SourceError, match=part):
            await drivers.take("command", line)
    with pytest.raises(SettingsError, match="no driver"):
        await drivers.take("polaroid", "")


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="within"):
        await drivers.take("command", f"(sleep 60; touch {tmp_path}/alive) & wait", timeout_s=0.3)
    await asyncio.sleep(0.1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("driver", "program", "target", "wanted"),
    [
        ("rpicam", "rpicam-still", "--rotation 180", "--nopreview --immediate --output"),
        ("rpicam", "libcamera-still", "", "--output"),
        ("v4l2", "fswebcam", "/dev/video3", "--device /dev/video3"),
        ("gphoto2", "gphoto2", "usb:001,004", "--port usb:001,004 --capture-image-and-download"),
    ],
)
async def test_programs_are_called_as_they_want_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str, program: str, target: str,
    wanted: str,
) -> None:  # fmt: skip
    """The program is one of ours that notes its arguments and writes to the last path."""
    fake = tmp_path / "bin" / program
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/called\n'
        'for one in "$@"; do case $one in */picture) echo JPEG > "$one";; esac; done\n'
    )
    fake.chmod(fake.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    assert await drivers.take(driver, target) == b"JPEG\n"
    assert wanted in (tmp_path / "called").read_text()


async def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for driver in ("rpicam", "v4l2", "gphoto2"):
        with pytest.raises(SettingsError, match="not installed"):
            await drivers.take(driver, "")


class GoPro:
    """The part of Open GoPro's HTTP API that taking a picture needs."""

    def __init__(self) -> None:
        self.files = ["GOPR0001.JPG", "GX010002.MP4"]
        self.busy = 0
        self.photo_mode = False
        self.takes = True

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/gopro/media/list", self._media)
        app.router.add_get("/gopro/camera/presets/set_group", self._group)
        app.router.add_get("/gopro/camera/shutter/start", self._shutter)
        app.router.add_get("/gopro/camera/state", self._state)
        app.router.add_get("/videos/DCIM/100GOPRO/{name}", self._file)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()

    async def _media(self, request: web.Request) -> web.Response:
        files = [{"n": name, "cre": "1777636800", "s": "1000"} for name in self.files]
        return web.json_response({"id": "1", "media": [{"d": "100GOPRO", "fs": files}]})

    async def _group(self, request: web.Request) -> web.Response:
        self.photo_mode = request.query["id"] == "1001"
        return web.json_response({})

    async def _shutter(self, request: web.Request) -> web.Response:
        if not self.photo_mode:
            raise web.HTTPInternalServerError
        self.busy = 2
        return web.json_response({})

    async def _state(self, request: web.Request) -> web.Response:
        self.busy = max(0, self.busy - 1)
        if not self.busy and self.takes:
            self.files.append("GOPR0003.JPG")
        return web.json_response({"status": {"8": self.busy, "10": 0}, "settings": {}})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=jpeg(3), content_type="image/jpeg")


async def test_a_gopro(unused_tcp_port: int) -> None:
    gopro = GoPro()
    async with gopro.running(unused_tcp_port) as url:
        assert await drivers.take("gopro", url, timeout_s=5) == jpeg(3)
        gopro.takes, gopro.files = False, gopro.files[:2]
        with pytest.raises(SourceError, match="took no picture"):
            await drivers.take("gopro", url, timeout_s=1)
    with pytest.raises(SourceError, match="does not answer"):
        await drivers.take("gopro", url, timeout_s=1)


async def test_a_snapshot(unused_tcp_port: int) -> None:
    gopro = GoPro()
    async with gopro.running(unused_tcp_port) as url:
        assert await drivers.take("snapshot", f"{url}/videos/DCIM/100GOPRO/x.jpg") == jpeg(3)
        with pytest.raises(SourceError, match="404"):
            await drivers.take("snapshot", f"{url}/nothing")
    with pytest.raises(SettingsError):
        await drivers.take("snapshot", "file:///etc/passwd")
