"""The pages of standing films in a browser, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import find_browser
from tests.conftest import Site
from tests.films.standing_stage import editions, get, look
from tests.films.test_standing_views import rendered
from tests.jobs.test_browser import look as keep
from tests.jobs.test_browser import page, sign_in  # noqa: F401 - page is a fixture

BROWSER = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]
PLAYS = """async () => {
    const video = document.querySelector("[data-standing]");
    await video.play();
    while (video.currentTime < 0.5) await new Promise((done) => setTimeout(done, 20));
    return video.duration;
}"""


async def fits(page: Page, width: int) -> None:  # noqa: F811
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, page.url


async def test_the_newest_film_plays_and_the_others_are_listed(
    site: Site,
    page: Page,  # noqa: F811
) -> None:
    await rendered(site.context, 2, keep_films=30)
    await sign_in(site, page)
    await page.goto(f"{site.url}/films")
    await page.get_by_role("link", name="Standing films").click()
    await expect(page.get_by_role("heading", name="Standing films")).to_be_visible()
    await keep(page, "standing")
    await page.get_by_role("link", name="Garden", exact=True).click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await expect(page.locator("tbody tr").first).to_contain_text("2026-05-03")
    assert await page.evaluate(PLAYS) > 1, "the film of today, by its playlist"
    await keep(page, "standing-one")
    await page.emulate_media(color_scheme="dark")
    await keep(page, "standing-one-dark")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 390, "height": 844})
    await fits(page, 390)
    await keep(page, "standing-one-phone")
    # Past ones: the page follows by itself.
    await page.get_by_label("Make past ones").fill("4")
    await page.get_by_role("button", name="Make them").click()
    await expect(page.get_by_text("0 of 4 past periods")).to_be_visible()
    await look(site.context)
    await expect(page.get_by_text("past periods")).to_have_count(0)
    await expect(page.locator("tbody tr")).to_have_count(4)  # and that of today
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator(".badge").first).to_have_text("paused")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.locator(".badge").first).to_have_text("active")
    await page.get_by_text("Delete it").click()
    await page.get_by_label("and all films that it made").check()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("No standing films yet")).to_be_visible()
    states = await site.context.pool.fetch("SELECT DISTINCT state FROM films")
    assert [row["state"] for row in states] == ["deleting"]


async def test_one_is_made_by_keys_and_changed(
    site: Site,
    page: Page,  # noqa: F811
) -> None:
    await rendered(site.context, 0)
    await sign_in(site, page)
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"{site.url}/films/standing?camera=garden")
    form = page.locator(".standing-form")
    await fits(page, 390)
    await expect(form.get_by_label("How long that is")).to_be_hidden()
    await form.get_by_label("each day", exact=True).focus()
    for _ in range(3):
        await page.keyboard.press("ArrowDown")
    await expect(form.get_by_label("always the last while")).to_be_checked()
    await form.get_by_label("How long that is").fill("2h")
    await form.get_by_label("Title", exact=True).fill("The last two hours")
    await form.get_by_text("How it looks").click()
    await form.get_by_label("The time", exact=True).check()
    await form.get_by_label("Length of each film").fill("4s")
    await keep(page, "standing-form-phone")
    await page.emulate_media(color_scheme="dark")
    await keep(page, "standing-form-dark")
    await form.get_by_role("button", name="Make it").press("Enter")
    await expect(page.get_by_role("heading", name="The last two hours")).to_be_visible()
    made = await get(site.context, "the-last-two-hours")
    assert made.wish == {"camera": "garden", "rolling": "2h", "length": "4s", "look": {"stamp": {}}}
    await page.get_by_role("link", name="Change").click()
    await page.get_by_label("Length of each film").fill("3s")
    await fits(page, 390)
    await page.get_by_role("button", name="Change it").click()
    await expect(page.get_by_role("heading", name="The last two hours")).to_be_visible()
    assert (await get(site.context, "the-last-two-hours")).wish["length"] == "3s"


async def test_the_form_of_a_film_leads_here(
    site: Site,
    page: Page,  # noqa: F811
) -> None:
    await rendered(site.context, 0)
    await sign_in(site, page)
    await page.goto(
        f"{site.url}/films/make?camera=garden&range=last&last=24h&pace=speed&speed=7200"
    )
    await page.get_by_text("How it looks").click()
    await page.get_by_label("Brightness, against flicker").check()
    await page.get_by_role("button", name="Make it again and again").click()
    await expect(page.get_by_role("heading", name="Standing films")).to_be_visible()
    await expect(page.get_by_label("Speed")).to_have_value("7200")
    await keep(page, "standing-form")
    await page.get_by_label("Title", exact=True).fill("Evened out")
    await page.get_by_role("button", name="Make it", exact=True).click()
    await expect(page.get_by_role("heading", name="Evened out")).to_be_visible()
    made = await get(site.context, "evened-out")
    assert (made.wish["speed"], made.wish["look"]) == (7200, {"deflicker": 31})
    await look(site.context)
    assert len(await editions(site.context, "evened-out")) == 1
