"""The page of the sources in a real browser: it keeps itself up to date and keeps to the policy."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.stage import chromium, overflow, visit
from tests.conftest import Site
from tests.servers.json_api import JsonApi
from vigil.sources import store
from vigil.sources.model import Source

pytestmark = pytest.mark.browser


async def add(site: Site, name: str, kind: str) -> Source:
    return await store.add(
        site.context.pool,
        name=name,
        kind=kind,
        base_url="http://192.168.100.200:8080/a-rather/long-path/" + "x" * 60,
        options={},
        interval_s=60,
        ttl_s=600,
    )


async def test_it_follows_a_pass_and_keeps_open_what_is_open(site: Site) -> None:
    pool, clock = site.context.pool, site.context.clock
    one = await add(site, "one", "twitch")
    await store.begin_pass(pool, one.id, clock.now())
    await store.record_progress(pool, one.id, 1, 100, 90, Counter(malformed=10), 799, 800)
    async with chromium() as browser, visit(browser, site.url) as page:
        await page.goto("/sources")
        card = page.locator('[data-source="one"]')
        await expect(card.locator(".badge")).to_have_text("looking")
        await card.locator("summary").click()
        await expect(card.locator("li")).to_have_text("10 malformed")
        await store.record_progress(pool, one.id, 2, 200, 180, Counter(malformed=20), 798, 800)
        await expect(card).to_contain_text("200 in 2 answers; kept 180, refused 20")
        await expect(card).to_contain_text("798 of 800")
        soon = clock.now() + timedelta(seconds=50)
        await store.fail_pass(pool, one.id, clock.now(), "it answered 503", "wait", soon)
        await expect(card.locator(".badge")).to_have_text("failing")
        await expect(card.locator(".notice.error")).to_contain_text("it answered 503")
        assert await card.locator("details").evaluate("e => e.open")
        await add(site, "two", "owncast")
        await expect(page.locator('[data-source="two"]')).to_be_visible()
        await store.delete(pool, "one")
        await expect(card).to_have_count(0)


async def test_an_admin_does_it_all_in_the_browser(site: Site) -> None:
    async with (
        chromium() as browser,
        visit(browser, site.url, extra_http_headers=site.admin_headers) as page,
    ):
        await page.goto("/sources")
        await page.get_by_role("link", name="PeerTube").click()
        await page.get_by_label("Name").fill("mine")
        await page.get_by_role("button", name="Add the source").click()
        card = page.locator('[data-source="mine"]')
        await expect(card.locator(".badge")).to_have_text("waiting")
        await card.get_by_role("button", name="Disable").click()
        await expect(card.locator(".badge")).to_have_text("disabled")
        await expect(card.get_by_role("button", name="Look now")).to_be_disabled()
        await card.get_by_role("link", name="Change or test").click()
        await page.get_by_label("Seconds between two passes").fill("33")
        await page.get_by_role("button", name="Save").click()
        await expect(card).to_contain_text("every 33")
        state = await store.get_state(site.context.pool, "mine")
        assert state is not None
        assert state.source.interval_s == 33
        await card.get_by_role("button", name="Delete").click()
        await page.get_by_role("button", name="Delete").last.click()  # are you sure?
        await expect(card).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_feed_is_described_tested_added_and_edited(site: Site, javascript: bool) -> None:
    secret = "correct-horse-battery"
    async with (
        JsonApi(25, way="cursor", key=secret) as api,
        chromium() as browser,
        visit(
            browser,
            site.url,
            extra_http_headers=site.admin_headers,
            java_script_enabled=javascript,
            viewport={"width": 420, "height": 900},
        ) as page,
    ):
        await page.goto("/sources")
        await page.get_by_role("link", name="JSON feed").click()
        await page.get_by_label("Name", exact=False).first.fill("radio")
        await page.locator("[name=base_url]").fill(api.address)
        for name, value in api.options.items():
            field = page.locator(f'[name="option.{name}"]')
            if name == "paging":
                await field.select_option(value)
            else:
                await field.fill(value)
        await page.locator('[name="option.viewers"]').fill("listeners-count")
        test = page.get_by_role("button", name="Test")
        await test.click()
        await expect(page.get_by_role("alert")).to_contain_text("wrong at character 10")
        await page.locator('[name="option.viewers"]').fill("listeners")
        await test.click()
        await expect(page.get_by_role("alert")).to_contain_text("401")
        await page.get_by_label("Secret header").fill("X-Api-Key")
        await page.get_by_label("Its value").fill(secret)
        await test.click()
        first = page.locator('[data-preview="s00001"]')
        await expect(first).to_contain_text("Show 1")
        await expect(first).to_contain_text("Station 1 · Jazz")
        await expect(page.locator("[data-preview]")).to_have_count(12)
        if javascript:
            assert await overflow(page) == []
        assert await store.list_states(site.context.pool) == []  # nothing was saved
        await page.get_by_label("Its value").fill(secret)  # a secret is never shown again
        await page.get_by_role("button", name="Add the source").click()
        card = page.locator('[data-source="radio"]')
        await expect(card).to_contain_text("X-Api-Key")
        await card.get_by_role("link", name="Change or test").click()
        await page.locator('[name="option.categories"]').fill("talk")
        await page.get_by_role("button", name="Test").click()
        await expect(page.locator("#preview")).to_contain_text("refused: another category")
        await page.get_by_role("button", name="Save").click()
        await expect(card).to_contain_text("categories=talk")
        assert secret not in await page.content()


@pytest.mark.parametrize("width", [320, 1400])
@pytest.mark.parametrize("admin", [False, True])
async def test_it_fits(site: Site, width: int, admin: bool) -> None:
    one = await add(site, "one", "twitch")
    pool, now = site.context.pool, site.context.clock.now()
    await store.begin_pass(pool, one.id, now)
    await store.record_progress(pool, one.id, 1, 9, 8, Counter({"m" * 200: 1}), 1, 800)
    await store.fail_pass(pool, one.id, now, "https://example.org/" + "x" * 200, "h" * 100, now)
    headers = site.admin_headers if admin else {}
    size = {"width": width, "height": 800}
    async with (
        chromium() as browser,
        visit(browser, site.url, viewport=size, extra_http_headers=headers) as page,
    ):
        await page.goto("/sources")
        for summary in await page.locator("summary").all():
            await summary.click()
        assert await overflow(page) == []
        for path in ("/sources/new/json_feed", "/sources/one/change") if admin else ():
            await page.goto(path)
            assert await overflow(page) == []
