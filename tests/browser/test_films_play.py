"""A film plays from its first picture to its last without a halt: events tell of every one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.browser.stage import chromium, until, visit
from tests.conftest import Site
from tests.films import joins, making
from vigil.clock import FakeClock

pytestmark = pytest.mark.browser

VIDEO = "document.querySelector('[data-video]')"
LISTEN = """
    // What hls.js says of its troubles, also of those that it gets over by itself.
    window.seen = [];
    let original;
    Object.defineProperty(window, "Hls", {
        get: () => original,
        set(Hls) {
            original = class extends Hls {
                constructor(...options) {
                    super(...options);
                    this.on(Hls.Events.ERROR, (_, { details }) => window.seen.push(details));
                }
            };
        },
    });
"""
PLAY = """async () => {
    const video = document.querySelector("[data-video]");
    const watch = new AbortController();
    const told = (name) => new Promise((done) => {
        video.addEventListener(name, done);
        setTimeout(done, 60000); // it hangs: say where
    });
    let before = 0;
    if (video.currentTime > 0) {
        before = video.getVideoPlaybackQuality().totalVideoFrames;
        const seeked = told("seeked");
        video.currentTime = 0;
        await seeked;
    }
    const times = [], holes = [], starved = [];
    const playing = told("playing"), ended = told("ended");
    video.play();
    await playing;
    window.seen.length = 0; // what comes before the first picture is no stall
    for (const name of ["waiting", "stalled", "error", "emptied", "seeking", "ratechange"])
        video.addEventListener(name, () => {
            const at = video.currentTime;
            const loaded = video.buffered.end(0) >= Math.min(at + 0.5, video.duration - 0.01);
            (name === "waiting" && loaded ? starved : window.seen).push(`${name} at ${at}`);
        }, watch);
    video.requestVideoFrameCallback(function frame(_, { mediaTime }) {
        times.push(mediaTime);
        if (video.buffered.length !== 1) holes.push(mediaTime);
        if (!watch.signal.aborted) video.requestVideoFrameCallback(frame);
    });
    await ended;
    watch.abort();
    const after = video.getVideoPlaybackQuality();
    return {
        seen: window.seen, holes, starved, times, at: video.currentTime, length: video.duration,
        from: video.buffered.start(0), to: video.buffered.end(0), rate: video.playbackRate,
        decoded: after.totalVideoFrames - before,
        corrupted: after.corruptedVideoFrames,
    };
}"""
TRIES = 4
"""A decoder that gets no time on a busy machine halts, too, but not each time."""


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest.mark.parametrize(("fps", "changes"), [(12, True), (24, False), (29.97, False)])
async def test_all_joins_play_without_a_stall(
    site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch, fps: float, changes: bool
) -> None:
    """Segments that reorder differently, two of one picture; where ``changes``, two headers."""
    film_id, number = await joins.film(site.context, fps, monkeypatch if changes else None)
    small: Any = {"viewport": {"width": 360, "height": 640}}
    async with visit(browser, site.url, **small) as page:
        await page.context.add_init_script(LISTEN)
        await page.goto(f"/films/{film_id}")
        await expect(page.locator("[data-badge]")).to_have_text("done")
        await until(page, f"{VIDEO}.currentSrc.startsWith('blob:') && {VIDEO}.readyState >= 3")
        starved = []
        for _ in range(TRIES):
            found: dict[str, Any] = await page.evaluate(PLAY)
            check(found, number, fps)
            if not found["starved"]:
                break
            starved.append(found["starved"])
        assert len(starved) < TRIES, starved


async def test_what_plays_before_the_page_is_ready_plays_on(site: Site, browser: Browser) -> None:
    """The file is played at once; the playlist takes over where it is."""
    film_id, _ = await joins.film(site.context, 10)
    async with visit(browser, site.url) as page:
        held: list[Route] = []
        await page.route(f"**/films/{film_id}/events", lambda route: held.append(route))
        await page.goto(f"/films/{film_id}")
        await page.evaluate(f"{VIDEO}.play()")
        await until(page, f"{VIDEO}.currentTime > 1")
        assert (await page.evaluate(f"{VIDEO}.currentSrc")).endswith(".mp4")
        await held[0].continue_()
        await until(page, f"{VIDEO}.currentSrc.startsWith('blob:') && {VIDEO}.currentTime > 2")
        assert not await page.evaluate(f"{VIDEO}.paused && !{VIDEO}.ended")


OLD = re.compile(r"/segments/\d+-\w{64}\.m4s")
"""Addresses of pieces as they once were."""


@pytest.mark.parametrize("playing", [True, False])
async def test_addresses_that_changed_while_the_page_was_open(
    site: Site, browser: Browser, playing: bool
) -> None:
    """The playlist is read again, once, and it goes on from where it was."""
    film_id, number = await joins.film(site.context, 10)
    asked, held = [], list[Route]()

    async def playlist(route: Route) -> None:
        asked.append(route.request.url)
        answer = await route.fetch()
        text = await answer.text()
        if len(asked) == 1:  # from segment 5 on as they were called once
            text = re.sub(r"segments/([5-9]|[1-9]\d)-\d+-(\w+\.m4s)", r"segments/\1-\2", text)
        await route.fulfill(response=answer, body=text)

    async with visit(browser, site.url) as page:
        await page.route(f"**/films/{film_id}/playlist.m3u8", playlist)
        await page.route(OLD, lambda route: held.append(route))
        await page.route(f"**/films/{film_id}/film.mp4", lambda route: route.abort())
        await page.goto(f"/films/{film_id}")
        await until(page, f"{VIDEO}.currentSrc.startsWith('blob:') && {VIDEO}.readyState >= 2")
        if playing:
            await page.evaluate(f"{VIDEO}.play()")
            await until(page, f"{VIDEO}.currentTime > 1")
        else:
            await page.evaluate(f"{VIDEO}.currentTime = 1.25")
        await page.evaluate(
            f"""() => {{
                const video = {VIDEO};
                window.least = video.currentTime;
                window.seen = [];
                // what begins anew stands at 0 until it has something to show
                video.addEventListener("timeupdate", () =>
                    video.readyState >= 2 && window.seen.push(video.currentTime));
            }}"""
        )
        await page.unroute(OLD)
        for route in held:
            await route.continue_()  # the site knows no such piece
        if playing:
            await until(page, f"{VIDEO}.ended", 60)
            # hls.js goes by when the first picture that it loads is decoded: up to two early
            at = await page.evaluate(f"{VIDEO}.currentTime")
            assert at == pytest.approx(number / 10, abs=0.21)
        else:
            await until(page, f"{VIDEO}.buffered.length && {VIDEO}.buffered.end(0) > 5")
            await until(page, f"{VIDEO}.readyState >= 2 && !{VIDEO}.seeking")
            assert await page.evaluate(f"{VIDEO}.paused")
            at = await page.evaluate(f"{VIDEO}.currentTime")
            assert at == pytest.approx(1.25, abs=0.01)
        assert await page.evaluate("Math.min(...window.seen, window.least) >= window.least - 0.01")
        assert len(held) == 1
        assert len(asked) == 2


async def test_a_piece_that_is_gone_for_good(site: Site, browser: Browser) -> None:
    """What is before it plays; the playlist is read again once."""
    film_id, _ = await joins.film(site.context, 10)
    asked, missing = [], []

    async def gone(route: Route) -> None:
        missing.append(route.request.url)
        await route.fulfill(status=404, body="{}")

    async def playlist(route: Route) -> None:
        asked.append(route.request.url)
        await route.continue_()

    async with visit(browser, site.url) as page:
        await page.route(f"**/films/{film_id}/playlist.m3u8", playlist)
        await page.route(re.compile(r"/segments/6-\d+-\w{64}\.m4s"), gone)
        await page.route(f"**/films/{film_id}/film.mp4", lambda route: route.abort())
        await page.goto(f"/films/{film_id}")
        await until(page, f"{VIDEO}.currentSrc.startsWith('blob:') && {VIDEO}.readyState >= 2")
        end = f"{VIDEO}.buffered.end(0)"
        await page.evaluate(f"{VIDEO}.play()")
        await until(page, f"{VIDEO}.buffered.length && {VIDEO}.currentTime > {end} - 0.3", 60)
        assert await page.evaluate(end) < 3
        assert len(missing) >= 2
        assert len(asked) == 2


HOLD = """
    // What the player would do after a second, unless it is told before; and who tells it.
    window.retries = [];
    const later = window.setTimeout;
    window.setTimeout = (work, delay, ...more) =>
        delay === 1000 ? window.retries.push(work) : later(work, delay, ...more);
    window.sources = [];
    window.EventSource = class extends EventSource {
        constructor(...options) {
            super(...options);
            window.sources.push(this);
        }
    };
