"""Whether the wishes of an order fit together, and fit what there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from zoneinfo import available_timezones

from vigil.films.asking.model import Place, Span
from vigil.films.asking.orders import FORMATS, Order
from vigil.films.asking.words import Wrong, checked_box
from vigil.films.options import Making

MOST_SCENES = 9
UNKNOWN = re.compile(
    r"^(?:[^%]|%[-_0^#]?[AaBbCcDdeFfGgHhIjklMmnPpRrSsTtUuVvWwXxYyZz%])*+(?P<sign>%.?.?)"
)
"""What is no conversion of strftime(3), behind those that are."""
MOST_EXCLUDED = 20_000
LONGEST_S = {"gif": 15.0, "webp": 60.0}
"""Containers for short films only → seconds."""


def making(order: Order, places: Sequence[Place]) -> Making:
    """The options of the film; raises Wrong for what cannot be together or is not there."""
    _choice(order, places)
    _look(order, places)
    codec, container = FORMATS[order.format]
    return Making(
        choice=order.choice,
        look=order.look,
        codec=codec,
        container=container,
        quality=order.quality,
    )


def _choice(order: Order, places: Sequence[Place]) -> None:
    choice = order.choice
    known = sorted({tag for place in places for tag in place.tags})
    missing = [tag for tag in choice.tags if tag not in known]
    if missing:
        raise Wrong(
            "tags",
            f"has what is no tag of this scene: {', '.join(missing)[:100]}",
            hint=f"there are: {', '.join(known[:30])}" if known else "it has none yet",
        )
    field = "daylight" if choice.sun_from == 0 else "sun_from"
    _needs_sun(field, choice.sun_from is not None or choice.sun_to is not None, places)
    _needs_sun("daily_sun", choice.daily is not None and choice.daily.sun is not None, places)
    if None not in (choice.sun_from, choice.sun_to) and choice.sun_to <= choice.sun_from:  # type: ignore[operator]
        raise Wrong("sun_to", "must be higher than where the sun begins")
    for first, last in choice.hours:
        if first == last:
            raise Wrong("hours", f"has a span without length: {first}-{last}")
    if choice.daily is not None and (choice.daily.clock is None) == (choice.daily.sun is None):
        raise Wrong("daily", "is closest to a time of day or to a height of the sun: say which one")
    if choice.daily is not None and choice.daily.clock == "24:00":
        raise Wrong("daily_clock", "is 00:00 of the next day: say that")
    if order.per_day is not None and order.per_day > 1 and choice.daily is not None:
        raise Wrong("per_day", "is 1 where there is one frame a day", hint="leave one of them out")
    if len(choice.exclude) > MOST_EXCLUDED:
        raise Wrong(
            "exclude", f"has more than {MOST_EXCLUDED:,} spans", hint="exclude longer spans"
        )
    for begin, end in choice.exclude:
        if end <= begin:
            raise Wrong("exclude", "has a span that ends before it begins")


def _needs_sun(field: str, wanted: bool, places: Sequence[Place]) -> None:
    for place in places:
        if wanted and not place.has_sun:
            raise Wrong(
                field,
                f"needs to know where {place.scene.name} is",
                hint=f"set its coordinates at /scenes/{place.scene.name}/edit, "
                'or choose "hours" instead',
            )


def _look(order: Order, places: Sequence[Place]) -> None:
    look = order.look
    if look.stamp is not None and look.stamp.zone and look.stamp.zone not in available_timezones():
        raise Wrong(
            "stamp_zone", f"is no time zone: {look.stamp.zone[:60]}", hint="such as Europe/Berlin"
        )
    if look.stamp is not None and not look.stamp.format.isprintable():
        raise Wrong("stamp_format", "holds what cannot be printed")
    if look.stamp is not None and (wrong := UNKNOWN.search(look.stamp.format)):
        raise Wrong(
            "stamp_format",
            f"has {wrong['sign'][:4]}, which stands for nothing",
            hint="such as %Y-%m-%d %H:%M:%S, %A, %d %B or %Z; %% is a percent sign",
        )
    if look.card is not None and not look.card.text.replace("\n", "").isprintable():
        raise Wrong("card", "holds what cannot be printed")
    boxes = [("crop", look.crop)]
    if look.pan is not None:
        boxes += [("pan_start", look.pan.start), ("pan_end", look.pan.end)]
    for name, box in boxes:
        if box is not None:
            checked_box(box, name)
    if look.layout != "single" and len(places) == 1:
        raise Wrong("layout", "needs several scenes", hint="choose them, or show it alone")


def check_short(order: Order, span: Span, seconds: float | None) -> None:
    """Raise Wrong for a film that is too long for its format; ``None``: not known yet."""
    most = LONGEST_S.get(order.format)
    if most is None:
        return
    name = {"gif": "GIF", "webp": "WebP"}[order.format]
    if span.to_at is None:
        raise Wrong(
            "format", f"cannot be {name} for a film that grows for ever", hint="choose MP4 or WebM"
        )
    if seconds is not None and seconds > most * 1.02:
        raise Wrong(
            "format",
            f"is for short films: {name} up to {most:.0f} s, this one lasts {seconds:.0f} s",
            hint=f"choose MP4 or WebM, or a length of {most:.0f} s",
        )
