"""The frame of every page in a real browser: times, questions, events, policy, widths, colours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sanic import HTTPResponse, Request

from tests.browser.stage import chromium, overflow, visit
from tests.servers.small_site import Handler, SmallSite, small_site
from vigil import auth, responses
from vigil.context import Context
from vigil.site import store

pytestmark = pytest.mark.browser

SUMMER = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)

PAGES = Path(__file__).parent / "pages"


class Posts:
    """What the browser posted, and when events fail."""

    def __init__(self) -> None:
        self.forms: list[dict[str, Any]] = []
        self.refuse = False
        self.drop = asyncio.Event()
        self.n = 0


async def me(_request: Request) -> auth.Identity | None:
    return auth.Identity(name="ann", role="admin", csrf="c" * 64)


@pytest.fixture
def posts() -> Posts:
    return Posts()


@pytest_asyncio.fixture
async def stand(
    context: Context, posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SmallSite]:
    """A site whose pages are those above."""
    environment = responses.environment()
    assert environment.loader is not None
    loaders = [jinja2.FileSystemLoader(PAGES), environment.loader]
    monkeypatch.setattr(environment, "loader", jinja2.ChoiceLoader(loaders))

    async def page(request: Request, name: str) -> HTTPResponse:
        past = datetime.now(UTC) - timedelta(seconds=30)
        return await responses.page(request, f"test/{name}.html", moment=SUMMER, past=past)

    async def post(request: Request) -> HTTPResponse:
        assert request.form is not None
        posts.forms.append({name: request.form.get(name) for name in request.form})
        return responses.redirect("/page/form")

    async def counting() -> AsyncGenerator[tuple[str, Any], None]:
        while True:
            posts.n += 1
            yield "count", {"n": posts.n}
            await posts.drop.wait()
            posts.drop.clear()
            return

    async def events(request: Request) -> Any:
        if posts.refuse:
            return HTTPResponse("not now", 503)
        return await responses.event_stream(request, counting())

    routes: dict[str, Handler] = {"/page/<name>": page, "/post": post, "/events": events}
    async with small_site(context, routes, identify=me) as site:
        yield site


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def test_times_are_shown_in_the_viewers_own_zone(stand: SmallSite, browser: Browser) -> None:
    zone = {"timezone_id": "Asia/Kathmandu", "locale": "de-DE"}
    async with visit(browser, stand.url, **zone) as page:
        await page.goto("/page/times")
        await expect(page.locator("#fixed time")).to_have_text("01.07.2026, 17:45:00")
        await expect(page.locator("#fixed time")).to_have_attribute(
            "title", "01.07.2026, 17:45:00 (2026-07-01T12:00:00.000Z)"
        )
        await expect(page.locator("#past time")).to_contain_text("vor 3")
        first = await page.locator("#past time").inner_text()
        await expect(page.locator("#past time")).not_to_have_text(first)  # it goes on
        await expect(page.locator("#never")).to_have_text("never")
        await page.evaluate(
            """() => {
                const made = document.createElement("time");
                made.dateTime = "2026-07-01T12:00:00Z";
                document.querySelector("#later").append(made);
            }"""
        )
        await expect(page.locator("#later time")).to_have_text("01.07.2026, 17:45:00")
        await page.evaluate("document.querySelector('#later time').dateTime = '2026-01-01T00:00Z'")
        await expect(page.locator("#later time")).to_have_text("01.01.2026, 05:45:00")


async def test_without_javascript_times_are_utc_and_forms_post(
    stand: SmallSite, browser: Browser, posts: Posts
) -> None:
    async with visit(browser, stand.url, java_script_enabled=False) as page:
        await page.goto("/page/times")
        await expect(page.locator("#fixed time")).to_have_text("2026-07-01 12:00:00 UTC")
        await page.goto("/page/form")
        await page.get_by_role("button", name="Remove it").click()
        await page.wait_for_url("**/page/form")
    assert posts.forms == [{"csrf": "c" * 64}]


async def test_what_cannot_be_undone_is_asked_first(
    stand: SmallSite, browser: Browser, posts: Posts
) -> None:
    async with visit(browser, stand.url) as page:
        await page.goto("/page/form")
        button = page.locator("main").get_by_role("button", name="Remove it")
        dialog = page.get_by_role("dialog")
        for way in ("button", "key"):
            await button.click()
            await expect(dialog).to_contain_text("Remove the <b>garden</b>?")  # as text
            if way == "button":
                await dialog.get_by_role("button", name="Not now").click()
            else:
                await page.keyboard.press("Escape")
            await expect(dialog).to_be_hidden()
        assert posts.forms == []
        await button.click()
        async with page.expect_navigation():
            await dialog.get_by_role("button", name="Remove it").click()
        assert posts.forms == [{"csrf": "c" * 64}]
        refused = page.locator("main").get_by_role("button", name="Not now")
        await expect(refused).to_be_disabled()
        await expect(refused).to_have_attribute("title", "it is being removed already")


async def test_events_go_on_after_the_line_was_cut(
    stand: SmallSite, browser: Browser, posts: Posts
) -> None:
    async with visit(browser, stand.url) as page:
        await page.goto("/page/events")
        notice = page.locator(".connection")
        await expect(page.locator("#count")).to_have_text("1")
        await expect(notice).to_be_hidden()
        posts.drop.set()  # the answer ends; the browser comes back by itself
        await expect(page.locator("#count")).to_have_text("2")
        await expect(page.locator("#again")).to_have_text("1")
        posts.refuse = True  # now it is refused: EventSource alone would give up
        posts.drop.set()
        await expect(notice).to_be_visible()
        posts.refuse = False
        await expect(page.locator("#count")).to_have_text("3")
        await expect(notice).to_be_hidden()
        await expect(page.locator("#again")).to_have_text("2")
        await page.evaluate("window.line.close()")
        for _ in range(100):
            if not stand.app.ctx.vigil.listener._subscribers:
                break
            await asyncio.sleep(0.02)


async def test_the_policy_stops_inline_scripts_and_we_notice(
    stand: SmallSite, browser: Browser
) -> None:
    async def look() -> None:
        async with visit(browser, stand.url) as page:
            await page.goto("/page/bad")
            await page.locator("#bad").click()
            assert await page.title() != "ran"

    with pytest.raises(AssertionError, match="Content Security Policy"):
        await look()


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
async def test_no_width_scrolls_sideways(stand: SmallSite, browser: Browser, width: int) -> None:
    async with visit(browser, stand.url, viewport={"width": width, "height": 800}) as page:
        await page.goto("/page/form")
        assert await overflow(page) == []


async def test_the_keyboard_finds_its_way(stand: SmallSite, browser: Browser) -> None:
    async with visit(browser, stand.url) as page:
        await page.goto("/page/form")
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        width = await skip.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth)")
        assert width >= 2
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()


async def test_day_night_and_calm(stand: SmallSite, browser: Browser) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        async with visit(browser, stand.url, color_scheme=scheme, reduced_motion="reduce") as page:
            await page.goto("/page/form")
            grounds[scheme] = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert await page.evaluate("document.getAnimations().length") == 0
    assert grounds == {"light": "rgb(245, 243, 238)", "dark": "rgb(13, 19, 32)"}
    async with visit(browser, stand.url, reduced_motion="no-preference") as page:
        await page.goto("/page/form")
        assert await page.evaluate("document.getAnimations().length") > 0


async def test_a_picture_that_does_not_come_leaves_a_quiet_place(
    stand: SmallSite, browser: Browser
) -> None:
    async with visit(browser, stand.url) as page:
        await page.goto("/page/form")
        await expect(page.locator("img.thumb.failed")).to_have_count(5)


async def test_the_icons_are_there(stand: SmallSite, browser: Browser, tmp_path: Path) -> None:
    async with visit(browser, stand.url) as page:
        await page.goto("/health")
        logo = page.locator(".brand img")
        assert await logo.evaluate("e => e.complete && e.naturalWidth > 0")
        await expect(page).to_have_title("How it is doing · Vigil")


async def test_the_health_page_shows_the_next_moment_by_itself(
    stand: SmallSite, browser: Browser
) -> None:
    async with visit(browser, stand.url) as page:
        await page.goto("/health")
        await expect(page.get_by_text("no scanner is running")).to_be_visible()
        await store.beat(
            stand.app.ctx.vigil.pool, name="scanner", host="h", pid=1, version="1", up_s=1
        )
        await expect(page.get_by_text("no scanner is running")).to_have_count(0)
        await expect(page.get_by_role("row", name="scanner")).to_contain_text("ok")
