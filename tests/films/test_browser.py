"""A film's page in a browser: it plays while it grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import find_browser
from tests.conftest import Site
from tests.films import making
from tests.jobs.test_browser import look, page, sign_in  # noqa: F401 - page is a fixture
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import store

BROWSER = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]
PLAYED = """async ([least]) => {
    const video = document.querySelector("[data-video]");
    video.playbackRate = 4;
    await video.play();
    while (video.currentTime < least) await new Promise((done) => setTimeout(done, 20));
    return video.currentTime;
}"""
WATCH = """() => {
    const video = document.querySelector("[data-video]");
    window.stalls = [];
    for (const name of ["waiting", "stalled", "error"])
        video.addEventListener(name, () => window.stalls.push([name, video.currentTime]));
}"""


async def window(context: Context, camera: int, number: int) -> Context:
    """Twenty frames, and the moment when their window closes."""
    seconds = range(20 * number, 20 * number + 20)
    await making.add_frames(context, camera, seconds, size=(320, 180))
    then = making.START + timedelta(seconds=20 * number + 22)
    return replace(context, clock=FakeClock(then))


async def test_a_film_plays_while_it_grows(site: Site, page: Page) -> None:  # noqa: F811
    camera = await making.camera(site.context)
    film_id = await making.film(site.context, camera, until=None, width=320, height=180)
    await sign_in(site, page)
    await page.goto(f"{site.url}/films/{film_id}")
    await expect(page.locator("[data-badge]")).to_have_text("waiting")
    await expect(page.locator("[data-nothing]")).to_be_visible()
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
        await page.wait_for_function(
            "length => document.querySelector('[data-video]').duration >= length - 0.05",
            arg=length,
            timeout=30_000,
        )
        at = await page.evaluate(PLAYED, [length - 0.5])
        assert at < length + 0.1
        # What is on the screen was taken when the page says.
        shown = await page.locator("[data-moment]").get_attribute("datetime")
        assert shown is not None
        second = 10 * await page.evaluate("document.querySelector('[data-video]').currentTime")
        wanted = making.START + timedelta(seconds=second)
        assert abs((datetime.fromisoformat(shown) - wanted).total_seconds()) < 15
    await look(page, "film-growing")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("[data-badge]")).to_have_text("cancelled")
    await expect(page.get_by_role("button", name="Resume")).to_be_enabled()


async def test_all_joins_play_without_a_stall(
    site: Site,
    page: Page,  # noqa: F811
) -> None:
    context = replace(site.context, clock=FakeClock(making.START + timedelta(days=1)))
    camera = await making.camera(context)
    seconds = [s for s in range(200) if not 60 <= s < 100 and s % 17]
    await making.add_frames(context, camera, seconds, size=(320, 180))
    film_id = await making.film(context, camera, until=200, width=320, height=180)
    await making.render(context, film_id)
    await page.goto(f"{site.url}/films/{film_id}")
    await expect(page.locator("[data-badge]")).to_have_text("done")
    length = len(seconds) / 10
    await page.wait_for_function(
        """length => {
            const video = document.querySelector("[data-video]");
            const there = video.buffered;
            return there.length === 1 && there.start(0) < 0.01 && there.end(0) > length - 0.05;
        }""",
        arg=length,
        timeout=30_000,
    )
    await page.evaluate(WATCH)
    await page.evaluate(PLAYED, [length - 0.05])
    stalls = await page.evaluate("window.stalls")
    assert [s for s in stalls if s[1] < length - 0.2] == []
    duration = await page.evaluate("document.querySelector('[data-video]').duration")
    assert duration == pytest.approx(length, abs=0.05)
    await page.evaluate("document.querySelector('[data-video]').currentTime = 3.05")
    await page.wait_for_function("!document.querySelector('[data-video]').seeking")
    await expect(page.get_by_role("link", name="Download")).to_be_visible()
    await look(page, "film-done")


async def test_the_form_and_the_list(site: Site, page: Page) -> None:  # noqa: F811
    await making.camera(site.context)
    await sign_in(site, page)
    await page.goto(f"{site.url}/films")
    await page.get_by_label("Speed").fill("10")
    await page.get_by_label("Title").fill("The garden, slowly")
    await page.get_by_role("button", name="Make the film").click()
    await expect(page.get_by_role("heading", name="The garden, slowly")).to_be_visible()
    await expect(page.locator("[data-message]")).to_have_text("no renderer is running")
    await look(page, "film-waiting")
    await page.goto(f"{site.url}/films")
    await expect(page.locator("[data-film]")).to_have_count(1)
    await look(page, "films")
    await page.get_by_role("link", name="The garden, slowly").click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("No films yet")).to_be_visible()
    assert await store.page(site.context.pool) == []
