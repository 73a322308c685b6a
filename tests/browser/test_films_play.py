"""A film plays from its first picture to its last without a halt: events tell of every one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.browser.stage import chromium, until, visit
from tests.conftest import Site
from tests.films import joins

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
