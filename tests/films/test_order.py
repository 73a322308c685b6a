"""What may be asked for: from an order to a complete film."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.films.asked import NOW, ask, making, place
from vigil.errors import Invalid
from vigil.films.asking import orders, pace, words
from vigil.films.asking.model import Seen
from vigil.films.asking.words import Wrong
from vigil.films.model import slot

DAY = 86_400


def since(since: str, to: str) -> dict[str, Any]:
    """Two fields, one of which Python keeps to itself."""
    return {"from": since, "to": to}


def test_the_camera_alone_shows_every_frame_from_now_on() -> None:
    film, found = ask()
    assert (film.from_at, film.to_at, film.rolling_s) == (NOW, None, None)
    assert (film.speed, film.fps) == (250, 25)
    assert found.notes == ()
    assert making(film).choice.every
    assert film.window_s == 500
    assert (film.width, film.height) == (1280, 720)
    assert film.title == "The garden, since 2026-03-01 12:00"
    assert film.scenes == (7,)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", -1800),
        ("-2h", -7200),
        ("+1h", 3600),
        ("1.5d", -129600),
        ("2w", -1209600),
        ("1h30m", -5400),
        ("2 hours", -7200),
        ("0s", 0),
        ("now", 0),
        ("today", -43200.0005),
        ("yesterday", -129600.0005),
    ],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert words.moment(text, NOW, "from") == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T06:00Z", "2026-03-01T06:00", "2026-03-01 07:00+01:00", "2026-03-01T06:00:00.0"],
)
def test_moments(text: str) -> None:
    assert words.moment(text, NOW, "from") == datetime(2026, 3, 1, 6, tzinfo=UTC)


def test_moments_without_a_zone_are_meant_where_the_scene_is() -> None:
    film, _ = ask(place(zone="Europe/Berlin"), **since("2026-02-01T12:00", "today"))
    assert film.from_at == datetime(2026, 2, 1, 11, tzinfo=UTC)
    assert film.to_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert film.title == "The garden, 2026-02-01 12:00 to 2026-03-01 00:00"


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_invalid(text: str) -> None:
    with suppress(Wrong):
        assert words.moment(text, NOW, "from").utcoffset() == timedelta(0)


@given(st.text(max_size=20))
def test_any_text_is_a_span_or_invalid(text: str) -> None:
    with suppress(Wrong):
        assert 0 < words.span(text, "length") <= 1e10


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(90, 90), ("90", 90), ("60s", 60), ("1:30", 90), ("1:00:05", 3605), ("2 min", 120)],
)
def test_lengths(text: Any, seconds: float) -> None:
    assert words.span(text, "length") == seconds


def test_last_rolling_and_all() -> None:
    film, _ = ask(last="30d")
    assert (film.from_at, film.to_at) == (NOW - timedelta(days=30), NOW)
    film, _ = ask(rolling="24h", length="60s")
    assert (film.from_at, film.to_at) == (NOW - timedelta(days=1), None)
    assert (film.rolling_s, film.speed) == (DAY, DAY / 60)
    assert film.title == "The garden, the last 24 hours"
    first = NOW - timedelta(days=400)
    film, _ = ask(seen=Seen(frames=9, first_at=first), **since("first", "now"))
    assert (film.from_at, film.to_at) == (first, NOW)


def test_a_length_decides_the_speed() -> None:
    film, found = ask(last="30d", length="60s")
    assert film.speed == pytest.approx(30 * DAY / 60)
    assert (film.fps, found.length_s, found.notes) == (25, 60, ())
    film, found = ask(last="1h", length="60s")  # 360 frames
    assert (film.speed, film.fps) == (60, 6)
    assert "6 pictures a second instead of 25" in found.notes[0]


def test_a_title_card_is_part_of_the_length() -> None:
    film, found = ask(last="30d", length="60s", look={"card": {"text": "May", "seconds": 10}})
    assert found.length_s == 50
    assert film.speed == pytest.approx(30 * DAY / 50)


def test_a_plan_that_came_out_short_brings_the_length_closer() -> None:
    _, found = ask(last="30d", length="60s")
    again = pace.nearer(found, 750, 25, 10)  # half the time was dark
    assert again.speed == pytest.approx(found.speed / 2)
    assert again.length_s == 60
    assert pace.nearer(found, 0, 25, 10) == found


@given(
    st.floats(1, 3600), st.floats(60, 1e8), st.floats(0.1, 1e5), st.floats(1, 60),
    st.floats(0.01, 1),
)  # fmt: skip
def test_any_length_converges_or_has_no_more_frames(
    length: float, seconds: float, interval: float, fps: float, share: float
) -> None:
    """A film of evenly spaced frames, a share of which goes in, gets its length or all of them."""
    found = pace._met(seconds / length, fps, interval)
    found = replace(found, length_s=length)
    for _ in range(6):
        slots = seconds * share / slot(found.speed, found.fps).total_seconds()
        pictures = int(min(slots, seconds * share / interval))
        again = pace.nearer(found, pictures, fps, interval)
        if again.speed == pytest.approx(found.speed):
            break
        found = again
    assert pace.LEAST_SPEED <= found.speed <= pace.MOST_SPEED
    assert 1 <= found.fps <= 60


def test_frames_a_day() -> None:
    film, _ = ask(last="1y", per_day=24)
    assert film.speed == 3600 * 25
    assert not making(film).choice.every
    film, _ = ask(last="1y", per_day=1)
    assert film.speed == DAY * 25
    assert making(film).choice.every
    daily = making(film).choice.daily
    assert daily is not None
    assert daily.clock == "12:00"


def test_one_a_day_in_a_minute() -> None:
    film, found = ask(last="365d", per_day=1, length="60s")
    assert film.fps == pytest.approx(365 / 60, abs=0.001)
    assert film.speed == pytest.approx(DAY * film.fps)
    again = pace.nearer(found, 180, 25, 10)
    assert again.fps == 3
    far = pace.nearer(found, 6000, 25, 10)
    assert (far.fps, len(far.notes)) == (60, 1)
    assert "lasts 100 s instead of 60" in far.notes[0]


def test_few_frames_are_shown_slowly() -> None:
    assert ask(last="1h", seen=Seen(frames=60, interval_s=60))[0].fps == 12
    assert ask(last="1h", seen=Seen(frames=3, interval_s=60))[0].fps == 8
    assert ask(last="1h", seen=Seen(frames=3, interval_s=60), fps=20)[0].fps == 20
    assert ask(last="1d", seen=Seen(frames=9000, interval_s=9))[0].fps == 25


def test_a_slow_camera_lowers_the_frame_rate_and_says_so() -> None:
    film, found = ask(interval_s=2, speed=10, fps=25)
    assert film.fps == 5
    assert "5 pictures a second instead of 25" in found.notes[0]
    assert ask(interval_s=100, speed=10)[0].fps == 1


def test_segments_are_as_long_whatever_the_film_does_so_that_films_share_them() -> None:
    assert ask(speed=10, interval_s=1, fps=10)[0].window_s == 20
    assert ask(speed=100, interval_s=1, fps=10)[0].window_s == 200
    assert ask(speed=10, interval_s=1, fps=10, last="1h")[0].window_s == 20


@given(st.floats(0.01, 1e7), st.floats(1, 60), st.floats(0.1, 1e5))
def test_windows_hold_whole_slots(speed: float, fps: float, interval_s: float) -> None:
    film, _ = ask(interval_s=interval_s, speed=speed, fps=fps)
    one = slot(film.speed, film.fps)
    window = timedelta(microseconds=round(film.window_s * 1e6))
    assert window % one == timedelta(0)
    assert 1 <= window // one <= 60 * 4
    assert 1 <= film.fps <= 60
    assert round(film.fps * 1000) == pytest.approx(film.fps * 1000, abs=1e-6)


@pytest.mark.parametrize(
    ("body", "seen", "size"),
    [
        ({}, (1920, 1080), (1280, 720)),
        ({}, (641, 481), (640, 480)),
        ({"size": "960x540"}, (1920, 1080), (960, 540)),
        ({"size": "961×541"}, None, (960, 540)),
        ({"width": 320}, (640, 480), (320, 240)),
        ({"height": 240}, (640, 480), (320, 240)),
        ({"width": 100, "height": 50}, None, (100, 50)),
        ({"look": {"rotate": 90}}, (1280, 720), (720, 1280)),
        ({"look": {"crop": [0, 0, 0.5, 1]}}, (1280, 720), (640, 720)),
        ({}, (1000, 4000), (540, 2160)),
    ],
)
def test_sizes(body: dict[str, Any], seen: tuple[int, int] | None, size: tuple[int, int]) -> None:
    film, _ = ask(frame=seen, **body)
    assert (film.width, film.height) == size


def test_several_scenes_share_the_picture() -> None:
    two = [place(n, size=(1280, 720)) for n in (1, 2)]
    film, _ = ask(*two)
    assert (film.scenes, making(film).look.layout) == ((1, 2), "side")
    assert (film.width, film.height) == (1920, 540)
    film, _ = ask(*two, place(3))
    assert making(film).look.layout == "grid"
    assert (film.width, film.height) == (1920, 1080)
    assert ask(*two, look={"layout": "stack"})[0].height == 1440


@pytest.mark.parametrize(
    ("format", "codec", "container"),
    [("mp4", "h264", "mp4"), ("webm", "vp9", "webm"), ("webm-av1", "av1", "webm"),
     ("mp4-av1", "av1", "mp4")],
)  # fmt: skip
def test_formats(format: str, codec: str, container: str) -> None:
    made = making(ask(format=format, quality=4)[0])
    assert (made.codec, made.container, made.quality) == (codec, container, 4)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "the day before"}, "from"),
        ({"from": "1h", "to": "2h"}, "to"),
        ({"to": "now"}, "to"),
        ({"from": "99999999d"}, "from"),
        ({"from": "60y"}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"last": "1h", "to": "now"}, "last"),
        ({"last": "soon"}, "last"),
        ({"last": "90y"}, "last"),
        ({"rolling": "1h", "from": "2h"}, "rolling"),
        ({"rolling": "1s"}, "rolling"),
        ({"speed": 0.001}, "speed"),
        ({"speed": "fast"}, "speed"),
        ({"speed": -1}, "speed"),
        ({"speed": 10, "length": 60, "last": "1d"}, "speed"),
        ({"speed": 10, "per_day": 4}, "speed"),
        ({"speed": 10, "per_day": 1}, "speed"),
        ({"speed": 10, "choice": {"every": True}}, "speed"),
        ({"length": "60s"}, "length"),
        ({"length": "0.1s", "last": "1d"}, "length"),
        ({"length": "7h", "last": "1d"}, "length"),
        ({"length": 5, "last": "1d", "look": {"card": {"text": "x", "seconds": 5}}}, "length"),
        ({"fps": 61}, "fps"),
        ({"fps": 0.5}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"size": "big"}, "size"),
        ({"size": "9000x9000"}, "size"),
        ({"size": "640x480", "width": 640}, "size"),
        ({"width": 3, "height": 3}, "width"),
        ({"width": 100, "height": 3}, "height"),
        ({"from": "3000d", "to": "now", "speed": 0.01, "fps": 60}, "speed"),
        ({"format": "gif"}, "format"),
        ({"format": "avi"}, "format"),
        ({"quality": 7}, "quality"),
        ({"choice": {"tags": ["spring"]}}, "tags"),
        ({"choice": {"sun_from": 0}}, "daylight"),
        ({"choice": {"sun_from": -6}}, "sun_from"),
        ({"choice": {"daily": {"sun": 10}}}, "daily_sun"),
        ({"choice": {"daily": {}}}, "daily"),
        ({"choice": {"daily": {"sun": 99}}}, "daily_sun"),
        ({"choice": {"daily": {"clock": "24:00"}}}, "daily_clock"),
        ({"choice": {"hours": [["06:00", "06:00"]]}}, "hours"),
        ({"choice": {"hours": [["6", "7"]]}}, "hours"),
        ({"choice": {"weekdays": [7]}}, "weekdays"),
        ({"choice": {"exclude": [[5, 5]]}}, "exclude"),
        ({"choice": {"weather": "fine"}}, "choice"),
        ({"per_day": 4, "choice": {"daily": {"clock": "12:00"}}}, "per_day"),
        ({"look": {"stamp": {"zone": "Mars/Base"}}}, "stamp_zone"),
        ({"look": {"stamp": {"format": "%H:%M %Q"}}}, "stamp_format"),
        ({"look": {"stamp": {"format": "100%"}}}, "stamp_format"),
        ({"look": {"stamp": {"corner": "middle"}}}, "stamp_corner"),
        ({"look": {"card": {"text": ""}}}, "card"),
        ({"look": {"crop": [0.5, 0, 0.4, 1]}}, "crop"),
        ({"look": {"pan": {"start": [0, 0, 1, 1], "end": [0, 0, 0.01, 1]}}}, "pan_end"),
        ({"look": {"denoise": 4}}, "denoise"),
        ({"look": {"layout": "side"}}, "layout"),
    ],
)
def test_what_is_refused_names_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Wrong) as caught:
        ask(interval_s=0.1, seen=Seen(frames=10**10, interval_s=0.1), **body)
    assert caught.value.field == field
    assert f'"{field}"' in caught.value.message
    assert len(caught.value.message) < 200


def test_tags_that_there_are_and_the_sun_where_it_is_known() -> None:
    wise = place(tags=["spring", "snow"], sun=True)
    film, _ = ask(wise, choice={"tags": ["snow"], "sun_from": 0, "sun_to": 30})
    assert making(film).choice.tags == ("snow",)
    with pytest.raises(Wrong) as caught:
        ask(wise, choice={"tags": ["summer"]})
    assert caught.value.hint == "there are: snow, spring"
    with pytest.raises(Wrong) as caught:
        ask(wise, choice={"sun_from": 10, "sun_to": 5})
    assert caught.value.field == "sun_to"
    with pytest.raises(Wrong) as caught:
        ask(choice={"sun_from": 0})
    assert "/scenes/garden7/edit" in (caught.value.hint or "")


@pytest.mark.parametrize("body", [None, [], "garden", 3, {"camera": 7}, {"color": "red"}])
def test_what_is_no_order(body: Any) -> None:
    with pytest.raises(Invalid):
        orders.parse(body)


def test_several_cameras_by_a_list_or_commas() -> None:
    assert orders.parse({"camera": "a, b"}).cameras == ("a", "b")
    assert orders.parse({"camera": ["a", "b"], "scene": "c"}).scenes == ("c",)
    assert orders.parse({"camera": None}).cameras == ()


def test_a_title_is_one_line() -> None:
    assert ask(title="  The\n garden \t at night ")[0].title == "The garden at night"
    assert len(ask(title="x" * 500)[0].title) == 200


def test_an_order_is_written_as_it_is_read() -> None:
    body = {"camera": "a", "last": "1d", "choice": {"hours": [["06:00", "20:00"]]}, "fps": 10.0}
    assert msgspec.json.decode(msgspec.json.encode(orders.as_json(orders.parse(body)))) == body
