"""Whether a browser shows a game of 1,000 stars and 2,000 ticks smoothly.

The page of a made-up game on the real site, in a headless Chromium that draws on the CPU. While it
plays 60 ticks a second, follows a player, is zoomed at each frame:

- processor time of the page's own thread a frame, against the 16.7 ms that a frame has at 60 a
  second (what others do on the machine hardly matters to it);
- time from frame to frame for ten seconds (95% come within), against the same page at rest, which
  the browser paces at 60 a second; of all rounds together 50, 95 and 99% are told besides, and how
  many were later than 20 ms.

And the milliseconds that drawing a tick takes, against drawing all of the map.

    .venv/bin/python -m bench.game_player [--stars 1000] [--ticks 2000] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import socket
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from app import create_app
from bench.harness import Side, compare, machine
from tests.browser.stage import chromium, until, visit
from tests.games.recorded import record
from tests.games.wars import war
from vigil import postgres
from vigil.context import Context, open_context
from vigil.serving import serving
from vigil.settings import Settings

LATE_MS = 20
MANY = 600
"""Frames of a round; ten seconds when none is late."""
WAYS = (
    ("play", "playing 60 ticks a second"),
    ("follow", "playing and following a player"),
    ("zoom", "zooming at each frame"),
)
PLAYER = "document.querySelector('[data-game-player]').player"

FRAMES = """async ([what, many]) => {
    const player = document.querySelector("[data-game-player]").player;
    player.pause();
    player.speed = 60;
    player.seek(player.replay.first + Math.floor(Math.random() * 1000));
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    for (let n = 0; n < 10; n += 1) await frame();
    if (what === "play") player.play();
    if (what === "follow") { player.follow(player.players[0]); player.play(); }
    const spans = [];
    let last = await frame();
    for (let n = 0; n < many; n += 1) {
        if (what === "zoom") player.zoomBy(n % 60 < 30 ? 1.05 : 1 / 1.05);
        const now = await frame();
        spans.push(now - last);
        last = now;
    }
    player.pause();
    player.follow(null);
    player.fit();
    return spans;
}"""

DRAWING = """async ([what, many]) => {
    const { map, replay } = document.querySelector("[data-game-player]").player;
    const finish = () => map.pen.getImageData(0, 0, 1, 1); // nothing is drawn until somebody looks
    replay.seek(500);
    map.drawAll();
    finish();
    const began = performance.now();
    for (let n = 0; n < many; n += 1) {
        if (what === "all") map.drawAll();
        else map.drawChanged(replay.seek(replay.tick + 1));
        finish();
    }
    return (performance.now() - began) / many;
}"""


async def processor(page: Page, what: str) -> float:
    """Milliseconds of processor time of the page's main thread a frame."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})

    async def used_s() -> float:
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    before = await used_s()
    await page.evaluate(FRAMES, [what, MANY])
    used = await used_s() - before
    await session.detach()
    return used * 1000 / MANY


async def budget() -> float:
    """Milliseconds that a frame has."""
    return 1000 / 60


async def frames(page: Page, what: str, seen: dict[str, list[float]]) -> float:
    """The 95th percentile of the milliseconds between frames; notes all of them."""
    spans: list[float] = await page.evaluate(FRAMES, [what, MANY])
    seen.setdefault(what, []).extend(spans)
    return part(spans, 0.95)


def part(spans: list[float], share: float) -> float:
    """So large a share of these is not longer."""
    return sorted(spans)[int(share * len(spans))]


async def drawing(page: Page, what: str, many: int) -> float:
    """Milliseconds of a drawing."""
    found: float = await page.evaluate(DRAWING, [what, many])
    return found


async def bench(context: Context, options: argparse.Namespace) -> None:
    """Open the page and measure."""
    made = war(options.stars, options.ticks, each_tick=5)
    game = await record(context.pool, made)
    url = f"http://127.0.0.1:{context.settings.port}"
    seen: dict[str, list[float]] = {}
    async with (
        serving(create_app(context, "bench")),
        chromium() as browser,
        visit(browser, url, viewport={"width": 1440, "height": 900}) as page,
    ):
        await page.goto(f"/games/{game}")
        await until(page, f"Boolean({PLAYER}) && {PLAYER}.map.width > 1")
        opening = await page.evaluate(
            "performance.now() - performance.getEntriesByType('navigation')[0].responseEnd"
        )
        size = await page.evaluate(f"[{PLAYER}.map.width, {PLAYER}.map.height]")
        rest = Side("at rest", lambda: frames(page, "rest", seen))
        results = [
            await compare(
                f"processor time a frame, {title}",
                Side("a 60th of a second", budget),
                Side(title, functools.partial(processor, page, what)),
                unit="ms",
                rounds=options.rounds,
                warm_up=False,
            )
            for what, title in WAYS
        ]
        results += [
            await compare(
                f"95% of frames come within, {title}",
                rest,
                Side(title, functools.partial(frames, page, what, seen)),
                unit="ms",
                rounds=options.rounds,
                warm_up=False,
            )
            for what, title in WAYS
        ]
        results.append(
            await compare(
                "drawing",
                Side("all of the map", lambda: drawing(page, "all", 20)),
                Side("a tick", lambda: drawing(page, "tick", 200)),
                unit="ms",
                rounds=options.rounds,
            )
        )
    if options.json:
        print(json.dumps([result.as_object() for result in results]))
        return
    print(machine())
    print(
        f"{options.stars} stars, {options.ticks} ticks, {len(made.changes)} changes, "
        f"a map of {size[0]}×{size[1]}; opened within {opening:.0f} ms"
    )
    for result in results:
        print(result)
    for what, spans in seen.items():
        shares = ", ".join(f"{part(spans, share):.1f}" for share in (0.5, 0.95, 0.99))
        late = sum(span > LATE_MS for span in spans)
        print(f"{what}: 50, 95, 99% within {shares} ms; {late} of {len(spans)} over {LATE_MS} ms")


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: Any = free.getsockname()[1]
        settings = replace(Settings(data_dir=scratch / "data"), port=port)
        with postgres.running(settings.data_dir):
            async with open_context(settings, "bench") as context:
                await bench(context, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stars", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
