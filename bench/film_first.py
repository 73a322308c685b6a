"""Seconds from "make" to the first picture playing in Chromium, for a film of 10,000 frames.

The whole house runs: website, renderer, database. The film's page is opened as soon as the film
has one; the clock stops when the browser has shown a picture and its clock moves.

    .venv/bin/python -m bench.film_first [--frames 10000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import time

from playwright.async_api import async_playwright

from bench import films
from bench.harness import machine
from vigil import postgres
from vigil.context import Context
from vigil.settings import ROOT

PLAYS = """
() => new Promise((done) => {
  const look = () => {
    const video = document.querySelector("video");
    if (video && video.readyState >= 2 && video.currentTime > 0) done(video.currentTime);
    else {
      if (video && video.paused && video.readyState >= 2) video.play().catch(() => {});
      requestAnimationFrame(look);
    }
  };
  look();
})
"""


async def rounds(context: Context, options: argparse.Namespace, of: films.Camera) -> None:
    """Make the film again and again, and watch."""
    port = 18_000 + os.getpid() % 1000
    environment = os.environ | {
        "VIGIL_DATA_DIR": str(context.settings.data_dir),
        "VIGIL_DATABASE_URL": postgres.dsn(context.settings.data_dir),
        "VIGIL_PORT": str(port),
        "VIGIL_LOG_LEVEL": "error",
    }
    site = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "app.py"), cwd=ROOT, env=environment
    )
    figures = []
    try:
        async with films.renderers(context, 1, 2), async_playwright() as play:
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = await play.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = await browser.new_page()
            while True:
                try:
                    await page.goto(f"http://127.0.0.1:{port}/films")
                    break
                except Exception:  # not up yet
                    await asyncio.sleep(0.2)
            for _ in range(options.rounds):
                await films.forget(context)
                begin = time.perf_counter()
                film_id = await films.order(context, of, options.frames)
                await page.goto(f"http://127.0.0.1:{port}/films/{film_id}")
                await page.evaluate(PLAYS)
                figures.append(time.perf_counter() - begin)
            await browser.close()
    finally:
        site.terminate()
        await site.wait()
    shown = ", ".join(f"{figure:.2f}" for figure in figures)
    print(f"from make to the first picture, {options.frames} frames: {shown} s")


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    print(machine())
    async with films.house() as (context, scratch):
        of = await films.camera(context, scratch / "camera", 1000, (1280, 720))
        await films.take(context, of, 0, options.frames)
        await rounds(context, options, of)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(main(parser.parse_args()))
