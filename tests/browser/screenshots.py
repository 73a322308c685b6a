"""Pictures of the real site for the README: ``python -m tests.browser.screenshots [folder]``.

Starts the whole of Vigil beside loopback directories (tests/browser/stage.py), waits until there
is something to see, and writes one PNG for each page, width and colour scheme. With ``--all`` also
the admin's pages and the widths between.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser, Page

import db_utils
from tests.browser import landscape
from tests.browser.stage import TITLES, House, chromium, until, whole_house
from vigil.clock import SystemClock
from vigil.settings import ROOT, Settings
from vigil.streams.history import store
from vigil.streams.history.model import SAMPLE

DESKTOP, PHONE = (1280, 960), (390, 844)
ON_TOP = "Zooming in until the numbers run out"
"""The stream on the front page; which one is on top would be left to chance."""
README = (
    ("streams", "/", DESKTOP, "light"),
    ("streams-filter", "/", DESKTOP, "light"),
    ("stream", "/streams", DESKTOP, "light"),
    ("camera", "/cameras/garden", DESKTOP, "light"),
    ("scene", "/scenes/garden", DESKTOP, "dark"),
    ("scene-day", "/scenes/garden/days/", DESKTOP, "light"),
    ("scene-compare", "/scenes/garden/compare", DESKTOP, "light"),
    ("streams-phone", "/", PHONE, "dark"),
)
WHOLE = ("scene", "scene-day")
"""Pictures of all of a page, not only of what is in sight."""
SAMPLES = 60
"""Of who watched the stream whose page is shown."""
PRESSED = {"streams-filter": "f"}
"""Keys pressed before a picture is taken."""
PATHS = {
    "streams": "/",
    "search": "/?include=maths",
    "nothing": "/?include=nobodysaysthis",
    "stream": "/streams",
    "cameras": "/cameras",
    "camera": "/cameras/garden",
    "scene": "/scenes/garden",
    "day": "/scenes/garden/days/",
    "compare": "/scenes/garden/compare",
    "new-camera": "/new-camera",
    "move": "/cameras/garden/move",
    "films": "/films",
    "film": "/films/1",
    "jobs": "/jobs",
    "job": "/jobs/1",
    "sources": "/sources",
    "health": "/health",
    "admin": "/admin",
    "lost": "/nowhere",
}


async def shoot(
    browser: Browser,
    house: House,
    file: Path,
    path: str,
    *,
    size: tuple[int, int] = DESKTOP,
    scheme: str = "light",
    whole: bool = False,
    state: str | None = None,
) -> None:
    """One picture of one page; ``state`` is a file with the cookies of somebody signed in."""
    viewport = {"width": size[0], "height": size[1]}
    context = await browser.new_context(
        base_url=house.url,
        viewport=viewport,  # type: ignore[arg-type] # a TypedDict with these two keys
        color_scheme=scheme,  # type: ignore[arg-type] # light or dark
        device_scale_factor=2 if size == PHONE else 1,
        reduced_motion="reduce",
        storage_state=state,
    )
    page = await context.new_page()
    if path in ("/", "/streams"):
        source, name = await key_of(house, ON_TOP)
        key = quote(f"{source}:{name}", safe="")
        path = f"/?watch={key}" if path == "/" else f"/streams/{source}/{quote(name, safe='')}"
    await page.goto(of_the_garden(path))
    await page.wait_for_load_state("load")
    if file.stem in PRESSED:
        await page.keyboard.press(PRESSED[file.stem])
    await settle(page)
    await page.screenshot(path=file, full_page=whole)
    await context.close()


async def key_of(house: House, title: str) -> tuple[str, str]:
    """A stream's source and id."""
    words = quote(title[:40])
    [found] = await asyncio.to_thread(house.vigil.get, f"/stream?max_viewers=9&include={words}")
    return found["source"], found["id"]


