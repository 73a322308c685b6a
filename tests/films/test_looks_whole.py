"""Films with a look, from frames in the database to one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.films import making
from vigil.context import Context
from vigil.films.model import moment_of
from vigil.films.segments import store as segments

LOOKS: dict[str, dict[str, Any]] = {
    "stamp and card": {"stamp": {}, "card": {"text": "My garden", "seconds": 1}},
    "blends": {"fade": {"between": "frames", "hold": 2, "pictures": 3}},
    "held": {"gaps": "hold", "deflicker": 5},
    "marked": {"gaps": "mark"},
    "steadied and matched": {"stabilise": True, "colours": True},
    "cut and panned": {
        "rotate": 90,
        "crop": (0.1, 0.1, 0.9, 0.9),
        "pan": {"start": (0, 0, 1, 1), "end": (0.5, 0.5, 1, 1)},
        "denoise": 1,
    },
}


@pytest.mark.parametrize("name", LOOKS)
async def test_a_film_with_a_look(context: Context, tmp_path: Path, name: str) -> None:
    """Frames with a hole of two minutes: whatever the look, one file of even pictures."""
    camera = await making.camera(context)
    await making.add_frames(context, camera, [*range(0, 60, 2), *range(180, 240, 2)])
    look = LOOKS[name]
    if look.get("stabilise"):
        look = {**look, "reference": moment_of(making.START)}
    film_id = await making.film(
        context, camera, until=240, speed=20, fps=10, window_s=40, options={"look": look}
    )
    await making.render(context, film_id)
    film = await making.get(context, film_id)
    assert film.state == "done", film.error
    assert film.file_blob is not None
    path = tmp_path / "film.mp4"
    path.write_bytes(await context.storage.get(film.file_blob))
    found = await making.decode(path)
    listed = await segments.listed(context.pool, film_id)
    assert (
        len(found.pts) == sum(one.pictures for one in listed) == sum(one.frames for one in listed)
    )
    assert found.pts == pytest.approx([n / 10 for n in range(len(found.pts))])
    assert len({one.init for one in listed}) == 1
