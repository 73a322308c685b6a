"""Renderers killed at random moments; ``bench/film_kills.py`` does it two hundred times."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import film_kills, films


@pytest.mark.slow
async def test_films_end_whole_whoever_is_killed_when(tmp_path: Path) -> None:
    async with films.house() as (context, scratch):
        of = await films.camera(context, scratch / "camera", 200, (320, 180))
        await films.take(context, of, 0, film_kills.FRAMES)
        made = await film_kills.kill(context, of, kills=8, seed=5)
        assert await film_kills.faults(context, made, tmp_path) == []
