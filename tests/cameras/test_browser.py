"""The cameras' pages in a browser: a frame that comes shows itself."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import find_browser
from tests.cameras.helpers import add_camera, add_frame
from tests.conftest import Site
from tests.jobs.test_browser import look, page, sign_in  # noqa: F401 - page is a fixture
from tests.servers.pictures import jpeg
from vigil.cameras import retention, scan, store
from vigil.errors import SourceError

BROWSER = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]

NATURAL = "image => image.complete && image.naturalWidth"


async def test_frames_appear_by_themselves(site: Site, page: Page) -> None:  # noqa: F811
    camera = await add_camera(site.context, title="The garden")
    await page.goto(f"{site.url}/cameras/garden")
    await expect(page.locator("[data-badge]")).to_have_text("waiting")
    picture = page.locator("[data-picture]")
    await expect(picture).to_be_hidden()
    for n in range(3):
        frame = await add_frame(site.context, camera, jpeg(n, (640, 360)))
        await expect(picture).to_have_attribute(
            "src", f"{site.url}/api/v1/cameras/garden/frames/{frame.id}.jpg"
        )
        assert await picture.evaluate(NATURAL) == 640
        await expect(page.locator("[data-recent] tr")).to_have_count(n + 1)
    await expect(page.locator("[data-badge]")).to_have_text("connected")
    await expect(page.locator("[data-frames]")).to_have_text("3")
    await expect(page.locator("[data-trouble]")).to_be_hidden()
    await scan.record_failure(site.context, camera, SourceError("it broke", hint="mend it"), 90)
    await expect(page.locator("[data-trouble]")).to_contain_text("it broke (mend it) Next try in")
    await expect(page.locator("[data-badge]")).to_have_text("failing")
    await expect(page.locator("[data-failed]")).not_to_have_text("never")
    await look(page, "camera-failing")
    await add_frame(site.context, camera, jpeg(9))
    await expect(page.locator("[data-trouble]")).to_be_hidden()


async def test_the_grid_follows(site: Site, page: Page) -> None:  # noqa: F811
    camera = await add_camera(site.context, title="The garden")
    other = await add_camera(site.context, "street")
    await add_frame(site.context, camera, jpeg(1))
    await page.goto(f"{site.url}/cameras")
    card = page.locator("[data-camera=garden]")
    frame = await add_frame(site.context, camera, jpeg(2))
    await expect(card.locator("img")).to_have_attribute(
        "src", f"{site.url}/api/v1/cameras/garden/frames/{frame.id}-640.jpg", timeout=15_000
    )
    await scan.record_failure(site.context, other, SourceError("it broke"), 90)
    await expect(page.locator("[data-camera=street]")).to_contain_text("it broke", timeout=15_000)
    await look(page, "cameras")
    await store.begin_removal(site.context.pool, other.id)
    await retention.expire(site.context)
    await expect(page.locator("[data-camera=street]")).to_have_count(0, timeout=15_000)
    await card.get_by_role("link", name="The garden").click()
    await expect(page.get_by_role("heading", name="The garden")).to_be_visible()


async def test_an_admin_adds_and_removes_a_camera(site: Site, page: Page) -> None:  # noqa: F811
    await sign_in(site, page)
    await page.goto(f"{site.url}/cameras")
    await page.get_by_role("link", name="Add a camera").click()
    await page.locator("[name=name]").fill("card")
    await page.locator("[name=title]").fill("Test card")
    await page.locator("[name=url]").fill("testcard")
    await page.locator("[name=interval_s]").fill("1")
    await look(page, "camera-add")
    await page.get_by_role("button", name="Add the camera").click()
    await expect(page.get_by_role("heading", name="Test card")).to_be_visible()
    camera = await store.by_name(site.context.pool, "card")
    assert camera is not None
    assert (camera.kind, camera.interval_s) == ("testcard", 1)
    await add_frame(site.context, camera, jpeg(1, (1280, 720)))
    await page.reload()
    await look(page, "camera")
    await page.get_by_role("link", name="Make a film").click()
    await expect(page).to_have_url(f"{site.url}/films/make?camera=card")
    await page.get_by_role("button", name="Make it", exact=True).click()
    await expect(page).to_have_url(f"{site.url}/films/1")
    await page.goto(f"{site.url}/cameras/card")
    await page.get_by_role("button", name="Remove the camera").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove the camera").click()
    await expect(page).to_have_url(f"{site.url}/cameras")
    await expect(page.locator("[data-camera=card]")).to_contain_text("deleting")