"""


@pytest.mark.parametrize("told", [True, False])
async def test_a_first_piece_that_comes_after_the_second(
    site: Site, browser: Browser, told: bool
) -> None:
    """It plays at once when the site says that there is more, else when it looks again."""
    camera = await making.camera(site.context)
    await making.add_frames(site.context, camera, range(40), size=(320, 180))
    film_id = await making.film(site.context, camera, until=40, width=320, height=180)
    context = replace(site.context, clock=FakeClock(making.START + timedelta(days=30)))
    await making.work_on(context, film_id)  # the plan
    await making.work_on(context, film_id, last=True)
    async with visit(browser, site.url) as page:
        await page.context.add_init_script(HOLD)
        await page.goto(f"/films/{film_id}")
        await until(page, "window.retries.length === 1")
        assert not await page.evaluate(f"{VIDEO}.readyState")
        await page.evaluate(f"void {VIDEO}.play().catch(() => {{}})")
        if not told:
            await page.evaluate("window.sources.forEach((source) => source.close())")
        await making.render(context, film_id)
        if not told:
            await page.evaluate("window.retries.splice(0).forEach((retry) => retry())")
        await until(page, f"{VIDEO}.currentTime > 3")
        assert await page.evaluate("window.retries.length") == int(told)


async def test_a_playlist_that_fails_for_a_while(site: Site, browser: Browser) -> None:
    """Who was in the middle of the film is there again."""
    film_id, _ = await joins.film(site.context, 10)
    state = {"away": True}

    async def away(route: Route) -> None:
        await (route.abort() if state["away"] else route.continue_())

    async with visit(browser, site.url) as page:
        await page.context.add_init_script(HOLD)
        await page.route(f"**/films/{film_id}/playlist.m3u8", away)
        held: list[Route] = []
        await page.route(f"**/films/{film_id}/events", lambda route: held.append(route))
        await page.goto(f"/films/{film_id}")  # the file plays
        await until(page, f"{VIDEO}.readyState >= 2")
        await page.evaluate(f"{VIDEO}.currentTime = 4.25")
        await until(page, f"{VIDEO}.readyState >= 2 && !{VIDEO}.seeking")
        await held[0].continue_()
        await until(page, "window.retries.length === 1", 60)
        state["away"] = False
        await page.evaluate("window.retries.splice(0).forEach((retry) => retry())")
        await until(page, f"{VIDEO}.readyState >= 2")
        assert await page.evaluate(f"{VIDEO}.currentTime") == pytest.approx(4.25, abs=0.01)


def check(found: dict[str, Any], number: int, fps: float) -> None:
    """Every picture was there when it was due: nothing missing, nothing late, nothing skipped."""
    assert (found["seen"], found["holes"], found["rate"]) == ([], [], 1)
    assert (found["decoded"], found["corrupted"]) == (number, 0)
    assert found["from"] == 0
    for end in (found["to"], found["at"], found["length"]):
        assert end == pytest.approx(number / fps, abs=0.001)
    shown = [at * fps for at in found["times"]]
    assert shown == pytest.approx([round(picture) for picture in shown], abs=0.01)
    assert found["times"] == sorted(set(found["times"]))
    assert len(shown) > joins.SEGMENTS
