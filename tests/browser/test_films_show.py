"""A film's page in a real browser: it plays while it grows, and its slider goes by real time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.landscape import landscape
from tests.browser.stage import chromium, overflow, until, visit
from tests.browser.test_cameras import serious
from tests.conftest import Site
from tests.films import making
from tests.jobs.test_browser import sign_in
from vigil.clock import FakeClock
from vigil.context import Context

pytestmark = pytest.mark.browser

VIDEO = "document.querySelector('[data-video]')"
PLAY = """async ([least, rate]) => {
    const video = document.querySelector("[data-video]");
    video.playbackRate = rate;
    const there = new Promise((done, fail) => {
        const look = () => video.currentTime >= least && done(video.currentTime);
        for (const name of ["timeupdate", "ended"]) video.addEventListener(name, look);
        video.addEventListener("error", () => fail(video.error));
        look();
    });
    await video.play();
    return await there;
}"""


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def picture(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asked for it."""
    folder = os.environ.get("VIGIL_TEST_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def window(context: Context, camera: int, number: int) -> Context:
    """Twenty frames, and the moment when their window closes."""
    seconds = range(20 * number, 20 * number + 20)
    await making.add_frames(context, camera, seconds, size=(320, 180))
    then = making.START + timedelta(seconds=20 * number + 22)
    return replace(context, clock=FakeClock(then))


def later(context: Context, **span: float) -> Context:
    return replace(context, clock=FakeClock(making.START + timedelta(**span)))


async def done(context: Context, seconds: list[int], length_s: float, **film: Any) -> int:
    """A film that is done, of frames at these seconds."""
    camera = await making.camera(context)
    await making.add_frames(context, camera, seconds, size=(320, 180))
    film_id = await making.film(context, camera, until=length_s, width=320, height=180, **film)
    await making.render(later(context, days=30), film_id)
    return film_id


async def wait_until_loaded(page: Page, length: float) -> None:
    await until(page, f"{VIDEO}.duration >= {length - 0.05} && {VIDEO}.readyState >= 3")


async def test_a_film_plays_while_it_grows(site: Site, browser: Browser) -> None:
    camera = await making.camera(site.context)
    film_id = await making.film(site.context, camera, until=None, width=320, height=180)
    async with visit(browser, site.url) as page:
        await sign_in(site, page)
        await page.goto(f"/films/{film_id}")
        await expect(page.locator("[data-badge]")).to_have_text("waiting")
        await expect(page.locator("[data-nothing]")).to_be_visible()
        await expect(page.locator("[data-message]")).to_have_text("no renderer is running")
        for number in range(3):
            context = await window(site.context, camera, number)
            if number:
                await making.render_due(context, film_id)
            else:
                await making.render(context, film_id)
            length = 2 * (number + 1)
            await expect(page.locator("[data-badge]")).to_have_text("growing")
            await expect(page.locator("[data-segments]")).to_have_text(str(number + 1))
            await expect(page.locator("[data-length]")).to_have_text(f"{length} s")
            await wait_until_loaded(page, length)
            at = await page.evaluate(PLAY, [length - 0.5, 4])
            assert at < length + 0.1
        await until(page, "document.querySelector('[data-slider]').max > 0")
        await until(page, "!document.querySelector('[data-line]').hidden")
        await page.evaluate(f"{VIDEO}.pause()")
        # What is on the screen was taken when the page says, to the picture.
        second = int(10 * await page.evaluate(f"{VIDEO}.currentTime") + 1e-6)
        wanted = making.START + timedelta(seconds=second)
        shown = f"document.querySelector('[data-moment]').dateTime == '{stamp(wanted)}'"
        await until(page, shown)
        await picture(page, "film-growing")
        await page.get_by_role("button", name="Make one file").click()
        await expect(page.locator("[data-joining]")).to_be_visible()
        await making.render(later(site.context, seconds=70), film_id)
        await expect(page.locator("[data-download]")).to_be_visible()
        await expect(page.locator("[data-old]")).to_be_hidden()
        await making.render_due(await window(site.context, camera, 3), film_id)
        await expect(page.locator("[data-old]")).to_be_visible()
        await page.reload()
        await expect(page.locator("[data-segments]")).to_have_text("4")
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.locator("[data-badge]")).to_have_text("cancelled")
        await expect(page.get_by_role("button", name="Resume")).to_be_enabled()


async def test_the_piece_that_grows_is_shown_when_asked_for(site: Site, browser: Browser) -> None:
    camera = await making.camera(site.context)
    await making.add_frames(site.context, camera, range(0, 1800, 60), size=(320, 180))
    film_id = await making.film(
        site.context, camera, until=None, speed=600, window_s=1200, width=320, height=180
    )
    await making.render(later(site.context, seconds=1800), film_id)
    async with visit(browser, site.url) as page:
        await page.goto(f"/films/{film_id}")
        await wait_until_loaded(page, 2)
        assert await page.evaluate(f"{VIDEO}.duration") < 2.05
        await page.get_by_role("button", name="Show it").click()
        await wait_until_loaded(page, 3)
        await expect(page.locator("[data-more]")).to_be_hidden()
        await page.evaluate(PLAY, [2.9, 1])
        last = making.START + timedelta(seconds=1740)
        await until(page, f"document.querySelector('[data-moment]').dateTime == '{stamp(last)}'")
        await until(page, f"{VIDEO}.ended")


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def work_on(context: Context, film_id: int, most: int) -> None:
    """Do so many of a film's jobs."""
    for _ in range(most):
        assert await making.work_on(context, film_id)


