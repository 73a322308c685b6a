"""The pages of jobs and of the admin in a browser."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from tests.browser.stage import FLAGS, find_browser
from tests.conftest import Site
from tests.jobs.test_engine import rendering
from tests.jobs.test_store import put
from vigil import auth
from vigil.admin import store as admin_store
from vigil.admin.model import LINK, link_address
from vigil.context import Context
from vigil.jobs.model import RunningJob, Task

BROWSER = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A page that fails the test when its console shows an error."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        opened = await browser.new_page(viewport={"width": 1100, "height": 800})
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        yield opened
        await browser.close()
        assert errors == []


async def look(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asked for it."""
    folder = os.environ.get("VIGIL_TEST_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def sign_in(site: Site, page: Page) -> None:
    secret = auth.new_secret(LINK)
    await admin_store.add_link(site.context.pool, auth.hash_secret(secret))
    await page.goto(link_address(site.context.settings, secret).replace("localhost", "127.0.0.1"))
    await page.get_by_role("main").get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Admin")).to_be_visible()


async def test_a_job_is_watched_and_cancelled(site: Site, context: Context, page: Page) -> None:
    go_on = asyncio.Event()

    async def work(_context: Context, job: RunningJob) -> None:
        await job.progress(3, 12, "segments", "rendering the morning", force=True)
        await go_on.wait()
        await job.progress(4, 12, force=True)
        await asyncio.sleep(60)

    await sign_in(site, page)
    await page.goto(f"{site.url}/jobs")
    await expect(page.get_by_text("No jobs here")).to_be_visible()
    async with rendering(context, Task("test.work", work)):
        first = await put(context.pool, title="Film of the garden", subject="film:1", lock="film:1")
        second = await put(context.pool, title="The garden again", subject="film:1", lock="film:1")
        row = page.locator(f"[data-job='{first}']")
        await expect(row).to_contain_text("rendering the morning")
        await expect(row).to_contain_text("3 of 12 segments")
        await expect(page.locator(f"[data-job='{second}']")).to_contain_text(
            f"waits for job {first}"
        )
        await look(page, "jobs")
        go_on.set()
        await expect(row).to_contain_text("4 of 12 segments")
        await row.get_by_role("link", name="Film of the garden").click()
        await expect(page.get_by_text("4 of 12 segments")).to_be_visible()
        await look(page, "job")
        await page.get_by_role("main").get_by_role("button", name="Cancel").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        await expect(page.locator("[data-part=state]")).to_contain_text("cancelled")
        await look(page, "job-cancelled")
        assert page.url == f"{site.url}/jobs/{first}"


async def test_tokens_are_made_and_revoked(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/admin")
    await expect(page.get_by_text("bin/vigil admin link")).to_be_visible()
    await look(page, "outside")
    await sign_in(site, page)
    await page.get_by_label("What is it for?").fill("backup script")
    await page.get_by_role("button", name="Make a token").click()
    await expect(page.locator("#secret")).to_contain_text("vigil_")
    await look(page, "secret")
    await page.get_by_role("link", name="Done").click()
    await look(page, "admin")
    row = page.get_by_role("row", name="backup script")
    await row.get_by_role("button", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_contain_text("revoked")
    await page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    await page.goto(f"{site.url}/admin")
    await expect(page.get_by_text("bin/vigil admin link")).to_be_visible()


async def test_the_pages_fit_a_phone(site: Site, context: Context, page: Page) -> None:
    await sign_in(site, page)
    job_id = await put(context.pool, title="A film with a long name " * 4, subject="film:1")
    await page.set_viewport_size({"width": 360, "height": 640})
    for path in ("/jobs", f"/jobs/{job_id}", "/admin"):
        await page.goto(site.url + path)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, path
        await look(page, f"phone{path.replace('/', '-')}")
