"""What names a segment."""

from __future__ import annotations

from dataclasses import replace

from tests.films.making import a_film
from vigil.films.segments import encode


def test_settings_say_what_changes_a_pixel_and_nothing_else() -> None:
    film = a_film()
    others = [replace(film, width=80), replace(film, height=80), replace(film, fps=5.0)]
    assert len({encode.settings(one) for one in [film, *others]}) == 4
    same = replace(film, id=7, title="Another", scene_id=3, to_at=None, state="growing")
    assert encode.settings(film) == encode.settings(same)
