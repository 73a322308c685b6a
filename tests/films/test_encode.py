"""What names a segment."""

from __future__ import annotations

from dataclasses import replace

from tests.films.test_plan import a_film
from vigil.films.segments import encode

DIGESTS = [bytes([n]) * 32 for n in range(3)]


def test_the_name_says_everything_that_changes_a_pixel() -> None:
    film = a_film()
    names = {
        encode.name(film, DIGESTS, "9"),
        encode.name(film, DIGESTS[::-1], "9"),
        encode.name(film, DIGESTS[:2], "9"),
        encode.name(film, DIGESTS, "10"),
        encode.name(replace(film, width=80), DIGESTS, "9"),
        encode.name(replace(film, height=80), DIGESTS, "9"),
        encode.name(replace(film, fps=5.0), DIGESTS, "9"),
    }
    assert len(names) == 7


def test_the_name_says_nothing_else() -> None:
    film = a_film()
    other = replace(film, id=7, title="Another", scene_id=3, to_at=None, state="growing")
    assert encode.name(film, DIGESTS, "9") == encode.name(other, DIGESTS, "9")
