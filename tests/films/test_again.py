"""A film as the form that makes another one like it, and its choices in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.films import asked
from tests.films.shown import a_film
from vigil.films.asking import again, fields, told
from vigil.films.model import Film
from vigil.films.options import convert, written

CHOICES: tuple[dict[str, Any], ...] = (
    {},
    {"tags": ["snow", "fog"], "sun_from": 0, "skip": ["dark", "foreign"], "exclude": [[5, 9]]},
    {"sun_from": -6, "sun_to": 12.5, "hours": [["06:00", "20:00"], ["22:30", "02:00"]]},
    {"weekdays": [0, 6], "daily": {"clock": "09:30", "within_s": 1800}},
    {"daily": {"sun": 10, "rising": False}},
)
LOOKS: tuple[dict[str, Any], ...] = (
    {},
    {"stamp": {"format": "%H:%M", "zone": "Asia/Tokyo", "font": "mono", "size": 0.1}},
    {"card": {"text": "The year", "seconds": 2}, "deflicker": 31, "stabilise": True, "calm": 20},
    {"fade": {"between": "days", "hold": 5, "pictures": 12}, "denoise": 2, "rotate": 180},
    {"crop": [0.1, 0, 0.9, 1], "pan": {"start": [0, 0, 0.5, 0.5], "end": [0, 0.255, 1, 1]}},
    {"deflicker": 9, "colours": True, "layout": "stack", "gaps": "mark", "fade": {}},
)


def a_film_of(choice: dict[str, Any], look: dict[str, Any], **changes: Any) -> Film:
    options = written(convert({"choice": choice, "look": look, "codec": "vp9",
                               "container": "webm", "quality": 3}))  # fmt: skip
    return a_film(options=options, **changes)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("look", LOOKS)
def test_the_form_makes_the_same_film(choice: dict[str, Any], look: dict[str, Any]) -> None:
    film = a_film_of(choice, look)
    form: dict[str, list[str]] = {}
    for name, value in again.filled(film, ["garden", "street"]):
        form.setdefault(name, []).append(value)
    wish = fields.order(form)
    assert wish.scenes == ("garden", "street")
    assert (wish.choice, wish.look) == (film.making.choice, film.making.look)
    assert (wish.format, wish.quality, wish.fps) == ("webm", 3, film.fps)
    assert wish.size == f"{film.width}x{film.height}"


def test_its_time_is_by_the_clock_of_the_scene() -> None:
    start = datetime(2026, 7, 1, 4, tzinfo=UTC)
    film = a_film_of({}, {}, time_zone="Europe/Berlin", from_at=start, to_at=None)
    form = dict(again.filled(film, ["garden"]))
    assert (form["range"], form["from"], "to" in form) == ("between", "2026-07-01T06:00", False)
    rolling = dict(again.filled(a_film_of({}, {}, to_at=None, rolling_s=86_400.0), ["garden"]))
    assert (rolling["range"], rolling["rolling"]) == ("rolling", "86400s")


def test_the_speed_is_what_was_asked_for() -> None:
    new, _ = asked.ask(
        interval_s=1, last="1d", speed=1000, look={"fade": {"hold": 2, "pictures": 8}}
    )
    film = a_film(options=dict(new.options), speed=new.speed, fps=new.fps)
    form = dict(again.filled(film, ["garden"]))
    assert (new.speed, form["pace"], form["speed"]) == (10_000, "speed", "1000")


def test_in_words() -> None:
    said = told.choice(convert({"choice": CHOICES[1]}).choice)
    assert said == (
        "tagged snow or fog; in daylight; none that are dark or of something else; "
        "1 picked out by hand"
    )
    said = told.choice(convert({"choice": CHOICES[3]}).choice)
    assert said == "Monday or Sunday; one a day, closest to 09:30"
    said = told.look(convert({"look": LOOKS[1]}).look)
    assert said == "the time in Asia/Tokyo, bottom right"
    said = told.look(convert({"look": LOOKS[3]}).look)
    assert said == "less noise; cross-fade between days; turned by 180°"
    assert told.choice(convert({}).choice) == told.look(convert({}).look) == ""
