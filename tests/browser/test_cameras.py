"""Cameras and scenes in a real browser: added with a test, looked at, compared, tagged, moved."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.stage import chromium, overflow, visit
from tests.cameras.helpers import add_camera, add_frame
from tests.conftest import Site
from tests.jobs.test_browser import sign_in
from tests.servers.pictures import jpeg
from vigil.cameras import store as cameras
from vigil.cameras.model import Camera
from vigil.cameras.trying import scan as trying
from vigil.context import Context

pytestmark = pytest.mark.browser

VENDOR = Path(__file__).parent / "vendor"
NOON = datetime(2026, 3, 27, 11, 30, tzinfo=UTC)  # half past twelve in Berlin
SIZE = (1280, 720)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def garden(context: Context) -> Camera:
    """A camera in Berlin with two days of frames, an hour apart from six to six."""
    camera = await add_camera(context, title="The garden")
    await context.pool.execute("UPDATE cameras SET retention_s = 3e9")
    await context.pool.execute("UPDATE scenes SET time_zone = 'Europe/Berlin'")
    found = await cameras.by_id(context.pool, camera.id)
    assert found is not None
    for day in range(2):
        for hour in range(-6, 7):
            moment = NOON + timedelta(days=day, hours=hour)
            await add_frame(context, found, jpeg(20 * day + hour + 6, SIZE), moment)
    await account(context, camera)
    return found


async def account(context: Context, camera: Camera) -> None:
    """One day had everything that was planned, the other a gap."""
    await context.pool.execute(
        """
        INSERT INTO camera_days (camera_id, day, planned, source)
        VALUES ($1, '2026-03-27', 13, 0), ($1, '2026-03-28', 26, 13)
        ON CONFLICT (camera_id, day) DO UPDATE
            SET planned = excluded.planned, source = excluded.source
        """,
        camera.id,
    )
    await context.pool.execute(
        """
        INSERT INTO camera_gaps (camera_id, from_at, to_at, reason, detail, missed)
        VALUES ($1, '2026-03-28T12:00Z', '2026-03-28T14:00Z', 'source', 'it refused', 13)
        """,
        camera.id,
    )


async def look(context: Context) -> None:
    """What a scanner does once for cameras that are tried."""
    for target in await trying.targets(context):
        await target.run_once()


async def serious(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse."""
    await page.evaluate((VENDOR / "axe.min.js").read_text())
    found: dict[str, Any] = await page.evaluate("axe.run(document, {iframes: false})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:150]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


async def test_a_camera_is_added_with_a_test(site: Site, browser: Browser) -> None:
    async with visit(browser, site.url) as page:
        await sign_in(site, page)
        await page.goto("/cameras")
        await page.get_by_role("link", name="Add a camera").click()
        await page.locator("[name=name]").fill("door")
        await page.locator("[name=title]").fill("The door")
        await page.locator("[name=kind]").select_option("ffmpeg")
        await expect(page.locator("[data-options=ffmpeg]")).to_be_visible()
        await expect(page.locator("[data-options=push]")).to_be_hidden()
        await page.locator("[name=url]").fill("/srv/no/such/video.mp4")
        await page.get_by_role("button", name="Test it").click()
        await expect(page.locator("[data-trial-message]")).to_contain_text("Waiting for a scanner")
        await look(site.context)
        await expect(page.locator("[data-trial] .error")).to_contain_text("no such file")
        assert await cameras.all_cameras(site.context.pool) == []
        await page.locator("[name=kind]").select_option("testcard")
        await expect(page.locator("[name=url]")).to_be_hidden()
        await page.locator("[name=url]").evaluate("(field) => { field.value = 'testcard' }")
        await page.get_by_role("button", name="Test it").click()
        await look(site.context)
        picture = page.locator("[data-trial-picture]")
        await expect(picture).to_be_visible()
        assert await picture.evaluate("(image) => image.naturalWidth") == 1280
        await expect(page.locator("[data-trial]")).to_contain_text("1280 × 720, jpeg")
        await expect(page.locator("[data-trial]")).to_contain_text("Its clock")
        await expect(page.locator("canvas.crop")).to_be_visible()
        await page.get_by_label("Left").fill("10")
        await page.get_by_role("button", name="Add the camera").click()
        await expect(page.get_by_role("heading", name="The door")).to_be_visible()
        found = await cameras.by_name(site.context.pool, "door")
        assert found is not None
        assert found.kind == "testcard"
        assert list(found.crop or ()) == pytest.approx([0.1, 0, 1, 1], abs=1e-6)


async def test_a_camera_is_changed_and_its_crop_is_drawn(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url) as page:
        await sign_in(site, page)
        await page.goto("/cameras/garden")
        await page.get_by_role("link", name="Change").click()
        canvas = page.locator("canvas.crop")
        await expect(canvas).to_have_attribute("data-drawn", "640×360")
        await page.get_by_label("Turned clockwise").select_option("90")
        await expect(canvas).to_have_attribute("data-drawn", "360×640")
        await page.get_by_label("Turned clockwise").select_option("0")
        await canvas.scroll_into_view_if_needed()
        box = await canvas.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"], steps=4)
        await page.mouse.up()
        edges = [float(await page.get_by_label(name).input_value()) for name in ("Left", "Top")]
        assert edges == pytest.approx([25, 50], abs=1)
        await page.locator("[name=title]").fill("The back garden")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="The back garden")).to_be_visible()