async def give_a_past(house: House) -> None:
    """Samples of some hours, and another title at first, for the stream whose page is shown."""
    settings = Settings(data_dir=house.vigil.folder / "data")
    pool = await db_utils.create_pool(settings, "screenshots", size=1)
    source, name = await key_of(house, ON_TOP)
    row = await pool.fetchrow(
        """
        SELECT streams.id, streams.title, live.digest, live.viewers
        FROM streams JOIN stream_liveness AS live ON live.stream_id = streams.id
        JOIN sources ON sources.id = streams.source_id
        WHERE sources.name = $1 AND streams.external_id = $2
        """,
        source,
        name,
    )
    assert row is not None
    start = SystemClock().now() - SAMPLES * SAMPLE
    await pool.execute("DELETE FROM stream_samples")
    await pool.execute("DELETE FROM stream_memories")
    await pool.execute("UPDATE streams SET first_seen_at = $2 WHERE id = $1", row["id"], start)
    for number in range(SAMPLES):
        at = start + number * SAMPLE
        early = number < SAMPLES // 4
        await pool.execute(
            "UPDATE streams SET title = $2, changed_at = $3 WHERE id = $1 AND title <> $2",
            row["id"],
            "Setting things up" if early else row["title"],
            at,
        )
        wave = (4 + 4 * math.sin(number / 7) + 2 * math.sin(number / 2.3)) * (1 - number / SAMPLES)
        await pool.execute(
            "UPDATE stream_liveness SET viewers = $2, digest = $3, seen_at = $4"
            " WHERE stream_id = $1",
            row["id"],
            max(0, round(wave)),
            0 if early else row["digest"],
            at,
        )
        await store.sample(pool, at, at - SAMPLE)
    await pool.execute(
        "UPDATE stream_liveness SET viewers = $2 WHERE stream_id = $1", row["id"], row["viewers"]
    )
    await pool.close()


def of_the_garden(path: str) -> str:
    """The address of a day, or of two moments, where a path leaves that open."""
    today = SystemClock().now()
    if path.endswith("/days/"):
        return f"{path}{today - timedelta(days=5):%Y-%m-%d}"
    if path.endswith("/compare"):
        green, white = (f"{today - timedelta(days=ago):%Y-%m-%d}T12:20" for ago in (10, 6))
        return f"{path}?a_at={green}&b_at={white}"
    return path


async def settle(page: Page) -> None:
    """Wait for the pictures, and for a film's first seconds."""
    await page.wait_for_load_state("load")
    if await page.locator("[data-video]").count():
        await until(page, "document.querySelector('[data-video]').readyState >= 2", 90)
        await page.evaluate("document.querySelector('[data-video]').currentTime = 1.5")
    await page.wait_for_timeout(700)


async def ready(house: House) -> None:
    """Wait for streams, frames and a piece of film."""
    for _ in range(900):
        counts = await asyncio.to_thread(house.vigil.get, "/stats/counts")
        playlist = await asyncio.to_thread(house.vigil.text, "/api/v1/films/1/playlist.m3u8")
        if counts["streams"] >= len(TITLES) + 3 and playlist.count("#EXTINF") >= 2:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("nothing to see yet")


async def signed_in(browser: Browser, house: House, folder: Path) -> str:
    """A file with the cookies of an admin."""
    context = await browser.new_context(base_url=house.url)
    page = await context.new_page()
    await page.goto(await house.admin_link())
    await page.locator("main").get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Sign out").first.wait_for()
    file = str(folder / "state.json")
    await context.storage_state(path=file)
    await context.close()
    return file


async def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--only", action="append", metavar="NAME", help="this picture alone")
    parser.add_argument("--all", action="store_true", help="every page, both widths and schemes")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        async with chromium() as browser, whole_house(Path(scratch)) as house:
            await ready(house)
            await give_a_past(house)
            await landscape.plant(Path(house.vigil.environment["VIGIL_DATA_DIR"]))
            for name, path, size, scheme in README:
                if chosen.only and name not in chosen.only:
                    continue
                file = chosen.folder / f"{name}.png"
                whole = name in WHOLE
                await shoot(browser, house, file, path, size=size, scheme=scheme, whole=whole)
            if chosen.all:
                await everything(browser, house, chosen.folder, Path(scratch))


async def everything(browser: Browser, house: House, folder: Path, scratch: Path) -> None:
    """Every page, at both widths, by day and by night, and the admin's view of it."""
    state = await signed_in(browser, house, scratch)
    for name, path in PATHS.items():
        for width, size in (("wide", DESKTOP), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                file = folder / f"all-{name}-{width}-{scheme}.png"
                await shoot(browser, house, file, path, size=size, scheme=scheme, whole=True)
            file = folder / f"admin-{name}-{width}.png"
            await shoot(browser, house, file, path, size=size, whole=True, state=state)


if __name__ == "__main__":
    asyncio.run(main())
