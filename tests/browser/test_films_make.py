"""Asking for a film in a real browser: the form, the plan beside it, boxes, single frames."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.stage import chromium, overflow, visit
from tests.browser.test_cameras import serious
from tests.cameras.helpers import add_camera, add_frame
from tests.conftest import Site
from tests.jobs.test_browser import sign_in
from tests.servers.pictures import jpeg
from vigil.cameras import store as cameras
from vigil.cameras.looking import store as looking
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.films import store

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
SIZE = (640, 360)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def garden(context: Context, count: int = 60, name: str = "garden") -> None:
    """A camera with a frame a minute up to now, but for a gap, and a tag."""
    camera = await add_camera(context, name, title=f"The {name}")
    await context.pool.execute("UPDATE cameras SET retention_s = 3e9, interval_s = 60")
    found = await cameras.by_id(context.pool, camera.id)
    assert found is not None
    now = context.clock.now()
    for number in range(count):
        if not 20 <= number < 30:
            moment = now - timedelta(minutes=count - number)
            await add_frame(context, found, jpeg(number, SIZE), moment)
    scene = await scenes.of_camera(context.pool, camera.id, now)
    await looking.add_tag(
        context.pool, scene.id, name=f"snow {name}", from_at=now - timedelta(minutes=10),
        to_at=None, most=9,
    )  # fmt: skip


async def look(page: Page, name: str) -> None:
    """Keep a screenshot where VIGIL_SCREENSHOTS says."""
    folder = os.environ.get("VIGIL_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def planned(page: Page, text: str) -> None:
    """Return when the plan beside the form says this."""
    await expect(page.locator("[data-plan] .film-sum")).to_contain_text(text)
    await expect(page.locator("[data-plan]")).not_to_have_attribute("aria-busy", "true")


async def test_the_plan_follows_the_form(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await sign_in(site, page)
        await page.goto("/films/make?scene=garden&range=last&last=2h&pace=every&fps=10")
        await planned(page, "5 s")
        plan = page.locator("[data-plan]")
        await expect(plan).to_contain_text("50 of 50 go in")
        await expect(plan).to_contain_text("not known before the first film")
        pictures = plan.locator(".looks img")
        await expect(pictures).to_have_count(3)
        for number in range(3):
            await expect(pictures.nth(number)).to_have_js_property("complete", True)
            assert await pictures.nth(number).evaluate("(image) => image.naturalWidth") == 640
        await page.get_by_label("As long as").check()
        await page.get_by_label("Length of the film").fill("2:00")
        await expect(plan).to_contain_text("there are no more frames")
        await page.locator("summary", has_text="What goes in").click()
        await page.get_by_label("snow garden").check()
        await expect(plan).to_contain_text("of 50 go in")
        await expect(plan).to_contain_text("10 of 50 go in")
        await page.get_by_label("In daylight").check()
        await expect(plan.locator(".notice.error")).to_contain_text("Set its coordinates")
        await expect(page.get_by_label("In daylight")).to_have_attribute("aria-invalid", "true")
        await page.get_by_label("In daylight").uncheck()
        await expect(plan.locator(".notice.error")).to_have_count(0)
        await look(page, "films-make")
        await page.emulate_media(color_scheme="dark")
        await look(page, "films-make-dark")
        assert await serious(page) == []


async def test_by_keyboard_from_the_form_to_the_film(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url) as page:
        await sign_in(site, page)
        await page.goto("/films")
        await page.get_by_role("link", name="Make a film").press("Enter")
        await page.locator("[name=title]").focus()
        await page.keyboard.type("Without a mouse")
        await page.keyboard.press("Tab")
        await expect(page.get_by_label("The last", exact=True).first).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Control+a")
        await page.keyboard.type("3h")
        await page.keyboard.press("Tab")
        for _ in range(3):
            await page.keyboard.press("ArrowDown")
        await expect(page.get_by_label("Every frame")).to_be_checked()
        for _ in range(20):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent") == "See the plan":
                break
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Without a mouse")).to_be_visible()
        await expect(page.locator(".film-sum")).to_contain_text("50 pictures")
        await page.get_by_role("button", name="Change it").press("Enter")
        await expect(page.locator("[name=title]")).to_have_value("Without a mouse")
        await expect(page.locator("[name=last]")).to_have_value("3h")
        await page.get_by_role("button", name="See the plan").press("Enter")
        await page.get_by_role("button", name="Make it", exact=True).press("Enter")
        await expect(page).to_have_url(f"{site.url}/films/1")
        film = await store.get(site.context.pool, 1)
        assert film is not None
        assert (film.title, film.making.choice.every) == ("Without a mouse", True)


async def test_single_frames_are_left_out(site: Site, browser: Browser) -> None:
    await garden(site.context)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await sign_in(site, page)
        await page.goto("/films/make?scene=garden&range=last&last=2h&pace=every&fps=10")
        await planned(page, "5 s")
        await page.locator("summary", has_text="Leave out single").click()
        boxes = page.locator(".film-strip input")
        await boxes.nth(2).check()
        await planned(page, "4.9 s")
        await expect(boxes.nth(2)).to_be_checked()
        await expect(boxes.nth(2)).to_be_focused()
        await boxes.nth(5).click(modifiers=["Shift"])
        await planned(page, "4.6 s")
        await expect(boxes).to_have_count(50)
        await expect(page.locator(".film-strip input:checked")).to_have_count(4)
    async with visit(browser, site.url, java_script_enabled=False) as page:
        await sign_in(site, page)
        await page.goto("/films/plan?scene=garden&range=last&last=2h&pace=every&fps=10")
        await expect(page.locator(".film-sum")).to_contain_text("5 s")
        await page.locator("summary", has_text="Leave out single").click()
        await page.locator(".film-strip input").nth(4).check()
        await page.get_by_role("button", name="Plan it again").click()
        await expect(page.locator(".film-sum")).to_contain_text("4.9 s")
        await page.get_by_role("button", name="Later frames").click()
        await expect(page.locator(".film-strip li")).to_have_count(1)
        await page.get_by_role("button", name="Change it").click()
        await page.get_by_role("button", name="Make it", exact=True).click()
        await expect(page).to_have_url(f"{site.url}/films/1")
        film = await store.get(site.context.pool, 1)
        assert film is not None
        assert len(film.making.choice.exclude) == 1


async def test_a_crop_is_drawn_by_pointer_and_keys(site: Site, browser: Browser) -> None:
    await garden(site.context, 5)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await sign_in(site, page)
        await page.goto("/films/make?scene=garden&range=last&last=2h&pace=every")
        await page.locator("summary", has_text="How it looks").click()
        await page.locator("summary", has_text="Crop").click()
        crop = page.locator("[data-box=crop]")
        stage = crop.locator(".area-stage")
        await expect(stage).to_have_attribute("data-drawn", "640×360")
        await stage.scroll_into_view_if_needed()
        sides = await stage.bounding_box()
        assert sides is not None

        async def drag(since: tuple[float, float], until: tuple[float, float]) -> None:
            x, y, wide, high = (sides[name] for name in ("x", "y", "width", "height"))
            await page.mouse.move(x + since[0] * wide, y + since[1] * high)
            await page.mouse.down()
            await page.mouse.move(x + until[0] * wide, y + until[1] * high, steps=4)
            await page.mouse.up()

        async def edges() -> list[float]:
            names = ("left", "top", "right", "bottom")
            return [float(await page.locator(f"[name=crop_{n}]").input_value()) for n in names]

        await drag((0.25, 0.25), (0.75, 0.75))
        assert await edges() == pytest.approx([25, 25, 75, 75], abs=1)
        await drag((0.5, 0.5), (0.6, 0.4))
        assert await edges() == pytest.approx([35, 15, 85, 65], abs=1.5)
        await drag((0.85, 0.65), (0.95, 0.75))
        assert await edges() == pytest.approx([35, 15, 95, 75], abs=1.5)
        before = await edges()
        box = crop.locator(".area-box")
        await box.press("ArrowLeft")
        await box.press("ArrowDown")
        await box.press("Shift+ArrowRight")
        left, top, right, bottom = before
        assert await edges() == pytest.approx([left - 1, top + 1, right, bottom + 1], abs=0.01)
        await look(page, "films-make-crop")
        await expect(page.locator("[data-plan] .facts")).to_contain_text(
            re.compile("3[89][0-9] × 2[12][0-9]")
        )
        await page.get_by_label("Turned clockwise").select_option("90")
        await expect(stage).to_have_attribute("data-drawn", "360×640")


async def test_on_a_phone(site: Site, browser: Browser) -> None:
    await garden(site.context)
    await garden(site.context, 3, "street")
    for scheme in ("light", "dark"):
        async with visit(
            browser, site.url, viewport=PHONE, has_touch=True, color_scheme=scheme
        ) as page:
            await sign_in(site, page)
            await page.goto("/films/make?scene=garden&range=last&last=2h&pace=every&fps=10")
            await planned(page, "5 s")
            for summary in ("What goes in", "How it looks", "Crop", "Format"):
                await page.locator("summary", has_text=summary).click()
            await expect(page.get_by_label("snow garden")).to_be_visible()
            await expect(page.get_by_label("snow street")).to_be_hidden()
            await page.get_by_role("checkbox", name="The street").check()
            await expect(page.get_by_label("snow street")).to_be_visible()
            await expect(page.locator("[data-plan] .facts")).to_contain_text("of 53 go in")
            assert await overflow(page) == []
            await look(page, f"films-make-phone-{scheme}")
            await page.get_by_role("button", name="See the plan").click()
            await expect(page.locator(".looks img").first).to_be_visible()
            assert await overflow(page) == []
            assert await serious(page) == []
            await look(page, f"films-plan-phone-{scheme}")


async def test_a_visitor_is_not_offered_it(site: Site, browser: Browser) -> None:
    async with visit(browser, site.url) as page:
        await page.goto("/films")
        await expect(page.get_by_role("link", name="Make a film")).to_have_count(0)