async def test_the_calendar_and_a_day(site: Site, browser: Browser) -> None:
    camera = await garden(site.context)
    async with visit(browser, site.url) as page:
        await page.goto("/cameras/garden")
        await expect(page.locator(".strip img")).to_have_count(5)
        day = page.locator("[data-day='2026-03-28']")
        await expect(day).to_contain_text("13 frames, 50 percent of what was planned")
        await expect(page.locator("[data-day='2026-03-27']")).to_contain_text("100 %")
        await expect(day.locator("img")).to_be_visible()
        await page.get_by_role("link", name="February 2026").click()
        await expect(page.get_by_role("heading", name="February 2026")).to_be_visible()
        await expect(page.locator("[data-day]")).to_have_count(0)
        await page.get_by_role("link", name="March 2026", exact=True).click()
        await day.click()
        await expect(page.get_by_role("heading", name="Saturday, 28 March 2026")).to_be_visible()
        await expect(page.locator("main")).to_contain_text("50 % of the 26 that were planned")
        gap = page.get_by_role("row", name=re.compile("13:00:00"))
        await expect(gap).to_contain_text("the camera gave none: it refused")
        await expect(page.locator(".dayline .gap")).to_have_count(1)
        await page.get_by_role("link", name="← 2026-03-27").click()
        await expect(page.get_by_role("heading", name="Friday, 27 March 2026")).to_be_visible()
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("heading", name="Saturday, 28 March 2026")).to_be_visible()
        async with page.expect_download() as begun:
            await page.get_by_role("link", name="Download the day").click()
        download = await begun.value
        assert download.suggested_filename == "garden-2026-03-28.zip"
        frame = await add_frame(site.context, camera, jpeg(99, SIZE))
        await page.goto("/scenes/garden")
        src = f"/api/v1/cameras/garden/frames/{frame.id}.jpg"
        await expect(page.locator("[data-picture]")).to_have_attribute("src", re.compile(src))
        live = await add_frame(site.context, camera, jpeg(98, SIZE))
        src = f"/api/v1/cameras/garden/frames/{live.id}.jpg"
        await expect(page.locator("[data-picture]")).to_have_attribute("src", re.compile(src))


