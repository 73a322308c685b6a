"""Films are asked for in a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import find_browser
from tests.conftest import Site
from tests.films import making
from tests.jobs.test_browser import look, page, sign_in  # noqa: F401 - page is a fixture
from vigil.clock import FakeClock
from vigil.films import store

DAY = timedelta(days=1)

BROWSER = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]


async def test_the_form_and_the_list(site: Site, page: Page) -> None:  # noqa: F811
    await making.camera(site.context)
    await sign_in(site, page)
    await page.goto(f"{site.url}/films")
    await page.get_by_role("link", name="Make a film").click()
    await page.get_by_label("From now on").check()
    await page.get_by_label("Every frame", exact=True).check()
    await page.get_by_label("Title", exact=True).fill("The garden, slowly")
    await page.get_by_role("button", name="Make it", exact=True).click()
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


async def test_who_renders_it_has_a_name(site: Site, page: Page) -> None:  # noqa: F811
    """Two of its segments are in hand on one machine, a third on another."""
    camera = await making.camera(site.context)
    await making.add_frames(site.context, camera, range(60))
    film_id = await making.film(site.context, camera, until=60)
    await making.render(replace(site.context, clock=FakeClock(making.START + DAY)), film_id)
    pool = site.context.pool
    rows = await pool.fetch("SELECT job_id FROM film_segments ORDER BY start LIMIT 3")
    for row, host in zip(rows, ("attic", "attic", "cellar"), strict=True):
        job_id = row["job_id"]
        await pool.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = $1", job_id)
        await pool.execute("UPDATE job_progress SET host = $2 WHERE job_id = $1", job_id, host)
    await pool.execute("UPDATE films SET state = 'rendering'")
    await page.goto(f"{site.url}/films/{film_id}")
    said = page.locator("[data-message]")
    await expect(said).to_contain_text("rendered by attic (2 at once), cellar")
    await look(page, "film-rendering")