async def test_a_film_is_watched_while_it_is_rendered(site: Site, browser: Browser) -> None:
    """From the first segment on; the page tells how far it is, also when it is opened again."""
    camera = await making.camera(site.context)
    for number in range(96):
        moment = making.START + timedelta(minutes=15 * number)
        await making.add_frame(site.context, camera, moment, landscape(moment))
    film_id = await making.film(
        site.context,
        camera,
        until=86400,
        speed=9000,
        fps=10,
        window_s=7200,
        width=640,
        height=360,
    )
    context = later(site.context, days=2)
    wide: Any = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}
    async with visit(browser, site.url, **wide) as page:
        await sign_in(site, page)
        await page.goto(f"/films/{film_id}")
        await work_on(context, film_id, 2)  # the plan, and one segment
        await expect(page.locator("[data-badge]")).to_have_text("rendering")
        await wait_until_loaded(page, 0.8)
        await work_on(context, film_id, 3)
        await expect(page.locator("[data-work]")).to_contain_text("4 of 12 segments")
        await wait_until_loaded(page, 3.2)
        await page.evaluate(PLAY, [2.8, 2])
        await expect(page.locator("[data-message]")).to_contain_text("32 of 96 frames")
        await expect(page.locator("[data-message]")).to_contain_text("frames a second")
        await expect(page.locator("[data-message]")).to_contain_text("left")
        await page.reload()
        await expect(page.locator("[data-work]")).to_contain_text("4 of 12 segments")
        await wait_until_loaded(page, 3.2)
        await until(page, "!document.querySelector('[data-line]').hidden")
        await picture(page, "films-rendering")
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.locator("[data-badge]")).to_have_text("cancelled")
        await expect(page.locator("[data-work]")).to_be_hidden()
        await wait_until_loaded(page, 3.2)
        await page.get_by_role("button", name="Resume").click()
        await expect(page.locator("[data-badge]")).to_have_text("waiting")
        await making.render(context, film_id)
        await expect(page.locator("[data-badge]")).to_have_text("done")
        await expect(page.locator("[data-frames]")).to_have_text("96")
        await wait_until_loaded(page, 9.6)
        await page.evaluate(PLAY, [9.5, 4])
        await expect(page.locator("[data-download]")).to_be_visible()


async def test_the_slider_goes_by_real_time(site: Site, browser: Browser) -> None:
    """Three days, of which the second has a long gap: film time and real time go apart."""
    step = 1800
    seconds = [s for s in range(0, 3 * 86400, step) if not 86400 + 7200 <= s < 86400 + 50400]
    film_id = await done(
        site.context, seconds, 3 * 86400, speed=step * 10, fps=10, window_s=20 * step
    )
    film_times = {second: index / 10 for index, second in enumerate(seconds)}
    length = len(seconds) / 10
    async with visit(browser, site.url, timezone_id="UTC") as page:
        await page.goto(f"/films/{film_id}")
        await wait_until_loaded(page, length)
        slider = page.get_by_role("slider", name="Moment that is shown")
        await expect(slider).to_be_visible()
        first, last = seconds[0], seconds[-1]

        async def point(second: float) -> tuple[float, float]:
            box = await slider.bounding_box()
            assert box is not None
            share = (second - first) / (last - first)
            thumb = 3  # px: a range's thumb does not leave it
            across = box["x"] + thumb / 2 + share * (box["width"] - thumb)
            return across, box["y"] + box["height"] / 2

        async def shows(second: int) -> None:
            wanted = making.START + timedelta(seconds=second)
            await until(
                page, f"document.querySelector('[data-moment]').dateTime == '{stamp(wanted)}'"
            )
            at = await page.evaluate(f"{VIDEO}.currentTime")
            assert film_times[second] <= at < film_times[second] + 0.1

        for second in (3600 * 9, 86400 + 50400, 2 * 86400 + 3600 * 5, 0):
            await page.mouse.click(*await point(second))
            at = await page.evaluate(f"{VIDEO}.currentTime")
            near = min(seconds, key=lambda s: abs(film_times[s] + 0.05 - at))
            assert abs(near - second) <= 2 * step, (near, second)
        # Into the gap: the picture that is closest.
        await page.mouse.click(*await point(86400 + 7200 + 3600))
        await shows(86400 + 5400)
        # Keys: a picture, a second of film, a day, the ends.
        await slider.focus()
        await page.keyboard.press("ArrowRight")
        await shows(86400 + 50400)
        await page.keyboard.press("ArrowLeft")
        await shows(86400 + 5400)
        await page.keyboard.press("Shift+ArrowLeft")
        await shows(86400 + 5400 - 10 * step)
        await page.keyboard.press("Home")
        await shows(0)
        await page.keyboard.press("PageDown")
        await shows(12 * 3600)
        await page.keyboard.press("PageDown")
        await shows(86400 + 50400)  # the second day begins in the gap
        await page.keyboard.press("PageUp")
        await shows(12 * 3600)
        await page.keyboard.press("End")
        await shows(seconds[-1])
        assert "2026" in (await slider.get_attribute("aria-valuetext") or "")
        # A small picture of what is where.
        await page.mouse.move(*await point(3600 * 9))
        await expect(page.locator("[data-thumb]")).to_be_visible()
        sheet = await page.locator("[data-picture]").get_attribute("data-sheet")
        async with site.client.get(sheet or "") as answer:
            assert answer.status == 200
            assert answer.content_type == "image/jpeg"
        await expect(page.locator("[data-thumb-moment]")).to_contain_text("2026")
        assert await overflow(page) == []