async def test_any_moment_closer(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url) as page:
        await page.goto("/scenes/garden")
        closest = page.get_by_role("form", name="Closest frame to a moment")
        await closest.get_by_label("Date").fill("2026-03-27")
        await closest.get_by_label("Time").fill("09:50")
        await closest.get_by_role("button", name="Closest frame").click()
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_contain_text("09:30:00")
        await page.get_by_role("link", name="next →").click()
        await expect(heading).to_contain_text("10:30:00")
        await page.keyboard.press("ArrowLeft")
        await expect(heading).to_contain_text("09:30:00")
        await page.get_by_role("link", name="a day →").click()
        await expect(heading).to_contain_text("2026-03-28")
        await expect(heading).to_contain_text("09:30:00")
        await page.get_by_role("link", name="Look closer").last.click()
        dialog = page.get_by_role("dialog")
        level = dialog.locator("output")
        await expect(level).to_have_text(re.compile(r"\d+ %"))
        await expect(dialog.locator("img")).to_be_visible()
        whole = await level.inner_text()
        await page.keyboard.press("+")
        await expect(level).not_to_have_text(whole)
        larger = await level.inner_text()
        box = await dialog.locator(".zoom-pane").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + 200, box["y"] + 200)
        await page.mouse.wheel(0, -300)
        await expect(level).not_to_have_text(larger)
        before = await dialog.locator("img").evaluate("(image) => image.style.transform")
        await page.keyboard.press("ArrowRight")
        after = await dialog.locator("img").evaluate("(image) => image.style.transform")
        assert after != before
        await page.keyboard.press("0")
        await expect(level).to_have_text(whole)
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()


async def test_two_moments_are_compared(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url) as page:
        await page.goto("/scenes/garden/closest?at=2026-03-27T12:30")
        compare = page.get_by_role("form", name="Compare with")
        await compare.get_by_label("Date").fill("2026-03-28")
        await compare.get_by_role("button", name="Compare").click()
        await expect(page.get_by_role("heading", name="Two moments")).to_be_visible()
        slider = page.get_by_role("slider")
        first = page.locator("[data-compare] img").first
        clip = "(image) => image.style.clipPath"
        assert await first.evaluate(clip) == "inset(0px 50% 0px 0px)"
        await slider.focus()
        for _ in range(10):
            await page.keyboard.press("ArrowLeft")
        assert await first.evaluate(clip) == "inset(0px 60% 0px 0px)"
        await expect(slider).to_have_attribute("aria-valuetext", "40 percent of the first picture")
        await first.scroll_into_view_if_needed()
        box = await first.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        await page.mouse.move(box["x"] + box["width"] * 0.4, middle)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.9, middle + 10, steps=5)
        await page.mouse.up()
        assert await slider.input_value() == "90"
        boxes = [await image.bounding_box() for image in await page.locator("figure img").all()]
        assert boxes[0] == boxes[1]


async def test_tags_and_marks(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url) as page:
        await sign_in(site, page)
        await page.goto("/scenes/garden")
        await page.get_by_text("Add a tag").click()
        form = page.locator("details[open] form")
        await form.get_by_label("Name").fill("snow")
        await form.get_by_label("From").fill("2026-03-28T00:00")
        await form.get_by_label("To").fill("2026-03-28T18:00")
        await form.get_by_role("button", name="Add the tag").click()
        tags = page.get_by_role("region", name="Tags")
        await expect(tags).to_contain_text("snow")
        await expect(page.locator("[data-day='2026-03-28'] .tag")).to_have_text("snow")
        await expect(page.locator("[data-day='2026-03-27'] .tag")).to_have_count(0)
        await page.goto("/scenes/garden/days/2026-03-28")
        await expect(page.locator(".dayline .mark")).to_have_count(1)
        await page.goto("/scenes/garden/closest?at=2026-03-28T12:30")
        await expect(page.locator(".facts")).to_contain_text("snow")
        await page.get_by_role("button", name="Keep it for ever").click()
        await expect(page.locator(".facts")).to_contain_text("for ever")
        await page.get_by_role("button", name="Release it").click()
        await expect(page.get_by_role("button", name="Keep it for ever")).to_be_visible()
        await page.goto("/scenes/garden")
        await tags.get_by_text("Change").click()
        await tags.locator("details[open]").get_by_label("Name").first.fill("ice")
        await tags.locator("details[open]").get_by_role("button", name="Save").click()
        await expect(tags).to_contain_text("ice")
        await tags.get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.locator(".calendar .tag")).to_have_count(0)


