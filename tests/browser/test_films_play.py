"""A film plays from its first picture to its last without a halt: events tell of every one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.stage import chromium, until, visit
from tests.conftest import Site
from tests.films import joins

pytestmark = pytest.mark.browser

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
    const times = [], holes = [];
    video.requestVideoFrameCallback(function frame(_, { mediaTime }) {
        times.push(mediaTime);
        if (video.buffered.length !== 1) holes.push(mediaTime);
        video.requestVideoFrameCallback(frame);
    });
    for (const name of ["waiting", "stalled", "error", "emptied", "seeking", "ratechange"])
        video.addEventListener(name, () => window.seen.push(`${name} at ${video.currentTime}`));
    const told = (name) => new Promise((done) => video.addEventListener(name, done));
    const [playing, ended] = [told("playing"), told("ended")];
    video.play();
    await playing;
    window.seen.length = 0; // what comes before the first picture is no stall
    await ended;
    const { totalVideoFrames, corruptedVideoFrames } = video.getVideoPlaybackQuality();
    const [from, to] = [video.buffered.start(0), video.buffered.end(0)];
    return {
        seen: window.seen, holes, times, from, to, at: video.currentTime, length: video.duration,
        decoded: totalVideoFrames, corrupted: corruptedVideoFrames, rate: video.playbackRate,
    };
}"""


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
    length = number / fps
    async with visit(browser, site.url) as page:
        await page.context.add_init_script(LISTEN)
        await page.goto(f"/films/{film_id}")
        await expect(page.locator("[data-badge]")).to_have_text("done")
        await until(page, "document.querySelector('[data-video]').readyState >= 3")
        found: dict[str, Any] = await page.evaluate(PLAY)
    assert (found["seen"], found["holes"], found["rate"]) == ([], [], 1)
    assert (found["decoded"], found["corrupted"]) == (number, 0)
    assert found["from"] == 0
    for end in (found["to"], found["at"], found["length"]):
        assert end == pytest.approx(length, abs=0.001)
    shown = [round(at * fps, 3) for at in found["times"]]
    assert all(picture == pytest.approx(round(picture), abs=0.01) for picture in shown)
    assert shown == sorted(set(shown))
    assert len(shown) > joins.SEGMENTS
