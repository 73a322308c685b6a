"""What may be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.cameras.model import Camera, Frame
from vigil.errors import Invalid
from vigil.films import order
from vigil.films.model import NewFilm, slot

NOW = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)


def camera(interval_s: float = 10) -> Camera:
    return Camera(
        id=3,
        name="garden",
        title="The garden",
        kind="http",
        url="http://nowhere",
        options={},
        interval_s=interval_s,
        retention_s=86400,
        enabled=True,
        deleting_at=None,
        created_at=NOW,
        changed_at=NOW,
    )


def frame(width: int, height: int) -> Frame:
    return Frame(
        id=1,
        camera_id=3,
        taken_at=NOW,
        received_at=NOW,
        width=width,
        height=height,
        bytes=1,
        sha256=b"",
        luma=1,
        blob="",
    )


def ask(
    interval_s: float = 10, latest: Frame | None = None, **body: Any
) -> tuple[NewFilm, list[str]]:
    return order.complete(
        order.parse({"camera": "garden"} | body), camera(interval_s), 7, latest, NOW
    )


def test_the_camera_alone_is_enough() -> None:
    film, notes = ask()
    assert (film.from_at, film.to_at) == (NOW, None)
    assert (film.speed, film.fps) == (250, 25)
    assert notes == []
    assert film.window_s == 500
    assert (film.width, film.height) == (1280, 720)
    assert film.title == "The garden, since 2026-03-01 12:00"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", -1800), ("-2h", -7200), ("+1h", 3600), ("1.5d", -129600), ("2w", -1209600), ("0s", 0)],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert order.moment(text, NOW, "from") == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T06:00Z", "2026-03-01T06:00", "2026-03-01 07:00+01:00", "2026-03-01T06:00:00.0"],
)
def test_moments(text: str) -> None:
    assert order.moment(text, NOW, "from") == datetime(2026, 3, 1, 6, tzinfo=UTC)


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_invalid(text: str) -> None:
    try:
        found = order.moment(text, NOW, "from")
    except Invalid:
        return
    assert found.utcoffset() == timedelta(0)


def test_a_slow_camera_lowers_the_frame_rate_and_says_so() -> None:
    film, notes = ask(interval_s=2, speed=10, fps=25)
    assert film.fps == 5
    assert "5 frames a second instead of 25" in notes[0]
    assert film.window_s == 20
    film, _ = ask(interval_s=100, speed=10)
    assert film.fps == 1


def test_segments_are_short_while_a_film_grows() -> None:
    assert ask(speed=10, interval_s=1, fps=10)[0].window_s == 20
    over: dict[str, Any] = {"from": "1h", "to": "now"}
    assert ask(speed=10, interval_s=1, fps=10, **over)[0].window_s == 50


@given(st.floats(0.01, 1e7), st.floats(1, 60), st.floats(0.1, 1e5))
def test_windows_hold_whole_slots(speed: float, fps: float, interval_s: float) -> None:
    film, _ = ask(interval_s, speed=speed, fps=fps)
    one = slot(film.speed, film.fps)
    window = timedelta(microseconds=round(film.window_s * 1e6))
    assert window % one == timedelta(0)
    assert 1 <= window // one <= 60 * 5
    assert 1 <= film.fps <= 60
    assert round(film.fps * 1000) == pytest.approx(film.fps * 1000, abs=1e-6)


@pytest.mark.parametrize(
    ("body", "latest", "size"),
    [
        ({}, frame(1920, 1080), (1280, 720)),
        ({}, frame(641, 481), (640, 480)),
        ({"size": "960x540"}, frame(1920, 1080), (960, 540)),
        ({"size": "961×541"}, None, (960, 540)),
        ({"width": 320}, frame(640, 480), (320, 240)),
        ({"height": 240}, frame(640, 480), (320, 240)),
        ({"width": 100, "height": 50}, None, (100, 50)),
    ],
)
def test_sizes(body: dict[str, Any], latest: Frame | None, size: tuple[int, int]) -> None:
    film, _ = ask(latest=latest, **body)
    assert (film.width, film.height) == size


@pytest.mark.parametrize(
    "body",
    [
        {"from": "yesterday"},
        {"from": "1h", "to": "2h"},
        {"to": "now"},
        {"from": "99999999d"},
        {"from": "20y"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"speed": 0.001},
        {"speed": "fast"},
        {"speed": -1},
        {"fps": 61},
        {"fps": 0.5},
        {"fps": float("nan")},
        {"size": "big"},
        {"size": "8x8"},
        {"size": "9000x9000"},
        {"size": "640x480", "width": 640},
        {"width": 3, "height": 3},
        {"color": "red"},
        {"camera": 7},
        {"from": "3000d", "to": "now", "speed": 0.01, "fps": 60},
    ],
)
def test_what_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        ask(interval_s=0.1, **body)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("body", [None, [], "garden", 3, {}, {"camera": None}])
def test_what_is_no_order(body: Any) -> None:
    with pytest.raises(Invalid):
        order.parse(body)


def test_a_form_leaves_fields_empty() -> None:
    wish = order.parse({"camera": "garden", "from": "", "to": "", "speed": "10", "fps": ""})
    assert (wish.from_, wish.to, wish.speed, wish.fps) == (None, None, 10, None)


def test_a_title_is_one_line() -> None:
    assert ask(title="  The\n garden \t at night ")[0].title == "The garden at night"
    assert len(ask(title="x" * 500)[0].title) == 200