async def test_a_camera_is_moved(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url) as page:
        await sign_in(site, page)
        await page.goto("/cameras/garden")
        await page.get_by_role("link", name="Move").click()
        await page.get_by_label("New scene").fill("yard")
        await page.get_by_label("Its title").fill("The yard")
        await page.get_by_label("Since").fill("2026-03-28T00:00:00")
        await page.get_by_role("button", name="Move it").click()
        await expect(page.get_by_role("link", name="The yard")).to_be_visible()
        await expect(page.locator("[data-day]")).to_have_count(1)
        await page.goto("/scenes")
        await expect(page.locator(".card", has_text="The yard")).to_contain_text("13 frames")
        await page.goto("/scenes/garden")
        await expect(page.locator("main")).to_contain_text("no camera now")
        await page.goto("/cameras/garden/move")
        await page.get_by_role("button", name="Forget this move").click()
        await page.get_by_role("dialog").get_by_role("button").last.click()
        await expect(page.get_by_role("button", name="Forget this move")).to_have_count(0)
        await page.goto("/cameras/garden")
        await expect(page.locator("[data-day]")).to_have_count(2)


async def test_without_javascript(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url, java_script_enabled=False) as page:
        await page.goto("/scenes/garden")
        await expect(page.locator("[data-picture]")).to_be_visible()
        await page.locator("[data-day='2026-03-28']").click()
        await page.locator(".hours a").first.click()
        await expect(page.locator("figure img")).to_be_visible()
        compare = page.get_by_role("form", name="Compare with")
        await compare.get_by_label("Date").fill("2026-03-27")
        await compare.get_by_role("button", name="Compare").click()
        boxes = [await image.bounding_box() for image in await page.locator("figure img").all()]
        assert len(boxes) == 2
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]
        await expect(page.get_by_role("slider")).to_have_count(0)
        await sign_in(site, page)
        await page.goto("/new-camera")
        await page.locator("[name=name]").fill("card")
        await page.locator("[name=url]").fill("testcard")
        await page.get_by_role("button", name="Test it").click()
        await look(site.context)
        await page.reload()
        await expect(page.locator("[data-trial-picture]")).to_be_visible()
        await page.get_by_role("button", name="Add the camera").click()
        await expect(page.get_by_role("heading", name="card")).to_be_visible()


async def paths(site: Site) -> list[str]:
    """Every page of cameras and scenes."""
    first, second = await site.context.pool.fetch("SELECT id FROM frames ORDER BY taken_at LIMIT 2")
    scene = "/scenes/garden"
    return [
        "/cameras", "/cameras/garden", "/scenes", scene, f"{scene}/days/2026-03-28",
        f"{scene}/frames/{first['id']}", f"{scene}/compare?a={first['id']}&b={second['id']}",
        "/new-camera", "/cameras/garden/edit", "/cameras/garden/move", f"{scene}/edit",
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(site: Site, browser: Browser, scheme: str) -> None:
    await garden(site.context)
    async with visit(browser, site.url, color_scheme=scheme, reduced_motion="reduce") as page:
        await sign_in(site, page)
        for path in await paths(site):
            await page.goto(path)
            assert await serious(page) == [], path


async def test_the_pages_fit_a_phone(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url, viewport={"width": 360, "height": 640}) as page:
        await sign_in(site, page)
        for path in await paths(site):
            await page.goto(path)
            assert await overflow(page) == [], path
