"""The front page as visitors use it: next, surf, filters, history, layouts, keys, fingers."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.stage import chromium, overflow, until, visit
from tests.conftest import Site
from tests.streams.test_front import NASTY
from tests.streams.test_views import show, stream
from vigil.streams.history import store as history_store
from vigil.streams.history.model import SAMPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

VENDOR = Path(__file__).parent / "vendor"
CALM = {"reduced_motion": "reduce"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
PLAYER = "<!doctype html><html lang=en><title>player</title><p>A player</p></html>"


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def elsewhere(route: Route) -> None:
    """What other sites answer: a player in every frame, no pictures."""
    if route.request.resource_type == "document":
        await route.fulfill(body=PLAYER, content_type="text/html")
    else:
        await route.abort()


@asynccontextmanager
async def visitor(browser: Browser, site: Site, **options: Any) -> AsyncIterator[Page]:
    async with visit(browser, site.url, **options) as page:
        await page.route(lambda url: not url.startswith(site.url), elsewhere)
        yield page


async def twelve(site: Site, **changed: Any) -> None:
    await show(site, *(stream(n, title=f"Stream {n}", **changed) for n in range(12)))


def title(page: Page) -> Locator:
    return page.locator("#top-title")


def control(page: Page, name: str) -> Locator:
    group = page.get_by_role("group", name="Streams")
    role = "link" if name in ("Next", "Filter") else "button"
    return group.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type] # either of two


async def another(page: Page, act: Any) -> str:
    """Do something that brings another stream; its title."""
    before = await title(page).inner_text()
    await act
    await expect(title(page)).not_to_have_text(before)
    return await title(page).inner_text()


async def test_first_visit(browser: Browser, site: Site) -> None:
    await twelve(site, language="de", viewers=0)
    async with visitor(browser, site) as page:
        await page.goto("/")
        frame = page.locator("[data-player] iframe")
        source = await frame.get_attribute("src") or ""
        number = (await title(page).inner_text()).removeprefix("Stream ")
        assert source.startswith("https://player.twitch.tv/?")
        for part in (f"channel=login{number}", "parent=127.0.0.1", "autoplay=true", "muted=true"):
            assert part in source
        await expect(
            page.frame_locator("[data-player] iframe").get_by_text("A player")
        ).to_be_visible()
        about = page.locator("[data-about]")
        for words in ("nobody watching", "German", "Art", f"Login{number}", "from tw", "English"):
            await expect(about).to_contain_text(words)
        await expect(about.locator("time")).to_have_text(re.compile(r"60 min"))
        assert await page.locator("[data-grid] > .card").count() == 11


async def test_nothing_starts_by_itself_for_who_wants_calm(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        play = page.get_by_role("button", name="Watch here")
        await expect(play).to_be_visible()
        assert await page.locator("iframe, video").count() == 0
        await play.click()
        await expect(page.locator("[data-player] iframe")).to_be_visible()
        await another(page, control(page, "Next").click())  # asked for once, it goes on
        await expect(page.locator("[data-player] iframe")).to_be_visible()


async def test_grown_up_streams_and_frames_of_strangers(browser: Browser, site: Site) -> None:
    address = "https://tube.example/videos/embed/1?x=1"
    await show(site, stream(1, player="embed", player_url=address, mature=True))
    async with visitor(browser, site) as page:
        await page.goto("/")
        await expect(page.get_by_text("for adults").first).to_be_visible()
        assert await page.locator("iframe").count() == 0
        await page.get_by_role("button", name="Watch here").click()
        frame = page.locator("[data-player] iframe")
        assert await frame.get_attribute("src") == f"{address}&autoplay=1&muted=1"
        sandbox = await frame.get_attribute("sandbox") or ""
        assert "allow-top-navigation" not in sandbox
        assert sandbox


async def test_next_by_button_and_key_shows_all_once_without_loading(
    browser: Browser, site: Site
) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        await page.evaluate("globalThis.same = true")
        titles = [await title(page).inner_text()]
        for turn in range(11):
            act = control(page, "Next").click() if turn % 2 else page.keyboard.press("n")
            titles.append(await another(page, act))
        assert len(set(titles)) == 12
        await expect(page.locator("[data-announce]")).to_contain_text(f"Now on: {titles[-1]}, by ")
        assert "watch=tw" in page.url
        assert titles[-1] in await page.title()

        for expected in reversed(titles[:-1]):
            await another(page, page.go_back())
            assert await title(page).inner_text() == expected
        assert await page.evaluate("globalThis.same")
        await another(page, page.go_forward())
        assert await title(page).inner_text() == titles[1]
        await another(page, control(page, "Back").click())
        await expect(control(page, "Back")).to_be_hidden()

        # All were seen: it begins again, and never twice the same at once.
        for _ in range(14):
            await another(page, control(page, "Next").click())
        assert await page.evaluate("globalThis.same")

        await page.reload()
        kept = await title(page).inner_text()
        await page.goto("/")
        await expect(title(page)).not_to_have_text(kept)


async def test_who_comes_back_gets_something_new(browser: Browser, site: Site) -> None:
    await show(site, stream(1, title="Stream 1"), stream(2, title="Stream 2"))
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        seen = [await title(page).inner_text()]
        seen += [await another(page, page.goto("/")) for _ in range(6)]
        assert set(seen) == {"Stream 1", "Stream 2"}
        assert all(one != following for one, following in itertools.pairwise(seen))


async def test_next_when_there_is_no_other_and_when_the_site_is_away(
    browser: Browser, site: Site
) -> None:
    await show(site, stream(1, title="The only one"))
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        await control(page, "Next").click()
        problem = page.locator("[data-problem]")
        await expect(problem).to_have_text(re.compile("No other stream matches"))
        await page.route("**/api/v1/streams/next*", lambda route: route.fulfill(status=503))
        await page.keyboard.press("n")
        await expect(problem).to_contain_text("Try again in a moment")
        await page.unroute("**/api/v1/streams/next*")
        await show(site, stream(2, title="Another at last"))
        await another(page, page.keyboard.press("n"))
        await expect(problem).to_be_hidden()


async def swipe(page: Page, start: int, end: int, y: int) -> None:
    session = await page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": start, "y": y}]),
        ("touchMove", [{"x": end, "y": y}]),
        ("touchEnd", []),
    ):
        touch = {"type": kind, "touchPoints": points}
        await session.send("Input.dispatchTouchEvent", touch)


async def test_swiping_on_a_phone(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM, **PHONE) as page:
        await page.goto("/")
        first = await title(page).inner_text()
        box = await title(page).bounding_box()
        assert box is not None
        y = int(box["y"] + 10)
        await another(page, swipe(page, 300, 60, y))
        await another(page, swipe(page, 60, 300, y))
        assert await title(page).inner_text() == first
        await swipe(page, 200, 170, y)  # too short to be meant
        await page.wait_for_timeout(300)
        assert await title(page).inner_text() == first


async def test_surfing_moves_on_and_waits_while_somebody_looks(
    browser: Browser, site: Site
) -> None:
    await twelve(site)
    async with visitor(browser, site) as page:
        await page.clock.install()
        await page.goto("/")
        await page.get_by_label("Surf: how long to stay").select_option("20 s")
        await control(page, "Surf").click()
        stop = control(page, "Stop")
        await expect(stop).to_have_attribute("aria-pressed", "true")
        await page.mouse.move(3, 3)
        await another(page, page.clock.run_for(21_000))
        await another(page, page.clock.run_for(20_000))

        now = await title(page).inner_text()
        state = page.locator("[data-surf-state]")
        await title(page).hover()
        await page.clock.run_for(30_000)
        await expect(state).to_have_text("waiting while you look")
        await page.mouse.move(3, 3)
        await page.locator("[data-player] iframe").focus()
        await page.clock.run_for(30_000)
        await expect(state).to_have_text("waiting while you look")
        await page.keyboard.press("Tab")
        await stop.focus()
        await page.keyboard.press("?")
        await page.clock.run_for(30_000)
        await page.keyboard.press("Escape")
        assert await title(page).inner_text() == now
        await another(page, page.clock.run_for(21_000))

        await stop.click()
        now = await title(page).inner_text()
        await page.clock.run_for(60_000)
        assert await title(page).inner_text() == now
        await page.reload()
        await expect(page.get_by_label("Surf: how long to stay")).to_have_value("20")


async def test_surfing_rests_while_the_page_is_hidden(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM) as page:
        await page.clock.install()
        await page.goto("/")
        await page.get_by_label("Surf: how long to stay").select_option("20 s")
        await control(page, "Surf").click()
        await control(page, "Stop").focus()
        await page.mouse.move(3, 3)
        await page.clock.run_for(15_000)
        now = await title(page).inner_text()
        hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
        await page.evaluate(hide % "true")
        await page.clock.run_for(60_000)
        assert await title(page).inner_text() == now
        # Hidden pages are called seldom: what passed meanwhile does not count when it is shown.
        await page.evaluate(hide % "false")
        await page.clock.fast_forward(60_000)
        await page.clock.run_for(500)
        assert await title(page).inner_text() == now
        await another(page, page.clock.run_for(5_000))


async def remember(site: Site) -> None:
    """Take a sample of all live streams."""
    db = site.context.pool
    now, last = site.context.clock.now(), await history_store.last_sample(db)
    await history_store.sample(db, now, last)


async def watched(site: Site, *viewers: int) -> None:
    """Stream 1, its title changed half-way, with samples of so many viewers up to now."""
    now = site.context.clock.now()
    for number, watching in enumerate(viewers):
        name = "The first half" if number < len(viewers) // 2 else "The second half"
        await show(site, stream(1, title=name, viewers=watching, language="de"))
        at = now - SAMPLE * (len(viewers) - number)
        await history_store.sample(site.context.pool, at, at - SAMPLE)
    await site.context.pool.execute(
        "UPDATE streams SET first_seen_at = $1", now - SAMPLE * len(viewers)
    )


async def test_the_page_of_a_stream(browser: Browser, site: Site) -> None:
    await watched(site, 0, 3, 12, 7)
    options = {**CALM, "permissions": ["clipboard-read", "clipboard-write"]}
    async with visitor(browser, site, **options) as page:
        await page.goto("/")
        await page.get_by_role("link", name="Viewers and titles so far").click()
        await page.wait_for_url("**/streams/tw/1")
        await expect(page.get_by_role("heading", level=1)).to_have_text("The second half")
        nav = page.get_by_role("navigation", name="Main")
        current = nav.get_by_role("link", name="Streams")
        await expect(current).to_have_attribute("aria-current", "page")
        drawing = page.get_by_role("img", name=re.compile("at least 0, at most 12, now 7"))
        await expect(drawing).to_be_visible()
        await page.get_by_text("As a table").click()
        rows = page.get_by_role("table").locator("tbody tr")
        assert [int(text) for text in await rows.locator(".number").all_inner_texts()] == [
            7,
            12,
            3,
            0,
        ]
        titles = page.get_by_role("region", name="Titles").get_by_role("listitem")
        assert [text.split("\n")[0] for text in await titles.all_inner_texts()] == [
            "The second half",
            "The first half",
        ]
        assert await page.locator("iframe").count() == 0
        await page.get_by_role("button", name="Watch here").click()
        await expect(page.locator("[data-player] iframe")).to_be_visible()
        await page.get_by_role("button", name="Copy link").click()
        read = "navigator.clipboard.readText()"
        await until(page, f"{read}.then((text) => text === '{site.url}/streams/tw/1')")
        await page.keyboard.press("n")
        await page.wait_for_url(re.compile(r":\d+/$"))
        await page.keyboard.press("h")
        seen = page.get_by_role("dialog").get_by_role("listitem").get_by_role("link")
        await expect(seen).to_have_text("The second half")


async def filtered(page: Page, **fields: str) -> None:
    """Fill in the filter dialog and send it."""
    await control(page, "Filter").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Words to look for")).to_be_focused()
    for label, value in fields.items():
        name = re.compile("^" + label.replace("_", " "))
        field = dialog.get_by_label(name)
        if await field.evaluate("(e) => e.localName") == "select":
            await field.select_option(value)
        else:
            await field.fill(value)
    async with page.expect_navigation():
        await dialog.get_by_role("button", name="Show").click()


async def shows(page: Page, *expected: str) -> None:
    """The stream on top and those in the grid are these."""
    for _ in range(50):
        cards = await page.locator(".card-title").all_inner_texts()
        if sorted([await title(page).inner_text(), *cards]) == sorted(expected):
            return
        await page.wait_for_timeout(100)
    assert sorted([await title(page).inner_text(), *cards]) == sorted(expected)


async def test_filters_are_visible_shared_and_remembered(browser: Browser, site: Site) -> None:
    await show(
        site,
        stream(0, title="Super Mario 64", language="en"),
        stream(1, title="Mario Kart", language="de"),
        stream(2, title="Painting a kart", category="Making", language="fr", tags=("Quiet",)),
        stream(3, title="Nothing at all", viewers=50),
    )
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        everything = ("Super Mario 64", "Mario Kart", "Painting a kart", "Nothing at all")
        await shows(page, *everything)
        await filtered(page, Words_to_look_for="mario kart")
        assert page.url.endswith("/?include=mario+kart")
        await shows(page, "Mario Kart")

        await filtered(page, In_title="any")
        await shows(page, "Mario Kart", "Painting a kart", "Super Mario 64")
        await filtered(page, Words_that_must_not="painting")
        await shows(page, "Mario Kart", "Super Mario 64")
        chips = page.get_by_role("region", name="Active filter").get_by_role("listitem")
        assert [re.sub(r"\s+", " ", text) for text in await chips.all_inner_texts()] == [
            "with any of mario kart ×",
            "without painting ×",
        ]
        async with visitor(browser, site, **CALM) as friend:
            await friend.goto(page.url)
            await shows(friend, "Mario Kart", "Super Mario 64")
        await page.get_by_role("link", name="Leave out: without painting").click()
        await expect(chips).to_have_count(1)

        await page.goto("/?max_viewers=100")
        await shows(page, *everything)
        await page.get_by_role("link", name="Clear the filter").click()
        await page.wait_for_url(re.compile(r"/$"))

        await control(page, "Filter").click()
        dialog = page.get_by_role("dialog")
        await until(page, "document.querySelectorAll('#categories option').length > 1")
        await dialog.get_by_label("German").check()
        await dialog.get_by_label("French").check()
        await dialog.get_by_label("Remember this").check()
        async with page.expect_navigation():
            await dialog.get_by_role("button", name="Show").click()
        await shows(page, "Mario Kart", "Painting a kart")
        await page.goto("/")
        await page.wait_for_url("**/?languages=fr%2Cde")
        await shows(page, "Mario Kart", "Painting a kart")
        await expect(page.get_by_text("remembered here")).to_be_visible()
        titles = {await another(page, page.keyboard.press("n")) for _ in range(4)}
        assert titles == {"Mario Kart", "Painting a kart"}
        await page.get_by_role("link", name="Clear the filter").click()
        await page.wait_for_url(re.compile(r"/$"))
        await page.goto("/")
        await shows(page, *everything)

        # What a stream says of itself leads to others of its kind.
        await page.goto("/?include=painting")
        await page.locator("[data-about]").get_by_role("link", name="Quiet").click()
        await page.wait_for_url("**/?tags=Quiet")
        await shows(page, "Painting a kart")
        await page.locator("[data-about]").get_by_role("link", name="Making").click()
        await page.wait_for_url("**/?category=Making")


async def test_the_link_to_a_search_is_copied(browser: Browser, site: Site) -> None:
    await twelve(site)
    options = {**CALM, "permissions": ["clipboard-read", "clipboard-write"]}
    async with visitor(browser, site, **options) as page:
        await page.goto("/?include=stream&watch=tw%3A3")
        await page.get_by_role("link", name="Link to this search").click()
        await expect(page.get_by_text("Link copied")).to_be_visible()
        read = "navigator.clipboard.readText()"
        assert await page.evaluate(read) == f"{site.url}/?include=stream"
        await page.get_by_role("button", name="Copy link").click()
        await until(page, f"{read}.then((text) => text.endsWith('/streams/tw/3'))")
        await page.goto(await page.evaluate(read))
        await expect(title(page)).to_have_text("Stream 3")


async def test_nothing_found_offers_what_helps(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/?include=stream&languages=fr")
        await expect(page.get_by_text("Nothing live matches.")).to_be_visible()
        item = page.locator(".looser li").filter(has_text="in any language")
        await expect(item).to_contain_text("12 streams")
        await page.keyboard.press("f")
        await expect(page.get_by_role("dialog").get_by_label("French")).to_be_checked()
        await page.keyboard.press("Escape")
        await item.get_by_role("link").click()
        await page.wait_for_url("**/?include=stream")
        await shows(page, *(f"Stream {n}" for n in range(12)))


async def test_history_is_kept_and_forgotten(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        titles = [await title(page).inner_text()]
        for _ in range(3):
            titles += [await another(page, page.keyboard.press("n"))]
        await page.reload()
        await control(page, "History").click()
        dialog = page.get_by_role("dialog")
        links = dialog.get_by_role("listitem").get_by_role("link")
        assert await links.all_inner_texts() == titles[::-1]
        await another(page, links.nth(2).click())
        await expect(title(page)).to_have_text(titles[1])
        await expect(dialog).to_have_count(0)
        await page.keyboard.press("h")
        assert await links.first.inner_text() == titles[1]
        await dialog.get_by_role("button", name="Forget it all").click()
        await expect(dialog).to_contain_text("Nothing yet.")

        await page.keyboard.press("Escape")
        over = await another(page, page.keyboard.press("n"))
        await another(page, page.keyboard.press("n"))
        await remember(site)
        await site.context.pool.execute("DELETE FROM streams WHERE title = $1", over)
        await remember(site)
        await page.keyboard.press("h")
        await dialog.get_by_role("link", name=over).click()
        await page.wait_for_url("**/streams/tw/*")
        await expect(page.get_by_text("This stream ended")).to_be_visible()
        await expect(page.get_by_role("heading", level=1)).to_have_text(over)
        await page.goto("/?watch=tw:99")
        await expect(page.get_by_text("That stream is over; here is another.")).to_be_visible()


async def test_layouts_are_remembered(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        choice = page.get_by_label("Layout")
        grid, player = page.locator("[data-grid]"), page.locator("[data-player]")

        async def width() -> float:
            box = await player.bounding_box()
            assert box is not None
            return box["width"]

        columns = await width()
        await choice.select_option("Wide")
        assert await width() > columns
        await expect(grid).to_be_visible()
        await choice.select_option("Minimal")
        await expect(grid).to_be_hidden()
        await expect(title(page)).to_be_visible()
        await page.goto("/")
        await expect(choice).to_have_value("minimal")
        await expect(grid).to_be_hidden()
        await page.keyboard.press("l")
        await expect(choice).to_have_value("columns")
        assert await width() == columns


async def test_the_grid_shows_more_and_what_is_pressed(browser: Browser, site: Site) -> None:
    await show(site, *(stream(n, title=f"Stream {n}", viewers=n % 2) for n in range(60)))
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        cards = page.locator("[data-grid] > .card")
        await expect(cards).to_have_count(24)
        more = page.get_by_role("link", name="More", exact=True)
        await more.click()
        await expect(cards).to_have_count(48)
        await more.click()
        await expect(cards).to_have_count(59)
        keys = await cards.evaluate_all("(all) => all.map((card) => card.dataset.key)")
        assert len(set(keys)) == 59
        await more.click()
        await expect(page.get_by_text("That is all there is to see.")).to_be_visible()
        name = await cards.nth(50).locator(".card-title").inner_text()
        await another(page, cards.nth(50).locator(".card-title a").click())
        await expect(title(page)).to_have_text(name)
        await expect(title(page)).to_be_focused()
        await expect(page.locator("[data-stage]")).to_be_in_viewport()
        gone = await cards.nth(3).get_attribute("data-key") or ""
        await site.context.pool.execute("DELETE FROM streams WHERE external_id = $1", gone[3:])
        await cards.nth(3).locator("a").click()
        await expect(page.locator("[data-problem]")).to_have_text("That stream is over.")


async def test_with_the_keyboard_alone(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, **CALM) as page:
        await page.goto("/")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        for _ in range(30):
            if await control(page, "Next").evaluate("(e) => e === document.activeElement"):
                break
            await page.keyboard.press("Tab")
        await another(page, page.keyboard.press("Enter"))
        await expect(control(page, "Next")).to_be_focused()
        await page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keys")
        await expect(keys).to_contain_text("another layout")
        before = await title(page).inner_text()
        await page.keyboard.press("n")
        await page.keyboard.press("Escape")
        await expect(control(page, "Next")).to_be_focused()
        await page.keyboard.press("/")
        box = page.get_by_role("searchbox", name="Words to look for").first
        await expect(box).to_be_focused()
        await page.keyboard.type("nnn")
        await expect(box).to_have_value("nnn")
        assert await title(page).inner_text() == before
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("g")
        await expect(page.locator("[data-grid] a").first).to_be_focused()
        await another(page, page.keyboard.press("Enter"))
        await another(page, page.keyboard.press("b"))
        assert await title(page).inner_text() == before
        await page.keyboard.press("f")
        await expect(page.get_by_role("dialog", name="What to look for")).to_be_visible()
        await page.keyboard.press("Escape")

        await page.keyboard.press("?")
        await page.get_by_label("Single keys work").uncheck()
        await page.keyboard.press("Escape")
        await page.reload()
        await page.keyboard.press("f")
        await page.keyboard.press("n")
        await page.wait_for_timeout(300)
        assert await page.get_by_role("dialog").count() == 0
        assert await title(page).inner_text() == before


async def test_without_javascript(browser: Browser, site: Site) -> None:
    await twelve(site)
    async with visitor(browser, site, java_script_enabled=False) as page:
        await page.goto("/")
        first = await title(page).inner_text()
        await control(page, "Next").click()
        await expect(title(page)).not_to_have_text(first)
        await expect(page.get_by_role("button", name="Surf")).to_have_count(0)
        await control(page, "Filter").click()
        form = page.locator("#filter form")
        await expect(form).to_be_visible()
        await form.get_by_label("Words to look for").fill("7")
        await form.get_by_label("English").check()
        await form.get_by_label("French").check()
        await form.get_by_role("button", name="Show").click()
        await expect(page.get_by_text("Nothing live matches.")).to_be_visible()
        await page.locator(".looser").get_by_role("link", name="in any language").click()
        await expect(title(page)).to_have_text("Stream 7")
        await page.get_by_role("link", name="Clear the filter").click()
        name = await page.locator(".card-title").first.inner_text()
        await page.locator(".card-title a").first.click()
        await expect(title(page)).to_have_text(name)
        place = page.get_by_role("link", name="Watch at its own place")
        assert "twitch.tv/login" in (await place.get_attribute("href") or "")
        await page.get_by_role("link", name="Another").click()
        await page.get_by_role("link", name="More", exact=True).click()
        await expect(page.locator("[data-grid] > .card")).to_have_count(11)


async def test_titles_of_all_kinds_do_no_harm(browser: Browser, site: Site) -> None:
    await show(
        site,
        *(
            stream(n, title=text, channel_name=text, category=text, tags=(text[:90], "x"))
            for n, text in enumerate(NASTY)
        ),
    )
    async with visitor(browser, site, **CALM, **PHONE) as page:
        await page.goto("/")
        found = set()
        for turn in range(len(NASTY)):
            found.add(await title(page).evaluate("(e) => e.textContent"))
            assert await overflow(page) == []
            box = await title(page).bounding_box()
            assert box is not None
            assert box["height"] < 220
            if turn + 1 < len(NASTY):
                await another(page, control(page, "Next").click())
        assert found == set(NASTY)
        assert await page.locator("[data-stage] script, [data-grid] script").count() == 0
        await control(page, "History").click()
        assert await page.get_by_role("dialog").get_by_role("link").count() == len(NASTY)
        assert await overflow(page) == []


async def judge(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse."""
    await page.evaluate((VENDOR / "axe.min.js").read_text())
    found = await page.evaluate("axe.run(document, {iframes: false})")
    return [
        f"{problem['id']}: {problem['help']}: {problem['nodes'][0]['html'][:160]}"
        for problem in found["violations"]
        if problem["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, {}], ids=["phone", "desktop"])
async def test_axe_finds_nothing_serious(
    browser: Browser, site: Site, size: dict[str, Any], scheme: str
) -> None:
    await twelve(site, language="de", mature=True)
    async with visitor(browser, site, color_scheme=scheme, **CALM, **size) as page:
        for path in ("/", "/?include=stream&exclude=none", "/?include=stream&languages=fr"):
            await page.goto(path)
            assert await judge(page) == [], path
            assert await overflow(page) == [], path
        await page.goto("/")
        await page.keyboard.press("n")
        for key in "fh?":
            await page.keyboard.press(key)
            await expect(page.get_by_role("dialog")).to_be_visible()
            assert await judge(page) == [], key
            assert await overflow(page) == [], key
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)
        for _ in range(2):
            await page.keyboard.press("l")
            assert await judge(page) == []
            assert await overflow(page) == []
        await watched(site, *(n * n % 17 for n in range(40)))
        await show(site, stream(1, title=NASTY[0] * 9, viewers=12_345))
        await page.goto("/streams/tw/1")
        await page.get_by_text("As a table").click()
        assert await judge(page) == []
        assert await overflow(page) == []
        await site.context.pool.execute("DELETE FROM streams")
        await remember(site)
        await page.goto("/streams/tw/1")
        await expect(page.get_by_text("This stream ended")).to_be_visible()
        assert await judge(page) == []
        assert await overflow(page) == []


def test_axe_is_as_its_makers_ship_it() -> None:
    for line in (VENDOR / "CHECKSUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    version = re.search(r"\| (4\.\d+\.\d+) \|", (VENDOR / "README.md").read_text())
    assert version
    assert f"axe v{version[1]}" in (VENDOR / "axe.min.js").read_text()[:200]


async def test_the_page_sends_no_more_than_keys(browser: Browser, site: Site) -> None:
    await twelve(site)
    sent: list[bytes] = []
    async with visitor(browser, site, **CALM) as page:
        page.on("request", lambda one: sent.append(one.post_data_buffer or b""))
        await page.goto("/")
        await another(page, page.keyboard.press("n"))
    bodies = [msgspec.json.decode(body) for body in sent if body]
    assert bodies
    for body in bodies:
        assert body.keys() <= {"seen", "count", "lease"}
        assert all(key.startswith("tw:") for key in body["seen"])
