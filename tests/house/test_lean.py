"""A renderer carries what most of its jobs need, and nothing else: it asks nobody, shows nothing,
and loads what few jobs need with the first of them."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import vigil.cli
from vigil.context import open_context
from vigil.settings import ROOT, Settings

OTHERS = {
    **dict.fromkeys(("aiohttp", "vigil.fetch"), "a renderer asks nobody"),
    **dict.fromkeys(("sanic", "jinja2", "click"), "it shows nothing"),
    **dict.fromkeys(("apprise", "cryptography"), "it tells nobody and opens nothing sealed"),
    **dict.fromkeys(("PIL", "vigil.films.looks.pixels"), "ffmpeg takes frames as they are"),
    **dict.fromkeys(
        ("vigil.cameras.intake", "vigil.cameras.importing.bringing"), "imports are rare"
    ),
    **dict.fromkeys(("vigil.games.filming", "vigil.games.drawing"), "films of games are few"),
    **dict.fromkeys(("scipy", "numpy.fft", "multiprocessing"), "nobody needs it"),
}
"""What is not loaded before a job needs it, and why."""
OUTER = ("views", "scan", "cli", "api", "shown", "forms")
"""What pages, the scanner and the shell have of a room."""


async def test_it_has_no_way_out(settings: Settings) -> None:
    async with open_context(settings, "test", asks=False) as context:
        assert await context.pool.fetchval("SELECT 1") == 1
        with pytest.raises(RuntimeError, match="makes no requests"):
            await context.fetcher.get("https://vigil.example/")


def loaded(*modules: str) -> set[str]:
    """What is there when these have been imported."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {', '.join(modules)}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return set(done.stdout.split())


def test_it_loads_nothing_that_it_does_not_need() -> None:
    there = loaded("renderer")
    assert "vigil.films.joining" in there
    assert {name: why for name, why in OTHERS.items() if name in there} == {}
    rooms = {name for name in there if name.startswith("vigil.")}
    assert {name for name in rooms if name.rpartition(".")[2] in OUTER} == set()


def test_scanners_and_sites_open_nothing_before_there_is_a_secret() -> None:
    assert "cryptography" not in loaded("scanner", "app")
    assert not {"sanic", "jinja2", "click"} & loaded("scanner")


def test_what_is_loaded_later_is_there() -> None:
    renderer = importlib.import_module("renderer")
    kinds = importlib.import_module("vigil.films.kinds")
    assert vigil.cli.FILM_KINDS == renderer.FILM_KINDS
    for name in renderer.FILM_KINDS:
        assert kinds.named(name).name == name
    assert "vigil.cameras.importing.bringing" in loaded("vigil.cameras.importing.bringing")
