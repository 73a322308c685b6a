"""An order as flat fields, from a form or the command line."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.errors import Invalid
from vigil.films.asking import fields
from vigil.films.asking.orders import Order, parse
from vigil.films.asking.words import Wrong


def order(**given: str | list[str]) -> Order:
    """Of fields; a trailing underscore is for names that Python keeps to itself."""
    return fields.order(
        {name.rstrip("_"): [v] if isinstance(v, str) else v for name, v in given.items()}
    )


def test_a_form_leaves_fields_empty() -> None:
    wish = order(camera="garden", from_="", to="", speed="10", fps="", tags=[""], stamp="")
    assert wish == parse({"camera": "garden", "speed": 10})


def test_everything_that_can_be_said() -> None:
    wish = order(
        scene=["garden", "street"], range="between", from_="2026-03-01T06:00", to="now",
        last="3d", pace="length", length="60s", speed="9", fps="30", size="1920x1080",
        format="webm", quality="3", title="May",
        tags=["spring", "snow,fog"], daylight="on", sun_to="30", hours="6-20, 22:30-02:00",
        weekdays=["0", "sat"], skip_dark="on", skip_frozen="on", daily="sun", daily_sun="10",
        daily_rising="evening", daily_within="30m", exclude=["5", "1-3 2-4", "6,9"],
        stamp="on", stamp_format="%H:%M", stamp_zone="Europe/Berlin", stamp_corner="top-left",
        stamp_font="mono", stamp_size="0.1", card=" The\nyear ", card_seconds="2",
        deflicker="on", stabilise="on", colours="on", fade="days", fade_hold="5",
        fade_pictures="12", denoise="2", rotate="180", crop_left="10", crop_right="90",
        pan_start="0,0,50,50", pan_end_top="25", calm="20", layout="stack", gaps="mark",
    )  # fmt: skip
    assert wish == parse(
        {
            "scene": "garden,street",
            "from": "2026-03-01T06:00",
            "to": "now",
            "length": "60s",
            "fps": 30,
            "size": "1920x1080",
            "format": "webm",
            "quality": 3,
            "title": "May",
            "choice": {
                "tags": ["spring", "snow", "fog"],
                "sun_from": 0,
                "sun_to": 30,
                "hours": [["06:00", "20:00"], ["22:30", "02:00"]],
                "weekdays": [0, 5],
                "skip": ["dark", "frozen"],
                "daily": {"sun": 10, "rising": False, "within_s": 1800},
                "exclude": [[1, 4], [5, 7], [9, 10]],
            },
            "look": {
                "stamp": {
                    "format": "%H:%M",
                    "zone": "Europe/Berlin",
                    "corner": "top-left",
                    "font": "mono",
                    "size": 0.1,
                },
                "card": {"text": "The year", "seconds": 2},
                "deflicker": 31,
                "stabilise": True,
                "colours": True,
                "fade": {"between": "days", "hold": 5, "pictures": 12},
                "denoise": 2,
                "rotate": 180,
                "crop": [0.1, 0, 0.9, 1],
                "pan": {"start": [0, 0, 0.5, 0.5], "end": [0, 0.25, 1, 1]},
                "calm": 20,
                "layout": "stack",
                "gaps": "mark",
            },
        }
    )


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"range": "last", "last": "3d", "from": "1h", "rolling": "24h"}, {"last": "3d"}),
        ({"range": "on", "last": "3d", "from": "1h"}, {}),
        ({"range": "on", "to": "+2h"}, {}),
        ({"range": "all", "last": "3d"}, {"from": "first", "to": "now"}),
        ({"range": "rolling", "rolling": "24h", "to": "now"}, {"rolling": "24h"}),
        ({"range": "between", "from": "2h"}, {"from": "2h"}),
        ({"pace": "speed", "speed": "60", "length": "9s", "per_day": "4"}, {"speed": 60}),
        ({"pace": "every", "speed": "60"}, {"choice": {"every": True}}),
        ({"pace": "per_day", "per_day": "4"}, {"per_day": 4}),
        ({"last": "3d", "speed": "60"}, {"last": "3d", "speed": 60}),
        ({"daily": "clock"}, {"choice": {"daily": {"clock": "12:00"}}}),
        ({"daily_clock": "9"}, {"choice": {"daily": {"clock": "09:00"}}}),
        ({"daily": "", "daily_clock": "9"}, {"choice": {"daily": {"clock": "09:00"}}}),
        ({"daily": "none", "daily_clock": "9"}, {}),
        (
            {"daily": "sun", "daily_rising": "off"},
            {"choice": {"daily": {"sun": 10, "rising": False}}},
        ),
        ({"skip": "dark,blurred"}, {"choice": {"skip": ["dark", "blurred"]}}),
        ({"weekdays": "mon-fri"}, {"choice": {"weekdays": [0, 1, 2, 3, 4]}}),
        ({"weekdays": "sat-mon"}, {"choice": {"weekdays": [0, 5, 6]}}),
        ({"deflicker": "9", "calm": "off"}, {"look": {"deflicker": 9}}),
        ({"deflicker": "on", "calm": "1"}, {"look": {"deflicker": 31}}),
        ({"calm": "on"}, {"look": {"calm": 10}}),
        ({"stamp_zone": "UTC"}, {"look": {"stamp": {"zone": "UTC"}}}),
        ({"stamp_zone": "UTC", "range": "all"}, {"from": "first", "to": "now"}),
        ({"fade": "none", "crop": "0,0,100,100", "denoise": "0"}, {}),
        ({"fade": "frames"}, {"look": {"fade": {"between": "frames"}}}),
    ],
)
def test_what_counts(given: dict[str, str], body: dict[str, Any]) -> None:
    assert fields.order({k: [v] for k, v in given.items()}) == parse(body)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"range": "sometimes"}, "range"),
        ({"range": "last"}, "last"),
        ({"range": "rolling", "rolling": " "}, "rolling"),
        ({"pace": "length"}, "length"),
        ({"pace": "speed", "speed": "fast"}, "speed"),
        ({"colour": "red"}, "colour"),
        ({"hours": "morning"}, "hours"),
        ({"hours": "6-25"}, "hours"),
        ({"weekdays": "someday"}, "weekdays"),
        ({"weekdays": "7"}, "weekdays"),
        ({"weekdays": "mon-tue-wed"}, "weekdays"),
        ({"skip_dark": "perhaps"}, "skip_dark"),
        ({"skip": "boring"}, "skip"),
        ({"daily": "noon"}, "daily"),
        ({"daily_clock": "noon"}, "daily_clock"),
        ({"daily": "sun", "daily_sun": "high"}, "daily_sun"),
        ({"daily": "sun", "daily_within": "13h"}, "daily_within"),
        ({"sun_from": "-91"}, "sun_from"),
        ({"exclude": "yesterday"}, "exclude"),
        ({"exclude": "9" * 30}, "exclude"),
        ({"exclude": "-5"}, "exclude"),
        ({"stamp": "on", "stamp_size": "1"}, "stamp_size"),
        ({"stamp": "on", "stamp_font": "wingdings"}, "stamp_font"),
        ({"card": "x", "card_seconds": "90"}, "card_seconds"),
        ({"deflicker": "2"}, "deflicker"),
        ({"deflicker": "some"}, "deflicker"),
        ({"fade": "worlds"}, "fade"),
        ({"denoise": "4"}, "denoise"),
        ({"rotate": "45"}, "rotate"),
        ({"crop": "10,20,30"}, "crop"),
        ({"crop_left": "60", "crop_right": "50"}, "crop"),
        ({"crop_left": "x"}, "crop"),
        ({"layout": "pile"}, "layout"),
        ({"gaps": "leap"}, "gaps"),
    ],
)
def test_what_is_refused_names_its_field(given: dict[str, str], field: str) -> None:
    with pytest.raises(Wrong) as caught:
        fields.order({k: [v] for k, v in given.items()})
    assert caught.value.field == field


@given(
    st.dictionaries(
        st.sampled_from(sorted(fields.KNOWN)), st.lists(st.text(max_size=12), max_size=3)
    )
)
def test_any_form_is_an_order_or_invalid(form: dict[str, list[str]]) -> None:
    with suppress(Invalid):
        assert isinstance(fields.order(form), Order)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9))))
def test_exclusions_are_merged(spans: list[tuple[int, int]]) -> None:
    merged = fields.excluded([f"{begin}-{begin + length}" for begin, length in spans])
    out = {moment for begin, length in spans for moment in range(begin, begin + length)}
    assert {moment for begin, end in merged for moment in range(begin, end)} == out
    assert all(one[1] < other[0] for one, other in pairwise(merged))
