"""The whole of Vigil as a visitor and as its admin see it: streams, a camera, a film that grows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.stage import TITLES, House, chromium, overflow, until, visit, whole_house

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

PAGES = (
    "/",
    "/cameras",
    "/cameras/testcard",
    "/games",
    "/films",
    "/films/1",
    "/jobs",
    "/sources",
    "/health",
)
PATIENCE_MS = 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with whole_house(tmp_path_factory.mktemp("pictures")) as started:
        for _ in range(600):
            counts = await asyncio.to_thread(started.vigil.get, "/stats/counts")
            if counts["streams"] >= len(TITLES) + 3:
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError(f"the streams of the peers are not there: {counts}")
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, house: House) -> AsyncIterator[Page]:
    async with visit(browser, house.url) as opened:
        yield opened


async def test_the_front_page_shows_live_streams_with_pictures(page: Page) -> None:
    await page.goto("/")
    stage = page.locator("[data-stage]")
    await expect(stage).to_be_visible()
    assert await page.locator(".grid > .card").count() == len(TITLES) + 3 - 1
    for name in ("Village radio", "Rule 30, forever"):
        await expect(page.get_by_text(name).first).to_be_visible()
    await until(
        page, "[...document.querySelectorAll('.card img.thumb')].some((i) => i.naturalWidth > 0)"
    )


async def test_a_search_finds_and_does_not_find(page: Page) -> None:
    await page.goto("/")
    box = page.get_by_role("search").get_by_role("searchbox")
    await box.fill("cellular")
    await box.press("Enter")
    await page.wait_for_url("**/?include=cellular")
    await expect(page.get_by_text("Game of Life on a wall of lamps")).to_be_visible()
    await expect(page.get_by_text("Bees in the meadow")).to_have_count(0)
    await expect(box).to_have_value("cellular")
    await box.fill("nobodysaysthis")
    await box.press("Enter")
    await expect(page.get_by_text("Nothing live matches.")).to_be_visible()


async def test_a_stream_plays_in_the_page(page: Page) -> None:
    await page.goto("/?include=rule")
    await until(page, "document.querySelector('[data-player] video')?.currentTime > 0.2")
    muted = "document.querySelector('[data-player] video').muted"
    assert await page.evaluate(muted)  # it began without being asked to
    await page.keyboard.press("m")
    assert not await page.evaluate(muted)


async def test_a_source_that_fails_is_named_with_the_reason(house: House, page: Page) -> None:
    house.peertube.faults.html = -1
    # a changed address or another try makes a pass; the source is asked again when it is enabled
    await asyncio.to_thread(house.vigil.command, "source", "disable", "peertube")
    await asyncio.to_thread(house.vigil.command, "source", "enable", "peertube")
    try:
        notice = page.locator(".notice.error")
        for _ in range(60):
            await page.goto("/")
            if await notice.count():
                break
            await page.wait_for_timeout(250)
        await expect(notice.first).to_contain_text(re.compile("peertube", re.I))
        await expect(notice.first).to_contain_text("tried again")
        await page.goto("/sources")
        await expect(page.get_by_text(re.compile("HTML|JSON")).first).to_be_visible()
    finally:
        house.peertube.faults.html = 0


async def test_the_cameras_latest_frame_changes_by_itself(page: Page) -> None:
    await page.goto("/cameras/testcard")
    image = page.locator("[data-live] .player img")
    await expect(image).to_be_visible(timeout=PATIENCE_MS)
    assert await image.evaluate("(i) => i.decode().then(() => i.naturalWidth)") > 0
    seen = {await image.get_attribute("src")}
    for _ in range(2):
        now = await image.get_attribute("src")
        await expect(image).not_to_have_attribute("src", now or "", timeout=PATIENCE_MS)
        seen.add(await image.get_attribute("src"))
        assert await image.evaluate("(i) => i.decode().then(() => i.naturalWidth)") > 0
    assert len(seen) == 3


async def test_a_film_plays_while_it_grows(page: Page) -> None:
    await page.goto("/films/1")
    await until(page, "document.querySelector('[data-video]').readyState >= 2", 90)
    video = page.locator("[data-video]")
    await video.evaluate("(v) => { v.muted = true; return v.play(); }")
    await until(page, "document.querySelector('[data-video]').currentTime > 0.5")
    length = await video.evaluate("(v) => v.duration")
    text = await page.request.get("/api/v1/films/1/playlist.m3u8")
    pieces = (await text.text()).count("#EXTINF")
    assert pieces >= 1
    for _ in range(120):
        text = await page.request.get("/api/v1/films/1/playlist.m3u8")
        if (await text.text()).count("#EXTINF") > pieces:
            break
        await page.wait_for_timeout(500)
    else:
        raise AssertionError("the playlist does not grow")
    await until(page, f"document.querySelector('[data-video]').duration > {length}", 90)


async def test_the_admin_signs_in_adds_a_camera_and_removes_it(
    browser: Browser, house: House
) -> None:
    link = await house.admin_link()
    async with visit(browser, house.url) as page:
        await page.goto("/cameras")
        await expect(page.get_by_text("Add a camera")).to_have_count(0)
        await page.goto(link)
        await page.locator("main").get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("button", name="Sign out").first).to_be_visible()
        [cookie] = [c for c in await page.context.cookies() if "session" in c["name"]]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] in ("Lax", "Strict")

        await page.goto("/cameras")
        await page.get_by_text("Add a camera").click()
        fields = {
            "Name": "reef",
            "Title": "The reef",
            "Address": f"{house.owncast.url}/aquarium/thumbnail.jpg",
            "Seconds between frames": "1",
        }
        for label, value in fields.items():
            await page.get_by_label(re.compile(f"^{label}")).fill(value)
        await page.get_by_role("button", name="Test it").click()
        await expect(page.locator("[data-trial-picture]")).to_be_visible(timeout=PATIENCE_MS)
        await page.get_by_role("button", name="Add the camera").click()
        await page.wait_for_url("**/cameras/reef")
        await expect(page.locator("[data-live] .player img")).to_be_visible(timeout=PATIENCE_MS)

        await page.get_by_role("button", name="Remove the camera").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove the camera").click()
        await page.wait_for_url("**/cameras")

        await page.get_by_role("button", name="Sign out").first.click()
        await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)

    async with visit(browser, house.url) as page:  # the link is worth nothing any more
        await page.goto(link)
        signing = page.locator("main").get_by_role("button", name="Sign in")
        if await signing.count():
            await signing.click()
        await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


async def test_nobody_else_can_change_anything(page: Page) -> None:
    for path in ("/cameras", "/cameras/testcard/delete", "/films/1/delete", "/sources"):
        answer = await page.request.post(path, form={"name": "x"})
        assert answer.status == 401, path
    await page.goto("/cameras/testcard")
    await expect(page.get_by_role("button", name="Remove the camera")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("path", PAGES)
async def test_no_page_scrolls_sideways(
    browser: Browser, house: House, path: str, width: int
) -> None:
    """And none violates the policy or has a failing script, in either colour scheme."""
    scheme = "dark" if width == 768 else "light"
    size = {"width": width, "height": 800}
    async with visit(browser, house.url, viewport=size, color_scheme=scheme) as page:
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 200
        await page.wait_for_load_state("load")
        assert await overflow(page) == []


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_can_be_read_aloud(page: Page, path: str) -> None:
    """One heading, names for what can be pressed or filled in, text beside every picture."""
    await page.goto(path)
    assert await page.locator("h1").count() == 1
    nameless = await page.evaluate(
        """() => ["button", "a[href]", "input", "select", "textarea"]
            .flatMap((kind) => [...document.querySelectorAll(`main ${kind}`)])
            .filter((e) => e.type !== "hidden" && e.offsetParent !== null && e.tabIndex >= 0)
            .filter((e) => !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.title
                || e.querySelector("img[alt]:not([alt=''])")))
            .map((e) => e.outerHTML.slice(0, 100))"""
    )
    assert nameless == []


async def test_nothing_here_is_a_page_of_ours(page: Page) -> None:
    answer = await page.goto("/nowhere")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="Nothing to see here")).to_be_visible()