async def test_a_landscape_of_five_days(site: Site, browser: Browser) -> None:
    """What people see: pages as they are, wide and on a phone, and a list that moves."""
    camera = await making.camera(site.context)
    moments = [making.START + timedelta(minutes=30 * n) for n in range(5 * 48)]
    for number, moment in enumerate(moments):
        if not 110 <= number < 125:
            await making.add_frame(site.context, camera, moment, landscape(moment))
    film_id = await making.film(
        site.context,
        camera,
        until=5 * 86400,
        speed=18000,
        fps=10,
        window_s=36000,
        width=960,
        height=540,
    )
    await making.render(later(site.context, days=6), film_id)
    wide: Any = {"viewport": {"width": 1280, "height": 900}}
    phone: Any = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    for name, options in (("films-show", wide), ("films-phone", phone)):
        async with visit(browser, site.url, **options) as page:
            await page.goto(f"/films/{film_id}")
            await wait_until_loaded(page, 22.5)
            slider = page.get_by_role("slider", name="Moment that is shown")
            await slider.scroll_into_view_if_needed()
            box = await slider.bounding_box()
            assert box is not None
            async with page.expect_response(lambda answer: "/sheets/" in answer.url):
                await page.mouse.click(box["x"] + 0.46 * box["width"], box["y"] + 5)
            await until(page, f"!{VIDEO}.seeking")
            await page.wait_for_load_state("networkidle")
            assert await overflow(page) == []
            assert await serious(page) == []
            await picture(page, name)
    async with visit(browser, site.url, **wide, reduced_motion="no-preference") as page:
        await page.goto("/films")
        poster = page.locator("[data-film] img")
        await until(page, "document.querySelector('[data-film] img').naturalWidth == 640")
        async with page.expect_response(lambda answer: "/previews/" in answer.url) as came:
            await page.locator("[data-film]").hover()
        preview = await came.value
        assert preview.headers["content-type"] == "image/webp"
        await until(page, "document.querySelector('[data-film] img').naturalWidth == 240")
        await page.mouse.move(5, 5)
        await until(page, "document.querySelector('[data-film] img').naturalWidth == 640")
        await page.locator("[data-film] h2 a").focus()
        await expect(poster).to_have_attribute("src", preview.url.removeprefix(site.url))
        await picture(page, "films-list")
    async with visit(browser, site.url, **wide, reduced_motion="reduce") as page:
        await page.goto("/films")
        source = await page.locator("[data-film] img").get_attribute("src")
        await page.locator("[data-film]").hover()
        await page.locator("[data-film] h2 a").focus()
        await expect(page.locator("[data-film] img")).to_have_attribute("src", source or "")


@pytest.mark.parametrize("codec", ["vp9", "av1"])
async def test_other_codecs_play(site: Site, browser: Browser, codec: str) -> None:
    film_id = await done(site.context, list(range(60)), 60, options={"codec": codec})
    async with visit(browser, site.url) as page:
        await page.goto(f"/films/{film_id}")
        await expect(page.locator("[data-badge]")).to_have_text("done")
        await expect(page.locator("[data-cannot]")).to_be_hidden()
        await wait_until_loaded(page, 6)
        await page.evaluate(PLAY, [5.9, 4])


async def test_what_is_wrong_is_said(site: Site, browser: Browser) -> None:
    """A frame that cannot be read, and one that is gone: a neighbour stands in."""
    camera = await making.camera(site.context)
    blobs = await making.add_frames(site.context, camera, range(60), size=(320, 180))
    await site.context.storage.put(blobs[25], b"no picture")
    film_id = await making.film(site.context, camera, width=320, height=180)
    await making.render(later(site.context, days=1), film_id)
    async with visit(browser, site.url) as page:
        await page.goto(f"/films/{film_id}")
        await expect(page.locator("[data-troubles]")).to_contain_text("1 frame could not be read")
        await wait_until_loaded(page, 6)
