"""What the browser tests and the screenshots look at: Vigil beside peers that have pictures.

The directories are the loopback servers of tests/servers; what their streams show is made by
ffmpeg: one still picture each, and a short HLS film that can be played.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.running import Vigil, running
from tests.servers.owncast import Instance, Owncast
from tests.servers.peertube import Live, PeerTube
from vigil import ffmpeg

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]
"""Chromium in a container without a user of its own, that calls nobody at home."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PICTURES = {
    "aquarium": "gradients=s=640x360:c0=0x063b5c:c1=0x0fa3a3:c2=0x072b44:c3=0x49d3c3:n=4:seed=7",
    "fractals": "mandelbrot=s=640x360:start_scale=0.6:start_x=-0.74:start_y=0.12",
    "life": "life=s=320x180:mold=10:r=25:ratio=0.12:death_color=#0b3b2e:life_color=#ffc861:seed=4,"
    "scale=640:360:flags=neighbor",
    "rules": "cellauto=s=160x90:rule=30:seed=9,scale=640:360:flags=neighbor,format=gbrp,"
    "lutrgb=r=val*0.85+20:g=val*0.45+24:b=val*0.2+44",
    "sunset": "gradients=s=640x360:c0=0x2b1055:c1=0xff8c42:c2=0xffd166:c3=0x7597de:n=4:seed=3",
    "carpet": "sierpinski=s=640x360:type=triangle:seed=2",
    "meadow": "gradients=s=640x360:c0=0x14532d:c1=0x84cc16:c2=0x052e16:c3=0xfacc15:n=4:seed=11",
    "card": "testsrc2=s=640x360",
    "studio0": "gradients=s=640x360:c0=0x3b0764:c1=0xe879f9:c2=0x1e1b4b:c3=0x818cf8:n=4:seed=21",
    "studio1": "gradients=s=640x360:c0=0x450a0a:c1=0xf97316:c2=0x7f1d1d:c3=0xfbbf24:n=4:seed=5",
    "studio2": "gradients=s=640x360:c0=0x0c4a6e:c1=0x38bdf8:c2=0x082f49:c3=0xe0f2fe:n=4:seed=15",
}

TITLES = {
    "aquarium": ("Reef tank, nobody talking", ("fish", "ambient")),
    "fractals": ("Zooming in until the numbers run out", ("maths", "art")),
    "life": ("Game of Life on a wall of lamps", ("maths", "cellular automata")),
    "rules": ("Rule 30, forever", ("maths",)),
    "sunset": ("Balcony cam: evening over the harbour", ("outdoors", "ambient")),
    "carpet": ("Drawing triangles by hand (day 12)", ("art",)),
    "meadow": ("Bees in the meadow", ("outdoors", "nature")),
    "card": ("Fixing an old test-card generator", ("electronics", "making")),
}


def find_browser() -> str | None:
    """The system's Chromium; ``None`` where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def make_pictures(folder: Path) -> None:
    """One JPEG for each of PICTURES, and card/stream.m3u8: eight seconds of HLS."""
    for name, source in PICTURES.items():
        run("-f", "lavfi", "-i", source, "-ss", "2", "-frames:v", "1", str(folder / f"{name}.jpg"))
    hls = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "vod"]
    video = ["-t", "8", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-g", "25"]
    run("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", *video, *hls, str(folder / "stream.m3u8"))


def run(*arguments: str) -> None:
    command = [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class PicturesOwncast(Owncast):
    """An Owncast directory whose instances have thumbnails and can be watched."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            [
                Instance(name, title=title, tags=tags, viewers=number % 3)
                for number, (name, (title, tags)) in enumerate(TITLES.items())
            ]
        )
        self.folder = folder

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        name, _, rest = request.path.strip("/").partition("/")
        file = None
        if rest == "thumbnail.jpg":
            file = self.folder / f"{name}.jpg"
        elif rest.startswith("hls/"):
            file = self.folder / Path(rest).name
        if file is None or not file.is_file():
            return await super().handle(request)
        kind = {".jpg": "image/jpeg", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}
        return web.Response(
            body=file.read_bytes(),
            content_type=kind[file.suffix],
            headers={"access-control-allow-origin": "*"},
        )


def peertube(pictures: str) -> PeerTube:
    """A PeerTube search with a few lives whose pictures are below that address."""
    began = datetime.now(UTC)
    lives = []
    for number in range(3):
        picture = f"{pictures}/studio{number}/thumbnail.jpg"
        since = (began - timedelta(minutes=7 + 40 * number)).isoformat().replace("+00:00", "Z")
        more = {"thumbnailUrl": picture, "previewUrl": picture, "publishedAt": since}
        name = f"Village radio, studio {number + 1}"
        lives.append(Live(number, name=name, viewers=number, more=more))
    return PeerTube(lives)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium; skips the test, with the reason, where there is none."""
    path = find_browser()
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visit(browser: Browser, url: str, **options: Any) -> AsyncIterator[Page]:
    """A page in a context of its own; fails when a script fails or the policy is violated.

    Args:
        browser: to open it in.
        url: base of all addresses.
        options: of Playwright's new_context, e.g. viewport, color_scheme, locale.
    """
    context = await browser.new_context(base_url=url, **options)
    context.set_default_timeout(20_000)
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("console", lambda message: _judge(message, problems))
    try:
        yield page
        if problems:
            raise AssertionError("\n".join(problems))
    finally:
        await context.close()


def _judge(message: ConsoleMessage, problems: list[str]) -> None:
    if message.type == "error" and not message.text.startswith("Failed to load resource"):
        problems.append(f"console: {message.text}")


async def overflow(page: Page) -> list[str]:
    """What sticks out on the right of the page, and so makes it scroll sideways."""
    found: list[str] = await page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            return [...document.querySelectorAll("body *")]
                .filter((e) => e.getBoundingClientRect().right > width + 0.5)
                .map((e) => e.outerHTML.slice(0, 120));
        }"""
    )
    return found


@dataclass(frozen=True)
class House:
    """A whole Vigil and its peers, all at work."""

    vigil: Vigil
    owncast: PicturesOwncast
    peertube: PeerTube

    @property
    def url(self) -> str:
        """Where the site is."""
        return self.vigil.url

    async def admin_link(self) -> str:
        """The one-time link of the first start."""
        for _ in range(100):
            text = self.vigil.output.read_text()
            found = re.search(r"https?://\S+/admin/enter\S+", text)
            if found:
                return found[0].replace("localhost", "127.0.0.1")
            await asyncio.sleep(0.1)
        raise AssertionError(f"no link was printed:\n{text}")


@asynccontextmanager
async def whole_house(folder: Path, **settings: str) -> AsyncIterator[House]:
    """`vigil run` beside an Owncast directory and a PeerTube search, all on loopback."""
    await asyncio.to_thread(make_pictures, folder)
    async with AsyncExitStack() as stack:
        owncast = await stack.enter_async_context(PicturesOwncast(folder))
        tube = await stack.enter_async_context(peertube(owncast.url))
        addresses = {"VIGIL_OWNCAST_URL": owncast.url, "VIGIL_PEERTUBE_URL": tube.url}
        vigil = stack.enter_context(running(**addresses, **settings))
        await asyncio.to_thread(vigil.start, 120)
        try:
            yield House(vigil, owncast, tube)
        finally:
            if vigil.process.poll() is None:
                await asyncio.to_thread(vigil.stop)


async def until(page: Page, expression: str, seconds: float = 30) -> None:
    """Return once a JavaScript expression is true; the policy forbids Playwright's own waiting."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await page.evaluate(expression):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {expression}")
        await page.wait_for_timeout(100)
