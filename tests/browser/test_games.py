"""Games in a real browser: browsed, played by keyboard, mouse and touch, drawn as recorded."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.stage import chromium, overflow, until, visit
from tests.conftest import Site
from tests.games.helpers import KEY, NEW_KEY, OTHER_KEY, served
from tests.games.recorded import record
from tests.games.wars import NOBODY, War, war
from tests.jobs.test_browser import sign_in
from tests.jobs.test_engine import rendering
from tests.servers.neptunes_pride import NeptunesPride
from tests.servers.universe import Universe
from vigil.films import work
from vigil.games import filming, scan, store
from vigil.games.drawing.colours import player_colour
from vigil.games.filming.options import chosen
from vigil.games.register import register

pytestmark = pytest.mark.browser

VENDOR = Path(__file__).parent / "vendor"
WAR = war(90, 80, 6, seed=2)
PLAYER = "document.querySelector('[data-game-player]').player"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def serious(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse."""
    await page.evaluate((VENDOR / "axe.min.js").read_text())
    found: dict[str, Any] = await page.evaluate("axe.run(document, {iframes: false})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:150]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


async def open_player(page: Page, game: int, query: str = "") -> None:
    await page.goto(f"/games/{game}{query}")
    await until(page, f"Boolean({PLAYER}) && {PLAYER}.map.width > 1")


async def tick(page: Page) -> int:
    found: int = await page.evaluate(f"{PLAYER}.replay.tick")
    return found


async def test_games_are_browsed(site: Site, browser: Browser) -> None:
    pool = site.context.pool
    await record(pool, war(20, 9, 3), number="2", name="Long over", over=True)
    game = await record(pool, WAR, name="Far reaches")
    await pool.execute("INSERT INTO game_gaps VALUES ($1, 7, 9, 'site')", game)
    for options in ({"viewport": {"width": 1280, "height": 900}}, PHONE, {"color_scheme": "dark"}):
        async with visit(browser, site.url, **options) as page:
            await page.goto("/games")
            cards = page.locator("#games > li")
            await expect(cards.first).to_contain_text("Far reaches")
            await expect(cards.first).to_contain_text("6 players · 90 stars · tick 80")
            await expect(cards.first).to_contain_text("80 ticks recorded, 96.4%")
            await expect(cards.last).to_contain_text("Long over")
            await expect(cards.last).to_contain_text("finished")
            await until(page, "document.querySelector('#games img').naturalWidth === 640")
            assert await serious(page) == []
            assert await overflow(page) == []
            await page.get_by_role("link", name="Far reaches").click()
            await expect(page.get_by_role("heading", name="Far reaches")).to_be_visible()
            await until(page, f"Boolean({PLAYER})")
            await expect(page.locator(".game-now")).to_contain_text("Tick 80 of 80")
            await expect(page.get_by_text("The game's site did not answer.")).to_be_visible()
            await page.locator("#totals summary").click()
            await expect(page.locator("[data-still]")).to_have_count(2)
            for still in await page.locator("[data-still]").all():
                await expect(still).to_be_hidden()
            assert await serious(page) == []
            assert await overflow(page) == []


async def test_without_javascript_there_is_a_picture_of_any_tick(
    site: Site, browser: Browser
) -> None:
    game = await record(site.context.pool, WAR)
    async with visit(browser, site.url, java_script_enabled=False) as page:
        await page.goto(f"/games/{game}")
        await page.get_by_role("spinbutton", name="Tick").fill("30")
        await page.locator("[data-still]").get_by_role("button", name="Show").click()
        picture = page.get_by_alt_text("Map of the game at tick 30")
        await expect(picture).to_be_visible()
        owners = owners_at(WAR, 30)
        for uid, name in enumerate(("Ada", "Brahe", "Curie")):
            row = page.locator("[data-standings] tr", has_text=name)
            await expect(row).to_contain_text(str(list(owners.values()).count(uid)))
        await page.get_by_role("link", name="All stars as a table").click()
        await expect(page.get_by_role("heading", name="Stars at tick 30")).to_be_visible()
        await expect(page.locator("tbody tr")).to_have_count(len(owners))


def owners_at(war: War, tick: int) -> dict[int, int]:
    return {star: owner for at, star, owner in war.changes if at <= tick}


async def test_the_player_is_played_by_keyboard(site: Site, browser: Browser) -> None:
    game = await record(site.context.pool, WAR)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await open_player(page, game)
        view = page.get_by_role("application", name="Map of the game")
        await view.focus()
        steps = (("Home", 1), (".", 2), (".", 3), (",", 2), ("End", 80), ("Home", 1))
        for key, expected in steps:
            await page.keyboard.press(key)
            assert await tick(page) == expected
        await page.keyboard.press(">")
        assert await tick(page) == next(at for at, _, _ in WAR.changes if at > 1)
        await page.keyboard.press("]")
        speed: int = await page.evaluate(f"{PLAYER}.speed")
        await expect(page.get_by_label("Speed")).to_have_value(str(speed))
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Pause")).to_be_visible()
        await until(page, f"{PLAYER}.replay.tick > 10")
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Play")).to_be_visible()
        stopped = await tick(page)
        await page.wait_for_timeout(300)
        assert await tick(page) == stopped
        await page.keyboard.press("+")
        zoom = await page.evaluate(f"{PLAYER}.zoom")
        assert zoom > 1
        before = await page.evaluate(f"{PLAYER}.map.middle[1]")
        await page.keyboard.press("ArrowDown")
        assert await page.evaluate(f"{PLAYER}.map.middle[1]") > before
        await page.keyboard.press("0")
        assert await page.evaluate(f"{PLAYER}.zoom") == 1
        await page.keyboard.press("n")
        await expect(page.get_by_label("Names")).not_to_be_checked()
        await page.keyboard.press("f")
        await expect(page.get_by_label("Follow")).to_have_value("0")
        await expect(page.locator("tr.followed")).to_contain_text("Ada")
        await page.keyboard.press("s")
        card = page.locator("[data-star]")
        await expect(card).to_contain_text("first seen")
        await expect(card.get_by_role("heading")).to_contain_text("Star")
        await page.keyboard.press("Escape")
        await expect(card).to_be_hidden()
        await page.keyboard.press("Escape")
        await expect(page.get_by_label("Follow")).to_have_value("")
        slider = page.locator("[data-slider]")
        await slider.focus()
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowLeft")
        assert await tick(page) == 79
        await expect(slider).to_have_attribute("aria-valuetext", "Tick 79 of 80")
        await expect(page.locator("[data-when]")).to_have_attribute(
            "datetime", "2026-03-04T19:00:00.000Z"
        )
        await page.get_by_label("Find a star").fill("star007")
        await page.keyboard.press("Enter")
        await expect(card.get_by_role("heading")).to_have_text("Star007")
        assert await tick(page) == 79  # letters in a field are no commands


async def test_a_stars_history_leads_to_its_ticks(site: Site, browser: Browser) -> None:
    game = await record(site.context.pool, WAR)
    star = max(range(1, 91), key=lambda one: sum(star == one for _, star, _ in WAR.changes))
    changes = [(at, owner) for at, one, owner in WAR.changes if one == star]
    assert len(changes) > 2
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await open_player(page, game)
        await page.evaluate(f"{PLAYER}.select({PLAYER}.replay.ids.indexOf('{star}'))")
        lines = page.locator("[data-star-history] li")
        await expect(lines).to_have_count(len(changes))
        await lines.nth(2).get_by_role("button").click()
        assert await tick(page) == changes[2][0]
        name = await page.evaluate(f"{PLAYER}.nameOf({changes[2][1]})")
        await expect(page.locator("[data-star-owner]")).to_have_text(name)
        await page.goto(f"/games/{game}?star={star}")
        events = page.locator("#events tbody tr")
        await expect(events).to_have_count(min(25, len(changes) - 1))
        await until(page, f"Boolean({PLAYER})")
        await events.first.get_by_role("link").click()
        assert await tick(page) == changes[-1][0]
        await expect(page.locator("[data-star-name]")).to_have_text(f"Star{star:03}")


async def test_the_player_is_played_by_touch(site: Site, browser: Browser) -> None:
    game = await record(site.context.pool, WAR)
    async with visit(browser, site.url, **PHONE) as page:
        await open_player(page, game)
        view = page.get_by_role("application")
        await view.scroll_into_view_if_needed()
        box = await view.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        session = await page.context.new_cdp_session(page)

        async def touch(kind: str, *points: tuple[float, float]) -> None:
            touches = [{"x": a, "y": b, "id": number} for number, (a, b) in enumerate(points)]
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

        # a tap chooses the star whose land it is
        place = await page.evaluate(f"{PLAYER}.map.toPage(5)")
        await page.touchscreen.tap(box["x"] + place[0], box["y"] + place[1])
        await expect(page.locator("[data-star-name]")).to_have_text("Star006")
        # two fingers that part make it larger; what lies between them stays there
        under = await page.evaluate(f"{PLAYER}.map.toMap({x}, {y})")
        await touch("touchStart", (x - 30, y), (x + 30, y))
        for far in (40, 60, 80, 90):
            await touch("touchMove", (x - far, y), (x + far, y))
        await touch("touchEnd")
        assert 2.5 < await page.evaluate(f"{PLAYER}.zoom") < 3.5
        after = await page.evaluate(f"{PLAYER}.map.toMap({x}, {y})")
        assert after == pytest.approx(under, abs=0.35)
        # one finger moves it
        before = await page.evaluate(f"{PLAYER}.map.middle")
        await touch("touchStart", (x, y))
        for slip in (20, 40, 60):
            await touch("touchMove", (x - slip, y - slip))
        await touch("touchEnd")
        moved = await page.evaluate(f"{PLAYER}.map.middle")
        scale = await page.evaluate(f"{PLAYER}.map.scale / {PLAYER}.map.ratio")
        assert moved[0] - before[0] == pytest.approx(60 / scale, rel=0.1)
        await page.wait_for_timeout(500)  # Chromium takes a tap at once after a drag for its end
        await page.get_by_role("button", name="All of the map").tap()
        await until(page, f"{PLAYER}.zoom === 1")
        await page.get_by_role("button", name="Play").tap()
        await until(page, f"{PLAYER}.replay.tick > 3")
        await page.get_by_role("button", name="Pause").tap()
        await page.locator("[data-standings] button", has_text="Curie").tap()
        await expect(page.get_by_label("Follow")).to_have_value("2")


async def test_the_mouse_points_drags_and_turns_its_wheel(site: Site, browser: Browser) -> None:
    game = await record(site.context.pool, WAR)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await open_player(page, game, "?tick=40")
        assert await tick(page) == 40
        box = await page.get_by_role("application").bounding_box()
        assert box is not None
        place = await page.evaluate(f"{PLAYER}.map.toPage(9)")
        x, y = box["x"] + place[0], box["y"] + place[1]
        await page.mouse.move(x, y)
        tip = page.locator("[data-tip]")
        owner = await page.evaluate(f"{PLAYER}.nameOf({owners_at(WAR, 40)[10]})")
        await expect(tip).to_have_text(f"Star010 · {owner}")
        await page.mouse.wheel(0, -400)
        await until(page, f"{PLAYER}.zoom > 2")
        assert await page.evaluate(f"{PLAYER}.map.starAt({x}, {y})") == 9  # it stayed there
        await page.mouse.down()
        await page.mouse.move(x + 50, y + 30, steps=5)
        await page.mouse.up()
        assert await page.evaluate(f"{PLAYER}.map.starAt({x + 50}, {y + 30})") == 9
        await expect(page.locator("[data-star]")).to_be_hidden()  # a drag is no tap
        await page.mouse.click(x + 50, y + 30)
        await expect(page.locator("[data-star-name]")).to_have_text("Star010")
        # all of the map in sight: the wheel belongs to the page again
        await page.get_by_role("button", name="All of the map").click()
        await page.mouse.move(x, y)
        await page.mouse.wheel(0, 300)
        await until(page, "window.scrollY > 0")


PIXELS = """(places) => {
    const { map } = document.querySelector('[data-game-player]').player;
    return places.map(([x, y]) => {
        const [px, py] = [x * map.scale + map.dx, y * map.scale + map.dy].map(Math.round);
        return [...map.pen.getImageData(px, py, 1, 1).data.slice(0, 3)];
    });
}"""


def nearest(war: War, tick: int, x: float, y: float) -> int | None:
    """Whose a place is; None: nobody reaches it, or it is too near to an edge to say."""
    owners = owners_at(war, tick)
    far = sorted(
        (((a - x) ** 2 + (b - y) ** 2) ** 0.5, star)
        for star, (a, b) in enumerate(war.places, start=1)
        if star in owners
    )
    if not 0.12 < far[0][0] < 0.5 or far[1][0] - far[0][0] < 0.12:
        return None
    return owners[far[0][1]]


async def test_the_map_shows_whose_each_place_is_at_any_tick(site: Site, browser: Browser) -> None:
    late = [
        (at + 20, star, owner) if star % 7 == 0 and at == 1 else (at, star, owner)
        for at, star, owner in WAR.changes
        if star % 7 or at == 1 or at > 21
    ]
    hidden = War(ticks=80, players=6, places=WAR.places, changes=sorted(late))
    game = await record(site.context.pool, hidden)
    chance = random.Random(5)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await open_player(page, game)
        await page.evaluate(f"{PLAYER}.map.showNames = false")
        for at in (1, 2, 20, 21, 22, 5, 80, 79, 78, 21, 20, 60):
            await page.evaluate(f"{PLAYER}.seek({at})")
            places: list[tuple[tuple[float, float], int]] = []
            while len(places) < 60:
                x, y = chance.choice(hidden.places)
                place = x + chance.uniform(-0.5, 0.5), y + chance.uniform(-0.5, 0.5)
                if (owner := nearest(hidden, at, *place)) is not None:
                    places.append((place, owner))
            found = await page.evaluate(PIXELS, [place for place, _ in places])
            wanted = [
                [64, 64, 64] if owner == NOBODY else list(player_colour("safe", owner))
                for _, owner in places
            ]
            assert found == wanted, at


DIFFERENCE = """() => {
    const { map } = document.querySelector('[data-game-player]').player;
    const read = () => map.pen.getImageData(0, 0, map.width, map.height).data;
    const before = read();
    map.drawAll();
    const after = read();
    let most = 0, many = 0;
    for (let at = 0; at < after.length; at += 1) {
        const off = Math.abs(after[at] - before[at]);
        most = Math.max(most, off);
        many += off > 24;
    }
    return [most, many / after.length];
}"""


FILLS = """async (draw) => {
    const { fill } = CanvasRenderingContext2D.prototype;
    let painted = 0;
    CanvasRenderingContext2D.prototype.fill = function (...given) {
        painted += 1;
        return fill.apply(this, given);
    };
    const { map, replay } = document.querySelector('[data-game-player]').player;
    if (draw === "tick") map.drawChanged(replay.seek(replay.tick + 1));
    else map.drawAll();
    CanvasRenderingContext2D.prototype.fill = fill;
    return painted;
}"""


async def test_what_changed_alone_is_drawn_and_looks_like_all(site: Site, browser: Browser) -> None:
    """After hundreds of small repaints the map is what one whole drawing makes; rounding at
    the edges of what is clipped aside."""
    big = war(400, 200, 12, seed=6)
    game = await record(site.context.pool, big)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await open_player(page, game)
        for first, last in ((2, 150), (150, 80)):
            step = 1 if last > first else -1
            await page.evaluate(
                f"for (let t = {first}; t !== {last}; t += {step}) {PLAYER}.seek(t)"
            )
            most, many = await page.evaluate(DIFFERENCE)
            assert most < 100
            assert many < 0.0005
        # how many pieces of land are painted: for a tick, a small part of them
        whole = await page.evaluate(FILLS, "all")
        ticks = [await page.evaluate(FILLS, "tick") for _ in range(20)]
        assert whole >= 2 * 400
        assert max(ticks) < whole / 2
        assert sum(ticks) / 20 < whole / 5


async def test_players_have_the_colours_of_films(site: Site, browser: Browser) -> None:
    game = await record(site.context.pool, war(70, 3, 64, seed=8))
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await open_player(page, game)
        for palette in ("safe", "bright"):
            await page.get_by_label("Colours").select_option(palette)
            found = await page.locator("[data-standings] tr").evaluate_all(
                "(rows) => rows.map((row) => [Number(row.dataset.player),"
                " row.querySelector('circle').getAttribute('fill')])"
            )
            assert len(found) == 64
            for uid, colour in found:
                wanted = player_colour("safe" if palette == "safe" else "bright", uid)
                assert colour == "#{:02x}{:02x}{:02x}".format(*wanted)
        await page.reload()  # the choice is kept
        await until(page, f"Boolean({PLAYER})")
        await expect(page.get_by_label("Colours")).to_have_value("bright")


async def test_charts_go_with_the_player(site: Site, browser: Browser) -> None:
    game = await record(site.context.pool, WAR)
    totals = {(at, uid): values for at, uid, *values in WAR.totals()}

    def stars(uid: int, tick: int) -> int:
        return next(totals[at, uid][0] for at in range(tick, 0, -1) if (at, uid) in totals)

    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await open_player(page, game)
        value = page.locator("[data-legend='2'] [data-value]")
        await page.evaluate(f"{PLAYER}.seek(40)")
        await expect(value).to_have_text(str(stars(2, 40)))
        slider = page.locator("[data-chart-slider]")
        await slider.focus()
        await page.keyboard.press("ArrowRight")
        assert await tick(page) == 41
        await expect(value).to_have_text(str(stars(2, 41)))
        cursor = page.locator("[data-cursor]")
        assert float(await cursor.get_attribute("x1") or 0) == pytest.approx(1000 * 40 / 79)
        await page.locator("[data-metric]", has_text="Ships").press("Enter")
        await expect(page.locator("[data-metric][aria-current]")).to_have_text("Ships")
        assert await tick(page) == 41  # the player stays where it is
        expected = next(totals[at, 2][1] for at in range(41, 0, -1) if (at, 2) in totals)
        await expect(value).to_have_text(f"{expected:,}")
        await page.locator("#totals summary").click()
        rows = page.locator("#totals tbody tr")
        await expect(rows).to_have_count(12)
        await expect(rows.last.locator("th")).to_have_text("80")
        assert await serious(page) == []


async def test_a_player_needs_only_the_peers_json(site: Site, browser: Browser) -> None:
    """Without names, ticks and dates of ours it plays what any site gives in that shape."""
    game = await record(site.context.pool, WAR)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:

        async def bare(route: Any) -> None:
            answer = await route.fetch()
            text = await answer.text()
            start = text.index('data-about="') + len('data-about="')
            body = text[:start] + "{}" + text[text.index('"', start) :]
            await route.fulfill(response=answer, body=body)

        await page.route(f"**/games/{game}", bare)
        await open_player(page, game)
        await page.keyboard.press("Tab")
        await page.evaluate(f"{PLAYER}.seek(50); {PLAYER}.select(3)")
        await expect(page.locator("[data-star-name]")).to_have_text("Star 4")
        await expect(page.locator("[data-standings] tr").first).to_contain_text("Player ")
        await expect(page.locator("[data-when]")).to_be_hidden()


@asynccontextmanager
async def hosted(site: Site) -> AsyncIterator[NeptunesPride]:
    """The site asks a server of ours instead of the real ones; it hosts game 123."""
    before = site.app.ctx.vigil
    async with served(Universe.made_up(40, 3, tick=7), **{KEY: 1, OTHER_KEY: 2}) as server:
        settings = replace(
            before.settings,
            neptunes_pride_url=server.url,
            neptunes_pride4_url=server.url,
            np2stats_url=server.url,
        )
        site.app.ctx.vigil = replace(before, settings=settings)
        yield server
        site.app.ctx.vigil = before


async def test_a_game_is_registered_and_every_error_is_told(site: Site, browser: Browser) -> None:
    async with hosted(site) as server, visit(browser, site.url) as page:
        await page.goto("/games")
        await expect(page.get_by_text("No game is recorded yet")).to_be_visible()
        await expect(page.locator("main form")).to_have_count(0)  # who is not signed in may look
        await sign_in(site, page)
        await page.goto("/games")
        number, key = page.get_by_label("Number of the game"), page.get_by_label("API key")
        alert = page.get_by_role("main").get_by_role("alert")

        async def attempt(game: str, code: str, problem: str) -> None:
            await number.fill(game)
            await key.fill(code)
            await page.get_by_role("button", name="Record it").click()
            await expect(alert).to_contain_text(problem)
            await expect(number).to_have_value(game)
            await expect(key).to_have_value("")
            assert code not in await page.content()

        await attempt("12 3", KEY, "This cannot be a game's number")
        await attempt("123", "two words", "This cannot be a key")
        await attempt("777", KEY, "knows a game 777")
        await attempt("123", "Wrong99", "does not know this key")
        server.faults.says = "api_version not supported"
        await attempt("123", KEY, "version")
        server.faults.says = None
        server.faults.body = b"<html>closed for today</html>"
        await attempt("123", KEY, "sent something")
        server.faults.body = None
        server.faults.server_error = -1
        await attempt("123", KEY, "does not answer")
        server.faults.server_error = 0
        server.games["123"].universe.game_over = True
        await attempt("123", KEY, "is finished")
        server.games["123"].universe.game_over = False
        assert await serious(page) == []
        assert await overflow(page) == []

        await number.fill("https://np.ironhelmet.com/game/123")
        await key.fill(KEY)
        await page.get_by_role("button", name="Record it").click()
        await until(page, f"Boolean({PLAYER})")
        await expect(page.locator("main .badge").first).to_have_text("recording")
        await expect(page.get_by_text("1 in use")).to_be_visible()
        await page.get_by_text("Another key").click()
        await page.get_by_label("API key of a player").fill(OTHER_KEY)
        await page.get_by_role("button", name="Use this key").click()
        await expect(page.get_by_text("2 in use")).to_be_visible()
        server.games["123"].universe.advance(3)
        await page.get_by_role("button", name="Look now").click()
        await expect(page.get_by_text("7 to 10: 2 recorded, 2 missed")).to_be_visible()
        assert KEY not in await page.content()


async def test_a_page_says_that_there_is_more_by_now(site: Site, browser: Browser) -> None:
    async with hosted(site) as server, visit(browser, site.url) as page:
        context = site.app.ctx.vigil
        game = (await register(context, "123", KEY)).game
        await open_player(page, game.id)
        notice = page.locator("[data-news]")
        await expect(notice).to_be_hidden()
        server.games["123"].universe.advance(4)
        await scan.look(context, game.id, early=True)
        await notice.get_by_role("link", name="Tick 11 is recorded by now. Show it").click()
        await until(page, f"{PLAYER}?.replay.last === 11")
        await expect(notice).to_be_hidden()
        await page.get_by_role("application").focus()
        await expect(page.locator("[data-missed]")).to_be_hidden()
        await page.keyboard.press(",")
        await expect(page.locator("[data-missed]")).to_contain_text("not recorded")
        await expect(page.locator("[data-when]")).to_be_hidden()


async def test_a_game_that_needs_a_new_key_says_so_and_takes_one(
    site: Site, browser: Browser
) -> None:
    async with hosted(site) as server, visit(browser, site.url) as page:
        await sign_in(site, page)
        game = (await register(site.app.ctx.vigil, "123", KEY)).game
        server.games["123"].keys = {NEW_KEY: 1}
        await scan.look(site.app.ctx.vigil, game.id, early=True)
        await page.goto("/games")
        await expect(page.locator("#games")).to_contain_text("needs a new key")
        await page.goto(f"/games/{game.id}")
        notice = page.locator("#trouble")
        await expect(notice).to_contain_text("This game needs a new key.")
        await notice.get_by_label("API key").fill("Wrong99")
        await notice.get_by_role("button").click()
        await expect(page.get_by_role("main").get_by_role("alert").first).to_contain_text(
            "does not know this key"
        )
        await notice.get_by_label("API key").fill(NEW_KEY)
        await notice.get_by_role("button").click()
        await expect(page.locator("main .badge").first).to_have_text("recording")
        await expect(notice).to_have_count(0)


async def test_a_game_is_taken_away_and_brought_as_a_file(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    async with hosted(site) as server, visit(browser, site.url) as page:
        await sign_in(site, page)
        context = site.app.ctx.vigil
        game = (await register(context, "123", KEY)).game
        server.games["123"].universe.advance(1)
        await scan.look(context, game.id, early=True)
        await page.goto(f"/games/{game.id}")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Everything as one file").click()
        file = tmp_path / "game.json"
        await (await download.value).save_as(file)
        assert KEY not in file.read_text()
        before = await store.history(context.pool, game.id)
        await page.get_by_role("button", name="End the recording").click()
        await page.get_by_role("dialog").get_by_role("button", name="End the recording").click()
        await expect(page.locator("main .badge").first).to_have_text("finished")
        await expect(page.get_by_role("button", name="Look now")).to_be_disabled()
        await page.goto("/games")
        for text in ("Bring a game as a file",):
            await page.get_by_text(text).click()
        await page.get_by_label("File").set_input_files(file)
        await page.get_by_role("button", name="Bring it").click()
        await expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("here already")
        await context.pool.execute("DELETE FROM games")
        await page.get_by_label("File").set_input_files(file)
        await page.get_by_role("button", name="Bring it").click()
        await until(page, f"Boolean({PLAYER})")
        (again,) = await store.page(context.pool)
        after = await store.history(context.pool, again.id)
        assert after.stars == before.stars
        assert after.owners.tolist() == before.owners.tolist()


async def test_a_film_is_asked_for_made_and_downloaded(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    game = await record(site.context.pool, war(30, 48, 4, seed=3), name="Far reaches", over=True)
    async with visit(browser, site.url, viewport={"width": 1280, "height": 900}) as page:
        await page.goto(f"/games/{game}")
        await expect(page.locator("#films")).to_have_count(0)
        await sign_in(site, page)
        await page.goto(f"/games/{game}")
        await page.get_by_text("Make a film").click()
        form = page.locator("form.game-film")
        assert await serious(page) == []
        await form.get_by_label("From tick").fill("40")
        await form.get_by_label("To tick").fill("20")
        await form.get_by_label("Borders").select_option("white")
        await form.get_by_role("button", name="Make the film").click()
        await expect(form.get_by_role("alert")).to_contain_text("ends before it begins")
        await expect(form.get_by_label("From tick")).to_have_value("40")
        await expect(form.get_by_label("Borders")).to_have_value("white")
        await expect(form.get_by_label("Standings")).to_be_checked()
        await form.get_by_label("From tick").fill("1")
        await form.get_by_label("To tick").fill("")
        await form.get_by_label("Size").select_option("720p")
        await form.get_by_label("Names of stars").check()
        await form.get_by_label("Standings").uncheck()
        await form.get_by_text("Colours of single players").click()
        await form.get_by_label("Brahe").fill("#123456")
        await form.get_by_label("Title").fill("The long war")
        await form.get_by_role("button", name="Make the film").click()
        await expect(page.get_by_role("heading", name="The long war")).to_be_visible()
        await expect(page.locator("[data-work]")).to_be_visible()
        address = page.url
        (film,) = await filming.films_of(site.context.pool, game)
        wishes = chosen(film).wishes
        assert (wishes.borders, wishes.names, wishes.legend) == ("white", True, False)
        assert (film.width, film.height, wishes.colours) == (1280, 720, {"1": "#123456"})
        # the film leads to its game, and the game to its film
        await page.get_by_role("link", name="its map, tick by tick").click()
        await expect(page.locator("#films tbody tr")).to_contain_text("The long war")
        await page.get_by_role("link", name="The long war").click()
        await expect(page).to_have_url(address)
        async with rendering(site.context, *work.TASKS):
            await expect(page.locator("[data-badge]")).to_have_text("done", timeout=60_000)
            download = page.locator("a[data-download]")
            await expect(download).to_be_visible(timeout=60_000)
        async with page.expect_download() as coming:
            await download.click()
        file = tmp_path / "film.mp4"
        await (await coming.value).save_as(file)
        assert file.read_bytes()[4:8] == b"ftyp"
        await page.goto(f"/games/{game}")
        await expect(page.locator("#films tbody tr")).to_contain_text("done")
        assert await overflow(page) == []
